"""Trains the voice's views, measures them on groups of sources left out in turn, and writes the checkpoint.

    python -m models.training.voice_copies --data ../shared/data/voice --out copies
    python -m models.training.train_voice --data ../shared/data/voice --data copies --recipe voice

Stages: degraded forms of every clip, features of each form, the spectral view (once for each group of sources left out
and once for the model in use), heads and fusion, scores of what was left out. Each keeps what it made in the cache, and
a run that is cut off goes on where it was when started again. The first `--data` folder is what is measured; further
ones are only trained on. `models.training.calibrate` and `models.training.voice_report` come after.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from models import checkpoint, weights
from models.training import voice_features
from models.training.voice_data import PERMISSIVE, Clip, ClipStore, manifest_sha256, read_manifest
from models.training.voice_features import ViewFeatures
from models.training.voice_groups import NAMES, left_out, trained_on
from models.training.voice_repeats import twins
from models.training.voice_scores import LeftOut, score_left_out
from models.training.voice_spectra import Sampler, SpectralRecipe, Trainer
from models.training.voice_stores import open_stores
from models.training.voice_views import fuse, learn
from models.voice import CHECKPOINT, VoiceModel
from models.voice_spectral import SpectralNet


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that is chosen in a training."""

    spectral: SpectralRecipe
    n_variants: int = 2
    """Degraded forms of each clip, beside the clip itself."""
    ridge: float = 0.2
    only_permissive: bool = False
    seed: int = 7


RECIPES = {
    "voice": Recipe(spectral=SpectralRecipe(minutes=14.0)),
    "voice-small": Recipe(spectral=SpectralRecipe(minutes=1.0), n_variants=1),
    # For tapes: every source by a model without it, and no model in use; half as long, so a little worse.
    "voice-tapes": Recipe(spectral=SpectralRecipe(minutes=7.0), n_variants=1),
    "voice-permissive": Recipe(spectral=SpectralRecipe(minutes=12.0), only_permissive=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where a training reads and keeps its parts."""

    recipe: Recipe
    folder: Path
    clips: tuple[Clip, ...]
    n_measured: int
    """How many of the clips, the first, are measured; what was made of them is not."""
    stores: list[ClipStore]

    def rows(self, name: str | None) -> list[int]:
        """Return the clips that the model without a group learns from: none that is also on a left-out page."""
        own = trained_on(self.clips, name)
        if name is None:
            return own
        known = twins(self.stores[0], self.folder / "twins.json")
        known_to = {twin for row in left_out(self.clips, name) for twin in known.get(row, ())}
        return [row for row in own if row not in known_to]


def spectral_view(shop: Workshop, name: str | None) -> tuple[SpectralNet, float, int]:
    """Return the spectral view trained without a group, the minutes that took and its steps; None: the one in use."""
    rng = np.random.default_rng(shop.recipe.seed)
    torch.manual_seed(shop.recipe.seed)
    sampler = Sampler(shop.clips, shop.rows(name), shop.stores, rng)
    trainer = Trainer(shop.recipe.spectral, sampler, rng, shop.folder / f"spectral-without-{name or 'none'}.pt")
    trainer.run()
    return trainer.average, trainer.elapsed_s / 60, trainer.n_steps


def open_workshop(folders: list[Path], name: str, cache: Path) -> Workshop:
    """Prepare stores of all clips in a folder of this data's and this recipe's own."""
    recipe = RECIPES[name]
    sets = [read_manifest(folder) for folder in folders]
    if recipe.only_permissive:
        sets = [tuple(clip for clip in clips if clip.source in PERMISSIVE) for clips in sets]
    clips = tuple(clip for own in sets for clip in own)
    folder = cache / f"{name}-{manifest_sha256(folders)[:12]}"
    stores = open_stores(clips, recipe.n_variants, folder, recipe.seed)
    print(f"{len(clips)} clips, {len(sets[0])} of them measured, in {len(stores)} forms", flush=True)
    return Workshop(recipe=recipe, folder=folder, clips=clips, n_measured=len(sets[0]), stores=stores)


def features_of(shop: Workshop) -> list[ViewFeatures]:
    """Return the features of every form."""
    return [
        voice_features.of_store(store, shop.folder / f"features-{number}.npz")
        for number, store in enumerate(shop.stores)
    ]


def fused(shop: Workshop, *, in_use: bool = True) -> tuple[dict[str | None, VoiceModel], float, int]:
    """Return the models by the group that each was trained without, and the minutes and steps of the last.

    Args:
        shop: Where they are trained.
        in_use: Whether to train the one in use as well, without any group left out.
    """
    measured, kept = shop.clips[: shop.n_measured], shop.folder / "models.pt"
    names: list[str | None] = [name for name in NAMES if left_out(measured, name)]
    names += [None] if in_use else []
    trained = {name: spectral_view(shop, name) for name in names}
    if kept.is_file():
        states = torch.load(kept, weights_only=True)
        models = {name: VoiceModel(shop.recipe.spectral.n_channels) for name in names}
        for name, model in models.items():
            model.load_state_dict(states[str(name)])
            model.eval()
    else:
        features, learnt = features_of(shop), {}
        for name in names:
            rows = shop.rows(name)
            learnt[name] = learn(trained[name][0], [shop.clips[r] for r in rows], rows, features, shop.recipe.ridge)
            print(f"views without {name} have their heads", flush=True)
        models = fuse(learnt, measured, shop.stores, features)
        torch.save({str(name): model.state_dict() for name, model in models.items()}, kept)
    return models, *trained[names[-1]][1:]


def score_in_parts(
    models: Mapping[str | None, VoiceModel], clips: tuple[Clip, ...], store: ClipStore, workers: int
) -> list[LeftOut]:
    """Return the scores of all clips, made by so many processes."""
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(_score_part, models, clips, store, part, workers) for part in range(workers)]
        return [score for future in futures for score in future.result()]


def _score_part(
    models: Mapping[str | None, VoiceModel], clips: tuple[Clip, ...], store: ClipStore, part: int, parts: int
) -> list[LeftOut]:
    torch.set_num_threads(1)
    return list(score_left_out(models, clips, store, part, parts))


def main(arguments: list[str] | None = None) -> None:
    """Train by a recipe and write `voice.safetensors` and `voice.json`, without a calibration."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train_voice", description=main.__doc__)
    parser.add_argument("--data", type=Path, action="append", required=True, help="holds manifest.csv; repeatable")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="voice")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache", help="where parts are kept")
    parser.add_argument("--out", type=Path, default=checkpoint.CHECKPOINTS)
    parser.add_argument(
        "--only", choices=(*NAMES, "none"), nargs="+", help="train the spectral view without these and stop there"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that score")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    shop = open_workshop(given.data, given.recipe, given.cache)
    if given.only:
        for name in given.only:
            spectral_view(shop, None if name == "none" else name)
        return
    models, minutes, n_steps = fused(shop)
    measured = shop.clips[: shop.n_measured]
    kept = shop.folder / "left-out.json"
    kept.write_text(
        json.dumps([asdict(score) for score in score_in_parts(models, measured, shop.stores[0], given.workers)])
    )
    described = checkpoint.Checkpoint(
        name=CHECKPOINT,
        module={"n_channels": shop.recipe.spectral.n_channels},
        recipe=given.recipe,
        seed=shop.recipe.seed,
        manifest_sha256=manifest_sha256(given.data),
        minutes=round(minutes, 1),
        metrics={"n_steps": n_steps, "recipe": asdict(shop.recipe)},
    )
    checkpoint.save(described, models[None].state_dict(), given.out)
    print(f"calibrate it: python -m models.training.calibrate voice --left-out {kept} --checkpoints {given.out}")


if __name__ == "__main__":
    main()
