"""All calls: opens them, tells viewers of them, remembers those that ended lately."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

import structlog

from models.explanation import Explanation, FaceExplanation
from models.window import VoiceWindow
from stream.alerts.bus import Bus
from stream.alerts.evidence import Evidence
from stream.alerts.media import jpeg_of, wav_of
from stream.alerts.recorder import Recorder
from stream.alerts.store import Store
from stream.api.case_messages import EvidenceKind, StakeMessage
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
from stream.api.told import alert_message, check_message, ended, live_message, verdict_message
from stream.batcher import Batcher
from stream.checks.challenges import Result
from stream.errors import ServiceFullError
from stream.events import Alert, AlertKind, Decision, Dropped, State
from stream.explainer import Explainable
from stream.ledger import Ledger
from stream.policy import Policy
from stream.scope import EVERYWHERE, NO_STAKE, Scope, Stake
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
        evidence: Keeps what alerts rest on.
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
        evidence: Evidence,
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
        self._evidence = evidence
        self._bus = bus
        self.policy = policy
        """When alerts are raised."""
        self._max_sessions = max_sessions
        self._pool = pool
        self._running: dict[str, Session] = {}
        self._known: OrderedDict[str, SessionMessage] = OrderedDict()
        self._timelines: OrderedDict[str, Session] = OrderedDict()
        self._scopes: dict[str, Scope] = {}
        self._alerted: dict[str, list[str]] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._ledgers: dict[str, Ledger] = {}
        recorder.on_stored(self._remember)

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
        for org in await store.organisations():
            ledger = self.ledger(org)
            while page := await store.after(ledger.seq, types=Ledger.TYPES, org=org):
                for event in page:
                    ledger.take(event)
        scopes = await store.scopes()
        for event in await store.recent(REMEMBERED * 6):
            self._remember(event, scopes.get(event.session, EVERYWHERE))
        for started, scope in await store.unended():
            self._scopes[started.session] = scope
            self._recorder.record(ended(started.session, "service stopped", None), scope)

    def open(
        self, *, source: str, name: str, scope: Scope = EVERYWHERE, stake: Stake = NO_STAKE, is_invited: bool = False
    ) -> Session:
        """Open a call.

        Raises:
            ServiceFullError: As many calls run as may.
        """
        if len(self._running) >= self._max_sessions:
            raise ServiceFullError(f"{len(self._running)} of {self._max_sessions} calls are running; try again later")
        loop = asyncio.get_running_loop()

        def run(work: Callable[[], T]) -> asyncio.Future[T]:
            return loop.run_in_executor(self._pool, work)

        info = new_session_info(name, source, scope, is_invited=is_invited)
        session = Session(
            info, detector=self._detector, batcher=self._batcher, policy=self.policy, listener=self, run=run
        )
        self._running[session.id] = self._timelines[session.id] = session
        while len(self._timelines) > TIMELINES + self._max_sessions:
            gone, _ = self._timelines.popitem(last=False)
            self._evidence.forget(gone)
        at = info.started_at.isoformat()
        started = SessionStartedMessage(seq=0, session=info.id, name=info.name, source=info.source, at=at)
        self._remember(started, scope)
        self._recorder.record(lambda seq: started.model_copy(update={"seq": seq}), scope)
        if stake != NO_STAKE:
            said = StakeMessage(
                seq=0,
                session=info.id,
                at=at,
                by="",
                amount=stake.amount,
                currency=stake.currency,
                reference=stake.reference,
            )
            self._recorder.record(lambda seq: said.model_copy(update={"seq": seq}), scope)
        log.info("call started", session=info.id, source=source)
        return session

    def close_all(self, cause: str) -> None:
        """End every call."""
        for session in tuple(self._running.values()):
            session.close(cause)

    def close(self, session: str, cause: str) -> None:
        """End a call, if it runs."""
        if session in self._running:
            self._running[session].close(cause)

    async def settle(self) -> None:
        """Wait a little for the explanations that are being made, and for what is being kept."""
        making = asyncio.gather(*(session.settle() for session in self._timelines.values()))
        try:
            await asyncio.wait_for(making, SETTLE_S)
        except TimeoutError:
            log.error("alerts stay unexplained: the detector did not answer")
        await asyncio.gather(*self._keeping)

    def running(self, session: str) -> Session | None:
        """Return a call that runs; None if it has ended or never was."""
        return self._running.get(session)

    def scope_of(self, session: str) -> Scope | None:
        """Return whose call it is; None if it is not among the running and recent ones."""
        return self._scopes.get(session)

    def snapshot(self, sees: Callable[[Scope], bool] = lambda _: True) -> SnapshotMessage:
        """Return all known calls that somebody sees, newest first, and the `seq` from which to go on."""
        seen = [call for call in reversed(self._known.values()) if sees(self._scopes[call.session])]
        return SnapshotMessage(seq=self._recorder.seq, sessions=seen)

    def timeline(self, session: str) -> TimelineMessage | None:
        """Return the readings of a call, none if it ended too long ago; None if there was no such call."""
        found = self._timelines.get(session)
        if found is None and session not in self._known:
            return None
        readings = [verdict_message(found, decision) for decision in found.timeline] if found else []
        return TimelineMessage(session=session, readings=readings)

    def on_decision(self, session: Session, decision: Decision) -> None:
        """Push the newest reading."""
        verdict = live_message(session, decision)
        self._update(session.id, verdict=verdict, state=verdict.state)
        self._bus.publish(verdict, session.info.scope)

    def on_alert(self, session: Session, alert: Alert) -> None:
        """Keep and push a change of an alert."""
        message = alert_message(alert, self.policy.promise_hours, self.digests)
        self._recorder.record(lambda seq: message.model_copy(update={"seq": seq}), session.info.scope)
        if alert.kind is AlertKind.RAISED:
            self._alerted.setdefault(session.id, []).append(alert.id)
            self._keep_timeline(session, alert.id)
        log.warning("alert " + alert.kind, session=session.id, alert=alert.id, time_s=alert.time_s)

    async def on_explanation(
        self, session: Session, alert: Alert, window: Explainable, explanation: Explanation
    ) -> None:
        """Keep the picture of an alerted face, or the alerted sound, then keep and push where the evidence lies."""
        message, scope = explanation_message(alert, window, explanation, self.digests), session.info.scope
        if isinstance(explanation, FaceExplanation) and session.id in self._timelines:
            crop = explanation.crop
            jpeg = await asyncio.to_thread(jpeg_of, crop.pixels)
            await self._evidence.keep_face(session.id, alert.id, scope, jpeg, crop.time_s)
        elif isinstance(window, VoiceWindow):
            span = (window.start_s, window.end_s)
            sound = await asyncio.to_thread(wav_of, window.samples)
            await self._evidence.keep(session.id, alert.id, scope, EvidenceKind.AUDIO, "audio/wav", sound, span)
        self._recorder.record(lambda seq: message.model_copy(update={"seq": seq}), scope)

    def on_challenge(self, session: Session, result: Result) -> None:
        """Keep and push what came of a check."""
        message = check_message(session.id, result)
        self._recorder.record(lambda seq: message.model_copy(update={"seq": seq}), session.info.scope)

    def running_hours(self, org: str, *, is_telephone: bool) -> float:
        """Return how long the running calls of a class of channel are together, so far [h]."""
        own = [session for session in self._running.values() if session.info.scope.org == org]
        said = [session.timeline[-1] for session in own if session.timeline]
        return sum(decision.coverage.call_s for decision in said if decision.is_telephone is is_telephone) / 3600

    def ledger(self, org: str) -> Ledger:
        """Return the promise against what came of it in an organisation."""
        return self._ledgers.setdefault(org, Ledger())

    def on_closed(self, session: Session, cause: str) -> None:
        """Keep and push the end of a call."""
        self._running.pop(session.id, None)
        said = session.timeline[-1] if session.timeline else None
        state = said.state if said else State.UNDECIDED
        for alert in self._alerted.pop(session.id, ()):
            self._keep_timeline(session, alert)
        self._recorder.record(ended(session.id, cause, said, session.timeline), session.info.scope)
        log.info("call ended", session=session.id, cause=cause, state=state)

    def _keep_timeline(self, session: Session, alert: str) -> None:
        readings = [verdict_message(session, decision) for decision in session.timeline]
        task = asyncio.create_task(self._evidence.keep_timeline(session.id, alert, session.info.scope, readings))
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)

    def _remember(self, event: StoredMessage, scope: Scope) -> None:
        """Fold a stored event into the list of calls and into the account of the promise."""
        self.ledger(scope.org).take(event)
        if isinstance(event, SessionStartedMessage):
            self._scopes[event.session] = scope
            self._known.setdefault(event.session, _begun(event))
            while len(self._known) > REMEMBERED + self._max_sessions:
                gone, _ = self._known.popitem(last=False)
                self._scopes.pop(gone, None)
        elif isinstance(event, SessionEndedMessage):
            self._update(event.session, ended_at=event.at, state=event.state)
        elif isinstance(event, AlertMessage):
            self._update(event.session, alert=None if event.kind is AlertKind.CLEARED else event)

    def _update(self, session: str, **fields: object) -> None:
        if session in self._known:
            self._known[session] = self._known[session].model_copy(update=fields)


def _begun(event: SessionStartedMessage) -> SessionMessage:
    return SessionMessage(
        session=event.session,
        name=event.name,
        source=event.source,
        started_at=event.at,
        ended_at=None,
        state=State.UNDECIDED,
        verdict=None,
        alert=None,
    )
