"""Trains the frame branch: whether one crop was altered, and where. Learns from genuine faces and its own forgeries.

No clip of a generator enters here, and of the pages that are measured nothing at all: whatever is left out of the later
stage (`models.training.face_windows`), this one need not be trained again.
"""

import copy
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from models import weights
from models.face import EMBEDDING, FaceNet
from models.training.face_batches import FrameBatch, FrameBatches

SAVE_EVERY_S = 120.0
PRINT_EVERY = 50
AVERAGE_DECAY = 0.998
FROZEN_LAYERS = 2
"""Their maps are the largest, and edges and colours are what ImageNet knows best."""
NORM_EPSILON = 1e-3
"""Of the packaged weights' batch norms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecipe:
    """All that is chosen in a training of the frame branch."""

    minutes: float
    """Wall-clock budget; the learning rate falls to zero along it, whatever the machine's speed [min]."""
    n_pairs: int = 16
    peak_rate: float = 4e-4
    warm_up_steps: int = 50
    weight_decay: float = 1e-3
    place_share: float = 0.5
    """Weight of the side task, where the crop was altered, beside whether it was."""
    fine_after: float = 0.75
    """Share of the minutes after which the forgeries become fine: crude ones teach faster, fine ones teach swaps."""
    seed: int = 7


@dataclass(slots=True, kw_only=True)
class FrameRun:
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


def fresh() -> FaceNet:
    """Return an untrained network in the memory order that is fastest on a CPU."""
    return FaceNet().to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]  # torch omits it


def imagenet(net: FaceNet) -> list[dict[str, Any]]:
    """Load the packaged ImageNet weights into stem and tail, each batch norm folded into its convolution.

    The norm is folded because a batch holds the same faces twice, genuine and forged: its own statistics would tell the
    network so, and with fixed ones the norm is only a scale and an offset.

    Returns:
        The optimiser's groups. Each kernel's rate is multiplied by its norm's scale, in `reach`, so that folding
        changes how fast a step is computed and not what it does.
    """
    packaged = torch.load(weights.ensure("efficientnet_lite0"), weights_only=True)
    kernels = [tensor for name, tensor in packaged.items() if tensor.dim() == 4]
    norms = [name.removesuffix("running_var") for name in packaged if name.endswith("running_var")]
    convs = [module for part in (net.stem, net.tail) for module in part.modules() if isinstance(module, nn.Conv2d)]
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
    new = [*net.classify.parameters(), *net.places.parameters()]
    return [*groups, {"params": new, "reach": 1.0}]


def start(recipe: FrameRecipe) -> FrameRun:
    """Return a run before its first step."""
    torch.manual_seed(recipe.seed)
    net, average = fresh(), fresh()
    groups = imagenet(net)
    average.load_state_dict(net.state_dict())
    net.stem[:FROZEN_LAYERS].requires_grad_(False)
    optimiser = torch.optim.AdamW(groups, recipe.peak_rate, weight_decay=recipe.weight_decay)
    return FrameRun(net=net, average=average, optimiser=optimiser)


def rate(recipe: FrameRecipe, run: FrameRun) -> float:
    """Return the learning rate: a short linear rise, then half a cosine over the minutes."""
    warm = min(1.0, (run.step + 1) / recipe.warm_up_steps)
    return recipe.peak_rate * warm * 0.5 * (1 + float(np.cos(np.pi * min(1.0, run.minutes / recipe.minutes))))


def train(recipe: FrameRecipe, run: FrameRun, batches: FrameBatches, state: Path, workers: int) -> None:
    """Run until the minutes are used up, saving to `state` on the way.

    Each worker thread draws and learns its share of a step's pairs on a copy of the network: with small layers that is
    half as fast again as two threads within each layer.

    Args:
        recipe: What is chosen.
        run: Where it stands; goes on from there.
        batches: Draws the pairs.
        state: File of the run.
        workers: Threads.
    """
    saved, began, before = time.monotonic(), time.monotonic(), run.minutes
    copies = [run.net, *(copy.deepcopy(run.net) for _ in range(workers - 1))]
    losses: list[tuple[float, float]] = []
    with ThreadPoolExecutor(workers) as pool:
        while run.minutes < recipe.minutes:
            losses.append(_step(recipe, run, copies, batches, pool))
            run.minutes = before + (time.monotonic() - began) / 60
            if run.step % PRINT_EVERY == 0:
                whole, places = np.mean(losses[-PRINT_EVERY:], axis=0)
                print(f"step {run.step} at {run.minutes:.1f} min: loss {whole:.3f}, places {places:.3f}", flush=True)
            if time.monotonic() - saved > SAVE_EVERY_S:
                run.save(state)
                saved = time.monotonic()
    run.save(state)


def _step(
    recipe: FrameRecipe, run: FrameRun, copies: list[FaceNet], batches: FrameBatches, pool: ThreadPoolExecutor
) -> tuple[float, float]:
    for group in run.optimiser.param_groups:
        group["lr"] = rate(recipe, run) * group["reach"]
    n_pairs, step = recipe.n_pairs // len(copies), run.step
    fine = run.minutes >= recipe.fine_after * recipe.minutes

    def learn(part: int) -> tuple[float, float]:
        torch.set_num_threads(1)  # of this thread
        batch = batches.draw(np.random.default_rng((recipe.seed, step, part)), n_pairs, fine=fine)
        return _gradients(recipe, copies[part], batch)

    losses = list(pool.map(learn, range(len(copies))))
    for first, *others in zip(*(net.parameters() for net in copies), strict=True):
        if first.grad is not None:
            first.grad = torch.stack([first.grad, *(other.grad for other in others)]).mean(dim=0)
    nn.utils.clip_grad_norm_(run.net.parameters(), 2.0)
    run.optimiser.step()
    run.step += 1
    decay = min(AVERAGE_DECAY, run.step / (run.step + 10))
    with torch.no_grad():
        for kept, first, *others in zip(run.average.parameters(), *(net.parameters() for net in copies), strict=True):
            kept.lerp_(first, 1 - decay)
            for other in others:
                other.copy_(first)
    whole, places = np.mean(losses, axis=0)
    return float(whole), float(places)


def _gradients(recipe: FrameRecipe, net: FaceNet, batch: FrameBatch) -> tuple[float, float]:
    """Leave the gradients of a batch in the network and return its two losses."""
    rows = net(torch.from_numpy(batch.pixels))
    whole = functional.binary_cross_entropy_with_logits(rows[:, 0], torch.from_numpy(batch.labels))
    genuine = torch.from_numpy(batch.genuine).flatten(1)  # (B, h * w)
    places = functional.binary_cross_entropy_with_logits(rows[:, 1 + EMBEDDING :], genuine)
    net.zero_grad()
    (whole + recipe.place_share * places).backward()  # type: ignore[no-untyped-call]  # torch does not say
    return float(whole.detach()), float(places.detach())
