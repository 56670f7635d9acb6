"""What a call does to speech, done to both classes with the same probabilities.

`Degrader` is the slow part, run once per clip and variant: room, noise, equaliser, automatic gain, clipping, narrower
bands, real codecs. `spoil_windows` and `hide_bands` are the quick part, run on every batch: lost packets, pauses and
band limits, as serving produces them.
"""

import io

import av
import numpy as np
import numpy.typing as npt
import torch

from models.audio_features import N_BINS, torchaudio
from models.training.voice_data import decode
from models.voice_quality import MAX_LOST, MIN_SPEECH_S
from models.window import SAMPLE_RATE_HZ, Samples

PACKET_SAMPLES = 320
"""20 ms: what one lost packet takes away."""
STRETCH_SAMPLES = 64_000
"""What is degraded of each clip: the chain costs as much as the network does."""
MU = 255.0


def opus(samples: Samples, bit_rate: int) -> Samples:
    """Return speech after libopus in its telephony mode, same length and in step.

    Args:
        samples: 16 kHz mono (S,).
        bit_rate: [bit/s], 6,000 and up.
    """
    return _coded(samples, bit_rate, "libopus", "ogg", "s16", PACKET_SAMPLES)


def mp3(samples: Samples, bit_rate: int) -> Samples:
    """Return speech after MP3, as recordings of both classes often come to be; same length and in step.

    Args:
        samples: 16 kHz mono (S,).
        bit_rate: [bit/s], 16,000 and up.
    """
    return _coded(samples, bit_rate, "libmp3lame", "mp3", "s16p", 576)


def _coded(samples: Samples, bit_rate: int, codec: str, container_format: str, sample_format: str, n: int) -> Samples:
    """Return speech after a codec of libav that takes frames of `n` samples."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_format) as container:
        stream = container.add_stream(codec, rate=SAMPLE_RATE_HZ, layout="mono")
        assert isinstance(stream, av.AudioStream)
        stream.bit_rate = bit_rate
        stream.options = {"application": "voip", "compression_level": "0"} if codec == "libopus" else {}
        pcm = (np.clip(np.pad(samples, (0, -samples.size % n)), -1.0, 1.0) * 32767.0).astype(np.int16)
        for start in range(0, pcm.size, n):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + n], format=sample_format, layout="mono")
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    buffer.seek(0)
    return _fit(decode(buffer), samples.size)


def g711(samples: Samples) -> Samples:
    """Return speech after a telephone line: 8 kHz, mu-law in 8 bits (ITU-T G.711), same length."""
    narrow = np.clip(_resample(samples, SAMPLE_RATE_HZ, 8_000), -1.0, 1.0)
    code = np.round((np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU) + 1.0) * 127.5) / 127.5 - 1.0
    line = np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU
    return _fit(_resample(line.astype(np.float32), 8_000, SAMPLE_RATE_HZ), samples.size)


def drop_packets(samples: Samples, share: float, rng: np.random.Generator) -> Samples:
    """Return speech with whole packets zero, as the windower leaves them."""
    lost = rng.random(-(-samples.size // PACKET_SAMPLES)) < share
    return np.where(np.repeat(lost, PACKET_SAMPLES)[: samples.size], np.float32(0.0), samples)


class Degrader:
    """Draws one chain of a call's degradations after another; the class of the clip is not known to it."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def __call__(self, samples: Samples) -> Samples:
        """Return a stretch of the speech, at most STRETCH_SAMPLES, after a random chain."""
        start = int(self._rng.integers(0, max(0, samples.size - STRETCH_SAMPLES) + 1))
        samples = samples[start : start + STRETCH_SAMPLES]
        sound = samples / (np.abs(samples).max() + 1e-6) * 0.7
        if self._rng.random() < 0.4:
            sound = self._room(sound)
        if self._rng.random() < 0.7:
            sound = self._filter(sound)
        if self._rng.random() < 0.6:
            sound = self._noise(sound)
        if self._rng.random() < 0.3:
            sound = self._automatic_gain(sound)
        sound = sound / (np.abs(sound).max() + 1e-6) * self._rng.uniform(0.1, 1.0)
        if self._rng.random() < 0.15:
            sound = np.clip(sound * self._rng.uniform(2.0, 6.0), -1.0, 1.0)
        if self._rng.random() < 0.25:
            sound = self._narrower(sound)
        return self._codec(sound.astype(np.float32))

    def _room(self, sound: Samples) -> Samples:
        """Noise that decays by 60 dB within 0.1 to 0.7 s behind the direct sound."""
        decay_s = self._rng.uniform(0.1, 0.7)
        tail = self._rng.standard_normal(int(decay_s * SAMPLE_RATE_HZ))
        tail *= np.exp(-6.9 * np.arange(tail.size) / tail.size)
        tail *= self._rng.uniform(0.2, 1.2) / np.linalg.norm(tail)
        tail[0] = 1.0
        return _convolve(sound, tail)

    def _filter(self, sound: Samples) -> Samples:
        """Microphone and line: smooth random gains over frequency, and often the ends of the band cut off."""
        n_points = 8
        edges_hz = np.linspace(0.0, 8_000.0, n_points)
        gains_db = self._rng.normal(0.0, 4.0, n_points)
        spectrum = np.fft.rfft(sound)
        at_hz = np.linspace(0.0, 8_000.0, spectrum.size)
        curve_db = np.interp(at_hz, edges_hz, gains_db)
        if self._rng.random() < 0.5:
            curve_db -= 0.08 * np.maximum(at_hz - self._rng.uniform(2_800.0, 7_800.0), 0.0)
        if self._rng.random() < 0.4:
            curve_db -= 0.3 * np.maximum(self._rng.uniform(60.0, 320.0) - at_hz, 0.0)
        spectrum *= 10 ** (np.maximum(curve_db, -80.0) / 20)
        return np.fft.irfft(spectrum, sound.size).astype(np.float32)

    def _noise(self, sound: Samples) -> Samples:
        """Coloured noise, 3 to 40 dB under the speech."""
        spectrum = np.fft.rfft(self._rng.standard_normal(sound.size))
        spectrum /= (np.arange(spectrum.size) + 50.0) ** self._rng.uniform(0.0, 1.2)
        noise = np.fft.irfft(spectrum, sound.size)
        level = np.sqrt(np.mean(sound**2)) / (np.sqrt(np.mean(noise**2)) + 1e-9)
        loud = level * 10 ** (-self._rng.uniform(3.0, 40.0) / 20)
        return np.asarray(sound + noise * loud, dtype=np.float32)

    def _automatic_gain(self, sound: Samples) -> Samples:
        """A browser's gain control: quiet stretches come up over about half a second."""
        power = _convolve(sound**2, np.full(SAMPLE_RATE_HZ // 2, 2.0 / SAMPLE_RATE_HZ))
        envelope = np.sqrt(np.maximum(power, 1e-6))
        gain = (envelope / envelope.max() + 0.05) ** -self._rng.uniform(0.3, 0.8)
        return np.asarray(sound * gain, dtype=np.float32)

    def _narrower(self, sound: Samples) -> Samples:
        rate_hz = int(self._rng.choice([8_000, 10_000, 12_000, 14_000]))
        return _fit(_resample(sound.astype(np.float32), SAMPLE_RATE_HZ, rate_hz, back=True), sound.size)

    def _codec(self, sound: Samples) -> Samples:
        if self._rng.random() < 0.25:
            sound = mp3(sound, int(self._rng.choice([24_000, 32_000, 48_000, 64_000])))
        draw = self._rng.random()
        if draw < 0.5:
            return opus(sound, int(np.exp(self._rng.uniform(np.log(8_000), np.log(48_000)))))
        return g711(sound) if draw < 0.7 else sound


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


def _convolve(sound: Samples, kernel: npt.NDArray[np.float64]) -> Samples:
    """Return the start of a linear convolution, as long as the sound."""
    size = 1 << (sound.size + kernel.size - 1).bit_length()
    product = np.fft.rfft(sound, size) * np.fft.rfft(kernel, size)
    return np.fft.irfft(product, size)[: sound.size].astype(np.float32)


def _resample(samples: Samples, from_hz: int, to_hz: int, *, back: bool = False) -> Samples:
    sound = torchaudio.functional.resample(torch.from_numpy(samples), from_hz, to_hz)
    if back:
        sound = torchaudio.functional.resample(sound, to_hz, from_hz)
    resampled: Samples = sound.numpy()
    return resampled


def _fit(samples: Samples, size: int) -> Samples:
    return np.pad(samples, (0, max(0, size - samples.size)))[:size].astype(np.float32)
