"""People and attackers before a camera, rendered from one portrait: what the laboratory of active checks films.

A head is the portrait's picture over a smooth relief (a bump with a nose), turned, nodded and brought nearer by
moving its pixels; a hand is a skin-coloured patch that passes in front. No third party's code or weights are used.
What is modelled of today's tools: a real-time swap finds its face anew in each picture, lays a mask over it that knows
nothing of hands, and shows the face below where it finds none (DeepFaceLive's and inswapper's manuals ask for a frontal
face for that reason); a reenactment drives one still, late and at few pictures a second, within the poses that its
still allows (FOMM, LivePortrait); a lip-sync moves a mouth on a still.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from models.challenge import Challenge, Step
from models.faces import Detection
from models.preprocess import similarity
from models.window import Landmarks, Pixels

Rng = np.random.Generator
Map = npt.NDArray[np.float32]

HEIGHT_PX, WIDTH_PX = 480, 640
COARSE = 4
REST_S = 5.0
"""Before the request."""
MOVING_SHARE = 0.75
"""Of each step; then people are back for a moment."""
N_NOISES = 8


class Behaviour(StrEnum):
    """Who is before the camera."""

    BONA_FIDE = "bona_fide"
    REPLAY = "replay"
    """A clip of somebody who talks and moves as people do, not as asked."""
    SWAP = "swap"
    REENACTMENT = "reenactment"
    LIP_SYNC = "lip_sync"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """How the head is held."""

    yaw_deg: float = 0.0
    tilt: float = 0.0
    """Nod, up = down, about 0.15 at the most."""
    zoom: float = 1.0
    hand: float | None = None
    """Where a hand is on its way across, 0..1; None: nowhere."""


Motion = Callable[[float], Pose]
"""From the time since the picture's start [s] to a pose."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sitter:
    """A portrait with the place of its face, brought to the size of a camera's picture."""

    picture: Pixels
    landmarks: Landmarks

    @classmethod
    def of(cls, rgb: Pixels, face: Detection) -> "Sitter":
        """Return the portrait with its face in the middle, a third of the picture high."""
        target = np.array([[-26, -22], [26, -22], [0, 6], [-22, 36], [22, 36]], np.float32) * 1.15
        matrix = similarity(face.landmarks, target + np.array([WIDTH_PX / 2, HEIGHT_PX * 0.45], np.float32))
        warped = cv2.warpAffine(rgb, matrix, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE)
        landmarks = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
        return cls(picture=np.asarray(warped, np.uint8), landmarks=landmarks.astype(np.float32))

    @property
    def centre(self) -> tuple[float, float]:
        """Of the head [px]."""
        x, y = self.landmarks.mean(axis=0).tolist()
        return x, y

    @property
    def radius(self) -> float:
        """Half the head's width [px]."""
        return 1.25 * float(np.linalg.norm(self.landmarks[1] - self.landmarks[0]))

    def filmed(self, pose: Pose) -> Pixels:
        """Return the picture in a pose, without the hand."""
        map_x, map_y = _moved(self, pose)
        moved = cv2.remap(self.picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    def landmarks_in(self, pose: Pose) -> Landmarks:
        """Return where the landmarks are in a pose, shape (5, 2) [px]."""
        map_x, map_y = _moved(self, pose)
        found = []
        for x, y in self.landmarks.tolist():
            nearest = int(np.argmin((map_x - x) ** 2 + (map_y - y) ** 2))
            found.append((nearest % WIDTH_PX, nearest // WIDTH_PX))
        return np.array(found, np.float32)


def compliant(challenge: Challenge, rng: Rng) -> Motion:
    """Return how somebody moves who does what is asked, late and imprecisely as people do."""
    latency_s, pace_s = rng.uniform(0.6, 1.6), rng.uniform(2.0, 2.6)
    sizes = rng.uniform(0.9, 1.2, len(challenge.steps))
    side = rng.choice([-1.0, 1.0])
    idle = idling(rng)

    def motion(time_s: float) -> Pose:
        pose = idle(time_s)
        at, within = divmod(time_s - REST_S - latency_s, pace_s)
        share = within / pace_s / MOVING_SHARE
        if 0 <= at < len(challenge.steps) and share < 1:
            pose = _step(pose, challenge.steps[int(at)], share, float(sizes[int(at)]), float(side))
        return pose

    return motion


def idling(rng: Rng) -> Motion:
    """Return how somebody moves who only talks."""
    phase = rng.uniform(0, 6.28, 4)
    swing = rng.uniform(1, 6), rng.uniform(0.003, 0.015), rng.uniform(0.005, 0.03)

    def motion(time_s: float) -> Pose:
        return Pose(
            yaw_deg=swing[0] * np.sin(0.9 * time_s + phase[0]) + 2 * np.sin(2.3 * time_s + phase[1]),
            tilt=swing[1] * np.sin(1.3 * time_s + phase[2]),
            zoom=1 + swing[2] * np.sin(0.6 * time_s + phase[3]),
        )

    return motion


def film(who: Behaviour, sitter: Sitter, other: Sitter, challenge: Challenge, rng: Rng) -> Callable[[float], Pixels]:
    """Return what the camera sees of somebody, or of an attacker, at a time [s].

    Args:
        who: Is before it.
        sitter: Whose head is filmed.
        other: Whose face an attacker shows.
        challenge: What is asked at `REST_S`.
        rng: Of all that is drawn.
    """
    motion = compliant(challenge, rng)
    if who is Behaviour.REPLAY:
        motion = idling(rng)
    elif who is Behaviour.REENACTMENT:
        sitter, motion = other, _driven(motion, rng)
    elif who is Behaviour.LIP_SYNC:
        still = idling(rng)(0.0)
        sitter, motion = other, lambda _: replace(still, hand=None)
    noises = rng.normal(0, rng.uniform(1.5, 4.0), (N_NOISES, HEIGHT_PX, WIDTH_PX, 3)).astype(np.int16)
    lost_from_deg, chunks = rng.uniform(28, 38), rng.uniform(size=400)
    paints_over = rng.uniform() < 0.7

    def noisy(picture: Pixels) -> Pixels:
        return np.asarray(np.clip(picture + noises[rng.integers(N_NOISES)], 0, 255), np.uint8)

    def picture(time_s: float) -> Pixels:
        pose = motion(time_s)
        shown = sitter.filmed(pose)
        if who is Behaviour.SWAP:
            is_lost = abs(pose.yaw_deg) > lost_from_deg and chunks[int(time_s * 5)] < 0.6
            is_behind = pose.hand is not None and 0.25 < pose.hand < 0.75
            if is_behind and paints_over:
                return noisy(swapped(_handed(shown, sitter, pose), sitter.landmarks_in(pose), other))
            if not is_lost and not is_behind:
                shown = swapped(shown, sitter.landmarks_in(pose), other)
        return noisy(_handed(shown, sitter, pose))

    return picture


def swapped(picture: Pixels, place: Landmarks, other: Sitter) -> Pixels:
    """Return the picture with another's face laid over the one at `place`, as frontal as it was learnt."""
    height, width = picture.shape[:2]
    matrix = similarity(other.landmarks, place)
    face = cv2.warpAffine(other.picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    mask: npt.NDArray[Any] = np.zeros(picture.shape[:2], np.float32)
    x, y = place.mean(axis=0).tolist()
    wide = float(np.linalg.norm(place[1] - place[0])) + 1
    high = float(np.linalg.norm(place[3:].mean(axis=0) - place[:2].mean(axis=0))) + 1
    cv2.ellipse(mask, (int(x), int(y)), (int(0.95 * max(wide, 18)), int(1.25 * high)), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 5)
    inside = mask > 0.5
    if not inside.any():
        return picture
    shift = picture[inside].mean(axis=0) - face[inside].mean(axis=0)
    mixed = picture * (1 - mask[..., None]) + (face + shift) * mask[..., None]
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _step(pose: Pose, step: Step, share: float, size: float, side: float) -> Pose:
    """Return a pose in the middle of a step: there and back, or across."""
    amount = size * float(np.sin(np.pi * share) ** 0.7)
    if step in (Step.LEFT, Step.RIGHT):
        return replace(pose, yaw_deg=pose.yaw_deg + (35 if step is Step.RIGHT else -35) * amount * side)
    if step in (Step.UP, Step.DOWN):
        return replace(pose, tilt=pose.tilt + (0.15 if step is Step.DOWN else -0.15) * amount)
    if step in (Step.NEAR, Step.FAR):
        return replace(pose, zoom=pose.zoom * (1 + 0.45 * amount if step is Step.NEAR else 1 / (1 + 0.33 * amount)))
    return replace(pose, hand=share)


def _driven(motion: Motion, rng: Rng) -> Motion:
    """Return a motion as a reenactment shows it: late, in few pictures, within a still's poses, without hands."""
    late_s, rate_hz, most_deg = rng.uniform(0.15, 0.4), rng.uniform(8, 14), rng.uniform(8, 14)

    def driven(time_s: float) -> Pose:
        pose = motion(np.floor((time_s - late_s) * rate_hz) / rate_hz)
        return Pose(
            yaw_deg=float(np.clip(pose.yaw_deg, -most_deg, most_deg)),
            tilt=float(np.clip(pose.tilt, -0.035, 0.035)),
            zoom=float(np.clip(pose.zoom, 0.92, 1.1)),
        )

    return driven


def _moved(sitter: Sitter, pose: Pose) -> tuple[Map, Map]:
    """Return from where each pixel of the posed picture is taken."""
    x0, y0 = sitter.centre
    # The relief is smooth: a quarter of the pixels carries it.
    grid_y, grid_x = (np.mgrid[0 : HEIGHT_PX // COARSE, 0 : WIDTH_PX // COARSE].astype(np.float32) + 0.5) * COARSE - 0.5
    x, y = (grid_x - x0) / pose.zoom / sitter.radius, (grid_y - y0) / pose.zoom / sitter.radius
    yaw = np.radians(pose.yaw_deg)
    u, v = x.copy(), y.copy()
    for _ in range(8):
        depth = _depth(u, v)
        u = x - depth * np.sin(yaw) - np.clip(u, -1.2, 1.2) * (np.cos(yaw) - 1) * _inside(u, v)
        v = y - depth * pose.tilt * 2.2
    size = WIDTH_PX, HEIGHT_PX
    coarse = (u * sitter.radius + x0).astype(np.float32), (v * sitter.radius + y0).astype(np.float32)
    map_x, map_y = (cv2.resize(one, size, interpolation=cv2.INTER_LINEAR) for one in coarse)
    return np.asarray(map_x, np.float32), np.asarray(map_y, np.float32)


def _depth(u: Map, v: Map) -> Map:
    """Return how far the head stands out, in radii: a bump with a nose, flat enough that no part hides another."""
    head = 1.15 * np.exp(-(u**2) / 1.0 - v**2 / 1.9)
    nose = 0.34 * np.exp(-(u**2 + (v - 0.08) ** 2) / (2 * 0.22**2))
    return np.asarray(head + nose, np.float32)


def _inside(u: Map, v: Map) -> Map:
    return np.asarray(np.clip(1.6 - (u / 1.15) ** 2 - (v / 1.5) ** 2, 0, 1), np.float32)


def _handed(picture: Pixels, sitter: Sitter, pose: Pose) -> Pixels:
    """Return the picture with the hand where it is on its way across the face."""
    if pose.hand is None:
        return picture
    x0, y0 = sitter.centre
    skin = np.median(picture[int(y0) - 8 : int(y0) + 8, int(x0) - 40 : int(x0) + 40].reshape(-1, 3), axis=0)
    x = x0 + (pose.hand - 0.5) * 5.2 * sitter.radius
    mask: npt.NDArray[Any] = np.zeros(picture.shape[:2], np.float32)
    size = int(1.0 * sitter.radius * pose.zoom), int(1.35 * sitter.radius * pose.zoom)
    cv2.ellipse(mask, (int(x), int(y0)), size, 8, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)[..., None]
    lines = 1 + 0.07 * np.sin(np.arange(picture.shape[1]) / 5.0)[None, :, None]
    return np.asarray(np.clip(picture * (1 - mask) + skin * 0.92 * lines * mask, 0, 255), np.uint8)
