import numpy as np
import pytest

from models.training.voice_filters import (
    equalised,
    gained,
    high_passed,
    limited,
    low_passed,
    resampled_before,
    speeded,
    suppressed,
)


def tone(hz: float, n_samples: int = 32_000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hz * np.arange(n_samples) / 16_000)).astype(np.float32)


def white(n_samples: int = 32_000) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, n_samples).astype(np.float32)


def loudness_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples**2)))


@pytest.mark.parametrize("rate_hz", [22_050, 24_000, 44_100, 48_000])
@pytest.mark.parametrize("n_samples", [32_000, 31_001])
def test_another_rate_before_leaves_speech_in_step_and_changes_the_top_of_the_band(
    rate_hz: int, n_samples: int
) -> None:
    changes = []
    for seed in range(6):
        low = resampled_before(tone(700, n_samples), rate_hz, np.random.default_rng(seed))
        assert low.shape == (n_samples,)
        assert np.abs(low - tone(700, n_samples))[500:-500].max() < 0.01
        changes.append(loudness_db(resampled_before(tone(7_700), rate_hz, np.random.default_rng(seed))))
    assert max(changes) - min(changes) > 1.0


def test_speed_changes_length_and_pitch_together() -> None:
    fast = speeded(tone(1_000), 1.03)
    assert fast.size == round(32_000 / 1.03)
    at_hz = np.argmax(np.abs(np.fft.rfft(fast))) / (fast.size // 2) * 8_000
    assert at_hz == pytest.approx(1_030, abs=1)
    assert loudness_db(fast) == pytest.approx(loudness_db(tone(1_000)), abs=0.05)


def test_filters_cut_their_side_of_the_band_only() -> None:
    assert loudness_db(low_passed(tone(7_500), 7_000, 0.1)) - loudness_db(tone(7_500)) == pytest.approx(-50, abs=1)
    assert np.allclose(low_passed(tone(1_000), 7_000, 0.1), tone(1_000), atol=1e-4)
    assert loudness_db(high_passed(tone(60), 120)) - loudness_db(tone(60)) == pytest.approx(-12, abs=0.5)
    assert np.allclose(high_passed(tone(1_000), 120), tone(1_000), atol=1e-4)


def test_an_equaliser_keeps_length_and_is_drawn_by_its_seed() -> None:
    one = equalised(white(), np.random.default_rng(0))
    assert one.shape == (32_000,)
    assert np.array_equal(one, equalised(white(), np.random.default_rng(0)))
    assert not np.array_equal(one, equalised(white(), np.random.default_rng(1)))


def test_automatic_gain_brings_the_quiet_up() -> None:
    sound = np.concatenate([tone(500, 24_000), 0.1 * tone(500, 24_000)])
    before = loudness_db(sound[32_000:]) - loudness_db(sound[8_000:24_000])
    after = gained(sound, 0.6)
    assert loudness_db(after[32_000:]) - loudness_db(after[8_000:24_000]) > before + 6


def test_a_limiter_bends_instead_of_cutting() -> None:
    loud = limited(tone(500), 4.0)
    assert 0.8 < loud.max() < 1.0
    assert np.corrcoef(loud, tone(500))[0, 1] > 0.97


@pytest.mark.parametrize("n_samples", [32_000, 31_001, 700])
def test_suppression_that_takes_nothing_away_gives_the_sound_back(n_samples: int) -> None:
    assert np.allclose(suppressed(white(n_samples), 1.0, 2.0, 0.5), white(n_samples), atol=1e-5)


def test_suppression_takes_noise_from_pauses_and_leaves_speech() -> None:
    said = tone(500) * (np.arange(32_000) % 16_000 < 8_000)
    noisy = said + 0.05 * white()
    clean = suppressed(noisy, 0.1, 6.0, 0.3)
    assert loudness_db(clean[10_000:15_000]) < loudness_db(noisy[10_000:15_000]) - 8
    assert loudness_db(clean[1_000:7_000]) == pytest.approx(loudness_db(noisy[1_000:7_000]), abs=1)
