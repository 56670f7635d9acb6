"""How much of one signal was analysed, how much was not, and why. Pure: scores in, seconds out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from models.window import Reason, Score, Signal

_REST: Mapping[Signal, Reason] = {
    # Of a window that was judged, the part that held neither speech nor a usable face.
    Signal.VOICE: Reason.SILENCE,
    Signal.FACE: Reason.NO_FACE,
    Signal.SYNC: Reason.SILENCE,
}


@dataclass(slots=True)
class Seconds:
    """Counts each second of one signal once, however many windows or faces it was part of."""

    analysed_s: float = 0.0
    """Seconds that a score rests on [s]."""
    missed_s: dict[Reason, float] = field(default_factory=dict)
    """Seconds that none rests on, by why [s]."""
    _counted_to_s: float = float("-inf")
    _last_missed: tuple[Reason, float] | None = None
    """Why and for how long the newest stretch was missed, as long as another face may still be judged in it."""

    def copy(self) -> "Seconds":
        """Return one that goes its own way."""
        return replace(self, missed_s=dict(self.missed_s))

    def take(self, score: Score) -> None:
        """Take the next window; of several that end together, one that was judged counts."""
        new_s = score.end_s - max(self._counted_to_s, score.start_s)
        if new_s <= 0:
            if score.reason is not None or self._last_missed is None or score.end_s < self._counted_to_s:
                return
            reason, new_s = self._last_missed
            self.missed_s[reason] -= new_s
        self._counted_to_s, self._last_missed = max(self._counted_to_s, score.end_s), None
        if score.reason is not None:
            self._last_missed = (score.reason, new_s)
            self._miss(score.reason, new_s)
            return
        seen_s = new_s * min(score.analysed_s / (score.end_s - score.start_s), 1.0)
        self.analysed_s += seen_s
        self._miss(_REST[score.signal], new_s - seen_s)

    def _miss(self, reason: Reason, seconds: float) -> None:
        if seconds > 0:
            self.missed_s[reason] = self.missed_s.get(reason, 0.0) + seconds
