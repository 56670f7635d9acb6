from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.training.voice_data import Clip, ClipStore
from models.training.voice_noises import coloured, either_class, hum, keys, mixed, music, voices


def peaks_hz(wave: np.ndarray, n_peaks: int) -> list[float]:
    power = np.abs(np.fft.rfft(wave * np.hanning(wave.size))) ** 2
    return sorted(np.argsort(power)[::-1][:n_peaks] / power.size * 8_000)


@pytest.mark.parametrize("noise", [coloured, hum, keys, music])
@pytest.mark.parametrize("n_samples", [48_000, 1_000])
def test_a_noise_has_the_length_asked_for_and_is_drawn_by_its_seed(
    noise: Callable[[int, np.random.Generator], np.ndarray], n_samples: int
) -> None:
    wave = noise(n_samples, np.random.default_rng(1))
    assert wave.shape == (n_samples,)
    assert np.isfinite(wave).all()
    assert wave.std() > 0
    assert np.array_equal(wave, noise(n_samples, np.random.default_rng(1)))
    assert not np.array_equal(wave, noise(n_samples, np.random.default_rng(2)))


def test_what_is_mixed_in_has_the_level_asked_for() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 16_000).astype(np.float32)
    beside = mixed(sound, hum(16_000, np.random.default_rng(0)), 10.0) - sound
    assert 10 * np.log10(np.mean(sound**2) / np.mean(beside**2)) == pytest.approx(10.0, abs=0.01)


def test_hum_stands_on_multiples_of_the_mains() -> None:
    for seed in range(8):
        peaks = peaks_hz(hum(64_000, np.random.default_rng(seed)), 3)
        assert min(max(abs(peak / mains - round(peak / mains)) for peak in peaks) for mains in (50, 60)) < 0.05


def test_keys_are_silent_between_strokes_and_music_is_not() -> None:
    quiet = np.abs(keys(64_000, np.random.default_rng(0))) < 1e-3
    assert quiet.mean() > 0.3
    assert (np.abs(music(64_000, np.random.default_rng(0))) < 1e-3).mean() < 0.1


def test_music_stands_on_the_notes_of_its_chords() -> None:
    power = np.abs(np.fft.rfft(music(64_000, np.random.default_rng(3)))) ** 2
    assert np.sort(power)[::-1][: power.size // 50].sum() > 0.8 * power.sum()


def test_other_voices_come_from_the_pool_and_short_ones_are_said_again() -> None:
    pool = [np.full(100, 0.5, np.float32), np.full(300, -0.25, np.float32)]
    rng = np.random.default_rng(0)
    signs = [np.sign(voices(pool, 1, 1_000, rng)) for _ in range(20)]
    assert all(len(set(sign)) == 1 for sign in signs)
    assert {float(sign[0]) for sign in signs} == {1.0, -1.0}


class Marks(ClipStore):
    """A store whose clips hold their own row."""

    def __init__(self) -> None:
        pass

    def __getitem__(self, index: int) -> np.ndarray:
        return np.full(10, index, np.float32)


def test_either_class_is_drawn_as_often_whatever_the_store_holds() -> None:
    clips = [
        Clip(path=Path("a"), file="a", is_spoof=row == 7, attack="-", source="s", era="modern") for row in range(20)
    ]
    draw, rng = either_class(clips, Marks(), range(20)), np.random.default_rng(0)
    rows = [int(draw(rng)[0]) for _ in range(600)]
    assert 0.44 < np.mean(np.array(rows) == 7) < 0.56
    assert set(rows) == set(range(20))


def test_only_the_given_clips_are_heard_and_one_class_alone_will_do() -> None:
    clips = [
        Clip(path=Path("a"), file="a", is_spoof=row == 7, attack="-", source="s", era="modern") for row in range(20)
    ]
    draw, rng = either_class(clips, Marks(), [3, 5]), np.random.default_rng(0)
    assert {int(draw(rng)[0]) for _ in range(50)} == {3, 5}
