"""Finds the faces of a picture, follows them through a call, and cuts them out.

Pictures enter; detections, track numbers and aligned crops leave. The finder keeps no state and may be shared between
calls and threads; a tracker belongs to one call.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models import quality
from models.preprocess import align_face, face_px, in_crop, sharpness
from models.retinaface import MEAN_RGB, MIN_PX, Found, RetinaFace
from models.window import FaceCrop, Landmarks, Pixels

# Long side of the picture that is searched: finds a face of 1/16 of the picture's width. See the model card for how
# many faces and milliseconds other sizes would give.
SEARCH_PX = 320
MAX_FACES = 4
MAX_OVERLAP = 0.4

# A known face is sought, and every face's landmarks are placed, in a square of `NEAR_SIDES` of its box's longer side,
# seen at `NEAR_PX`. Of ten pairs tried on 1,052 pictures these gave the steadiest landmarks: 2.8 px of the crop from
# those of a search of the whole picture (95 %: 5.9), as far as searches at 320 and 480 px are apart. 128 px and 1.6
# would save 0.5 ms for landmarks that shake by an eighth more.
NEAR_PX = 160
NEAR_SIDES = 1.8
WHOLE_EVERY_S = 2.0
"""How often the whole picture is searched while every known face is found again [s]."""

ABSENCE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Detection:
    """One face in one picture."""

    box: tuple[float, float, float, float]
    """Left, top, width, height [px]."""
    landmarks: Landmarks
    """Shape (5, 2) [px], in the order of `models.preprocess.TEMPLATE`."""
    confidence: float

    @property
    def area(self) -> float:
        return self.box[2] * self.box[3]

    @property
    def centre(self) -> tuple[float, float]:
        return self.box[0] + self.box[2] / 2, self.box[1] + self.box[3] / 2


Find = Callable[[Pixels, Sequence[Detection]], tuple[Detection, ...]]
"""Returns the faces of a picture, sought near others or, given none, everywhere: `FaceFinder.find`."""


class FaceFinder:
    """Finds faces with `RetinaFace`.

    Args:
        path: The ONNX file; fetched when not given.

    Raises:
        models.weights.WeightsError: The file is not there and cannot be fetched.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._network = RetinaFace(path)

    def find(self, rgb: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        """Return the faces of a picture, the largest first, at most `MAX_FACES`.

        Each face's landmarks are placed in a second look at the face alone, so that they do not depend on how large
        the picture is, nor on whether the face was sought in all of it.

        Args:
            rgb: Shape (H, W, 3), any size.
            near: Faces of the picture before: only these are sought, near where they were. None: the whole picture is.
        """
        if near:
            return _distinct([face for face in self._look(rgb, near) if face is not None])
        whole = self._search(rgb)
        return _distinct([again or face for face, again in zip(whole, self._look(rgb, whole), strict=True)])

    def _search(self, rgb: Pixels) -> tuple[Detection, ...]:
        """Return the faces of the whole picture."""
        height, width = rgb.shape[:2]
        ratio = SEARCH_PX / max(height, width)
        size = max(MIN_PX, round(width * ratio)), max(MIN_PX, round(height * ratio))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
        (found,) = self._network([np.asarray(small, np.uint8)])
        return _distinct(_placed(found, (0.0, 0.0), (width / size[0], height / size[1])))

    def _look(self, rgb: Pixels, faces: Sequence[Detection]) -> list[Detection | None]:
        """Return each face as it is seen in a square around its place, None where it is not there."""
        if not faces:
            return []
        squares = [_square(face) for face in faces]
        seen: list[Detection | None] = []
        for face, (left, top, side), found in zip(
            faces, squares, self._network([_cut(rgb, square) for square in squares]), strict=True
        ):
            placed = _distinct(_placed(found, (left, top), (side / NEAR_PX, side / NEAR_PX)))
            nearest = min(placed, key=lambda one: _distance(one, face), default=None)
            seen.append(nearest if nearest is not None and _distance(nearest, face) < 1 else None)
        return seen


class FaceTracker:
    """Gives the faces of one call numbers that stay with them.

    A face that was away for up to `ABSENCE_S` and comes back near its old place keeps its number. Nothing is
    recognised: who a face belongs to plays no part. Remembers no more than the faces of the last `ABSENCE_S`.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, Detection]] = {}
        self._last = 0
        self._newest: tuple[Detection, ...] = ()
        self._whole_s = float("-inf")

    def near(self, time_s: float) -> tuple[Detection, ...]:
        """Return the faces near which the next picture is to be searched; none: all of it is.

        Args:
            time_s: Session time of that picture [s].
        """
        return self._newest if time_s - self._whole_s < WHOLE_EVERY_S else ()

    def update(
        self, time_s: float, detections: tuple[Detection, ...], *, is_whole: bool = True
    ) -> tuple[tuple[int, Detection], ...]:
        """Return the detections with their track numbers, from 1, in the order given.

        Args:
            time_s: Session time of the picture [s]; never earlier than the call before.
            detections: From `FaceFinder.find`.
            is_whole: The whole picture was searched.
        """
        self._newest = detections
        if is_whole:
            self._whole_s = time_s
        self._seen = {n: (at, face) for n, (at, face) in self._seen.items() if time_s - at <= ABSENCE_S}
        numbers = self._match(detections)
        for index, face in enumerate(detections):
            if index not in numbers:
                self._last += 1
                numbers[index] = self._last
            self._seen[numbers[index]] = (time_s, face)
        return tuple((numbers[index], face) for index, face in enumerate(detections))

    def _match(self, detections: tuple[Detection, ...]) -> dict[int, int]:
        """Pair detections with known tracks, the nearest pair first."""
        pairs = sorted(
            (_distance(face, known), index, number)
            for index, face in enumerate(detections)
            for number, (_, known) in self._seen.items()
        )
        numbers: dict[int, int] = {}
        for distance, index, number in pairs:
            if distance < 1 and index not in numbers and number not in numbers.values():
                numbers[index] = number
        return numbers


def follow(rgb: Pixels, time_s: float, tracker: FaceTracker, find: Find) -> tuple[FaceCrop, ...]:
    """Find the faces of a call's next picture and cut them out. Serving and training follow faces with this alone.

    Known faces are sought near where they were. The whole picture is searched at the start, every `WHOLE_EVERY_S`,
    while no face is known, and at once where a known face is not found again.

    Args:
        rgb: The picture, shape (H, W, 3).
        time_s: Its session time [s]; never earlier than that of the call's picture before.
        tracker: The call's own.
        find: `FaceFinder.find`, or what stands for it.
    """
    near = tracker.near(time_s)
    faces = find(rgb, near)
    if len(faces) < len(near):
        near, faces = (), find(rgb, ())
    return crops_of(rgb, time_s, tracker.update(time_s, faces, is_whole=not near))


def crops_of(rgb: Pixels, time_s: float, tracked: tuple[tuple[int, Detection], ...]) -> tuple[FaceCrop, ...]:
    """Cut the tracked faces out of their picture.

    Args:
        rgb: The picture that they were found in, shape (H, W, 3).
        time_s: Its session time [s].
        tracked: From `FaceTracker.update`.
    """
    crops = []
    for track, face in tracked:
        pixels, landmarks = align_face(rgb, face.landmarks), in_crop(face.landmarks)
        crops.append(
            FaceCrop(
                pixels=pixels,
                time_s=time_s,
                track=track,
                landmarks=landmarks,
                face_px=face_px(face.landmarks),
                sharpness=sharpness(pixels),
                confidence=face.confidence,
                box=_shares(face.box, rgb),
                **quality.measure(pixels, landmarks),
            )
        )
    return tuple(crops)


def _shares(box: tuple[float, float, float, float], rgb: Pixels) -> tuple[float, float, float, float]:
    """Return a box as shares of the picture's width and height."""
    height, width = rgb.shape[:2]
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def _square(face: Detection) -> tuple[int, int, int]:
    """Return left, top and side of the square in which a face is sought [px]."""
    side = max(round(NEAR_SIDES * max(face.box[2:])), 16)
    side -= side % _factor(side)
    x, y = face.centre
    return round(x - side / 2), round(y - side / 2), side


def _factor(side: int) -> int:
    """Return by how much a square is averaged down before it is sampled: a whole number, which OpenCV does fast."""
    return max(side // NEAR_PX, 1)


def _cut(rgb: Pixels, square: tuple[int, int, int]) -> Pixels:
    """Return a square of a picture at `NEAR_PX`; what lies beyond the picture is of the network's mean colour."""
    left, top, side = square
    height, width = rgb.shape[:2]
    x, right = np.clip([left, left + side], 0, width).tolist()
    y, bottom = np.clip([top, top + side], 0, height).tolist()
    if x == right or y == bottom:
        return np.full((NEAR_PX, NEAR_PX, 3), MEAN_RGB, np.uint8)
    part = cv2.copyMakeBorder(
        rgb[y:bottom, x:right],
        *(y - top, top + side - bottom, x - left, left + side - right),
        cv2.BORDER_CONSTANT,
        value=MEAN_RGB,
    )
    if (factor := _factor(side)) > 1:
        part = cv2.resize(part, (side // factor, side // factor), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(part, (NEAR_PX, NEAR_PX), interpolation=cv2.INTER_LINEAR), np.uint8)


def _placed(found: Found, origin: tuple[float, float], scale: tuple[float, float]) -> list[Detection]:
    """Return what was found in a scaled part of a picture where it stands in the picture."""
    ratio, shift = np.array(scale, np.float32), np.array(origin, np.float32)
    boxes = (found.boxes.reshape(-1, 2, 2) * ratio + [shift, (0, 0)]).reshape(-1, 4).tolist()
    landmarks = (found.landmarks * ratio + shift).astype(np.float32)
    return [
        Detection(box=(left, top, width, height), landmarks=points, confidence=float(sure))
        for (left, top, width, height), points, sure in zip(boxes, landmarks, found.confidence, strict=True)
    ]


def _distinct(faces: Sequence[Detection]) -> tuple[Detection, ...]:
    """Return the faces without those that a surer one covers, the largest first, at most `MAX_FACES`."""
    kept: list[Detection] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if all(overlap(face, other) <= MAX_OVERLAP for other in kept):
            kept.append(face)
    return tuple(sorted(kept, key=lambda face: -face.area)[:MAX_FACES])


def overlap(one: Detection, other: Detection) -> float:
    """Return intersection over union of two boxes, 0..1."""
    (x, y, w, h), (u, v, s, t) = one.box, other.box
    common = max(0.0, min(x + w, u + s) - max(x, u)) * max(0.0, min(y + h, v + t) - max(y, v))
    return common / max(one.area + other.area - common, 1e-6)


def _distance(face: Detection, known: Detection) -> float:
    """Return how far two boxes are apart: below 1 they may be one face, of which 0.2 s and some motion came between."""
    (x, y), (u, v) = face.centre, known.centre
    size = max(face.area, known.area, 1e-6) ** 0.5
    shrunk = min(face.area, known.area) / max(face.area, known.area, 1e-6)
    return float(np.hypot(x - u, y - v)) / size if shrunk > 0.25 else float("inf")
