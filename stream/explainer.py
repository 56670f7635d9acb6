"""Why a face alert was raised: the newest judged window of each face, explained in a worker thread.

An alert never waits for its explanation. One that fails, is slow, or comes after its call has ended changes nothing
else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

import structlog

from models.window import Explanation, FaceWindow, Score, Signal, Window
from stream.decision import MEMORY_S
from stream.events import Alert, AlertKind, Decision, State

log = structlog.get_logger()

T = TypeVar("T")

MAX_UNJUDGED = 64
"""Windows of one call that may wait for their score: as many as the batcher lets wait at most."""
MAX_WAITING = 4
"""Explanations of one call that may wait. Alerts are seconds apart, so more mean that the detector hangs."""


class Run(Protocol):
    """Awaits a function call in a worker thread."""

    def __call__(self, work: Callable[[], T], /) -> "asyncio.Future[T]":
        """Return the future result of `work`."""


class WindowExplainer(Protocol):
    """Tells where on a face the evidence of a window lies, in worker threads."""

    def explain(self, window: FaceWindow) -> Explanation | None:
        """Return the explanation, None if the window has too few crops."""


class JudgedFaces:
    """The newest judged window of each face of one call. Pure; a face that left is forgotten after `MEMORY_S`."""

    def __init__(self) -> None:
        self._unjudged: OrderedDict[tuple[int, float], FaceWindow] = OrderedDict()
        self._newest: dict[int, FaceWindow] = {}

    def __len__(self) -> int:
        return len(self._unjudged) + len(self._newest)

    def submit(self, windows: Iterable[Window]) -> None:
        """Take windows on their way to the detector."""
        for window in windows:
            if isinstance(window, FaceWindow) and window.crops:
                self._unjudged[window.track, window.end_s] = window
        while len(self._unjudged) > MAX_UNJUDGED:
            self._unjudged.popitem(last=False)

    def take(self, score: Score) -> None:
        """Take what the detector said of a window."""
        window = self._unjudged.pop((score.track, score.end_s), None) if score.signal is Signal.FACE else None
        if window is not None and score.llr is not None:
            self._newest[score.track] = window
        self._newest = {n: seen for n, seen in self._newest.items() if score.end_s - seen.end_s <= MEMORY_S}

    def behind(self, kind: AlertKind, decision: Decision) -> FaceWindow | None:
        """Return the window that shows why an alert was raised or updated; None if no face carries it."""
        carriers = [r for r in decision.readings if r.signal is Signal.FACE and r.state is State.SPOOF]
        if kind is AlertKind.CLEARED or not carriers:
            return None
        return self._newest.get(max(carriers, key=lambda reading: reading.evidence_nat).track)


class Explainer:
    """Has the face alerts of one call explained, one after the other.

    Args:
        call: The session's id, for the log.
        detector: Explains windows.
        run: Awaits a function call in a worker thread.
        tell: Awaited with each alert, its window and the explanation.
    """

    def __init__(
        self,
        call: str,
        detector: WindowExplainer,
        run: Run,
        tell: Callable[[Alert, FaceWindow, Explanation], Awaitable[None]],
    ) -> None:
        self._call = call
        self._detector = detector
        self._run = run
        self._tell = tell
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, alert: Alert, window: FaceWindow) -> None:
        """Begin to explain an alert by the window behind it; returns at once."""
        if len(self._tasks) >= MAX_WAITING:
            log.warning("alert stays unexplained: others wait", session=self._call, alert=alert.id)
            return
        task = asyncio.create_task(self._explain(alert, window), name=f"{self._call}-explain")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait for what was begun."""
        await asyncio.gather(*self._tasks)

    async def _explain(self, alert: Alert, window: FaceWindow) -> None:
        async with self._one:
            try:
                explanation = await self._run(lambda: self._detector.explain(window))
                if explanation is not None:
                    await self._tell(alert, window, explanation)
            except Exception:  # whatever a net or its runtime raises costs this explanation and nothing else
                log.exception("an alert stays unexplained", session=self._call, alert=alert.id)
