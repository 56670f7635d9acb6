"""Invisible marks that open generators write into their pictures: a fact where one is read.

Stable Diffusion's own scripts and the diffusers library write a known message into the blue-difference plane of each
picture (the low band of a Haar wavelet, in 4x4 blocks the largest value but the first). It survives a lossless copy and
mild compression, seldom a messenger. Most generators' marks (SynthID and others) can be read by their makers alone.
"""

import cv2
import numpy as np
import numpy.typing as npt

from models.window import Pixels

Bits = npt.NDArray[np.bool_]

MIN_SIDE_PX = 256
"""Smaller pictures are not marked."""
SCALE = 36.0
AGREES = 0.8
"""Share of bits; by chance this happens to one picture in a million at 48 bits, and never at 136."""


def _of_text(text: str) -> Bits:
    return np.unpackbits(np.frombuffer(text.encode(), np.uint8)).astype(bool)


MARKS: dict[str, Bits] = {
    "Stable Diffusion": _of_text("StableDiffusionV1"),
    "Stable Diffusion 2": _of_text("SDV2"),
    "Stable Diffusion XL": np.array([c == "1" for c in f"{0b101100111110110010010000011110111011000110011110:048b}"]),
}
"""What is written, and by whose scripts."""


def read_invisible_mark(picture: Pixels) -> str | None:
    """Return whose mark a picture carries; None if none that is known.

    Args:
        picture: RGB, shape (H, W, 3), as it was decoded: a scaled one carries none.

    Source:
        ShieldMnt, invisible-watermark 0.2.0 (MIT), method dwtDct, which has no cosine transform in spite of its name;
        diffusers, StableDiffusionXLWatermarker.
    """
    if min(picture.shape[:2]) < MIN_SIDE_PX:
        return None
    votes = _votes(picture)
    for name, bits in MARKS.items():
        if float((_message(votes, len(bits)) == bits).mean()) >= AGREES:
            return name
    return None


def _votes(picture: Pixels) -> npt.NDArray[np.float32]:
    """Return what each block says, 1 or 0, in the order in which they are written."""
    height, width = (side // 4 * 4 for side in picture.shape[:2])
    plane = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV)[:height, :width, 1].astype(np.float32)
    # The mean of four neighbours, twice: the low band of a Haar wavelet.
    low = (plane[0::2, 0::2] + plane[0::2, 1::2] + plane[1::2, 0::2] + plane[1::2, 1::2]) / 2
    rows, columns = low.shape[0] // 4, low.shape[1] // 4
    blocks = low[: rows * 4, : columns * 4].reshape(rows, 4, columns, 4).swapaxes(1, 2).reshape(-1, 16)
    largest = np.abs(blocks[:, 1:]).max(axis=1)
    return np.asarray(largest % SCALE > SCALE / 2, np.float32)


def _message(votes: npt.NDArray[np.float32], n_bits: int) -> Bits:
    """Return the message of so many bits that the blocks repeat."""
    whole = votes[: len(votes) // n_bits * n_bits].reshape(-1, n_bits)
    return np.asarray(whole.mean(axis=0) > 0.5) if len(whole) else np.zeros(n_bits, bool)
