import numpy as np
import pytest
import torch

from models.demo_face import blend_face
from models.preprocess import TEMPLATE, align_face
from models.training.face_augment import Forgery
from models.training.face_forgers import FORGERS, Autoencoder
from models.training.face_views import THINNED_HZ, _thinned, forge, paste
from models.training.transcode import Timed
from models.window import CROP_PX, Landmarks

N, SIZE = 6, (240, 320, 3)
KINDS = ("blend", "mouth", "rendered", "reenacted")


def clip() -> tuple[list[Timed], list[Landmarks]]:
    """Return pictures of coarse texture that slides, and landmarks that go with it."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(40, 216, (30, 45, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)
    pictures = [(i / 30, np.ascontiguousarray(coarse[:, i * 2 : i * 2 + SIZE[1]])) for i in range(N)]
    marks = [(TEMPLATE * 0.7 + np.array([90 - 2 * i, 40])).astype(np.float32) for i in range(N)]
    return pictures, marks


@pytest.mark.parametrize("kind", KINDS)
def test_a_forgery_follows_the_face_and_leaves_the_rest(kind: str) -> None:
    torch.manual_seed(0)
    pictures, marks = clip()
    net = Autoencoder(FORGERS[0]).eval()
    forged = forge(pictures, marks, kind, np.random.default_rng(3), net)
    assert [time_s for time_s, _ in forged] == [time_s for time_s, _ in pictures]
    for (_, before), (_, after), landmarks in zip(pictures, forged, marks, strict=True):
        assert (after.shape, after.dtype) == (SIZE, np.uint8)
        changed = np.abs(after.astype(int) - before).max(axis=2) > 8
        ys, xs = np.nonzero(changed)
        assert changed.sum() > 100
        centre = landmarks.mean(axis=0)
        assert np.abs(xs - centre[0]).max() < 0.7 * CROP_PX / 2 + 4
        assert np.abs(ys - centre[1]).max() < 0.7 * CROP_PX / 2 + 12


def test_the_same_draw_forges_the_same_clip() -> None:
    pictures, marks = clip()
    net = Autoencoder(FORGERS[0]).eval()
    one, two = (forge(pictures, marks, "blend", np.random.default_rng(1), net) for _ in range(2))
    assert all((a == b).all() for (_, a), (_, b) in zip(one, two, strict=True))


def test_a_still_head_does_not_move_with_its_own_picture() -> None:
    """Driven from one picture, a face shows the same skin whatever passes behind it."""
    pictures, marks = clip()
    forged = forge(pictures, marks, "reenacted", np.random.default_rng(2), Autoencoder(FORGERS[0]).eval())
    middle = np.s_[90:130, 95:130]
    seen = [align_face(rgb, at)[middle].astype(float) for (_, rgb), at in zip(pictures, marks, strict=True)]
    made = [align_face(rgb, at)[middle].astype(float) for (_, rgb), at in zip(forged, marks, strict=True)]
    assert np.std(made, axis=0).mean() < np.std(seen, axis=0).mean() + 30


def test_pasting_an_untouched_crop_changes_nothing() -> None:
    (_, rgb), landmarks = clip()[0][0], clip()[1][0]
    untouched = Forgery(align_face(rgb, landmarks), np.zeros((CROP_PX, CROP_PX), np.float32))
    np.testing.assert_array_equal(paste(rgb, landmarks, untouched), rgb)


def test_pasting_puts_an_altered_face_back_in_its_place() -> None:
    (_, rgb), landmarks = clip()[0][0], clip()[1][0]
    crop = align_face(rgb, landmarks)
    mask = np.zeros((CROP_PX, CROP_PX), np.float32)
    mask[80:160, 80:145] = 1
    pasted = paste(rgb, landmarks, Forgery(blend_face(crop, TEMPLATE), mask))
    assert np.abs(align_face(pasted, landmarks)[100:140, 100:125].astype(int) - crop[100:140, 100:125]).mean() > 3


@pytest.mark.parametrize(("rate", "kept"), [(30, 15), (15, 15), (10, 10), (25, 15)])
def test_a_second_is_thinned_to_at_most_half_of_a_calls_pictures(rate: int, kept: int) -> None:
    second = [(i / rate, np.zeros((2, 2, 3), np.uint8)) for i in range(rate)]
    assert len(_thinned(second)) == kept <= THINNED_HZ
