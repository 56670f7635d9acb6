"""Trains the face network, measures it on groups of sources left out in turn, and writes its checkpoint.

    python -m models.training.train_face --data ../shared/data/face --recipe face
    python -m models.training.train_face --bona-fide CALLS --recipe face-small

Stages: crops, forgers, the frame branch, views of every clip, the window branch (once for each group of sources left
out), figures. Each keeps what it made in the cache, and a run that is cut off goes on where it was when started again.
`--bona-fide` needs no forgeries: recordings of one's own genuine calls are enough, since the forgeries are made of
them; with `--data` they are added to its clips.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import torch

from models import checkpoint, weights
from models.checkpoint import Checkpoint
from models.face import FaceModel
from models.training import face_forgers, face_frames, face_windows
from models.training.face_batches import BLIND, GROUPS, FrameBatches, left_out
from models.training.face_data import DataError, folder_of, manifest_digest, prepare, with_own_calls
from models.training.face_frames import FrameRecipe
from models.training.face_report import LeftOut, report
from models.training.face_views import prepare_views
from models.training.face_windows import Features, WindowRecipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that is chosen in a training."""

    forger_minutes: float
    """For each forger [min]."""
    frames: FrameRecipe
    windows: WindowRecipe
    seed: int = 7


RECIPES = {
    "face": Recipe(forger_minutes=4, frames=FrameRecipe(minutes=52), windows=WindowRecipe(minutes=5)),
    # For tapes: the first stage is the checkpoint's, which saw nothing of what is measured.
    "face-tapes": Recipe(forger_minutes=0.7, frames=FrameRecipe(minutes=0), windows=WindowRecipe(minutes=4)),
    "face-small": Recipe(forger_minutes=0.3, frames=FrameRecipe(minutes=2), windows=WindowRecipe(minutes=0.5)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Where a training reads and keeps its parts."""

    name: str
    recipe: Recipe
    manifest: Path
    folder: Path
    """Where everything that the training makes is kept."""
    workers: int
    """Threads that learn, and processes that make views."""


def frame_branch(shop: Workshop) -> tuple[FaceModel, float, int]:
    """Return a model whose frame branch is trained, the minutes that took, and its steps."""
    cache = prepare(shop.manifest, shop.folder)
    face_forgers.train_missing(cache, shop.folder, shop.recipe.forger_minutes)
    run, state = face_frames.start(shop.recipe.frames), shop.folder / "frames.state"
    if state.is_file():
        run.restore(state)
        print(f"frame branch at step {run.step}, {run.minutes:.1f} min", flush=True)
    if run.minutes < shop.recipe.frames.minutes:
        batches = FrameBatches(cache, face_forgers.forged(shop.folder))
        face_frames.train(shop.recipe.frames, run, batches, state, shop.workers)
    model = FaceModel()
    model.frame.load_state_dict(run.average.state_dict())
    return model.to(memory_format=torch.channels_last), run.minutes, run.step  # type: ignore[call-overload]


def sources_of(features: Features) -> frozenset[str]:
    """Return the sources of all views."""
    return frozenset(view.trial.source for view in features.views)


def window_branch(shop: Workshop, features: Features, make: Callable[[], FaceModel], name: str) -> FaceModel:
    """Return the model trained on all but the sources of a group, from the cache where it was trained before."""
    kept, model = shop.folder / f"window-without-{name}.pt", make()
    if kept.is_file():
        model.load_state_dict(torch.load(kept, weights_only=True))
        return model.eval()
    print(f"window branch without {name}", flush=True)
    face_windows.train(shop.recipe.windows, model, features, left_out(name, sources_of(features)))
    torch.save(model.state_dict(), kept)
    return model


def scored_left_out(shop: Workshop, features: Features, make: Callable[[], FaceModel], name: str) -> list[LeftOut]:
    """Score every view of a group's sources by a model that saw nothing of them."""
    sources = left_out(name, sources_of(features))
    chosen = [i for i, view in enumerate(features.views) if view.trial.source in sources]
    if not chosen:
        return []
    model = window_branch(shop, features, make, name)
    return [
        LeftOut(view=features.views[index], raw=raw, halves=halves)
        for index, raw, halves in face_windows.score(model, features, chosen, shop.workers)
    ]


def main(arguments: list[str] | None = None) -> None:
    """Train by a recipe and write `face.safetensors` and `face.json`."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train_face", description=main.__doc__)
    parser.add_argument("--data", type=Path, help="folder with manifest.csv")
    parser.add_argument("--bona-fide", type=Path, help="folder of recordings of one's own genuine calls")
    parser.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache", help="where parts are kept")
    parser.add_argument("--out", type=Path, default=checkpoint.CHECKPOINTS, help="where the checkpoint goes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", choices=sorted(GROUPS), nargs="+", help="train for these groups and write nothing")
    parser.add_argument("--stop-after", choices=("frames", "views", "features"), help="leave the rest to a later run")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if chosen.data is None and chosen.bona_fide is None:
        parser.error("nothing to learn from: give --data, --bona-fide or both")
    try:
        manifest = chosen.data / "manifest.csv" if chosen.data else None
        if chosen.bona_fide:
            manifest = with_own_calls(manifest, chosen.bona_fide, chosen.cache)
        assert manifest is not None
        shop = Workshop(
            name=chosen.recipe,
            recipe=RECIPES[chosen.recipe],
            manifest=manifest,
            folder=folder_of(manifest, chosen.recipe, chosen.cache),
            workers=chosen.workers,
        )
        run(shop, chosen.out, chosen.only, chosen.stop_after)
    except DataError as exc:
        parser.exit(2, f"error: {exc}\n")


def run(shop: Workshop, out: Path, only: list[str] | None, stop_after: str | None) -> None:
    """Go through the stages, or as many as are asked for."""
    began = time.monotonic()
    if stop_after == "views":
        face_forgers.train_missing(prepare(shop.manifest, shop.folder), shop.folder, shop.recipe.forger_minutes)
        prepare_views(shop.manifest, shop.folder, shop.workers)
        return
    model, minutes, steps = frame_branch(shop)
    if stop_after == "frames":
        return
    place, views = prepare_views(shop.manifest, shop.folder, shop.workers)
    features = face_windows.look_at(model.frame, place, views, shop.folder / "features.npy", shop.workers)
    if stop_after == "features":
        return
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def make() -> FaceModel:
        fresh = FaceModel().to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch omits it
        fresh.load_state_dict(state)
        return fresh  # type: ignore[no-any-return]

    if only:
        for name in only:
            window_branch(shop, features, make, name)
        return
    scored = [one for name in GROUPS for one in scored_left_out(shop, features, make, name)]
    described = _save(shop, window_branch(shop, features, make, BLIND), scored, minutes, steps, out)
    print(f"{(time.monotonic() - began) / 60:.1f} min in this run")
    print(json.dumps(described.metrics, indent=1))


def _save(shop: Workshop, model: FaceModel, scored: list[LeftOut], minutes: float, steps: int, out: Path) -> Checkpoint:
    # Half precision on disk: half the size, and no score moves by more than 0.01 nat.
    state = {key: value.half() if value.is_floating_point() else value for key, value in model.state_dict().items()}
    recipe = shop.recipe
    described = Checkpoint(
        name="face",
        module={},
        recipe=f"{shop.name} {json.dumps(asdict(recipe))}",
        seed=recipe.seed,
        manifest_sha256=manifest_digest(shop.manifest),
        minutes=round(4 * recipe.forger_minutes + minutes + recipe.windows.minutes, 1),
        metrics={"frame_steps": steps, "left_out": report(scored)},
    )
    kept = shop.folder / "left-out.json"
    kept.write_text(json.dumps([_as_row(one) for one in scored]))
    print(f"calibrate it: python -m models.training.calibrate face --left-out {kept} --checkpoints {out}")
    return checkpoint.save(described, state, out)


def _as_row(one: LeftOut) -> dict[str, object]:
    """Return what the calibration reads of a left-out view."""
    view = one.view
    return {
        "file": view.trial.file,
        "source": view.trial.source,
        "scene": f"{view.trial.source}/{view.trial.path}",
        "attack_type": "-" if view.is_bona_fide else view.forgery or view.trial.attack_type,
        "view": view.name,
        "raw": one.raw,
        "halves": one.halves,
    }


if __name__ == "__main__":
    main()
