"""A calibration interpolates, claims nothing beyond its ends, and never turns the sign."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calibration import UNCALIBRATED, Calibration


def test_between_its_points_it_is_straight_and_beyond_them_constant() -> None:
    known = Calibration(raws=(-2.0, 0.0, 4.0), llrs=(-3.0, 0.0, 1.0))
    assert [known.llr(raw) for raw in (-9, -2, -1, 0, 2, 4, 9)] == [-3.0, -3.0, -1.5, 0.0, 0.5, 1.0, 1.0]


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_a_higher_score_never_gets_a_lower_llr(one: float, other: float) -> None:
    known = Calibration(raws=(-2.0, 0.0, 4.0), llrs=(-3.0, -3.0, 1.0))
    assert (known.llr(one) <= known.llr(other)) or one > other


@pytest.mark.parametrize(
    ("raws", "llrs"), [((), ()), ((0.0,), (0.0, 1.0)), ((0.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 0.0))]
)
def test_what_turns_the_sign_or_is_no_map_is_refused(raws: tuple[float, ...], llrs: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="a calibration rises from one raw score to the next"):
        Calibration(raws=raws, llrs=llrs)


def test_uncalibrated_says_nothing() -> None:
    assert [UNCALIBRATED.llr(raw) for raw in (-5.0, 0.0, 5.0)] == [0.0, 0.0, 0.0]
