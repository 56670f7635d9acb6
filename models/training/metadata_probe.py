"""What a clip's metadata alone give away of its class: the yardstick beside which a detector's figures belong.

None of it reaches a detector; a set whose classes can be told by it flatters whatever was trained on the set.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from models.training.face_data import DataError

Floats = npt.NDArray[np.float64]

PENALTY = 1.0
"""Of the squared weights; features have unit variance."""
STEPS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What stands about a clip in its container."""

    width: int
    height: int
    duration_s: float
    rate_hz: float
    has_sound: bool
    bit_rate: float
    """Of the whole file [bit/s]."""
    container: str

    @property
    def numbers(self) -> tuple[float, ...]:
        """Sizes and rates by their logarithm: twice as large is as far at every size."""
        logs = (self.width, self.height, self.duration_s, self.rate_hz, self.bit_rate)
        return (*(float(np.log(max(value, 1e-3))) for value in logs), self.width / self.height, float(self.has_sound))


def read_metadata(path: Path) -> Metadata:
    """Read what a container says of its clip.

    Raises:
        DataError: It cannot be read, or holds no pictures.
    """
    try:
        with av.open(str(path), "r") as container:
            stream = container.streams.video[0]
            duration_s = float(container.duration or 0) / av.time_base
            return Metadata(
                width=stream.width,
                height=stream.height,
                duration_s=duration_s,
                rate_hz=float(stream.average_rate or 0),
                has_sound=bool(container.streams.audio),
                bit_rate=path.stat().st_size * 8 / max(duration_s, 0.1),
                container=container.format.name,
            )
    except (av.error.FFmpegError, IndexError) as exc:
        raise DataError(f"cannot read {path}: {exc}") from exc


def features(clips: Sequence[Metadata]) -> Floats:
    """Return numbers, their squares, and a column for each container, shape (N, F)."""
    numbers = np.array([clip.numbers for clip in clips])
    centred = numbers - numbers.mean(axis=0)
    names = sorted({clip.container for clip in clips})
    kinds = np.array([[clip.container == name for name in names] for clip in clips], np.float64)
    return np.hstack([centred, centred**2, kinds])


def leave_one_source_out(x: Floats, is_bona_fide: npt.NDArray[np.bool_], sources: Sequence[str]) -> Floats:
    """Return each clip's score by a regression that was fitted without its source, up = bona fide, shape (N,).

    A source whose absence leaves one class only scores zero.

    Args:
        x: Shape (N, F).
        is_bona_fide: Shape (N,).
        sources: N names.
    """
    scores = np.zeros(len(x))
    names = np.asarray(sources)
    for name in np.unique(names):
        inside = names == name
        if len(np.unique(is_bona_fide[~inside])) == 2:
            scores[inside] = fitted_scores(x[~inside], is_bona_fide[~inside], x[inside])
    return scores


def fitted_scores(x: Floats, is_bona_fide: npt.NDArray[np.bool_], new: Floats) -> Floats:
    """Return new clips' log odds of bona fide by a penalised logistic regression, both classes weighing alike.

    Args:
        x: What it is fitted on, shape (N, F).
        is_bona_fide: Shape (N,), both classes.
        new: Shape (M, F).
    """
    mean, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread < 1e-9] = 1.0
    design = _with_one((x - mean) / spread)
    share = is_bona_fide.mean()
    weight = np.where(is_bona_fide, 0.5 / share, 0.5 / (1 - share))
    penalty = PENALTY * np.eye(design.shape[1])
    penalty[-1, -1] = 1e-6  # the constant is free
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):  # Newton's method; the penalty makes the problem strictly convex
        p = 1 / (1 + np.exp(-np.clip(design @ beta, -30, 30)))
        slope = design.T @ (weight * (is_bona_fide - p)) - penalty @ beta
        curve = (design * (weight * p * (1 - p))[:, None]).T @ design + penalty
        beta += np.linalg.solve(curve, slope)
    scores: Floats = _with_one((new - mean) / spread) @ beta
    return scores


def _with_one(x: Floats) -> Floats:
    return np.hstack([x, np.ones((len(x), 1))])
