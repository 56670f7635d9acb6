"""The speech view: the first layers of a speech recogniser's encoder, tuned to tell how speech was made.

Sound enters in blocks of one second, so that windows that overlap share what was computed of a block; the rows of a
window's four blocks give one raw score, up = bona fide. Each block is brought to one level: gain says nothing.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision (Whisper), 2022, section 2.2; its
weights are what training starts from (`models.training.whisper`), the ones in use are ours.
"""

import torch
from torch import nn

from models.audio_features import fourier_kernels, mel_filters
from models.window import HOP_SAMPLES, SAMPLE_RATE_HZ, WINDOW_SAMPLES

BLOCK_SAMPLES = 2 * HOP_SAMPLES
"""One second: two pieces of a window."""
N_BLOCKS = WINDOW_SAMPLES // BLOCK_SAMPLES

# Whisper's front end: 25 ms windows every 10 ms, 80 mel bands, eight decades below the loudest cell.
N_FFT = 400
HOP_LENGTH = 160
N_MELS = 80
DECADES = 8.0
TOKEN_SAMPLES = 2 * HOP_LENGTH
N_TOKENS = BLOCK_SAMPLES // TOKEN_SAMPLES
"""Of a block, one for each 20 ms."""

LEVEL = 0.05
"""The root mean square that each block is brought to."""
HIDDEN_DB = 30.0
"""Tokens this far below the window's mean power are pauses and do not answer [dB]."""
WIDTH, N_HEADS, N_LAYERS = 384, 6, 2
N_FEATURES = 128
"""Kept of each token, beside its power."""

assert BLOCK_SAMPLES == SAMPLE_RATE_HZ


class EncoderLayer(nn.Module):
    """Self-attention and a feed-forward network, each behind a norm and around a short cut."""

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, 4 * width)
        self.feed_out = nn.Linear(4 * width, width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n_rows, n_tokens, width = x.shape
        parts = self.query_key_value(self.attention_norm(x))
        heads = parts.reshape(n_rows, n_tokens, 3, self.n_heads, width // self.n_heads).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)  # (B, heads, T, width / heads) each
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        x = x + self.attention_out(mixed.transpose(1, 2).reshape(n_rows, n_tokens, width))
        fed: torch.Tensor = self.feed_out(nn.functional.gelu(self.feed_in(self.feed_norm(x))))
        return x + fed


class SpeechBlocks(nn.Module):
    """Turns blocks of sound into rows of token features, each block by itself."""

    kernels: torch.Tensor
    filters: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kernels", fourier_kernels(N_FFT, N_FFT), persistent=False)
        self.register_buffer("filters", mel_filters(N_FFT, N_MELS), persistent=False)
        self.first = nn.Conv1d(N_MELS, WIDTH, 3, padding=1)
        self.second = nn.Conv1d(WIDTH, WIDTH, 3, stride=2, padding=1)
        self.places = nn.Parameter(torch.zeros(N_TOKENS, WIDTH))
        self.layers = nn.ModuleList(EncoderLayer(WIDTH, N_HEADS) for _ in range(N_LAYERS))
        self.norm = nn.LayerNorm((N_LAYERS + 1) * WIDTH)
        self.project = nn.Linear((N_LAYERS + 1) * WIDTH, N_FEATURES)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Return one row for each block, (B, N_TOKENS * (N_FEATURES + 1)).

        Args:
            samples: float32 (B, BLOCK_SAMPLES), any level.
        """
        power = samples.reshape(-1, N_TOKENS, TOKEN_SAMPLES).square().mean(dim=2, keepdim=True)  # (B, T, 1)
        level = power.mean(dim=1).sqrt()  # (B, 1)
        mel = self._mel(samples * (LEVEL / (level + 1e-4)))  # (B, N_MELS, 2 * T)
        x = nn.functional.gelu(self.first(mel))
        x = nn.functional.gelu(self.second(x)).transpose(1, 2) + self.places  # (B, T, WIDTH)
        depths = [x]
        for layer in self.layers:
            depths.append(layer(depths[-1]))
        features = self.project(self.norm(torch.cat(depths, dim=2)))  # (B, T, N_FEATURES)
        return torch.cat([features, power], dim=2).flatten(1)

    def _mel(self, samples: torch.Tensor) -> torch.Tensor:
        padded = nn.functional.pad(samples.unsqueeze(1), (N_FFT // 2, N_FFT // 2), mode="reflect")
        parts = nn.functional.conv1d(padded, self.kernels, stride=HOP_LENGTH)[..., :-1]  # (B, 2 * bins, 2 * T)
        real, imaginary = parts.chunk(2, dim=1)
        mel = torch.log10((self.filters @ (real.square() + imaginary.square())).clamp(min=1e-10))
        loudest = mel.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(mel, loudest - DECADES) + 4.0) / 4.0


class SpeechNet(nn.Module):
    """Blocks, and what their rows say together: convolutions over time and attentive statistics."""

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        c = N_FEATURES
        self.blocks = SpeechBlocks()
        self.mix = nn.Sequential(
            nn.BatchNorm1d(c),
            nn.ReLU(),
            nn.Conv1d(c, c, 5, padding=2),
            nn.BatchNorm1d(c),
            nn.ReLU(),
            nn.Conv1d(c, c, 5, padding=4, dilation=2),
            nn.BatchNorm1d(c),
            nn.ReLU(),
        )
        self.attention = nn.Sequential(nn.Conv1d(c, 64, 1), nn.Tanh(), nn.Conv1d(64, c, 1))
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * c, 1)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Return raw scores (B,) of sound (B, n * BLOCK_SAMPLES)."""
        rows: torch.Tensor = self.blocks(samples.reshape(-1, BLOCK_SAMPLES))
        return self.judge(rows.reshape(len(samples), -1))

    def judge(self, rows: torch.Tensor) -> torch.Tensor:
        """Return raw scores (B,) of the rows of successive blocks, (B, n * N_TOKENS * (N_FEATURES + 1))."""
        tokens = rows.reshape(len(rows), -1, N_FEATURES + 1)  # (B, T, N_FEATURES + 1)
        power = tokens[..., -1]  # (B, T)
        heard = (power > power.mean(dim=1, keepdim=True) * 10 ** (-HIDDEN_DB / 10)).to(tokens.dtype).unsqueeze(1)
        x = self.mix(tokens[..., :-1].transpose(1, 2))  # (B, N_FEATURES, T)
        weight = torch.softmax(self.attention(x) - 1e4 * (1 - heard), dim=2)
        mean = (x * weight).sum(dim=2)
        variance = (x.square() * weight).sum(dim=2) - mean.square()
        statistics = torch.cat([mean, (variance.clamp(min=0) + 1e-4).sqrt()], dim=1)  # (B, 2 * N_FEATURES)
        raw: torch.Tensor = self.head(self.dropout(statistics)).squeeze(1)  # (B,)
        return raw
