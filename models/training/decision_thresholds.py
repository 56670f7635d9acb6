"""Thresholds from composed genuine calls: which evidence is passed once in so many call-hours, and how sure that is.

A call counts by the most evidence that it ever gathered. Calls are composed of few sources, so hours say little about
certainty: intervals come from drawing sources anew, and what was not passed by several of them is not called measured.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.promise import PROMISES, Thresholds

Floats = npt.NDArray[np.float64]

MEASURED_SOURCES = 5
"""A rate was measured if so many sources had a part in it."""
TAIL_SHARE = 0.1
"""Of calls, the most suspicious: the tail is drawn through what they exceed the others by."""
DRAWS = 400
N_LEVELS = 2000
MOST_LOG_RATE = 10.0
"""Of false alerts in an hour: calls last a minute at least, so a curve that is steeper still says no more."""
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Peak:
    """What one genuine call came to."""

    sources: tuple[str, ...]
    nat: float
    """Most evidence at any time [nat]."""
    hours: float


def thresholds_of(peaks: Sequence[Peak], rng: np.random.Generator) -> Thresholds:
    """Return the threshold for each promise on sources to come, with an upper bound.

    Raises:
        ValueError: There are no calls.
    """
    if not peaks:
        raise ValueError("thresholds need genuine calls")
    order = np.argsort([-peak.nat for peak in peaks], kind="stable")
    nats = np.array([peaks[i].nat for i in order])
    hours = np.array([peaks[i].hours for i in order])
    names = sorted({name for peak in peaks for name in peak.sources})
    parts = np.array([[name in peaks[i].sources for name in names] for i in order])  # (C, sources)
    draws = np.array(
        [
            _curve(nats, hours, np.prod(np.where(parts, drawn, 1), axis=1))
            for drawn in rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS)
        ]
    )  # (draws, len(PROMISES))
    found = np.maximum(_predicted(draws), _curve(nats, hours, np.ones(len(nats))))
    upper = np.maximum(np.quantile(draws, CONFIDENCE, axis=0), found)
    return Thresholds(
        nats=_rounded(found),
        upper_nats=_rounded(upper),
        measured_hours=_measured_hours(hours, parts),
        proven_hours=proven_hours(len(names), float(hours.mean())),
        sources=len(names),
        hours=round(float(hours.sum()), 1),
    )


def proven_hours(n_sources: int, call_h: float) -> float:
    """Return the strongest promise that so many sources prove if none ever alerts [h].

    All calls of a source may be alike. So they are worth one call each: of n without an alert, at most
    1 - 0.05^(1/n) of all alert, with 95 % confidence (Clopper and Pearson 1934).

    Args:
        call_h: Mean length of a call [h].
    """
    p_upper: float = 1 - (1 - CONFIDENCE) ** (1 / n_sources)
    return round(call_h / p_upper, 1)


def _predicted(draws: Floats) -> Floats:
    """Return the thresholds that keep each promise on the average over draws of the sources, (len(PROMISES),).

    The sources to come are not those that were measured: the rate that is to be expected of them is the mean of what
    the draws say, and a few draws with odd sources weigh in it as much as they would on one's own calls.

    Args:
        draws: Threshold for each promise, by draw, never falling, (draws, len(PROMISES)).
    """
    levels = np.linspace(draws.min(), draws.max() + 3 * np.ptp(draws, axis=1).max() + 1e-3, N_LEVELS)
    rates = np.zeros(N_LEVELS)
    logs = np.log(PROMISES)
    for curve in draws:
        rising = curve + 1e-6 * np.arange(len(curve))  # interpolation wants no two alike
        slope = (logs[-1] - logs[0]) / (rising[-1] - rising[0])
        known = np.interp(levels, rising, logs)
        known += (np.maximum(levels - rising[-1], 0) - np.maximum(rising[0] - levels, 0)) * slope
        rates += np.exp(np.minimum(-known, MOST_LOG_RATE))
    rates /= len(draws)
    return np.array([levels[min(int(np.searchsorted(-rates, -1 / hours)), N_LEVELS - 1)] for hours in PROMISES])


def _curve(nats: Floats, hours: Floats, weights: Floats) -> Floats:
    """Return the threshold for each promise, (len(PROMISES),): as counted, and where nothing was, on the tail.

    Args:
        nats: Peaks of the calls, falling, (C,).
        hours: Length of each, (C,).
        weights: How often each was drawn, (C,).
    """
    total = float(weights @ hours)
    if total == 0:
        return np.full(len(PROMISES), nats[0])  # a draw of sources that share no call
    rates = np.cumsum(weights) / total
    n_tail = max(int(np.searchsorted(np.cumsum(weights), TAIL_SHARE * weights.sum())) + 1, 2)
    foot = float(nats[min(n_tail, len(nats)) - 1])
    tail_weights = weights[:n_tail]
    slope = max(float(np.average(nats[:n_tail], weights=tail_weights)) - foot, 1e-3) if tail_weights.sum() else 1e-3
    found = []
    for promise in PROMISES:
        n_above = int(np.searchsorted(rates, 1 / promise, side="right"))
        # Beyond all that was composed the highest call goes on along the tail.
        beyond = slope * float(np.log(promise * rates[rates > 0][0])) if n_above == 0 else 0.0
        counted = float(nats[min(n_above, len(nats) - 1)]) + max(beyond, 0.0)
        foot_rate = float(rates[min(n_tail, len(rates)) - 1])
        drawn = foot + slope * np.log(max(foot_rate * promise, 1.0))
        # The tail smooths what few calls decide; where even these calls would break the promise, they decide.
        found.append(max(counted, drawn) if counted >= foot else counted)
    return np.maximum.accumulate(found)


def _measured_hours(hours: Floats, parts: npt.NDArray[np.bool_]) -> float:
    """Return the call-hours for each of the most suspicious calls that several sources have a part in."""
    seen = np.maximum.accumulate(parts, axis=0).sum(axis=1)
    enough = int(np.searchsorted(seen, min(MEASURED_SOURCES, parts.shape[1])))
    return round(float(hours.sum()) / (enough + 1), 1)


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 3) for value in values)
