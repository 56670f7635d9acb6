"""Windows of all calls -> batches: bounded, fair, with a deadline. The one place that schedules.

Each call may have a few windows waiting; then its own oldest goes, unscored, with the reason `overload`. A batch takes
calls in turn. One call is in at most one batch at a time, so its scores come back in order.
"""

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from models.window import Batch, Reason, Score, Window, unscored

log = structlog.get_logger()

Deliver = Callable[[Score], None]
LOG_EVERY_S = 60.0


class Scorer(Protocol):
    """What runs a batch; called in a worker thread."""

    def score(self, batch: Batch) -> Sequence[Score]:
        """Return one score for each window, in order."""


class WindowQueues:
    """The waiting windows of every call. Pure."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiting: OrderedDict[str, deque[Window]] = OrderedDict()
        self._running: set[str] = set()

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def add(self, call: str, window: Window) -> Window | None:
        """Queue a window; return the window of the same call that had to go for it."""
        queue = self._waiting.setdefault(call, deque())
        queue.append(window)
        return queue.popleft() if len(queue) > self._limit else None

    def take(self, n: int) -> list[tuple[str, Window]]:
        """Take up to `n` windows, the calls in turn; these calls rest until `done`."""
        ready = [call for call, queue in self._waiting.items() if queue and call not in self._running]
        taken: list[tuple[str, Window]] = []
        while ready and len(taken) < n:
            for call in tuple(ready):
                if len(taken) == n:
                    break
                taken.append((call, self._waiting[call].popleft()))
                if not self._waiting[call]:
                    ready.remove(call)
        for call in {call for call, _ in taken}:
            self._running.add(call)
            self._waiting.move_to_end(call)
        return taken

    def done(self, calls: set[str]) -> None:
        """Let calls of a finished batch be taken again."""
        self._running -= calls

    def forget(self, call: str) -> None:
        """Drop a call that has ended."""
        self._waiting.pop(call, None)


@dataclass(slots=True)
class BatcherStats:
    """Counters for /metrics."""

    batches: int = 0
    windows: int = 0
    overload: int = 0
    errors: int = 0
    last_size: int = 0
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=1000))
    """From taking a batch to its scores, the newest 1,000 [s]."""


class Batcher:
    """Feeds a scorer from the queues of all calls.

    Args:
        scorer: Runs the batches.
        run: Awaits a function call in a worker (the engine's pool).
        workers: Batches at a time.
        batch_size: Most windows in a batch.
        wait_s: How long a batch waits for company [s].
        limit: Windows of one call that may wait.
    """

    def __init__(
        self,
        scorer: Scorer,
        run: Callable[[Callable[[], Sequence[Score]]], "asyncio.Future[Sequence[Score]]"],
        *,
        workers: int,
        batch_size: int,
        wait_s: float,
        limit: int,
    ) -> None:
        self._scorer = scorer
        self._run = run
        self._workers = workers
        self._batch_size = batch_size
        self._wait_s = wait_s
        self._queues = WindowQueues(limit)
        self._deliver: dict[str, Deliver] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._logged_s = float("-inf")
        self._reported_s = time.monotonic()
        self.stats = BatcherStats()

    @property
    def waiting(self) -> int:
        """Windows that wait now."""
        return len(self._queues)

    def start(self) -> None:
        """Start the workers; needs a running event loop."""
        self._tasks = [asyncio.create_task(self._work(), name=f"batcher-{i}") for i in range(self._workers)]

    async def close(self) -> None:
        """Stop the workers."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def open(self, call: str, deliver: Deliver) -> None:
        """Have the scores of `call` given to `deliver`, on the event loop."""
        self._deliver[call] = deliver

    def forget(self, call: str) -> None:
        """Drop what waits of a call; scores still on their way are discarded."""
        self._deliver.pop(call, None)
        self._queues.forget(call)

    def submit(self, call: str, windows: Sequence[Window]) -> None:
        """Queue windows; those that find no room come back unscored at once."""
        for window in windows:
            dropped = self._queues.add(call, window)
            if dropped is not None:
                self.stats.overload += 1
                self._give(call, unscored(dropped, Reason.OVERLOAD))
        if windows:
            self._wake.set()

    async def _work(self) -> None:
        while True:
            await self._wake.wait()
            if len(self._queues) < self._batch_size:
                await asyncio.sleep(self._wait_s)
            taken = self._queues.take(self._batch_size)
            if not taken:
                self._wake.clear()
                continue
            await self._score(taken)

    async def _score(self, taken: list[tuple[str, Window]]) -> None:
        batch = tuple(window for _, window in taken)
        started = time.perf_counter()
        try:
            scores = await self._run(lambda: self._scorer.score(batch))
        except Exception:  # whatever a net or its runtime raises costs these windows and nothing else
            self._log_failure(len(batch))
            scores = [unscored(window, Reason.ERROR) for window in batch]
        finally:
            self._queues.done({call for call, _ in taken})
            self._wake.set()
        self.stats.batches += 1
        self.stats.windows += len(batch)
        self.stats.last_size = len(batch)
        self.stats.latencies_s.append(time.perf_counter() - started)
        self._report()
        for (call, _), score in zip(taken, scores, strict=True):
            self._give(call, score)

    def _give(self, call: str, score: Score) -> None:
        deliver = self._deliver.get(call)
        if deliver is not None:
            deliver(score)

    def _report(self) -> None:
        """Say once a minute how the batches run."""
        now = time.monotonic()
        if now - self._reported_s < LOG_EVERY_S:
            return
        self._reported_s = now
        ordered = sorted(self.stats.latencies_s)
        log.info(
            "batches",
            so_far=self.stats.batches,
            windows_a_batch=round(self.stats.windows / self.stats.batches, 2),
            latency_ms=round(1000 * ordered[len(ordered) // 2], 1),
            waiting=self.waiting,
        )

    def _log_failure(self, n: int) -> None:
        self.stats.errors += n
        now = time.monotonic()
        if now - self._logged_s >= LOG_EVERY_S:
            self._logged_s = now
            log.exception("inference failed; its windows stay unscored", windows=n, errors_so_far=self.stats.errors)
