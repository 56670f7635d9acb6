"""A finger and a lamp, to be drawn into pictures of a face.

A finger is a shaded capsule with nail, creases and a contact shadow, on a fist with a forearm, in the face's own skin
colour. A lamp's light has the falloff of its place over a smooth head and over what is behind.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.challenge import Step
from models.preprocess import face_px
from models.window import Landmarks, Pixels

Rng = np.random.Generator
Map = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
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
    def drawn(cls, step: Step, side: float, rng: Rng) -> "Touch":
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A lamp's light against the light that is there."""

    power: float
    """On the part of the face that is turned to it."""
    behind: float
    """Of that, on what is behind."""
    side: tuple[float, float]
    """From where it shines, along the eyes and up: a vector no longer than 1; short is from the front."""
    tint: tuple[float, float, float]

    @classmethod
    def drawn(cls, rng: Rng) -> "Lamp":
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
