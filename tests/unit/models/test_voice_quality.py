from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.training.voice_codecs import g711
from models.voice_activity import VoiceActivity
from models.voice_quality import (
    MAX_LOST,
    MIN_SPEECH_S,
    N_STEPS,
    STEP_SAMPLES,
    Channel,
    Floats,
    VoiceQuality,
    at_steps,
    channel,
    gate,
    measure,
)
from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Reason, Samples
from stream import demo

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "voice"
TALKING = np.ones(N_STEPS, np.float32)
GOOD = VoiceQuality(speech_s=3.0, snr_db=25.0, clipped=0.0, bandwidth_hz=7_500.0, music=0.0)


@pytest.fixture(scope="module")
def activity() -> VoiceActivity:
    return VoiceActivity()


@pytest.fixture(scope="module")
def said() -> Samples:
    """Return the demonstration's human voice, at a peak of one half."""
    recorded = demo.load_voices()[0].astype(np.float32)
    samples = np.interp(np.arange(WINDOW_SAMPLES) * 3, np.arange(len(recorded)), recorded)
    return np.asarray(samples / np.abs(samples).max() / 2, np.float32)


@pytest.fixture(scope="module")
def speech(activity: VoiceActivity, said: Samples) -> Floats:
    return at_steps(activity.window(said))


def noise(slope: float, seed: int = 0) -> Samples:
    """Return noise of unit power whose amplitude falls with frequency to the power of `slope`, from 100 Hz."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(WINDOW_SAMPLES))
    hz = np.fft.rfftfreq(WINDOW_SAMPLES, 1 / SAMPLE_RATE_HZ)
    shaped = np.fft.irfft(np.where(hz < 100, 0, spectrum / np.maximum(hz, 100) ** slope))
    return np.asarray(shaped / np.sqrt(np.mean(shaped**2)), np.float32)


def low_pass(samples: Samples, top_hz: float) -> Samples:
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(samples.size, 1 / SAMPLE_RATE_HZ) > top_hz] = 0
    return np.asarray(np.fft.irfft(spectrum), np.float32)


def chords() -> Samples:
    """Return four triads of half a second each, twice, with six harmonics: an organ."""
    time_s = np.arange(WINDOW_SAMPLES // 8) / SAMPLE_RATE_HZ
    played = []
    for root_hz in (220.0, 293.7, 329.6, 246.9) * 2:
        keys = np.outer([1.0, 1.26, 1.5], np.arange(1, 7)).ravel() * root_hz
        played.append(np.sin(2 * np.pi * np.outer(time_s, keys)).sum(axis=1))
    return np.asarray(np.concatenate(played) / 30, np.float32)


def power(samples: Samples, probability: Floats) -> float:
    """Return the mean power while somebody speaks."""
    return float((samples.reshape(-1, STEP_SAMPLES)[probability >= 0.5] ** 2).mean())


def test_good_speech_passes_and_is_wideband(said: Samples, speech: Floats) -> None:
    quality = measure(said, speech)
    assert gate(quality) is None
    assert channel(quality) is Channel.WIDEBAND
    assert quality.speech_s == pytest.approx(float((speech >= 0.5).sum()) * 0.032)
    assert quality.clipped < 0.001
    assert quality.snr_db > 20


@pytest.mark.parametrize("slope", [0.0, 0.5], ids=["white", "pink"])
@pytest.mark.parametrize("snr_db", [0.0, 5.0, 10.0, 20.0])
def test_noise_of_a_known_level_is_measured_within_three_decibels(
    said: Samples, speech: Floats, snr_db: float, slope: float
) -> None:
    loud = np.sqrt(power(said, speech)) * 10 ** (-snr_db / 20)
    assert measure(said + noise(slope) * loud, speech).snr_db == pytest.approx(snr_db, abs=3.0)


def test_noise_is_measured_where_nobody_pauses(said: Samples, speech: Floats) -> None:
    loud = np.repeat(speech >= 0.5, STEP_SAMPLES)
    packed = np.resize(said[loud], WINDOW_SAMPLES)
    noisy = packed + noise(0.0) * np.float32(np.sqrt(np.mean(packed**2) / 10))
    assert measure(noisy, TALKING).snr_db == pytest.approx(10.0, abs=3.0)


def test_speech_under_noise_as_loud_is_refused(said: Samples, speech: Floats) -> None:
    noisy = said + noise(0.5) * np.float32(np.sqrt(power(said, speech)))
    assert gate(measure(noisy, speech)) is Reason.NOISE


@pytest.mark.parametrize("gain", [1.0, 0.1], ids=["at full scale", "turned down afterwards"])
def test_overdriven_speech_is_refused(said: Samples, speech: Floats, gain: float) -> None:
    crushed = np.clip(said * 60, -1, 1) * np.float32(gain)
    assert gate(measure(crushed, speech)) is Reason.CLIPPED


@pytest.mark.parametrize("top_hz", [1_800.0, 3_400.0, 5_500.0, 7_000.0])
def test_the_top_of_the_band_is_found_within_300_hz(said: Samples, speech: Floats, top_hz: float) -> None:
    hiss = noise(0.0) * np.float32(np.sqrt(power(said, speech)) / 30)  # so that there is sound up to the top
    assert measure(low_pass(said + hiss, top_hz), speech).bandwidth_hz == pytest.approx(top_hz, abs=300)


def test_a_telephone_line_is_told_from_a_dull_recording(said: Samples, speech: Floats) -> None:
    assert channel(measure(g711(said), speech)) is Channel.TELEPHONE
    assert gate(measure(g711(said), speech)) is None
    assert channel(measure(low_pass(said, 5_500.0), speech)) is Channel.WIDEBAND


def test_sound_duller_than_a_telephone_is_refused(said: Samples, speech: Floats) -> None:
    assert gate(measure(low_pass(said, 1_500.0), speech)) is Reason.BAND_LIMITED


@pytest.mark.parametrize("probability", [TALKING, TALKING * 0], ids=["taken for speech", "not taken for speech"])
def test_music_is_named(probability: Floats) -> None:
    assert gate(measure(chords(), probability)) is Reason.MUSIC


def test_silence_is_never_scored(activity: VoiceActivity) -> None:
    nothing = np.zeros(WINDOW_SAMPLES, np.float32)
    assert gate(measure(nothing, activity.window(nothing))) is Reason.SILENCE
    hiss = noise(0.0) * np.float32(0.05)
    assert gate(measure(hiss, activity.window(hiss))) is Reason.SILENCE
    assert gate(replace(GOOD, speech_s=MIN_SPEECH_S - 0.01)) is Reason.SILENCE
    assert gate(replace(GOOD, speech_s=MIN_SPEECH_S)) is None


def test_a_voice_without_any_sound_is_refused() -> None:
    """The network may see speech where there is none; what is measured must not be a number of nothing."""
    quality = measure(np.zeros(WINDOW_SAMPLES, np.float32), TALKING)
    assert quality.snr_db == float("-inf")
    assert gate(quality) is Reason.NOISE


def test_gain_changes_nothing(said: Samples, speech: Floats) -> None:
    reference = measure(said, speech)
    for gain in (0.01, 1.9):
        quality = measure(said * np.float32(gain), speech)
        assert quality.snr_db == pytest.approx(reference.snr_db, abs=0.1)
        assert quality.music == pytest.approx(reference.music, abs=0.001)
        assert quality.clipped == pytest.approx(reference.clipped, abs=1e-4)
        assert quality.bandwidth_hz == reference.bandwidth_hz


def test_silence_before_the_speech_changes_nothing(said: Samples, speech: Floats) -> None:
    n_steps = 40
    late, probability = np.zeros_like(said), np.zeros_like(speech)
    late[n_steps * STEP_SAMPLES :] = said[: -n_steps * STEP_SAMPLES]
    probability[n_steps:] = speech[:-n_steps]
    short, heard = said.copy(), speech.copy()
    short[-n_steps * STEP_SAMPLES :], heard[-n_steps:] = 0, 0
    before, after = measure(late, probability), measure(short, heard)
    assert before.snr_db == pytest.approx(after.snr_db, abs=0.5)
    assert before.bandwidth_hz == after.bandwidth_hz
    assert before.music == pytest.approx(after.music, abs=0.01)


def test_lost_packets_are_not_taken_for_a_low_floor(said: Samples, speech: Floats) -> None:
    noisy = said + noise(0.0) * np.float32(np.sqrt(power(said, speech) / 10))
    for start in range(0, WINDOW_SAMPLES, WINDOW_SAMPLES // 10):
        noisy[start : start + 640] = 0
    assert measure(noisy, speech).snr_db == pytest.approx(10.0, abs=3.0)


def test_a_window_of_which_half_is_lost_is_refused_for_that() -> None:
    assert gate(GOOD, WINDOW_SAMPLES // 2) is Reason.LOST
    assert gate(GOOD, int(MAX_LOST * WINDOW_SAMPLES)) is None
    assert gate(GOOD, int(MAX_LOST * WINDOW_SAMPLES) + 1) is Reason.LOST
    assert gate(replace(GOOD, speech_s=0.0), WINDOW_SAMPLES) is Reason.LOST
