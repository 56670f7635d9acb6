"""Traits of how a call's sound was made, from the last half minute at the rate it was decoded at. Pure."""

from collections import deque

import numpy as np
import numpy.typing as npt

from models.traits import Trait
from models.window import Samples

MEMORY_S = 30.0
FRAME_S = 0.02
BLOCK_FRAMES = 10
"""Transformed at once: ten times cheaper than one by one."""
MIN_SPEECH_FRAMES, MIN_PAUSE_FRAMES = 150, 25
SPEECH_DB = 15.0
"""Speech is no further below the call's loud frames [dB]."""
PAUSE_DB = 35.0
"""A pause is further below them [dB]."""
ZERO = 1.5 / 32768
"""Zero, or one step of 16 bits from it, is what a microphone in a room does not give."""

CODEC_EDGES_HZ = (3400, 4000, 6000, 8000, 12000, 20000)
"""Where telephone lines and Opus cut (RFC 6716, table 1)."""
EDGE_SLACK_HZ, EDGE_WIDTH_HZ = 350, 300
EDGE_BAND_HZ = (2800, 18000)
FLOOR_DB = -85.0
"""Of the spectrum: what lies lower is rounding."""

MIRRORS_HZ = (4000.0, 5512.5, 6000.0, 8000.0, 11025.0, 12000.0)
"""Half of the sample rates in use; a careless resampler leaves an image of what is below above it."""
MIRROR_BAND_HZ = (200, 1500)
SMOOTH_BINS = 7
"""What is subtracted as the band's slope: 350 Hz, about two harmonics."""


class SoundTraits:
    """Watches the sound of one track."""

    def __init__(self) -> None:
        self._rate_hz = 0
        self._rest: Samples = np.zeros(0, np.float32)
        self._peaks: deque[npt.NDArray[np.float32]] = deque()
        self._spectra: deque[npt.NDArray[np.float32]] = deque()
        """Of blocks of frames, as of `_peaks`."""

    def push(self, samples: Samples, rate_hz: int) -> None:
        """Take the next sound, shape (S,), full scale -1..1; another rate begins anew."""
        if rate_hz != self._rate_hz:
            self._rate_hz, self._rest = rate_hz, np.zeros(0, np.float32)
            self._peaks.clear()
            self._spectra.clear()
        sound = np.concatenate([self._rest, samples])
        size = round(rate_hz * FRAME_S)
        n = len(sound) // size
        if n < BLOCK_FRAMES:
            self._rest = sound
            return
        self._rest = sound[n * size :]
        frames = sound[: n * size].reshape(n, size)  # (N, S)
        power = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2 / size
        self._spectra.append(np.asarray(10 * np.log10(power + 1e-12), np.float32))
        self._peaks.append(np.asarray(np.abs(frames).max(axis=1), np.float32))
        while sum(map(len, self._peaks)) - len(self._peaks[0]) > MEMORY_S / FRAME_S:
            self._spectra.popleft()
            self._peaks.popleft()

    def values(self) -> dict[Trait, float]:
        """Return the traits that can be told now."""
        if not self._spectra:
            return {}
        spectra, peaks = np.concatenate(self._spectra), np.concatenate(self._peaks)  # (N, F) [dB], (N,)
        if len(spectra) < MIN_SPEECH_FRAMES:
            return {}
        level = 10 * np.log10((10 ** (spectra / 10)).sum(axis=1) + 1e-12)
        loud = float(np.percentile(level, 95))
        found, is_pause = dict[Trait, float](), level < loud - PAUSE_DB
        if is_pause.sum() >= MIN_PAUSE_FRAMES:
            found[Trait.DIGITAL_ZERO] = float((peaks[is_pause] <= ZERO).mean())
        speech = spectra[level > loud - SPEECH_DB]
        if len(speech) >= MIN_SPEECH_FRAMES:
            hz = np.arange(speech.shape[1]) / FRAME_S
            found[Trait.BAND_EDGE] = _edge_db(speech, hz)
            found[Trait.MIRRORED] = max(_mirrored(speech, hz, mirror_hz) for mirror_hz in MIRRORS_HZ)
        return found


def _edge_db(speech: npt.NDArray[np.float32], hz: npt.NDArray[np.float64]) -> float:
    """Return the steepest fall of the mean spectrum over `EDGE_WIDTH_HZ` that no codec makes [dB]."""
    mean = np.maximum(speech.mean(axis=0), FLOOR_DB)
    width = round(EDGE_WIDTH_HZ * FRAME_S)
    # Means on both sides, so that a single harmonic is no edge.
    smooth = np.convolve(mean, np.ones(width) / width, "valid")
    fall = smooth[:-width] - smooth[width:]
    centre = hz[width : width + len(fall)]
    is_codecs = np.abs(centre[:, None] - np.array(CODEC_EDGES_HZ)).min(axis=1) < EDGE_SLACK_HZ
    is_asked = (centre > EDGE_BAND_HZ[0]) & (centre < EDGE_BAND_HZ[1]) & ~is_codecs
    return float(fall[is_asked].max(initial=0.0))


def _mirrored(speech: npt.NDArray[np.float32], hz: npt.NDArray[np.float64], mirror_hz: float) -> float:
    """Return the correlation of the fine spectrum below a frequency with the one above it, turned round."""
    if mirror_hz + MIRROR_BAND_HZ[1] > hz[-1]:
        return 0.0
    away = np.arange(round(MIRROR_BAND_HZ[0] * FRAME_S), round(MIRROR_BAND_HZ[1] * FRAME_S))
    centre = mirror_hz * FRAME_S
    below, above = (_fine(speech[:, np.round(centre + side * away).astype(int)]) for side in (-1, 1))
    return float((below * above).sum() / np.sqrt((below**2).sum() * (above**2).sum() + 1e-9))


def _fine(band: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return harmonics without the band's slope and level, frame by frame; rounding noise counts as flat."""
    band = np.maximum(band, FLOOR_DB)
    sums = np.cumsum(band, axis=1, dtype=np.float64)
    smooth = (sums[:, SMOOTH_BINS:] - sums[:, :-SMOOTH_BINS]) / SMOOTH_BINS
    half = SMOOTH_BINS // 2
    return np.asarray(band[:, half + 1 : half + 1 + smooth.shape[1]] - smooth, np.float32)
