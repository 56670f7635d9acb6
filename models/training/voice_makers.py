"""Makers of copies: genuine speech enters, the same words in the same voice said by a vocoder leave.

Every maker is one callable, samples to samples at 16 kHz; `copied` sees to length and level, so that neither can tell
a copy from its original. A maker whose package or file is absent is named by `makers` and left out.

Source: D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", 1984; M. Morise et al.,
"WORLD: a vocoder-based high-quality speech synthesis system", 2016; J. Makhoul, "Linear prediction", 1975; J. Kong
et al., "HiFi-GAN", NeurIPS 2020.
"""

import importlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch

from models.audio_features import torchaudio
from models.training import voice_vocoder
from models.window import SAMPLE_RATE_HZ, Samples

HIFIGAN_RATE_HZ = 22_050
N_FFT = 1024
HOP_LENGTH = 256
MEL_TOP_HZ = 8_000.0
LPC_ORDER = 20
LPC_HOP = 128
LPC_FRAME = 512


Maker = Callable[[Samples, np.random.Generator], Samples]
"""One way of saying a clip again; what it leaves to chance it takes from the generator and from torch's own."""


def copied(maker: Maker, samples: Samples, seed: int) -> Samples:
    """Return the copy, as long and as loud as the original, the same for the same seed.

    Args:
        maker: One of `makers`.
        samples: float32 (S,), 16 kHz.
        seed: Of everything that the maker leaves to chance.

    Raises:
        ValueError: The maker gave something that is no sound.
    """
    torch.manual_seed(seed)
    with torch.no_grad():
        copy = np.asarray(maker(samples, np.random.default_rng(seed)), dtype=np.float32)[: samples.size]
    copy = np.pad(copy, (0, samples.size - copy.size))
    power = float(np.mean(copy**2))
    if not np.isfinite(power) or power == 0.0:
        raise ValueError(f"{maker} gave silence or no number for {samples.size} samples")
    louder = np.sqrt(float(np.mean(samples**2)) / power)
    level: Samples = (copy * min(louder, 0.99 / float(np.abs(copy).max()))).astype(np.float32)
    return level


class Hifigan:
    """HiFi-GAN V1 as ONNX, fed with the speech's own mel spectrum, plain or blurred as an acoustic model's would be."""

    def __init__(self, path: Path, *, blurred: bool) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._up = torchaudio.transforms.Resample(SAMPLE_RATE_HZ, HIFIGAN_RATE_HZ)
        self._down = torchaudio.transforms.Resample(HIFIGAN_RATE_HZ, SAMPLE_RATE_HZ)
        self._pad = torch.nn.ReflectionPad1d((N_FFT - HOP_LENGTH) // 2)
        self._mel = _mel_spectrum(HIFIGAN_RATE_HZ, 80, center=False)
        self._blurred = blurred

    def __call__(self, samples: Samples, _rng: np.random.Generator) -> Samples:
        sound = self._pad(self._up(torch.from_numpy(samples))[None])  # (1, S)
        mel = self._mel(sound).clamp(min=1e-5).log()  # (1, 80, T)
        mel = _blurred(mel) if self._blurred else mel
        said = self._session.run(None, {"mel": mel.numpy()})[0].reshape(-1)
        copy: Samples = self._down(torch.from_numpy(said)).numpy()
        return copy


class OwnVocoder:
    """A checkpoint of `voice_vocoder`."""

    def __init__(self, path: Path, *, blurred: bool) -> None:
        self._vocoder = voice_vocoder.load(path)
        self._mel = voice_vocoder.LogMel(self._vocoder.config)
        self._blurred = blurred

    def __call__(self, samples: Samples, _rng: np.random.Generator) -> Samples:
        mel = self._mel(torch.from_numpy(samples)[None])  # (1, n_mels, T)
        copy: Samples = self._vocoder(_blurred(mel) if self._blurred else mel)[0].numpy()
        return copy


class GriffinLim:
    """Phase made up from the magnitude spectrum; with mel bands, the magnitudes are guessed back from those first."""

    def __init__(self, n_iter: int, n_mels: int | None = None, hop: int = HOP_LENGTH) -> None:
        self._phase = torchaudio.transforms.GriffinLim(n_fft=N_FFT, hop_length=hop, n_iter=n_iter)
        self._spectrum = torchaudio.transforms.Spectrogram(n_fft=N_FFT, hop_length=hop)
        self._through: torch.Tensor | None = None
        if n_mels is not None:
            bands = torchaudio.functional.melscale_fbanks(N_FFT // 2 + 1, 0.0, MEL_TOP_HZ, n_mels, SAMPLE_RATE_HZ).T
            self._through = torch.linalg.pinv(bands) @ bands  # (n_bins, n_bins): least squares, there and back

    def __call__(self, samples: Samples, _rng: np.random.Generator) -> Samples:
        power = self._spectrum(torch.from_numpy(samples))  # (n_bins, T)
        if self._through is not None:
            power = (self._through @ power.sqrt()).clamp(min=0.0).square()
        copy: Samples = self._phase(power).numpy()
        return copy


class World:
    """WORLD: pitch, envelope and aperiodicity taken apart and put together again."""

    def __init__(self, pyworld: ModuleType, *, coded: bool = False, altered: bool = False) -> None:
        self._world = pyworld
        self._coded = coded
        self._altered = altered

    def __call__(self, samples: Samples, rng: np.random.Generator) -> Samples:
        sound = samples.astype(np.float64)
        rough, times = self._world.dio(sound, SAMPLE_RATE_HZ)
        pitch_hz = self._world.stonemask(sound, rough, times, SAMPLE_RATE_HZ)
        envelope = self._world.cheaptrick(sound, pitch_hz, times, SAMPLE_RATE_HZ)  # (T, n_bins)
        noise = self._world.d4c(sound, pitch_hz, times, SAMPLE_RATE_HZ)  # (T, n_bins)
        if self._coded:  # as statistical synthesis does: few numbers a frame
            n_fft = 2 * (envelope.shape[1] - 1)
            few = self._world.code_spectral_envelope(envelope, SAMPLE_RATE_HZ, 40)
            envelope = self._world.decode_spectral_envelope(few, SAMPLE_RATE_HZ, n_fft)
            few = self._world.code_aperiodicity(noise, SAMPLE_RATE_HZ)
            noise = self._world.decode_aperiodicity(few, SAMPLE_RATE_HZ, n_fft)
        if self._altered:
            pitch_hz, envelope = _another_voice(pitch_hz, envelope, rng)
        copy: Samples = self._world.synthesize(pitch_hz, envelope, noise, SAMPLE_RATE_HZ).astype(np.float32)
        return copy


def _another_voice(
    pitch_hz: npt.NDArray[np.float64], envelope: npt.NDArray[np.float64], rng: np.random.Generator
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Move pitch by 2 to 8 semitones and formants by 4 to 18 %, the same way, as from one speaker to another."""
    way = rng.choice((-1.0, 1.0))
    raised_hz = pitch_hz * 2.0 ** (way * rng.uniform(2.0, 8.0) / 12.0)
    stretch = 1.0 + way * rng.uniform(0.04, 0.18)
    bins = np.arange(envelope.shape[1])
    moved = np.stack([np.interp(bins / stretch, bins, frame) for frame in envelope])
    return raised_hz, np.ascontiguousarray(moved)


def source_filter(samples: Samples, rng: np.random.Generator) -> Samples:
    """Say speech again by linear prediction: pulses or noise through an all-pole filter, frame by frame."""
    frames = _frames(samples)  # (T, LPC_FRAME)
    spectrum = np.abs(np.fft.rfft(frames, 2 * LPC_FRAME)) ** 2  # (T, n_bins)
    lags = np.fft.irfft(spectrum)[:, :LPC_FRAME]  # (T, LPC_FRAME)
    envelope = _all_pole(lags)  # (T, n_bins)
    excitation = _excitation(lags, samples.size + LPC_FRAME, rng)
    driven = np.fft.rfft(_frames(excitation[: samples.size]), 2 * LPC_FRAME) * envelope
    parts = np.fft.irfft(driven)  # (T, 2 * LPC_FRAME)
    copy = np.zeros(samples.size + 3 * LPC_FRAME)
    for number, part in enumerate(parts):
        copy[number * LPC_HOP : number * LPC_HOP + part.size] += part
    return copy[: samples.size].astype(np.float32)


def _frames(samples: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    padded = np.pad(samples.astype(np.float64), (0, LPC_FRAME))
    n_frames = (padded.size - LPC_FRAME) // LPC_HOP + 1
    index = np.arange(LPC_FRAME) + LPC_HOP * np.arange(n_frames)[:, None]
    windowed: npt.NDArray[np.float64] = padded[index] * np.hanning(LPC_FRAME)  # (T, LPC_FRAME)
    return windowed


def _all_pole(lags: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return gain over |A| of each frame from its autocorrelation, (T, LPC_FRAME) to (T, LPC_FRAME + 1)."""
    order = np.arange(LPC_ORDER)
    matrix = lags[:, np.abs(order[:, None] - order)]  # (T, order, order)
    matrix = matrix + (1e-4 * lags[:, :1, None] + 1e-7) * np.eye(LPC_ORDER)
    weights = np.linalg.solve(matrix, lags[:, 1 : LPC_ORDER + 1, None])[..., 0]  # (T, order)
    left = lags[:, 0] - (weights * lags[:, 1 : LPC_ORDER + 1]).sum(axis=1)
    polynomial = np.concatenate([np.ones((len(lags), 1)), -weights], axis=1)
    gain = np.sqrt(np.maximum(left, 1e-10))[:, None]
    shape: npt.NDArray[np.float64] = gain / np.abs(np.fft.rfft(polynomial, 2 * LPC_FRAME))
    return shape


def _excitation(lags: npt.NDArray[np.float64], n_samples: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return pulses where a frame repeats itself at 60 to 400 Hz, and noise of the same power elsewhere."""
    shortest, longest = SAMPLE_RATE_HZ // 400, SAMPLE_RATE_HZ // 60
    searched = lags[:, shortest:longest]
    period = np.repeat(searched.argmax(axis=1) + shortest, LPC_HOP)[:n_samples]
    voiced = np.repeat(searched.max(axis=1) > 0.35 * lags[:, 0], LPC_HOP)[:n_samples]
    period = np.pad(period, (0, n_samples - period.size), mode="edge")
    voiced = np.pad(voiced, (0, n_samples - voiced.size), mode="edge")
    turns = np.cumsum(1.0 / period)
    pulses = np.diff(np.floor(turns), prepend=0.0) * np.sqrt(period)
    return np.where(voiced, pulses, rng.standard_normal(n_samples))


def _mel_spectrum(rate_hz: int, n_mels: int, *, center: bool) -> torch.nn.Module:
    spectrum: torch.nn.Module = torchaudio.transforms.MelSpectrogram(
        rate_hz,
        n_fft=N_FFT,
        hop_length=HOP_LENGTH,
        n_mels=n_mels,
        f_max=MEL_TOP_HZ,
        power=1.0,
        center=center,
        norm="slaney",
        mel_scale="slaney",
    )
    return spectrum


def _blurred(mel: torch.Tensor) -> torch.Tensor:
    """Average over three frames and three bands: acoustic models say mels smoother than speech is."""
    return torch.nn.functional.avg_pool2d(mel[:, None], 3, stride=1, padding=1, count_include_pad=False)[:, 0]


PLAIN: dict[str, Callable[[], Maker]] = {
    "Griffin-Lim-8-copy": lambda: GriffinLim(8),
    "Griffin-Lim-64-copy": lambda: GriffinLim(64),
    "Griffin-Lim-mel80-copy": lambda: GriffinLim(32, 80),
    "Griffin-Lim-mel100-copy": lambda: GriffinLim(32, 100, hop=160),
    "LPC-copy": lambda: source_filter,
}
"""Makers that need nothing but this package."""
WORLD: dict[str, Callable[[ModuleType], Maker]] = {
    "WORLD-copy": World,
    "WORLD-coded-copy": partial(World, coded=True),
    "WORLD-altered-copy": partial(World, altered=True),
}
HIFIGAN = {"HiFi-GAN-copy": False, "HiFi-GAN-blurred-copy": True}
OWN = {
    "Vocos-mel80-hop256-copy": ("mel80_hop256", False),
    "Vocos-mel80-hop256-blurred-copy": ("mel80_hop256", True),
    "Vocos-mel100-hop160-copy": ("mel100_hop160", False),
}
ATTACKS = (*PLAIN, *WORLD, *HIFIGAN, *OWN)
"""Every maker's name, in the order in which they take turns, present or not."""


QUICK = frozenset((*OWN, "Griffin-Lim-8-copy", "LPC-copy"))
"""Makers that take a twentieth of the sound's own time or less on one core; HiFi-GAN takes half of it."""


def makers(hifigan: Path | None, own: Path | None) -> tuple[dict[str, Maker], dict[str, str]]:
    """Return the makers that can work here by name, and for each of the others what it lacks.

    Args:
        hifigan: ONNX file of HiFi-GAN V1: 80 mel bands at 22.05 kHz, hop 256.
        own: Folder with the checkpoints of `voice_vocoder`.
    """
    found: dict[str, Maker] = {name: build() for name, build in PLAIN.items()}
    lacking: dict[str, str] = {}
    try:
        pyworld = importlib.import_module("pyworld")
        found |= {name: build(pyworld) for name, build in WORLD.items()}
    except ModuleNotFoundError:
        lacking |= dict.fromkeys(WORLD, "the package pyworld-prebuilt")
    for name, blurred in HIFIGAN.items():
        if hifigan is not None and hifigan.is_file():
            found[name] = Hifigan(hifigan, blurred=blurred)
        else:
            lacking[name] = f"a HiFi-GAN file, got {hifigan}"
    for name, (stem, blurred) in OWN.items():
        path = None if own is None else own / f"{stem}.safetensors"
        if path is not None and path.is_file():
            found[name] = OwnVocoder(path, blurred=blurred)
        else:
            lacking[name] = f"a checkpoint of models.training.voice_vocoder, got {path}"
    return found, lacking
