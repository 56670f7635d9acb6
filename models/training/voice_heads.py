"""Fits the weights of the views' features, and what each view weighs: logistic regression, sources balanced.

Nothing here is drawn at random: the same features give the same weights.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from models.training.voice_data import Clip
from models.voice import LIMIT, LinearHead

Floats = npt.NDArray[np.float32]

MAX_STEPS = 60

COPY_SHARE = 0.25
"""What copies count beside the systems of pages: they are many, and alike."""


def balance(clips: Sequence[Clip]) -> Floats:
    """Return each clip's weight, 1 in the mean: classes alike; within a class sources by the root of their clips.

    Copies of a source's bona fide speech count as a source of their own, and COPY_SHARE of what it would.
    """
    keys = [(clip.is_spoof, clip.source, clip.is_copy) for clip in clips]
    n_clips = Counter(keys)
    raw = np.array([n_clips[key] ** -0.5 * (COPY_SHARE if key[2] else 1.0) for key in keys])
    is_spoof = np.array([clip.is_spoof for clip in clips])
    for rows in (is_spoof, ~is_spoof):
        if rows.any():
            raw[rows] /= raw[rows].sum()
    return np.asarray(raw / raw.mean(), np.float32)


def fit_head(features: Floats, is_bona_fide: npt.NDArray[np.bool_], weight: Floats, ridge: float) -> LinearHead:
    """Return the head that tells the classes of features (N, D) apart.

    Args:
        features: One row a clip.
        is_bona_fide: Its class (N,).
        weight: What it counts (N,).
        ridge: Cost of a squared weight.
    """
    head = LinearHead(features.shape[1])
    head.centre.copy_(torch.from_numpy(features.mean(axis=0)))
    head.scale.copy_(torch.from_numpy(features.std(axis=0) + 1e-4))
    x = ((torch.from_numpy(features) - head.centre) / head.scale).clamp_(-LIMIT, LIMIT)
    weights, bias = _logistic(x, torch.from_numpy(is_bona_fide).float(), torch.from_numpy(weight), ridge)
    head.weight.copy_(weights)
    head.bias.copy_(bias)
    return head


def fit_fusion(
    views: Floats, is_bona_fide: npt.NDArray[np.bool_], weight: Floats, ridge: float = 1e-3
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return what each view weighs and the offset, of the views' scores (N, V) of clips that they were not trained on.

    No view weighs less than nothing: up is bona fide for each.
    """
    weights, bias = _logistic(
        torch.from_numpy(views), torch.from_numpy(is_bona_fide).float(), torch.from_numpy(weight), ridge
    )
    return weights.clamp(min=0), bias


def _logistic(
    x: torch.Tensor, target: torch.Tensor, weight: torch.Tensor, ridge: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return weights (D,) and bias (1,) of least weighted cross-entropy plus ridge."""
    weights = torch.zeros(x.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=MAX_STEPS, line_search_fn="strong_wolfe")

    def cost() -> torch.Tensor:
        optimiser.zero_grad()
        each = _cross_entropy(x @ weights + bias, target)
        total = (weight * each).mean() + ridge * weights.square().sum()
        total.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return total

    optimiser.step(cost)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return weights.detach(), bias.detach()


def _cross_entropy(raw: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of each row (N,)."""
    return torch.nn.functional.binary_cross_entropy_with_logits(raw, target, reduction="none")
