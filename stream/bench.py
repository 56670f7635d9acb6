"""Measures what a signal costs on this machine: milliseconds of one core for each second of one call.

The detector and synthetic media enter, figures leave. Nothing is scheduled, no call is served: what a part costs by
itself, so that a change of it shows. `tests/bench` measures whole calls.
"""

import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
from rich.table import Table

from models.faces import Detection, FaceTracker, follow
from models.window import PICTURE_RATE_HZ, WINDOW_S, FaceWindow, Pixels, Signal
from stream.demo import load_portrait
from stream.session import FaceSearch
from stream.windower import FacePicture, FaceWindower

PARTS = {
    "find": "finding faces",
    "crop": "aligning and quality",
    "network": "network",
    "window": "window head",
}


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
    """By a key of `PARTS`: its `cpu_ms` and `wall_ms`."""


@dataclass(slots=True)
class _FaceCall:
    """One call that shows a face."""

    find: FaceSearch
    finding: Cost
    following: Cost
    tracker: FaceTracker = field(default_factory=FaceTracker)
    windower: FaceWindower = field(default_factory=FaceWindower)

    def look(self, rgb: Pixels, time_s: float) -> list[FaceWindow]:
        """Take a picture; return the windows that it closes."""
        with self.following.spent():
            crops = follow(rgb, time_s, self.tracker, self._found)
        return self.windower.push(FacePicture(time_s=time_s, crops=crops))

    def _found(self, rgb: Pixels, near: Sequence[Detection]) -> tuple[Detection, ...]:
        with self.finding.spent():
            return self.find.find_faces(rgb, near)


def face(detector: FaceSearch, calls: int, seconds: float) -> Result:
    """Measure the face signal of calls that each show one face, their windows scored together.

    Args:
        detector: Finds faces and scores windows.
        calls: How many go on at a time.
        seconds: Measured of each, after the first window [s].
    """
    portrait = load_portrait()
    pictures = [portrait.picture(i / PICTURE_RATE_HZ, False) for i in range(4 * PICTURE_RATE_HZ)]
    costs = {name: Cost() for name in ("find", "follow", "new", "again")}
    group = [_FaceCall(detector, costs["find"], costs["follow"]) for _ in range(calls)]
    n_before = int(WINDOW_S * PICTURE_RATE_HZ) + 1
    for index in range(n_before + round(seconds * PICTURE_RATE_HZ)):
        if index == n_before:
            for cost in costs.values():
                cost.cpu_s = cost.wall_s = 0.0
        windows: list[FaceWindow] = []
        for number, call in enumerate(group):
            windows += call.look(pictures[(index + number) % len(pictures)], index / PICTURE_RATE_HZ)
        _score(detector, windows, costs)
    network = costs["new"].minus(costs["again"])
    parts = (costs["find"], costs["follow"].minus(costs["find"]), network, costs["again"])
    return _result(calls, seconds, dict(zip(PARTS, parts, strict=True)))


def _score(detector: FaceSearch, windows: list[FaceWindow], costs: dict[str, Cost]) -> None:
    """Score windows twice: what the network said of a crop is kept, so the second time costs no network."""
    if not windows:
        return
    with costs["new"].spent():
        scores = detector.score(tuple(windows))
    if any(score.llr is None for score in scores):
        raise RuntimeError(f"the portrait's windows are not judged, but {[score.reason for score in scores]}")
    with costs["again"].spent():
        detector.score(tuple(windows))


def _result(calls: int, seconds: float, parts: dict[str, Cost]) -> Result:
    share = 1000 / (calls * seconds)
    return Result(
        calls=calls,
        cpu_ms=share * sum(cost.cpu_s for cost in parts.values()),
        wall_ms=share * sum(cost.wall_s for cost in parts.values()),
        parts={name: {"cpu_ms": share * c.cpu_s, "wall_ms": share * c.wall_s} for name, c in parts.items()},
    )


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


def table(signal: Signal, results: Sequence[Result], *, engine: str) -> Table:
    """Return the figures for people."""
    shown = Table(
        title=f"{signal.value}: ms of one core for each second of one call",
        caption=f"{cpu_name()}, {engine}, 1 thread; in brackets wall-clock time",
    )
    shown.add_column("part")
    for result in results:
        shown.add_column("1 call" if result.calls == 1 else f"{result.calls} calls", justify="right")
    for name, words in PARTS.items():
        shown.add_row(words, *(_cell(**result.parts[name]) for result in results))
    shown.add_section()
    shown.add_row("together", *(_cell(cpu_ms=r.cpu_ms, wall_ms=r.wall_ms) for r in results), style="bold")
    return shown


def _cell(*, cpu_ms: float, wall_ms: float) -> str:
    return f"{cpu_ms:.2f} ({wall_ms:.2f})"
