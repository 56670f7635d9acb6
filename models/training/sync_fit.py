"""The closed-form part of training the sync signal: components by canonical correlation, and a logistic head."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.sync import FRAME_HZ, N_FEATURES, N_MOUTH, SyncNet, mouths_of
from models.training.sync_data import Talk, contexts

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a training run is made of."""

    n_components: int = 3
    n_mouth: int = 12
    """Principal components of the mouth that canonical correlation may use."""
    n_sound: int = 25
    ridge: float = 0.3
    """Added to every variance, of the mean variance."""
    n_copies: int = 3
    """Worn copies of each talk, beside the clean one."""
    n_wrong: int = 4
    """Shifts, and other people's sounds, of each copy."""
    max_offset_s: float = 0.2
    """What a call puts between sound and pictures, of both classes alike [s]."""
    decay: float = 1.0
    """Of the head's squared weights."""
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over pictures of mouth and sound side by side: all that the components are computed from."""

    n: float
    total: Floats
    """Shape (D,)."""
    square: Floats
    """Shape (D, D)."""

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.n + other.n, self.total + other.total, self.square + other.square)

    def covariance(self) -> Floats:
        """Return the covariance, shape (D, D)."""
        mean = self.total / self.n
        return np.asarray(self.square / self.n - np.outer(mean, mean))


def moments(talks: Iterable[Talk], weight: float) -> Moments:
    """Return the moments of a source's talks, each picture counted `weight` times."""
    sums = []
    for talk in talks:
        sound = contexts(talk)
        heard = sound[np.clip(np.round(talk.times_s * FRAME_HZ).astype(int), 0, len(sound) - 1)]
        rows = np.hstack([mouths_of(talk.lower, talk.landmarks), heard]).astype(np.float64)  # (N, D)
        sums.append(Moments(weight * len(rows), weight * rows.sum(axis=0), weight * rows.T @ rows))
    return summed(sums)


def summed(parts: Iterable[Moments]) -> Moments:
    """Return the moments of all parts together; at least one."""
    first, *rest = parts
    return sum(rest, first)


def components(found: Moments, recipe: Recipe) -> SyncNet:
    """Return a comparison whose head is still untrained.

    Principal components first, for there are more pixels than the data can tell apart; then regularised canonical
    correlation between what they keep.

    Source: Hardoon, Szedmak and Shawe-Taylor 2004, https://doi.org/10.1162/0899766042321814, section 4.
    """
    cov = found.covariance()
    mouth, sound = (
        _principal(cov[:N_MOUTH, :N_MOUTH], recipe.n_mouth),
        _principal(cov[N_MOUTH:, N_MOUTH:], recipe.n_sound),
    )
    white_mouth = mouth @ _whitening(mouth.T @ cov[:N_MOUTH, :N_MOUTH] @ mouth, recipe.ridge)
    white_sound = sound @ _whitening(sound.T @ cov[N_MOUTH:, N_MOUTH:] @ sound, recipe.ridge)
    left, strength, right = np.linalg.svd(white_mouth.T @ cov[:N_MOUTH, N_MOUTH:] @ white_sound)
    k = recipe.n_components
    net = SyncNet(k)
    with torch.no_grad():
        net.mouth.weight.copy_(torch.from_numpy((white_mouth @ left[:, :k]).T))
        net.sound.weight.copy_(torch.from_numpy((white_sound @ right[:k].T).T))
        net.strength.copy_(torch.from_numpy(strength[:k]))
    return net.eval()


def _principal(cov: Floats, k: int) -> Floats:
    """Return the first `k` principal directions, shape (D, k)."""
    return np.asarray(np.linalg.eigh(cov)[1][:, ::-1][:, :k])


def _whitening(cov: Floats, ridge: float) -> Floats:
    """Return the matrix that makes variables of this covariance independent and of variance 1, shape (k, k)."""
    values, vectors = np.linalg.eigh(cov)
    return np.asarray(vectors / np.sqrt(values + ridge * values.mean()))


def fit_head(
    features: Floats, is_bona_fide: npt.NDArray[np.bool_], weight: Floats, decay: float
) -> tuple[Floats, float]:
    """Return weights (N_FEATURES,) and bias of a logistic regression, by Newton's method.

    Args:
        features: Shape (N, N_FEATURES).
        is_bona_fide: Shape (N,).
        weight: Of each row, shape (N,).
        decay: Of the squared weights, once every feature has variance 1.
    """
    mean, std = features.mean(axis=0), features.std(axis=0)
    x = np.hstack([(features - mean) / std, np.ones((len(features), 1))])
    penalty, w = np.diag([decay] * N_FEATURES + [0.0]), np.zeros(N_FEATURES + 1)
    for _ in range(30):
        p = 1 / (1 + np.exp(-x @ w))
        slope = x.T @ (weight * (p - is_bona_fide)) + penalty @ w
        w = w - np.linalg.solve((x.T * (weight * p * (1 - p))) @ x + penalty, slope)
    scaled = w[:-1] / std
    return scaled, float(w[-1] - scaled @ mean)
