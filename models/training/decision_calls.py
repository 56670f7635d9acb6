"""Plays composed calls through a rule: what it gathered at which time, false alerts and times to an alert."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.call_evidence import CallEvidence
from models.composed_calls import ComposedCall, Composer, Kind
from models.promise import DecisionModel
from models.training.decision_thresholds import Peak
from models.window import Score

CLEAR_SHARE = 0.25
"""An alert ends where the evidence has come down to so much of the threshold, as in the service."""


class Rule(Protocol):
    """Accumulates evidence over one call."""

    def take(self, score: Score) -> None:
        """Take the next window."""

    @property
    def nat(self) -> float:
        """What was gathered; comparable only with what the same rule gathers in other calls."""


class Mixture:
    """What the service does.

    Args:
        model: How scores are distributed and fused.
    """

    def __init__(self, model: DecisionModel) -> None:
        self._call = CallEvidence(model)

    def take(self, score: Score) -> None:
        """Take the next window."""
        self._call.take(score)

    @property
    def nat(self) -> float:
        """Of all signals together [nat]."""
        return self._call.fused.nat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trace:
    """What a rule gathered in one call."""

    call: ComposedCall
    times_s: npt.NDArray[np.float64]
    """End of every window, rising [s]."""
    nats: npt.NDArray[np.float64]
    """After it."""

    @property
    def peak(self) -> Peak:
        """What counts of a genuine call."""
        return Peak(self.call.sources, float(self.nats.max()), self.call.length_s / 3600)

    def alerts_s(self, threshold_nat: float) -> list[float]:
        """Return when alerts are raised [s]; one that stands must come down first."""
        found, stands = [], False
        for time_s, nat in zip(self.times_s, self.nats, strict=True):
            if not stands and nat >= threshold_nat:
                found.append(float(time_s))
                stands = True
            elif stands and nat <= CLEAR_SHARE * threshold_nat:
                stands = False
        return found

    def seconds_to_alert(self, threshold_nat: float) -> float | None:
        """Return how long after its begin a forgery is alerted [s]; None: never, or there stood an alert before."""
        onset_s = self.call.onset_s
        if onset_s is None:
            return None
        first = next(iter(self.alerts_s(threshold_nat)), None)
        return None if first is None or first < onset_s else first - onset_s


def trace(call: ComposedCall, rule: Rule) -> Trace:
    """Play a call to a rule."""
    times, nats = [], []
    for score in call.scores():
        rule.take(score)
        times.append(score.end_s)
        nats.append(rule.nat)
    return Trace(call=call, times_s=np.array(times), nats=np.array(nats))


def genuine_traces(
    calls: Composer, hours: float, make: Callable[[], Rule], rng: np.random.Generator
) -> Iterator[Trace]:
    """Yield traces of genuine calls of so many hours altogether [h]."""
    while hours > 0:
        found = trace(calls.draw(rng, Kind.BONA_FIDE), make())
        hours -= found.call.length_s / 3600
        yield found


def spoof_traces(calls: Composer, n: int, make: Callable[[], Rule], rng: np.random.Generator) -> Iterator[Trace]:
    """Yield traces of so many calls of each kind of forgery."""
    for kind in (Kind.THROUGHOUT, Kind.TAKEOVER):
        for _ in range(n):
            yield trace(calls.draw(rng, kind), make())
