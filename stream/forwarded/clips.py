"""Forwarded clips that are checked: one at a time, behind live calls, and forgotten after an hour.

An upload lies on disk only until it was checked, and never outlives the service.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog

from models.text_reader import Line, TextReader
from models.visible_marks import find_marks
from models.window import Pixels
from stream.api.clip_messages import ClipAnswerMessage, ClipMessage, ClipState, CredentialsMessage, MarkMessage
from stream.api.messages import CoverageMessage, SignalMessage
from stream.clip import ClipCheck
from stream.errors import MediaError, ServiceFullError
from stream.events import Verdict, VideoFrame
from stream.forwarded.decode import MAX_SECONDS, Decoding
from stream.forwarded.frames import End, Facts
from stream.forwarded.upload import receive
from stream.policy import Policy
from stream.scope import Scope
from stream.session import FaceSearch

log = structlog.get_logger()

MAX_WAITING = 4
KEPT_S = 3600.0
"""How long an answer can be asked for [s]."""
YIELD_S = 0.03
"""After each picture, while calls run [s]."""
READ_SHARE = 0.8
"""Of the progress that the detector's part is; then text is looked for."""
N_LOOKS = 12
"""Pictures of a clip in which marks are looked for."""
LOOK_EVERY_S = 5.0
"""Where a file does not say how long it is."""
INTERNAL = "the check failed; the service's log says why"


class Looks:
    """Some pictures of a clip, evenly spread."""

    def __init__(self) -> None:
        self.pictures: list[Pixels] = []

    def take(self, frame: VideoFrame, duration_s: float | None) -> None:
        """Keep a picture if its time has come."""
        n = len(self.pictures)
        whole_s = min(duration_s or N_LOOKS * LOOK_EVERY_S, MAX_SECONDS)
        if n < N_LOOKS and frame.time_s >= (n + 0.5) * whole_s / N_LOOKS:
            self.pictures.append(frame.pixels)


@dataclass(slots=True)
class Clip:
    """One clip."""

    id: str
    name: str
    scope: Scope
    path: Path
    state: ClipState = ClipState.WAITING
    progress: float = 0.0
    error: str = ""
    answer: ClipAnswerMessage | None = None
    credentials: CredentialsMessage | None = None
    marks: list[MarkMessage] = field(default_factory=list)
    duration_s: float | None = None
    is_truncated: bool = False
    is_cut: bool = False
    ended_s: float | None = None
    decoding: Decoding | None = None
    is_cancelled: bool = False

    def message(self) -> ClipMessage:
        """Return it as it goes over the wire."""
        return ClipMessage.model_validate(self, from_attributes=True)


class Clips:
    """The clips of a service.

    Args:
        folder: Of uploads that wait.
        detector: Finds faces, scores and explains windows.
        policy: When to alert.
        max_bytes: Of an upload.
        is_busy: Whether calls run: then the check takes its time.
        clock: Monotonic time [s].
    """

    def __init__(
        self,
        folder: Path,
        detector: FaceSearch,
        policy: Policy,
        *,
        max_bytes: int,
        is_busy: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._detector = detector
        self._policy = policy
        self._max_bytes = max_bytes
        self._is_busy = is_busy
        self._clock = clock
        self._clips: dict[str, Clip] = {}
        self._reader: TextReader | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="clip")
        self._checks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Delete what a kill left behind."""
        await asyncio.to_thread(self._sweep)

    async def close(self) -> None:
        """Stop all checks and delete their uploads."""
        for clip in self._clips.values():
            self._stop(clip)
        await asyncio.gather(*self._checks)
        self._pool.shutdown(wait=True, cancel_futures=True)
        await asyncio.to_thread(self._sweep)

    async def add(self, name: str, parts: AsyncIterator[bytes], scope: Scope) -> ClipMessage:
        """Take an upload and begin to check it.

        Args:
            name: Of the file, as its sender calls it.
            parts: Its bytes.
            scope: Whose it is.

        Raises:
            ServiceFullError: As many wait as may.
            TooLargeError: It has too many bytes.
            OSError: It cannot be written.
        """
        self._forget_old()
        waiting = sum(clip.ended_s is None for clip in self._clips.values())
        if waiting >= MAX_WAITING:
            raise ServiceFullError(f"{waiting} of {MAX_WAITING} clips are being checked; try again later", 20)
        id = secrets.token_urlsafe(12)
        clip = self._clips[id] = Clip(id, name, scope, self._folder / f"{id}.upload")
        try:
            await receive(clip.path, parts, self._max_bytes)
        except BaseException:
            del self._clips[id]
            raise
        task = asyncio.create_task(self._run(clip), name=f"clip-{id}")
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)
        return clip.message()

    def get(self, id: str, scope: Scope) -> ClipMessage | None:
        """Return how a clip stands; None if there is none of theirs."""
        clip = self._clips.get(id)
        return clip.message() if clip is not None and clip.scope == scope else None

    def cancel(self, id: str, scope: Scope) -> bool:
        """Stop the check of a clip and forget it; False if there is none of theirs."""
        clip = self._clips.get(id)
        if clip is None or clip.scope != scope:
            return False
        self._stop(clip)
        del self._clips[id]
        return True

    def _stop(self, clip: Clip) -> None:
        clip.is_cancelled = True
        if clip.decoding is not None:
            clip.decoding.cancel()

    async def _run(self, clip: Clip) -> None:
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, self._check, clip)
            clip.state, clip.progress = ClipState.DONE, 1.0
        except MediaError as exc:
            clip.state, clip.error = ClipState.FAILED, str(exc).replace(clip.path.name, clip.name or "the file")
        except Exception:  # a clip is a session of its own: whatever it does ends no other
            log.exception("a clip could not be checked", clip=clip.id)
            clip.state, clip.error = ClipState.FAILED, INTERNAL
        finally:
            clip.ended_s, clip.decoding = self._clock(), None
            await asyncio.to_thread(clip.path.unlink, missing_ok=True)

    def _check(self, clip: Clip) -> None:
        if clip.is_cancelled:
            raise MediaError("the check was stopped")
        began_s = self._clock()
        clip.state = ClipState.RUNNING
        check, is_whole = ClipCheck(self._detector, self._policy), False
        looks = Looks()
        with Decoding(clip.path) as clip.decoding:
            for said in clip.decoding.said():
                if isinstance(said, Facts):
                    _learn(clip, said.fields)
                elif isinstance(said, End):
                    clip.is_truncated, clip.is_cut, is_whole = said.is_truncated, said.is_cut, True
                else:
                    clip.progress = READ_SHARE * _share(check.push(said), clip.duration_s)
                    if isinstance(said, VideoFrame):
                        looks.take(said, clip.duration_s)
                    if isinstance(said, VideoFrame) and self._is_busy():
                        time.sleep(YIELD_S)
        if not is_whole:
            raise MediaError(f"{clip.path.name}: its decoder ended before the file did")
        marks = find_marks(
            [self._lines(picture, clip, i / len(looks.pictures)) for i, picture in enumerate(looks.pictures)]
        )
        clip.marks = [MarkMessage.model_validate(mark) for mark in marks]
        clip.answer = _answer(check.finish(), self._policy.promise_hours, self._clock() - began_s)

    def _lines(self, picture: Pixels, clip: Clip, share: float) -> Sequence[Line]:
        if clip.is_cancelled:
            raise MediaError("the check was stopped")
        clip.progress = READ_SHARE + (1 - READ_SHARE) * share
        self._reader = self._reader or TextReader()
        return self._reader.read(picture)

    def _forget_old(self) -> None:
        now_s = self._clock()
        for id, clip in tuple(self._clips.items()):
            if clip.ended_s is not None and now_s - clip.ended_s > KEPT_S:
                del self._clips[id]

    def _sweep(self) -> None:
        for path in self._folder.glob("*.upload"):
            path.unlink(missing_ok=True)


def _learn(clip: Clip, fields: dict[str, Any]) -> None:
    if "credentials" in fields:
        clip.credentials = CredentialsMessage.model_validate(fields["credentials"], strict=False)
    if "duration_s" in fields:
        duration_s = fields["duration_s"]
        clip.duration_s = float(duration_s) if isinstance(duration_s, int | float) else None


def _share(place_s: float, duration_s: float | None) -> float:
    whole_s = min(duration_s or MAX_SECONDS, MAX_SECONDS)
    return min(max(place_s / whole_s, 0.0), 0.99) if whole_s > 0 else 0.0


def _answer(verdict: Verdict, promise_hours: float, processing_s: float) -> ClipAnswerMessage:
    decision = verdict.decision
    return ClipAnswerMessage(
        state=verdict.state,
        reason=verdict.reason,
        first_alert_s=verdict.first_alert_s,
        spoof_s=verdict.spoof_s,
        evidence_nat=decision.evidence_nat,
        threshold_nat=decision.threshold_nat,
        promise_hours=promise_hours,
        coverage=CoverageMessage.model_validate(decision.coverage),
        signals=[SignalMessage.model_validate(reading) for reading in decision.readings],
        processing_s=processing_s,
    )
