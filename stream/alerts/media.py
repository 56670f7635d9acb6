"""Pictures and sound as files. Blocking."""

import io
import wave

import cv2
import numpy as np

from models.window import SAMPLE_RATE_HZ, Pixels, Samples

JPEG_QUALITY = 92
"""A crop of 224 px is then about 20 kB."""


def jpeg_of(pixels: Pixels) -> bytes:
    """Return a picture as JPEG.

    Args:
        pixels: RGB, shape (H, W, 3).
    """
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1].tobytes()
    return encoded


def png_of(pixels: Pixels) -> bytes:
    """Return a picture, RGB of shape (H, W, 3), as PNG."""
    encoded: bytes = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))[1].tobytes()
    return encoded


def pixels_of(encoded: bytes) -> Pixels:
    """Return an encoded picture as RGB, shape (H, W, 3).

    Raises:
        ValueError: It is none.
    """
    bgr = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ValueError(f"got {len(encoded)} bytes that are no picture, expected JPEG or PNG")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def wav_of(samples: Samples) -> bytes:
    """Return sound as WAV of 16 bits.

    Args:
        samples: Mono at 16 kHz, -1..1, shape (S,).
    """
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", "not compressed"))
        file.writeframes(np.round(np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
