"""Draws what `stream.bench_decision` measured: the detection error trade-off and the times to an alert."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.composed_calls import Kind
from models.promise import TELEPHONE
from models.window import Signal
from stream.bench_decision import Result, curves

LATEST_S = 120


def draw(results: Sequence[Result], promise_hours: float, path: Path) -> None:
    """Write a PNG.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5), layout="constrained")
    _trade_off(left, results, promise_hours)
    _times(right, results, promise_hours)
    for axes in (left, right):
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _trade_off(axes: Any, results: Sequence[Result], promise_hours: float) -> None:
    for channel, points in curves(results).items():
        rates, missed = np.array(list(points)).T
        axes.step(np.maximum(rates, 1e-3), missed, where="post", label=channel)
    axes.axvline(1 / promise_hours, color="0.6", linestyle="--", label=f"one in {promise_hours:g} call-hours")
    axes.set(xscale="log", ylim=(0, 1), xlabel="false alerts per call-hour", ylabel="forged calls missed for 30 s")
    axes.set_title("Detection error trade-off, sources left out")


def _times(axes: Any, results: Sequence[Result], promise_hours: float) -> None:
    by_type: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for found in results:
        if found.kind is not Kind.BONA_FIDE:
            signals = found.attack_type.split(":")[0]
            by_type[f"{signals}, {found.kind.replace('_', ' ')}", found.channel].append(found)
    for (name, channel), own in sorted(by_type.items()):
        if channel == TELEPHONE and not name.startswith(Signal.VOICE):
            continue  # a face does not come over a telephone line: the same curve again
        times = np.sort([s for found in own if (s := found.seconds_to_alert) is not None])
        shares = np.arange(1, len(times) + 1) / len(own)
        style = "--" if channel == TELEPHONE else "-"
        axes.step(times, shares, where="post", label=f"{name} ({channel})", linestyle=style)
    axes.set(xlim=(0, LATEST_S), ylim=(0, 1), xlabel="seconds since the forgery began", ylabel="forged calls alerted")
    axes.set_title(f"Time to alert at one false alert in {promise_hours:g} call-hours")
