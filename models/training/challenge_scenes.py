"""Genuine clips in which a finger touches the face or a lamp is switched: what the laboratory of both checks films.

A finger is a shaded capsule with nail, creases and a contact shadow, on a fist with a forearm, in the face's own skin
colour. A lamp is added in linear light, with the falloff of its place over a smooth head and over what is behind,
before an exposure that follows the picture as cameras' do. Who only talks is a clip that goes on. A swap lays another's
face over the finger in most runs, as `challenge_people` says of a hand; it follows the mean brightness of the face
below, as its colour transfer does, and none of the light's direction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from models.challenge import Challenge, ChallengeKind, Step
from models.faces import FaceFinder
from models.preprocess import face_px
from models.quality import yaw_deg
from models.training.challenge_people import REST_S, Behaviour, Sitter, film, swapped
from models.training.transcode import full_rate
from models.window import Landmarks, Pixels

Rng = np.random.Generator
Map = npt.NDArray[np.float32]

RATE_HZ = 10.0
SIDE_PX = 480
"""Long side: a telephone's picture in a call, and quicker to draw than a larger one."""
MIN_S, MAX_S = 1.5, 12.0
MIN_FACE_PX = 70.0
MAX_YAW_DEG = 25.0
"""Who is in a call faces the screen."""
MIN_FOUND = 0.95
REST_SHARE = 0.7
"""Before the request only so much of a clip is shown, to and fro: people do not repeat themselves afterwards."""
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
        act = _touching(challenge, rng) if challenge.kind is ChallengeKind.TOUCH else _switching(challenge, rng)
    paints_over = challenge.kind is ChallengeKind.LAMP or rng.uniform() < PAINTS_OVER
    noise = rng.uniform(1.0, 3.0)

    def picture(time_s: float) -> Pixels:
        rgb, landmarks = clip.at(time_s)
        if who is Behaviour.SWAP and not paints_over:
            rgb = swapped(rgb, landmarks, other)
        shown = act(time_s, rgb, landmarks)
        if who is Behaviour.SWAP and paints_over:
            shown = swapped(shown, landmarks, other)
        return np.asarray(np.clip(shown + rng.normal(0, noise, shown.shape), 0, 255), np.uint8)

    return picture


Act = Callable[[float, Pixels, Landmarks], Pixels]
"""From the time [s], the picture and its landmarks to the picture in which something is done."""


def _nothing(_: float, rgb: Pixels, __: Landmarks) -> Pixels:
    return rgb


def _touching(challenge: Challenge, rng: Rng) -> Act:
    """Return somebody who touches what is asked, one after the other, and takes the finger away each time."""
    latency_s, pace_s = rng.uniform(0.6, 1.6), rng.uniform(2.2, 2.8)
    side = 1.0 if rng.uniform() < MISTAKEN else -1.0
    touches = [_Touch.drawn(step, side, rng) for step in challenge.steps]

    def act(time_s: float, rgb: Pixels, landmarks: Landmarks) -> Pixels:
        at, within = divmod(time_s - REST_S - latency_s, pace_s)
        if not 0 <= at < len(touches):
            return rgb
        # A third of the time the hand is away, a sixth each on its way.
        share = within / pace_s
        away = float(np.clip(max((0.17 - share) / 0.17, (share - 0.5) / 0.17), 0, 1))
        return rgb if share > 0.67 else touches[int(at)].shown(rgb, landmarks, away)

    return act


@dataclass(frozen=True, slots=True, kw_only=True)
class _Touch:
    """One touch. Lengths are in distances between the eyes, 63 mm of most people."""

    place: tuple[float, float]
    """Of the fingertip from the nose, along the eyes and down."""
    towards: tuple[float, float]
    """Where the hand is from the tip, a unit vector."""
    width: float
    length: float
    tone: tuple[float, float, float]
    """Of the hand against the face's skin."""
    has_nail: bool
    shadow: tuple[float, float]

    @classmethod
    def drawn(cls, step: Step, side: float, rng: Rng) -> "_Touch":
        """Return a touch of a place; `side` is -1 where a person's left is the picture's right."""
        out = {Step.NOSE: 0.0, Step.LEFT_CHEEK: -side, Step.RIGHT_CHEEK: side}[step]
        if step is Step.NOSE:
            place, angle = (rng.normal(0, 0.06), rng.normal(0.0, 0.06)), rng.uniform(-65, 65)
        else:
            place = (out * rng.uniform(0.45, 0.72), rng.uniform(-0.1, 0.3))
            angle = out * rng.uniform(15, 85)
        radians = np.radians(angle)
        light = rng.uniform(0.78, 1.15)
        red, green, blue = (light * rng.uniform(0.97, 1.03, 3)).tolist()
        return cls(
            place=(float(place[0]), float(place[1])),
            towards=(float(np.sin(radians)), float(np.cos(radians))),
            width=rng.uniform(0.22, 0.32),
            length=rng.uniform(1.0, 1.3),
            tone=(red, green, blue),
            has_nail=bool(rng.uniform() < 0.6),
            shadow=(rng.uniform(-0.1, 0.1), rng.uniform(0.0, 0.12)),
        )

    def shown(self, rgb: Pixels, landmarks: Landmarks, away: float) -> Pixels:
        """Return the picture with the hand; `away` is 0 where the tip touches and 1 where the hand has left."""
        eye_px = float(np.linalg.norm(landmarks[1] - landmarks[0]))
        across = (landmarks[1] - landmarks[0]) / max(eye_px, 1e-6)
        down = np.array([-across[1], across[0]])
        towards = self.towards[0] * across + self.towards[1] * down
        # A turned face's eyes stand nearer together: never less than by its height.
        unit = max(eye_px, 0.48 * face_px(landmarks))
        tip = landmarks[2] + unit * (self.place[0] * across + self.place[1] * down + 3.0 * away * towards)
        along, beside, edge = self._shape(rgb.shape[:2], tip, towards, unit)
        offset = unit * np.array(self.shadow)
        move = np.array([[1, 0, offset[0]], [0, 1, offset[1]]], np.float32)
        mask = np.clip(0.5 - edge / 1.5, 0, 1).astype(np.float32)
        soft = cv2.GaussianBlur(mask, (0, 0), 0.08 * unit)
        shadow = cv2.warpAffine(soft, move, (rgb.shape[1], rgb.shape[0]))
        skin = _skin(rgb, landmarks) * np.array(self.tone)
        lit = 1 - 0.3 * np.clip(np.abs(beside) / (0.5 * self.width * unit), 0, 1.3) ** 2
        lit = np.where(along > self.length * unit, 0.9, lit)
        for crease in (0.33, 0.62):
            lit = lit * (1 - 0.12 * np.exp(-(((along / unit - crease * self.length) / 0.02) ** 2)))
        if self.has_nail:
            nail = (along / unit - 0.14) ** 2 / 0.1**2 + (beside / unit) ** 2 / (0.32 * self.width) ** 2 < 1
            lit = np.where(nail, 1.1, lit)
        below = rgb * (1 - 0.28 * (1 - away) * shadow[..., None])
        return np.asarray(
            np.clip(below * (1 - mask[..., None]) + skin * lit[..., None] * mask[..., None], 0, 255), np.uint8
        )

    def _shape(
        self, size: tuple[int, int], tip: npt.NDArray[np.floating], towards: npt.NDArray[np.floating], unit: float
    ) -> tuple[Map, Map, Map]:
        """Return each pixel's place along and beside the finger, and its distance from the hand's outline [px]."""
        y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
        along = (x - tip[0]) * towards[0] + (y - tip[1]) * towards[1]
        beside = (x - tip[0]) * towards[1] - (y - tip[1]) * towards[0]
        half, length = 0.5 * self.width * unit, self.length * unit
        finger = np.hypot(along - np.clip(along, half, length), beside) - half
        fist = np.maximum(np.abs(along - length - 0.5 * unit) - 0.35 * unit, 0)
        fist = np.hypot(fist, np.maximum(np.abs(beside) - 0.4 * unit, 0)) - 0.22 * unit
        arm = np.hypot(along - np.clip(along, length + unit, 1e4), beside) - 0.42 * unit
        return along, beside, np.minimum(np.minimum(finger, fist), arm)


def _switching(challenge: Challenge, rng: Rng) -> Act:
    """Return a lamp that is switched and switched back, as often as asked, under an exposure that follows."""
    latency_s, pace_s = rng.uniform(0.8, 2.8), rng.uniform(1.8, 2.8)
    lamp = _Lamp.drawn(rng)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lamp:
    """A lamp's light against the light that is there."""

    power: float
    """On the part of the face that is turned to it."""
    behind: float
    """Of that, on what is behind."""
    side: tuple[float, float]
    """From where it shines, along the eyes and up: a vector no longer than 1; short is from the front."""
    tint: tuple[float, float, float]

    @classmethod
    def drawn(cls, rng: Rng) -> "_Lamp":
        """Return a desk's lamp or a telephone's torch, near, or in three of ten cases the room's."""
        is_rooms = rng.uniform() < 0.3
        angle, far = rng.uniform(0, np.pi), rng.uniform(0.2, 1.0)
        warm = rng.uniform(-0.05, 0.2)
        return cls(
            power=float(np.exp(rng.uniform(np.log(0.4), np.log(3.0)))),
            behind=rng.uniform(0.4, 1.2) if is_rooms else rng.uniform(0.05, 0.5),
            side=(0.3 * far * np.cos(angle), far) if is_rooms else (far * np.cos(angle), 0.7 * far * np.sin(angle)),
            tint=(1 + warm, 1.0, 1 - warm),
        )

    def shown(self, size: tuple[int, int], landmarks: Landmarks) -> npt.NDArray[np.float32]:
        """Return by what each pixel's linear light is multiplied, shape (H, W, 3)."""
        y, x = np.mgrid[0 : size[0], 0 : size[1]].astype(np.float32)
        middle = landmarks.mean(axis=0)
        radius = 0.75 * face_px(landmarks)
        u, v = (x - middle[0]) / radius, (y - middle[1]) / radius
        # Lambert's law on a smooth head: its normal leans outwards.
        forward = np.sqrt(np.clip(1 - np.clip(u**2 + v**2, 0, 0.95), 0, 1))
        facing = u * self.side[0] - v * self.side[1] + forward * np.sqrt(max(1 - float(np.hypot(*self.side)), 0.05))
        body = np.clip(1.6 - np.hypot(u / 0.8, v) ** 2, 0, 1) + np.clip((v - 0.8) * 2 - 0.6 * np.abs(u), 0, 1)
        body = np.clip(body, 0, 1)
        light = self.power * (np.clip(facing, 0, 1) * body + self.behind * (1 - body))
        return np.asarray(1 + cv2.GaussianBlur(light.astype(np.float32), (0, 0), 3)[..., None] * self.tint, np.float32)


def _skin(rgb: Pixels, landmarks: Landmarks) -> npt.NDArray[np.float64]:
    """Return the skin's colour between the eyes and the mouth, shape (3,)."""
    spots = np.round([(landmarks[0] + landmarks[3]) / 2, (landmarks[1] + landmarks[4]) / 2]).astype(int)
    near = [rgb[max(y - 4, 0) : y + 5, max(x - 4, 0) : x + 5].reshape(-1, 3) for x, y in spots]
    return np.asarray(np.median(np.concatenate(near), axis=0), np.float64)


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
