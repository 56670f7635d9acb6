"""Which events webhooks are told of, and in which words; within the transaction that stores the event."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from stream.alerts.chain import canonical
from stream.alerts.projection import call_of
from stream.alerts.webhook_store import enqueue
from stream.api.case_messages import CaseActionMessage
from stream.api.messages import AlertMessage, StoredMessage
from stream.api.promise_messages import LabelMessage
from stream.scope import Scope


def type_of(event: StoredMessage) -> str | None:
    """Return the webhooks' name of what happened; None if they are not told of it."""
    if isinstance(event, AlertMessage):
        return f"alert.{event.kind}"
    if isinstance(event, LabelMessage):
        return "alert.labelled"
    return "case.changed" if isinstance(event, CaseActionMessage) else None


async def announce(db: AsyncSession, event: StoredMessage, scope: Scope, link: str) -> None:
    """Put an event into the outbox of whoever wants to be told of it.

    Args:
        db: The transaction.
        event: Numbered.
        scope: Whose call it is of.
        link: Its link in the chain of its call: a witness outside of this service.
    """
    name = type_of(event)
    if name is None:
        return
    call = await call_of(db, event.session, scope)
    data: dict[str, Any] = event.model_dump(mode="json") | {
        "call": {"name": call.name or "", "source": call.source or "", "started_at": call.started_at or ""},
        "amount": call.amount,
        "currency": call.currency,
        "reference": call.reference,
        "chain": link,
    }
    body = canonical({"type": name, "timestamp": event.at, "data": data}).decode()
    await enqueue(db, scope.org, name, body, event.seq, event.at)
