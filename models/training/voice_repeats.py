"""Recordings that stand on more than one page.

Demonstration pages share corpora and baselines: the same sentence of LibriTTS, or the same clip of an older system,
is found under several sources. A clip whose twin was trained on tells nothing about new speech, so what is trained
without a page is trained without the twins of its clips as well. The likeness errs towards too many twins.
"""

import json
from pathlib import Path

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


def twins(store: ClipStore, kept: Path) -> dict[int, list[int]]:
    """Return for each clip that has any the clips that are the same recording, at whatever offset.

    Args:
        store: The clips.
        kept: A file of what was found in this store before, or where to keep it.
    """
    if kept.is_file():
        return {int(row): others for row, others in json.loads(kept.read_text()).items()}
    known = torch.from_numpy(np.stack([_fingerprint(store[index]) for index in range(len(store))]))
    found: dict[int, list[int]] = {}
    for row in range(len(store) - 1):
        later = _likeness(known[row], known[row + 1 :])
        for other in (row + 1 + np.flatnonzero(later >= TWIN_FROM)).tolist():
            found.setdefault(row, []).append(other)
            found.setdefault(other, []).append(row)
    kept.write_text(json.dumps(found))
    return found


def _likeness(spectra: torch.Tensor, known: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return the highest correlation of loudness contours with each known clip, 0..1, shape (M,)."""
    products = (known * spectra.conj()).sum(dim=1)  # (M, N_LAGS / 2 + 1)
    highest: npt.NDArray[np.float32] = torch.fft.irfft(products, N_LAGS).amax(dim=1).numpy()
    return highest


def _fingerprint(samples: Samples) -> Spectra:
    """Return the spectra of the clip's loudness contours in BANDS, of norm 1 together, (4, N_LAGS / 2 + 1)."""
    sound = samples[: (N_STEPS + 1) * STEP_SAMPLES]
    frames = np.lib.stride_tricks.sliding_window_view(sound, 2 * STEP_SAMPLES)[::STEP_SAMPLES]  # (T, 640)
    power = np.abs(np.fft.rfft(frames * np.hanning(2 * STEP_SAMPLES))) ** 2
    contours = np.stack([np.log(power[:, low:high].mean(axis=1) + 1e-6 * power.mean()) for low, high in BANDS])
    contours -= contours.mean(axis=1, keepdims=True)  # (4, T), T <= N_STEPS
    contours /= np.sqrt((contours**2).sum()) + 1e-9
    return np.fft.rfft(contours, N_LAGS).astype(np.complex64)
