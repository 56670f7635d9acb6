"""From a raw score to a log-likelihood ratio."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A piecewise linear map from a raw window score to a log-likelihood ratio [nat], constant beyond its ends.

    Raises:
        ValueError: It is empty, of unequal lengths, or turns the sign: up is bona fide on both sides.
    """

    raws: tuple[float, ...]
    """Raw scores, rising."""
    llrs: tuple[float, ...]
    """The llr at each of them, never falling [nat]."""

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.raws)) and all(a <= b for a, b in pairwise(self.llrs))
        if not self.raws or len(self.raws) != len(self.llrs) or not rising:
            raise ValueError(f"a calibration rises from one raw score to the next, got {self.raws} -> {self.llrs}")

    def llr(self, raw: float) -> float:
        """Return the log-likelihood ratio [nat] of a raw score."""
        return float(np.interp(raw, self.raws, self.llrs))


UNCALIBRATED = Calibration(raws=(0.0,), llrs=(0.0,))
"""Says nothing: what a training leaves to `models.training.calibrate`."""
