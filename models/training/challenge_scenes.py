"""Genuine clips in which a finger touches the face or a lamp is switched: what the laboratory of both checks films.

Finger and lamp are those of `challenge_props`. The lamp is added in linear light, before an exposure that follows the
picture as cameras' do. Who only talks is a clip that goes on. A swap lays another's face over the finger in most runs,
as `challenge_people` says of a hand; it follows the mean brightness of the face below, as its colour transfer does, and
none of the light's direction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.challenge import Challenge
from models.faces import FaceFinder
from models.preprocess import face_px
from models.quality import yaw_deg
from models.training.challenge_people import REST_S, Behaviour, Sitter, film, swapped
from models.training.challenge_props import Lamp
from models.training.transcode import full_rate
from models.window import Landmarks, Pixels

Rng = np.random.Generator

RATE_HZ = 10.0
SIDE_PX = 480
"""Long side: a telephone's picture in a call, and quicker to draw than a larger one."""
MIN_S, MAX_S = 3.5, 12.0
"""The service has six seconds of a face before it asks: a shorter clip has nothing to compare with."""
MIN_FACE_PX = 70.0
MAX_YAW_DEG = 25.0
"""Who is in a call faces the screen."""
MIN_FOUND = 0.95
REST_SHARE = 0.7
"""Before the request only so much of a clip is shown, to and fro, afterwards all: people do new things too."""
GAMMA = 2.2
PAINTS_OVER = 0.7
"""Of runs of a swap."""
MISTAKEN = 0.2
"""Of people who take the other side for the one that they are asked for, or whose picture is mirrored."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """A genuine clip with the landmarks of its one face."""

    source: str
    pictures: tuple[Pixels, ...]
    """`RATE_HZ` a second."""
    landmarks: npt.NDArray[np.float32]
    """Steadied, shape (T, 5, 2) [px]."""

    @classmethod
    def of(cls, path: Path, source: str, finder: FaceFinder) -> "Clip | None":
        """Return a file's clip; None if it is too short or not of one face, large enough and before the camera."""
        pictures, due_s = list[Pixels](), 0.0
        for time_s, rgb in full_rate(path):
            if time_s >= due_s - 1e-6 and time_s < MAX_S:
                pictures.append(_call_sized(rgb))
                due_s += 1 / RATE_HZ
        if len(pictures) < MIN_S * RATE_HZ:
            return None
        found = [finder.find(rgb) for rgb in pictures]
        places = [faces[0].landmarks for faces in found if len(faces) == 1]
        if len(places) < MIN_FOUND * len(found) or float(np.median([face_px(p) for p in places])) < MIN_FACE_PX:
            return None
        if abs(float(np.median([yaw_deg(p) for p in places]))) > MAX_YAW_DEG:
            return None
        # A picture in which the face was not found is left out.
        kept = [rgb for rgb, faces in zip(pictures, found, strict=True) if len(faces) == 1]
        raw = np.stack(places)
        steady = np.stack([raw[max(i - 1, 0) : i + 2].mean(axis=0) for i in range(len(raw))])
        return cls(source=source, pictures=tuple(kept), landmarks=steady.astype(np.float32))

    def at(self, time_s: float) -> tuple[Pixels, Landmarks]:
        """Return picture and landmarks at a time: to and fro, its beginning alone before `REST_S`."""
        n = len(self.pictures)
        first = max(round(REST_SHARE * n), 2)
        i = round(time_s * RATE_HZ)
        n_rest = round(REST_S * RATE_HZ)
        index = _to_and_fro(i, first) if i < n_rest else _to_and_fro(_to_and_fro(n_rest, first) + i - n_rest, n)
        return self.pictures[index], self.landmarks[index]


def staged(
    who: Behaviour, clip: Clip, sitter: Sitter, other: Sitter, challenge: Challenge, rng: Rng
) -> Callable[[float], Pixels]:
    """Return what the camera sees at a time, to be asked by rising time.

    Args:
        who: Is before it.
        clip: Whom it films; of a reenactment and a lip-sync there is but a still.
        sitter: Drives a still.
        other: Whose face an attacker shows.
        challenge: What is asked at `REST_S`.
        rng: Of all that is drawn.
    """
    if who in (Behaviour.REENACTMENT, Behaviour.LIP_SYNC):
        return film(who, sitter, other, challenge, rng)
    acts = who is not Behaviour.REPLAY
    act: Act = _nothing
    if acts:
        act = _switching(challenge, rng)
    noise = rng.uniform(1.0, 3.0)

    def picture(time_s: float) -> Pixels:
        rgb, landmarks = clip.at(time_s)
        shown = act(time_s, rgb, landmarks)
        if who is Behaviour.SWAP:
            shown = swapped(shown, landmarks, other)
        return np.asarray(np.clip(shown + rng.normal(0, noise, shown.shape), 0, 255), np.uint8)

    return picture


Act = Callable[[float, Pixels, Landmarks], Pixels]
"""From the time [s], the picture and its landmarks to the picture in which something is done."""


def _nothing(_: float, rgb: Pixels, __: Landmarks) -> Pixels:
    return rgb


def _switching(challenge: Challenge, rng: Rng) -> Act:
    """Return a lamp that is switched and switched back, as often as asked, under an exposure that follows."""
    latency_s, pace_s = rng.uniform(0.8, 2.8), rng.uniform(1.8, 2.8)
    lamp = Lamp.drawn(rng)
    follows, slow_s = rng.uniform(0.6, 1.0), rng.uniform(0.15, 0.8)
    starts_lit = bool(rng.uniform() < 0.3)
    state = {"gain": 1.0, "aim": 0.0}

    def act(time_s: float, rgb: Pixels, landmarks: Landmarks) -> Pixels:
        at, within = divmod(time_s - REST_S - latency_s, pace_s)
        is_switched = 0 <= at < len(challenge.steps) and within < 0.5 * pace_s
        linear = (rgb.astype(np.float32) / 255) ** GAMMA
        light = lamp.shown(rgb.shape[:2], landmarks)
        # The clip is as it is under the lamp where that is on at first: off is then what is taken away.
        lit = linear * light if is_switched != starts_lit else linear
        lit = lit / light if starts_lit else lit
        mean = float(lit[::8, ::8].mean())
        state["aim"] = state["aim"] or mean
        wanted = (state["aim"] / max(mean, 1e-4)) ** follows
        state["gain"] *= (wanted / state["gain"]) ** (1 - np.exp(-1 / RATE_HZ / slow_s))
        return np.asarray(255 * np.clip(lit * state["gain"], 0, 1) ** (1 / GAMMA), np.uint8)

    return act


def _to_and_fro(i: int, n: int) -> int:
    """Return the index at step `i` of going to and fro over `n` pictures."""
    within = i % max(2 * (n - 1), 1)
    return min(within, 2 * (n - 1) - within) if n > 1 else 0


def _call_sized(rgb: Pixels) -> Pixels:
    ratio = min(SIDE_PX / max(rgb.shape[:2]), 1.0)
    size = 2 * round(rgb.shape[1] * ratio / 2), 2 * round(rgb.shape[0] * ratio / 2)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def clips(rows: Sequence[tuple[Path, str]], n: int, finder: FaceFinder, most: int = 3) -> list[Clip]:
    """Return genuine clips, at most `most` of a source, the first of each source before any second."""
    found: list[tuple[int, Clip]] = []
    for path, source in rows:
        if len(found) >= n:
            break
        of_source = sum(clip.source == source for _, clip in found)
        if of_source < most:
            clip = Clip.of(path, source, finder)
            found += [(of_source, clip)] if clip else []
    return [clip for _, clip in sorted(found, key=lambda one: one[0])]
