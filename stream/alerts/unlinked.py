"""Evidence that was kept, but that a kill kept from being linked into its call's chain."""

from datetime import UTC, datetime

from sqlalchemy import select

from stream.alerts.store import Store
from stream.alerts.tables import EvidenceRow
from stream.api.case_messages import EvidenceKind, EvidenceMessage
from stream.scope import Scope

NEWEST = 1000
"""Pieces that are looked at: a kill leaves but the last ones."""


async def unlinked(store: Store) -> list[tuple[EvidenceMessage, Scope]]:
    """Return the newest pieces that no event names, as the events that are missing, and whose they are."""
    async with store.sessions() as db:
        rows = list(await db.scalars(select(EvidenceRow).order_by(EvidenceRow.made_s.desc()).limit(NEWEST)))
    linked: set[str] = set()
    for session in {row.session for row in rows}:
        events = await store.after(0, session=session, types=("evidence",))
        linked |= {event.id for event in events if isinstance(event, EvidenceMessage)}
    return [(_event(row), Scope(row.org, row.owner)) for row in reversed(rows) if row.id not in linked]


def _event(row: EvidenceRow) -> EvidenceMessage:
    return EvidenceMessage(
        seq=0,
        session=row.session,
        alert=row.alert,
        at=datetime.fromtimestamp(row.made_s, UTC).isoformat(),
        id=row.id,
        kind=EvidenceKind(row.kind),
        media_type=row.media_type,
        sha256=row.sha256,
        start_s=row.start_s,
        end_s=row.end_s,
    )
