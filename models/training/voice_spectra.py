"""Trains the voice's spectral view.

The schedule follows the clock: a recipe costs the minutes it names on any machine, and a run that was stopped goes on
from its last saved state. Batches are drawn by source, then by class, then by system, so that neither a page's channel
nor its size can answer.
"""

import copy
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from models.training.voice_augment import hide_bands, spoil_windows
from models.training.voice_data import Clip, ClipStore
from models.voice_spectral import SpectralNet
from models.window import Samples

GROUP = 4
"""Clips of one source within a batch, half of them bona fide."""
TRAIN_SAMPLES = 32_000
"""Windows are 2 s in training: twice as many of them for the same minutes, and pauses are hidden at any length."""
SAVE_EVERY_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectralRecipe:
    """What makes one training different from another."""

    minutes: float
    n_sources: int = 8
    """Sources in a batch, GROUP clips of each."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.998
    """Decay of the running average of the weights, which is what is kept."""
    n_channels: int = 16


class Sampler:
    """Draws windows of training speech with their labels.

    Args:
        clips: All clips of the stores.
        rows: Which of them may be drawn.
        stores: The clips in several forms.
        rng: Draws.
    """

    def __init__(
        self, clips: Sequence[Clip], rows: Sequence[int], stores: Sequence[ClipStore], rng: np.random.Generator
    ) -> None:
        self._stores = stores
        self._rng = rng
        self._bona_fide: dict[str, list[int]] = {}
        self._spoof: dict[str, dict[str, list[int]]] = {}
        for row in rows:
            clip = clips[row]
            if clip.is_spoof:
                self._spoof.setdefault(clip.source, {}).setdefault(clip.family, []).append(row)
            else:
                self._bona_fide.setdefault(clip.source, []).append(row)
        self._sources = sorted(self._bona_fide.keys() | self._spoof.keys())
        n_clips = Counter(clips[row].source for row in rows)
        sizes = np.array([n_clips[source] for source in self._sources])
        self._chance = np.sqrt(sizes) / np.sqrt(sizes).sum()

    def batch(self, n_sources: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return windows (GROUP * n_sources, TRAIN_SAMPLES) and labels, 1 = bona fide; groups stay together.

        Within a group the first half is bona fide.
        """
        indices: list[int] = []
        for source in self._rng.choice(self._sources, n_sources, p=self._chance):
            indices += [self._draw_bona_fide(source) for _ in range(GROUP // 2)]
            indices += [self._draw_spoof(source) for _ in range(GROUP // 2)]
        windows = np.stack([self._window(index) for index in indices])
        labels = torch.tensor([1.0] * (GROUP // 2) + [0.0] * (GROUP // 2)).repeat(n_sources)
        return torch.from_numpy(windows), labels

    def _draw_bona_fide(self, source: str) -> int:
        if source not in self._bona_fide:
            source = str(self._rng.choice(sorted(self._bona_fide)))
        return int(self._rng.choice(self._bona_fide[source]))

    def _draw_spoof(self, source: str) -> int:
        if source not in self._spoof:
            source = str(self._rng.choice(sorted(self._spoof)))
        attack = str(self._rng.choice(sorted(self._spoof[source])))
        return int(self._rng.choice(self._spoof[source][attack]))

    def _window(self, index: int) -> Samples:
        samples = self._stores[int(self._rng.integers(len(self._stores)))][index]
        return cut_window(samples, self._rng)


def cut_window(samples: Samples, rng: np.random.Generator) -> Samples:
    """Return TRAIN_SAMPLES of a clip: a random stretch of a long one, a short one within silence or said again."""
    room = samples.size - TRAIN_SAMPLES
    if room >= 0:
        start = int(rng.integers(0, room + 1))
        return samples[start : start + TRAIN_SAMPLES]
    if rng.random() < 0.5:
        return np.resize(samples, TRAIN_SAMPLES)
    before = int(rng.integers(0, -room + 1))
    return np.pad(samples, (before, -room - before))


def loss_of(raw: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return cross-entropy plus, within each source, the cost of ranking a spoof above bona fide speech.

    The second part looks at clips of one page only, where nothing but the class differs.
    """
    smooth = 0.05 + 0.9 * labels
    absolute = nn.functional.binary_cross_entropy_with_logits(raw, smooth)
    groups = raw.reshape(-1, GROUP)  # (n_sources, GROUP)
    margins = groups[:, : GROUP // 2, None] - groups[:, None, GROUP // 2 :]  # (n_sources, GROUP / 2, GROUP / 2)
    return absolute + 0.5 * nn.functional.softplus(-margins).mean()


class Trainer:
    """One run: network, its running average, optimiser and clock, saved and restored as a whole."""

    def __init__(self, recipe: SpectralRecipe, sampler: Sampler, rng: np.random.Generator, state: Path) -> None:
        self.recipe = recipe
        self.elapsed_s = 0.0
        self.n_steps = 0
        self._sampler = sampler
        self._rng = rng
        self._state = state
        self._net = SpectralNet(recipe.n_channels).train()
        # Half the time of the default layout on a CPU.
        self._net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs omit it
        self.average = copy.deepcopy(self._net).eval()
        self._optimiser = torch.optim.AdamW(
            self._net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        if state.exists():
            self._restore()

    def run(self) -> None:
        """Train until the recipe's minutes are spent."""
        saved_s, losses = self.elapsed_s, []
        while self.elapsed_s < self.recipe.minutes * 60:
            began_s = time.perf_counter()
            losses.append(self._step())
            self.elapsed_s += time.perf_counter() - began_s
            if self.elapsed_s - saved_s > SAVE_EVERY_S:
                saved_s = self.elapsed_s
                self._save()
                print(f"{saved_s / 60:5.1f} min  step {self.n_steps}  loss {np.mean(losses):.3f}", flush=True)
                losses = []
        self._save()

    def _step(self) -> float:
        done = self.elapsed_s / (self.recipe.minutes * 60)
        warm = min(1.0, (self.n_steps + 1) / 100)
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.learning_rate * warm * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)
        samples, labels = self._sampler.batch(self.recipe.n_sources)
        with torch.no_grad():
            spectrum, mask = self._net.spectrum(spoil_windows(samples, self._rng))
            spectrum = hide_bands(spectrum, self._rng)
        loss = loss_of(self._net.judge(spectrum, mask), labels)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(self._net.parameters(), 2.0)
        self._optimiser.step()
        self.n_steps += 1
        self._follow()
        return float(loss.detach())

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.recipe.average, (1 + self.n_steps) / (10 + self.n_steps))
        for kept, new in zip(self.average.state_dict().values(), self._net.state_dict().values(), strict=True):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - decay)
            else:
                kept.copy_(new)

    def _save(self) -> None:
        fields = {
            "net": self._net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "elapsed_s": self.elapsed_s,
            "n_steps": self.n_steps,
        }
        part = self._state.with_suffix(".part")
        torch.save(fields, part)
        part.replace(self._state)

    def _restore(self) -> None:
        fields = torch.load(self._state, weights_only=True)
        self._net.load_state_dict(fields["net"])
        self.average.load_state_dict(fields["average"])
        self._optimiser.load_state_dict(fields["optimiser"])
        self.elapsed_s = fields["elapsed_s"]
        self.n_steps = fields["n_steps"]
