import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import metrics
from models.metrics import Trial

scores = st.lists(st.integers(-20, 20).map(float), min_size=1, max_size=30).map(np.array)


def trial(llr: float | None, label: str = "spoof", attack: str = "a") -> Trial:
    return Trial(file="f.opus", attack=attack, llr=llr, label=label)


def test_auc_counts_pairs_and_half_of_ties() -> None:
    # Pairs: 3>1, 3>2, 2>1 are won, 2=2 is half: 3.5 of 4.
    assert metrics.auc(np.array([3.0, 2.0]), np.array([1.0, 2.0])) == 0.875


def test_auc_is_below_a_half_when_the_polarity_is_turned() -> None:
    assert metrics.auc(np.array([-1.0, -2.0]), np.array([1.0, 2.0])) == 0.0


@given(scores, scores)
def test_turning_both_classes_gives_the_complement_of_auc(bona_fide: np.ndarray, spoof: np.ndarray) -> None:
    assert metrics.auc(-bona_fide, -spoof) == pytest.approx(1.0 - metrics.auc(bona_fide, spoof))


@given(scores, scores)
def test_rank_figures_do_not_move_under_a_monotone_map(bona_fide: np.ndarray, spoof: np.ndarray) -> None:
    for figure in (metrics.auc, metrics.eer, metrics.min_cllr):
        mapped = figure(np.exp(bona_fide / 7), np.exp(spoof / 7))
        assert mapped == pytest.approx(figure(bona_fide, spoof), abs=1e-9)


@given(scores, scores)
def test_eer_lies_between_nothing_and_a_coin(bona_fide: np.ndarray, spoof: np.ndarray) -> None:
    assert 0.0 <= metrics.eer(bona_fide, spoof) <= 0.5


def test_eer_of_one_swapped_pair_in_four() -> None:
    # DET corners (BPCER, APCER): (0, 1/2) and (1/2, 0); their hull crosses the diagonal at 1/4.
    assert metrics.eer(np.array([1.0, 3.0]), np.array([0.0, 2.0])) == pytest.approx(0.25)


def test_error_rates_run_from_all_passed_to_all_missed() -> None:
    missed, passed = metrics.error_rates(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    assert missed.tolist() == [0.0, 0.0, 0.5, 0.5, 1.0]
    assert passed.tolist() == [1.0, 0.5, 0.5, 0.0, 0.0]


def test_a_score_on_the_threshold_is_taken_as_bona_fide() -> None:
    assert metrics.apcer(np.array([-1.0, 0.0, 1.0]), 0.0) == pytest.approx(2 / 3)
    assert metrics.bpcer(np.array([-1.0, 0.0, 1.0]), 0.0) == pytest.approx(1 / 3)


def test_the_worst_attack_is_named() -> None:
    trials = [trial(1.0, attack="vc"), trial(-1.0, attack="vc"), trial(-1.0, attack="tts"), trial(9.0, "bona_fide")]
    assert metrics.worst_apcer(trials, 0.0) == ("vc", 0.5)


def test_the_worst_attack_needs_a_scored_spoof() -> None:
    with pytest.raises(ValueError, match=r"^no spoof trial has a score$"):
        metrics.worst_apcer([trial(None)], 0.0)


def test_spoofs_found_at_a_false_alarm_rate() -> None:
    bona_fide = np.array([0.0, 1.0, 2.0, 3.0])
    spoof = np.array([-1.0, 0.5, 2.5, 5.0])
    assert metrics.tpr_at_fpr(bona_fide, spoof, 0.0) == 0.25
    assert metrics.tpr_at_fpr(bona_fide, spoof, 0.25) == 0.5


def test_silence_costs_one_bit_and_certainty_nothing() -> None:
    assert metrics.cllr(np.zeros(3), np.zeros(5)) == pytest.approx(1.0)
    assert metrics.cllr(np.full(3, 40.0), np.full(5, -40.0)) == pytest.approx(0.0, abs=1e-12)


def test_cllr_of_one_nat_the_right_way() -> None:
    expected = math.log1p(math.exp(-1.0)) / math.log(2)
    assert metrics.cllr(np.array([1.0]), np.array([-1.0])) == pytest.approx(expected)


@given(scores, scores)
def test_the_best_monotone_calibration_is_never_dearer(bona_fide: np.ndarray, spoof: np.ndarray) -> None:
    least = metrics.min_cllr(bona_fide, spoof)
    assert -1e-12 <= least <= 1.0 + 1e-12
    assert least <= metrics.cllr(bona_fide, spoof) + 1e-9


def test_min_cllr_pools_what_is_out_of_order() -> None:
    # The middle pair is swapped: pooled it is one block with one of each, a full bit for half of the weight.
    assert metrics.min_cllr(np.array([1.0, 3.0]), np.array([0.0, 2.0])) == pytest.approx(0.5)


@given(scores, scores)
def test_the_actual_cost_is_at_least_the_least_cost(bona_fide: np.ndarray, spoof: np.ndarray) -> None:
    assert metrics.min_dcf(bona_fide, spoof, 0.05) <= metrics.act_dcf(bona_fide, spoof, 0.05) + 1e-12
    assert metrics.min_dcf(bona_fide, spoof, 0.05) <= 1.0


def test_the_actual_cost_uses_the_bayes_threshold() -> None:
    # Prior 0.5 and equal costs: threshold 0. One of two bona fide is missed, one of four spoofs passes.
    cost = metrics.act_dcf(np.array([1.0, -1.0]), np.array([-1.0, -1.0, -1.0, 1.0]), 0.5, 1.0, 1.0)
    assert cost == pytest.approx(0.75)


def test_the_interval_holds_the_figure_and_widens_with_fewer_sources() -> None:
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(1, 1, 200), rng.normal(-1, 1, 200)])
    is_bona_fide = np.arange(400) < 200
    shifts = rng.normal(0, 1, 20)
    few = [str(row % 4) for row in range(400)]
    many = [str(row % 100) for row in range(400)]
    figure = metrics.auc(values[is_bona_fide], values[~is_bona_fide])
    low, high = metrics.interval_by_source(metrics.auc, values, is_bona_fide, many, n_draws=200)
    assert low < figure < high
    shifted = values + shifts[np.arange(400) % 20]
    low_20, high_20 = metrics.interval_by_source(
        metrics.auc, shifted, is_bona_fide, [str(row % 20) for row in range(400)], n_draws=200
    )
    assert high_20 - low_20 > high - low
    assert metrics.interval_by_source(metrics.auc, values, is_bona_fide, few, n_draws=50)[0] <= figure


def test_the_interval_needs_both_classes() -> None:
    with pytest.raises(ValueError, match=r"^no draw from 1 sources holds both classes$"):
        metrics.interval_by_source(metrics.auc, np.ones(2), np.array([True, True]), ["a", "a"], n_draws=5)


def test_a_figure_of_one_class_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^needs scores of both classes, got 0 bona fide and 1 spoof$"):
        metrics.auc(np.array([]), np.array([1.0]))


def test_scores_survive_the_file(tmp_path: Path) -> None:
    trials = (trial(-1.25), trial(None, attack="-", label="bona_fide"), trial(1e-17))
    metrics.write_scores(tmp_path / "s.txt", trials)
    assert (tmp_path / "s.txt").read_text().splitlines()[1] == "f.opus - none bona_fide"
    assert metrics.read_scores(tmp_path / "s.txt") == trials


def test_a_space_in_a_name_does_not_split_the_line(tmp_path: Path) -> None:
    metrics.write_scores(tmp_path / "s.txt", [Trial(file="a b.opus", attack="", llr=0.0, label="spoof")])
    assert (tmp_path / "s.txt").read_text() == "a_b.opus - 0.0 spoof\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a b 1.0", "line 1 has 3 fields, allowed is `file attack llr label`: 'a b 1.0'"),
        ("a b 1.0 fake", "line 1 has label 'fake', allowed are bona_fide and spoof"),
        ("a b high spoof", "line 1 has score 'high', allowed are a number and none"),
        ("a b nan spoof", "line 1 has score 'nan', allowed are a finite number and none"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "s.txt").write_text(line + "\n")
    with pytest.raises(ValueError) as caught:  # noqa: PT011  # the exact text is asserted below
        metrics.read_scores(tmp_path / "s.txt")
    assert str(caught.value) == message


def test_trials_without_a_score_lower_the_coverage_only() -> None:
    trials = [trial(1.0, "bona_fide"), trial(None), trial(-1.0), trial(None, "bona_fide")]
    bona_fide, spoof = metrics.by_class(trials)
    assert (bona_fide.tolist(), spoof.tolist()) == ([1.0], [-1.0])
    assert metrics.coverage(trials) == 0.5
