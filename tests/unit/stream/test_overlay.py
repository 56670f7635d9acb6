"""The heat map as a picture: on the right place, of any grid, darker the more suspicious, and the page's scale."""

import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from models.explanation import FaceExplanation, VoiceExplanation
from models.preprocess import TEMPLATE
from models.window import CROP_PX, FaceCrop
from stream.overlay import LOUD, QUIET, SCALE, SIDE_PX, SPECTRUM_PX, overlay, smooth

PAGE = Path(__file__).parents[3] / "web" / "src" / "lib" / "heat.ts"
SPECTRUM_PAGE = PAGE.with_name("spectrum.ts")


def explained(spoof: list[list[float]], shade: int = 180) -> FaceExplanation:
    crop = FaceCrop(
        pixels=np.full((CROP_PX, CROP_PX, 3), shade, np.uint8),
        time_s=1,
        track=1,
        landmarks=TEMPLATE,
        face_px=120,
        sharpness=50,
    )
    return FaceExplanation(crop=crop, spoof=np.array(spoof, np.float32))


def test_nothing_is_drawn_where_the_face_looks_genuine() -> None:
    assert (overlay(explained([[0.1, 0.5], [0.3, 0.4]])) == 180).all()


@pytest.mark.parametrize("side", [5, 11])
def test_the_heat_lies_where_the_grid_has_it_whatever_its_size(side: int) -> None:
    grid = np.full((side, side), 0.1)
    grid[-1, 0] = 0.95
    drawn = overlay(explained(grid.tolist())).astype(int)
    y, x = np.unravel_index(np.abs(drawn - 180).sum(axis=2).argmax(), drawn.shape[:2])
    assert drawn.shape == (SIDE_PX, SIDE_PX, 3)
    assert x < SIDE_PX / side
    assert y > SIDE_PX * (1 - 1 / side)


def test_every_step_of_the_scale_is_darker_and_covers_more_so_that_it_is_read_without_colours() -> None:
    lumas = [0.299 * red + 0.587 * green + 0.114 * blue for _, red, green, blue, _ in SCALE]
    assert all(after < before - 40 for before, after in pairwise(lumas))
    assert all(after[-1] > before[-1] for before, after in pairwise(SCALE))


def test_a_smooth_map_never_leaves_the_range_of_its_grid() -> None:
    grid = np.array([[0.1, 0.8, 0.1], [0.8, 0.1, 0.8], [0.1, 0.8, 0.1]], np.float32)
    drawn = smooth(grid, 99)
    assert (drawn.min(), drawn.max()) == (grid.min(), grid.max())


def sound(spoof: list[list[float]], energy_db: list[list[float]]) -> VoiceExplanation:
    return VoiceExplanation(
        energy_db=np.array(energy_db, np.float32),
        spoof=np.array(spoof, np.float32),
        top_hz=8000,
        stretches_s=((0.0, 0.5),),
        band_hz=(4000, 8000),
    )


def test_sound_is_drawn_with_low_bands_below_and_coloured_only_where_it_speaks_for_a_spoof() -> None:
    energy_db: list[list[float]] = [[0, -48], [-48, 0]]
    drawn = overlay(sound([[0.0, -1.0], [1.0, 0.0]], energy_db)).astype(int)
    height, width = drawn.shape[:2]
    assert (width, height) == SPECTRUM_PX
    added = np.abs(drawn - overlay(sound([[0, 0], [0, 0]], energy_db))).sum(axis=2)
    y, x = np.unravel_index(added.argmax(), added.shape)
    assert (bool(y < height / 2), bool(x < width / 2)) == (True, True)
    corners = {name: drawn[row, column].tolist() for name, row, column in (("low left", -1, 0), ("low right", -1, -1))}
    assert corners == {"low left": [LOUD] * 3, "low right": [QUIET] * 3}


def test_the_strongest_evidence_is_darker_than_the_loudest_sound_wherever_it_lies() -> None:
    _, red, green, blue, opacity = SCALE[-1]
    luma = (0.299 * red + 0.587 * green + 0.114 * blue) * opacity + QUIET * (1 - opacity)
    assert luma < LOUD - 20


def test_the_page_draws_with_the_same_scale() -> None:
    written = re.search(r"export const SCALE[^=]*= (\[.*?\]);", PAGE.read_text(), re.DOTALL)
    assert written is not None
    assert json.loads(re.sub(r",\s*\]", "]", written[1])) == [list(step) for step in SCALE]
    grey = re.search(r"export const GREY = (\[.*?\])", SPECTRUM_PAGE.read_text())
    assert grey is not None
    assert json.loads(grey[1]) == [QUIET, LOUD]
