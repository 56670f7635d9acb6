"""A recorded clip through the same windower, detector and decision as a live call, as fast as the machine can."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from models.explanation import Explanation
from models.faces import FaceTracker, follow
from models.window import HOP_S, Signal, Window
from stream.camera import Camera
from stream.decision import CallDecision
from stream.errors import MediaError
from stream.events import AlertKind, AudioFrame, Decision, Gap, Media, Medium, State, Verdict, VideoFrame
from stream.explainer import Explainable, JudgedWindows
from stream.ingest.file import read_media
from stream.policy import Policy
from stream.session import FaceSearch
from stream.windower import FacePicture, Windower

BATCH = 16

Progress = Callable[[float], None]
"""Told the position in the clip [s]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ExplainedWindow:
    """The first alerted window of a face or of the voice, and where in it the evidence lies."""

    window: Explainable
    explanation: Explanation


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipReport:
    """What is said of a clip."""

    path: Path
    is_truncated: bool
    """The file ended before it said it would."""
    verdict: Verdict
    decisions: tuple[Decision, ...]
    explained: dict[Signal, ExplainedWindow]
    """By what carried an alert; empty where neither face nor voice ever did."""
    processing_s: float
    """Wall-clock time that the check took [s]."""


@dataclass(slots=True)
class ClipCheck:
    """One clip on its way through the parts.

    Args:
        detector: Finds faces, scores windows and explains them.
        policy: When to alert.
    """

    detector: FaceSearch
    policy: Policy
    decisions: list[Decision] = field(default_factory=list)
    explained: dict[Signal, ExplainedWindow] = field(default_factory=dict)
    """The first alerted window of a face and of the voice so far."""
    _windower: Windower = field(default_factory=Windower)
    _tracker: FaceTracker = field(default_factory=FaceTracker)
    _camera: Camera = field(default_factory=Camera)
    _decision: CallDecision = field(init=False)
    _judged: JudgedWindows = field(default_factory=JudgedWindows)
    _waiting: list[Window] = field(default_factory=list)
    _end_s: float = 0.0
    _first_alert_s: float | None = None

    def __post_init__(self) -> None:
        self._decision = CallDecision(self.policy, self.detector.longs)

    def push(self, media: Media) -> float:
        """Take a frame or a gap; return its place in the clip [s]."""
        if isinstance(media, AudioFrame):
            self._queue(self._windower.push_audio(media))
            place_s = media.start_s + len(media.samples) / 16_000
        elif isinstance(media, VideoFrame):
            if self._camera.changes(media.pixels):
                self._decision.restart(Signal.FACE)
            crops = follow(media.pixels, media.time_s, self._tracker, self.detector.find_faces)
            self._queue(self._windower.push_faces(FacePicture(time_s=media.time_s, crops=crops)))
            place_s = media.time_s
        else:
            self._queue(self._windower.push_gap(media))
            place_s = media.end_s
        self._end_s = max(self._end_s, place_s)
        return place_s

    def finish(self) -> Verdict:
        """Close the clip and return what is said of it: `spoof` if an alert was ever raised."""
        for medium in Medium:
            self._queue(self._windower.push_gap(Gap(medium=medium, start_s=0.0, end_s=self._end_s)))
        self._queue(self._windower.finish())
        self._score()
        last = self.decisions[-1] if self.decisions else self._decision.decision()
        state = State.SPOOF if self._first_alert_s is not None else last.state
        return Verdict(
            state=state,
            reason=last.reason if state is State.UNDECIDED else None,
            decision=last,
            spoof_s=HOP_S * len({d.time_s for d in self.decisions if d.state is State.SPOOF}),
            first_alert_s=self._first_alert_s,
        )

    def _queue(self, windows: Iterable[Window]) -> None:
        self._waiting += windows
        if len(self._waiting) >= BATCH:
            self._score()

    def _score(self) -> None:
        waiting, self._waiting = self._waiting, []
        by_end: dict[float, list[Window]] = {}
        for window in waiting:
            by_end.setdefault(window.end_s, []).append(window)
        self._judged.submit(waiting)
        scores = iter(self.detector.score(tuple(w for end_s in sorted(by_end) for w in by_end[end_s])))
        for end_s in sorted(by_end):
            at_once = [next(scores) for _ in by_end[end_s]]
            for score in at_once:
                self._judged.take(score)
            decision, change = self._decision.update(at_once)
            self.decisions.append(decision)
            if change is AlertKind.RAISED and self._first_alert_s is None:
                self._first_alert_s = decision.time_s
            for window in self._judged.behind(change, decision) if change is not None else ():
                self._explain(window)

    def _explain(self, window: Explainable) -> None:
        """Explain at once: what the network said of a face is forgotten with its crops."""
        explanation = self.detector.explain(window) if window.signal not in self.explained else None
        if explanation:
            self.explained[window.signal] = ExplainedWindow(window=window, explanation=explanation)


def check_clip(path: Path, detector: FaceSearch, policy: Policy, progress: Progress = lambda _: None) -> ClipReport:
    """Judge a recorded file.

    Raises:
        MediaError: The file cannot be read, holds neither sound nor pictures, or is a photo.
    """
    started = time.perf_counter()
    reader = read_media(path)
    if reader.info.is_still:
        reader.close()
        raise MediaError(f"{path.name} is a single picture; a recording of a few seconds is needed")
    check = ClipCheck(detector, policy)
    for media in reader:
        progress(check.push(media))
    verdict = check.finish()
    return ClipReport(
        path=path,
        is_truncated=reader.truncated,
        verdict=verdict,
        decisions=tuple(check.decisions),
        explained=check.explained,
        processing_s=time.perf_counter() - started,
    )
