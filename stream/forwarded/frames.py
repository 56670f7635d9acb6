"""What the decoding process says to the service: frames of plain bytes that neither side needs to trust. Pure.

kind (1 byte)  length (4 bytes)  payload
A  start_s, then float32 samples      V  time_s, height, width, then RGB       G  medium, start_s, end_s
F  facts as JSON                      E  whether it was truncated, cut off     X  why it cannot be read
"""

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from stream.errors import MediaError
from stream.events import AudioFrame, Gap, Media, Medium, VideoFrame

HEAD = struct.Struct("<cI")
_TIME = struct.Struct("<d")
_PICTURE = struct.Struct("<dHH")
_GAP = struct.Struct("<Bdd")
_END = struct.Struct("<??")
MAX_PAYLOAD_BYTES = 32_000_000
MAX_TIME_S = 100_000.0
MEDIA = (Medium.AUDIO, Medium.VIDEO)


class Lie(MediaError):  # what it is, not that it is an error
    """The process said what it cannot mean."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the file itself."""

    fields: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """All was read."""

    is_truncated: bool
    is_cut: bool
    """Whether the file goes on after what was looked at."""


Said = AudioFrame | VideoFrame | Gap | Facts | End


def encode(said: Said) -> bytes:
    """Return the bytes of a message."""
    if isinstance(said, AudioFrame):
        return _framed(b"A", _TIME.pack(said.start_s) + said.samples.astype("<f4").tobytes())
    if isinstance(said, VideoFrame):
        height, width = said.pixels.shape[:2]
        return _framed(b"V", _PICTURE.pack(said.time_s, height, width) + said.pixels.tobytes())
    if isinstance(said, Gap):
        return _framed(b"G", _GAP.pack(MEDIA.index(said.medium), said.start_s, said.end_s))
    if isinstance(said, Facts):
        return _framed(b"F", json.dumps(said.fields).encode())
    return _framed(b"E", _END.pack(said.is_truncated, said.is_cut))


def encode_failure(text: str) -> bytes:
    """Return the bytes that say why the file cannot be read."""
    return _framed(b"X", text.encode()[:2000])


def decode(kind: bytes, payload: bytes) -> Said:
    """Return a message.

    Raises:
        MediaError: The file cannot be read, in the process's words; or it lies.
    """
    try:
        return _decoded(kind, payload)
    except (struct.error, ValueError, UnicodeDecodeError, IndexError) as exc:
        raise Lie(f"the file's decoder said nonsense: {exc}") from exc


def _decoded(kind: bytes, payload: bytes) -> Said:
    if kind == b"A":
        samples = np.frombuffer(payload, "<f4", offset=_TIME.size).astype(np.float32)
        if not np.isfinite(samples).all():
            raise ValueError("samples that are no numbers")
        return AudioFrame(start_s=_time(*_TIME.unpack_from(payload)), samples=samples)
    if kind == b"V":
        time_s, height, width = _PICTURE.unpack_from(payload)
        pixels = np.frombuffer(payload, np.uint8, offset=_PICTURE.size).reshape(height, width, 3)
        return VideoFrame(time_s=_time(time_s), pixels=pixels)
    if kind == b"G":
        medium, start_s, end_s = _GAP.unpack(payload)
        return Gap(medium=MEDIA[medium], start_s=_time(start_s), end_s=_time(end_s))
    if kind == b"F":
        fields = json.loads(payload)
        if not isinstance(fields, dict):
            raise ValueError("facts that are none")
        return Facts(fields)
    if kind == b"E":
        is_truncated, is_cut = _END.unpack(payload)
        return End(is_truncated=is_truncated, is_cut=is_cut)
    if kind == b"X":
        raise MediaError(payload.decode())
    raise ValueError(f"a message of kind {kind!r}")


def _time(time_s: float) -> float:
    if not math.isfinite(time_s) or abs(time_s) > MAX_TIME_S:
        raise ValueError(f"a time of {time_s}")
    return time_s


def _framed(kind: bytes, payload: bytes) -> bytes:
    return HEAD.pack(kind, len(payload)) + payload


def write_all(out: BinaryIO, media: Iterator[Media]) -> None:
    """Write frames as they come."""
    for one in media:
        out.write(encode(one))
