"""Every reason why a face cannot be judged, on the portrait made unfit in one way at a time, and by the numbers."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import quality, weights
from models.faces import FaceFinder, FaceTracker, follow
from models.preprocess import TEMPLATE, similarity
from models.quality import MIN_CROPS, gate, objection, usable, yaw_deg
from models.window import CROP_PX, FaceCrop, FaceWindow, Landmarks, Pixels, Reason

PIXELS = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
# Eyes, nose and mouth corners of an average head, x to the right, y down, z to the camera [mm].
HEAD = np.array([[-32, 0, 0], [32, 0, 0], [0, 36, 25.6], [-26, 72, 0], [26, 72, 0]], np.float64)

PORTRAIT_LANDMARKS = np.array([[145, 100], [189, 104], [163, 130], [141, 140], [184, 143]], np.float32)


def crop(**measures: float) -> FaceCrop:
    given = {"face_px": 100.0, "sharpness": 200.0, **measures}
    return FaceCrop(pixels=PIXELS, time_s=0.0, track=1, landmarks=TEMPLATE, **given)


def window(*parts: tuple[int, FaceCrop]) -> FaceWindow:
    crops = tuple(replace(one) for n, one in parts for _ in range(n))
    return FaceWindow(start_s=0.0, end_s=4.0, track=1, crops=crops, n_pictures=20)


FIT = crop()


@pytest.mark.parametrize(
    ("judged", "reason"),
    [
        (window(), Reason.NO_FACE),
        (window((4, FIT)), Reason.NO_FACE),
        (window((5, FIT)), None),
        (window((20, crop(face_px=39))), Reason.SMALL_FACE),
        (window((20, crop(face_px=40))), None),
        (window((20, crop(sharpness=29))), Reason.BLURRED),
        (window((20, crop(sharpness=30))), None),
        (window((20, crop(yaw_deg=-quality.MAX_YAW_DEG - 1))), Reason.POSE),
        (window((20, crop(yaw_deg=quality.MAX_YAW_DEG))), None),
        (window((20, crop(bright=quality.MIN_BRIGHT - 1))), Reason.EXPOSURE),
        (window((20, crop(bright=quality.MIN_BRIGHT))), None),
        (window((20, crop(burnt=quality.MAX_BURNT + 0.01))), Reason.EXPOSURE),
        (window((20, crop(burnt=quality.MAX_BURNT))), None),
        (window((20, crop(mouth=quality.MIN_MOUTH - 0.01))), Reason.OCCLUDED),
        (window((20, crop(mouth=quality.MIN_MOUTH))), None),
        (window((20, crop(eyes=quality.MIN_EYES - 0.01))), Reason.OCCLUDED),
        (window((20, crop(eyes=quality.MIN_EYES))), None),
        (window((20, crop(confidence=quality.MIN_CONFIDENCE - 0.01))), Reason.OCCLUDED),
        (window((20, crop(confidence=quality.MIN_CONFIDENCE))), None),
    ],
)
def test_a_window_with_too_little_to_see_is_refused_with_its_reason(judged: FaceWindow, reason: Reason | None) -> None:
    assert gate(judged) is reason


@pytest.mark.parametrize(
    ("worse", "reason"),
    [
        ({"face_px": 10, "sharpness": 1, "bright": 1, "yaw_deg": 80}, Reason.SMALL_FACE),
        ({"sharpness": 1, "bright": 1, "yaw_deg": 80}, Reason.EXPOSURE),
        ({"sharpness": 1, "yaw_deg": 80, "mouth": 0}, Reason.POSE),
        ({"sharpness": 1, "mouth": 0, "eyes": 0, "confidence": 0.8}, Reason.BLURRED),
    ],
)
def test_of_several_reasons_the_one_that_the_others_follow_from_is_said(
    worse: dict[str, float], reason: Reason
) -> None:
    assert objection(crop(**worse)) is reason


def test_a_few_poor_pictures_do_not_refuse_a_window_and_are_left_out_of_its_score() -> None:
    judged = window((12, FIT), (8, crop(sharpness=0)))
    assert gate(judged) is None
    assert usable(judged.crops) == judged.crops[:12]


def test_a_window_is_refused_for_what_most_of_its_poor_pictures_have() -> None:
    assert gate(window((9, FIT), (4, crop(sharpness=0)), (7, crop(yaw_deg=80)))) is Reason.POSE


@settings(deadline=None)
@given(st.lists(st.sampled_from([FIT, crop(sharpness=0), crop(bright=0), crop(yaw_deg=80)]), max_size=20))
def test_a_window_that_is_judged_has_crops_enough_and_one_that_is_not_has_a_reason(crops: list[FaceCrop]) -> None:
    judged = FaceWindow(start_s=0.0, end_s=4.0, track=1, crops=tuple(crops), n_pictures=20)
    n_usable = len(usable(judged.crops))
    assert (gate(judged) is None) == (n_usable >= MIN_CROPS and 2 * n_usable >= len(crops))


def turned(degrees: float) -> Landmarks:
    angle = np.radians(degrees)
    x = HEAD[:, 0] * np.cos(angle) + HEAD[:, 2] * np.sin(angle)
    return np.stack([x, HEAD[:, 1]], axis=1).astype(np.float32)


@pytest.mark.parametrize("degrees", [-60, -30, -10, 0, 10, 30, 60])
def test_the_turn_of_an_average_head_is_measured_to_the_degree_wherever_it_is_and_however_it_leans(
    degrees: int,
) -> None:
    cosine, sine = np.cos(0.4), np.sin(0.4)
    leaning = turned(degrees) @ np.array([[cosine, sine], [-sine, cosine]]) * 3 + (200, 90)
    assert yaw_deg(leaning.astype(np.float32)) == pytest.approx(degrees, abs=1)


@pytest.fixture(scope="module")
def portrait() -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(weights.ensure("astronaut")))[:300, 60:400, ::-1])


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


def as_it_is(rgb: Pixels) -> Pixels:
    return rgb


def small(rgb: Pixels) -> Pixels:
    return np.asarray(cv2.resize(rgb, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA), np.uint8)


def blurred(rgb: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), 5.0), np.uint8)


def exposed(rgb: Pixels, gain: float) -> Pixels:
    """Return the picture as if so much of its light had come, with a camera's noise."""
    light = (rgb / 255) ** 2.2 * gain
    noise = np.random.default_rng(0).normal(0, 2, rgb.shape)
    return np.clip(np.clip(light, 0, 1) ** (1 / 2.2) * 255 + noise, 0, 255).astype(np.uint8)


def dark(rgb: Pixels) -> Pixels:
    return exposed(rgb, 0.01)


def burnt(rgb: Pixels) -> Pixels:
    return exposed(rgb, 5.0)


def dim(rgb: Pixels) -> Pixels:
    return exposed(rgb, 0.25)


# Places are those of `TEMPLATE`, as the portrait's crop shows them.
def masked(rgb: Pixels, colour: tuple[int, int, int]) -> Pixels:
    outline = [(112, 104), (68, 118), (66, 150), (84, 180), (112, 192), (140, 180), (158, 150), (156, 118)]
    return covered(rgb, colour, lambda mask: cv2.fillPoly(mask, [np.array(outline)], 255))


def masked_in_blue(rgb: Pixels) -> Pixels:
    return masked(rgb, (165, 205, 225))


def masked_in_skin_colour(rgb: Pixels) -> Pixels:
    return masked(rgb, (215, 165, 140))


def behind_a_microphone(rgb: Pixels) -> Pixels:
    return covered(rgb, (50, 50, 55), lambda mask: cv2.ellipse(mask, (112, 154), (26, 31), 0, 0, 360, 255, -1))


def behind_a_hand(rgb: Pixels) -> Pixels:
    """Four fingers of skin colour, with shadows between them, over mouth and nose."""
    for y in (128, 147, 166, 185):
        rgb = covered(rgb, (150, 105, 85), lambda mask, y=y: cv2.line(mask, (60, y), (165, y), 255, 20))
        rgb = covered(rgb, (215, 165, 140), lambda mask, y=y: cv2.line(mask, (60, y), (165, y), 255, 14))
    return rgb


def covered(rgb: Pixels, colour: tuple[int, int, int], draw: Callable[[Pixels], object]) -> Pixels:
    """Return the picture with a part of its face, drawn in the crop, in one colour and the light of the face."""
    mask = np.zeros((CROP_PX, CROP_PX), np.uint8)
    draw(mask)
    to_crop = similarity(PORTRAIT_LANDMARKS)
    size = rgb.shape[1], rgb.shape[0]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    share = cv2.warpAffine(cv2.GaussianBlur(mask, (0, 0), 1.0), to_crop, size, flags=flags)[..., None] / 255
    light = cv2.GaussianBlur(rgb.mean(axis=2), (0, 0), 20)[..., None] / 190
    return np.clip(rgb * (1 - share) + np.array(colour) * light * share, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (as_it_is, None),
        (dim, None),
        (small, Reason.SMALL_FACE),
        (blurred, Reason.BLURRED),
        (dark, Reason.EXPOSURE),
        (burnt, Reason.EXPOSURE),
        (masked_in_blue, Reason.OCCLUDED),
        (masked_in_skin_colour, Reason.OCCLUDED),
        (behind_a_microphone, Reason.OCCLUDED),
        (behind_a_hand, Reason.OCCLUDED),
    ],
)
def test_the_portrait_made_unfit_is_refused_with_its_reason(
    finder: FaceFinder, portrait: Pixels, make: Callable[[Pixels], Pixels], reason: Reason | None
) -> None:
    tracker, rgb = FaceTracker(), make(portrait)
    crops = tuple(one for i in range(6) for one in follow(rgb, i / 5, tracker, finder.find))
    assert gate(FaceWindow(start_s=0.0, end_s=4.0, track=1, crops=crops, n_pictures=6)) is reason
