"""Why a window of sound was taken for a spoof: its spectrogram, and what each second and band of it contributed.

Samples and the two halves of each view (front end; spectrum to score) go in, a `VoiceExplanation` comes out. The
contributions are integrated gradients from the mean spectrum, which a view takes for a voice without any change over
time, to the window's own: together they are what the view's score differs by. Nothing here judges a window.

Source:
    Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, section 3.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.audio_features import HOP_LENGTH, N_BINS, N_FFT, WINDOW_LENGTH
from models.explanation import VoiceExplanation
from models.window import SAMPLE_RATE_HZ, Samples

N_BANDS, N_COLUMNS = 24, 32
"""Of the grid that leaves. A column is 125 ms: changes of loudness faster than 4 times a second, on which understanding
speech rests (Drullman, Festen and Plomp 1994: 4 to 16 Hz), are averaged away, and so are pitch and the voice's finer
colour. That is no proof against a guess at a short word that one knows might have been said: it is kept as coarse as a
picture of four seconds can be."""
ENERGY_STEP_DB, ENERGY_FLOOR_DB = 6.0, -48.0
"""Loudness is told in steps, nine of them: enough to see syllables and pauses."""
STEPS = 4
"""Of the integral. Measured on an earlier model, the spectral view alone: on thirty spoofs that its training left out,
taking away the fifth of the cells that it blames most raised the raw score by 4.2 (8 steps: 4.2; gradient times input:
3.3; a random fifth: 1.5)."""
STRETCH_COLUMNS = 4
"""Half a second: what a listener can find again."""
FULL_SHARE = 0.5
"""Cells with at least this share of the strongest's contribution are shown at full: one alone would pale the others."""
LEAST_BANDS = 3
"""A kilohertz: single bands of a net's contributions jump from window to window."""
SECOND_SHARE = 0.7
"""A second stretch is named if it contributed at least this share of the first, in the same bands."""
TOP_HZ = SAMPLE_RATE_HZ / 2

Grid = npt.NDArray[np.float32]
FrontEnd = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""Samples (1, S) to a spectrum (1, N_BINS, T), zero = the mean, and the mask of what is no pause (1, 1, T)."""
Judge = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""Spectra (B, N_BINS, T) and their masks (B, 1, T) to raw scores (B,), up = bona fide; differentiable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedView:
    """One view of the sound, in two halves."""

    front_end: FrontEnd
    judge: Judge
    weight: float
    """What its score counts in the raw score."""
    to_bins: torch.Tensor | None = None
    """Which share of a row of its spectrum each linear bin has, (N, F); None where its rows are such bins."""

    def cells(self, samples: torch.Tensor) -> Grid:
        """Return what each cell adds towards spoof, (N_BANDS, N_COLUMNS)."""
        with torch.no_grad():
            spectrum, mask = self.front_end(samples[None])
        towards_spoof = contributions(spectrum, mask, self.judge)  # (F, T)
        if self.to_bins is not None:
            towards_spoof = self.to_bins @ towards_spoof
        return self.weight * _cells(towards_spoof.cpu().numpy())


def explain_voice(samples: torch.Tensor, views: Sequence[ExplainedView], *, start_s: float) -> VoiceExplanation:
    """Return which seconds and bands of a window carry its score.

    Args:
        samples: float32 (S,) at 16 kHz, where the views run.
        views: Those whose scores can be traced back to seconds and bands.
        start_s: Session time of the first sample [s].
    """
    cells = np.asarray(sum(view.cells(samples) for view in views), np.float32)
    full = FULL_SHARE * max(float(np.abs(cells).max()), 1e-12)
    seconds = len(samples) / SAMPLE_RATE_HZ
    columns, rows = worst_cells(cells)
    return VoiceExplanation(
        energy_db=energy_db(samples.cpu().numpy()),
        spoof=np.clip(cells / full, -1, 1),
        top_hz=TOP_HZ,
        stretches_s=tuple((start_s + a / N_COLUMNS * seconds, start_s + b / N_COLUMNS * seconds) for a, b in columns),
        band_hz=(rows[0] * TOP_HZ / N_BANDS, rows[1] * TOP_HZ / N_BANDS) if rows else None,
    )


def contributions(spectrum: torch.Tensor, mask: torch.Tensor, judge: Judge) -> torch.Tensor:
    """Return what each point of a spectrum added towards spoof (above 0) or bona fide, (N_BINS, T); 0 in pauses.

    Args:
        spectrum: Shape (1, N_BINS, T), zero = the mean.
        mask: Shape (1, 1, T), 0 or 1.
        judge: Scores spectra.
    """
    shares = (torch.arange(STEPS, device=spectrum.device) + 0.5) / STEPS
    with torch.enable_grad():
        on_the_way = (spectrum * shares.view(-1, 1, 1)).requires_grad_()  # (STEPS, N_BINS, T)
        raws = judge(on_the_way, mask.expand(STEPS, -1, -1))
        (slopes,) = torch.autograd.grad(raws.sum(), on_the_way)
    return -(spectrum * mask)[0] * slopes.mean(dim=0)


def energy_db(samples: Samples) -> Grid:
    """Return the loudness of each cell under the loudest's, (N_BANDS, N_COLUMNS), in whole steps [dB].

    High bands are raised first, as is usual in pictures of speech: nothing would be seen of them otherwise.
    """
    raised = np.diff(samples, prepend=samples[:1])
    frames = np.lib.stride_tricks.sliding_window_view(raised, WINDOW_LENGTH)[::HOP_LENGTH]  # (T, WINDOW_LENGTH)
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW_LENGTH), N_FFT)) ** 2  # (T, N_BINS)
    cells = _cells(power.T) / np.outer(np.diff(_edges(N_BINS, N_BANDS)), np.diff(_edges(len(frames), N_COLUMNS)))
    under = 10 * np.log10(np.maximum(cells, 1e-12) / max(float(cells.max()), 1e-12))
    return np.asarray(np.round(np.maximum(under, ENERGY_FLOOR_DB) / ENERGY_STEP_DB) * ENERGY_STEP_DB, np.float32)


def worst_cells(cells: Grid) -> tuple[tuple[tuple[int, int], ...], tuple[int, int] | None]:
    """Return the half seconds and the bands that together contributed most towards spoof.

    The strongest of all half seconds in all ranges of bands, counted above what a cell contributes on average; with it
    another half second in the same bands, if there is one nearly as strong. Two that touch are one.

    Returns:
        One or two stretches, as columns from-to by time, and the bands, as rows from-to; none where nothing speaks for
        a spoof.
    """
    above = cells - np.abs(cells).mean()
    sums = np.lib.stride_tricks.sliding_window_view(above, STRETCH_COLUMNS, axis=1).sum(axis=2)  # (N_BANDS, n)
    below = np.concatenate([np.zeros_like(sums[:1]), sums.cumsum(axis=0)])  # (N_BANDS + 1, n)
    ranges = below[None] - below[:, None]  # (low, high, n)
    ranges[np.tril_indices(len(below), LEAST_BANDS - 1)] = 0
    low, high, first = np.unravel_index(ranges.argmax(), ranges.shape)
    within = ranges[low, high]
    if within[first] <= 0:
        return (), None
    apart = np.abs(np.arange(len(within)) - first) >= STRETCH_COLUMNS
    second = int(np.where(apart, within, -np.inf).argmax())
    starts = sorted([int(first), second] if within[second] >= SECOND_SHARE * within[first] else [int(first)])
    if len(starts) == 2 and starts[1] - starts[0] == STRETCH_COLUMNS:
        return ((starts[0], starts[1] + STRETCH_COLUMNS),), (int(low), int(high))
    return tuple((start, start + STRETCH_COLUMNS) for start in starts), (int(low), int(high))


def _cells(points: npt.NDArray[np.floating]) -> Grid:
    """Sum points (N_BINS, T) within each cell, (N_BANDS, N_COLUMNS)."""
    by_band = np.add.reduceat(points, _edges(points.shape[0], N_BANDS)[:-1], axis=0)
    return np.asarray(np.add.reduceat(by_band, _edges(points.shape[1], N_COLUMNS)[:-1], axis=1), np.float32)


def _edges(n_points: int, n_cells: int) -> npt.NDArray[np.int64]:
    """Return where cells begin, and the end of the last: they differ by one point at most."""
    return np.round(np.linspace(0, n_points, n_cells + 1)).astype(np.int64)
