import numpy as np
import pytest
import torch

from models.audio_features import N_BINS
from models.training.voice_augment import Degrader, hide_bands, spoil_windows
from models.training.voice_codecs import drop_packets, g711, mp3, opus
from models.window import WINDOW_SAMPLES


def chirps(n_samples: int = 32_000) -> np.ndarray:
    time_s = np.arange(n_samples) / 16_000
    return (0.4 * np.sin(2 * np.pi * (300 * time_s + 400 * time_s**2)) * np.sin(9 * time_s)).astype(np.float32)


def energy_above(samples: np.ndarray, from_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[int(from_hz / 8_000 * power.size) :].sum() / power.sum())


def white() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)


@pytest.mark.parametrize("bit_rate", [16_000, 24_000, 48_000])
def test_opus_keeps_length_and_step(bit_rate: int) -> None:
    coded = opus(chirps(), bit_rate)
    assert coded.shape == (32_000,)
    assert np.corrcoef(chirps(), coded)[0, 1] > 0.9
    assert not np.array_equal(chirps(), coded)


def test_mp3_keeps_length_and_step() -> None:
    coded = mp3(chirps(), 32_000)
    assert coded.shape == (32_000,)
    assert np.corrcoef(chirps(), coded)[0, 1] > 0.95
    assert not np.array_equal(chirps(), coded)


def test_a_telephone_line_ends_at_4_khz() -> None:
    assert energy_above(white(), 4_300) > 0.4
    line = g711(white())
    assert line.shape == (32_000,)
    assert energy_above(line, 4_300) < 0.01


def test_lost_packets_are_whole_and_zero() -> None:
    holed = drop_packets(np.ones(32_000, np.float32), 0.3, np.random.default_rng(1))
    packets = holed.reshape(-1, 320)
    assert set(packets.sum(axis=1)) == {0.0, 320.0}
    assert 0.2 < (packets[:, 0] == 0).mean() < 0.4


def test_a_degrader_keeps_length_and_range_and_is_drawn_by_its_seed() -> None:
    one, same, other = Degrader(1), Degrader(1), Degrader(2)
    for _ in range(20):
        degraded = one(chirps())
        assert degraded.shape == (32_000,)
        assert degraded.dtype == np.float32
        assert np.isfinite(degraded).all()
        assert np.abs(degraded).max() < 1.6
        assert np.array_equal(degraded, same(chirps()))
    assert not np.array_equal(one(chirps()), other(chirps()))


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
