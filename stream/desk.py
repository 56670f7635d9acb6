"""All calls: opens them, tells viewers of them, remembers those that ended lately."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import TypeVar

import structlog

from models.explanation import Explanation, FaceExplanation
from stream.alerts.bus import Bus
from stream.alerts.faces import Faces
from stream.alerts.recorder import Recorder
from stream.alerts.store import Store
from stream.api.explained import explanation_message
from stream.api.messages import (
    AlertMessage,
    SessionEndedMessage,
    SessionMessage,
    SessionStartedMessage,
    SnapshotMessage,
    StoredMessage,
    TimelineMessage,
)
from stream.api.promise_messages import AlertLabel, LabelMessage
from stream.api.told import alert_message, ended, verdict_message
from stream.batcher import Batcher
from stream.errors import ServiceFullError
from stream.events import Alert, AlertKind, Decision, Dropped, State
from stream.explainer import Explainable
from stream.ledger import Ledger
from stream.policy import Policy
from stream.session import FaceSearch, Session, new_session_info

log = structlog.get_logger()

T = TypeVar("T")

REMEMBERED = 100
"""Ended calls that are kept in memory for the list."""
TIMELINES = 20
"""Calls whose readings are kept in memory."""
SETTLE_S = 5.0
"""How long explanations may still take once the service stops [s]."""


class Desk:
    """The calls of this process; an ingest adapter's `CallDesk` and a session's `Listener`.

    Args:
        detector: Finds faces.
        digests: The models' digests by signal, named in every alert.
        batcher: Has windows scored.
        recorder: Keeps events.
        faces: Keeps the pictures of explained alerts.
        bus: Pushes live readings.
        policy: When to alert.
        max_sessions: Calls at a time.
        pool: Worker threads.
    """

    def __init__(
        self,
        *,
        detector: FaceSearch,
        digests: dict[str, str],
        batcher: Batcher,
        recorder: Recorder,
        faces: Faces,
        bus: Bus,
        policy: Policy,
        max_sessions: int,
        pool: Executor,
    ) -> None:
        self._detector = detector
        self.digests = digests
        """Digests of the models, by signal, and of the decision's thresholds."""
        self._batcher = batcher
        self._recorder = recorder
        self._faces = faces
        self._bus = bus
        self.policy = policy
        """When alerts are raised."""
        self._max_sessions = max_sessions
        self._pool = pool
        self._running: dict[str, Session] = {}
        self._known: OrderedDict[str, SessionMessage] = OrderedDict()
        self._timelines: OrderedDict[str, Session] = OrderedDict()
        self.ledger = Ledger()
        """The promise against what came of it."""

    def __len__(self) -> int:
        return len(self._running)

    @property
    def dropped(self) -> Dropped:
        """What all running calls lost so far."""
        lost = [session.dropped for session in self._running.values()]
        return Dropped(
            pictures=sum(d.pictures for d in lost),
            windows=sum(d.windows for d in lost),
            audio_s=sum(d.audio_s for d in lost),
        )

    async def restore(self, store: Store) -> None:
        """Read the calls of earlier runs; those that a kill cut short are ended now."""
        while page := await store.after(self.ledger.seq, types=Ledger.TYPES):
            for event in page:
                self.ledger.take(event)
        for event in await store.recent(REMEMBERED * 6):
            self._remember(event)
        for started in await store.unended():
            self._recorder.record(ended(started.session, "service stopped", None), self._remember)

    def open(self, *, source: str, name: str) -> Session:
        """Open a call.

        Raises:
            ServiceFullError: As many calls run as may.
        """
        if len(self._running) >= self._max_sessions:
            raise ServiceFullError(f"{len(self._running)} of {self._max_sessions} calls are running; try again later")
        loop = asyncio.get_running_loop()

        def run(work: Callable[[], T]) -> asyncio.Future[T]:
            return loop.run_in_executor(self._pool, work)

        info = new_session_info(name, source)
        session = Session(
            info, detector=self._detector, batcher=self._batcher, policy=self.policy, listener=self, run=run
        )
        self._running[session.id] = self._timelines[session.id] = session
        while len(self._timelines) > TIMELINES + self._max_sessions:
            gone, _ = self._timelines.popitem(last=False)
            self._faces.forget(gone)
        at = info.started_at.isoformat()
        started = SessionStartedMessage(seq=0, session=info.id, name=info.name, source=info.source, at=at)
        self._remember(started)
        self._recorder.record(lambda seq: started.model_copy(update={"seq": seq}))
        log.info("call started", session=info.id, source=source)
        return session

    def close_all(self, cause: str) -> None:
        """End every call."""
        for session in tuple(self._running.values()):
            session.close(cause)

    async def settle(self) -> None:
        """Wait a little for the explanations that are being made."""
        making = asyncio.gather(*(session.settle() for session in self._timelines.values()))
        try:
            await asyncio.wait_for(making, SETTLE_S)
        except TimeoutError:
            log.error("alerts stay unexplained: the detector did not answer")

    def snapshot(self) -> SnapshotMessage:
        """Return all known calls, newest first, and the `seq` from which to go on."""
        return SnapshotMessage(seq=self._recorder.seq, sessions=list(reversed(self._known.values())))

    def timeline(self, session: str) -> TimelineMessage | None:
        """Return the readings of a call, none if it ended too long ago; None if there was no such call."""
        found = self._timelines.get(session)
        if found is None and session not in self._known:
            return None
        readings = [verdict_message(found, decision) for decision in found.timeline] if found else []
        return TimelineMessage(session=session, readings=readings)

    def on_decision(self, session: Session, decision: Decision) -> None:
        """Push the newest reading."""
        verdict = verdict_message(session, decision)
        self._update(session.id, verdict=verdict, state=verdict.state)
        self._bus.publish(verdict)

    def on_alert(self, session: Session, alert: Alert) -> None:
        """Keep and push a change of an alert."""
        message = alert_message(alert, self.policy.promise_hours, self.digests)
        self._recorder.record(lambda seq: message.model_copy(update={"seq": seq}), self._remember)
        log.warning("alert " + alert.kind, session=session.id, alert=alert.id, time_s=alert.time_s)

    async def on_explanation(
        self, session: Session, alert: Alert, window: Explainable, explanation: Explanation
    ) -> None:
        """Keep the picture of an alerted face, then keep and push where the evidence lies."""
        message = explanation_message(alert, window, explanation, self.digests)
        if isinstance(explanation, FaceExplanation) and session.id in self._timelines:
            await self._faces.keep(session.id, alert.id, explanation.crop.pixels)
        self._recorder.record(lambda seq: message.model_copy(update={"seq": seq}), self._remember)

    async def face(self, session: str, alert: str) -> bytes | None:
        """Return the picture of an explained alert as JPEG; None if it is not there, or no longer."""
        return await self._faces.get(session, alert)

    def running_hours(self, *, is_telephone: bool) -> float:
        """Return how long the running calls of a class of channel are together, so far [h]."""
        said = [session.timeline[-1] for session in self._running.values() if session.timeline]
        return sum(decision.coverage.call_s for decision in said if decision.is_telephone is is_telephone) / 3600

    async def label(self, alert: str, label: AlertLabel, *, by: str, note: str) -> LabelMessage | None:
        """Keep and push what a person found of an alert; None if there was no such alert. Returns once it is stored."""
        session = self.ledger.session_of(alert)
        if session is None:
            return None
        draft = LabelMessage(
            seq=0, session=session, alert=alert, at=datetime.now(UTC).isoformat(), label=label, by=by, note=note
        )
        kept: asyncio.Future[LabelMessage] = asyncio.get_running_loop().create_future()

        def stored(event: StoredMessage) -> None:
            self._remember(event)
            if not kept.done():  # whoever asked may have gone
                kept.set_result(draft.model_copy(update={"seq": event.seq}))

        self._recorder.record(lambda seq: draft.model_copy(update={"seq": seq}), stored)
        return await kept

    def on_closed(self, session: Session, cause: str) -> None:
        """Keep and push the end of a call."""
        self._running.pop(session.id, None)
        said = session.timeline[-1] if session.timeline else None
        state = said.state if said else State.UNDECIDED
        self._recorder.record(ended(session.id, cause, said), self._remember)
        log.info("call ended", session=session.id, cause=cause, state=state)

    def _remember(self, event: StoredMessage) -> None:
        """Fold a stored event into the list of calls and into the account of the promise."""
        self.ledger.take(event)
        if isinstance(event, SessionStartedMessage):
            self._known[event.session] = SessionMessage(
                session=event.session,
                name=event.name,
                source=event.source,
                started_at=event.at,
                ended_at=None,
                state=State.UNDECIDED,
                verdict=None,
                alert=None,
            )
            while len(self._known) > REMEMBERED + self._max_sessions:
                self._known.popitem(last=False)
        elif isinstance(event, SessionEndedMessage):
            self._update(event.session, ended_at=event.at, state=event.state)
        elif isinstance(event, AlertMessage):
            self._update(event.session, alert=None if event.kind is AlertKind.CLEARED else event)

    def _update(self, session: str, **fields: object) -> None:
        if session in self._known:
            self._known[session] = self._known[session].model_copy(update=fields)
