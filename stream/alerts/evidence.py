"""Evidence of alerts: pictures of faces, alerted sound, readings of the call. Personal data, which ends by itself.

Each piece is sealed with its call's key, and its hash stands in the call's chain. When the days are over, or a person
asks for it, a tombstone goes into the chain, then the key is destroyed, then what it sealed is deleted; a service that
was killed in between goes on there at its next start. Where nothing is to be kept, the newest picture of each alert is
held in memory only.
"""

import asyncio
import contextlib
import gzip
import hashlib
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy import delete, func, select
from sqlalchemy.exc import SQLAlchemyError

from stream.alerts.recorder import Recorder
from stream.alerts.store import Store
from stream.alerts.tables import EventRow, EvidenceRow
from stream.alerts.unlinked import unlinked
from stream.alerts.vault import ShreddedError
from stream.api.case_messages import EvidenceDeletedMessage, EvidenceKind, EvidenceMessage
from stream.api.messages import TimelineMessage, VerdictMessage
from stream.scope import Scope

log = structlog.get_logger()

DAY_S = 86_400.0
SWEEP_S = 600.0
"""How often evidence whose days are over is deleted [s]."""
MAX_HELD = 20
"""Pictures of one call that are held in memory; then its oldest goes."""
MAX_KEPT = 30
"""Pieces of a kind that are kept of one alert; an alert that is updated for hours does not fill the disk."""
LEAST_S = 3600.0
"""Where nothing is kept, keys are in memory only; the tombstones may wait until calls are over [s]."""
RETENTION = "retention"
SERVICE = "service"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """What the operator has kept."""

    days: float = 30.0
    """How long [d]; 0: nothing is ever written."""
    faces: bool = True
    """Whether the crops of alerted faces are."""
    audio: bool = False
    """Whether the alerted seconds of sound are."""

    def includes(self, kind: EvidenceKind) -> bool:
        """Whether a kind of evidence is kept."""
        wanted = {EvidenceKind.FACE: self.faces, EvidenceKind.AUDIO: self.audio, EvidenceKind.TIMELINE: True}
        return self.days > 0 and wanted[kind]


class Evidence:
    """The evidence of a store.

    Args:
        store: Where it is kept.
        recorder: Links it into the chains.
        keeping: What is kept, and how long.
        now: Seconds since the epoch [s].
    """

    def __init__(
        self, store: Store, recorder: Recorder, keeping: Keeping, now: Callable[[], float] = time.time
    ) -> None:
        self.keeping = keeping
        self._store = store
        self._recorder = recorder
        self._now = now
        self._held: dict[str, OrderedDict[str, bytes]] = {}
        self._sweeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Link what a kill kept from it into its chain; delete what is too old, now and from time to time."""
        for piece, scope in await unlinked(self._store):
            self._link(piece, scope)
        await self.sweep()
        self._sweeping = asyncio.create_task(self._sweep_on(), name="evidence")

    async def close(self) -> None:
        """Stop deleting."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

    async def keep_face(self, session: str, alert: str, scope: Scope, jpeg: bytes, time_s: float) -> None:
        """Hold the newest picture of an alert, and keep it if faces are kept.

        Args:
            session: Id of the call.
            alert: Id of the alert.
            scope: Whose call it is.
            jpeg: The crop.
            time_s: Of the picture in the call [s].
        """
        held = self._held.setdefault(session, OrderedDict())
        held[alert] = jpeg
        held.move_to_end(alert)
        if len(held) > MAX_HELD:
            held.popitem(last=False)
        await self.keep(session, alert, scope, EvidenceKind.FACE, "image/jpeg", jpeg, (time_s, time_s))

    async def keep_timeline(self, session: str, alert: str, scope: Scope, readings: list[VerdictMessage]) -> None:
        """Keep the readings of a call as they are now."""
        plain = json.dumps([reading.model_dump(mode="json") for reading in readings]).encode()
        packed = await asyncio.to_thread(gzip.compress, plain, 6, mtime=0)
        span = (readings[0].time_s, readings[-1].time_s) if readings else (None, None)
        await self.keep(session, alert, scope, EvidenceKind.TIMELINE, "application/gzip", packed, span)

    async def keep(
        self,
        session: str,
        alert: str,
        scope: Scope,
        kind: EvidenceKind,
        media_type: str,
        content: bytes,
        span: tuple[float | None, float | None],
    ) -> None:
        """Keep a piece if the policy says so and the disk takes it, and link its hash into the chain."""
        sha256 = hashlib.sha256(content).hexdigest()
        if not self.keeping.includes(kind):
            return
        kept = [row.sha256 for row in await self.of(alert) if row.kind == kind]
        if sha256 in kept or len(kept) >= MAX_KEPT:
            return
        piece = EvidenceMessage(
            seq=0,
            session=session,
            alert=alert,
            at=datetime.fromtimestamp(self._now(), UTC).isoformat(),
            id=secrets.token_hex(8),
            kind=kind,
            media_type=media_type,
            sha256=sha256,
            start_s=span[0],
            end_s=span[1],
        )
        try:
            await self._write(piece, scope, content)
        except (SQLAlchemyError, OSError, ShreddedError) as exc:
            log.error("cannot keep evidence; a face is in memory only", session=session, kind=kind, error=str(exc))
        else:
            self._link(piece, scope)

    def _link(self, piece: EvidenceMessage, scope: Scope) -> None:
        self._recorder.record(lambda seq: piece.model_copy(update={"seq": seq}), scope)

    async def get(self, id: str) -> tuple[EvidenceRow, bytes] | None:
        """Return a piece with its content; None if it never was, or is no longer there."""
        async with self._store.sessions() as db:
            row = await db.get(EvidenceRow, id)
        return await self._opened(row) if row else None

    async def face(self, session: str, alert: str) -> bytes | None:
        """Return the newest picture of an alert as JPEG; None if it never was, or is no longer there."""
        held = self._held.get(session, OrderedDict()).get(alert)
        if held is not None:
            return held
        rows = [row for row in await self.of(alert) if row.kind == EvidenceKind.FACE and row.session == session]
        opened = await self._opened(rows[-1]) if rows else None
        return opened[1] if opened else None

    async def timeline(self, session: str, alert: str) -> TimelineMessage:
        """Return the readings that are kept of a call; none if their time is over."""
        rows = [row for row in await self.of(alert) if row.kind == EvidenceKind.TIMELINE and row.session == session]
        opened = await self._opened(rows[-1]) if rows else None
        readings = json.loads(gzip.decompress(opened[1])) if opened else []
        return TimelineMessage(session=session, readings=[VerdictMessage.model_validate(r) for r in readings])

    async def of(self, alert: str) -> list[EvidenceRow]:
        """Return what is kept of an alert, oldest first."""
        query = select(EvidenceRow).where(EvidenceRow.alert == alert).order_by(EvidenceRow.made_s, EvidenceRow.id)
        async with self._store.sessions() as db:
            rows = list(await db.scalars(query))
        return [row for row in rows if not self._store.vault.is_shredded(row.session)]

    def keep_until(self, row: EvidenceRow) -> str:
        """Return when a piece is deleted by itself."""
        return datetime.fromtimestamp(row.made_s + self.keeping.days * DAY_S, UTC).isoformat(timespec="seconds")

    def forget(self, session: str) -> None:
        """Let go of what is held in memory of a call."""
        self._held.pop(session, None)

    async def delete(self, session: str, scope: Scope, *, by: str, cause: str) -> EvidenceDeletedMessage | None:
        """Delete all evidence of a call for good, and leave a tombstone in its chain; None if there is none.

        Raises:
            SQLAlchemyError, OSError: It cannot be deleted now; the tombstone may stand, the next sweep deletes.
        """
        self.forget(session)
        async with self._store.sessions() as db:
            hashes = list(await db.scalars(select(EvidenceRow.sha256).where(EvidenceRow.session == session)))
            sealed = EventRow.session == session, EventRow.sealed.is_not(None)
            n_sealed = await db.scalar(select(func.count()).select_from(EventRow).where(*sealed)) or 0
        if not hashes and (not n_sealed or self._store.vault.is_shredded(session)):
            return None
        tombstone = EvidenceDeletedMessage(
            seq=0,
            session=session,
            at=datetime.fromtimestamp(self._now(), UTC).isoformat(),
            by=by,
            cause=cause,
            sha256=hashes,
        )
        kept = await self._recorder.keep(lambda seq: tombstone.model_copy(update={"seq": seq}), scope)
        await self._erase(session)
        return tombstone.model_copy(update={"seq": kept.seq})

    async def sweep(self) -> None:
        """Delete what is too old, and what a kill kept from being deleted."""
        try:
            for session, scope in await self._buried():
                log.info("deleting what a tombstone says is gone", session=session, org=scope.org)
                await self._erase(session)
            for session, scope in await self._expired():
                await self.delete(session, scope, by=SERVICE, cause=RETENTION)
        except (SQLAlchemyError, OSError) as exc:
            log.error("cannot delete evidence; trying again later", error=str(exc))

    async def _sweep_on(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            await self.sweep()

    async def _expired(self) -> list[tuple[str, Scope]]:
        """Return the calls whose newest evidence or sealed event is older than it may be."""
        limit_s = self._now() - max(self.keeping.days * DAY_S, LEAST_S)
        begun_at = datetime.fromtimestamp(limit_s, UTC).isoformat()
        rows = select(EvidenceRow.session, EvidenceRow.org, EvidenceRow.owner).group_by(
            EvidenceRow.session, EvidenceRow.org, EvidenceRow.owner
        )
        events = select(EventRow.session, EventRow.org, EventRow.owner, EventRow.body).where(
            EventRow.sealed.is_not(None)
        )
        async with self._store.sessions() as db:
            old = {s: Scope(o, w) for s, o, w in await db.execute(rows.having(func.max(EvidenceRow.made_s) < limit_s))}
            fresh = set(await db.scalars(select(EvidenceRow.session).where(EvidenceRow.made_s >= limit_s)))
            newest: dict[str, tuple[str, Scope]] = {}
            for session, org, owner, body in await db.execute(events):
                newest[session] = max(newest.get(session, ("", EVER)), (body["at"], Scope(org, owner)), key=_first)
        old |= {s: scope for s, (at, scope) in newest.items() if at < begun_at and s not in fresh}
        shredded = self._store.vault.is_shredded
        return [(session, scope) for session, scope in old.items() if not shredded(session)]

    async def _buried(self) -> list[tuple[str, Scope]]:
        """Return the calls with a tombstone whose evidence is still there."""
        query = select(EventRow.session, EventRow.org, EventRow.owner).where(EventRow.type == "evidence_deleted")
        async with self._store.sessions() as db:
            left = set(await db.scalars(select(EvidenceRow.session)))
            found = {session: Scope(org, owner) for session, org, owner in await db.execute(query)}
        shredded = self._store.vault.is_shredded
        return [(s, scope) for s, scope in found.items() if s in left or not shredded(s)]

    async def _erase(self, session: str) -> None:
        await asyncio.to_thread(self._store.vault.shred, session)
        async with self._store.sessions.begin() as db:
            await db.execute(delete(EvidenceRow).where(EvidenceRow.session == session))
        with contextlib.suppress(SQLAlchemyError):  # a reader is in the way; without its key it tells nothing anyway
            await self._store.erase()

    async def _write(self, piece: EvidenceMessage, scope: Scope, content: bytes) -> None:
        sealed = await asyncio.to_thread(self._store.vault.seal, piece.session, content)
        fields = piece.model_dump(
            include={"id", "session", "alert", "kind", "media_type", "sha256", "start_s", "end_s"}
        )
        row = EvidenceRow(**fields, org=scope.org, owner=scope.owner, made_s=self._now(), sealed=sealed)
        async with self._store.sessions.begin() as db:
            db.add(row)

    async def _opened(self, row: EvidenceRow) -> tuple[EvidenceRow, bytes] | None:
        if self._now() > row.made_s + self.keeping.days * DAY_S:
            return None
        try:
            return row, await asyncio.to_thread(self._store.vault.open, row.session, row.sealed)
        except ShreddedError:
            return None


EVER = Scope()


def _first(pair: tuple[str, Scope]) -> str:
    return pair[0]
