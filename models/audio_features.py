"""Sound front end: the one place that imports torchaudio, and the log spectrum that the voice network reads.

torchaudio is used for its transforms only. Beside a CPU-only torch its wheel, which is built for CUDA, does not load
its library; the transforms are plain torch and work without it, so the import is tried again with the library left out.
"""

import importlib
import sys
import types
from typing import Any, NoReturn

import torch
from torch import nn

from models.window import SAMPLE_RATE_HZ

# Front end of the voice network. A 25 ms window every 10 ms; linear frequency to 8 kHz keeps the traces of vocoders
# that mel bands smear.
N_FFT = 512
WINDOW_LENGTH = 400
HOP_LENGTH = 160
N_BINS = N_FFT // 2 + 1
FLOOR_DB = 60.0
"""Power this far below the window's mean is not looked at: it is the codec's or the room's, not the voice's [dB]."""
HIDDEN_DB = 30.0
"""Frames this far below the window's mean are pauses: neither their content nor their length may answer [dB]."""

assert SAMPLE_RATE_HZ % HOP_LENGTH == 0


def import_torchaudio() -> types.ModuleType:
    """Import torchaudio, without its compiled library where that does not load.

    PyPI's Linux wheels link libtorch_cuda, so the import raises OSError beside a CPU build of torch. torchaudio itself
    knows how to live without the library (`_IS_TORCHAUDIO_EXT_AVAILABLE`); the stand-in says that it is in that case.

    Raises:
        ModuleNotFoundError: torchaudio is not installed.
    """
    try:
        return importlib.import_module("torchaudio")
    except OSError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchaudio"]:
            del sys.modules[name]
        sys.modules["torchaudio._extension"] = _extension_stand_in()
        return importlib.import_module("torchaudio")


def _extension_stand_in() -> types.ModuleType:
    def unavailable(*_args: Any, **_kwargs: Any) -> NoReturn:
        raise RuntimeError("this torchaudio operation needs its compiled library, which does not load here")

    def replace(_function: Any) -> Any:
        return unavailable

    stand_in = types.ModuleType("torchaudio._extension")
    stand_in.__path__ = []
    for flag in ("_IS_TORCHAUDIO_EXT_AVAILABLE", "_IS_RIR_AVAILABLE", "_IS_ALIGN_AVAILABLE", "_IS_KALDI_AVAILABLE"):
        setattr(stand_in, flag, False)
    for guard in ("fail_if_no_align", "fail_if_no_rir", "fail_if_no_kaldi", "fail_if_no_sox"):
        setattr(stand_in, guard, replace)
    for name in ("_check_cuda_version", "lazy_import_sox_ext", "lazy_import_ffmpeg_ext"):
        setattr(stand_in, name, lambda: None)
    return stand_in


torchaudio = import_torchaudio()


class LogSpectrum(nn.Module):
    """Log power spectrum without level and static colour, and which frames carry sound.

    The transform is a convolution with windowed Fourier kernels, so that every runtime that knows convolutions can
    run it. Each bin loses its mean over the frames that carry sound: gain, microphone and line cancel there.
    """

    kernels: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernels", fourier_kernels(N_FFT, WINDOW_LENGTH), persistent=False)

    def forward(self, samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return spectrum and mask.

        Args:
            samples: float32 (B, S), any level.

        Returns:
            The spectrum in nat / 4, about -4..4 (B, N_BINS, T), zero where the mask is; the mask, 0 or 1 (B, 1, T).
        """
        parts = nn.functional.conv1d(samples.unsqueeze(1), self.kernels, stride=HOP_LENGTH)  # (B, 2 * N_BINS, T)
        power = parts[:, :N_BINS].square() + parts[:, N_BINS:].square()  # (B, N_BINS, T)
        mean = power.mean(dim=(1, 2), keepdim=True) + 1e-12
        mask = (power.mean(dim=1, keepdim=True) > mean * 10 ** (-HIDDEN_DB / 10)).to(power.dtype)  # (B, 1, T)
        log = torch.log(power / mean + 10 ** (-FLOOR_DB / 10))
        centre = (log * mask).sum(dim=2, keepdim=True) / (mask.sum(dim=2, keepdim=True) + 1e-6)  # (B, N_BINS, 1)
        return (log - centre) * mask * 0.25, mask


def fourier_kernels(n_fft: int, length: int) -> torch.Tensor:
    """Return Hann-windowed cosines, then sines, of every bin, shape (2 * (n_fft // 2 + 1), 1, length)."""
    time = torch.arange(length, dtype=torch.float64)
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)
    phase = 2 * torch.pi * bins[:, None] * time[None, :] / n_fft
    window = torch.hann_window(length, periodic=True, dtype=torch.float64)
    return torch.cat([phase.cos() * window, phase.sin() * window]).unsqueeze(1).float()


def mel_filters(n_fft: int, n_mels: int) -> torch.Tensor:
    """Return triangular mel filters of equal area (Slaney), (n_mels, n_fft // 2 + 1)."""
    filters: torch.Tensor = torchaudio.functional.melscale_fbanks(
        n_fft // 2 + 1, 0.0, SAMPLE_RATE_HZ / 2, n_mels, SAMPLE_RATE_HZ, norm="slaney", mel_scale="slaney"
    )
    return filters.T.contiguous()
