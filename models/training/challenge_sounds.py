"""Voices that hum, whisper, clap and say digits, and attackers' voices: what the laboratory of active checks hears.

A hum is a train of pulses through formants, with the wobble of a voice; a whisper is somebody's own speech with its
pulses replaced by breath (linear prediction); a clap is a burst that decays. A text-to-speech answers with a sentence,
after the time that it takes to make one. A converter of voices is linear prediction with another pitch and other
formants, which makes a voice of everything that it hears, as converters do.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from models.challenge import Challenge, ChallengeKind, Step
from models.training import voice_codecs
from models.window import SAMPLE_RATE_HZ, Samples

Rng = np.random.Generator
Array = npt.NDArray[np.float64]

REST_S = 4.0
"""Before the request."""
ORDER = 18
FRAME, HOP = 640, 320
OPUS_BITS_S = 24_000


class Speaker(StrEnum):
    """Whose sound it is."""

    BONA_FIDE = "bona_fide"
    REPLAY = "replay"
    """A recording of somebody who talks."""
    TEXT_TO_SPEECH = "text_to_speech"
    VOICE_CONVERSION = "voice_conversion"


def sound(who: Speaker, speech: Samples, challenge: Challenge, rng: Rng) -> Samples:
    """Return what the service hears of somebody, from `REST_S` before the request on.

    Args:
        who: Speaks.
        speech: Of a genuine speaker: as they talked before, and as a text-to-speech or a recording goes on.
        challenge: What is asked.
        rng: Of all that is drawn.
    """
    n_rest, n_all = round(REST_S * SAMPLE_RATE_HZ), round((REST_S + challenge.seconds) * SAMPLE_RATE_HZ)
    heard = np.resize(speech, n_all).astype(np.float64)
    if who is not Speaker.REPLAY:
        heard[n_rest:] = 0
        late_s = rng.uniform(1.5, 3.0) if who is Speaker.TEXT_TO_SPEECH else rng.uniform(0.5, 1.6)
        answer = speech if who is Speaker.TEXT_TO_SPEECH else _done(challenge, speech, rng)
        start = n_rest + round(late_s * SAMPLE_RATE_HZ)
        part = answer[: n_all - start]
        heard[start : start + len(part)] = part
    if who is Speaker.VOICE_CONVERSION:
        heard = converted(heard, rng)
    level = float(np.sqrt((speech**2).mean()))
    room = rng.normal(0, level * 10 ** (rng.uniform(-45, -30) / 20), n_all)
    return voice_codecs.opus(np.clip(heard + room, -1, 1).astype(np.float32), OPUS_BITS_S)


def _done(challenge: Challenge, speech: Samples, rng: Rng) -> Samples:
    """Return what is asked, as a person does it."""
    level = float(np.sqrt((speech**2).mean()))
    if challenge.kind is ChallengeKind.HUM:
        parts = [_glide(step is Step.GLIDE_UP, rng, level) for step in challenge.steps]
    elif challenge.kind is ChallengeKind.CLAP:
        parts = [_clap(rng, level) for _ in challenge.steps]
    elif challenge.kind is ChallengeKind.WHISPER:
        return whispered(speech[: round(2.0 * SAMPLE_RATE_HZ)], rng)
    else:
        parts = [_syllable(rng, level) for _ in range(challenge_syllables(challenge, rng))]
    return np.concatenate(parts).astype(np.float32)


def challenge_syllables(challenge: Challenge, rng: Rng) -> int:
    """Return how many syllables the digits have in one of the languages, drawn."""
    from models.challenge_score import SYLLABLES

    language = rng.choice(sorted(SYLLABLES))
    return sum(SYLLABLES[language][int(digit)] for digit in challenge.code)


def whispered(speech: Samples, rng: Rng) -> Samples:
    """Return speech with breath in place of its pitch."""
    breath = rng.normal(0, 1, len(speech))
    return np.asarray(0.35 * _resynthesised(speech.astype(np.float64), breath), np.float32)


def converted(heard: Array, rng: Rng) -> Array:
    """Return what a converter makes of a sound: its envelope moved, its excitation a voice's."""
    pitch = rng.uniform(100, 220)
    pulses = np.zeros(len(heard))
    wobble = np.cumsum(rng.normal(0, 0.002, len(heard) // HOP + 1))
    at = 0.0
    while at < len(heard):
        pulses[int(at)] = 1.0
        at += SAMPLE_RATE_HZ / (pitch * 2 ** float(np.clip(wobble[int(at) // HOP], -0.2, 0.2)))
    pulses += rng.normal(0, 0.02, len(heard))
    return _resynthesised(heard, pulses, stretch=rng.uniform(0.95, 1.08))


def _resynthesised(sound: Array, excitation: Array, stretch: float = 1.0) -> Array:
    """Return a sound with its spectral envelope and loudness kept, frame by frame, and another excitation."""
    out, weight = np.zeros(len(sound) + FRAME), np.zeros(len(sound) + FRAME)
    window = np.hanning(FRAME)
    for start in range(0, len(sound) - FRAME, HOP):
        frame = sound[start : start + FRAME] * window
        energy = float((frame**2).mean())
        if energy < 1e-9:
            continue
        a = _lpc(frame)
        if stretch != 1.0:
            a = a * stretch ** -np.arange(len(a))
        made = lfilter([1.0], a, excitation[start : start + FRAME] * window)
        made *= np.sqrt(energy / max(float((made**2).mean()), 1e-12))
        out[start : start + FRAME] += made
        weight[start : start + FRAME] += window
    return np.asarray((out / np.maximum(weight, 0.3))[: len(sound)])


def _lpc(frame: Array) -> Array:
    """Return a frame's prediction filter by Levinson and Durbin, with some white noise for its stability."""
    r = np.correlate(frame, frame, "full")[len(frame) - 1 : len(frame) + ORDER].copy()
    r[0] *= 1.0001
    a, error = np.array([1.0]), float(r[0])
    for i in range(1, ORDER + 1):
        reflection = -float(a @ r[i:0:-1][: len(a)]) / max(error, 1e-12)
        a = np.r_[a, 0.0] + reflection * np.r_[a, 0.0][::-1]
        error *= 1 - reflection**2
    return a


def _glide(is_up: bool, rng: Rng, level: float) -> Samples:
    seconds, low = rng.uniform(0.9, 1.6), rng.uniform(90, 200)
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    octaves = rng.uniform(0.5, 0.95) * (t / seconds if is_up else 1 - t / seconds)
    phase = np.cumsum(low * 2 ** (octaves + 0.01 * np.sin(2 * np.pi * 5.5 * t)) / SAMPLE_RATE_HZ)
    tone = sum(np.sin(2 * np.pi * k * phase) / k**1.6 for k in range(1, 9))
    made = tone * np.hanning(len(t)) ** 0.3
    return np.asarray(
        np.r_[made / made.std() * level, np.zeros(round(rng.uniform(0.35, 0.7) * SAMPLE_RATE_HZ))], np.float32
    )


def _clap(rng: Rng, level: float) -> Samples:
    t = np.arange(round(0.25 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    burst = rng.normal(0, 1, len(t)) * np.exp(-t / rng.uniform(0.008, 0.02))
    made = np.clip(burst * level * rng.uniform(4, 8), -0.95, 0.95)
    return np.asarray(np.r_[made, np.zeros(round(rng.uniform(0.25, 0.5) * SAMPLE_RATE_HZ))], np.float32)


def _syllable(rng: Rng, level: float) -> Samples:
    t = np.arange(round(rng.uniform(0.16, 0.26) * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    pulses = np.sign(np.sin(2 * np.pi * np.cumsum(np.full(len(t), rng.uniform(110, 210))) / SAMPLE_RATE_HZ)) + 0.0
    for hz in (rng.uniform(350, 750), rng.uniform(1000, 2200)):
        pulses = pulses + np.sin(2 * np.pi * hz * t)
    made = pulses * np.hanning(len(t))
    pause = np.zeros(round(rng.uniform(0.04, 0.16) * SAMPLE_RATE_HZ))
    return np.asarray(np.r_[made / made.std() * level, pause], np.float32)
