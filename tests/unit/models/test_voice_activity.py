from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from models.voice_activity import (
    N_STEPS,
    PAIR_SAMPLES,
    SPEECH_FROM,
    VoiceActivity,
    speech_seconds,
    window_probability,
)
from models.window import HOP_S, HOP_SAMPLES, SAMPLE_RATE_HZ, WINDOW_PIECES, WINDOW_SAMPLES

SPEECH = Path(__file__).parents[3].parent / "shared" / "data" / "voice"


@pytest.fixture(scope="module")
def activity() -> VoiceActivity:
    return VoiceActivity()


def white_noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, (1, WINDOW_SAMPLES)).astype(np.float32)


def vowels(seed: int = 0) -> np.ndarray:
    """Ten syllables a second of random vowels and hisses at 110 Hz: as near to speech as a few lines come."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(WINDOW_SAMPLES) / SAMPLE_RATE_HZ
    turn_s = np.arange(42) * 0.1
    formants_hz = np.array([(730, 1_090, 2_440), (270, 2_290, 3_010), (300, 870, 2_240), (530, 1_840, 2_480)])
    said = formants_hz[rng.integers(0, 4, turn_s.size)]
    pitch_hz = 110 * (1 + 0.12 * np.sin(2 * np.pi * 0.6 * time_s))
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    sound = np.zeros(WINDOW_SAMPLES)
    for harmonic in range(1, 40):
        for formant, width_hz in enumerate((70, 100, 140)):
            off_hz = harmonic * pitch_hz - np.interp(time_s, turn_s, said[:, formant])
            sound += harmonic**-0.5 / (1 + (off_hz / width_hz) ** 2) * np.sin(harmonic * phase)
    loud = np.interp(time_s, turn_s, np.where(np.arange(turn_s.size) % 2 == 0, 1.0, 0.15))
    hiss = np.diff(rng.normal(0, 0.03, WINDOW_SAMPLES + 1)) * (1 - loud)
    sound = sound / np.abs(sound).max() * loud + hiss
    return (sound / np.abs(sound).max() * 0.5).astype(np.float32)[None]


def test_synthesised_vowels_are_speech(activity: VoiceActivity) -> None:
    assert speech_seconds(activity.window(vowels()[0])) > 2.5


def test_noise_is_no_speech(activity: VoiceActivity) -> None:
    assert speech_seconds(activity.window(white_noise()[0])) < 0.3


def test_digital_silence_is_no_speech(activity: VoiceActivity) -> None:
    probability = activity.speech(np.zeros((2, PAIR_SAMPLES), np.float32))
    assert probability.shape == (2, 2, N_STEPS)
    assert probability.max() == 0


def test_a_pair_does_not_depend_on_its_batch(activity: VoiceActivity) -> None:
    silence, pair = np.zeros((1, PAIR_SAMPLES), np.float32), vowels()[:, :PAIR_SAMPLES]
    together = activity.speech(np.concatenate([white_noise()[:, :PAIR_SAMPLES], silence, pair]))
    assert np.allclose(together[2], activity.speech(pair)[0], atol=1e-4)
    assert together[1].max() == 0


def test_speech_is_found_where_it_stands(activity: VoiceActivity) -> None:
    late = vowels()
    late[:, : WINDOW_SAMPLES // 2] = 0
    pairs = np.stack([late[0, a : a + PAIR_SAMPLES] for a in range(0, WINDOW_SAMPLES - HOP_SAMPLES, HOP_SAMPLES)])
    seconds = (activity.speech(pairs) >= SPEECH_FROM).mean(axis=2) * HOP_S
    assert seconds[:3].max() == 0
    assert seconds[3].tolist() == [0, pytest.approx(HOP_S, abs=0.2)]
    assert seconds[4:, 1].min() > 0.2
    assert speech_seconds(activity.window(late[0])) == pytest.approx(WINDOW_SAMPLES / SAMPLE_RATE_HZ / 2, abs=0.3)


def test_a_window_holds_its_first_piece_from_rest_and_every_other_after_the_one_before() -> None:
    rows = np.repeat(np.array([[0.25, 0.75]], np.float32), N_STEPS, axis=1).repeat(WINDOW_PIECES - 1, axis=0)
    probability = window_probability(rows)
    assert probability.shape == (WINDOW_PIECES * N_STEPS,)
    assert probability[:N_STEPS].max() == 0.25
    assert probability[N_STEPS:].min() == 0.75
    assert speech_seconds(probability) == 7 * HOP_S


def test_threads_may_share_one(activity: VoiceActivity) -> None:
    pairs = [vowels(seed)[:, :PAIR_SAMPLES] for seed in range(4)]
    alone = [activity.speech(pair) for pair in pairs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(activity.speech, pairs))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.shared_data
def test_recorded_speech_is_speech(activity: VoiceActivity) -> None:
    if not SPEECH.exists():
        pytest.skip("shared data is not here")
    from models.training.voice_data import decode

    window = decode(SPEECH / "clips" / "b_00001.opus")[:WINDOW_SAMPLES]
    assert speech_seconds(activity.window(window)) > 2.0
