from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import weights
from models.faces import MAX_FACES, Detection, FaceFinder, FaceTracker, crops_of, follow, overlap
from models.preprocess import TEMPLATE
from models.window import CROP_PX, Pixels


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    return FaceFinder()


@pytest.fixture(scope="module")
def portrait() -> Pixels:
    return np.ascontiguousarray(cv2.imread(str(weights.ensure("astronaut")))[..., ::-1])


def face(left: float, top: float, size: float = 100.0) -> Detection:
    return Detection(box=(left, top, size, size), landmarks=TEMPLATE * size / 224, confidence=0.99)


def test_the_portrait_has_one_face_with_its_eyes_above_its_mouth(finder: FaceFinder, portrait: Pixels) -> None:
    (found,) = finder.find(portrait)
    assert found.confidence > 0.99
    assert overlap(found, Detection(box=(178, 60, 92, 117), landmarks=TEMPLATE, confidence=1.0)) > 0.85
    left_eye, right_eye, nose, left_mouth, right_mouth = found.landmarks
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < nose[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("size", [(640, 480), (480, 853), (160, 160), (321, 201)])
def test_a_face_is_found_in_pictures_of_any_shape(finder: FaceFinder, portrait: Pixels, size: tuple[int, int]) -> None:
    width, height = size
    scale = min(width, height) / 512
    picture = np.zeros((height, width, 3), np.uint8)
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture[: small.shape[0], : small.shape[1]] = small
    (found,) = finder.find(picture)
    np.testing.assert_allclose(found.landmarks[2] / scale, (223, 128), atol=12)


def test_an_empty_picture_has_no_face(finder: FaceFinder) -> None:
    assert finder.find(np.full((480, 640, 3), 90, np.uint8)) == ()


def test_no_more_faces_than_the_limit_are_returned_and_the_largest_come_first(
    finder: FaceFinder, portrait: Pixels
) -> None:
    tile = portrait[:224, 100:350]
    crowd = np.hstack([tile, cv2.resize(tile, None, fx=0.6, fy=1.0), np.zeros_like(tile)[:, :20]])
    many = np.vstack([crowd, crowd, crowd])
    found = finder.find(many)
    areas = [one.area for one in found]
    assert len(found) == MAX_FACES
    assert areas == sorted(areas, reverse=True)


def test_threads_may_share_a_finder(finder: FaceFinder, portrait: Pixels) -> None:
    with ThreadPoolExecutor(4) as pool:
        boxes = {found.box for (found,) in pool.map(finder.find, [portrait] * 8)}
    assert len(boxes) == 1


def test_a_crop_carries_its_time_track_and_measures(finder: FaceFinder, portrait: Pixels) -> None:
    (crop,) = crops_of(portrait, 3.2, FaceTracker().update(3.2, finder.find(portrait)))
    assert (crop.track, crop.time_s, crop.pixels.shape) == (1, 3.2, (CROP_PX, CROP_PX, 3))
    assert 70 < crop.face_px < 90
    assert crop.sharpness > 100


@given(steps=st.lists(st.tuples(st.floats(-25, 25), st.floats(-25, 25)), min_size=1, max_size=40))
def test_a_face_that_moves_a_quarter_of_its_size_a_picture_keeps_its_number(steps: list[tuple[float, float]]) -> None:
    tracker, left, top = FaceTracker(), 200.0, 200.0
    for index, (dx, dy) in enumerate(steps):
        left, top = left + dx, top + dy
        assert [number for number, _ in tracker.update(index * 0.2, (face(left, top),))] == [1]


@given(order=st.permutations([0, 1, 2]))
def test_the_order_of_detections_does_not_change_the_numbers(order: list[int]) -> None:
    tracker = FaceTracker()
    faces = [face(0, 0), face(300, 0), face(0, 300)]
    first = {one: number for number, one in tracker.update(0.0, tuple(faces))}
    again = tracker.update(0.2, tuple(faces[index] for index in order))
    assert [number for number, _ in again] == [first[faces[index]] for index in order]


@given(boxes=st.lists(st.lists(st.tuples(st.floats(0, 600), st.floats(0, 400)), max_size=4), max_size=20))
def test_no_two_faces_of_a_picture_share_a_number(boxes: list[list[tuple[float, float]]]) -> None:
    tracker = FaceTracker()
    for index, places in enumerate(boxes):
        numbers = [number for number, _ in tracker.update(index * 0.2, tuple(face(*place) for place in places))]
        assert len(set(numbers)) == len(numbers)
        assert all(number >= 1 for number in numbers)


@pytest.mark.parametrize(("away_s", "number"), [(1.0, 1), (2.0, 1), (2.2, 2)])
def test_a_face_that_was_away_for_up_to_two_seconds_keeps_its_number(away_s: float, number: int) -> None:
    tracker = FaceTracker()
    tracker.update(0.0, (face(100, 100),))
    tracker.update(away_s / 2, ())
    assert tracker.update(away_s, (face(110, 105),))[0][0] == number


def test_another_face_far_away_gets_a_new_number() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, (face(0, 0),))
    assert tracker.update(0.2, (face(300, 200),))[0][0] == 2


def test_a_face_of_another_size_at_the_same_place_gets_a_new_number() -> None:
    tracker = FaceTracker()
    tracker.update(0.0, (face(0, 0, 300),))
    assert tracker.update(0.2, (face(130, 130, 40),))[0][0] == 2


def test_memory_stays_bounded_however_many_faces_pass() -> None:
    tracker = FaceTracker()
    for index in range(500):
        tracker.update(index * 0.2, (face(index * 500.0, 0),))
    assert len(tracker._seen) <= 11


class Scene:
    """Stands for `FaceFinder.find`: sees every face of the moment, or only those near known ones; notes each search."""

    def __init__(self) -> None:
        self.faces: tuple[Detection, ...] = ()
        self.searches: list[str] = []

    def find(self, rgb: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        self.searches.append("near" if near else "whole")
        if not near:
            return self.faces
        return tuple(one for one in self.faces if any(overlap(one, known) > 0.1 for known in near))


def play(*moments: tuple[Detection, ...]) -> tuple[list[list[int]], list[str]]:
    """Show a tracker one picture after the other, 0.2 s apart; return the numbers seen in each, and the searches."""
    scene, tracker, numbers = Scene(), FaceTracker(), []
    for index, scene.faces in enumerate(moments):
        crops = follow(np.zeros((480, 640, 3), np.uint8), index / 5, tracker, scene.find)
        numbers.append([crop.track for crop in crops])
    return numbers, scene.searches


def test_a_face_that_stays_is_sought_near_its_place_and_everywhere_every_two_seconds() -> None:
    numbers, searches = play(*[(face(200, 150),)] * 21)
    assert numbers == [[1]] * 21
    assert searches == [*["whole", *["near"] * 9] * 2, "whole"]


def test_a_face_that_jumps_is_found_in_the_same_picture() -> None:
    numbers, searches = play((face(50, 50),), (face(450, 300),), (face(450, 300),))
    assert numbers == [[1], [2], [2]]
    assert searches == ["whole", "near", "whole", "near"]


def test_while_no_face_is_there_every_picture_is_searched_whole_and_one_that_comes_back_keeps_its_number() -> None:
    numbers, searches = play((face(50, 50),), (), (), (face(60, 50),), (face(60, 50),))
    assert numbers == [[1], [], [], [1], [1]]
    assert searches == ["whole", "near", "whole", "whole", "whole", "near"]


def test_a_second_face_is_seen_within_two_seconds_and_then_followed() -> None:
    one, two = face(50, 50), face(400, 300)
    numbers, searches = play((one,), *[(one, two)] * 10, (one, two))
    assert numbers == [*[[1]] * 10, [1, 2], [1, 2]]
    assert searches == ["whole", *["near"] * 9, "whole", "near"]


def test_when_one_of_two_faces_leaves_the_other_is_followed_on() -> None:
    one, two = face(50, 50), face(400, 300)
    numbers, searches = play((one, two), (one, two), (one,), (one,))
    assert numbers == [[1, 2], [1, 2], [1], [1]]
    assert searches == ["whole", "near", "near", "whole", "near"]


def test_a_known_face_is_found_again_near_its_place_with_the_same_landmarks(
    finder: FaceFinder, portrait: Pixels
) -> None:
    (whole,) = finder.find(portrait)
    (again,) = finder.find(portrait, (whole,))
    error = np.linalg.norm(again.landmarks - whole.landmarks, axis=1)
    assert error.mean() < 0.02 * whole.box[3]
    assert overlap(again, whole) > 0.9


@pytest.mark.parametrize("place", [(-60.0, 100.0), (300.0, -70.0), (480.0, 480.0), (-900.0, 100.0)])
def test_where_a_known_face_was_there_may_be_none_even_beyond_the_picture(
    finder: FaceFinder, portrait: Pixels, place: tuple[float, float]
) -> None:
    assert finder.find(np.zeros_like(portrait), (face(*place),)) == ()


def test_two_known_faces_at_one_place_are_found_once(finder: FaceFinder, portrait: Pixels) -> None:
    (whole,) = finder.find(portrait)
    beside = replace(whole, box=(whole.box[0] + 20, whole.box[1] + 10, *whole.box[2:]))
    assert len(finder.find(portrait, (whole, beside))) == 1


def test_several_faces_are_found_again_as_when_each_is_sought_alone(finder: FaceFinder, portrait: Pixels) -> None:
    tile = portrait[:224, 100:350]
    pair = np.zeros((224, 450, 3), np.uint8)
    pair[:, :250], pair[:179, 250:] = tile, cv2.resize(tile, None, fx=0.8, fy=0.8)[:179, :200]
    both = finder.find(pair)
    together = finder.find(pair, both)
    apart = [finder.find(pair, (one,))[0] for one in both]
    assert len(both) == 2
    for one, alone in zip(together, apart, strict=True):
        np.testing.assert_allclose(one.landmarks, alone.landmarks, atol=0.01)
