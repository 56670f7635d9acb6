"""Trains the face network, measures it on sources it has not seen, calibrates it and writes its checkpoint.

    python -m models.training.train_face --data ../shared/data/face --recipe face

A run that is cut off goes on where it was when started again with the same recipe.
"""

import argparse
import json
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models import checkpoint, weights
from models.checkpoint import Checkpoint
from models.face import FaceNet
from models.training.face_batches import Batches, Mix
from models.training.face_data import Cache, manifest_digest, prepare
from models.training.face_report import held_out_trials, report

SAVE_EVERY_S = 120.0
PRINT_EVERY = 25
AVERAGE_DECAY = 0.995
FROZEN_LAYERS = 4
"""Their maps are the largest, and edges and colours are what ImageNet knows best."""
NORM_EPSILON = 1e-3
"""Of the packaged weights' batch norms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All that is chosen in a training."""

    minutes: float
    """Wall-clock budget; the learning rate falls to zero along it, whatever the machine's speed [min]."""
    input_px: int = 160
    mix: Mix = field(default_factory=Mix)
    peak_rate: float = 3e-4
    warm_up_steps: int = 25
    weight_decay: float = 1e-3
    seed: int = 7


RECIPES = {"face": Recipe(minutes=30), "face-small": Recipe(minutes=3)}


@dataclass(slots=True, kw_only=True)
class Run:
    """A training under way: what a cut-off run needs to go on."""

    net: FaceNet
    average: FaceNet
    """Exponential average of the weights: what is measured and kept."""
    optimiser: torch.optim.Optimizer
    step: int = 0
    minutes: float = 0.0

    def save(self, path: Path) -> None:
        """Write the state beside and rename, so that a cut never leaves half a file."""
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "minutes": self.minutes,
        }
        torch.save(state, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)

    def restore(self, path: Path) -> None:
        """Take up the state of a cut-off run."""
        state = torch.load(path, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.minutes = state["step"], state["minutes"]


def imagenet(net: FaceNet) -> list[dict[str, Any]]:
    """Load the packaged ImageNet weights into all but the last layer, each batch norm folded into its convolution.

    The norm is folded because a batch holds the same faces twice, genuine and forged: its own statistics would tell the
    network so, and with fixed ones the norm is only a scale and an offset.

    Returns:
        The optimiser's groups. Each kernel's rate is multiplied by its norm's scale, in `reach`, so that folding
        changes how fast a step is computed and not what it does.
    """
    packaged = torch.load(weights.ensure("efficientnet_lite0"), weights_only=True)
    kernels = [tensor for name, tensor in packaged.items() if tensor.dim() == 4]
    norms = [name.removesuffix("running_var") for name in packaged if name.endswith("running_var")]
    convs = [module for module in net.modules() if isinstance(module, nn.Conv2d)]
    groups: list[dict[str, Any]] = []
    with torch.no_grad():
        for conv, kernel, norm in zip(convs, kernels, norms, strict=True):
            scale = packaged[norm + "weight"] / (packaged[norm + "running_var"] + NORM_EPSILON).sqrt()  # (out,)
            conv.weight.copy_(kernel * scale[:, None, None, None])
            bias = cast(nn.Parameter, conv.bias)
            bias.copy_(packaged[norm + "bias"] - packaged[norm + "running_mean"] * scale)
            groups += [
                {"params": [conv.weight], "reach": float(scale.abs().median())},
                {"params": [bias], "reach": 1.0},
            ]
    nn.init.zeros_(net.classify.weight)
    nn.init.zeros_(net.classify.bias)
    return [*groups, {"params": list(net.classify.parameters()), "reach": 1.0}]


def fresh(recipe: Recipe) -> FaceNet:
    """Return an untrained network in the memory order that is fastest on a CPU."""
    net = FaceNet(recipe.input_px)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch omits it


def start(recipe: Recipe) -> Run:
    """Return a run before its first step."""
    torch.manual_seed(recipe.seed)
    net, average = fresh(recipe), fresh(recipe)
    groups = imagenet(net)
    average.load_state_dict(net.state_dict())
    net.layers[:FROZEN_LAYERS].requires_grad_(False)
    optimiser = torch.optim.AdamW(groups, recipe.peak_rate, weight_decay=recipe.weight_decay)
    return Run(net=net, average=average, optimiser=optimiser)


def rate(recipe: Recipe, run: Run) -> float:
    """Return the learning rate: a short linear rise, then half a cosine over the minutes."""
    warm = min(1.0, (run.step + 1) / recipe.warm_up_steps)
    return recipe.peak_rate * warm * 0.5 * (1 + float(np.cos(np.pi * min(1.0, run.minutes / recipe.minutes))))


def train(recipe: Recipe, run: Run, batches: Batches, state: Path) -> None:
    """Run until the minutes are used up, saving to `state` on the way."""
    saved, began, before = time.monotonic(), time.monotonic(), run.minutes
    losses: list[float] = []
    while run.minutes < recipe.minutes:
        rng = np.random.default_rng((recipe.seed, run.step))
        losses.append(_step(run, batches.draw(rng), rate(recipe, run)))
        run.minutes = before + (time.monotonic() - began) / 60
        if run.step % PRINT_EVERY == 0:
            print(f"step {run.step} at {run.minutes:.1f} min: loss {np.mean(losses[-PRINT_EVERY:]):.3f}", flush=True)
        if time.monotonic() - saved > SAVE_EVERY_S:
            run.save(state)
            saved = time.monotonic()
    run.save(state)


def _step(run: Run, batch: tuple[np.ndarray, np.ndarray], learning_rate: float) -> float:
    for group in run.optimiser.param_groups:
        group["lr"] = learning_rate * group["reach"]
    pixels, labels = torch.from_numpy(batch[0]), torch.from_numpy(batch[1])
    loss = functional.binary_cross_entropy_with_logits(run.net(pixels)[:, 0], labels)
    run.optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
    nn.utils.clip_grad_norm_(run.net.parameters(), 2.0)
    run.optimiser.step()
    run.step += 1
    decay = min(AVERAGE_DECAY, run.step / (run.step + 10))
    with torch.no_grad():
        for kept, fresh in zip(run.average.parameters(), run.net.parameters(), strict=True):
            kept.lerp_(fresh, 1 - decay)
    return float(loss.detach())


def finish(name: str, recipe: Recipe, run: Run, cache: Cache, manifest: Path, folder: Path) -> Checkpoint:
    """Measure on the held-out sources and write the checkpoint; `models.training.calibrate` comes after."""
    # Half precision on disk: half the size, and no score moves by more than 0.01 nat.
    state = {
        key: value.half() if value.is_floating_point() else value for key, value in run.average.state_dict().items()
    }
    net = fresh(recipe).eval()
    net.load_state_dict(state)
    trials = held_out_trials(net, cache)
    return checkpoint.save(
        Checkpoint(
            name="face",
            module={"input_px": recipe.input_px},
            recipe=f"{name} {json.dumps(asdict(recipe))}",
            seed=recipe.seed,
            manifest_sha256=manifest_digest(manifest),
            minutes=round(run.minutes, 1),
            metrics={"steps": run.step, "pictures": run.step * recipe.mix.size, "held_out": report(trials)},
        ),
        state,
        folder,
    )


def main(arguments: list[str] | None = None) -> None:
    """Train by a recipe and write `face.safetensors` and `face.json`."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train_face", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    parser.add_argument("--minutes", type=float, help="another budget than the recipe's")
    parser.add_argument(
        "--cache", type=Path, default=weights.folder() / "cache", help="where crops and states are kept"
    )
    parser.add_argument("--out", type=Path, default=checkpoint.CHECKPOINTS, help="where the checkpoint goes")
    chosen = parser.parse_args(arguments)
    recipe = RECIPES[chosen.recipe]
    if chosen.minutes is not None:
        recipe = replace(recipe, minutes=chosen.minutes)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    manifest = chosen.data / "manifest.csv"
    cache = prepare(manifest, chosen.cache)
    run, state = start(recipe), chosen.cache / f"{chosen.recipe}.state"
    if state.is_file():
        run.restore(state)
        print(f"going on from step {run.step}, {run.minutes:.1f} min")
    train(recipe, run, Batches(cache, recipe.mix), state)
    saved = finish(chosen.recipe, recipe, run, cache, manifest, chosen.out)
    state.unlink()  # The run is over: the same command trains anew.
    print(json.dumps(saved.metrics, indent=1))


if __name__ == "__main__":
    main()
