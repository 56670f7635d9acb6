"""RetinaFace (MobileNet 0.25): pictures of one size in; boxes, landmarks and confidences of what may be faces out.

Nothing here knows what a call is, keeps state, or decides which of two boxes that overlap is the face.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from models import weights
from models.window import Pixels

Array = npt.NDArray[np.float32]

MIN_CONFIDENCE = 0.8
MIN_PX = 32
"""Smallest side that the network takes [px]."""

# Of the network: strides and box sizes of its anchors, the scale of its outputs, the mean colour it was trained with.
ANCHORS = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
MEAN_RGB = (123, 117, 104)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What may be faces in one picture; several boxes may be of one face."""

    boxes: Array
    """Left, top, width, height, shape (K, 4) [px]."""
    landmarks: Array
    """Shape (K, 5, 2) [px], in the order of `models.preprocess.TEMPLATE`."""
    confidence: Array
    """Shape (K,), `MIN_CONFIDENCE`..1."""


class RetinaFace:
    """The network, on one thread. Keeps no state and may be shared between threads.

    Runs on onnxruntime everywhere: OpenVINO needs a tenth less time for a whole picture and a tenth more for a small
    square of one.

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

    def __call__(self, pictures: list[Pixels]) -> list[Found]:
        """Return what may be faces in each picture.

        Args:
            pictures: Each of shape (H, W, 3), RGB, all of one size.
        """
        height, width = pictures[0].shape[:2]
        blobs = cv2.dnn.blobFromImages(pictures, mean=MEAN_RGB[::-1], swapRB=True)  # (N, 3, H, W), BGR
        boxes, scores, points = self._session.run(None, {"input": np.asarray(blobs, np.float32)})
        anchors = _anchors(width, height)
        return [_decode(boxes[i], scores[i, :, 1], points[i], anchors) for i in range(len(pictures))]


def _decode(boxes: Array, scores: Array, points: Array, anchors: Array) -> Found:
    sure = np.flatnonzero(scores >= MIN_CONFIDENCE)
    centres, sizes = anchors[sure, :2], anchors[sure, 2:]
    wide = sizes * np.exp(boxes[sure, 2:] * SIZE_VARIANCE)
    corners = centres + sizes * boxes[sure, :2] * CENTRE_VARIANCE - wide / 2
    landmarks = centres[:, None] + sizes[:, None] * points[sure].reshape(-1, 5, 2) * CENTRE_VARIANCE  # (K, 5, 2)
    return Found(boxes=np.hstack([corners, wide]), landmarks=landmarks.astype(np.float32), confidence=scores[sure])


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
