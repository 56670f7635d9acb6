"""Says whether a window of sound can be judged: enough speech, loud over the noise, wide and whole enough, no music.

The samples of a window and Silero's probabilities of speech enter, measures leave; the measures enter, the reason
leaves for which the window is not judged, or None. Every measure is relative to the window's own sound, so that gain
and silence around the speech change nothing. Numpy alone, no network: 3 ms of CPU for a window.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Reason, Samples

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

STEP_SAMPLES = 512
"""What is or is not speech: 32 ms, as long as the steps of `models.voice_activity`."""
N_FFT = 2 * STEP_SAMPLES
N_BINS = N_FFT // 2 + 1
BIN_HZ = SAMPLE_RATE_HZ / N_FFT
BAND_BINS = 8
"""Bins of a band: 125 Hz, enough of them that a band's power hardly swings within noise."""
FIRST_BIN = 4
"""Below 62 Hz there is mains hum and rumble, no voice."""
N_BANDS = (N_BINS - 1 - FIRST_BIN) // BAND_BINS

N_STEPS = WINDOW_SAMPLES // STEP_SAMPLES
SPEECH_FROM = 0.5
MIN_FRAMES = 6
"""Fewer frames of 64 ms, every 32, are too few to say anything of."""
MUTE_SHARE = 0.1
"""Samples that are exactly zero; with more of them a step is lost or digital silence, and shows no noise."""
MUTE_POWER = 1e-8
"""Nor does a frame so far under the loudest, by power: it holds a constant, and the rounding of the transform."""
QUIET_POWER = 1e-5
"""Frames so far under the loudest are pauses: whether tones ring in them is not asked."""
LOW_HZ, HIGH_HZ = 400.0, 4_000.0
"""Where tones are looked for: below, a voice's own harmonics hold still for long enough to be taken for music."""
TONE_RATIO = 4.0
"""A tone's bin stands this far over the mean of the 17 bins around it, by power."""
TONE_FRAMES = 8
"""A tone holds still this long to count: 288 ms."""
FAINT = 1e-4
"""What is this far under a frame's strongest bin is no tone of its own, by power."""
LOW_SHARE = 0.1
FLOOR_SHARE = 0.5
"""The tenth part of a band's frames that is lowest, and the noise's mean that its upper end then is: both at once make
white and coloured noise of 0 to 20 dB come out within 1 dB under speech without a pause."""
MAX_SNR_DB = 60.0
"""More is not told apart: a codec's or a gate's silence is no cleaner voice."""
LOUD_SHARE = 0.9
"""Of the frames with speech: hisses, which alone reach the top of the band, are a tenth of them at least."""
BAND_FLOOR_DB = 50.0
"""So far under its loudest band a voice ends, and codecs and resamplers begin [dB]."""
RAIL = 0.99
"""Of the window's own highest or lowest value: a clipped wave stays there, also after gain was taken off."""

MAX_LOST = 0.25
"""Share of a window that may be missing: the recipe trains on holes of up to this share."""
MIN_SPEECH_S = 1.0
"""Speech that a window must hold; the recipe trains on windows with this much at least [s]."""

# Beyond all undegraded speech of half of the sources, of both classes, and where the network of the time ranked worst
# (AUC 0.85 undegraded): 0.60 below 5 dB and 0.71 or more above; 0.72 where over 0.4 is clipped and 0.78 below. Noise
# made it take everything for bona fide. Pooled figures of the other half had been seen before the limits were chosen.
MIN_SNR_DB = 5.0
MAX_CLIPPED = 0.4
MIN_BANDWIDTH_HZ = 2_500.0
"""Less than any telephone gives; the recipe trains on 2.8 kHz and more [Hz]."""
MAX_MUSIC = 0.2
"""Speech of either class reaches 0.14, but for one clip at 0.44; instruments 0.05 to 0.5."""
TELEPHONE_BELOW_HZ = 5_250.0
"""A line of 8,000 samples a second ends at 4 kHz, but resamplers leave traces of it up to 5 kHz; a recording from which
MP3 took the top ends at 5.5 kHz or more [Hz]."""


class Channel(StrEnum):
    """What a voice came through: each class has its own calibration."""

    WIDEBAND = "wideband"
    TELEPHONE = "telephone"
    """A line of 8,000 samples a second: nothing above 4 kHz."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceQuality:
    """What is measured of a window's sound."""

    speech_s: float
    """Speech in it [s]."""
    snr_db: float
    """Speech over noise, by power, while somebody speaks [dB]; -inf without speech."""
    clipped: float
    """Share of the speech that stands at the window's own highest or lowest value, 0..1."""
    bandwidth_hz: float
    """Up to where there is sound while somebody speaks [Hz]; 0 without speech."""
    music: float
    """Share of the sound's power in tones that hold still for a quarter of a second, 0..1."""


@dataclass(frozen=True, slots=True)
class _Frames:
    """The window's spectrum and what each frame of it is."""

    power: Floats
    """(T, N_BINS)"""
    is_heard: Flags
    """Not lost and not digital silence, (T,)."""
    is_speech: Flags


_WINDOW = np.hanning(N_FFT + 1)[:-1].astype(np.float32)


def measure(samples: Samples, speech_probability: Floats) -> VoiceQuality:
    """Measure what `gate` judges.

    Args:
        samples: float32 (WINDOW_SAMPLES,) at 16 kHz, any level; lost stretches zero.
        speech_probability: float32 (N,), 0..1, evenly over the window, from `models.voice_activity`.
    """
    speech_probability = at_steps(speech_probability)
    frames = _frames(samples, speech_probability)
    n_speech = int((speech_probability >= SPEECH_FROM).sum()) * STEP_SAMPLES
    bands = frames.power[:, FIRST_BIN : FIRST_BIN + N_BANDS * BAND_BINS]
    bands = bands.reshape(-1, N_BANDS, BAND_BINS).mean(axis=2)  # (T, N_BANDS)
    has_speech = int(frames.is_speech.sum()) >= MIN_FRAMES
    return VoiceQuality(
        speech_s=n_speech / SAMPLE_RATE_HZ,
        snr_db=snr_db(bands, frames.is_heard, frames.is_speech) if has_speech else float("-inf"),
        clipped=min(n_clipped(samples) / max(n_speech, SAMPLE_RATE_HZ), 1.0),
        bandwidth_hz=bandwidth_hz(bands[frames.is_speech]) if has_speech else 0.0,
        music=tones(frames.power[frames.is_heard]),
    )


def at_steps(speech_probability: Floats) -> Floats:
    """Return probabilities that lie evenly over a window at our own steps, (N_STEPS,)."""
    at = (np.arange(N_STEPS) + 0.5) * (len(speech_probability) / N_STEPS)
    return np.asarray(speech_probability[at.astype(int)], np.float32)


def _frames(samples: Samples, speech_probability: Floats) -> _Frames:
    cut = np.lib.stride_tricks.sliding_window_view(samples, N_FFT)[::STEP_SAMPLES]  # (T, N_FFT)
    spectrum = np.fft.rfft(cut * _WINDOW, axis=1)
    is_mute = (samples.reshape(-1, STEP_SAMPLES) == 0).mean(axis=1) > MUTE_SHARE  # (N_STEPS,)
    is_said = speech_probability >= SPEECH_FROM
    power = np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)  # (T, N_BINS)
    loud = power[:, FIRST_BIN:].sum(axis=1)  # (T,)
    is_heard = ~(is_mute[1:] | is_mute[:-1]) & (loud > MUTE_POWER * loud.max())
    return _Frames(power, is_heard, is_said[1:] & is_said[:-1] & is_heard)


def snr_db(bands: Floats, is_heard: Flags, is_speech: Flags) -> float:
    """Return how far speech stands over the noise, by power [dB].

    The noise is what each band sinks to: between words, syllables and harmonics every band is without voice at times,
    so it needs no pause, and a pause that a noise gate made silent does not hide the noise under the words. What
    swings as speech does, such as other people talking, is not found; in speech without noise it ends at 20 to 50 dB.

    Args:
        bands: Power of each band, shape (T, N_BANDS).
        is_heard: Which frames count, shape (T,).
        is_speech: Which of them are speech, shape (T,).

    Source: the manner of Martin, Noise Power Spectral Density Estimation Based on Optimal Smoothing and Minimum
        Statistics, 2001, over one window instead of a running one.
    """
    heard = bands[is_heard]
    low = int(LOW_SHARE * len(heard))
    noise = float(np.partition(heard, low, axis=0)[low].sum()) / FLOOR_SHARE
    total = float(bands[is_speech].mean(axis=0).sum())
    ratio = total / max(noise, 1e-20) - 1.0
    return float(10 * np.log10(min(max(ratio, 1e-3), 10 ** (MAX_SNR_DB / 10))))


def bandwidth_hz(bands: Floats) -> float:
    """Return up to where there is sound, voice or noise, while somebody speaks [Hz].

    Args:
        bands: Power of each band in the frames of speech, shape (T, N_BANDS).
    """
    at = int(LOUD_SHARE * len(bands))
    loud = np.partition(bands, at, axis=0)[at]  # (N_BANDS,)
    reached = np.flatnonzero(loud > loud.max() * 10 ** (-BAND_FLOOR_DB / 10))
    return float((FIRST_BIN + BAND_BINS * (int(reached[-1]) + 1)) * BIN_HZ) if reached.size else 0.0


def n_clipped(samples: Samples) -> int:
    """Return how many samples stay at the window's own highest or lowest value, three in a row or more."""
    high, low = float(samples.max()), float(samples.min())
    count = 0
    for at_rail in (samples > RAIL * high if high > 0 else None, samples < RAIL * low if low < 0 else None):
        if at_rail is not None:
            count += int((at_rail[2:] & at_rail[1:-1] & at_rail[:-2]).sum())
    return count


def tones(power: Floats) -> float:
    """Return the share of the power that is in tones that hold still, 0..1: a voice's pitch never does for long.

    Args:
        power: Of the frames that are heard, shape (T, N_BINS).
    """
    if len(power) <= TONE_FRAMES:
        return 0.0
    is_peak, inner = _peaks(power)
    total = inner.sum(axis=1)
    is_near = is_peak.copy()  # a tone may lie between two bins
    is_near[:, 1:] |= is_peak[:, :-1]
    is_near[:, :-1] |= is_peak[:, 1:]
    count = np.cumsum(np.pad(is_near, ((1, 0), (0, 0))), axis=0, dtype=np.int32)
    starts = count[TONE_FRAMES:] - count[:-TONE_FRAMES] == TONE_FRAMES  # (T - TONE_FRAMES + 1, n)
    is_still = np.zeros_like(is_peak)
    for delay in range(TONE_FRAMES):
        is_still[delay : delay + len(starts)] |= starts
    still = (inner * (is_still & is_peak)).sum(axis=1)
    is_loud = total > QUIET_POWER * total.max()
    return float((still[is_loud] / total[is_loud]).mean()) if is_loud.any() else 0.0


def _peaks(power: Floats) -> tuple[Flags, Floats]:
    """Return which bins between LOW_HZ and HIGH_HZ stand out of their surroundings, and their power, both (T, n)."""
    low, high = int(LOW_HZ / BIN_HZ), int(HIGH_HZ / BIN_HZ)
    inner = power[:, low:high]
    total = np.cumsum(np.pad(power[:, low - 8 : high + 8], ((0, 0), (1, 0))), axis=1)
    around = (total[:, 17:] - total[:, :-17]) / 17
    is_top = (inner >= power[:, low - 1 : high - 1]) & (inner > power[:, low + 1 : high + 1])
    return is_top & (inner > TONE_RATIO * around) & (inner > FAINT * inner.max(axis=1, keepdims=True)), inner


def channel(quality: VoiceQuality) -> Channel:
    """Return the class of the line that a window came through."""
    return Channel.TELEPHONE if quality.bandwidth_hz < TELEPHONE_BELOW_HZ else Channel.WIDEBAND


def gate(quality: VoiceQuality, n_lost: int = 0) -> Reason | None:
    """Return why a window must not be scored, None if it may; of several reasons the one that the others follow from.

    Args:
        quality: What `measure` says of it.
        n_lost: Samples of it that never arrived.
    """
    if n_lost > MAX_LOST * WINDOW_SAMPLES:
        return Reason.LOST
    if quality.music > MAX_MUSIC:
        return Reason.MUSIC
    if quality.speech_s < MIN_SPEECH_S:
        return Reason.SILENCE
    if quality.snr_db < MIN_SNR_DB:
        return Reason.NOISE
    if quality.clipped > MAX_CLIPPED:
        return Reason.CLIPPED
    if quality.bandwidth_hz < MIN_BANDWIDTH_HZ:
        return Reason.BAND_LIMITED
    return None
