"""A lamp, to be drawn into pictures of a face: light that falls off over a smooth head and over what is behind it."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from models.preprocess import face_px
from models.window import Landmarks

Rng = np.random.Generator


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
