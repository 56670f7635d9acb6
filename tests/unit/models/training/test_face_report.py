import numpy as np
import pytest

from models.training.face_batches import HELD_OUT
from models.training.face_data import BONA_FIDE, SPOOF, Trial
from models.training.face_report import PAIRS, PLAIN, Scored, calibrate, report


def scored(label: str, source: str, raw: float, file: str = "f") -> Scored:
    trial = Trial(file=file, label=label, attack="-", attack_type="-", kind="video", source=source, licence="MIT")
    return Scored(trial=trial, raw=raw)


def gaussians(gap: float, n: int = 400) -> list[Scored]:
    """Return scores of two classes of deviation 1, whose means stand `gap` apart."""
    rng = np.random.default_rng(0)
    up = [scored(BONA_FIDE, f"o/{i % 20}", raw) for i, raw in enumerate(rng.normal(gap / 2, 1, n))]
    return up + [scored(SPOOF, f"s/{i % 20}", raw) for i, raw in enumerate(rng.normal(-gap / 2, 1, n))]


@pytest.mark.parametrize("gap", [0.5, 1.0, 2.0])
def test_the_calibration_of_two_normal_classes_is_their_likelihood_ratio(gap: float) -> None:
    found = calibrate(gaussians(gap))
    assert found.scale == pytest.approx(gap, rel=0.2)
    assert found.offset == pytest.approx(0.0, abs=0.2)


def test_a_network_that_ranks_the_wrong_way_round_is_silenced_not_turned() -> None:
    assert calibrate(gaussians(-2.0)).scale == 0.0


def test_a_large_source_does_not_move_the_calibration_by_its_size() -> None:
    trials = gaussians(2.0)
    shifted = [scored(BONA_FIDE, "large", -3.0) for _ in range(400)]
    alone = [scored(BONA_FIDE, f"small/{i}", -3.0) for i in range(400)]
    assert calibrate(trials + shifted).scale > calibrate(trials + alone).scale + 0.3


def test_the_report_holds_every_group_that_the_card_quotes() -> None:
    plain = min(PLAIN)
    trials = [scored(BONA_FIDE, PAIRS, 1.0 + i, f"b{i}") for i in range(4)]
    trials += [scored(SPOOF, PAIRS, -1.0 - i, f"s{i}") for i in range(4)]
    trials += [scored(BONA_FIDE, "o/h", 0.5), scored(SPOOF, "o/h", 0.7), scored(BONA_FIDE, plain, 2.0)]
    figures = report(trials)
    assert figures["swap_pairs"] == {"n_bona_fide": 4, "n_spoof": 4, "auc": 1.0, "auc_95": [1.0, 1.0], "eer": 0.0}
    assert figures["lip_sync_and_heads"]["auc"] == 0.0
    assert (figures["all"]["n_bona_fide"], figures["all"]["n_spoof"]) == (6, 5)
    assert figures["by_source"][plain] == {BONA_FIDE: {"n": 1, "mean_raw": 2.0}}
    assert PLAIN | {PAIRS} <= HELD_OUT
