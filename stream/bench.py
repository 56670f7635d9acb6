"""Measures what a signal costs on this machine: milliseconds of one core for each second of one call.

Times enter, figures leave; `stream.bench_face` and `stream.bench_voice` take the times. Nothing is scheduled, no call
is served: what a part costs by itself, so that a change of it shows. `tests/bench` measures whole calls.
"""

import platform
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
from rich.table import Table

from models.window import Score, Signal


@dataclass(slots=True)
class Cost:
    """Time spent [s]."""

    cpu_s: float = 0.0
    """Of all threads of the process."""
    wall_s: float = 0.0

    @contextmanager
    def spent(self) -> Iterator[None]:
        """Add what passes within."""
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        yield
        self.cpu_s += time.process_time() - cpu_s
        self.wall_s += time.perf_counter() - wall_s

    def minus(self, other: "Cost") -> "Cost":
        """Return what remains without a part of it."""
        return Cost(self.cpu_s - other.cpu_s, self.wall_s - other.wall_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a number of calls cost together, for each second of each call."""

    calls: int
    cpu_ms: float
    """Of one core, of every second of one call [ms]."""
    wall_ms: float
    parts: dict[str, dict[str, float]]
    """By its name: the `cpu_ms` and `wall_ms` of each part."""


def result(calls: int, seconds: float, parts: Mapping[str, Cost]) -> Result:
    """Share out what was spent.

    Args:
        calls: How many went on at a time.
        seconds: Measured of each [s].
        parts: Time spent, by the part's name.
    """
    share = 1000 / (calls * seconds)
    return Result(
        calls=calls,
        cpu_ms=share * sum(cost.cpu_s for cost in parts.values()),
        wall_ms=share * sum(cost.wall_s for cost in parts.values()),
        parts={name: {"cpu_ms": share * c.cpu_s, "wall_ms": share * c.wall_s} for name, c in parts.items()},
    )


def start_anew(costs: Iterable[Cost]) -> None:
    """Forget what was spent so far: the first windows also set things up."""
    for cost in costs:
        cost.cpu_s = cost.wall_s = 0.0


def require_judged(scores: Iterable[Score]) -> None:
    """Refuse to measure windows that cost less because they were not judged.

    Raises:
        RuntimeError: One was not.
    """
    reasons = [score.reason.value for score in scores if score.reason is not None]
    if reasons:
        raise RuntimeError(f"the demonstration's windows must all be judged, but were refused: {', '.join(reasons)}")


def use_one_core() -> None:
    """Have OpenCV work on the calling thread alone; the nets do so anyway."""
    cv2.setNumThreads(1)


def cpu_name() -> str:
    """Return the processor's name as the system knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def as_json(signal: Signal, results: Sequence[Result], *, engine: str, seconds: float) -> dict[str, object]:
    """Return the figures for `--json`."""
    return {
        "signal": signal,
        "cpu": cpu_name(),
        "engine": engine,
        "threads": 1,
        "seconds": seconds,
        "results": [asdict(result) for result in results],
    }


def table(signal: Signal, results: Sequence[Result], parts: Mapping[str, str], *, engine: str) -> Table:
    """Return the figures for people; `parts` says each part's name in words."""
    shown = Table(
        title=f"{signal.value}: ms of one core for each second of one call",
        caption=f"{cpu_name()}, {engine}, 1 thread; in brackets wall-clock time",
    )
    shown.add_column("part")
    for result in results:
        shown.add_column("1 call" if result.calls == 1 else f"{result.calls} calls", justify="right")
    for name, words in parts.items():
        shown.add_row(words, *(_cell(**result.parts[name]) for result in results))
    shown.add_section()
    shown.add_row("together", *(_cell(cpu_ms=r.cpu_ms, wall_ms=r.wall_ms) for r in results), style="bold")
    return shown


def _cell(*, cpu_ms: float, wall_ms: float) -> str:
    return f"{cpu_ms:.2f} ({wall_ms:.2f})"
