"""The voice signal: four seconds of sound in, one raw score out, up = bona fide.

The network sees no level, no static colour and no pauses (`models.audio_features.LogSpectrum` takes them away), and it
is asked only about windows that `models.voice_quality.gate` lets through: silence is never evidence. The raw score
becomes a log-likelihood ratio through the checkpoint's calibration, not here.
"""

import torch
from torch import nn

from models import checkpoint
from models.audio_features import N_BINS, LogSpectrum

CHECKPOINT = "voice"


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a short cut, with the channels reweighted by their mean (squeeze and excitation)."""

    def __init__(self, n_in: int, n_out: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        self.excite = nn.Sequential(
            nn.Conv2d(n_out, n_out // 4, 1), nn.ReLU(inplace=True), nn.Conv2d(n_out // 4, n_out, 1), nn.Sigmoid()
        )
        self.short_cut = nn.Sequential(
            nn.AvgPool2d(stride, stride, ceil_mode=True), nn.Conv2d(n_in, n_out, 1, bias=False), nn.BatchNorm2d(n_out)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.body(x)
        y = y * self.excite(y.mean(dim=(2, 3), keepdim=True))
        return torch.relu(y + self.short_cut(x))


class VoiceNet(nn.Module):
    """Residual network on the log spectrum with attentive statistics over time.

    Source: pooling after Okabe et al., Attentive Statistics Pooling for Deep Speaker Embedding, 2018, section 3.
    """

    def __init__(self, n_channels: int = 16, n_embedding: int = 160, dropout: float = 0.2) -> None:
        super().__init__()
        c = n_channels
        self.spectrum = LogSpectrum()
        self.stem = nn.Sequential(
            nn.Conv2d(1, c, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(c), nn.ReLU(inplace=True)
        )
        self.blocks = nn.Sequential(
            ResidualBlock(c, c, (2, 1)),
            ResidualBlock(c, 2 * c, (2, 2)),
            ResidualBlock(2 * c, 3 * c, (2, 2)),
        )
        n_rows = _halved(N_BINS, 4)
        self.mix = nn.Sequential(
            nn.Conv1d(3 * c * n_rows, n_embedding, 1, bias=False), nn.BatchNorm1d(n_embedding), nn.ReLU(inplace=True)
        )
        self.attention = nn.Sequential(nn.Conv1d(n_embedding, 64, 1), nn.Tanh(), nn.Conv1d(64, n_embedding, 1))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * n_embedding, 1)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Return raw scores, up = bona fide, shape (B,).

        Args:
            samples: float32 (B, WINDOW_SAMPLES) at 16 kHz; any level, lost stretches zero.
        """
        spectrum, mask = self.spectrum(samples)
        return self.judge(spectrum, mask)

    def judge(self, spectrum: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return raw scores (B,) of a spectrum (B, N_BINS, T) and its mask (B, 1, T): training may alter both."""
        x = self.blocks(self.stem(spectrum.unsqueeze(1)))  # (B, C, F, T / 8)
        x = self.mix(x.flatten(1, 2))  # (B, D, T / 8)
        heard = nn.functional.max_pool1d(mask, 8, 8, ceil_mode=True)  # (B, 1, T / 8)
        weight = torch.softmax(self.attention(x) - 1e4 * (1 - heard), dim=2)  # (B, D, T / 8)
        mean = (x * weight).sum(dim=2)  # (B, D)
        variance = (x.square() * weight).sum(dim=2) - mean.square()
        statistics = torch.cat([mean, (variance.clamp(min=0) + 1e-4).sqrt()], dim=1)  # (B, 2 * D)
        raw: torch.Tensor = self.head(self.dropout(statistics)).squeeze(1)  # (B,)
        return raw


def _halved(size: int, times: int) -> int:
    """Return a length after so many strides of two with padding."""
    for _ in range(times):
        size = (size + 1) // 2
    return size


def load_voice() -> tuple[VoiceNet, checkpoint.Checkpoint]:
    """Return the trained network, ready to score, and what its checkpoint says of it.

    Raises:
        CheckpointError: The checkpoint is missing, damaged or does not fit the network.
    """
    described, state = checkpoint.load(CHECKPOINT)
    try:
        net = VoiceNet(**described.module)
        net.load_state_dict(state)
    except (TypeError, RuntimeError) as exc:
        raise checkpoint.CheckpointError(f"checkpoint {CHECKPOINT!r} does not fit VoiceNet: {exc}") from exc
    return net.eval(), described
