"""Of several faces on a captured screen one is judged: the largest that moves, or the one that a person chose."""

import numpy as np
import pytest

from models.preprocess import TEMPLATE
from models.window import CROP_PX, FaceCrop
from stream.remote_party import ABSENCE_S, AWAY_S, RemoteParty

STEP_S = 0.2


def crop(track: int, time_s: float, left: float, side: float, noise: float = 6.0) -> FaceCrop:
    rng = np.random.default_rng(track)
    plain = rng.uniform(60, 200, (28, 28, 3))
    rng = np.random.default_rng([track, round(time_s * 1000)])
    pixels = np.clip(np.kron(plain + rng.normal(0, noise, plain.shape), np.ones((8, 8, 1))), 0, 255).astype(np.uint8)
    assert pixels.shape == (CROP_PX, CROP_PX, 3)
    return FaceCrop(
        pixels=pixels,
        time_s=time_s,
        track=track,
        landmarks=TEMPLATE,
        face_px=100.0,
        sharpness=100.0,
        box=(left, 0.2, side, side),
    )


class Screen:
    """A captured screen with some faces."""

    def __init__(self) -> None:
        self.party, self.time_s = RemoteParty(), 0.0

    def show(self, *faces: tuple[int, float, float, float], seconds: float = 1.0) -> set[int]:
        """Show faces of track, left, side, noise; return the tracks that are judged in the newest picture."""
        kept: tuple[FaceCrop, ...] = ()
        for _ in range(round(seconds / STEP_S)):
            self.time_s += STEP_S
            kept = self.party.take(tuple(crop(t, self.time_s, x, side, n) for t, x, side, n in faces), self.time_s)
        return {one.track for one in kept}


REMOTE, OWN = (1, 0.1, 0.5, 6.0), (2, 0.8, 0.15, 6.0)
STILL = (3, 0.1, 0.6, 0.5)


def test_the_largest_face_is_judged_and_the_own_preview_is_not() -> None:
    screen = Screen()
    assert screen.show(OWN, REMOTE) == {1}
    assert [(face.track, face.is_chosen) for face in screen.party.faces] == [(1, True), (2, False)]


def test_a_picture_that_does_not_move_is_no_caller_however_large() -> None:
    screen = Screen()
    screen.show(STILL, OWN, seconds=1.0)
    assert screen.show(STILL, OWN, seconds=ABSENCE_S + 1) == {2}
    assert [face.is_still for face in screen.party.faces] == [True, False]


def test_where_all_stand_still_the_largest_is_judged() -> None:
    assert Screen().show(STILL, seconds=3) == {3}


def test_what_a_person_chose_stays_chosen() -> None:
    screen = Screen()
    screen.show(REMOTE, OWN)
    screen.party.choose(2)
    assert screen.show(REMOTE, OWN, seconds=5) == {2}
    assert screen.show(REMOTE, seconds=4) == set()
    assert screen.show(REMOTE, (7, 0.78, 0.16, 6.0)) == {7}, "the same place under a new number"
    screen.party.choose(None)
    assert screen.show(REMOTE, OWN) == {1}


def test_of_a_window_that_was_moved_no_frame_is_left() -> None:
    screen = Screen()
    screen.show(REMOTE, OWN)
    screen.show((8, 0.1, 0.3, 6.0), seconds=0.8)
    assert [face.track for face in screen.party.faces] == [8]


def test_a_choice_is_forgotten_once_its_face_is_long_gone() -> None:
    screen = Screen()
    screen.show(REMOTE, OWN)
    screen.party.choose(2)
    screen.show(REMOTE, OWN)
    assert screen.show(REMOTE, seconds=AWAY_S + 1) == {1}


@pytest.mark.parametrize(("side", "judged"), [(0.55, 1), (0.7, 4)])
def test_another_face_is_taken_only_if_it_is_much_larger_for_a_while(side: float, judged: int) -> None:
    screen = Screen()
    screen.show(REMOTE)
    newcomer = (4, 0.3, side, 6.0)
    assert screen.show(REMOTE, newcomer) == {1}
    assert screen.show(REMOTE, newcomer, seconds=ABSENCE_S + 0.5) == {judged}
