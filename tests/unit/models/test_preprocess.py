import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.preprocess import TEMPLATE, align_face, face_px, sharpness, similarity
from models.window import CROP_PX


def turned(angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    points = TEMPLATE @ np.array([[cosine, sine], [-sine, cosine]], np.float32) + np.array(shift, np.float32)
    return points.astype(np.float32)


@given(
    angle=st.floats(-3.0, 3.0),
    scale=st.floats(0.2, 5.0),
    shift=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_a_turned_scaled_and_shifted_face_comes_back_onto_the_template(
    angle: float, scale: float, shift: tuple[float, float]
) -> None:
    landmarks = turned(angle, scale, shift)
    mapped = np.hstack([landmarks, np.ones((5, 1))]) @ similarity(landmarks).T
    np.testing.assert_allclose(mapped, TEMPLATE, atol=0.05)


@pytest.mark.parametrize("scale", [0.5, 1.0, 1.7, 3.0, 6.0])
def test_a_mark_at_an_eye_lands_where_the_template_has_that_eye(scale: float) -> None:
    landmarks = turned(0.2, scale, (90 * scale, 40))
    picture = np.zeros((int(400 * scale), int(420 * scale), 3), np.uint8)
    cv2.circle(picture, tuple(int(v) for v in np.round(landmarks[1])), max(2, int(4 * scale)), (255, 255, 255), -1)
    crop = align_face(picture, landmarks)
    ys, xs = np.nonzero(crop[..., 0] > 127)
    assert crop.shape == (CROP_PX, CROP_PX, 3)
    assert abs(xs.mean() - TEMPLATE[1, 0]) < 1.0
    assert abs(ys.mean() - TEMPLATE[1, 1]) < 1.0


def test_shrinking_averages_instead_of_skipping_pixels() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (1200, 1200, 3), np.uint8)
    crop = align_face(picture, TEMPLATE * 5)
    # The mean of 25 independent pixels varies a fifth as much as one pixel, whose standard deviation is 74.
    assert crop.std() < 74 / 5 * 1.3


def test_the_face_is_measured_from_eyes_to_mouth() -> None:
    assert face_px(TEMPLATE) == pytest.approx(120.0)
    assert face_px(turned(0.7, 2.0, (30, 10))) == pytest.approx(240.0, rel=1e-4)


def test_blur_lowers_the_sharpness() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (CROP_PX, CROP_PX, 3), np.uint8)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4.0), np.uint8)
    assert sharpness(picture) > 10 * sharpness(blurred)


def test_a_sharp_background_does_not_make_a_blurred_face_sharp() -> None:
    picture = np.full((CROP_PX, CROP_PX, 3), 128, np.uint8)
    picture[:, :50] = np.random.default_rng(0).integers(0, 256, (CROP_PX, 50, 3), np.uint8)
    assert sharpness(picture) == 0.0
