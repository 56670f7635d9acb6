"""At most one picture is taken of each fifth of a second."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.window import PICTURE_RATE_HZ
from stream.ingest.sampling import PictureSampler


@pytest.mark.parametrize("rate_hz", [5, 7, 10, 15, 24, 25, 29.97, 30, 50, 60])
def test_every_slot_gets_a_picture_at_any_rate(rate_hz: float) -> None:
    sampler = PictureSampler()
    taken = [time_s for time_s in np.arange(0, 20, 1 / rate_hz) if sampler.take(float(time_s))]
    assert len(taken) == pytest.approx(20 * PICTURE_RATE_HZ, abs=1)


def test_a_slow_sender_has_all_its_pictures_taken() -> None:
    sampler = PictureSampler()
    assert all(sampler.take(n / 2) for n in range(20))


def test_the_first_picture_of_a_slot_is_the_one() -> None:
    sampler = PictureSampler()
    assert [sampler.take(time_s) for time_s in (0.0, 0.1, 0.199, 0.2, 0.3)] == [True, False, False, True, False]


@given(st.lists(st.floats(0, 1e5), max_size=50))
def test_no_slot_is_taken_twice(times_s: list[float]) -> None:
    sampler = PictureSampler()
    taken = [time_s for time_s in times_s if sampler.take(time_s)]
    assert all(after - before > 0 for before, after in itertools.pairwise(taken))
