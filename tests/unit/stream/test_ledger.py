"""The account of the promise: each event counts once, and neither standing is said before the data say it."""

import pytest

from models.metrics import poisson_interval
from stream.api.messages import AlertMessage, CoverageMessage, SessionEndedMessage
from stream.api.promise_messages import AlertLabel, LabelMessage, Standing
from stream.events import AlertKind, State
from stream.ledger import Account, Ledger


def ended(seq: int, hours: float, is_telephone: bool = False) -> SessionEndedMessage:
    return SessionEndedMessage(
        seq=seq,
        session=f"call {seq}",
        at="2026-01-01",
        cause="bye",
        state=State.BONA_FIDE,
        call_s=hours * 3600,
        is_telephone=is_telephone,
    )


def alert(seq: int, kind: AlertKind = AlertKind.RAISED, name: str = "a") -> AlertMessage:
    return AlertMessage(
        seq=seq,
        id=name,
        kind=kind,
        session="call",
        at="2026-01-01",
        since_s=1,
        time_s=1,
        signals=[],
        coverage=CoverageMessage(call_s=1, face_s=1, speech_s=1),
        threshold_nat=6,
        models={},
        advice="",
    )


def label(seq: int, said: AlertLabel, name: str = "a") -> LabelMessage:
    return LabelMessage(seq=seq, session="call", alert=name, at="2026-01-01", label=said, by="", note="")


def test_hours_and_alerts_are_counted_once_and_by_class_of_channel() -> None:
    ledger = Ledger()
    events = ended(1, 2.0), ended(2, 0.5, is_telephone=True), alert(3), alert(4, AlertKind.CLEARED), ended(1, 9.0)
    for event in events:
        ledger.take(event)
    wideband, telephone = ledger.account(is_telephone=False), ledger.account(is_telephone=True)
    assert (wideband.call_hours, wideband.alerts, wideband.open_alerts) == (2.0, 1, 1)
    assert (telephone.call_hours, telephone.alerts) == (0.5, 0)


def test_the_newest_label_counts_and_one_of_an_unknown_alert_does_not() -> None:
    ledger = Ledger()
    ledger.take(alert(1))
    ledger.take(label(2, AlertLabel.SPOOF))
    ledger.take(label(3, AlertLabel.FALSE_ALERT))
    ledger.take(label(4, AlertLabel.FALSE_ALERT, name="unknown"))
    account = ledger.account(is_telephone=False)
    assert (account.false_alerts, account.spoofs, account.open_alerts) == (1, 0, 0)


@pytest.mark.parametrize(
    ("account", "standing"),
    [
        (Account(), Standing.TOO_EARLY),
        (Account(call_hours=50), Standing.TOO_EARLY),
        (Account(call_hours=369), Standing.KEPT),
        (Account(call_hours=368), Standing.TOO_EARLY),
        (Account(call_hours=369, open_alerts=1), Standing.TOO_EARLY),
        (Account(call_hours=369, spoofs=3), Standing.KEPT),
        (Account(call_hours=20, false_alerts=2), Standing.BROKEN),
        (Account(call_hours=100, false_alerts=2), Standing.TOO_EARLY),
        (Account(call_hours=20, open_alerts=5), Standing.TOO_EARLY),
    ],
)
def test_a_promise_of_one_in_a_hundred_hours_is_kept_or_broken_only_when_that_is_known(
    account: Account, standing: Standing
) -> None:
    assert account.standing(100) is standing


def test_the_hours_needed_are_those_after_which_the_promise_is_kept() -> None:
    needed = Account(false_alerts=1).hours_needed(100)
    assert needed == pytest.approx(557.2, abs=0.1)
    assert Account(call_hours=needed + 0.1, false_alerts=1).standing(100) is Standing.KEPT


@pytest.mark.parametrize(
    ("count", "low", "high"), [(0, 0.0, 3.689), (1, 0.0253, 5.572), (10, 4.795, 18.391), (100, 81.364, 121.627)]
)
def test_the_interval_of_a_count_is_that_of_the_tables(count: int, low: float, high: float) -> None:
    assert poisson_interval(count) == pytest.approx((low, high), abs=0.001)
