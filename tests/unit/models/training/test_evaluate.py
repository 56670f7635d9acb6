import pytest

from models.training.evaluate import fused


@pytest.mark.parametrize(
    ("face", "voice", "sync", "llr"),
    [
        (1.0, -0.5, None, 0.5),
        (1.0, None, -0.3, 0.7),
        (1.0, None, 0.8, 1.0),
        (None, None, 0.8, 0.0),
        (None, None, None, None),
    ],
)
def test_a_clip_is_worth_the_sum_of_its_signals_but_lips_that_fit_add_nothing(
    face: float | None, voice: float | None, sync: float | None, llr: float | None
) -> None:
    assert fused(face, voice, sync) == (None if llr is None else pytest.approx(llr))
