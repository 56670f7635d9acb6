"""The promise against what came of it: call-hours watched, alerts raised, and what people found of them. Pure.

Stored events enter, each once by its `seq`; an account leaves for each class of channel. Labels change this account and
nothing else: thresholds follow them only through `models.training.calibrate`, when a person runs it.
"""

from dataclasses import dataclass

from models.metrics import poisson_interval
from stream.api.messages import AlertMessage, SessionEndedMessage, StoredMessage
from stream.api.promise_messages import AlertLabel, LabelMessage, Standing
from stream.events import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What came of the calls of one class of channel."""

    call_hours: float = 0.0
    false_alerts: int = 0
    """Found to be false."""
    spoofs: int = 0
    """Found to be right."""
    open_alerts: int = 0
    """Not looked at, or unclear."""

    @property
    def alerts(self) -> int:
        """All that were raised."""
        return self.false_alerts + self.spoofs + self.open_alerts

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval of false alerts per call-hour; at the upper end the open ones count as false.

        Raises:
            ZeroDivisionError: No call was watched.
        """
        low, _ = poisson_interval(self.false_alerts)
        _, high = poisson_interval(self.false_alerts + self.open_alerts)
        return low / self.call_hours, high / self.call_hours

    def standing(self, promise_hours: float) -> Standing:
        """Return how a promise of at most one false alert in so many call-hours stands."""
        if self.call_hours == 0:
            return Standing.TOO_EARLY
        low, high = self.interval()
        if low > 1 / promise_hours:
            return Standing.BROKEN
        return Standing.KEPT if high <= 1 / promise_hours else Standing.TOO_EARLY

    def hours_needed(self, promise_hours: float) -> float:
        """Return how many call-hours would show that the promise is kept, did no further alert turn out false [h]."""
        return poisson_interval(self.false_alerts + self.open_alerts)[1] * promise_hours


@dataclass(slots=True)
class _Raised:
    is_telephone: bool
    label: AlertLabel | None = None


class Ledger:
    """Keeps account of stored events."""

    TYPES = ("session_ended", "alert", "label")
    """Of the events that it needs."""

    def __init__(self) -> None:
        self.seq = 0
        """The newest event that was taken."""
        self._hours = {False: 0.0, True: 0.0}
        self._alerts: dict[str, _Raised] = {}

    def take(self, event: StoredMessage) -> None:
        """Take the next event; one that is not newer than the last changes nothing."""
        if event.seq <= self.seq:
            return
        self.seq = event.seq
        if isinstance(event, SessionEndedMessage):
            self._hours[event.is_telephone] += event.call_s / 3600
        elif isinstance(event, AlertMessage) and event.kind is AlertKind.RAISED:
            self._alerts[event.id] = _Raised(event.is_telephone)
        elif isinstance(event, LabelMessage) and event.alert in self._alerts:
            self._alerts[event.alert].label = event.label

    def account(self, *, is_telephone: bool) -> Account:
        """Return the account of one class of channel."""
        labels = [raised.label for raised in self._alerts.values() if raised.is_telephone is is_telephone]
        false_alerts, spoofs = labels.count(AlertLabel.FALSE_ALERT), labels.count(AlertLabel.SPOOF)
        return Account(
            call_hours=self._hours[is_telephone],
            false_alerts=false_alerts,
            spoofs=spoofs,
            open_alerts=len(labels) - false_alerts - spoofs,
        )
