"""Other rules than the service's, for comparison: each gathers evidence over a call in a way that others have used.

All judge by the same window scores, standardised by the same means and deviations, and fuse signals by the larger one.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping

import numpy as np

from models.call_evidence import Track
from models.evidence import Bias
from models.promise import DecisionModel
from models.training.decision_calls import Mixture, Rule
from models.window import Score

HELD, OF = 6, 8
"""Windows of the last ones that must be suspicious at once."""
START = 8
"""Judged windows of a track's start that later ones are compared with."""


class _Largest:
    """Gathers for each track by itself; the call's evidence is the largest."""

    def __init__(self, model: DecisionModel) -> None:
        self._model = model
        self._nats: dict[Track, float] = {}
        self.nat = 0.0

    def take(self, score: Score) -> None:
        """Take the next window."""
        if score.raw is None:
            return
        bias = self._model.bias(score.signal, is_telephone=score.is_telephone)
        if bias is not None:
            track = (score.signal, score.track)
            self._nats[track] = self.gathered(track, score.raw, bias)
            self.nat = max(self._nats.values())

    def gathered(self, track: Track, raw: float, bias: Bias) -> float:
        """Return what one track has gathered by now."""
        raise NotImplementedError


class SingleWindow(_Largest):
    """The newest window alone: what most products do."""

    def gathered(self, track: Track, raw: float, bias: Bias) -> float:
        """Return by how many deviations the window lies below genuine ones."""
        return (bias.mean - raw) / bias.deviation


class Hysteresis(_Largest):
    """So many of the last windows at once."""

    def __init__(self, model: DecisionModel) -> None:
        super().__init__(model)
        self._last: dict[Track, deque[float]] = defaultdict(lambda: deque(maxlen=OF))

    def gathered(self, track: Track, raw: float, bias: Bias) -> float:
        """Return what enough of the last windows exceed."""
        last = self._last[track]
        last.append((bias.mean - raw) / bias.deviation)
        return sorted(last, reverse=True)[HELD - 1] if len(last) >= HELD else 0.0


class Cusum(_Largest):
    """Page's cumulative sum, as if windows were independent of each other and of their call."""

    def __init__(self, model: DecisionModel) -> None:
        super().__init__(model)
        self._sums: dict[Track, float] = defaultdict(float)

    def gathered(self, track: Track, raw: float, bias: Bias) -> float:
        """Return the sum of log-likelihood ratios since it was last 0 [nat]."""
        self._sums[track] = max(self._sums[track] + self.step(track, raw, bias), 0.0)
        return self._sums[track]

    def step(self, track: Track, raw: float, bias: Bias) -> float:
        """Return what one window adds [nat]."""
        return _ratio(raw, bias.mean, bias.shift, bias.deviation)


class BiasedCusum(Cusum):
    """Page's sum of windows by their new part, the call's own bias taken off: the service's former rule."""

    def __init__(self, model: DecisionModel) -> None:
        super().__init__(model)
        self._start: dict[Track, list[float]] = defaultdict(list)

    def step(self, track: Track, raw: float, bias: Bias) -> float:
        """Return what a window adds by itself or against the track's start, less what one call may be off [nat]."""
        allowed = 0.5 * bias.shift * bias.between / bias.deviation**2
        found = _ratio(raw, bias.mean, bias.shift, bias.deviation)
        start = self._start[track]
        if len(start) < START:
            start.append(raw)
        else:
            found = max(found, _ratio(raw, float(np.mean(start)), bias.change, bias.deviation))
        return bias.worth * (found - allowed)


def _ratio(raw: float, mean: float, shift: float, deviation: float) -> float:
    """Return the log-likelihood ratio of a fallen mean against an unchanged one [nat]."""
    return shift * (mean - shift / 2 - raw) / deviation**2


RULES: Mapping[str, Callable[[DecisionModel], Rule]] = {
    "single window": SingleWindow,
    f"hysteresis, {HELD} of {OF}": Hysteresis,
    "CUSUM, independent windows": Cusum,
    "CUSUM, bias taken off": BiasedCusum,
    "mixture e-process": Mixture,
}
