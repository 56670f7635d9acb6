"""What an operator sets of the decision, and at how much evidence something is said."""

from dataclasses import dataclass, field

from models.promise import DecisionModel, Terms, shipped
from models.window import Signal


@dataclass(frozen=True, slots=True)
class Levels:
    """At how much evidence something is said, and unsaid: far enough apart that a page never flickers [nat]."""

    alert: float

    @property
    def suspect(self) -> float:
        return self.alert / 2

    @property
    def clear(self) -> float:
        return self.alert / 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator sets."""

    promise_hours: float = 100.0
    """At most one false alert in so many call-hours [h]."""
    model: DecisionModel = field(default_factory=shipped)
    """What is known of scores and false alerts."""
    min_face_s: float = 3.0
    """Face seconds before green [s]."""
    min_speech_s: float = 3.0
    """Speech seconds before green [s]."""
    min_sync_s: float = 8.0
    """Seconds of speech beside a mouth before the two are said to fit [s]."""

    def terms(self, *, is_telephone: bool) -> Terms:
        """Return what the promise means for a class of channel."""
        return self.model.terms(self.promise_hours, is_telephone=is_telephone)

    def levels(self) -> tuple[Levels, Levels]:
        """Return the levels of wideband calls and of those over a telephone line."""
        return (
            Levels(self.terms(is_telephone=False).threshold_nat),
            Levels(self.terms(is_telephone=True).threshold_nat),
        )

    def min_s(self, signal: Signal) -> float:
        """Seconds of `signal` before green [s]."""
        match signal:
            case Signal.FACE:
                return self.min_face_s
            case Signal.VOICE:
                return self.min_speech_s
            case Signal.SYNC:
                return self.min_sync_s
            case _:
                return 0.0
