"""Finds the faces of a picture, follows them through a call, and cuts them out.

Pictures enter; detections, track numbers and aligned crops leave. The finder keeps no state and may be shared between
calls and threads; a tracker belongs to one call.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from models import weights
from models.preprocess import align_face, face_px, in_crop, sharpness
from models.window import FaceCrop, Landmarks, Pixels

Array = npt.NDArray[np.float32]

# Long side of the picture that is searched: finds a face of 1/16 of the picture's width. See the model card for how
# many faces and milliseconds other sizes would give.
SEARCH_PX = 320
MIN_CONFIDENCE = 0.8
MAX_FACES = 4
MAX_OVERLAP = 0.4

# Of the network: strides and box sizes of its anchors, the scale of its outputs, the BGR mean it was trained with.
ANCHORS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
MEAN_BGR = np.array([104, 117, 123], np.float32)

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


class FaceFinder:
    """RetinaFace (MobileNet 0.25) on one thread.

    Args:
        path: The ONNX file; fetched when not given.

    Raises:
        models.weights.WeightsError: The file is not there and cannot be fetched.

    Source:
        Deng et al. 2019, https://arxiv.org/abs/1905.00641.
    """

    def __init__(self, path: Path | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(path or weights.ensure("retinaface")), options, providers=["CPUExecutionProvider"]
        )

    def find(self, rgb: Pixels) -> tuple[Detection, ...]:
        """Return the faces of a picture, the largest first, at most `MAX_FACES`.

        Args:
            rgb: Shape (H, W, 3), any size.
        """
        height, width = rgb.shape[:2]
        ratio = SEARCH_PX / max(height, width)
        size = max(32, round(width * ratio)), max(32, round(height * ratio))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR)
        pixels = (small[..., ::-1] - MEAN_BGR).transpose(2, 0, 1)[None]  # (1, 3, H, W)
        boxes, scores, points = self._session.run(None, {"input": np.ascontiguousarray(pixels, np.float32)})
        scale = np.array([width / size[0], height / size[1]], np.float32)
        return _decode(boxes[0], scores[0, :, 1], points[0], _anchors(*size), scale)


class FaceTracker:
    """Gives the faces of one call numbers that stay with them.

    A face that was away for up to `ABSENCE_S` and comes back near its old place keeps its number. Nothing is
    recognised: who a face belongs to plays no part. Remembers no more than the faces of the last `ABSENCE_S`.
    """

    def __init__(self) -> None:
        self._seen: dict[int, tuple[float, Detection]] = {}
        self._last = 0

    def update(self, time_s: float, detections: tuple[Detection, ...]) -> tuple[tuple[int, Detection], ...]:
        """Return the detections with their track numbers, from 1, in the order given.

        Args:
            time_s: Session time of the picture [s]; never earlier than the call before.
            detections: From `FaceFinder.find`.
        """
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


def crops_of(rgb: Pixels, time_s: float, tracked: tuple[tuple[int, Detection], ...]) -> tuple[FaceCrop, ...]:
    """Cut the tracked faces out of their picture.

    Args:
        rgb: The picture that they were found in, shape (H, W, 3).
        time_s: Its session time [s].
        tracked: From `FaceTracker.update`.
    """
    crops = []
    for track, face in tracked:
        pixels = align_face(rgb, face.landmarks)
        crops.append(
            FaceCrop(
                pixels=pixels,
                time_s=time_s,
                track=track,
                landmarks=in_crop(face.landmarks),
                face_px=face_px(face.landmarks),
                sharpness=sharpness(pixels),
            )
        )
    return tuple(crops)


@lru_cache(maxsize=16)
def _anchors(width: int, height: int) -> Array:
    """Return centre and size of every anchor, shape (A, 4) [px]."""
    parts = []
    for stride, sizes in ANCHORS:
        ys, xs = np.mgrid[: -(-height // stride), : -(-width // stride)]
        centres = (np.stack([xs.ravel(), ys.ravel()], axis=1) + 0.5) * stride
        squares = np.tile(np.repeat(np.array(sizes)[:, None], 2, axis=1), (len(centres), 1))
        parts.append(np.hstack([np.repeat(centres, len(sizes), axis=0), squares]))
    anchors: Array = np.concatenate(parts).astype(np.float32)
    return anchors


def _decode(boxes: Array, scores: Array, points: Array, anchors: Array, scale: Array) -> tuple[Detection, ...]:
    sure = np.flatnonzero(scores >= MIN_CONFIDENCE)
    sure = sure[np.argsort(-scores[sure])]
    centres, sizes = anchors[sure, :2], anchors[sure, 2:]
    wide = sizes * np.exp(boxes[sure, 2:] * SIZE_VARIANCE) * scale
    corners = (centres + sizes * boxes[sure, :2] * CENTRE_VARIANCE) * scale - wide / 2
    landmarks = centres[:, None] + sizes[:, None] * points[sure].reshape(-1, 5, 2) * CENTRE_VARIANCE  # (K, 5, 2)
    found: list[Detection] = []
    for index, rank in enumerate(sure):
        left, top, width, height = (float(value) for value in (*corners[index], *wide[index]))
        face = Detection(
            box=(left, top, width, height),
            landmarks=(landmarks[index] * scale).astype(np.float32),
            confidence=float(scores[rank]),
        )
        if all(overlap(face, other) <= MAX_OVERLAP for other in found):
            found.append(face)
    return tuple(sorted(found, key=lambda face: -face.area)[:MAX_FACES])


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
