"""What a recording and a call do to speech, done to both classes with the same probabilities.

`Degrader` is the slow part, run once per clip and variant; its steps stand in the order of reality: the file that the
speech comes from, a room or a loudspeaker, what else is heard, the browser, the line. `spoil_windows` and `hide_bands`
are the quick part, run on every batch: lost packets, pauses and band limits, as serving produces them.
"""

import numpy as np
import torch

from models.audio_features import N_BINS
from models.training.voice_codecs import (
    AMR_BIT_RATES,
    aac,
    amr_nb,
    conceal,
    drop_packets,
    fit,
    g711,
    g722,
    lost_packets,
    mp3,
    opus,
    resample,
)
from models.training.voice_filters import (
    equalised,
    gained,
    high_passed,
    limited,
    low_passed,
    resampled_before,
    speeded,
    suppressed,
)
from models.training.voice_noises import Noise, Others, coloured, hum, keys, mixed, music, voices
from models.training.voice_rooms import Response, decaying_noise, replayed, reverberant, shoebox
from models.voice_quality import MAX_LOST, MIN_SPEECH_S
from models.window import SAMPLE_RATE_HZ, Samples

STRETCH_SAMPLES = 64_000
"""What is degraded of each clip: the chain costs as much as the network does."""
MAX_SPEED = 1.03
UNTOUCHED = 0.15
"""Share of clips of which only the level changes."""
N_ROOMS = 40


class Degrader:
    """Draws one chain of degradations after another; the class of the clip is not known to it."""

    def __init__(self, seed: int, others: Others = ()) -> None:
        """Draw the rooms.

        Args:
            seed: Fixes every draw.
            others: Sounds that may be heard beside a clip, best from `either_class`; without any, no voice is.
        """
        self._rng = np.random.default_rng(seed)
        self._others = others
        self._rooms = [shoebox(self._rng) for _ in range(N_ROOMS)]

    def __call__(self, samples: Samples) -> Samples:
        """Return a stretch of the speech, at most STRETCH_SAMPLES, after a random chain."""
        start = int(self._rng.integers(0, max(0, samples.size - STRETCH_SAMPLES) + 1))
        sound = _levelled(samples[start : start + round(STRETCH_SAMPLES * MAX_SPEED)], 0.7)
        n_samples = min(samples.size - start, STRETCH_SAMPLES)
        if self._rng.random() < UNTOUCHED:
            return _levelled(sound[:n_samples], self._rng.uniform(0.1, 1.0))
        sound = fit(self._file(sound), n_samples)
        sound = self._place(sound)
        sound = self._beside(sound)
        sound = self._browser(sound)
        return self._line(sound)

    def _file(self, sound: Samples) -> Samples:
        """Change speed, come from another rate, lose the top of the band, be compressed: all before the call."""
        if self._rng.random() < 0.2:
            sound = speeded(sound, self._rng.uniform(1.0 / MAX_SPEED, MAX_SPEED))
        if self._rng.random() < 0.3:
            sound = resampled_before(sound, int(self._rng.choice([22_050, 24_000, 44_100, 48_000])), self._rng)
        if self._rng.random() < 0.35:
            sound = low_passed(sound, self._rng.uniform(6_500.0, 7_900.0), self._between(0.01, 0.4))
        if self._rng.random() < 0.25:
            bit_rate = int(self._rng.choice([24_000, 32_000, 48_000, 64_000]))
            sound = mp3(sound, bit_rate) if self._rng.random() < 0.5 else aac(sound, bit_rate)
        return sound

    def _place(self, sound: Samples) -> Samples:
        """Say it in a room, or play it from a loudspeaker in one, before some microphone."""
        draw = self._rng.random()
        if draw < 0.12:
            sound = replayed(sound, self._room(), self._rng)
        elif draw < 0.45:
            sound = reverberant(sound, self._room())
        return equalised(sound, self._rng) if self._rng.random() < 0.6 else sound

    def _room(self) -> Response:
        if self._rng.random() < 0.5:
            return decaying_noise(self._rng)
        return self._rooms[int(self._rng.integers(N_ROOMS))]

    def _beside(self, sound: Samples) -> Samples:
        """Let one thing more be heard in half of the clips, seldom two."""
        for chance in (0.5, 0.12):
            if self._rng.random() < chance:
                beside, below_db = self._noise(sound.size)
                sound = mixed(sound, beside, below_db)
        return sound

    def _noise(self, n_samples: int) -> tuple[Noise, float]:
        """Return what is heard beside the voice and how far below it [dB]."""
        draw = self._rng.random()
        if draw < 0.1:
            return hum(n_samples, self._rng), self._rng.uniform(15.0, 40.0)
        if draw < 0.22:
            return keys(n_samples, self._rng), self._rng.uniform(8.0, 30.0)
        if draw < 0.38:
            return music(n_samples, self._rng), self._rng.uniform(10.0, 30.0)
        if draw < 0.65 and (callable(self._others) or len(self._others)):
            n_voices = 1 if self._rng.random() < 0.5 else int(self._rng.integers(3, 7))
            return voices(self._others, n_voices, n_samples, self._rng), self._rng.uniform(5.0, 25.0)
        return coloured(n_samples, self._rng), self._rng.uniform(3.0, 40.0)

    def _browser(self, sound: Samples) -> Samples:
        """Filter, suppress noise, set the level, and sometimes too loud."""
        if self._rng.random() < 0.35:
            sound = high_passed(sound, self._rng.uniform(80.0, 150.0))
        if self._rng.random() < 0.3:
            floor, excess = self._rng.uniform(0.05, 0.4), self._between(1.0, 8.0)
            sound = suppressed(sound, floor, excess, self._rng.uniform(0.0, 0.9))
        if self._rng.random() < 0.3:
            sound = gained(sound, self._rng.uniform(0.3, 0.8))
        sound = _levelled(sound, self._rng.uniform(0.1, 1.0))
        draw = self._rng.random()
        if draw < 0.1:
            return np.asarray(np.clip(sound * self._rng.uniform(2.0, 6.0), -1.0, 1.0), dtype=np.float32)
        return limited(sound, self._rng.uniform(1.0, 4.0)) if draw < 0.25 else sound

    def _line(self, sound: Samples) -> Samples:
        """Pass one codec or none, and in a call that is forwarded another one."""
        if self._rng.random() < 0.2:
            rate_hz = int(self._rng.choice([8_000, 10_000, 12_000, 14_000]))
            sound = fit(resample(sound, SAMPLE_RATE_HZ, rate_hz, back=True), sound.size)
        sound = self._codec(sound)
        return self._codec(sound) if self._rng.random() < 0.12 else sound

    def _codec(self, sound: Samples) -> Samples:
        share = self._rng.uniform(0.01, 0.12) if self._rng.random() < 0.35 else 0.0
        lost = lost_packets(sound.size, share, self._rng, burst=self._rng.uniform(1.0, 3.0))
        draw = self._rng.random()
        if draw < 0.5:
            return opus(sound, int(self._between(8_000, 48_000)), lost)
        if draw < 0.58:
            return amr_nb(sound, int(self._rng.choice(AMR_BIT_RATES)), lost)
        if draw < 0.66:
            return conceal(g722(sound), lost)
        if draw < 0.8:
            line = g711(sound, "mu" if self._rng.random() < 0.5 else "a", band=bool(self._rng.random() < 0.5))
            return conceal(line, lost)
        return sound

    def _between(self, low: float, high: float) -> float:
        """Draw with every octave alike."""
        return float(np.exp(self._rng.uniform(np.log(low), np.log(high))))


def spoil_windows(samples: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return a batch (B, S) with lost packets and pauses; at least MIN_SPEECH_S of each row stays.

    A pause is digital silence, as the windower leaves a loss and a browser leaves a muted microphone.
    """
    n_samples = samples.shape[1]
    keep = np.ones(samples.shape, dtype=np.float32)
    for row in keep:
        if rng.random() < 0.3:
            row[:] = drop_packets(row, rng.uniform(0.005, MAX_LOST), rng)
        if rng.random() < 0.25:
            n_heard = int(rng.uniform(1.5 * MIN_SPEECH_S * SAMPLE_RATE_HZ, n_samples))
            start = int(rng.integers(0, n_samples - n_heard + 1))
            row[:start] = 0.0
            row[start + n_heard :] = 0.0
    return samples * torch.from_numpy(keep)


def hide_bands(spectrum: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return a batch of centred spectra (B, N_BINS, T) with bands and stretches set to their mean, 0.

    A low-pass filter makes a bin constant, and a constant bin is zero once centred: cutting here is band limiting.
    """
    keep = np.ones((spectrum.shape[0], *spectrum.shape[1:]), dtype=np.float32)
    for row in keep:
        if rng.random() < 0.5:
            row[int(rng.uniform(0.35, 1.0) * N_BINS) :] = 0.0
        if rng.random() < 0.3:
            row[: int(rng.integers(1, 12))] = 0.0
        for _ in range(2):
            width = int(rng.integers(0, 24))
            start = int(rng.integers(0, N_BINS - width))
            row[start : start + width] = 0.0
        width = int(rng.integers(0, 40))
        start = int(rng.integers(0, spectrum.shape[2] - width))
        row[:, start : start + width] = 0.0
    return spectrum * torch.from_numpy(keep)


def _levelled(sound: Samples, peak: float) -> Samples:
    return np.asarray(sound / (np.abs(sound).max() + 1e-6) * peak, dtype=np.float32)
