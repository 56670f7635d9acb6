from collections.abc import Callable

import numpy as np
import pytest

from models.training.voice_rooms import decaying_noise, replayed, reverberant, shoebox


def speechlike() -> np.ndarray:
    rng = np.random.default_rng(0)
    loud = np.exp(1.5 * np.interp(np.arange(32_000), np.arange(0, 34_000, 2_000), rng.normal(size=17)))
    return (0.02 * loud * rng.normal(size=32_000)).astype(np.float32)


def decay_s(response: np.ndarray) -> float:
    """Return the time of 60 dB [s], from the fall between -5 and -25 dB of the energy still to come."""
    left_db = 10 * np.log10(np.cumsum(response[::-1] ** 2)[::-1] / np.sum(response**2) + 1e-12)
    return 3.0 * (np.argmax(left_db < -25) - np.argmax(left_db < -5)) / 16_000


def share_below(samples: np.ndarray, hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[: int(hz / 8_000 * power.size)].sum() / power.sum())


@pytest.mark.parametrize("room", [shoebox, decaying_noise])
def test_a_room_is_heard_after_the_direct_sound_and_dies_away(
    room: Callable[[np.random.Generator], np.ndarray],
) -> None:
    for seed in range(20):
        response = room(np.random.default_rng(seed))
        assert response[0] == pytest.approx(1.0)
        assert np.isfinite(response).all()
        assert 0.001 < np.sum(response[16:] ** 2) < 60.0
        assert np.sum(response[-160:] ** 2) < 0.01 * np.sum(response**2)


def test_shoeboxes_reverberate_as_rooms_do() -> None:
    times_s = [decay_s(shoebox(np.random.default_rng(seed))) for seed in range(40)]
    assert min(times_s) > 0.05
    assert max(times_s) < 1.5
    assert 0.2 < np.median(times_s) < 0.7


def test_the_noise_of_a_shoebox_goes_on_where_its_images_end() -> None:
    # Images are complete up to 10 walls; across the smallest room that is 58 ms.
    for seed in range(10):
        response = shoebox(np.random.default_rng(seed))
        early, late = (np.sqrt(np.mean(response[at : at + 320] ** 2)) for at in (640, 1_600))
        assert 0.005 < late / early < 1.0


def test_a_room_and_a_loudspeaker_keep_length_and_are_drawn_by_their_seed() -> None:
    sound = speechlike()
    for change in (
        lambda seed: reverberant(sound, shoebox(np.random.default_rng(seed))),
        lambda seed: replayed(sound, shoebox(np.random.default_rng(seed)), np.random.default_rng(seed)),
    ):
        assert change(0).shape == sound.shape
        assert change(0).dtype == np.float32
        assert np.array_equal(change(0), change(0))
        assert not np.array_equal(change(0), change(1))


def test_a_loudspeaker_has_no_bass_and_distorts() -> None:
    nowhere = np.array([1.0])
    assert share_below(replayed(speechlike(), nowhere, np.random.default_rng(0)), 100) < 0.6 * share_below(
        speechlike(), 100
    )
    tone = np.sin(2 * np.pi * 700 * np.arange(32_000) / 16_000).astype(np.float32)
    heard = np.abs(np.fft.rfft(replayed(tone, nowhere, np.random.default_rng(0))))
    assert heard[3 * 1_400] > 20 * np.median(heard[3 * 1_400 - 50 : 3 * 1_400 + 50])
