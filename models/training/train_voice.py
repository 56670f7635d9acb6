"""Train the voice network and write its checkpoint, calibrated and measured on sources it has not seen.

    python -m models.training.train_voice --data ../shared/data/voice --recipe voice

The schedule follows the clock: a recipe costs the minutes it names on any machine, and a run that was stopped goes on
from its last saved state. Batches are drawn by source, then by class, then by system, so that neither a page's channel
nor its size can answer.
"""

import argparse
import copy
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import checkpoint
from models.metrics import auc
from models.training.voice_augment import Degrader, hide_bands, spoil_windows
from models.training.voice_data import PERMISSIVE, Clip, ClipStore, manifest_sha256, read_manifest, split
from models.training.voice_noises import either_class
from models.training.voice_repeats import repeated
from models.training.voice_report import measure, raw_scores
from models.voice import CHECKPOINT, VoiceNet
from models.window import Samples

GROUP = 4
"""Clips of one source within a batch, half of them bona fide."""
TRAIN_SAMPLES = 48_000
"""Windows are 3 s in training: a third more of them for the same minutes, and pauses are hidden at any length."""
SAVE_EVERY_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What makes one training different from another."""

    minutes: float
    n_variants: int = 1
    """Degraded copies of each clip, beside the clip itself."""
    n_sources: int = 8
    """Sources in a batch, GROUP clips of each."""
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    average: float = 0.998
    """Decay of the running average of the weights, which is what is kept."""
    only_permissive: bool = False
    n_channels: int = 16


RECIPES = {
    "voice": Recipe(minutes=32.5),
    "voice-small": Recipe(minutes=2.0, n_variants=0),
    "voice-permissive": Recipe(minutes=20.0, only_permissive=True),
}


class Sampler:
    """Draws windows of training speech with their labels."""

    def __init__(self, clips: tuple[Clip, ...], stores: list[ClipStore], rng: np.random.Generator) -> None:
        self._stores = stores
        self._rng = rng
        self._bona_fide: dict[str, list[int]] = {}
        self._spoof: dict[str, dict[str, list[int]]] = {}
        for index, clip in enumerate(clips):
            if clip.is_spoof:
                self._spoof.setdefault(clip.source, {}).setdefault(clip.attack, []).append(index)
            else:
                self._bona_fide.setdefault(clip.source, []).append(index)
        self._sources = sorted(self._bona_fide.keys() | self._spoof.keys())
        sizes = np.array([sum(clip.source == source for clip in clips) for source in self._sources])
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

    def __init__(self, recipe: Recipe, sampler: Sampler, rng: np.random.Generator, state: Path) -> None:
        self.recipe = recipe
        self.elapsed_s = 0.0
        self.n_steps = 0
        self._sampler = sampler
        self._rng = rng
        self._state = state
        self._net = VoiceNet(recipe.n_channels).train()
        # Half the time of the default layout on a CPU with bf16.
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
        with torch.autocast("cpu", torch.bfloat16):
            raw = self._net.judge(spectrum, mask)
        loss = loss_of(raw.float(), labels)
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


def open_stores(clips: tuple[Clip, ...], n_variants: int, cache: Path, seed: int) -> list[ClipStore]:
    """Return the clips as they are and, after them, as so many calls would carry them."""
    clean = ClipStore.build(clips, cache / "clean")
    stores, others = [clean], either_class(clips, clean)
    for number in range(n_variants):
        stores.append(clean.altered(cache / f"variant_{number}", Degrader(seed + 1000 + number, others)))
    return stores


def finish(
    average: VoiceNet, left_out: tuple[Clip, ...], store: ClipStore, is_repeated: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Return the figures on left-out clips whose recording was not trained on elsewhere."""
    raw = raw_scores(average, store)
    is_spoof = np.array([clip.is_spoof for clip in left_out])
    figures = measure(average, left_out, store, ~is_repeated)
    with_repeats = auc(raw[~is_spoof], raw[is_spoof])
    return figures | {"n_repeated": int(is_repeated.sum()), "auc_with_repeated": round(with_repeats, 4)}


def main() -> None:
    """Train, measure and write the checkpoint; `models.training.calibrate` comes after."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True, help="holds manifest.csv; repeatable")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="voice")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "kua" / "voice")
    parser.add_argument("--out", type=Path, default=checkpoint.CHECKPOINTS)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    recipe = RECIPES[args.recipe]
    trained_on, left_out = split(clip for folder in args.data for clip in read_manifest(folder))
    if recipe.only_permissive:
        trained_on = tuple(clip for clip in trained_on if clip.source in PERMISSIVE)
    sounds = args.cache / ("permissive" if recipe.only_permissive else "all")
    stores = open_stores(trained_on, recipe.n_variants, sounds, args.seed)
    print(f"{len(trained_on)} clips to train on, {len(left_out)} left out, {len(stores)} forms of each", flush=True)
    trainer = Trainer(recipe, Sampler(trained_on, stores, rng), rng, args.cache / f"{args.recipe}.pt")
    trainer.run()
    left_out_store = ClipStore.build(left_out, args.cache / "left_out")
    is_repeated = repeated(left_out_store, stores[0])
    figures = finish(trainer.average, left_out, left_out_store, is_repeated)
    described = checkpoint.Checkpoint(
        name=CHECKPOINT,
        module={"n_channels": recipe.n_channels},
        recipe=args.recipe,
        seed=args.seed,
        manifest_sha256=manifest_sha256(args.data),
        minutes=round(trainer.elapsed_s / 60, 1),
        metrics=figures | {"n_steps": trainer.n_steps, "recipe": asdict(recipe)},
    )
    checkpoint.save(described, trainer.average.state_dict(), args.out)
    print(figures, flush=True)


if __name__ == "__main__":
    main()
