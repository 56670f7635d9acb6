"""The invisible marks of open generators are read from pictures that carry them, and from no others."""

import cv2
import numpy as np
import pytest

from models.invisible_marks import MARKS, SCALE, read_invisible_mark
from models.window import Pixels


def scene(seed: int = 1, size: tuple[int, int] = (512, 512)) -> Pixels:
    rng = np.random.default_rng(seed)
    small = rng.integers(30, 220, (size[0] // 16, size[1] // 16, 3)).astype(np.uint8)
    large = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    return np.clip(large + rng.normal(0, 3, large.shape), 0, 255).astype(np.uint8)


def marked(rgb: Pixels, bits: np.ndarray) -> Pixels:
    """Write a message as invisible-watermark 0.2.0 does: block by block, into the largest value but the first."""
    yuv = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV).astype(np.float32)
    plane = yuv[:, :, 1]
    a, b, c, d = plane[0::2, 0::2], plane[0::2, 1::2], plane[1::2, 0::2], plane[1::2, 1::2]
    low = (a + b + c + d) / 2
    details = (a + b - c - d) / 2, (a - b + c - d) / 2, (a - b - c + d) / 2
    n = 0
    for y in range(0, low.shape[0] // 4 * 4, 4):
        for x in range(0, low.shape[1] // 4 * 4, 4):
            block = low[y : y + 4, x : x + 4]
            i, j = divmod(int(np.argmax(np.abs(block.flatten()[1:]))) + 1, 4)
            value, bit = block[i, j], bool(bits[n % len(bits)])
            block[i, j] = np.copysign((abs(value) // SCALE + 0.25 + 0.5 * bit) * SCALE, value)
            n += 1
    h, v, g = details
    out = np.empty_like(plane)
    out[0::2, 0::2], out[0::2, 1::2] = (low + h + v + g) / 2, (low + h - v - g) / 2
    out[1::2, 0::2], out[1::2, 1::2] = (low - h + v - g) / 2, (low - h - v + g) / 2
    yuv[:, :, 1] = out
    return cv2.cvtColor(np.clip(yuv, 0, 255).astype(np.uint8), cv2.COLOR_YUV2RGB)


@pytest.mark.parametrize("name", list(MARKS))
def test_a_mark_is_read(name: str) -> None:
    assert read_invisible_mark(marked(scene(), MARKS[name])) == name


def test_pictures_without_one_have_none() -> None:
    assert [read_invisible_mark(scene(seed)) for seed in range(40)] == [None] * 40
    other = np.random.default_rng(7).integers(0, 2, 48).astype(bool)
    assert read_invisible_mark(marked(scene(), other)) is None
    assert read_invisible_mark(scene(1, (128, 128))) is None
    assert read_invisible_mark(np.full((512, 512, 3), 255, np.uint8)) is None


def test_it_survives_mild_compression() -> None:
    done, jpeg = cv2.imencode(
        ".jpg", marked(scene(), MARKS["Stable Diffusion"])[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95]
    )
    assert done
    again = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert again is not None
    assert read_invisible_mark(np.ascontiguousarray(again[:, :, ::-1])) == "Stable Diffusion"
