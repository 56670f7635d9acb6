"""What the windows of a longer stretch of speech say together: their mean, with a calibration of its own.

Scores of windows enter, one log-likelihood ratio over the last ten or thirty seconds of speech leaves. Only speech
counts: pauses and windows that could not be judged make the stretch longer, not weaker.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from models.calibration import Calibration


@dataclass(frozen=True, slots=True, kw_only=True)
class LongReading:
    """One stretch of speech, taken as a whole."""

    speech_s: int
    """Its length, of speech alone [s]."""
    llr: float
    """[nat], up = bona fide."""


class LongSpeech:
    """Follows one voice.

    Args:
        maps: Of the mean llr of the windows of so much speech, by its seconds.
    """

    def __init__(self, maps: Mapping[int, Calibration]) -> None:
        self._maps = dict(sorted(maps.items(), reverse=True))
        self._heard: deque[tuple[float, float]] = deque()  # new speech of a window [s], its llr [nat]; newest first

    def copy(self) -> "LongSpeech":
        """Return one that goes its own way."""
        other = LongSpeech(self._maps)
        other._heard.extend(self._heard)
        return other

    def take(self, llr: float, new_speech_s: float) -> None:
        """Take a window's llr [nat] and the speech in it that no window before it held [s]."""
        self._heard.appendleft((new_speech_s, llr))
        longest_s = next(iter(self._maps), 0)
        while len(self._heard) > 1 and sum(seconds for seconds, _ in self._heard) - self._heard[-1][0] >= longest_s:
            self._heard.pop()

    def reading(self) -> LongReading | None:
        """Return what is said of the longest stretch that was heard to its full length; None before the shortest."""
        for seconds, known in self._maps.items():
            mean = self._mean(seconds)
            if mean is not None:
                return LongReading(speech_s=seconds, llr=known.llr(mean))
        return None

    def _mean(self, seconds: int) -> float | None:
        total_s = total = 0.0
        for new_s, llr in self._heard:
            total_s += new_s
            total += new_s * llr
            if total_s >= seconds:
                return total / total_s
        return None
