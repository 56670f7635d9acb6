from collections.abc import Callable

import numpy as np
import pytest

from models.training.voice_codecs import (
    PACKET_SAMPLES,
    aac,
    amr_nb,
    conceal,
    drop_packets,
    g711,
    g722,
    lost_packets,
    mp3,
    opus,
)

CODECS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "opus 16 kb/s": lambda sound: opus(sound, 16_000),
    "opus 24 kb/s": lambda sound: opus(sound, 24_000),
    "opus 48 kb/s": lambda sound: opus(sound, 48_000),
    "mp3": lambda sound: mp3(sound, 32_000),
    "aac": lambda sound: aac(sound, 32_000),
    "amr": lambda sound: amr_nb(sound, 12_200),
    "g722": g722,
    "mu-law": g711,
    "A-law": lambda sound: g711(sound, "a", band=True),
}


def chirps(n_samples: int = 32_000) -> np.ndarray:
    time_s = np.arange(n_samples) / 16_000
    return (0.4 * np.sin(2 * np.pi * (300 * time_s + 400 * time_s**2)) * np.sin(9 * time_s)).astype(np.float32)


def vowel(n_samples: int = 32_000) -> np.ndarray:
    """Harmonics of 125 Hz under two formants, as loud throughout."""
    time_s = np.arange(n_samples) / 16_000
    weights = [
        np.exp(-(((125 * n - 600) / 300) ** 2)) + 0.5 * np.exp(-(((125 * n - 1_500) / 300) ** 2)) for n in range(25)
    ]
    wave = sum(weight * np.sin(2 * np.pi * 125 * n * time_s + n) for n, weight in enumerate(weights))
    return (0.3 * wave / np.abs(wave).max()).astype(np.float32)


def white() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.1, 32_000).astype(np.float32)


def share_between(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    power = np.abs(np.fft.rfft(samples)) ** 2
    at_hz = np.linspace(0, 8_000, power.size)
    return float(power[(at_hz >= low_hz) & (at_hz < high_hz)].sum() / power.sum())


def lag(one: np.ndarray, other: np.ndarray) -> int:
    """Return by how many samples the other comes later."""
    product = np.fft.irfft(np.fft.rfft(other, 65_536) * np.fft.rfft(one, 65_536).conj(), 65_536)
    at = int(np.argmax(product))
    return at if at < 32_768 else at - 65_536


def packet_levels(samples: np.ndarray) -> np.ndarray:
    return np.sqrt((samples.reshape(-1, PACKET_SAMPLES) ** 2).mean(axis=1))


@pytest.mark.parametrize("name", CODECS)
@pytest.mark.parametrize("n_samples", [32_000, 30_123])
def test_a_codec_keeps_length_and_step_and_changes_the_sound(name: str, n_samples: int) -> None:
    sound = chirps(n_samples)
    coded = CODECS[name](sound)
    assert coded.shape == (n_samples,)
    assert coded.dtype == np.float32
    assert abs(lag(sound, coded)) <= 2
    assert np.corrcoef(sound, coded)[0, 1] > 0.85
    assert np.abs(sound - coded).max() > 1e-3
    assert np.abs(coded).max() < 1.0


@pytest.mark.parametrize("name", ["mu-law", "A-law", "amr"])
def test_a_narrow_codec_ends_at_4_khz(name: str) -> None:
    assert share_between(white(), 4_300, 8_001) > 0.4
    assert share_between(CODECS[name](white()), 4_300, 8_001) < 0.01


def test_a_telephone_band_also_cuts_below_300_hz() -> None:
    assert share_between(g711(white(), "a"), 0, 200) > 0.02
    assert share_between(g711(white(), "a", band=True), 0, 200) < 0.005


def test_the_two_laws_differ_and_both_are_fine_at_low_level() -> None:
    quiet = 0.02 * chirps()
    mu, a = g711(quiet), g711(quiet, "a")
    assert not np.array_equal(mu, a)
    for line in (mu, a):
        assert 0.99 < np.corrcoef(quiet, line)[0, 1] < 0.99999


@pytest.mark.parametrize("burst", [1.0, 3.0])
def test_lost_packets_have_the_share_and_the_burst_asked_for(burst: float) -> None:
    lost = lost_packets(320 * 60_000, 0.1, np.random.default_rng(0), burst)
    n_bursts = int((np.diff(lost.astype(int)) == 1).sum())
    assert 0.09 < lost.mean() < 0.11
    assert lost.sum() / n_bursts == pytest.approx(max(burst, 1.11), rel=0.05)


def test_dropped_packets_are_whole_and_zero() -> None:
    holed = drop_packets(np.ones(32_000, np.float32), 0.3, np.random.default_rng(1))
    packets = holed.reshape(-1, 320)
    assert set(packets.sum(axis=1)) == {0.0, 320.0}
    assert 0.2 < (packets[:, 0] == 0).mean() < 0.4


@pytest.mark.parametrize(
    "with_loss",
    [
        lambda sound, lost: opus(sound, 24_000, lost),
        lambda sound, lost: amr_nb(sound, 12_200, lost),
        lambda sound, lost: conceal(sound, lost),
    ],
    ids=["opus", "amr", "repeated period"],
)
def test_a_lost_packet_is_concealed_and_not_silent(with_loss: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    lost = np.zeros(100, dtype=np.bool_)
    lost[[20, 40, 60]] = True
    whole, holed = with_loss(vowel(), np.zeros(100, dtype=np.bool_)), with_loss(vowel(), lost)
    assert holed.shape == whole.shape
    assert np.array_equal(holed[: 19 * PACKET_SAMPLES], whole[: 19 * PACKET_SAMPLES])
    assert not np.array_equal(holed, whole)
    # The decoder's delay may move a loss into the packet after it.
    levels = packet_levels(holed) / packet_levels(whole)
    assert min(levels[[20, 21, 40, 41, 60, 61]]) > 0.2


def test_a_repeated_period_goes_on_with_the_voice_and_falls_silent() -> None:
    lost = np.zeros(100, dtype=np.bool_)
    lost[40], lost[60:70] = True, True
    said = conceal(vowel(), lost)
    assert np.corrcoef(said[12_800:13_120], vowel()[12_800:13_120])[0, 1] > 0.95
    assert packet_levels(said)[64:69].max() == 0.0
