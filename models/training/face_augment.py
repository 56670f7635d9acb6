"""What training does to crops: forgeries made from genuine ones, and the wear of a call on both classes alike.

Crops are uint8, shape (CROP_PX, CROP_PX, 3). Every draw comes from the generator handed in.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from models.demo_face import Blend, altered, lay, mask_of
from models.training.face_forgers import COPIED
from models.window import CROP_PX, Pixels

Rng = np.random.Generator
Mask = npt.NDArray[np.float32]
IDENTITY = np.eye(2, 3)

RESAMPLERS = (cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA)
MIN_JPEG, MAX_JPEG = 35, 95


def draw_blend(rng: Rng) -> Blend:
    """Draw how a face is altered: the outlines of swaps from brows to chin, inner faces and whole heads."""
    whole = rng.random()
    width, height = (40 + 16 * whole + rng.normal(0, 3), 48 + 26 * whole + rng.normal(0, 4))
    strong = rng.random() < 0.6
    return Blend(
        centre=(112 + rng.normal(0, 3), 122 - 6 * whole + rng.normal(0, 4)),
        radii=(max(24.0, width), max(30.0, height)),
        power=float(rng.uniform(1.8, 4.0)),
        wobble=tuple(rng.normal(0, 0.05, 10)),
        edge_px=float(rng.choice([1.0, 2.0, 4.0, 7.0, 10.0]) * rng.uniform(0.7, 1.3)),
        ratio=float(rng.choice([0.4, 0.7, 1.0, 1.0, 1.0])),
        shift=(float(rng.normal(0, 2.5)), float(rng.normal(0, 2.0))),
        zoom=float(rng.uniform(0.95, 1.05)),
        turn=float(rng.normal(0, 0.02)),
        gain=_triple(np.exp(rng.normal(0, 0.07 if strong else 0.02, 3) + rng.normal(0, 0.05))),
        offset=float(rng.normal(0, 6)),
        detail=1.0 if rng.random() < 0.35 else float(rng.uniform(0.2, 0.9)),
        sharpen=float(rng.choice([0.0, 0.0, rng.uniform(0.2, 1.5)])),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Forgery:
    """A crop that was altered, and where."""

    pixels: Pixels
    mask: Mask
    """How much of each pixel is not the camera's, 0..1, shape (CROP_PX, CROP_PX)."""


def self_blend(crop: Pixels, rng: Rng) -> Forgery:
    """Return a crop blended with an altered copy of itself; now and then it is the surroundings that are altered."""
    blend = draw_blend(rng)
    mask = mask_of(blend, IDENTITY, crop.shape)
    if rng.random() < 0.7:
        inner = altered(crop, IDENTITY, blend)
        # A swapped face comes from a network, without the grain that the camera gives its surroundings.
        outer = _noise(crop, rng) if rng.random() < 0.35 else crop
        return _laid(outer, inner, mask, blend.ratio)
    around = np.clip(altered(crop, IDENTITY, replace(blend, shift=(0, 0), zoom=1.0, turn=0.0)), 0, 255).astype(np.uint8)
    moved = altered(crop, IDENTITY, replace(blend, gain=(1, 1, 1), offset=0.0, detail=1.0, sharpen=0.0))
    return _laid(around, moved, mask, blend.ratio)


def cross_blend(crop: Pixels, other: Pixels, rng: Rng) -> Forgery:
    """Return a crop that wears another's inner face, its colour brought near: what a swap does, without a generator."""
    blend = replace(draw_blend(rng), ratio=1.0)
    mask = mask_of(blend, IDENTITY, crop.shape)
    return _laid(crop, _recoloured(altered(other, IDENTITY, blend), crop, mask, rng.uniform(0.6, 1.0)), mask, 1.0)


def mouth_blend(crop: Pixels, later: Pixels, rng: Rng) -> Forgery:
    """Return a crop whose mouth comes from another moment, re-rendered at low resolution: what a lip-sync does.

    Args:
        crop: The face.
        later: The same face at another time, or another rendering of it; the same crop where there is only one.
        rng: Source of every draw.
    """
    blend = replace(
        _mouth(draw_blend(rng), rng),
        detail=float(rng.uniform(0.2, 0.6)),
        gain=_triple(np.exp(rng.normal(0, 0.02, 3))),
        offset=float(rng.normal(0, 3)),
    )
    return _laid(crop, altered(later, IDENTITY, blend), mask_of(blend, IDENTITY, crop.shape), 1.0)


def rendered(crop: Pixels, copy: Pixels, rng: Rng, *, fine: bool = False) -> Forgery:
    """Return a crop whose face, mouth or whole head was drawn by a network.

    Args:
        crop: The face.
        copy: What a forger of `models.training.face_forgers` makes of its middle, shape (COPIED_PX, COPIED_PX, 3).
        rng: Source of every draw.
        fine: Whether most keep nearly all of the detail: what is left then is what good swaps leave.
    """
    made = crop.astype(np.float32)
    if fine:
        kept = float(rng.choice([rng.uniform(0.2, 0.85), rng.uniform(0.6, 0.97)], p=[0.35, 0.65]))
    else:
        kept = float(rng.choice([0.0, rng.uniform(0.2, 0.85)], p=[0.25, 0.75]))
    # A better network than ours keeps more of the detail: part of what the copy lost is given back.
    made[COPIED, COPIED] = copy + kept * (made[COPIED, COPIED] - copy)
    blend = draw_blend(rng)
    how = rng.random()
    if how < 0.3:
        blend = _mouth(blend, rng)
    elif how < 0.5:
        blend = replace(blend, centre=(112, 112), radii=(71, 71), power=float(rng.uniform(3, 8)), edge_px=4.0)
    blend = replace(blend, ratio=1.0, shift=(0, 0) if how < 0.5 else blend.shift, detail=1.0)
    mask = mask_of(blend, IDENTITY, crop.shape)
    made = altered(np.clip(made, 0, 255).astype(np.uint8), IDENTITY, blend)
    return _laid(crop, _recoloured(made, crop, mask, float(rng.uniform(0, 1))), mask, 1.0)


def reenacted(crop: Pixels, rng: Rng, swing: float = 1.0) -> Forgery:
    """Return a crop whose features were moved by a smooth warp, as heads that are driven from one still are.

    Args:
        crop: The face.
        rng: Source of every draw.
        swing: Share of the warp that is done, -1..1: a clip moves to and fro along one.
    """
    knots = rng.normal(0, 1, (2, 6, 6)).astype(np.float32) * np.float32(rng.uniform(2.0, 6.0) * swing)
    knots[:, (0, -1), :] = knots[:, :, (0, -1)] = 0
    flow = [cv2.resize(part, (CROP_PX, CROP_PX), interpolation=cv2.INTER_CUBIC) for part in knots]
    ys, xs = np.mgrid[:CROP_PX, :CROP_PX].astype(np.float32)
    moved = cv2.remap(crop, xs + flow[0], ys + flow[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    blend = replace(draw_blend(rng), gain=(1, 1, 1), offset=0.0, shift=(0, 0), turn=0.0, zoom=1.0)
    soft = altered(np.asarray(moved, np.uint8), IDENTITY, replace(blend, detail=float(rng.uniform(0.35, 1.0))))
    mask = np.clip(np.hypot(*flow) / 1.5, 0, 1)
    return Forgery(np.clip(soft + 0.5, 0, 255).astype(np.uint8), np.maximum(mask, 0.5).astype(np.float32))


def _mouth(blend: Blend, rng: Rng) -> Blend:
    """Return a blend moved to the mouth, or to the lower half of the face."""
    return replace(
        blend,
        centre=(112 + float(rng.normal(0, 3)), 156 + float(rng.normal(0, 6))),
        radii=(float(rng.uniform(28, 50)), float(rng.uniform(20, 40))),
        power=float(rng.choice([2.0, 3.0, 8.0])),
        ratio=1.0,
    )


def _laid(target: Pixels, source: npt.NDArray[np.float32], mask: Mask, ratio: float) -> Forgery:
    return Forgery(lay(target, source, mask, ratio), mask * np.float32(ratio))


def _recoloured(
    source: npt.NDArray[np.float32], target: Pixels, mask: Mask, strength: float
) -> npt.NDArray[np.float32]:
    """Return the source with its mean and contrast within the mask brought towards the target's."""
    inside = mask > 0.5
    if not inside.any():
        return source
    mean, std = source[inside].mean(axis=0), source[inside].std(axis=0) + 1.0
    wanted = target[inside]
    matched = (source - mean) / std * (wanted.std(axis=0) + 1.0) + wanted.mean(axis=0)
    return np.asarray(source + strength * (matched - source), np.float32)


def degrade(crop: Pixels, mask: Mask, rng: Rng) -> tuple[Pixels, Mask]:
    """Return a crop as a call might deliver it, and its mask. Both classes pass this with the same probabilities."""
    crop, mask = _place(crop, mask, rng)
    return wear(crop, rng), mask


def wear(crop: Pixels, rng: Rng) -> Pixels:
    """Return a crop with the light, size, grain and compression of some call; nothing moves."""
    if rng.random() < 0.8:
        crop = _light(crop, rng)
    if rng.random() < 0.65:
        crop = _resize(crop, rng)
    if rng.random() < 0.2:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), float(rng.uniform(0.4, 1.4))), np.uint8)
    if rng.random() < 0.1:
        crop = _smooth(crop, rng)
    if rng.random() < 0.4:
        crop = _noise(crop, rng)
    if rng.random() < 0.05:
        crop = _palette(crop, rng)
    for probability in (0.7, 0.25):
        if rng.random() < probability:
            crop = _compress(crop, rng)
    return crop


def _place(crop: Pixels, mask: Mask, rng: Rng) -> tuple[Pixels, Mask]:
    """Mirror, turn, scale and shift within what the landmarks' own error would do, and somewhat beyond."""
    angle, scale = rng.normal(0, 4), rng.uniform(0.88, 1.12)
    turn = cv2.getRotationMatrix2D((CROP_PX / 2, CROP_PX / 2), float(angle), float(scale))
    matrix = np.asarray(turn, np.float64) + np.outer(rng.normal(0, 5, 2), [0, 0, 1])
    size = (CROP_PX, CROP_PX)
    placed = cv2.warpAffine(crop, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    moved = cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_LINEAR) if mask.any() else mask
    if rng.random() < 0.5:
        placed, moved = placed[:, ::-1], moved[:, ::-1]
    return np.ascontiguousarray(placed, np.uint8), np.ascontiguousarray(moved, np.float32)


def _smooth(crop: Pixels, rng: Rng) -> Pixels:
    """Smooth skin as beautifiers and strong denoisers do: edges stay."""
    size = float(rng.uniform(15, 45))
    return np.asarray(cv2.bilateralFilter(crop, 5, size, float(rng.uniform(2, 5))), np.uint8)


def _palette(crop: Pixels, rng: Rng) -> Pixels:
    """Leave few levels, with or without a dither: the history of a GIF."""
    step = float(rng.choice([24, 32, 40]))
    dither = rng.uniform(-0.5, 0.5, crop.shape[:2])[..., None] if rng.random() < 0.6 else 0.0
    return np.clip(np.round(crop / step + dither) * step, 0, 255).astype(np.uint8)


def _light(crop: Pixels, rng: Rng) -> Pixels:
    """Change exposure, contrast and white balance by a table for each channel."""
    ramp = np.linspace(0, 1, 256)[:, None] ** np.exp(rng.normal(0, 0.2)) * np.exp(rng.normal(0, 0.06, 3))
    ramp = (ramp - 0.5) * rng.uniform(0.75, 1.2) + 0.5 + rng.normal(0, 0.04)
    table = np.clip(ramp * 255, 0, 255).astype(np.uint8)[None]  # (1, 256, 3)
    lit = np.asarray(cv2.LUT(crop, table), np.uint8)
    grey = rng.uniform(0, 0.5) if rng.random() < 0.3 else 0.0
    if not grey:
        return lit
    plain = cv2.cvtColor(cv2.cvtColor(lit, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(lit, 1 - grey, plain, grey, 0), np.uint8)


def _resize(crop: Pixels, rng: Rng) -> Pixels:
    """Bring the crop to the size a call's face has and back."""
    side = int(np.exp(rng.uniform(np.log(72), np.log(224))))
    down, up = RESAMPLERS[rng.integers(1, 4)], RESAMPLERS[rng.integers(1, 3)]
    small = cv2.resize(crop, (side, side), interpolation=down)
    if rng.random() < 0.5:
        small = _compress(np.asarray(small, np.uint8), rng)
    return np.asarray(cv2.resize(small, (CROP_PX, CROP_PX), interpolation=up), np.uint8)


def _noise(crop: Pixels, rng: Rng) -> Pixels:
    """Add a sensor's grain, of one pixel or a little more."""
    side = CROP_PX if rng.random() < 0.6 else CROP_PX // 2
    grain = rng.standard_normal((side, side, 3), np.float32) * np.float32(rng.uniform(1, 7))
    if side != CROP_PX:
        grain = np.asarray(cv2.resize(grain, (CROP_PX, CROP_PX), interpolation=cv2.INTER_LINEAR), np.float32)
    return np.clip(crop + grain, 0, 255).astype(np.uint8)


def _compress(crop: Pixels, rng: Rng) -> Pixels:
    """Pass the crop through a JPEG or WebP of random quality."""
    quality = int(rng.integers(MIN_JPEG, MAX_JPEG))
    webp = rng.random() < 0.15
    suffix, key = (".webp", cv2.IMWRITE_WEBP_QUALITY) if webp else (".jpg", cv2.IMWRITE_JPEG_QUALITY)
    _, data = cv2.imencode(suffix, crop, [key, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _triple(values: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
