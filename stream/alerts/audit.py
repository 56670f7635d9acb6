"""The audit log: who looked at evidence, and who changed who may. It only grows."""

from datetime import UTC, datetime

from sqlalchemy import select

from stream.alerts.database import Sessions
from stream.alerts.tables import AuditRow


class Audit:
    """The audit log of a store."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def write(self, org: str, *, by: str, role: str, address: str, action: str, target: str) -> None:
        """Add a line.

        Raises:
            SQLAlchemyError: It cannot be written.
        """
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        row = AuditRow(org=org, at=at, by=by, role=role, address=address, action=action, target=target)
        async with self._sessions.begin() as db:
            db.add(row)

    async def read(self, org: str, *, before: int | None, limit: int) -> list[AuditRow]:
        """Return lines of an organisation, newest first, from one on if it is named."""
        query = select(AuditRow).where(AuditRow.org == org).order_by(AuditRow.id.desc()).limit(limit)
        async with self._sessions() as db:
            return list(await db.scalars(query if before is None else query.where(AuditRow.id < before)))
