"""Why an alert was raised: the newest judged window of each face and of the voice, explained in a worker thread.

An alert never waits for its explanation. One that fails, is slow, or comes after its call has ended changes nothing
else.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol, TypeVar

import structlog

from models.explanation import Explanation
from models.window import FaceWindow, Score, Signal, VoiceWindow, Window
from stream.call_state import MEMORY_S
from stream.events import Alert, AlertKind, Decision, State

log = structlog.get_logger()

T = TypeVar("T")

Explainable = FaceWindow | VoiceWindow
"""What can be explained; that lips and sound do not fit has no place of its own."""

MAX_UNJUDGED = 64
"""Windows of one call that may wait for their score: as many as the batcher lets wait at most."""
MAX_WAITING = 4
"""Explanations of one call that may wait. Alerts are seconds apart, so more mean that the detector hangs."""


class Run(Protocol):
    """Awaits a function call in a worker thread."""

    def __call__(self, work: Callable[[], T], /) -> "asyncio.Future[T]":
        """Return the future result of `work`."""


class WindowExplainer(Protocol):
    """Tells where on a face, or when and at which pitch of a voice, the evidence lies, in worker threads."""

    def explain(self, window: Explainable) -> Explanation | None:
        """Return the explanation of the window's own kind, None if the window cannot be judged."""


class JudgedWindows:
    """The newest judged window of each face and of the voice of one call. Pure.

    What left the call is forgotten after `MEMORY_S`.
    """

    def __init__(self) -> None:
        self._unjudged: OrderedDict[tuple[Signal, int, float], Explainable] = OrderedDict()
        self._newest: dict[tuple[Signal, int], Explainable] = {}

    def __len__(self) -> int:
        return len(self._unjudged) + len(self._newest)

    def submit(self, windows: Iterable[Window]) -> None:
        """Take windows on their way to the detector."""
        for window in windows:
            if isinstance(window, VoiceWindow) or (isinstance(window, FaceWindow) and window.crops):
                self._unjudged[window.signal, window.track, window.end_s] = window
        while len(self._unjudged) > MAX_UNJUDGED:
            self._unjudged.popitem(last=False)

    def take(self, score: Score) -> None:
        """Take what the detector said of a window."""
        window = self._unjudged.pop((score.signal, score.track, score.end_s), None)
        if window is not None and score.llr is not None:
            self._newest[score.signal, score.track] = window
        self._newest = {key: seen for key, seen in self._newest.items() if score.end_s - seen.end_s <= MEMORY_S}

    def behind(self, kind: AlertKind, decision: Decision) -> tuple[Explainable, ...]:
        """Return the windows that show why an alert was raised or updated: of each signal its strongest carrier's."""
        if kind is AlertKind.CLEARED:
            return ()
        carriers = sorted((r for r in decision.readings if r.state is State.SPOOF), key=lambda r: r.evidence_nat)
        strongest = {reading.signal: (reading.signal, reading.track) for reading in carriers}
        return tuple(self._newest[key] for key in strongest.values() if key in self._newest)


class Explainer:
    """Has the alerts of one call explained, one after the other.

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
        tell: Callable[[Alert, Explainable, Explanation], Awaitable[None]],
    ) -> None:
        self._call = call
        self._detector = detector
        self._run = run
        self._tell = tell
        self._one = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, alert: Alert, window: Explainable) -> None:
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

    async def _explain(self, alert: Alert, window: Explainable) -> None:
        async with self._one:
            try:
                explanation = await self._run(lambda: self._detector.explain(window))
                if explanation is not None:
                    await self._tell(alert, window, explanation)
            except Exception:  # whatever a net or its runtime raises costs this explanation and nothing else
                log.exception("an alert stays unexplained", session=self._call, alert=alert.id)
