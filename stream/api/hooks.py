"""Webhooks over HTTP: addresses that are told of events, and what could not be delivered."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response

from stream.alerts.tables import OutboxRow, WebhookRow
from stream.alerts.webhooks import Webhooks
from stream.api.access import Access
from stream.api.admin_messages import (
    DeadLetterMessage,
    NewWebhookMessage,
    Right,
    WebhookMessage,
    WebhookRequest,
    WebhookTestMessage,
)
from stream.api.principal import Principal

MAX_ID = 2**31 - 1


def router(webhooks: Webhooks, access: Access) -> APIRouter:
    """Return the routes of webhooks."""
    routes = APIRouter(prefix="/v1/webhooks", tags=["webhooks"])
    OfAdmin = Annotated[Principal, Depends(access.needs(Right.ADMIN))]

    @routes.get("")
    async def all_webhooks(principal: OfAdmin) -> list[WebhookMessage]:
        """List the organisation's webhooks."""
        return [_message(row) for row in await webhooks.store.list_(principal.org)]

    @routes.post("", status_code=201)
    async def create(given: WebhookRequest, request: Request, principal: OfAdmin) -> NewWebhookMessage:
        """Make a webhook; its secret, by which its messages are verified (Standard Webhooks), is told this once."""
        try:
            row, secret = await webhooks.store.create(principal.org, given.url, given.types)
        except ValueError as exc:
            raise HTTPException(422, str(exc)) from exc
        await access.note(request, principal, "webhook.create", f"{row.id} {row.url}")
        return NewWebhookMessage(webhook=_message(row), secret=secret)

    @routes.get("/dead")
    async def dead(principal: OfAdmin, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> list[DeadLetterMessage]:
        """List what could not be delivered, newest first."""
        return [_letter(row) for row in await webhooks.store.dead(principal.org, limit)]

    @routes.post("/dead/{id}/retry", status_code=204, response_class=Response)
    async def retry(id: int, request: Request, principal: OfAdmin) -> Response:
        """Try again to deliver a message that was given up."""
        await access.note(request, principal, "webhook.retry", str(id))
        if not 0 < id <= MAX_ID or not await webhooks.store.retry(principal.org, id):
            raise HTTPException(404, f"no message {id} was given up")
        webhooks.wake()
        return Response(status_code=204)

    @routes.delete("/{id}", status_code=204, response_class=Response)
    async def delete(id: str, request: Request, principal: OfAdmin) -> Response:
        """Delete a webhook with all that waits for it."""
        await access.note(request, principal, "webhook.delete", id)
        if not await webhooks.store.delete(principal.org, id):
            raise HTTPException(404, f"no webhook {id!r}")
        return Response(status_code=204)

    @routes.post("/{id}/test")
    async def test(id: str, request: Request, principal: OfAdmin) -> WebhookTestMessage:
        """Send a signed message of type `test` at once, and say what came of it."""
        await access.note(request, principal, "webhook.test", id)
        if not any(row.id == id for row in await webhooks.store.list_(principal.org)):
            raise HTTPException(404, f"no webhook {id!r}")
        result = await webhooks.test(id)
        return WebhookTestMessage(delivered=result.delivered, status=result.status, error=result.error)

    return routes


def _message(row: WebhookRow) -> WebhookMessage:
    types = row.types.split(",")
    return WebhookMessage(id=row.id, url=row.url, types=types, created_at=row.created_at, is_active=row.is_active)


def _letter(row: OutboxRow) -> DeadLetterMessage:
    return DeadLetterMessage.model_validate(row, from_attributes=True)
