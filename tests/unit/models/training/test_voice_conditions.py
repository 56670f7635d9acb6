import numpy as np
import pytest

from models.training.voice_conditions import CONDITIONS, conditions

SNR_DB = {
    "opus_16k_loss_5": (2, 14),
    "g711": (8, 40),
    "g711_alaw_band": (3, 30),
    "amr_nb_12k": (1, 15),
    "g722": (12, 45),
    "mp3_32k": (10, 40),
    "aac_32k": (10, 40),
    "room": (-5, 15),
    "noise_10db": (10, 11),
    "music_15db": (15, 15.5),
    "cross_talk_15db": (15, 15.5),
    "suppression": (8, 50),
    "replay": (-1, 15),
    "speed": (-1, 5),
}
"""What is left of a voice against what was changed, gain aside [dB]."""


def voice(seed: int) -> np.ndarray:
    """Harmonics of a wandering pitch whose loudness comes and goes as syllables do, and some breath."""
    rng = np.random.default_rng(seed)
    times = np.arange(48_000)
    pitch_hz = 120 + 20 * np.interp(times, np.arange(0, 56_000, 8_000), rng.normal(size=7))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / 16_000
    wave = sum(np.exp(-(((n - 5) / 3) ** 2)) * np.sin(n * phase + n) for n in range(1, 20)) + 0.05 * rng.normal(
        size=48_000
    )
    loud = np.maximum(0.0, np.sin(2 * np.pi * 3 * times / 16_000)) + 0.02
    return (0.15 * wave * loud).astype(np.float32)


ALL = conditions([voice(1), voice(2)])


def test_every_condition_has_its_bounds_and_cross_talk_asks_for_others() -> None:
    assert set(ALL) == set(SNR_DB)
    assert set(ALL) - set(CONDITIONS) == {"cross_talk_15db"}
    assert conditions() == CONDITIONS


@pytest.mark.parametrize("name", SNR_DB)
def test_a_condition_keeps_length_and_changes_a_voice_as_much_as_it_should(name: str) -> None:
    sound = voice(0)
    changed = ALL[name](sound, np.random.default_rng(0))
    assert changed.shape == sound.shape
    assert changed.dtype == np.float32
    assert np.array_equal(changed, ALL[name](sound, np.random.default_rng(0)))
    gain = (sound @ changed) / (changed @ changed)
    low, high = SNR_DB[name]
    assert low <= 10 * np.log10(np.sum(sound**2) / np.sum((sound - gain * changed) ** 2)) <= high
