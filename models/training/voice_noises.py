"""What is heard beside a voice: other voices, hum, keys, music, and noise of any colour."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from models.training.voice_data import Clip, ClipStore
from models.window import SAMPLE_RATE_HZ, Samples

Noise = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator], Samples]
Others = Sequence[Samples] | Draw
"""Sounds that may be heard beside a clip, or what draws one of them."""


def mixed(sound: Samples, beside: npt.NDArray[np.floating], below_db: float) -> Samples:
    """Return the sound with another one `below_db` under it in power."""
    level = np.sqrt(np.mean(sound**2)) / (np.sqrt(np.mean(beside**2)) + 1e-9)
    return np.asarray(sound + beside * level * 10 ** (-below_db / 20), dtype=np.float32)


def either_class(clips: Sequence[Clip], store: ClipStore, rows: Sequence[int]) -> Draw:
    """Return what draws one of these clips of the store, of either class with equal chance: it cannot answer."""
    by_class = [[row for row in rows if clips[row].is_spoof is spoof] for spoof in (False, True)]
    by_class = [some for some in by_class if some]

    def draw(rng: np.random.Generator) -> Samples:
        return store[int(rng.choice(by_class[int(rng.integers(len(by_class)))]))]

    return draw


def another(others: Others, rng: np.random.Generator) -> Samples:
    """Return one of the other sounds."""
    return others(rng) if callable(others) else others[int(rng.integers(len(others)))]


def voices(others: Others, n_voices: int, n_samples: int, rng: np.random.Generator) -> Noise:
    """Return so many other voices at once, as loud as each other, repeated where they are short."""
    heard = np.zeros(n_samples)
    for _ in range(n_voices):
        voice = another(others, rng)
        said = np.resize(np.roll(voice, -int(rng.integers(voice.size))), n_samples)
        heard += said / (np.sqrt(np.mean(said**2)) + 1e-4)
    return heard


def coloured(n_samples: int, rng: np.random.Generator) -> Noise:
    """Return noise between white and somewhat darker than pink."""
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    spectrum /= (np.arange(spectrum.size) + 50.0) ** rng.uniform(0.0, 1.2)
    return np.fft.irfft(spectrum, n_samples)


def hum(n_samples: int, rng: np.random.Generator) -> Noise:
    """Return the mains, at 50 or 60 Hz, with harmonics that fall off."""
    mains_hz = rng.choice([50.0, 60.0]) * rng.uniform(0.998, 1.002)
    steepness = rng.uniform(0.3, 1.5)
    turns = np.exp(2j * np.pi * mains_hz * np.arange(n_samples) / SAMPLE_RATE_HZ)
    wave, power = np.zeros(n_samples), np.ones(n_samples, dtype=np.complex128)
    for harmonic in range(1, int(rng.integers(3, 12))):
        power = power * turns
        wave += rng.uniform(0.2, 1.0) * harmonic**-steepness * (power * np.exp(1j * rng.uniform(0.0, 6.28))).real
    return wave


def keys(n_samples: int, rng: np.random.Generator) -> Noise:
    """Return two to eight strokes a second of a keyboard: short bursts that ring at the keyboard's own pitch."""
    wave = np.zeros(n_samples)
    rings_hz = rng.uniform(400.0, 5_000.0)
    n_strokes = max(1, int(rng.uniform(2.0, 8.0) * n_samples / SAMPLE_RATE_HZ))
    time_s = np.arange(SAMPLE_RATE_HZ // 25) / SAMPLE_RATE_HZ
    for start in rng.integers(0, n_samples, n_strokes).tolist():
        burst = rng.standard_normal(time_s.size) + 2.0 * np.sin(2 * np.pi * rings_hz * time_s)
        stroke = rng.uniform(0.3, 1.0) * burst * np.exp(-time_s / rng.uniform(0.001, 0.008))
        wave[start : start + stroke.size] += stroke[: n_samples - start]
    return wave


def music(n_samples: int, rng: np.random.Generator) -> Noise:
    """Return chords of three notes whose harmonics die away, each overtone sooner than the one below."""
    wave = np.zeros(n_samples)
    root_hz, n_beat = rng.uniform(110.0, 260.0), int(rng.uniform(0.3, 1.0) * SAMPLE_RATE_HZ)
    time_s = np.arange(min(2 * n_beat, n_samples)) / SAMPLE_RATE_HZ
    fade = np.minimum(1.0, time_s / 0.005) * np.minimum(1.0, (time_s[-1] - time_s) / 0.05)
    for start in range(0, n_samples, n_beat):
        degree = int(rng.choice([0, 2, 3, 5, 7, 9]))
        for step in (0, int(rng.choice([3, 4])), 7):
            turns = np.exp((2j * np.pi * root_hz * 2 ** ((degree + step) / 12) - rng.uniform(1.0, 4.0)) * time_s)
            note = _overtones(turns, int(rng.integers(2, 6)), rng) * fade
            wave[start : start + note.size] += note[: n_samples - start]
    return wave


def _overtones(turns: npt.NDArray[np.complex128], n_harmonics: int, rng: np.random.Generator) -> Noise:
    """Return a sum of powers of a decaying oscillation: the harmonics of one note."""
    wave, power = np.zeros(turns.size), np.ones(turns.size, dtype=np.complex128)
    for harmonic in range(1, n_harmonics + 1):
        power = power * turns
        wave += rng.uniform(0.3, 1.0) / harmonic * power.imag
    return wave
