"""The process that opens an untrusted file: `python -m stream.forwarded.worker PATH MAX_SECONDS MAX_CPU_SECONDS`.

It sets its own limits before it loads a decoder, is given no secret, writes no file, and says what it found on standard
output. What it says is checked by who reads it: the decoders of many formats are large and written in C.
"""

import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a decoder is loaded only behind the limits
    from stream.events import VideoFrame
    from stream.forwarded import frames

MAX_MEMORY_BYTES = 3 << 30
MAX_FILES = 64
MAX_SIDE_PX = 1280
"""Larger pictures are made smaller: no face needs more, and each costs the reader."""


def limit(max_cpu_s: int) -> None:
    """Give up what decoding does not need."""
    for what, value in (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, max_cpu_s),
        (resource.RLIMIT_NOFILE, MAX_FILES),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(what, (allowed, allowed))


def main() -> None:
    """Read a file and say what it holds."""
    limit(int(sys.argv[3]))
    from stream.errors import MediaError
    from stream.forwarded import frames

    out = sys.stdout.buffer
    try:
        for said in _said(Path(sys.argv[1]), float(sys.argv[2])):
            out.write(frames.encode(said))
    except MediaError as exc:
        out.write(frames.encode_failure(str(exc)))
    except MemoryError:
        out.write(frames.encode_failure("the file needs more memory than a check may take"))
    out.flush()


def _said(path: Path, max_s: float) -> Iterator["frames.Said"]:
    from models.file_traces import read_traces
    from models.provenance import read_credentials
    from stream.events import Gap, VideoFrame
    from stream.forwarded import frames
    from stream.ingest.file import OPTIONS, read_media

    traces = [asdict(trace) for trace in read_traces(path, OPTIONS)]
    yield frames.Facts({"credentials": asdict(read_credentials(path)), "traces": traces})
    reader = read_media(path)
    yield frames.Facts({"duration_s": reader.info.duration_s, "is_still": reader.info.is_still})
    is_cut = False
    for media in reader:
        start_s = media.time_s if isinstance(media, VideoFrame) else media.start_s
        if start_s > max_s or (isinstance(media, Gap) and media.end_s > max_s):
            is_cut = True
            reader.close()
            break
        yield _smaller(media) if isinstance(media, VideoFrame) else media
    yield frames.End(is_truncated=reader.truncated and not is_cut, is_cut=is_cut)


def _smaller(frame: "VideoFrame") -> "VideoFrame":
    import cv2
    import numpy as np

    from stream.events import VideoFrame

    height, width = frame.pixels.shape[:2]
    scale = MAX_SIDE_PX / max(height, width)
    if scale >= 1:
        return frame
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    pixels = np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return VideoFrame(time_s=frame.time_s, pixels=pixels)


if __name__ == "__main__":
    main()
