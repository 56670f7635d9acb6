"""Recordings that stand on more than one page.

Demonstration pages share corpora and baselines: the same sentence of LibriTTS, or the same clip of an older system,
is found under several sources. A left-out clip whose twin was trained on tells nothing about new speech, so the figures
and the calibration leave it out. The likeness errs towards too many twins.
"""

import numpy as np
import numpy.typing as npt
import torch

from models.training.voice_data import ClipStore
from models.window import SAMPLE_RATE_HZ, Samples

TWIN_FROM = 0.8
"""The best match of other speech is 0.59 in the median, of the same recording through another codec 0.95 and above."""
STEP_SAMPLES = SAMPLE_RATE_HZ // 50
N_STEPS = 300
N_LAGS = 1024
BANDS = ((3, 20), (20, 60), (60, 120), (120, 280))
"""Bins of 25 Hz."""

Spectra = npt.NDArray[np.complex64]


def repeated(left_out: ClipStore, trained_on: ClipStore) -> npt.NDArray[np.bool_]:
    """Return which left-out clips have a twin among the clips trained on, at whatever offset, shape (N,)."""
    known = torch.from_numpy(np.stack([_fingerprint(trained_on[index]) for index in range(len(trained_on))]))
    return np.array([_likeness(_fingerprint(left_out[index]), known) >= TWIN_FROM for index in range(len(left_out))])


def _likeness(spectra: Spectra, known: torch.Tensor) -> float:
    """Return the highest correlation of loudness contours with any known clip, 0..1."""
    products = (known * torch.from_numpy(spectra).conj()).sum(dim=1)  # (M, N_LAGS / 2 + 1)
    return float(torch.fft.irfft(products, N_LAGS).max())


def _fingerprint(samples: Samples) -> Spectra:
    """Return the spectra of the clip's loudness contours in BANDS, of norm 1 together, (4, N_LAGS / 2 + 1)."""
    sound = samples[: (N_STEPS + 1) * STEP_SAMPLES]
    frames = np.lib.stride_tricks.sliding_window_view(sound, 2 * STEP_SAMPLES)[::STEP_SAMPLES]  # (T, 640)
    power = np.abs(np.fft.rfft(frames * np.hanning(2 * STEP_SAMPLES))) ** 2
    contours = np.stack([np.log(power[:, low:high].mean(axis=1) + 1e-6 * power.mean()) for low, high in BANDS])
    contours -= contours.mean(axis=1, keepdims=True)  # (4, T), T <= N_STEPS
    contours /= np.sqrt((contours**2).sum()) + 1e-9
    return np.fft.rfft(contours, N_LAGS).astype(np.complex64)
