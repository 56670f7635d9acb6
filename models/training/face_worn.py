"""What people hold or wear before their faces: a medical mask, glasses, a moving hand.

Each class is what is drawn once for a clip; its `apply` is a function of one picture, its landmarks, its time and these
draws alone. Shapes are given where `models.preprocess.TEMPLATE` puts the landmarks, and follow them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from models.preprocess import TEMPLATE, similarity
from models.window import CROP_PX, Landmarks, Pixels

Rng = np.random.Generator
Floats = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

PATCH_SCALE = 2
"""Pixels of a drawn patch for each of the template."""
FABRICS: tuple[Colour, ...] = ((140, 185, 215), (225, 228, 230), (45, 45, 50), (215, 170, 185), (120, 175, 160))
FRAMES: tuple[Colour, ...] = ((25, 22, 22), (70, 45, 30), (120, 115, 110), (35, 40, 70))
# Middle of each cheek, where a hand's colour is taken from.
CHEEKS = np.array([[80, 122], [144, 122]], np.float32)
HAND_SCALE = 0.62
HAND_SIZE = (240, 320)
"""Width and height of the drawn hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicalMask:
    """A mask from the bridge of the nose to the chin."""

    fabric: Colour
    low: float
    """How far it has slipped down [template px]."""
    seed: int

    @classmethod
    def draw(cls, rng: Rng) -> "MedicalMask":
        fabric = FABRICS[rng.integers(len(FABRICS))]
        return cls(fabric=fabric, low=float(rng.uniform(-4, 8)), seed=int(rng.integers(2**31)))

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return the picture with the mask, lit as what it covers."""
        if landmarks is None:
            return rgb
        return lay_patch(rgb, _mask_patch(self, _near_sides(landmarks)), fitted(landmarks), follow_light=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glasses:
    """Frames, slightly tinted lenses, and a reflection that wanders as the head moves."""

    frame: Colour
    thick: float
    """Width of the frame [template px]."""
    radii: tuple[float, float]
    """Half width and half height of a lens [template px]."""
    roundness: float
    """Exponent of the lens's outline: 2 is an ellipse, more is nearer to a rectangle."""
    tint: float
    shine: float
    """Opacity of the reflection."""

    @classmethod
    def draw(cls, rng: Rng) -> "Glasses":
        return cls(
            frame=FRAMES[rng.integers(len(FRAMES))],
            thick=float(rng.uniform(1.5, 4.0)),
            radii=(float(rng.uniform(19, 23.5)), float(rng.uniform(13, 20))),
            roundness=float(rng.uniform(2, 6)),
            tint=float(rng.uniform(0.02, 0.12)),
            shine=float(rng.uniform(0.15, 0.5)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return the picture with the glasses."""
        if landmarks is None:
            return rgb
        # What a lens mirrors wanders across it as the head turns.
        patch = _glasses_patch(self, round(60 * _turn(landmarks)), _near_sides(landmarks))
        return lay_patch(rgb, patch, fitted(landmarks))


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """A hand of the face's own colour that comes up before the face, moves, and goes down again."""

    middle: tuple[float, float]
    """Where it is while up [template px]."""
    swing: tuple[float, float]
    period_s: float
    phase: float
    """[rad]"""
    turn: float
    """[rad]"""
    mirrored: bool
    seed: int

    @classmethod
    def draw(cls, rng: Rng) -> "Hand":
        return cls(
            middle=(float(rng.uniform(80, 144)), float(rng.uniform(150, 190))),
            swing=(float(rng.uniform(10, 45)), float(rng.uniform(5, 25))),
            period_s=float(rng.uniform(1.5, 5)),
            phase=float(rng.uniform(0, 2 * np.pi)),
            turn=float(rng.normal(0, 0.35)),
            mirrored=bool(rng.random() < 0.5),
            seed=int(rng.integers(2**31)),
        )

    def apply(self, rgb: Pixels, landmarks: Landmarks | None, time_s: float) -> Pixels:
        """Return the picture with the hand where it is at that time."""
        if landmarks is None:
            return rgb
        face = np.asarray(cv2.invertAffineTransform(similarity(landmarks)), np.float64)
        return lay_patch(rgb, _hand_patch(self.seed), chained(face, self._pose(time_s)), colour=_skin(rgb, face))

    def _pose(self, time_s: float) -> Matrix:
        """Return the 2x3 matrix from the hand's own pixels to the template's."""
        angle = 2 * np.pi * time_s / self.period_s + self.phase
        # Up for about two thirds of the time, else below the chin and mostly out of the face.
        raised = 1 / (1 + np.exp(-6 * (np.sin(angle * 0.5) + 0.3)))
        x = self.middle[0] + self.swing[0] * np.sin(angle)
        y = self.middle[1] + self.swing[1] * np.cos(1.3 * angle) + 170 * (1 - raised)
        turn = self.turn + 0.12 * np.sin(1.7 * angle)
        cosine, sine = HAND_SCALE * np.cos(turn), HAND_SCALE * np.sin(turn)
        side = -1 if self.mirrored else 1
        linear = np.array([[cosine * side, -sine], [sine * side, cosine]])
        palm = np.array([HAND_SIZE[0] / 2, 190])
        return np.hstack([linear, (np.array([x, y]) - linear @ palm)[:, None]])


def fitted(landmarks: Landmarks) -> Matrix:
    """Return the 2x3 affine matrix from the template to the picture: it narrows as the head turns away."""
    source = np.hstack([TEMPLATE, np.ones((5, 1))])  # (5, 3)
    return np.asarray(np.linalg.lstsq(source, landmarks.astype(np.float64), rcond=None)[0].T, np.float64)  # (2, 3)


def _turn(landmarks: Landmarks) -> float:
    """Return how far the nose is off the middle of the eyes, along them and in their distance: right is positive."""
    eyes = landmarks[1] - landmarks[0]
    off = landmarks[2] - landmarks[:2].mean(axis=0)
    return float(off @ eyes) / max(float(eyes @ eyes), 1.0)


def _near_sides(landmarks: Landmarks) -> tuple[int, ...]:
    """Return the sides of the face whose ear is seen: -1 left, 1 right, as the picture shows them."""
    turn = _turn(landmarks)
    return tuple(side for side in (-1, 1) if side * turn < 0.12)


def chained(outer: Matrix, inner: Matrix) -> Matrix:
    """Return the 2x3 matrix of `inner`, then `outer`."""
    return np.hstack([outer[:, :2] @ inner[:, :2], (outer[:, :2] @ inner[:, 2] + outer[:, 2])[:, None]])


def warped(patch: Floats, matrix: Matrix, shape: tuple[int, ...]) -> tuple[tuple[slice, slice], Floats] | None:
    """Bring a patch into a picture.

    Args:
        patch: Shape (h, w) or (h, w, C).
        matrix: 2x3, from the patch to the picture.
        shape: Of the picture.

    Returns:
        The part of the picture that it covers and the patch there, if any.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.6:  # bilinear sampling would skip thin lines
        size = max(2, round(patch.shape[1] * scale)), max(2, round(patch.shape[0] * scale))
        grown = np.diag([patch.shape[1] / size[0], patch.shape[0] / size[1]])
        patch = np.asarray(cv2.resize(patch, size, interpolation=cv2.INTER_AREA), np.float32)
        matrix = chained(matrix, np.hstack([grown, (np.diag(grown) / 2 - 0.5)[:, None]]))
    height, width = patch.shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ matrix[:, :2].T + matrix[:, 2]
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)) + 1, (shape[1], shape[0])).astype(int)
    if right <= left or bottom <= top:
        return None
    local = matrix - np.array([[0, 0, left], [0, 0, top]])
    flat = cv2.warpAffine(patch, local, (int(right - left), int(bottom - top)), flags=cv2.INTER_LINEAR)
    return (slice(top, bottom), slice(left, right)), np.asarray(flat, np.float32)


def lay_patch(
    rgb: Pixels, patch: Floats, matrix: Matrix, *, colour: Floats | float = 1.0, follow_light: bool = False
) -> Pixels:
    """Return a picture with a patch laid over it.

    Args:
        rgb: Shape (H, W, 3); left alone.
        patch: Shape (h, w, 4): colour times opacity, 0..255, and opacity, 0..1.
        matrix: 2x3, from the template to the picture for a patch at `PATCH_SCALE`.
        colour: What the patch's own is multiplied by, 0..1.
        follow_light: Whether what lies under the patch says how bright it is, from place to place.
    """
    place = warped(patch, matrix / np.array([PATCH_SCALE, PATCH_SCALE, 1]), rgb.shape)
    if place is None:
        return rgb
    where, flat = place
    under = rgb[where].astype(np.float32)
    over, opacity = flat[..., :3] * colour, flat[..., 3:]
    if follow_light:
        grey = cv2.resize(cv2.cvtColor(under, cv2.COLOR_RGB2GRAY), (24, 24), interpolation=cv2.INTER_AREA)
        light = cv2.resize(cv2.GaussianBlur(grey, (0, 0), 2.4) / 165, flat.shape[1::-1])
        over = over * np.clip(light, 0.25, 1.1)[..., None]
    laid = rgb.copy()
    laid[where] = np.clip(under * (1 - opacity) + over + 0.5, 0, 255)
    return laid


def _blank(size: tuple[int, int] = (CROP_PX, CROP_PX)) -> Floats:
    return np.zeros((size[1] * PATCH_SCALE, size[0] * PATCH_SCALE), np.float32)


def _points(template: Sequence[tuple[float, float]]) -> npt.NDArray[np.int32]:
    return np.round(np.array(template) * PATCH_SCALE).astype(np.int32)


@lru_cache(maxsize=4)
def _mask_patch(look: MedicalMask, sides: tuple[int, ...]) -> Floats:
    outline = [(58, 118), (80, 110), (101, 103), (112, 100), (123, 103), (144, 110), (166, 118)]
    outline += [(161, 166), (150, 184), (131, 198), (112, 202), (93, 198), (74, 184), (63, 166)]
    opacity = cv2.fillPoly(_blank(), [_points([(x, y + look.low) for x, y in outline])], 1.0)
    for side in sides:
        for start, end in (((53, 120), (64, 98)), ((48, 162), (64, 116))):
            loop = _points([(112 + side * start[0], start[1] + look.low), (112 + side * end[0], end[1])])
            cv2.line(opacity, loop[0].tolist(), loop[1].tolist(), 0.8, 3, cv2.LINE_AA)
    y, x = np.mgrid[: opacity.shape[0], : opacity.shape[1]] / PATCH_SCALE
    shade = 1 - 0.35 * np.minimum(np.abs(x - 112) / 56, 1) ** 2 + 0.06 * np.cos((y - look.low - 112) / 11)
    for fold in (130, 147, 164):
        bent = y - look.low - fold - 4 * (1 - ((x - 112) / 56) ** 2)
        shade += 0.1 * np.exp(-(((bent + 2) / 1.5) ** 2)) - 0.22 * np.exp(-((bent / 1.2) ** 2))
    weave = np.random.default_rng(look.seed).normal(0, 0.02, shade.shape)
    colour = np.array(look.fabric) * np.clip(shade + weave, 0.3, 1.1)[..., None]
    return _premultiplied(colour, cv2.GaussianBlur(opacity, (0, 0), 1.2))


@lru_cache(maxsize=64)
def _glasses_patch(look: Glasses, wander: int, sides: tuple[int, ...]) -> Floats:
    y, x = np.mgrid[: CROP_PX * PATCH_SCALE, : CROP_PX * PATCH_SCALE] / PATCH_SCALE
    frame, lens = _blank(), _blank()
    for centre_x, centre_y in ((86, 90), (138, 90)):
        across, down = np.abs(x - centre_x) / look.radii[0], np.abs(y - centre_y) / look.radii[1]
        off_px = ((across**look.roundness + down**look.roundness) ** (1 / look.roundness) - 1) * min(look.radii)
        frame = np.maximum(frame, np.clip(look.thick / 2 - np.abs(off_px) + 0.5, 0, 1)).astype(np.float32)
        lens = np.maximum(lens, np.clip(0.5 - off_px, 0, 1)).astype(np.float32)
    width, bridge = max(1, round(look.thick * PATCH_SCALE)), 112 - (26 - look.radii[0])
    lines = [[(bridge, 86.0), (224 - bridge, 86.0)]]
    lines += [[(112 + side * (26 + look.radii[0]), 86.0), (112.0 + side * 64, 82.0)] for side in sides]
    for start, end in map(_points, lines):
        cv2.line(frame, start.tolist(), end.tolist(), 1.0, width, cv2.LINE_AA)
    streak = np.exp(-((((x % 52) + 0.8 * (y - 90) - 40 - wander) / 9) ** 2)) * look.shine * lens
    glass = np.clip(look.tint * lens + streak, 0, 1)
    opacity = frame + glass * (1 - frame)
    colour = np.array(look.frame) * frame[..., None] + (1 - frame)[..., None] * 255 * streak[..., None]
    return np.dstack([colour, opacity]).astype(np.float32)


@lru_cache(maxsize=4)
def _hand_patch(seed: int) -> Floats:
    """Return a hand, its colour 255 in full light: fingers, wrist, and the palm that grows out of both."""
    rng = np.random.default_rng(seed)
    shade, opacity = _blank(HAND_SIZE), _blank(HAND_SIZE)
    fingers = [((78, 165), (52, 72), 27), ((105, 150), (96, 40), 30), ((135, 150), (140, 36), 30)]
    fingers += [((163, 165), (182, 62), 28), ((75, 235), (24, 150), 33)]
    parts = [([start, tuple(np.add(end, rng.normal(0, 5, 2)))], thick) for start, end, thick in fingers]
    parts += [([(120, 230), (120, 340)], 84), ([(120, 195), (120, 215)], 118)]
    for line, thick in parts:
        start, end = _points(line)
        part = cv2.line(np.zeros(shade.shape, np.uint8), start.tolist(), end.tolist(), 1, thick * PATCH_SCALE)
        depth = cv2.distanceTransform(part, cv2.DIST_L2, 3) / PATCH_SCALE
        round_shade = 0.78 + 0.22 * np.sqrt(np.clip(depth / 12, 0, 1))
        # The palm has no rim where a finger or the wrist grows out of it; a finger has one before the next.
        blend = np.where((opacity > 0) & (thick > 40), np.clip(depth / 28, 0, 1), part)
        shade = np.asarray(shade * (1 - blend) + round_shade * blend, np.float32)
        opacity = np.maximum(opacity, part).astype(np.float32)
    uneven = cv2.GaussianBlur(rng.normal(0, 1, shade.shape), (0, 0), 12) + rng.normal(0, 0.02, shade.shape)
    colour = 255 * np.repeat((shade + uneven)[..., None], 3, axis=2)
    return _premultiplied(colour, cv2.GaussianBlur(opacity, (0, 0), 1.5))


def _skin(rgb: Pixels, face: Matrix) -> Floats:
    """Return the colour of the cheeks, 0..1, shape (3,)."""
    height, width = rgb.shape[:2]
    reach = max(1, round(8 * float(np.hypot(*face[:, 0]))))
    places = np.clip(CHEEKS @ face[:, :2].T + face[:, 2], 0, (width - 1, height - 1)).astype(int)
    cheeks = [rgb[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] for x, y in places]
    return np.array(np.mean([cheek.mean(axis=(0, 1)) for cheek in cheeks], axis=0) / 255, np.float32)


def _premultiplied(colour: npt.NDArray[np.floating], opacity: npt.ArrayLike) -> Floats:
    alpha = np.asarray(opacity, np.float32)[..., None]
    return np.concatenate([np.clip(colour, 0, 255) * alpha, alpha], axis=2).astype(np.float32)
