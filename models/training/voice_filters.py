"""What files and browsers do to a voice without coding it: other rates, band limits, gains, noise suppression."""

import math

import numpy as np
import numpy.typing as npt
import torch

from models.audio_features import torchaudio
from models.training.voice_codecs import fit
from models.training.voice_rooms import convolved
from models.window import SAMPLE_RATE_HZ, Samples

NYQUIST_HZ = SAMPLE_RATE_HZ / 2
FRAME_SAMPLES = 512
"""32 ms, half of it new: what noise suppression looks at at once."""


def resampled_before(sound: Samples, rate_hz: int, rng: np.random.Generator) -> Samples:
    """Return sound that was at another rate and came to 16 kHz by one of the filters in use, good or bad.

    Args:
        sound: 16 kHz mono (S,).
        rate_hz: Where it comes from, above 16 kHz.
        rng: Draws the filter.
    """
    n_samples = sound.size
    # Both rates need whole samples, or the sound would drift.
    sound = np.pad(sound, (0, -n_samples % (SAMPLE_RATE_HZ // math.gcd(rate_hz, SAMPLE_RATE_HZ))))
    there = stretched(sound, sound.size * rate_hz // SAMPLE_RATE_HZ)
    if rng.random() < 0.25:
        at = np.arange(n_samples) * (rate_hz / SAMPLE_RATE_HZ)
        return np.asarray(np.interp(at, np.arange(there.size), there), dtype=np.float32)
    width, rolloff = int(rng.integers(2, 24)), float(rng.uniform(0.85, 0.995))
    back = torchaudio.functional.resample(
        torch.from_numpy(there), rate_hz, SAMPLE_RATE_HZ, lowpass_filter_width=width, rolloff=rolloff
    )
    return fit(back.numpy(), n_samples)


def speeded(sound: Samples, factor: float) -> Samples:
    """Return sound played faster by `factor`, its pitch with it: shorter by as much."""
    return stretched(sound, round(sound.size / factor))


def stretched(sound: Samples, n_samples: int) -> Samples:
    """Return the sound at so many samples, by its spectrum: a filter as steep as can be."""
    spectrum = np.fft.rfft(sound)
    resized = np.zeros(n_samples // 2 + 1, dtype=np.complex128)
    n_kept = min(spectrum.size, resized.size)
    resized[:n_kept] = spectrum[:n_kept]
    return (np.fft.irfft(resized, n_samples) * (n_samples / sound.size)).astype(np.float32)


def low_passed(sound: Samples, edge_hz: float, db_per_hz: float) -> Samples:
    """Return the sound, falling from `edge_hz` upwards."""
    return _shaped(sound, -db_per_hz * np.maximum(_at_hz(sound) - edge_hz, 0.0))


def high_passed(sound: Samples, edge_hz: float, db_per_octave: float = 12.0) -> Samples:
    """Return the sound, falling from `edge_hz` downwards."""
    return _shaped(sound, -db_per_octave * np.maximum(np.log2(edge_hz / np.maximum(_at_hz(sound), 1.0)), 0.0))


def equalised(sound: Samples, rng: np.random.Generator) -> Samples:
    """Return the sound through a microphone and its line: smooth gains, and often the ends of the band cut off."""
    at_hz = _at_hz(sound)
    n_points = 8
    curve_db = np.interp(at_hz, np.linspace(0.0, NYQUIST_HZ, n_points), rng.normal(0.0, 4.0, n_points))
    if rng.random() < 0.5:
        curve_db -= 0.08 * np.maximum(at_hz - rng.uniform(2_800.0, 7_800.0), 0.0)
    if rng.random() < 0.4:
        curve_db -= 0.3 * np.maximum(rng.uniform(60.0, 320.0) - at_hz, 0.0)
    return _shaped(sound, curve_db)


def gained(sound: Samples, strength: float) -> Samples:
    """Return the sound after a browser's gain control: quiet stretches come up over about half a second.

    Args:
        sound: 16 kHz mono (S,).
        strength: 0 leaves it, 1 makes everything equally loud.
    """
    power = convolved(sound**2, np.full(SAMPLE_RATE_HZ // 2, 2.0 / SAMPLE_RATE_HZ))
    envelope = np.sqrt(np.maximum(power, 1e-6))
    return np.asarray(sound * (envelope / envelope.max() + 0.05) ** -strength, dtype=np.float32)


def limited(sound: Samples, drive: float) -> Samples:
    """Return the sound, `drive` times as loud, bent to stay below 1."""
    return np.asarray(np.tanh(sound * drive), dtype=np.float32)


def suppressed(sound: Samples, floor: float, excess: float, smooth: float) -> Samples:
    """Return the sound after noise suppression: in each band, what little exceeds the quiet moments is turned down.

    Args:
        sound: 16 kHz mono (S,).
        floor: Gain at which noise stays, 0..1.
        excess: How many times the quiet moments' power counts as noise.
        smooth: How much of the last frame's gain is kept, 0..1; little leaves musical noise.

    Source: Berouti et al. 1979, spectral subtraction with over-subtraction and a floor.
    """
    hop = FRAME_SAMPLES // 2
    window = np.sqrt(np.hanning(FRAME_SAMPLES + 1)[:-1])
    padded = np.pad(sound, (hop, hop + -sound.size % hop + hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, FRAME_SAMPLES)[::hop]  # (T, FRAME_SAMPLES)
    spectra = np.fft.rfft(frames * window)  # (T, FRAME_SAMPLES / 2 + 1)
    power = np.abs(spectra) ** 2
    noise = np.percentile(power, 15, axis=0) * 2.0
    gains = np.sqrt(np.maximum(1.0 - excess * noise / (power + 1e-9), floor**2))
    for number in range(1, len(gains)):
        gains[number] += smooth * (gains[number - 1] - gains[number])
    parts = np.fft.irfft(spectra * gains, FRAME_SAMPLES) * window
    halves = np.zeros((len(parts) + 1, hop))
    halves[:-1] += parts[:, :hop]
    halves[1:] += parts[:, hop:]
    return halves.reshape(-1)[hop : hop + sound.size].astype(np.float32)


def _at_hz(sound: Samples) -> npt.NDArray[np.float64]:
    return np.linspace(0.0, NYQUIST_HZ, sound.size // 2 + 1)


def _shaped(sound: Samples, curve_db: npt.NDArray[np.float64]) -> Samples:
    """Return the sound with a gain over frequency, at the least -80 dB."""
    spectrum = np.fft.rfft(sound) * 10 ** (np.maximum(curve_db, -80.0) / 20)
    return np.fft.irfft(spectrum, sound.size).astype(np.float32)
