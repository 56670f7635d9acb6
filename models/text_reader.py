"""Text in pictures: where it stands, and what it says.

The nets are PP-OCRv4's (PaddleOCR, Apache-2.0) from the package rapidocr-onnxruntime; what stands around them is ours:
that package would bring a second OpenCV. Lines are taken to be about level, as marks and captions are.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from models import weights
from models.window import Pixels

MAX_SIDE_PX = 960
"""Of the picture in which text is looked for."""
MULTIPLE_PX = 32
INK = 0.3
"""From here on a place counts as text."""
MIN_BOX = 0.5
"""Mean of the places of a box."""
UNCLIP = 1.6
"""The net marks the core of a line; its box is larger by this times area over circumference."""
MIN_SIDE_PX = 5
LINE_PX = 48
MAX_LINE_PX = 960
MAX_LINES = 40
MIN_CONFIDENCE = 0.5

Batch = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text."""

    text: str
    confidence: float
    """Mean over its letters, 0..1."""
    left: float
    """All four as shares of the picture, 0..1."""
    top: float
    width: float
    height: float


class TextReader:
    """Finds and reads lines of text.

    Raises:
        WeightsError: The nets cannot be had.
    """

    def __init__(self, threads: int = 1) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        self._finder = _session("ocr_find", options)
        self._reader = _session("ocr_read", options)
        letters = self._reader.get_modelmeta().custom_metadata_map["character"].splitlines()
        self._letters = ["", *letters, " "]

    def read(self, picture: Pixels) -> tuple[Line, ...]:
        """Return the lines of a picture, RGB (H, W, 3), those with letters that are surely read."""
        bgr = np.ascontiguousarray(picture[..., ::-1])
        height, width = bgr.shape[:2]
        found = []
        for left, top, right, bottom in self._boxes(bgr):
            text, confidence = self._text(bgr[top:bottom, left:right])
            if text.strip() and confidence >= MIN_CONFIDENCE:
                found.append(
                    Line(
                        text=text.strip(),
                        confidence=confidence,
                        left=left / width,
                        top=top / height,
                        width=(right - left) / width,
                        height=(bottom - top) / height,
                    )
                )
        return tuple(found)

    def _boxes(self, bgr: Pixels) -> list[tuple[int, int, int, int]]:
        height, width = bgr.shape[:2]
        scale = MAX_SIDE_PX / max(height, width)  # also up: small letters are found in larger pictures
        size = tuple(max(round(side * scale / MULTIPLE_PX), 1) * MULTIPLE_PX for side in (width, height))
        ink = self._finder.run(None, {"x": _normal(cv2.resize(bgr, size))})[0][0, 0]  # (h, w)
        contours, _ = cv2.findContours((ink > INK).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        boxes = []
        for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MAX_LINES]:
            x, y, w, h = cv2.boundingRect(contour)
            if min(w, h) < MIN_SIDE_PX or ink[y : y + h, x : x + w].mean() < MIN_BOX:
                continue
            more = w * h * UNCLIP / (2 * (w + h))
            box = np.array([x - more, y - more, x + w + more, y + h + more])
            box *= np.array([width / size[0], height / size[1]] * 2)
            left, top, right, bottom = np.clip(box, 0, [width, height] * 2).round().astype(int).tolist()
            boxes.append((left, top, right, bottom))
        return boxes

    def _text(self, bgr: Pixels) -> tuple[str, float]:
        height, width = bgr.shape[:2]
        wide = int(np.clip(round(LINE_PX * width / max(height, 1)), 16, MAX_LINE_PX))
        shares = self._reader.run(None, {"x": _normal(cv2.resize(bgr, (wide, LINE_PX)))})[0][0]  # (T, letters)
        best = shares.argmax(axis=1)
        is_letter = (best != 0) & np.append(True, best[1:] != best[:-1])
        text = "".join(self._letters[i] for i in best[is_letter])
        return text, float(shares.max(axis=1)[is_letter].mean()) if text else 0.0


def _session(name: str, options: Any) -> Any:
    return ort.InferenceSession(str(weights.ensure(name)), options, providers=["CPUExecutionProvider"])


def _normal(bgr: npt.NDArray[Any]) -> Batch:
    return np.ascontiguousarray((bgr.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)[None])  # (1, 3, H, W)
