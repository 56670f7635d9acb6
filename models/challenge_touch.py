"""Where a finger touches a face, told from its aligned crops. Pure: crops in, touches out.

Each small block of the face is compared with the same place in the seconds before, in those pictures that fit best and
bent smoothly towards it, so that speech, the head's swaying and the camera's exposure cancel. What is left over at the
nose, or at one cheek alone, is a touch. A hand on its way to the nose may hide a cheek; a head that turns, or a hand
before all of the face, changes every place and is no touch.
"""

from collections.abc import Mapping, Sequence
from itertools import groupby

import cv2
import numpy as np
import numpy.typing as npt

from models.challenge import Step
from models.window import CROP_PX, FaceCrop

Map = npt.NDArray[np.float32]

SIDE_PX = CROP_PX // 2
"""Crops are compared at this size: the eyes stand 26 px apart."""
N_REST, N_FITTING = 20, 5
"""Pictures of the seconds before, and how many of them that fit best on the whole a later one is compared with."""
SMOOTH_PX = 6.0
"""They are bent by a flow that is smooth to this: heads and mouths move so, a finger does not."""
SHIFTS_PX = (-1, 0, 1)
BLOCK_PX = 7
LOG_FLOOR = 24.0
"""Added to the luma before its logarithm: the dark is noisy, 0..255."""
USUAL_FLOOR, USUAL_QUANTILE = 0.02, 0.9
"""What a block's difference usually is: this quantile over the seconds before, and at least noise (log luma)."""
MOST_SHARE = 0.25
"""The part of a place that differs most speaks for it: a fingertip does not fill it."""
TOUCHED, NOSE_TOUCHED = 1.85, 2.3
"""A cheek, or the nose, is touched that differs so many times as much as it usually does (a nose that turns differs
more than a cheek):"""
OF_CHEEKS, OF_NOSE = 2.0, 1.2
"""a cheek if it does so many times as much as the other one, and as the nose;"""
NOSE_OF_CHEEKS, FREE = 1.3, 1.5
"""the nose if it does so many times as much as the freer cheek, which differs less than so many times that."""
OF_CLEAREST = 0.25
"""What differs less than this share of the clearest touch is none: a hand's shadow, hair that moves."""
MIN_TOUCH_S, MIN_AWAY_S = 0.4, 0.3
"""A touch lasts so long at least; it is another one if the finger was away for so long."""

_ROWS, _COLUMNS = slice(40, 90), slice(20, 92)
"""What is compared, at `SIDE_PX`: from the eyes to the mouth, ear to ear."""
_NOSE = slice(50, 70), slice(48, 64)
_ON_LEFT, _ON_RIGHT = (slice(52, 78), slice(26, 43)), (slice(52, 78), slice(69, 86))
"""Cheeks as the picture shows them; rows and columns at `SIDE_PX`."""
_PLACES = {Step.NOSE: _NOSE, Step.RIGHT_CHEEK: _ON_LEFT, Step.LEFT_CHEEK: _ON_RIGHT}


def touches(before: Sequence[FaceCrop], during: Sequence[FaceCrop], _: float) -> list[tuple[Step, float, float]]:
    """Return what was touched, from when to when [s], in order."""
    if len(during) < 2:
        return []
    seen = differences(before, during)
    step_s = float(np.median(np.diff([crop.time_s for crop in during])))
    found: list[tuple[Step, float, float, float]] = []
    for place, group in groupby(zip(_places(seen), during, seen, strict=True), key=lambda one: one[0]):
        if place is None:
            continue
        parts = list(group)
        start_s, end_s = parts[0][1].time_s, parts[-1][1].time_s + step_s
        most = max(values[place] for _, _, values in parts)
        if found and found[-1][0] is place and start_s - found[-1][2] < MIN_AWAY_S:
            earlier = found.pop()
            start_s, most = earlier[1], max(most, earlier[3])
        found.append((place, start_s, end_s, most))
    found = [one for one in found if one[2] - one[1] >= MIN_TOUCH_S - 1e-6]
    clearest = max((one[3] for one in found), default=0.0)
    return [(place, start_s, end_s) for place, start_s, end_s, most in found if most >= OF_CLEAREST * clearest]


def _places(seen: Sequence[Mapping[Step, float]]) -> list[Step | None]:
    """Return what is touched in each picture; one picture alone is neither a touch nor its end."""
    places = [_touched(values) for values in seen]
    for i in range(1, len(places) - 1):
        if places[i - 1] == places[i + 1]:
            places[i] = places[i - 1]
    return places


def differences(before: Sequence[FaceCrop], during: Sequence[FaceCrop]) -> list[dict[Step, float]]:
    """Return how much each place differs in each picture, in times of how much it usually does."""
    chosen = np.unique(np.linspace(0, len(before) - 1, N_REST).round().astype(int)).tolist()
    rest = [_log_luma(before[i]) for i in chosen]
    # Each picture of the seconds before against those that are not its neighbours in time.
    own = [_difference(one, [other for j, other in enumerate(rest) if abs(i - j) > 1]) for i, one in enumerate(rest)]
    usual = np.maximum(np.quantile(np.stack(own), USUAL_QUANTILE, axis=0), USUAL_FLOOR)
    seen = [np.asarray(_difference(_log_luma(crop), rest) / usual, np.float32) for crop in during]
    return [{place: _most(values, *where) for place, where in _PLACES.items()} for values in seen]


def _touched(values: Mapping[Step, float]) -> Step | None:
    """Return what is touched if places differ by so much."""
    nose, right, left = values[Step.NOSE], values[Step.RIGHT_CHEEK], values[Step.LEFT_CHEEK]
    low, high = sorted((right, left))
    if nose > max(NOSE_TOUCHED, NOSE_OF_CHEEKS * low) and low < FREE * TOUCHED:
        return Step.NOSE
    if high > max(TOUCHED, OF_CHEEKS * low, OF_NOSE * nose):
        return Step.LEFT_CHEEK if left > right else Step.RIGHT_CHEEK
    return None


def _log_luma(crop: FaceCrop) -> Map:
    """Return a crop's log luma, shape (SIDE_PX, SIDE_PX)."""
    small = cv2.resize(crop.pixels, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    return np.asarray(np.log(grey + LOG_FLOOR), np.float32)


def _difference(picture: Map, others: Sequence[Map]) -> Map:
    """Return each block's root mean square difference from the others that fit best, shape of `_ROWS`, `_COLUMNS`."""
    part = picture[_ROWS, _COLUMNS]
    best = np.full(part.shape, np.inf, np.float32)
    for index in np.argsort([_rough(picture, other) for other in others])[:N_FITTING].tolist():
        bent = _bent(others[index], picture)
        # Exposure is what most of the face differs by: a hand before a part of it must not shift the rest.
        bent = bent + float(np.median(part - bent[_ROWS, _COLUMNS]))
        for dy in SHIFTS_PX:
            for dx in SHIFTS_PX:
                moved = bent[_ROWS.start + dy : _ROWS.stop + dy, _COLUMNS.start + dx : _COLUMNS.stop + dx]
                best = np.minimum(best, cv2.blur((part - moved) ** 2, (BLOCK_PX, BLOCK_PX)))
    return np.sqrt(best)


def _rough(picture: Map, other: Map) -> float:
    """Return how far two pictures are apart over most of the face: a finger leaves it as it is."""
    return float(np.median(np.abs(picture - other)[_ROWS, _COLUMNS][::3, ::3]))


def _bent(other: Map, picture: Map) -> Map:
    """Return another picture bent smoothly towards a picture."""
    # Not one for all calls: it keeps buffers and calls are judged in several threads.
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = finder.calc(_grey(picture), _grey(other), None)  # type: ignore[call-overload]  # stubs know no absent flow
    flow = cv2.GaussianBlur(flow, (0, 0), SMOOTH_PX)
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32)
    bent = cv2.remap(other, x + flow[..., 0], y + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(bent, np.float32)


def _grey(picture: Map) -> npt.NDArray[np.uint8]:
    low, high = float(picture.min()), float(picture.max())
    return np.asarray((picture - low) * (255 / max(high - low, 1e-3)), np.uint8)


def _most(values: Map, rows: slice, columns: slice) -> float:
    """Return what the part of a place that differs most reaches."""
    place = values[
        rows.start - _ROWS.start : rows.stop - _ROWS.start,
        columns.start - _COLUMNS.start : columns.stop - _COLUMNS.start,
    ]
    return float(np.quantile(place, 1 - MOST_SHARE))
