"""How often a lamp was switched, told from a face's aligned crops. Pure: crops in, switches out.

The brightness of the cells of a crop, face and what is beside it, is a pattern. A switch is a sudden step of all of it
along one direction, and later a step back along the same: the lamp's own light and shade, on skin and background in the
same proportion each time. A camera's exposure answers slower than a switch, and along another direction. Of a head
that moves each cell changes by its own amount, and slower. All is told against the seconds before.
"""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from models.challenge import Step
from models.window import FaceCrop

Series = npt.NDArray[np.float64]

CELLS = 8
"""Along each side of a crop."""
LOG_FLOOR = 10.0
"""Added to the luma before its logarithm: the dark is noisy, 0..255."""
N_SIDE = 2
"""Pictures before and after a step that are compared: 0.4 s each."""
USUAL_FLOOR = 0.015
"""Of a cell's usual steps: noise and the codec (log luma)."""
SWITCHED = 3.5
"""A switch steps so many times as far as what usually happens along its direction,"""
LEAST = 0.026
"""and so far at least (log luma, root mean square over cells);"""
AS_LARGE = 0.4
"""and this much of the largest of them."""
COHERENT = 0.45
"""Of a switch's energy, what lies along the lamp's one direction, at least."""
N_LARGEST = 8
"""Steps that tell that direction: up to three lamps on and off, each seen in more than one picture."""
NEAR = 2
"""A step is the largest of so many pictures on either side."""


def switches(before: Sequence[FaceCrop], during: Sequence[FaceCrop], _: float) -> list[tuple[Step, float, float]]:
    """Return from when to when a lamp was switched [s], in order; what was not switched back is left out."""
    if len(before) < 2 * N_SIDE + 1 or len(during) < 2 * N_SIDE:
        return []
    edges = _edges(before, during)
    return [(Step.LAMP, on_s, off_s) for on_s, off_s in zip(edges[::2], edges[1::2], strict=False)]


def _edges(before: Sequence[FaceCrop], during: Sequence[FaceCrop]) -> list[float]:
    """Return when the light changed, each time the other way than before [s]."""
    crops = [*before[-N_SIDE:], *during]
    rest, seen = _steps(before), _steps(crops)  # (T, CELLS ** 2)
    weight = 1 / np.sqrt((rest**2).mean(axis=0) + USUAL_FLOOR**2)
    weight /= np.sqrt((weight**2).mean())
    rest, seen = rest * weight, seen * weight
    sizes = np.linalg.norm(seen, axis=1)
    largest = seen[np.argsort(-sizes)[:N_LARGEST]]
    direction = np.linalg.svd(largest, full_matrices=False)[2][0]
    along = seen @ direction
    usual = float(np.sqrt(((rest @ direction) ** 2).mean()))
    limit = max(SWITCHED * usual, LEAST * CELLS, AS_LARGE * float(np.abs(along).max()))
    found: list[tuple[float, float]] = []
    for i, step in enumerate(along.tolist()):
        nearby = np.abs(along[max(i - NEAR, 0) : i + NEAR + 1])
        if abs(step) < limit or abs(step) < nearby.max() or step**2 < COHERENT * sizes[i] ** 2:
            continue
        if found and found[-1][1] * step > 0:
            # Twice the same way is no switch there and back: the larger one counts.
            if abs(step) <= abs(found[-1][1]):
                continue
            found.pop()
        found.append((crops[i + N_SIDE].time_s, step))
    return [time_s for time_s, _ in found]


def _steps(crops: Sequence[FaceCrop]) -> Series:
    """Return how the pattern differs after each picture from before it, shape (T - 2 * N_SIDE + 1, CELLS ** 2)."""
    patterns = np.stack([_pattern(crop) for crop in crops])
    means = np.stack([patterns[i : i + N_SIDE].mean(axis=0) for i in range(len(patterns) - N_SIDE + 1)])
    return np.asarray(means[N_SIDE:] - means[:-N_SIDE], np.float64)


def _pattern(crop: FaceCrop) -> Series:
    """Return the log luma of each cell, shape (CELLS ** 2,)."""
    # The mean of logarithms over finer cells: a bright spot does not stand for its cell.
    fine = cv2.resize(crop.pixels, (2 * CELLS, 2 * CELLS), interpolation=cv2.INTER_AREA).astype(np.float64)
    logs = np.log(fine.mean(axis=2) + LOG_FLOOR)
    return np.asarray(logs.reshape(CELLS, 2, CELLS, 2).mean(axis=(1, 3)).ravel(), np.float64)  # (CELLS ** 2,)
