import time
from dataclasses import replace

import cv2
import numpy as np
import pytest

from models.preprocess import TEMPLATE
from models.training.face_light import LowLight, OverExposed, ScreenLight, Webcam
from models.training.face_worn import Glasses, Hand, MedicalMask
from models.training.hard_negatives import DRAWS, Background, Beauty, Kind, Seen, contact_sheet, harden
from models.window import Landmarks, Pixels

HEIGHT, WIDTH = 360, 480


def picture(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Pixels:
    """Return smooth colours of middle brightness with some texture."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(70, 150, (height // 40 + 1, width // 40 + 1, 3), np.uint8)
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.clip(smooth + rng.normal(0, 5, (height, width, 3)), 0, 255).astype(np.uint8)


def face_at(x: float, y: float, scale: float = 0.6) -> Landmarks:
    """Return an upright face with its nose at a place."""
    return ((TEMPLATE - TEMPLATE[2]) * scale + np.array([x, y])).astype(np.float32)


def rng_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def changed(kind: Kind, seed: int, landmarks: Landmarks | None, rgb: Pixels) -> Pixels:
    return DRAWS[kind](rng_of(seed)).apply(rgb, landmarks, 0.4)


@pytest.mark.parametrize("kind", Kind)
def test_the_same_draw_gives_the_same_clip_and_leaves_its_pictures_alone(kind: Kind) -> None:
    seen: list[Seen] = [(i / 5, picture(i), face_at(200 + 4 * i, 180)) for i in range(3)]
    before = [rgb.copy() for _, rgb, _ in seen]
    for seed in range(4):
        one, two = (list(harden(seen, DRAWS[kind](rng_of(seed)))) for _ in range(2))
        for (time_s, first), (other_s, second), (given_s, rgb, _) in zip(one, two, seen, strict=True):
            assert time_s == other_s == given_s
            assert (first.shape, first.dtype) == (rgb.shape, np.uint8)
            np.testing.assert_array_equal(first, second)
    for (_, rgb, _), copy in zip(seen, before, strict=True):
        np.testing.assert_array_equal(rgb, copy)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.BACKGROUND])
def test_each_kind_but_the_background_changes_the_face_in_some_picture_of_a_clip(kind: Kind) -> None:
    rgb, landmarks = picture(), face_at(240, 180)
    look = DRAWS[kind](rng_of(1))
    seen: list[Seen] = [(i / 5, rgb, landmarks) for i in range(20)]
    face = np.s_[150:210, 210:270]
    assert max(np.abs(out[face].astype(int) - rgb[face]).mean() for _, out in harden(seen, look)) > 0.4


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize(
    "landmarks",
    [
        face_at(0, 0),
        face_at(WIDTH - 1, HEIGHT - 1),
        face_at(WIDTH / 2, -30, 2.0),
        face_at(-400, 100),
        face_at(240, 180, 0.05),
        face_at(240, 180, 6.0),
        np.full((5, 2), 100, np.float32),
        None,
    ],
)
def test_a_face_at_the_edge_tiny_huge_degenerate_or_missing_is_no_error(
    kind: Kind, landmarks: Landmarks | None
) -> None:
    rgb = picture()
    out = changed(kind, 0, landmarks, rgb)
    assert (out.shape, out.dtype) == (rgb.shape, np.uint8)


@pytest.mark.parametrize("kind", [Kind.BEAUTY, Kind.MASK, Kind.GLASSES])
def test_what_is_on_the_face_leaves_all_beyond_it_untouched(kind: Kind) -> None:
    rgb = picture()
    for seed in range(8):
        out = changed(kind, seed, face_at(240, 180), rgb)
        differs = (out != rgb).any(axis=2)
        differs[180 - 75 : 180 + 75, 240 - 75 : 240 + 75] = False
        assert not differs.any()


def test_a_mask_leaves_the_eyes_and_glasses_leave_the_mouth() -> None:
    rgb, landmarks = picture(), face_at(240, 180, 1.0)
    eyes, mouth = np.s_[138:158, 200:280], np.s_[200:225, 215:265]
    for seed in range(8):
        masked = changed(Kind.MASK, seed, landmarks, rgb)
        np.testing.assert_array_equal(masked[eyes], rgb[eyes])
        assert np.abs(masked[mouth].astype(int) - rgb[mouth]).mean() > 10
        glasses = changed(Kind.GLASSES, seed, landmarks, rgb)
        np.testing.assert_array_equal(glasses[mouth], rgb[mouth])
        assert (glasses[eyes] != rgb[eyes]).any()


def test_a_background_leaves_the_face_untouched_and_replaces_the_corner() -> None:
    rgb, landmarks = picture(), face_at(240, 180)
    for seed in range(8):
        out = changed(Kind.BACKGROUND, seed, landmarks, rgb)
        np.testing.assert_array_equal(out[150:210, 215:265], rgb[150:210, 215:265])
        assert np.abs(out[:40, :40].astype(int) - rgb[:40, :40]).mean() > 2


def test_a_beauty_filter_smooths_skin_keeps_edges_and_brightens() -> None:
    look = Beauty(smooth=1.0, edge=14.0, bright=1.1, eyes=0.0)
    rgb, landmarks = picture(), face_at(240, 180, 1.0)
    rgb[:, 240:] //= 4
    out = look.apply(rgb, landmarks, 0.0)
    forehead = np.s_[112:130, 200:225]
    assert cv2.Laplacian(out[forehead], cv2.CV_32F).std() < 0.6 * cv2.Laplacian(rgb[forehead], cv2.CV_32F).std()
    assert out[forehead].mean() > 1.05 * rgb[forehead].mean()
    step = out[115:130, 232:238].mean() - out[115:130, 242:248].mean()
    assert step > 0.85 * (rgb[115:130, 232:238].mean() - rgb[115:130, 242:248].mean())


def test_enlarged_eyes_grow_about_their_own_middle() -> None:
    rgb, landmarks = np.full((HEIGHT, WIDTH, 3), 120, np.uint8), face_at(240, 180, 1.0)
    for eye in landmarks[:2]:
        cv2.circle(rgb, np.round(eye).astype(int).tolist(), 8, (10, 10, 10), -1)
    out = Beauty(smooth=0.0, edge=14.0, bright=1.0, eyes=0.25).apply(rgb, landmarks, 0.0)
    dark, was_dark = (np.argwhere(image[:, :240, 0] < 60) for image in (out, rgb))
    assert len(dark) > 1.2 * len(was_dark)
    np.testing.assert_allclose(dark.mean(axis=0), was_dark.mean(axis=0), atol=1)


def test_low_light_is_dark_and_noisy_and_its_denoiser_smears_what_moves() -> None:
    look = LowLight.draw(rng_of(0))
    flat = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    dark = look.apply(flat, None, 0.0)
    assert dark.mean() < 100
    assert dark.std() > 1
    assert (dark != look.apply(flat, None, 0.2)).any()
    ghost = replace(look, smear_s=0.1).smeared(flat, np.zeros_like(flat), 0.1)
    assert ghost.mean() == pytest.approx(128 / np.e, abs=1)
    assert replace(look, smear_s=0.1).smeared(flat, np.zeros_like(flat), 2.0).max() == 0


def test_over_exposure_clips_what_was_bright() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 190, np.uint8)
    for seed in range(8):
        out = OverExposed.draw(rng_of(seed)).apply(flat, None, 0.0)
        assert (out == 255).mean() > 0.1
        assert out.min() > 100


def test_a_webcam_casts_a_colour_and_its_exposure_pumps_in_its_period() -> None:
    look = Webcam(gains=(1.2, 1.0, 0.8), saturation=1.0, pump=0.2, period_s=2.0, phase=0.0)
    flat = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    start, high, low, again = (look.apply(flat, None, time_s) for time_s in (0.0, 0.5, 1.5, 2.0))
    np.testing.assert_allclose(start[0, 0], (120, 100, 80), atol=1)
    assert high.mean() == pytest.approx(120, abs=1.5)
    assert low.mean() == pytest.approx(80, abs=1.5)
    np.testing.assert_array_equal(start, again)


def test_screen_light_jumps_and_reaches_the_face_more_than_the_corner() -> None:
    look = ScreenLight(ambient=0.5, strength=0.8, hold_s=0.5, reach=1.0, seed=3)
    flat = np.full((HEIGHT, WIDTH, 3), 100, np.uint8)
    landmarks = face_at(240, 180, 0.4)
    shown = [look.apply(flat, landmarks, time_s) for time_s in (0.1, 0.4, 0.6)]
    np.testing.assert_array_equal(shown[0], shown[1])
    assert np.abs(shown[1][180, 240].astype(int) - shown[2][180, 240]).max() > 3
    assert shown[0][180, 240].mean() > shown[0][0, 0].mean() + 5


def test_a_hand_has_the_faces_colour_and_moves() -> None:
    rgb = np.full((HEIGHT, WIDTH, 3), (40, 160, 90), np.uint8)
    landmarks = face_at(240, 150, 0.8)
    cv2.circle(rgb, (240, 150), 60, (200, 140, 110), -1)
    look = Hand.draw(rng_of(2))
    outs = [look.apply(rgb, landmarks, i / 5) for i in range(25)]
    covered = [(out != rgb).any(axis=2) for out in outs]
    most = max(range(25), key=lambda i: covered[i][120:200, 200:280].sum())
    hand = outs[most][covered[most]].mean(axis=0)
    np.testing.assert_allclose(hand / hand.sum(), np.array([200, 140, 110]) / 450, atol=0.05)
    places = np.array([np.argwhere(mask).mean(axis=0) for mask in covered if mask.any()])
    assert np.ptp(places, axis=0).max() > 10


def test_a_face_that_is_lost_for_a_picture_keeps_its_mask() -> None:
    rgb, landmarks = picture(), face_at(240, 180)
    look = MedicalMask.draw(rng_of(0))
    first, second = (out for _, out in harden([(0.0, rgb, landmarks), (0.2, rgb, None)], look))
    np.testing.assert_array_equal(first, second)
    assert (first != rgb).any()


def test_an_ear_that_is_turned_away_carries_no_temple() -> None:
    rgb, landmarks = picture(), face_at(240, 180, 1.0)
    turned = landmarks.copy()
    turned[2, 0] += 16
    look = Glasses(frame=(20, 20, 20), thick=3.0, radii=(21.0, 16.0), roundness=3.0, tint=0.0, shine=0.0)
    for side, seen in ((np.s_[130:160, 170:190], True), (np.s_[130:160, 296:310], False)):
        assert (look.apply(rgb, turned, 0.0)[side] != rgb[side]).any() == seen


def test_the_contact_sheet_has_a_row_for_each_kind_and_the_plain_clip() -> None:
    seen: list[Seen] = [(i / 5, picture(i), face_at(240, 180)) for i in range(6)]
    sheet = contact_sheet(seen, rng_of(0), columns=3)
    assert sheet.shape[0] == (len(Kind) + 1) * 224


def test_a_480p_picture_takes_a_few_milliseconds() -> None:
    rgb, landmarks = picture(0, 480, 640), face_at(320, 240)
    for kind in Kind:
        look = DRAWS[kind](rng_of(0))
        look.apply(rgb, landmarks, 0.0)
        taken = []
        for i in range(5):
            start = time.process_time()
            look.apply(rgb, landmarks, i / 5)
            taken.append(time.process_time() - start)
        # Several times what the slowest takes: enough to notice a full-size filter that has crept in.
        assert min(taken) < 0.08, kind


def test_a_background_is_the_same_room_for_the_whole_clip() -> None:
    look = replace(Background.draw(rng_of(0)), blur=0.0)
    one, two = (look.apply(picture(seed), face_at(240, 180), seed / 5) for seed in (0, 1))
    np.testing.assert_array_equal(one[:20, :20], two[:20, :20])
