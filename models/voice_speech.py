"""The speech view: how the first layers of a speech recogniser's encoder see the sound.

Sound enters in blocks of one second, so that windows that overlap share what was computed of a block; a row of
statistics leaves for each, and a window's rows make its features. The encoder is Whisper's as it was published, never
trained here: what it knows of speech comes from other people's recordings, so that no source can answer through it.

Source: Radford et al., Robust Speech Recognition via Large-Scale Weak Supervision (Whisper), 2022, section 2.2.
"""

import torch
from torch import nn

from models.audio_features import fourier_kernels, mel_filters
from models.window import HOP_SAMPLES, SAMPLE_RATE_HZ

BLOCK_SAMPLES = 2 * HOP_SAMPLES
"""One second: two pieces of a window."""

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
"""Tokens, and blocks, this far below what stands beside them are pauses: they say nothing [dB]."""

# Whisper base. Its other three layers add nothing here (AUC over sources left out .803 with three, .808 with six).
WIDTH, N_HEADS, N_LAYERS = 512, 8, 3
N_DEPTHS = N_LAYERS + 1
N_FEATURES = 3 * N_DEPTHS * WIDTH
"""Of a window: mean, deviation and mean step from token to token of every channel at every depth."""

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
    """Turns blocks of sound into rows of sums over their tokens, each block by itself."""

    row_size = 3 + N_FEATURES

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

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Return one row for each block: power, tokens heard, steps heard, then N_FEATURES sums; (B, 3 + N_FEATURES).

        Args:
            samples: float32 (B, BLOCK_SAMPLES), any level.
        """
        power = token_power(samples)
        level = power.mean(dim=1, keepdim=True).sqrt()  # (B, 1)
        return self.rows(self.mel(samples * (LEVEL / (level + 1e-4))), power)

    def rows(self, mel: torch.Tensor, power: torch.Tensor) -> torch.Tensor:
        """Return what `forward` does, from mel spectra (B, N_MELS, 2 T) and the power of their tokens (B, T)."""
        mean_power = power.mean(dim=1, keepdim=True)  # (B, 1)
        heard = (power > mean_power * 10 ** (-HIDDEN_DB / 10)).to(mel.dtype).unsqueeze(2)  # (B, T, 1)
        tokens = self.encode(mel)  # (B, T, N_DEPTHS * WIDTH)
        steps_heard = heard[:, 1:] * heard[:, :-1]
        sums = (
            (tokens * heard).sum(dim=1),
            (tokens.square() * heard).sum(dim=1),
            ((tokens[:, 1:] - tokens[:, :-1]).abs() * steps_heard).sum(dim=1),
        )
        return torch.cat([mean_power, heard.sum(dim=1), steps_heard.sum(dim=1), *sums], dim=1)

    def encode(self, mel: torch.Tensor) -> torch.Tensor:
        """Return tokens, every depth beside the last, (B, T, N_DEPTHS * WIDTH), of a mel spectrum (B, N_MELS, 2 T)."""
        x = nn.functional.gelu(self.first(mel))
        depths = [nn.functional.gelu(self.second(x)).transpose(1, 2) + self.places]  # (B, T, WIDTH)
        for layer in self.layers:
            depths.append(layer(depths[-1]))
        return torch.cat(depths, dim=2)

    def mel(self, samples: torch.Tensor) -> torch.Tensor:
        """Return Whisper's log mel spectrum (B, N_MELS, 2 * N_TOKENS) of blocks."""
        padded = nn.functional.pad(samples.unsqueeze(1), (N_FFT // 2, N_FFT // 2), mode="reflect")
        parts = nn.functional.conv1d(padded, self.kernels, stride=HOP_LENGTH)[..., :-1]  # (B, 2 * bins, 2 * T)
        real, imaginary = parts.chunk(2, dim=1)
        mel = torch.log10((self.filters @ (real.square() + imaginary.square())).clamp(min=1e-10))
        return (torch.maximum(mel, mel.amax(dim=(1, 2), keepdim=True) - DECADES) + 4.0) / 4.0


def token_power(samples: torch.Tensor) -> torch.Tensor:
    """Return the mean power of each token's time (B, N_TOKENS) in blocks (B, BLOCK_SAMPLES)."""
    return samples.reshape(-1, N_TOKENS, TOKEN_SAMPLES).square().mean(dim=2)


def window_features(rows: torch.Tensor) -> torch.Tensor:
    """Return the features (B, N_FEATURES) of windows from the rows of their blocks (B, n, 3 + N_FEATURES).

    Blocks far below the window's mean power are pauses and left out.
    """
    power = rows[:, :, :1]  # (B, n, 1)
    counts = (power >= power.mean(dim=1, keepdim=True) * 10 ** (-HIDDEN_DB / 10)).to(rows.dtype)
    total = (rows[:, :, 1:] * counts).sum(dim=1)  # (B, 2 + N_FEATURES)
    n_tokens, n_steps = total[:, :1] + 1e-6, total[:, 1:2] + 1e-6
    sums, squares, steps = total[:, 2:].chunk(3, dim=1)
    mean = sums / n_tokens
    deviation = ((squares / n_tokens - mean.square()).clamp(min=0) + 1e-6).sqrt()
    return torch.cat([mean, deviation, steps / n_steps], dim=1)
