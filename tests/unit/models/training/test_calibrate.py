"""Calibration claims no more than was seen, weighs sources not clips."""

import numpy as np
import pytest

from models.training.calibrate import LIMIT_NAT, TAIL_NAT, ScoredClip, fit


def clips(attack_type: str, mean: float, n: int = 200, n_sources: int = 20, prefix: str = "") -> list[ScoredClip]:
    rng = np.random.default_rng(len(attack_type))
    return [
        ScoredClip(source=f"{prefix}{i % n_sources}", attack_type=attack_type, raw=(float(raw),))
        for i, raw in enumerate(rng.normal(mean, 1, n))
    ]


def test_between_two_normal_classes_it_comes_near_their_likelihood_ratio() -> None:
    known = fit(clips("-", 1.0, 2000) + clips("tts", -1.0, 2000, prefix="s"))
    for raw in (-1.0, 0.0, 1.0):
        assert known.llr(raw) == pytest.approx(2 * raw, abs=0.7)


def test_perfect_separation_is_not_taken_for_certainty() -> None:
    known = fit(clips("-", 50.0) + clips("tts", -50.0, prefix="s"))
    assert 1.0 < known.llrs[-1] <= LIMIT_NAT + TAIL_NAT
    assert -LIMIT_NAT - TAIL_NAT <= known.llrs[0] < -1.0


def test_a_detector_that_ranks_the_wrong_way_is_silenced_not_turned() -> None:
    known = fit(clips("-", -2.0) + clips("tts", 2.0, prefix="s"))
    assert max(map(abs, known.llrs)) < 2 * TAIL_NAT


def test_a_large_source_does_not_decide_by_its_size() -> None:
    base = clips("-", 1.0) + clips("tts", -1.0, prefix="s")
    one_source = clips("-", -1.0, n=400, n_sources=1, prefix="one")
    many_sources = clips("-", -1.0, n=400, n_sources=400, prefix="many")
    assert fit(base).llr(-1.0) < fit(base + one_source).llr(-1.0) < fit(base + many_sources).llr(-1.0) - 0.5


def test_one_class_alone_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="calibration needs windows of both classes"):
        fit(clips("-", 1.0))
