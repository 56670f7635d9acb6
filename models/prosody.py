"""The prosody view: melody, loudness and pauses of a voice, whatever its timbre and channel.

Sound enters in blocks of one second, as in `models.voice_speech`: loudness, pitch and voicing of every 10 ms leave, and
a window's blocks make its features. Breath and micro-pauses are what lies between the loud frames.
"""

from itertools import pairwise

import torch
from torch import nn

from models.window import SAMPLE_RATE_HZ

FRAME_SAMPLES = 640
"""40 ms: two periods of the deepest voice."""
HOP_LENGTH = 160
N_FRAMES = SAMPLE_RATE_HZ // HOP_LENGTH
"""Of a block."""
N_FFT = 1024
LAGS = (40, 320)
"""Periods that are searched, 400 down to 50 Hz [samples]."""
OCTAVE_COST = 0.2
"""Likeness that the longest lag loses against the shortest in the search."""
VOICED_FROM = 0.5
"""Autocorrelation of a voiced frame; noise stays below 0.3."""
PAUSE_DB = 25.0
"""Frames this far below the window's mean are pauses [dB]."""
MAX_STEP = 0.2
"""A larger jump of pitch from frame to frame is an error of the search [octave]."""
MODULATION_HZ = (0.4, 2.0, 4.0, 8.0, 16.0, 32.0, 50.0)
LEVELS = (0.02, 0.05, 0.1, 0.25, 0.5, 0.75)
N_FEATURES = 29


class ProsodyBlocks(nn.Module):
    """Turns blocks of sound into loudness [dB], pitch [octave] and voicing of each frame, each block by itself."""

    row_size = 3 * N_FRAMES

    window_lags: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        own = torch.hann_window(FRAME_SAMPLES, dtype=torch.float64)
        lags = torch.fft.irfft(torch.fft.rfft(own, 2 * N_FFT).abs().square())[: LAGS[1]]
        self.register_buffer("window_lags", (lags / lags[0]).float(), persistent=False)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Return (B, 3 * N_FRAMES) of blocks (B, 16000), any level."""
        side = (FRAME_SAMPLES - HOP_LENGTH) // 2
        frames = nn.functional.pad(samples, (side, side)).unfold(1, FRAME_SAMPLES, HOP_LENGTH)  # (B, T, FRAME_SAMPLES)
        power = frames[..., side : side + HOP_LENGTH].square().mean(dim=2)  # (B, T)
        spectrum = torch.fft.rfft(frames * torch.hann_window(FRAME_SAMPLES), N_FFT)
        lags = torch.fft.irfft(spectrum.abs().square())[..., : LAGS[1]]  # (B, T, L)
        likeness = lags[..., LAGS[0] :] / (lags[..., :1] * self.window_lags[LAGS[0] :] + 1e-9)
        # Two periods of a steady voice are as alike as one: the shorter is its pitch.
        favour = 1 - OCTAVE_COST * torch.arange(LAGS[1] - LAGS[0]) / LAGS[1]
        place = (likeness * favour).argmax(dim=2)  # (B, T)
        voicing = likeness.gather(2, place.unsqueeze(2)).squeeze(2)
        pitch = torch.log2(SAMPLE_RATE_HZ / (place + LAGS[0]).to(samples.dtype))
        loudness = 10 * torch.log10(power + 1e-12)
        return torch.cat([loudness, pitch, voicing.clamp(0, 1)], dim=1)


def window_features(rows: torch.Tensor) -> torch.Tensor:
    """Return the features (B, N_FEATURES) of windows from the rows of their blocks (B, n, 3 * N_FRAMES)."""
    loudness, pitch, voicing = rows.reshape(len(rows), -1, 3, N_FRAMES).transpose(1, 2).flatten(2).unbind(1)  # (B, T)
    mean_db = 10 * torch.log10((10 ** (loudness / 10)).mean(dim=1, keepdim=True) + 1e-12)
    loudness = (loudness - mean_db).clamp(min=-60.0)
    spoken = (loudness > -PAUSE_DB).to(loudness.dtype)
    return torch.stack([*_loudness(loudness, spoken), *_pauses(loudness, spoken), *_melody(pitch, voicing, spoken)], 1)


def _loudness(loudness: torch.Tensor, spoken: torch.Tensor) -> list[torch.Tensor]:
    steps = loudness[:, 1:] - loudness[:, :-1]
    both = spoken[:, 1:] * spoken[:, :-1]
    found = [_mean(steps.abs(), both), _deviation(loudness, spoken), steps.quantile(0.01, 1), steps.quantile(0.99, 1)]
    top = loudness.amax(dim=1)
    found += [loudness.quantile(level, 1) - top for level in LEVELS]
    n = loudness.shape[1]
    power = torch.fft.rfft((loudness - loudness.mean(1, keepdim=True)) * torch.hann_window(n)).abs().square()  # (B, F)
    rates_hz = torch.arange(power.shape[1]) * (SAMPLE_RATE_HZ / HOP_LENGTH / n)
    total = power[:, 1:].sum(dim=1) + 1e-9
    for low, high in pairwise(MODULATION_HZ):
        found.append(torch.log(power[:, (rates_hz >= low) & (rates_hz < high)].sum(dim=1) / total + 1e-6))
    return found


def _pauses(loudness: torch.Tensor, spoken: torch.Tensor) -> list[torch.Tensor]:
    pause = 1 - spoken
    begins = (spoken[:, :-1] * pause[:, 1:]).sum(dim=1)
    still = pause[:, 1:] * pause[:, :-1]
    steps = (loudness[:, 1:] - loudness[:, :-1]).abs()
    return [
        begins,
        pause.mean(dim=1),
        pause.sum(dim=1) / (begins + 1),
        _deviation(loudness, pause),
        _mean(steps, still),
    ]


def _melody(pitch: torch.Tensor, voicing: torch.Tensor, spoken: torch.Tensor) -> list[torch.Tensor]:
    voiced = spoken * (voicing > VOICED_FROM).to(pitch.dtype)
    steps = pitch[:, 1:] - pitch[:, :-1]
    known = voiced[:, 1:] * voiced[:, :-1] * (steps.abs() < MAX_STEP).to(pitch.dtype)
    bends = steps[:, 1:] - steps[:, :-1]
    both = known[:, 1:] * known[:, :-1]
    return [
        _mean(pitch, voiced),
        _deviation(pitch, voiced),
        _mean(steps.abs(), known),
        _deviation(steps, known),
        _mean(bends.abs(), both),
        _mean(voicing, voiced),
        _deviation(voicing, voiced),
        voiced.mean(dim=1),
    ]


def _mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (values * weight).sum(dim=1) / (weight.sum(dim=1) + 1e-6)


def _deviation(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    mean = _mean(values, weight).unsqueeze(1)
    return (_mean((values - mean).square(), weight) + 1e-6).sqrt()
