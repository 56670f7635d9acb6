import numpy as np
import torch

from models.audio_features import N_BINS
from models.training.voice_augment import STRETCH_SAMPLES, UNTOUCHED, Degrader, hide_bands, spoil_windows
from models.window import WINDOW_SAMPLES


def chirps(n_samples: int = 32_000) -> np.ndarray:
    time_s = np.arange(n_samples) / 16_000
    return (0.4 * np.sin(2 * np.pi * (300 * time_s + 400 * time_s**2)) * np.sin(9 * time_s)).astype(np.float32)


def test_a_degrader_keeps_length_and_range_and_is_drawn_by_its_seed() -> None:
    others = [chirps(20_000), 0.1 * chirps(50_000)]
    one, same, other = Degrader(1, others), Degrader(1, others), Degrader(2, others)
    for _ in range(30):
        degraded = one(chirps(8_000))
        assert degraded.shape == (8_000,)
        assert degraded.dtype == np.float32
        assert np.isfinite(degraded).all()
        assert 0.05 < np.abs(degraded).max() < 1.6
        assert np.array_equal(degraded, same(chirps(8_000)))
    assert not np.array_equal(one(chirps(8_000)), other(chirps(8_000)))


def test_a_degrader_takes_a_stretch_of_a_long_clip() -> None:
    degrader = Degrader(3)
    assert {degrader(chirps(96_000)).size for _ in range(5)} == {STRETCH_SAMPLES}


def test_some_clips_stay_as_they_are_but_for_their_level() -> None:
    degrader, sound = Degrader(5), chirps(2_000)
    likeness = [np.corrcoef(degrader(sound), sound)[0, 1] for _ in range(150)]
    assert UNTOUCHED - 0.06 < np.mean(np.array(likeness) > 0.999999) < UNTOUCHED + 0.08


def test_a_chain_knows_only_the_sound() -> None:
    """Two runs that see the same lengths draw the same chains, whatever the sounds are."""
    one, other = Degrader(4), Degrader(4)
    for _ in range(10):
        one(chirps(8_000))
        other(np.random.default_rng(0).normal(0, 0.1, 8_000).astype(np.float32))
    assert np.array_equal(one(chirps(8_000)), other(chirps(8_000)))


def test_spoiled_windows_keep_the_speech_that_the_gate_asks_for() -> None:
    spoiled = spoil_windows(torch.ones(200, WINDOW_SAMPLES), np.random.default_rng(0))
    heard_s = spoiled.sum(dim=1) / 16_000
    assert heard_s.min() > 1.0
    assert heard_s.max() == 4.0
    assert (heard_s < 3.9).float().mean() > 0.3


def test_hidden_bands_are_the_mean_of_a_centred_spectrum() -> None:
    hidden = hide_bands(torch.ones(100, N_BINS, 398), np.random.default_rng(0))
    assert set(hidden.unique().tolist()) == {0.0, 1.0}
    assert 0.5 < hidden.mean() < 0.95
    top = hidden[:, -1].amax(dim=1)
    assert 0.3 < (top == 0).float().mean() < 0.75
