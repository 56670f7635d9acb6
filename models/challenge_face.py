"""Whether a face did what it was asked, and whether something broke meanwhile. Pure: crops in, what was seen out.

All is measured against the seconds before the request, so that a face's own build, the camera's place and the light
cancel. A swap loses its face at profile or under a hand for some pictures and shows another one, or paints the face
over the hand; a face that is driven by another one cannot follow what its driver's picture does not give.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from models.challenge import Challenge, ChallengeKind, Step
from models.challenge_lamp import switches
from models.window import FaceCrop

Series = npt.NDArray[np.float64]

REST_CROPS = 5
"""One second of the face before the request is needed to measure against."""
TURN_DEG, TURN_BACK = 12.0, 0.55
"""A turn begins here, and ends at this share of it."""
LOOK, LOOK_BACK = 0.055, 0.5
"""The nose's place between eyes and mouth, 0..1, moves by so much."""
NEAR, FAR, SCALE_BACK = 0.22, -0.16, 0.5
"""Logarithms of a face's size against its own before."""
HIDDEN_SHARE = 0.62
"""Mouth or eyes this much less plain than before are behind something."""
HIDDEN_S = 0.35
"""A hand that passes covers the face for so long at least [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSeen:
    """What was seen of a challenge."""

    steps: tuple[Step, ...]
    """What the face did, in order."""
    latency_s: float | None
    """From the request to the first of it [s]."""
    span_s: tuple[float, float] | None
    """From when to when [s]."""
    lost_share: float
    """Of the pictures in which no face was found."""
    jump: float
    """Largest leap of the head's pose between two pictures, against the median leap before: a tracker that lets go."""


def see(
    challenge: Challenge, before: Sequence[FaceCrop], during: Sequence[FaceCrop], asked_s: float
) -> FaceSeen | None:
    """Return what a face did after a request; None if it was not in the picture before.

    Args:
        challenge: What was asked.
        before: Crops of the face before the request, by time.
        during: Its crops afterwards, by time.
        asked_s: Session time of the request [s].
    """
    if len(before) < REST_CROPS:
        return None
    end_s = asked_s + challenge.seconds
    found = _EVENTS[challenge.kind](before, during, end_s)
    times = [time_s for _, time_s, _ in found]
    expected = max(_pictures(before, during, asked_s, end_s), 1)
    return FaceSeen(
        steps=tuple(step for step, _, _ in found),
        latency_s=times[0] - asked_s if times else None,
        span_s=(times[0], max(until for _, _, until in found)) if times else None,
        lost_share=float(np.clip(1 - len(during) / expected, 0, 1)),
        jump=_jump(before, during),
    )


def is_as_drawn(challenge: Challenge, steps: Sequence[Step]) -> bool:
    """Whether what a face did is what was drawn; of turns up to which side is called left."""
    if challenge.kind is ChallengeKind.TURN:
        return len(steps) == len(challenge.steps) and _sides(steps) == _sides(challenge.steps)
    return tuple(steps) == challenge.steps


Event = tuple[Step, float, float]
"""What was done, from when to when [s]."""


def _turns(before: Sequence[FaceCrop], during: Sequence[FaceCrop], _: float) -> list[Event]:
    rest = float(np.median([crop.yaw_deg for crop in before]))
    yaws = np.array([crop.yaw_deg - rest for crop in during])
    return _excursions(during, yaws, (TURN_DEG, -TURN_DEG), (Step.RIGHT, Step.LEFT), TURN_BACK)


def _looks(before: Sequence[FaceCrop], during: Sequence[FaceCrop], _: float) -> list[Event]:
    rest = float(np.median([_tilt(crop) for crop in before]))
    tilts = np.array([_tilt(crop) - rest for crop in during])
    return _excursions(during, tilts, (LOOK, -LOOK), (Step.DOWN, Step.UP), LOOK_BACK)


def _distances(before: Sequence[FaceCrop], during: Sequence[FaceCrop], _: float) -> list[Event]:
    rest = float(np.median([crop.face_px for crop in before]))
    sizes = np.log(np.array([crop.face_px for crop in during]) / rest)
    return _excursions(during, sizes, (NEAR, FAR), (Step.NEAR, Step.FAR), SCALE_BACK)


def _hands(before: Sequence[FaceCrop], during: Sequence[FaceCrop], end_s: float) -> list[Event]:
    """Return when the face was behind something: less plain, or not found while it was there before and after."""
    mouth = float(np.median([crop.mouth for crop in before]))
    eyes = float(np.median([crop.eyes for crop in before]))
    hidden = [
        (crop.time_s, min(crop.mouth / max(mouth, 1e-6), crop.eyes / max(eyes, 1e-6)) < HIDDEN_SHARE) for crop in during
    ]
    step_s = _step_s(before)
    seen: list[tuple[float, bool]] = []
    last_s = before[-1].time_s
    for time_s, is_hidden in [*hidden, (end_s, False)]:
        gap = np.arange(last_s + step_s, time_s - 0.5 * step_s, step_s)
        seen += [(float(at), True) for at in gap]
        if time_s < end_s:
            seen.append((time_s, is_hidden))
        last_s = time_s
    return [
        (Step.HAND, start_s, until_s)
        for start_s, until_s in _stretches(seen)
        if until_s - start_s >= HIDDEN_S - 1e-6 and until_s < end_s - step_s
    ]


_EVENTS: dict[ChallengeKind, Callable[[Sequence[FaceCrop], Sequence[FaceCrop], float], list[Event]]] = {
    ChallengeKind.TURN: _turns,
    ChallengeKind.LOOK: _looks,
    ChallengeKind.CLOSER: _distances,
    ChallengeKind.COVER: _hands,
    ChallengeKind.LAMP: switches,
}


def _excursions(
    crops: Sequence[FaceCrop], values: Series, limits: tuple[float, float], names: tuple[Step, Step], back: float
) -> list[Event]:
    """Return when a measure went beyond its upper or lower limit and came back, in order."""
    events: list[Event] = []
    side, start_s = 0, 0.0
    for crop, value in zip(crops, _steadied(values).tolist(), strict=True):
        if side and value * side < back * limits[0 if side > 0 else 1] * side:
            events.append((names[0 if side > 0 else 1], start_s, crop.time_s))
            side = 0
        if not side and (value > limits[0] or value < limits[1]):
            side, start_s = (1 if value > 0 else -1), crop.time_s
    if side:
        events.append((names[0 if side > 0 else 1], start_s, crops[-1].time_s))
    return events


def _steadied(values: Series) -> Series:
    """Return each value's median with its neighbours: one picture's wrong landmarks are no movement."""
    if len(values) < 3:
        return values
    return np.median(
        np.stack([values[[0, *range(len(values) - 1)]], values, values[[*range(1, len(values)), -1]]]), axis=0
    )


def _stretches(seen: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Return the stretches in which something held [s]; one picture in between does not part them."""
    found: list[tuple[float, float]] = []
    step_s = min((b - a for (a, _), (b, _) in pairwise(seen)), default=0.2)
    for time_s, holds in seen:
        if not holds:
            continue
        if found and time_s - found[-1][1] <= 2.5 * max(step_s, 0.1):
            found[-1] = (found[-1][0], time_s)
        else:
            found.append((time_s, time_s))
    return found


def _tilt(crop: FaceCrop) -> float:
    """Return where the nose stands between the eyes, 0, and the mouth, 1: lower when one looks down."""
    eyes, nose, mouth = crop.landmarks[:2].mean(axis=0), crop.landmarks[2], crop.landmarks[3:].mean(axis=0)
    down = mouth - eyes
    return float((nose - eyes) @ down / max(float(down @ down), 1e-6))


def _sides(steps: Sequence[Step]) -> tuple[bool, ...]:
    """Return of each step after the first whether it is to the same side as the first."""
    return tuple(step is steps[0] for step in steps[1:]) if steps else ()


def _pictures(before: Sequence[FaceCrop], during: Sequence[FaceCrop], asked_s: float, end_s: float) -> int:
    last_s = min(end_s, during[-1].time_s) if during else end_s
    return round((last_s - asked_s) / _step_s(before))


def _step_s(crops: Sequence[FaceCrop]) -> float:
    """Return how far pictures are apart [s]."""
    gaps = [b.time_s - a.time_s for a, b in pairwise(crops)]
    return max(float(np.median(gaps)) if gaps else 0.2, 0.05)


def _jump(before: Sequence[FaceCrop], during: Sequence[FaceCrop]) -> float:
    leaps = [_leap(a, b) for a, b in pairwise([*before[-1:], *during])]
    usual = float(np.median([_leap(a, b) for a, b in pairwise(before)])) if len(before) > 1 else 1.0
    return max(leaps, default=0.0) / max(usual, 0.5)


def _leap(one: FaceCrop, other: FaceCrop) -> float:
    """Return how far the landmarks within the crop moved between two pictures [px]."""
    return float(np.linalg.norm(one.landmarks - other.landmarks, axis=1).mean())
