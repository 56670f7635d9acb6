from collections.abc import Callable

import numpy as np
import pytest

from models.demo_face import DEMO_BLEND, blend_face
from models.preprocess import TEMPLATE
from models.training.face_augment import cross_blend, degrade, mouth_blend, self_blend
from models.window import CROP_PX, Pixels

Forge = Callable[[Pixels, Pixels, np.random.Generator], Pixels]


def picture(seed: int) -> Pixels:
    """Return smooth colour with some texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (8, 8, 3)).repeat(CROP_PX // 8, 0).repeat(CROP_PX // 8, 1)
    return np.clip(coarse + rng.normal(0, 6, (CROP_PX, CROP_PX, 3)), 0, 255).astype(np.uint8)


FORGERIES: list[Forge] = [
    lambda crop, other, rng: self_blend(crop, rng),
    cross_blend,
    mouth_blend,
    lambda crop, other, rng: degrade(crop, rng),
]


@pytest.mark.parametrize("forge", FORGERIES)
def test_the_same_draw_gives_the_same_picture_and_leaves_its_input_alone(forge: Forge) -> None:
    crop, other = picture(1), picture(2)
    before = crop.copy()
    for seed in range(20):
        one, two = (forge(crop, other, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert (one.shape, one.dtype) == (crop.shape, np.uint8)
    np.testing.assert_array_equal(crop, before)


def test_a_swap_leaves_the_far_surroundings_untouched() -> None:
    crop, other = picture(1), picture(2)
    for seed in range(20):
        swapped = cross_blend(crop, other, np.random.default_rng(seed))
        np.testing.assert_array_equal(swapped[:8, :8], crop[:8, :8])
        assert np.abs(swapped[100:140, 100:124].astype(int) - crop[100:140, 100:124]).mean() > 5


def test_a_lip_sync_leaves_the_eyes_untouched_on_the_whole() -> None:
    crop, other = picture(1), picture(2)
    changes = []
    for seed in range(40):
        synced = mouth_blend(crop, other, np.random.default_rng(seed)).astype(int)
        changes.append(
            [np.abs(synced[part] - crop[part]).mean() for part in (np.s_[70:90, 70:150], np.s_[145:165, 95:129])]
        )
    eyes, mouth = np.mean(changes, axis=0)
    assert mouth > 10 * eyes


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
