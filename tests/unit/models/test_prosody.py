"""Melody and pauses are measured as they are, at any level."""

import numpy as np
import pytest
import torch

from models.prosody import N_FEATURES, N_FRAMES, ProsodyBlocks, window_features


def sweep(low_hz: float, high_hz: float, seconds: int = 4) -> torch.Tensor:
    """Return a voiced sound whose pitch rises in octaves evenly, in blocks (seconds, 16000)."""
    pitch_hz = low_hz * (high_hz / low_hz) ** (np.arange(seconds * 16_000) / (seconds * 16_000))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / 16_000
    sound = sum(np.sin(k * phase) / k for k in range(1, 9))
    return torch.from_numpy((0.1 * sound).astype(np.float32)).reshape(seconds, 16_000)


def test_pitch_is_found_within_a_twentieth_of_an_octave() -> None:
    rows = ProsodyBlocks()(sweep(120, 120))
    pitch, voicing = rows[1, N_FRAMES : 2 * N_FRAMES], rows[1, 2 * N_FRAMES :]
    assert (pitch[5:-5] - np.log2(120)).abs().max() < 0.05
    assert voicing[5:-5].min() > 0.9


def test_noise_is_not_voiced() -> None:
    noise = torch.randn(2, 16_000, generator=torch.Generator().manual_seed(0))
    assert ProsodyBlocks()(noise)[:, 2 * N_FRAMES :].quantile(0.9) < 0.5


def test_a_melody_spreads_wider_than_a_monotone() -> None:
    blocks = ProsodyBlocks()
    monotone, melody = (window_features(blocks(sweep(120, top))[None])[0] for top in (120, 240))
    spread = N_FEATURES - 7
    assert monotone[spread] < 0.05
    assert melody[spread] == pytest.approx(1 / 12**0.5, abs=0.05)  # of what is even over an octave


def test_gain_changes_nothing() -> None:
    blocks, sound = ProsodyBlocks(), sweep(100, 200)
    sound[1, 4_000:9_000] *= 0.01
    loud, quiet = (window_features(blocks(gain * sound)[None]) for gain in (4.0, 0.05))
    assert torch.allclose(loud, quiet, atol=0.02)


def test_a_pause_is_counted_and_silence_is_finite() -> None:
    blocks, sound = ProsodyBlocks(), sweep(100, 100)
    whole = window_features(blocks(sound)[None])[0]
    sound[1, 2_000:10_000] = 0
    broken = window_features(blocks(sound)[None])[0]
    share = 17
    assert broken[share] - whole[share] == pytest.approx(0.125, abs=0.02)
    assert torch.isfinite(window_features(blocks(torch.zeros(4, 16_000))[None])).all()
