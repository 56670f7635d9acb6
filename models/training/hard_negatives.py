"""What keeps a bona fide face bona fide and makes it hard to judge, drawn once for a clip and held over all of it.

    python -m models.training.hard_negatives --data DIR --preview out.png [--file clips/NAME.mp4]

shows one bona fide clip under each. Works on whole pictures with landmarks, and on crops as well: there the landmarks
are those of the crop.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from models.faces import FaceFinder
from models.preprocess import align_face, similarity
from models.training.face_data import BONA_FIDE, pictures, read_manifest
from models.training.face_light import LowLight, OverExposed, ScreenLight, Webcam
from models.training.face_worn import Glasses, Hand, MedicalMask, fitted, warped
from models.window import CROP_PX, Landmarks, Pixels

Rng = np.random.Generator
Floats = npt.NDArray[np.float32]
Seen = tuple[float, Pixels, Landmarks | None]
"""Time [s], RGB picture (H, W, 3), and the landmarks of its main face, None where none was found."""

EYE_REACH = 27.0
"""Radius of an enlarged eye's surroundings [template px]."""


class Kind(StrEnum):
    """Ways to be hard."""

    BEAUTY = "beauty"
    BACKGROUND = "background"
    LOW_LIGHT = "low_light"
    OVER_EXPOSED = "over_exposed"
    MASK = "mask"
    GLASSES = "glasses"
    HAND = "hand"
    WEBCAM = "webcam"
    SCREEN_LIGHT = "screen_light"


class Look(Protocol):
    """What was drawn for a clip."""

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return a changed picture; the one given is left alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beauty:
    """A beauty filter: skin without pores but with edges, somewhat brighter; eyes somewhat larger."""

    smooth: float
    """Share of the smoothed skin, 0..1."""
    edge: float
    """Contrast that counts as an edge and stays [of 255]."""
    bright: float
    eyes: float
    """How much the middle of an eye grows."""

    @classmethod
    def draw(cls, rng: Rng) -> "Beauty":
        return cls(
            smooth=float(rng.uniform(0.5, 1.0)),
            edge=float(rng.uniform(10, 24)),
            bright=float(rng.uniform(1.02, 1.12)),
            eyes=float(rng.choice([0.0, rng.uniform(0.05, 0.25)])),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return the picture with its face beautified."""
        if landmarks is None:
            return rgb
        matrix = fitted(landmarks)
        scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
        changed = self._skin(rgb.copy(), matrix, scale)
        for eye in landmarks[:2] if self.eyes else ():
            _grow(changed, eye, EYE_REACH * scale, self.eyes)
        return changed

    def _skin(self, rgb: Pixels, matrix: npt.NDArray[np.float64], scale: float) -> Pixels:
        place = warped(_skin_mask(), matrix, rgb.shape)
        if place is None:
            return rgb
        where, mask = place
        skin = rgb[where].astype(np.float32)
        share = (mask * self.smooth)[..., None]
        soft = skin + share * (_smoothed(skin, max(1, round(5 * scale)), self.edge) - skin)
        bright = soft * (1 + (self.bright - 1) * mask[..., None])
        rgb[where] = np.clip(bright + 0.5, 0, 255)
        return rgb


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """A virtual background: all but head and shoulders blurred, or another picture; the outline trembles."""

    blur: float
    """Standard deviation, of the picture's width; 0: another picture."""
    edge: float
    """Softness of the outline [template px]."""
    tremble: float
    """[template px]"""
    seed: int

    @classmethod
    def draw(cls, rng: Rng) -> "Background":
        return cls(
            blur=float(rng.choice([0.0, rng.uniform(0.01, 0.04)])),
            edge=float(rng.uniform(3, 12)),
            tremble=float(rng.uniform(0, 3)),
            seed=int(rng.integers(2**31)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return the picture with its background changed; all of it where there is no face."""
        height, width = rgb.shape[:2]
        behind = _blurred(rgb, self.blur * width) if self.blur else _room(self.seed, height, width)
        if landmarks is None:
            return np.array(behind)
        # Not the affine fit: a head that turns away narrows less than its face, and the shoulders need not turn at all.
        place = np.asarray(cv2.invertAffineTransform(similarity(landmarks)), np.float64)
        keep = self._person(place, height, width, time_s)[..., None]
        mixed = behind + keep * (rgb.astype(np.float32) - behind)
        return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)

    def _person(self, matrix: npt.NDArray[np.float64], height: int, width: int, time_s: float) -> Floats:
        """Return 1 on head and shoulders and 0 elsewhere, shape (H, W); drawn at a quarter of the size."""
        rng = np.random.default_rng((self.seed, round(time_s * 1000)))
        quarter = np.zeros((-(-height // 4), -(-width // 4)), np.float32)
        for centre, radii in (((112, 88), (82, 120)), ((112, 215), (56, 70)), ((112, 425), (215, 190))):
            turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
            wave = self.tremble * np.sin(3 * turn + rng.uniform(0, 7)) + self.tremble * rng.normal()
            oval = np.stack([np.cos(turn) * (radii[0] + wave), np.sin(turn) * (radii[1] + wave)], axis=1) + centre
            # Below the shoulders the body goes on to the picture's edge.
            oval[oval[:, 1] > 425, 1] = 5000
            points = (oval @ matrix[:, :2].T + matrix[:, 2]) / 4
            cv2.fillPoly(quarter, [np.round(points * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
        sigma = max(0.5, self.edge * float(np.hypot(*matrix[:, 0])) / 8)
        soft = cv2.GaussianBlur(quarter, (0, 0), sigma)
        return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


DRAWS: dict[Kind, Callable[[Rng], Look]] = {
    Kind.BEAUTY: Beauty.draw,
    Kind.BACKGROUND: Background.draw,
    Kind.LOW_LIGHT: LowLight.draw,
    Kind.OVER_EXPOSED: OverExposed.draw,
    Kind.MASK: MedicalMask.draw,
    Kind.GLASSES: Glasses.draw,
    Kind.HAND: Hand.draw,
    Kind.WEBCAM: Webcam.draw,
    Kind.SCREEN_LIGHT: ScreenLight.draw,
}


def harden(seen: Iterable[Seen], look: Look) -> Iterator[tuple[float, Pixels]]:
    """Yield a clip's pictures under one look.

    A face that is not found in a picture is taken to be where it was last.

    Args:
        seen: By time, all of one size.
        look: From `DRAWS`, drawn once for the clip.
    """
    place: Landmarks | None = None
    before: tuple[float, Pixels] | None = None
    for time_s, rgb, landmarks in seen:
        place = place if landmarks is None else landmarks
        changed = look.apply(rgb, place, time_s)
        if isinstance(look, LowLight) and before is not None:
            changed = look.smeared(before[1], changed, time_s - before[0])
        before = time_s, changed
        yield before


@lru_cache(maxsize=1)
def _skin_mask() -> Floats:
    """Return where a face has skin to smooth, in the template: the oval without eyes, nostrils and lips."""
    mask = np.zeros((CROP_PX, CROP_PX), np.float32)
    cv2.ellipse(mask, (112, 116), (54, 76), 0, 0, 360, 1.0, -1, cv2.LINE_AA)
    for centre, axes in (((86, 87), (17, 9)), ((138, 87), (17, 9)), ((112, 149), (24, 9)), ((112, 124), (10, 4))):
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 0.15, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 4), np.float32)


def _smoothed(skin: Floats, radius: int, edge: float) -> Floats:
    """Smooth what has less contrast than `edge` by a self-guided filter: four box filters, whatever the radius.

    Source:
        He, Sun and Tang 2010, Guided Image Filtering, https://doi.org/10.1007/978-3-642-15549-9_1.
    """
    side = (2 * radius + 1, 2 * radius + 1)
    mean = cv2.blur(skin, side)
    variance = np.maximum(cv2.blur(skin * skin, side) - mean * mean, 0)
    slope = variance / (variance + edge * edge)
    return np.asarray(cv2.blur(slope, side) * skin + cv2.blur(mean * (1 - slope), side), np.float32)


def _grow(rgb: Pixels, eye: npt.NDArray[np.float32], reach: float, growth: float) -> None:
    """Enlarge what lies round an eye, in place; the change fades to nothing at `reach` [px]."""
    left, top = np.maximum(np.floor(eye - reach), 0).astype(int)
    right, bottom = np.minimum(np.ceil(eye + reach) + 1, rgb.shape[1::-1]).astype(int)
    if right <= left or bottom <= top:
        return
    x, y = np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32))
    off_x, off_y = x - eye[0], y - eye[1]
    near = np.maximum(1 - np.sqrt(off_x**2 + off_y**2) / reach, 0) ** 2
    shrunk = (1 - growth * near).astype(np.float32)
    maps = eye[0] + off_x * shrunk, eye[1] + off_y * shrunk
    rgb[top:bottom, left:right] = cv2.remap(rgb, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _blurred(rgb: Pixels, sigma: float) -> Pixels:
    """Blur by `sigma` [px], at a quarter of the size."""
    small = cv2.resize(rgb, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), max(sigma / 4, 0.5))
    return np.asarray(cv2.resize(soft, rgb.shape[1::-1], interpolation=cv2.INTER_LINEAR), np.uint8)


@lru_cache(maxsize=2)
def _room(seed: int, height: int, width: int) -> Pixels:
    """Return a made-up room: a wall in uneven light, a window, shelves."""
    rng = np.random.default_rng(seed)
    light = np.linspace(rng.uniform(0.6, 1), rng.uniform(0.6, 1), width)[None, :, None]
    wall = np.asarray(
        (rng.uniform(110, 210) + rng.normal(0, 15, 3))
        * light
        * np.linspace(1, rng.uniform(0.6, 1), height)[:, None, None]
    )
    for _ in range(rng.integers(6, 24)):
        size = rng.uniform(0.03, 0.3, 2) * (width, height)
        left, top = (rng.uniform(-0.1, 1, 2) * (width, height)).astype(int)
        corner = int(left + size[0]), int(top + size[1])
        colour = rng.uniform(30, 220) + rng.normal(0, 22, 3)
        cv2.rectangle(wall, (int(left), int(top)), corner, colour.tolist(), -1)
    return np.clip(cv2.GaussianBlur(wall, (0, 0), width / 200), 0, 255).astype(np.uint8)


def contact_sheet(seen: Sequence[Seen], rng: Rng, columns: int = 4) -> Pixels:
    """Return each look on each row: whole pictures spread over the clip, the last with its crop beside it."""
    chosen = set(np.linspace(0, len(seen) - 1, columns).round().astype(int).tolist())
    rows = [_row("plain", [(time_s, rgb) for time_s, rgb, _ in seen], seen, chosen)]
    rows += [_row(kind, list(harden(seen, draw(rng))), seen, chosen) for kind, draw in DRAWS.items()]
    return np.vstack(rows)


def _row(name: str, shown: Sequence[tuple[float, Pixels]], seen: Sequence[Seen], chosen: set[int]) -> Pixels:
    cells = []
    for index in sorted(chosen):
        rgb, landmarks = shown[index][1], seen[index][2]
        cells.append(cv2.resize(rgb, (CROP_PX * rgb.shape[1] // rgb.shape[0], CROP_PX), interpolation=cv2.INTER_AREA))
        cells.append(np.zeros((CROP_PX, CROP_PX, 3), np.uint8) if landmarks is None else align_face(rgb, landmarks))
    row = np.hstack(cells)
    return np.asarray(cv2.putText(row, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 0), 2), np.uint8)


def seen_of(path: Path, finder: FaceFinder) -> list[Seen]:
    """Return a clip's sampled pictures with the landmarks of the largest face in each."""
    found = [(time_s, rgb, finder.find(rgb)) for time_s, rgb in pictures(path)]
    return [(time_s, rgb, faces[0].landmarks if faces else None) for time_s, rgb, faces in found]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.hard_negatives", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of manifest.csv")
    parser.add_argument("--preview", type=Path, required=True, help="picture to write")
    parser.add_argument("--file", help="bona fide clip to show; default: the first of the manifest")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    clips = [
        row.file for row in read_manifest(given.data / "manifest.csv") if row.kind == "video" and row.label == BONA_FIDE
    ]
    seen = seen_of(given.data / (given.file or clips[0]), FaceFinder())
    sheet = contact_sheet(seen, np.random.default_rng(given.seed))
    cv2.imwrite(str(given.preview), sheet[..., ::-1])


if __name__ == "__main__":
    main()
