"""Rules are compared at one rate of false alerts, whatever their thresholds happened to give."""

import pytest

from models.training.decision_report import Outcome, at_kept_promise, markdown


def outcome(genuine: list[float], forged: list[tuple[float, float]], rule: str = "single window") -> Outcome:
    return Outcome(
        rule=rule,
        channel="wideband",
        hours=100.0,
        n_false=sum(margin >= 0 for margin in genuine),
        seconds=tuple(5.0 if within >= 0 else None for _, within in forged),
        genuine=tuple(genuine),
        forged=tuple(forged),
    )


def test_a_line_that_lets_false_alerts_through_is_moved_until_one_is_left() -> None:
    found = outcome([-3.0, 0.5, 1.0, 2.0], [(-1.0, 1.5), (-1.0, 0.7), (1.2, 5.0), (-1.0, -2.0)])
    assert found.n_false == 3
    # One alert in 100 h is allowed: the line rises just above 1.0, where the third call alerts before its forgery.
    assert at_kept_promise([found], 100) == pytest.approx(1 / 4)


def test_a_line_that_is_too_high_is_moved_down_as_well() -> None:
    found = outcome([-5.0, -4.0], [(-6.0, -3.0), (-6.0, -4.5)])
    assert at_kept_promise([found], 100) == pytest.approx(1.0)
    assert at_kept_promise([found], 1000) == pytest.approx(0.5)


def test_the_table_has_a_line_for_each_rule_and_channel() -> None:
    from models.training.decision_rules import RULES

    both = [outcome([-1.0, -1.5], [(-2.0, 1.0)], rule) for rule in RULES]
    lines = markdown([*both, *(replaced(found) for found in both)], 100).splitlines()
    assert len(lines) == 2 + 2 * len(RULES)
    assert "| single window | wideband | 100 | 0 (0.0 to 3.7) | 100.0% / 100.0% / 100.0% | 5.0 s | 100.0% |" in lines


def replaced(found: Outcome) -> Outcome:
    from dataclasses import replace

    return replace(found, channel="telephone")
