"""Forwarded clips that are checked: one at a time, behind live calls, and forgotten after an hour.

An upload lies on disk only until it was checked, and never outlives the service.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from models.text_reader import TextReader
from stream.api.clip_messages import ClipAnswerMessage, ClipMessage, ClipState, MarkMessage
from stream.api.messages import CoverageMessage, SignalMessage
from stream.errors import MediaError, ServiceFullError
from stream.events import Verdict
from stream.forwarded.examine import Examination
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
INTERNAL = "the check failed; the service's log says why"


@dataclass(slots=True)
class Clip:
    """One clip."""

    id: str
    name: str
    scope: Scope
    examination: Examination
    state: ClipState = ClipState.WAITING
    progress: float = 0.0
    error: str = ""
    answer: ClipAnswerMessage | None = None
    ended_s: float | None = None

    @property
    def path(self) -> Path:
        """Where the upload lies."""
        return self.examination.path

    def message(self) -> ClipMessage:
        """Return it as it goes over the wire."""
        found = self.examination
        return ClipMessage(
            id=self.id,
            name=self.name,
            state=self.state,
            progress=self.progress,
            error=self.error,
            said=found.state if self.state is ClipState.DONE else None,
            answer=self.answer,
            credentials=found.credentials,
            marks=[MarkMessage.model_validate(mark) for mark in found.marks],
            invisible_mark=found.invisible_mark,
            traces=list(found.traces),
            is_still=found.is_still,
            duration_s=found.duration_s,
            is_truncated=found.is_truncated,
            is_cut=found.is_cut,
        )


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
            clip.examination.cancel()
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
        path = self._folder / f"{id}.upload"
        examination = Examination(path, self._detector, self._policy, self._text_reader, pause=self._yield)
        clip = self._clips[id] = Clip(id, name, scope, examination)
        with ExitStack() as undo:
            undo.callback(self._clips.pop, id, None)
            await receive(clip.path, parts, self._max_bytes)
            undo.pop_all()
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
        clip.examination.cancel()
        del self._clips[id]
        return True

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
            clip.ended_s = self._clock()
            await asyncio.to_thread(clip.path.unlink, missing_ok=True)

    def _check(self, clip: Clip) -> None:
        def tell(share: float) -> None:
            clip.progress = share

        clip.state = ClipState.RUNNING
        clip.examination.run(tell)
        if (report := clip.examination.report) is not None:
            clip.answer = _answer(report.verdict, self._policy.promise_hours, report.processing_s)

    def _text_reader(self) -> TextReader:
        self._reader = self._reader or TextReader()
        return self._reader

    def _yield(self) -> None:
        if self._is_busy():
            time.sleep(YIELD_S)

    def _forget_old(self) -> None:
        now_s = self._clock()
        for id, clip in tuple(self._clips.items()):
            if clip.ended_s is not None and now_s - clip.ended_s > KEPT_S:
                del self._clips[id]

    def _sweep(self) -> None:
        for path in self._folder.glob("*.upload"):
            path.unlink(missing_ok=True)


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
