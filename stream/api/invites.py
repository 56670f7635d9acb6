"""Links by which a remote party joins a call with a browser, over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from stream.alerts.tables import InviteRow
from stream.alerts.tokens import Tokens
from stream.api.access import Access
from stream.api.admin_messages import InviteMessage, InviteRequest, JoinMessage, NewInviteMessage, Right
from stream.api.principal import Principal
from stream.api.seen import PRIVATE
from stream.api.told import light_message
from stream.desk import Desk
from stream.scope import Stake
from stream.settings import Settings


def router(tokens: Tokens, desk: Desk, settings: Settings, access: Access) -> APIRouter:
    """Return the routes of links."""
    routes = APIRouter(prefix="/v1", tags=["invites"])
    OfCall = Annotated[Principal, Depends(access.needs(Right.CALL))]
    OfCaller = Annotated[Principal, Depends(access.caller())]

    @routes.get("/invites")
    async def invites(principal: OfCall) -> list[InviteMessage]:
        """List links, newest first: an agent's own, or all of the organisation."""
        return [_message(row) for row in await tokens.invites(principal.org, principal.owner)]

    @routes.post("/invites", status_code=201)
    async def invite(given: InviteRequest, request: Request, principal: OfCall) -> NewInviteMessage:
        """Make a link; it is told this once. Whoever opens it can join the call and see or read nothing else."""
        stake = Stake(amount=given.amount, currency=given.currency, reference=given.reference)
        made = await tokens.invite(principal.scope, given.name, hours=given.hours, stake=stake)
        await access.note(request, principal, "invite.create", made.row.id)
        assert isinstance(made.row, InviteRow)
        return NewInviteMessage(invite=_message(made.row), path=f"/join#{made.secret}")

    @routes.delete("/invites/{id}", status_code=204, response_class=Response)
    async def revoke(id: str, request: Request, principal: OfCall) -> Response:
        """Make a link invalid and end the call that was joined by it."""
        own = {row.id: row for row in await tokens.invites(principal.org, principal.owner)}
        await access.note(request, principal, "invite.revoke", id)
        if id not in own or not await tokens.revoke(InviteRow, id, principal.org):
            raise HTTPException(404, f"no link {id!r} that could be revoked")
        if own[id].session:
            desk.close(own[id].session or "", "the link was revoked")
        return Response(status_code=204)

    @routes.get("/join")
    async def join(response: Response, principal: OfCaller) -> JoinMessage:
        """Return what a remote party needs to join; it is told nothing else, ever."""
        response.headers.update(PRIVATE)
        if principal.invite is None:
            raise HTTPException(404, "only a link of an invite joins a call here")
        call = desk.running(principal.invite.session or "")
        light = light_message(call.other.challenges.now) if call is not None else None
        return JoinMessage(ice_servers=settings.ice_servers, expires_at=_iso(principal.invite.expires_s), light=light)

    return routes


def _message(row: InviteRow) -> InviteMessage:
    return InviteMessage(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        expires_at=_iso(row.expires_s),
        revoked_at=row.revoked_at,
        session=row.session,
    )


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds")
