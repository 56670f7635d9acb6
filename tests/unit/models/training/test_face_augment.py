from collections.abc import Callable

import cv2
import numpy as np
import pytest

from models.demo_face import DEMO_BLEND, blend_face
from models.preprocess import TEMPLATE
from models.training.face_augment import (
    Forgery,
    cross_blend,
    degrade,
    mouth_blend,
    reenacted,
    rendered,
    self_blend,
)
from models.training.face_forgers import COPIED
from models.window import CROP_PX, Pixels

Forge = Callable[[Pixels, Pixels, np.random.Generator], Forgery]


def picture(seed: int) -> Pixels:
    """Return smooth colour with some texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (8, 8, 3)).repeat(CROP_PX // 8, 0).repeat(CROP_PX // 8, 1)
    return np.clip(coarse + rng.normal(0, 6, (CROP_PX, CROP_PX, 3)), 0, 255).astype(np.uint8)


def copied(crop: Pixels) -> Pixels:
    """Return what a forger might make of a crop's middle: a soft one."""
    return np.asarray(cv2.GaussianBlur(crop[COPIED, COPIED], (0, 0), 4), np.uint8)


FORGERIES: list[Forge] = [
    lambda crop, other, rng: self_blend(crop, rng),
    cross_blend,
    mouth_blend,
    lambda crop, other, rng: rendered(crop, copied(crop), rng),
    lambda crop, other, rng: reenacted(crop, rng),
    lambda crop, other, rng: Forgery(*degrade(crop, np.ones(crop.shape[:2], np.float32), rng)),
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_the_same_draw_gives_the_same_picture_and_leaves_its_input_alone(forge: Forge) -> None:
    crop, other = picture(1), picture(2)
    before = crop.copy()
    for seed in range(20):
        one, two = (forge(crop, other, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one.pixels, two.pixels)
        np.testing.assert_array_equal(one.mask, two.mask)
        assert (one.pixels.shape, one.pixels.dtype) == (crop.shape, np.uint8)
        assert (one.mask.shape, one.mask.dtype) == (crop.shape[:2], np.float32)
        assert 0 <= one.mask.min() <= one.mask.max() <= 1
    np.testing.assert_array_equal(crop, before)


@pytest.mark.parametrize("forge", [FORGERIES[i] for i in (1, 2, 3)])
def test_what_the_mask_leaves_out_is_the_cameras(forge: Forge) -> None:
    crop, other = picture(1), picture(2)
    for seed in range(20):
        forgery = forge(crop, other, np.random.default_rng(seed))
        untouched = forgery.mask < 1e-3
        assert untouched.mean() > 0.2
        np.testing.assert_array_equal(forgery.pixels[untouched], crop[untouched])
        assert forgery.mask.max() > 0.5


def test_a_swap_puts_another_face_in_the_middle() -> None:
    crop, other = picture(1), picture(2)
    for seed in range(20):
        swapped = cross_blend(crop, other, np.random.default_rng(seed)).pixels
        assert np.abs(swapped[100:140, 100:124].astype(int) - crop[100:140, 100:124]).mean() > 5


def test_a_lip_sync_leaves_the_eyes_untouched_on_the_whole() -> None:
    crop, other = picture(1), picture(2)
    changes = []
    for seed in range(40):
        synced = mouth_blend(crop, other, np.random.default_rng(seed)).pixels.astype(int)
        changes.append(
            [np.abs(synced[part] - crop[part]).mean() for part in (np.s_[70:90, 70:150], np.s_[145:165, 95:129])]
        )
    eyes, mouth = np.mean(changes, axis=0)
    assert mouth > 10 * eyes


def test_a_warp_without_swing_moves_nothing() -> None:
    crop = picture(1)
    still, moved = (reenacted(crop, np.random.default_rng(5), swing).pixels.astype(int) for swing in (0.0, 1.0))
    assert np.abs(moved - still).mean() > 3


def test_a_mask_is_turned_and_mirrored_with_its_crop() -> None:
    crop = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
    crop[60:150, 40:90] = 255
    mask = (crop[..., 0] > 0).astype(np.float32)
    for seed in range(10):
        worn, moved = degrade(crop, mask, np.random.default_rng(seed))
        bright = cv2.GaussianBlur(worn, (0, 0), 3).mean(axis=2)
        inside, outside = bright[moved > 0.99].mean(), bright[moved < 0.01].mean()
        assert inside > outside + 40


def test_a_blend_follows_the_face_through_the_picture() -> None:
    full = np.zeros((480, 640, 3), np.uint8)
    full[100 : 100 + CROP_PX, 300 : 300 + CROP_PX] = picture(3)
    changed = (blend_face(full, TEMPLATE + np.array([300, 100], np.float32), DEMO_BLEND) != full).any(axis=2)
    ys, xs = np.nonzero(changed)
    assert changed.any()
    assert xs.min() > 330
    assert xs.max() < 300 + 194
    assert ys.min() > 130
    assert ys.max() < 100 + 214


def test_a_blend_of_a_face_at_the_picture_edge_keeps_the_picture_size() -> None:
    full = picture(4)
    assert blend_face(full, TEMPLATE - np.array([90, 100], np.float32), DEMO_BLEND).shape == full.shape
