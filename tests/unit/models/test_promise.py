"""Promises become thresholds: read between what was measured, and never said to be more than they are."""

from dataclasses import replace
from pathlib import Path

import pytest

from models import promise
from models.checkpoint import CheckpointError
from models.promise import PROMISES, DecisionModel


def test_a_stronger_promise_has_a_higher_threshold_also_between_those_that_were_measured(
    round_model: DecisionModel,
) -> None:
    thresholds = round_model.thresholds["wideband"]
    nats = [thresholds.at(hours).threshold_nat for hours in (1, 2, 3, 50, 100, 500, 1000)]
    assert nats == sorted(nats)
    assert thresholds.at(100).threshold_nat == 4.0
    assert thresholds.at(1000**0.5 * 100**0.5 / 10**0.5).threshold_nat == pytest.approx(4.0)


def test_what_could_not_be_counted_or_proven_is_said(round_model: DecisionModel) -> None:
    weak, strong = (round_model.terms(hours, is_telephone=False) for hours in (1, 100))
    assert (weak.is_extrapolated, weak.proven_hours) == (False, 1)
    assert (strong.is_extrapolated, strong.proven_hours) == (True, 2.0)
    assert strong.upper_nat > strong.threshold_nat


@pytest.mark.parametrize("hours", [0.5, 1001])
def test_promises_beyond_what_was_measured_are_refused(round_model: DecisionModel, hours: float) -> None:
    with pytest.raises(ValueError, match=f"promises of 1 to 1000 call-hours, got {hours:g}"):
        round_model.terms(hours, is_telephone=False)


def test_thresholds_that_fall_are_refused(round_model: DecisionModel) -> None:
    with pytest.raises(ValueError, match="never fall"):
        replace(round_model.thresholds["wideband"], nats=tuple(range(len(PROMISES), 0, -1)))


def test_scores_of_another_model_are_refused(round_model: DecisionModel) -> None:
    known = replace(round_model, models={"face": "aaa"})
    known.require({"face": "aaa", "voice": "whatever"})
    with pytest.raises(CheckpointError, match="measured with face model aaa, got bbb: run"):
        known.require({"face": "bbb"})


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    path.write_text("{")
    with pytest.raises(CheckpointError, match=r"cannot read the decision's thresholds .*own\.json"):
        promise.load(path)


def test_the_shipped_thresholds_belong_to_the_shipped_models_and_rest_on_enough_sources() -> None:
    from models import checkpoint

    shipped = promise.load()
    shipped.require({name: checkpoint.load(name)[0].digest for name in ("face", "voice")})
    for thresholds in shipped.thresholds.values():
        assert thresholds.hours >= 100
        assert thresholds.sources >= 30
        assert 0 < thresholds.proven_hours < thresholds.hours
