"""Who may: tokens, the audit log, and who one is, over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from stream.alerts.audit import Audit
from stream.alerts.tables import AuditRow, TokenRow
from stream.alerts.tokens import Tokens
from stream.api.access import OPERATOR, Access
from stream.api.admin_messages import (
    AuditMessage,
    MeMessage,
    NewTokenMessage,
    Right,
    Role,
    TokenMessage,
    TokenRequest,
)
from stream.api.principal import Principal


def router(tokens: Tokens, audit: Audit, access: Access) -> APIRouter:
    """Return the routes of administration."""
    routes = APIRouter(prefix="/v1", tags=["administration"])
    OfWatch = Annotated[Principal, Depends(access.needs(Right.WATCH))]
    OfAdmin = Annotated[Principal, Depends(access.needs(Right.ADMIN))]

    @routes.get("/me")
    async def me(principal: OfWatch) -> MeMessage:
        """Return who asks, and what that one may do."""
        return MeMessage(
            name=principal.name,
            org=principal.org,
            role=principal.role or Role.VIEWER,
            rights=sorted(principal.rights),
            own_calls_only=principal.owner is not None,
            token=principal.token,
        )

    @routes.get("/tokens")
    async def all_tokens(principal: OfAdmin) -> list[TokenMessage]:
        """List the organisation's tokens, newest first."""
        return [token_message(row) for row in await tokens.tokens(principal.org)]

    @routes.post("/tokens", status_code=201)
    async def create(given: TokenRequest, request: Request, principal: OfAdmin) -> NewTokenMessage:
        """Make a token; its secret is told this once."""
        who, has_operator = principal.name, principal.name == OPERATOR
        made = await tokens.create(
            principal.org, given.name, given.role, by=who, days=given.days, has_operator=has_operator
        )
        await access.note(request, principal, "token.create", f"{made.row.id} {given.role} {given.name}")
        assert isinstance(made.row, TokenRow)
        return NewTokenMessage(token=token_message(made.row), secret=made.secret)

    @routes.delete("/tokens/{id}", status_code=204, response_class=Response)
    async def revoke(id: str, request: Request, principal: OfAdmin) -> Response:
        """Revoke a token; live connections that it opened end within ten seconds."""
        await access.note(request, principal, "token.revoke", id)
        if not await tokens.revoke(TokenRow, id, principal.org):
            raise HTTPException(404, f"no token {id!r} that could be revoked")
        return Response(status_code=204)

    @routes.get("/audit")
    async def log(
        principal: OfAdmin,
        before: Annotated[int | None, Query(ge=0, le=2**53, description="Only lines older than this one")] = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    ) -> list[AuditMessage]:
        """Return who looked at evidence and who changed who may, newest first."""
        return [_line(row) for row in await audit.read(principal.org, before=before, limit=limit)]

    return routes


def token_message(row: TokenRow) -> TokenMessage:
    """Return a token as it is told."""
    expires_at = datetime.fromtimestamp(row.expires_s, UTC).isoformat(timespec="seconds") if row.expires_s else None
    return TokenMessage(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        created_at=row.created_at,
        created_by=row.created_by,
        expires_at=expires_at,
        revoked_at=row.revoked_at,
        used_at=row.used_at,
    )


def _line(row: AuditRow) -> AuditMessage:
    return AuditMessage.model_validate(row, from_attributes=True)
