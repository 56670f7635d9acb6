"""One call: media in, windows through the detector, decisions out.

    push -> windower -> batcher -> detector -> decision -> alert -> explanation

Everything runs on the event loop but the search for faces, which a worker thread does one picture at a time: while it
is busy the newest picture replaces the one that waits. An alert is told at once; its explanation follows.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Protocol

import structlog

from models.calibration import Calibration
from models.challenge_score import ChallengeScores, Judgement, load_scores
from models.explanation import Explanation
from models.faces import Detection, FaceTracker, follow
from models.pipeline import shipped_pipeline
from models.traits import Traits
from models.window import Batch, FaceCrop, Pixels, Reason, Score, Signal, Window
from stream.batcher import Batcher
from stream.camera import Camera
from stream.checks.challenges import Asked, Result
from stream.decision import CallDecision
from stream.events import Alert, AlertKind, AudioFrame, Decision, Dropped, Gap, Media, Medium, VideoFrame
from stream.explainer import Explainable, Explainer, JudgedWindows, Run, WindowExplainer
from stream.other_side import OtherSide
from stream.policy import Policy
from stream.scope import EVERYWHERE, Scope
from stream.windower import FacePicture, Windower

log = structlog.get_logger()

TICK_S = 0.5
TIMELINE_READINGS = 3600
"""Half an hour at two readings a second."""


@lru_cache(1)
def challenge_scores() -> ChallengeScores:
    """Return what outcomes of challenges are worth, as shipped."""
    return load_scores()


class FaceSearch(WindowExplainer, Protocol):
    """Finds faces, scores windows and explains them, in worker threads."""

    @property
    def longs(self) -> dict[Signal, dict[int, Calibration]]:
        """What the mean llr over so many seconds of speech tells, by signal."""

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        """Return the faces of a picture, sought near known ones or, given none, everywhere."""

    def score(self, batch: Batch) -> Sequence[Score]:
        """Return one score for each window."""


class Listener(Protocol):
    """Hears what a session has to say."""

    def on_decision(self, session: "Session", decision: Decision) -> None:
        """Take the newest reading."""

    def on_alert(self, session: "Session", alert: Alert) -> None:
        """Take a change of the alert."""

    async def on_explanation(
        self, session: "Session", alert: Alert, window: Explainable, explanation: Explanation
    ) -> None:
        """Keep the explanation of an alert; may come after the call has ended."""

    def on_challenge(self, session: "Session", result: Result) -> None:
        """Take what came of a challenge."""

    def on_closed(self, session: "Session", cause: str) -> None:
        """Take word that the call has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """Who calls."""

    id: str
    name: str
    source: str
    started_at: datetime
    scope: Scope = EVERYWHERE
    """Whose call it is."""
    is_invited: bool = False
    """Whether the other side came by our own link, whose page can show them something."""


def new_session_info(name: str, source: str, scope: Scope = EVERYWHERE, *, is_invited: bool = False) -> SessionInfo:
    """Name a call that begins now."""
    id, started_at = secrets.token_urlsafe(9), datetime.now(UTC)
    return SessionInfo(id=id, name=name, source=source, started_at=started_at, scope=scope, is_invited=is_invited)


class Session:
    """One call. An ingest adapter's `CallSink`.

    Args:
        info: Who calls.
        detector: Finds faces.
        batcher: Has windows scored.
        policy: When to alert.
        listener: Hears decisions, alerts and the end.
        run: Awaits a function call in a worker thread.
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        info: SessionInfo,
        *,
        detector: FaceSearch,
        batcher: Batcher,
        policy: Policy,
        listener: Listener,
        run: Run,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.info = info
        self.dropped = Dropped()
        self.timeline: deque[Decision] = deque(maxlen=TIMELINE_READINGS)
        self._detector = detector
        self._batcher = batcher
        self._listener = listener
        self._run = run
        self._clock = clock
        self._windower = Windower()
        self._tracker = FaceTracker()
        self._camera = Camera()
        self._decision = CallDecision(policy, detector.longs)
        self._judged = JudgedWindows()
        self._explainer = Explainer(info.id, detector, run, self._tell_explanation)
        self.other = OtherSide(
            info.id,
            challenge_scores(),
            run,
            tell=self._take_challenge,
            on_other_face=lambda: self._decision.restart(Signal.FACE),
            on_done=self._on_task_done,
        )
        self._alert: Alert | None = None
        self._picture: VideoFrame | None = None
        self._has_picture = asyncio.Event()
        self._zero_s: float | None = None
        self._is_closed = False
        self._callbacks: list[Callable[[], None]] = []
        batcher.open(info.id, self._take)
        self._tasks = [
            asyncio.create_task(work(), name=f"{info.id}-{work.__name__}") for work in (self._look, self._tick)
        ]
        for task in self._tasks:
            task.add_done_callback(self._on_task_done)

    @property
    def id(self) -> str:
        """The session's public name."""
        return self.info.id

    def push(self, media: Media) -> None:
        """Take a frame or a gap."""
        if self._is_closed:
            return
        if self._zero_s is None:
            self._zero_s = self._clock() - _time_s(media)
        if isinstance(media, AudioFrame):
            self._submit(self._windower.push_audio(media))
        elif isinstance(media, Gap):
            self._submit(self._windower.push_gap(media))
        else:
            if self._picture is not None:
                self.note_dropped(Medium.VIDEO, 1)
            self._picture = media
            self._has_picture.set()

    def note_dropped(self, medium: Medium, amount: float) -> None:
        """Count pictures, or seconds of sound, that were let go."""
        if medium is Medium.VIDEO:
            self.dropped = replace(self.dropped, pictures=self.dropped.pictures + int(amount))
        else:
            self.dropped = replace(self.dropped, audio_s=self.dropped.audio_s + amount)

    def note_pipeline(self, traits: Traits) -> None:
        """Take what is known by now of how the call's media are made."""
        if not self._is_closed and self._zero_s is not None:
            reading = shipped_pipeline().judge(traits)
            self._say(*self._decision.piped(reading, self._clock() - self._zero_s))

    def on_close(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once when the call ends."""
        self._callbacks.append(callback)

    def close(self, cause: str) -> None:
        """End the call; later calls do nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        self._batcher.forget(self.id)
        self.other.close()
        for task in self._tasks:
            task.cancel()
        self._listener.on_closed(self, cause)
        for callback in self._callbacks:
            callback()

    async def settle(self) -> None:
        """Wait for explanations that are being made, also after the end of the call."""
        await self._explainer.finish()

    async def _look(self) -> None:
        while True:
            await self._has_picture.wait()
            self._has_picture.clear()
            frame, self._picture = self._picture, None
            if frame is not None:
                if self._camera.changes(frame.pixels):
                    self._decision.restart(Signal.FACE)
                crops = await self._run(partial(self._crop, frame))
                crops = self.other.see(crops, frame.time_s)
                self._submit(self._windower.push_faces(FacePicture(time_s=frame.time_s, crops=crops)))

    def _crop(self, frame: VideoFrame) -> tuple[FaceCrop, ...]:
        crops = follow(frame.pixels, frame.time_s, self._tracker, self._detector.find_faces)
        self.other.challenges.look(frame.pixels, crops)
        return crops

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self._zero_s is not None:
                self._submit(self._windower.advance(self._clock() - self._zero_s))

    def _submit(self, windows: Sequence[Window]) -> None:
        self.other.hear(windows)
        self._judged.submit(windows)
        self._batcher.submit(self.id, windows)

    def _take(self, score: Score) -> None:
        if score.reason is Reason.OVERLOAD:
            self.dropped = replace(self.dropped, windows=self.dropped.windows + 1)
        self._judged.take(score)
        self._say(*self._decision.update((score,)))

    def _take_challenge(self, asked: Asked, judgement: Judgement) -> None:
        before = self._decision.decision()
        first_s, last_s = judgement.span_s or (asked.asked_s, asked.asked_s + asked.challenge.seconds)
        decision, change = self._decision.challenged(judgement.llr, last_s - first_s)
        nats = before.evidence_nat, decision.evidence_nat
        self._listener.on_challenge(
            self, Result(asked=asked, judgement=judgement, before_nat=nats[0], after_nat=nats[1])
        )
        self._say(decision, change)

    def _say(self, decision: Decision, change: AlertKind | None) -> None:
        decision = replace(decision, likeness=self.other.likeness)
        if self.timeline and self.timeline[-1].time_s == decision.time_s:
            self.timeline.pop()
        self.timeline.append(decision)
        self._listener.on_decision(self, decision)
        if change is not None:
            self._change_alert(change, decision)

    def _change_alert(self, kind: AlertKind, decision: Decision) -> None:
        alert = Alert(
            id=self._alert.id if self._alert else secrets.token_urlsafe(9),
            kind=kind,
            session=self.id,
            since_s=self._alert.since_s if self._alert else decision.time_s,
            time_s=decision.time_s,
            decision=decision,
        )
        self._alert = None if kind is AlertKind.CLEARED else alert
        self._listener.on_alert(self, alert)
        for window in self._judged.behind(kind, decision):
            self._explainer.begin(alert, window)

    async def _tell_explanation(self, alert: Alert, window: Explainable, explanation: Explanation) -> None:
        await self._listener.on_explanation(self, alert, window, explanation)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        """End this call alone when its own work fails, with the traceback in the log."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("call failed", session=self.id, exc_info=error)
            self.close("internal error")


def _time_s(media: Media) -> float:
    return media.time_s if isinstance(media, VideoFrame) else media.start_s
