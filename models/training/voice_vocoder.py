"""A small neural vocoder of our own, trained in minutes on genuine speech: one more maker of copies.

Log-mel frames enter; a ConvNeXt stack at frame rate says magnitude and phase of each frame, and an inverse Fourier
transform makes 16 kHz samples of them (the plan of Vocos). It is trained on bona fide clips of sources that hold
nothing else, so that no system's traces are learned. It never judges speech.

    python -m models.training.voice_vocoder --data ../shared/data/voice --out vocoder.safetensors

Source: H. Siuzdak, "Vocos: Closing the gap between time-domain and Fourier-based neural vocoders", ICLR 2024.
"""

import argparse
import dataclasses
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from models.audio_features import torchaudio
from models.training.voice_data import decode, read_manifest
from models.window import SAMPLE_RATE_HZ

SOURCES = frozenset(
    {"jimbozhang/speechocean762", "thuhcsi/SECap", "coqui-ai/TTS", "deb:festvox-ru", "Plachtaa/seed-vc"}
)
"""Wideband sources that hold bona fide speech only."""

STRETCH = 15_360
"""Samples of one training example: about a second, whole hops of both 160 and 256."""
BATCH = 8
RATE = 8e-4
SPECTRA = ((1024, 256), (512, 128), (256, 64))
"""Window and hop of each spectrum that the loss compares."""
JUDGED = ((1024, 256), (512, 128))
"""Window and hop of the spectra that the discriminator sees."""
FLOOR = 1e-3
"""Magnitudes below this are the codec's noise: the loss does not ask for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VocoderConfig:
    """What a checkpoint needs to rebuild its network."""

    n_mels: int = 80
    hop: int = 256
    n_fft: int = 1024
    width: int = 160
    n_blocks: int = 6


class LogMel(nn.Module):
    """Log of mel magnitudes in nats: (B, S) to (B, n_mels, T), one frame per hop."""

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.mel = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE_HZ,
            n_fft=config.n_fft,
            hop_length=config.hop,
            n_mels=config.n_mels,
            power=1.0,
            norm="slaney",
            mel_scale="slaney",
        )

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        log: torch.Tensor = self.mel(samples).clamp(min=1e-5).log()  # (B, n_mels, T)
        return log


class Block(nn.Module):
    """One ConvNeXt block over frames: (B, width, T) in and out."""

    def __init__(self, width: int, n_blocks: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 3 * width)
        self.narrow = nn.Linear(3 * width, width)
        self.scale = nn.Parameter(torch.full((width,), 1.0 / n_blocks))

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        inner = self.norm(self.depthwise(frames).transpose(1, 2))  # (B, T, width)
        inner = self.narrow(nn.functional.gelu(self.widen(inner))) * self.scale
        out: torch.Tensor = frames + inner.transpose(1, 2)
        return out


class Vocoder(nn.Module):
    """Log-mel frames to samples."""

    window: torch.Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        self.inlet = nn.Conv1d(config.n_mels, config.width, 7, padding=3)
        self.blocks = nn.Sequential(*(Block(config.width, config.n_blocks) for _ in range(config.n_blocks)))
        self.norm = nn.LayerNorm(config.width)
        self.outlet = nn.Linear(config.width, config.n_fft + 2)
        self.register_buffer("window", torch.hann_window(config.n_fft), persistent=False)

    def forward(self, mel: torch.Tensor) -> torch.Tensor:
        """Return samples of (T - 1) hops, (B, S), from log-mel frames (B, n_mels, T) in nats."""
        frames = self.blocks(self.inlet(mel / 4.0 + 1.0))  # about -1..1 in
        log, phase = self.outlet(self.norm(frames.transpose(1, 2))).transpose(1, 2).chunk(2, dim=1)  # (B, n_bins, T)
        spectrum = torch.polar(log.clamp(max=6.0).exp(), phase)
        said: torch.Tensor = torch.istft(spectrum, self.config.n_fft, self.config.hop, window=self.window)  # (B, S)
        return said


class Judge(nn.Module):
    """Discriminator over one spectrum: (B, S) to the maps of every layer, the last one the verdict."""

    window: torch.Tensor

    def __init__(self, n_fft: int, hop: int, width: int = 8) -> None:
        super().__init__()
        self.n_fft, self.hop = n_fft, hop
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        strides = ((1, 2), (1, 2), (2, 2), (1, 1))
        n_in = (1, width, width, width)
        self.layers = nn.ModuleList(
            nn.Conv2d(n, width, (3, 7), stride=stride, padding=(1, 3)) for n, stride in zip(n_in, strides, strict=True)
        )
        self.verdict = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, samples: torch.Tensor) -> list[torch.Tensor]:
        maps = [(_magnitude(samples, self.n_fft, self.hop, self.window) + FLOOR).log().transpose(1, 2).unsqueeze(1)]
        for layer in self.layers:
            maps.append(nn.functional.leaky_relu(layer(maps[-1]), 0.1))
        return [*maps[1:], self.verdict(maps[-1])]


def _magnitude(samples: torch.Tensor, n_fft: int, hop: int, window: torch.Tensor) -> torch.Tensor:
    spectrum = torch.stft(samples, n_fft, hop, window=window, return_complex=True)  # (B, n_bins, T)
    return (spectrum.real.square() + spectrum.imag.square() + 1e-9).sqrt()


def spectral_loss(said: torch.Tensor, meant: torch.Tensor) -> torch.Tensor:
    """Return how far apart the spectra of (B, S) samples are, over several resolutions: log distance, convergence."""
    loss = said.new_zeros(())
    for n_fft, hop in SPECTRA:
        window = torch.hann_window(n_fft, device=said.device)
        got, want = _magnitude(said, n_fft, hop, window), _magnitude(meant, n_fft, hop, window)
        apart = (got - want).square().sum().sqrt() / want.square().sum().sqrt().clamp(min=1e-3)
        loss = loss + ((got + FLOOR).log() - (want + FLOOR).log()).abs().mean() + apart
    return loss / len(SPECTRA)


class Training:
    """Steps of one vocoder: spectra first, then with a discriminator."""

    def __init__(self, config: VocoderConfig, seed: int) -> None:
        torch.manual_seed(seed)
        self.rng = random.Random(seed)
        self.mel = LogMel(config)
        self.vocoder = Vocoder(config)
        self.judges = nn.ModuleList(Judge(*spectrum) for spectrum in JUDGED)
        self.optimiser = torch.optim.AdamW(self.vocoder.parameters(), RATE, betas=(0.8, 0.99))
        self.judging = torch.optim.AdamW(self.judges.parameters(), RATE / 2, betas=(0.8, 0.99))

    def draw(self, sounds: Sequence[torch.Tensor], n: int) -> torch.Tensor:
        """Return n stretches at random levels, (n, STRETCH)."""
        stretches = []
        for sound in self.rng.choices(sounds, k=n):
            start = self.rng.randrange(sound.numel() - STRETCH)
            stretch = sound[start : start + STRETCH]
            stretches.append(stretch / stretch.abs().max().clamp(min=1e-3) * self.rng.uniform(0.1, 0.95))
        return torch.stack(stretches)

    def step(self, meant: torch.Tensor, *, with_judges: bool) -> float:
        """Take one step and return the spectral and mel distance."""
        mel = self.mel(meant)
        said = self.vocoder(mel)
        distance = spectral_loss(said, meant) + (self.mel(said) - mel).abs().mean()
        loss = distance
        if with_judges:
            self._judge(said.detach(), meant)
            loss = distance + self._flattery(said, meant)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.vocoder.parameters(), 5.0)
        self.optimiser.step()
        return float(distance.detach())

    def _judge(self, said: torch.Tensor, meant: torch.Tensor) -> None:
        self.judging.zero_grad()
        loss = torch.stack(
            [(1 - j(meant)[-1]).clamp(min=0).mean() + (1 + j(said)[-1]).clamp(min=0).mean() for j in self.judges]
        ).mean()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own annotation is missing
        self.judging.step()

    def _flattery(self, said: torch.Tensor, meant: torch.Tensor) -> torch.Tensor:
        """Return the adversarial loss and the distance of the judges' inner maps."""
        loss = said.new_zeros(())
        for judge in self.judges:
            *inner, verdict = judge(said)
            with torch.no_grad():
                wanted = judge(meant)[:-1]
            matching = sum((a - b).abs().mean() / b.abs().mean() for a, b in zip(inner, wanted, strict=True))
            loss = loss + (1 - verdict).clamp(min=0).mean() * 0.2 + matching * 0.25
        return loss / len(self.judges)

    def run(self, sounds: Sequence[torch.Tensor], n_steps: int, n_judged: int) -> Vocoder:
        """Train, the last `n_judged` steps against the discriminator; the rate falls to a tenth on the way."""
        rates = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, RATE, total_steps=n_steps, pct_start=0.05, final_div_factor=4.0
        )
        began_s = time.monotonic()
        for number in range(n_steps):
            with_judges = number >= n_steps - n_judged
            distance = self.step(self.draw(sounds, BATCH // 2 if with_judges else BATCH), with_judges=with_judges)
            rates.step()
            if number % 50 == 0 or number == n_steps - 1:
                print(f"step {number} distance {distance:.3f} after {time.monotonic() - began_s:.0f} s", flush=True)
        return self.vocoder.eval()


def save(vocoder: Vocoder, path: Path) -> None:
    """Write weights and configuration into one safetensors file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(vocoder.state_dict(), path, {"config": json.dumps(dataclasses.asdict(vocoder.config))})


def load(path: Path) -> Vocoder:
    """Rebuild the vocoder of a file that `save` wrote."""
    with safe_open(path, "pt") as file:
        config = VocoderConfig(**json.loads(file.metadata()["config"]))
    vocoder = Vocoder(config)
    vocoder.load_state_dict(load_file(path))
    return vocoder.eval()


def main() -> None:
    """Train a vocoder on genuine speech and write its checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mels", type=int, default=VocoderConfig().n_mels)
    parser.add_argument("--hop", type=int, default=VocoderConfig().hop)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--judged", type=int, default=500, help="last steps that have a discriminator")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(1)
    clips = [clip for clip in read_manifest(args.data) if clip.source in SOURCES and not clip.is_spoof]
    sounds = [torch.from_numpy(sound) for sound in (decode(clip.path) for clip in clips) if sound.size > STRETCH]
    config = VocoderConfig(n_mels=args.mels, hop=args.hop)
    save(Training(config, args.seed).run(sounds, args.steps, args.judged), args.out)


if __name__ == "__main__":
    main()
