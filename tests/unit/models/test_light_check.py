"""Drawn colours are told on a face from none and from others, whatever the exposure does; they harm nobody's eyes."""

import colorsys
import random
from itertools import pairwise

import cv2
import numpy as np
import pytest

from models.light_check import MAX_LATENCY_S, Tint, read, tint
from models.light_plan import COLOURS, LIGHT, MAX_FLASHES_HZ, N_STEPS, SECONDS, STEP_S, LightPlan
from models.preprocess import TEMPLATE
from models.window import CROP_PX, FaceCrop

PLAN, OTHER = (LightPlan.draw(random.Random(seed)) for seed in (1, 2))
AT_S = 2.0


def tints(shown: LightPlan | None, *, latency_s: float = 0.7, share: float = 0.015, noise: float = 0.006) -> list[Tint]:
    rng = np.random.default_rng(3)
    times = np.arange(0, AT_S + SECONDS + MAX_LATENCY_S, 0.2)
    light = share * shown.chroma(times - AT_S - latency_s) if shown else np.zeros((len(times), 2))
    slow = 0.05 * np.sin(times / 4)[:, None] + rng.normal(0, noise, (len(times), 2))
    # A head that nods: as it darkens, its colour shifts.
    nod = 0.08 * np.sin(2 * np.pi * 0.7 * times)
    colour = light + slow + nod[:, None] * (0.3, -0.5)
    return [
        Tint(time_s=t, red=r, blue=b, skin=s + n, behind=n)
        for t, (r, b), s, n in zip(
            times.tolist(), colour.tolist(), nod.tolist(), rng.normal(0, 0.01, len(times)).tolist(), strict=True
        )
    ]


@pytest.mark.parametrize("latency_s", [0.2, 1.3, 2.8])
def test_the_light_is_found_with_its_delay(latency_s: float) -> None:
    found = read(PLAN, tints(PLAN, latency_s=latency_s), AT_S)
    assert found is not None
    assert found.statistic > 3
    assert found.llr > 1
    assert found.latency_s == pytest.approx(latency_s, abs=0.25)


def test_neither_no_light_nor_that_of_another_plan_passes() -> None:
    for shown in (None, OTHER):
        found = read(PLAN, tints(shown), AT_S)
        assert found is not None
        assert found.llr < 1


def test_too_few_pictures_say_nothing() -> None:
    assert read(PLAN, tints(PLAN)[:20], AT_S) is None


def picture(gain: float, light: tuple[float, float, float]) -> tuple[np.ndarray, FaceCrop]:
    rgb = np.full((240, 320, 3), (90, 110, 100), np.uint8)
    skin = np.array([170, 130, 110]) * np.array(light)
    cv2.ellipse(rgb, (160, 110), (45, 60), 0, 0, 360, skin.tolist(), -1)
    lit = np.clip(rgb * gain, 0, 255).astype(np.uint8)
    crop = FaceCrop(
        pixels=np.full((CROP_PX, CROP_PX, 3), np.clip(skin * gain, 0, 255), np.uint8),
        time_s=1.0,
        track=1,
        landmarks=TEMPLATE,
        face_px=100.0,
        sharpness=100.0,
        box=(115 / 320, 50 / 240, 90 / 320, 120 / 240),
    )
    return lit, crop


def test_exposure_cancels_and_coloured_light_on_the_skin_does_not() -> None:
    plain, brighter = (tint(*picture(gain, (1, 1, 1))) for gain in (0.8, 1.3))
    bluish = tint(*picture(1.0, (1, 1, 1.1)))
    assert plain and brighter and bluish  # noqa: PT018  # for the type checker
    assert brighter.blue == pytest.approx(plain.blue, abs=0.03)
    assert bluish.blue > plain.blue + 0.06
    assert bluish.red == pytest.approx(plain.red, abs=0.03)


def test_a_face_that_fills_the_picture_has_nothing_behind_it() -> None:
    rgb, crop = picture(1.0, (1, 1, 1))
    assert (
        tint(rgb, FaceCrop(**{f: getattr(crop, f) for f in crop.__slots__ if f[0] != "_"} | {"box": (0, 0, 1, 1)}))
        is None
    )


def test_no_plan_flashes_fast_or_in_saturated_red() -> None:
    assert 1 / STEP_S <= MAX_FLASHES_HZ < 3
    for red, green, blue in COLOURS:
        hue, saturation, _ = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
        is_red = hue < 0.04 or hue > 0.94
        assert not (is_red and saturation > 0.8)
        assert red / (red + green + blue) < 0.8
    assert np.ptp(LIGHT @ (0.2126, 0.7152, 0.0722)) < 0.02  # of one brightness: no exposure follows them
    for seed in range(50):
        colours = LightPlan.draw(random.Random(seed)).colours
        assert len(colours) == N_STEPS
        assert all(a != b for a, b in pairwise(colours))
        assert {colours.count(i) for i in range(len(COLOURS))} == {N_STEPS // len(COLOURS)}
