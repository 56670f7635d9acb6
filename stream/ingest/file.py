"""A recorded file in, the same frames as from a live call out: 16 kHz mono sound, sampled pictures, gaps.

Sync and blocking: run it in a thread beside an event loop. Memory is bounded by one decoded frame, whatever the file's
length; nothing but the named file is opened, so playlists and files that name others are refused.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from models.window import Pixels
from stream.errors import MediaError
from stream.events import Media, VideoFrame
from stream.ingest.decode import to_rgb
from stream.ingest.resample import SoundTrack
from stream.ingest.sampling import PictureSampler

MAX_SIDE_PX = 8192
MAX_CHANNELS = 16
MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
# Recorders stamp sound by the clock and in whole milliseconds; below this it is jitter, above it sound is missing.
TOLERANCE_S = 0.1
# What lies further ahead than this is a damaged timestamp: as a gap it would be hours of windows without media.
MAX_JUMP_S = 600.0

Decoded = av.AudioFrame | av.VideoFrame

_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf,ogg,wav,w64,aiff,caf,au,mp3,flac,aac,amr,ivf,mjpeg,gif,"
    "image2,jpeg_pipe,png_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
_MAX_PIXELS = {"max_pixels": str(MAX_SIDE_PX**2)}
# `pattern_type`: a photo named "a%d.jpg" is one photo, not a sequence.
OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file", "pattern_type": "none", **_MAX_PIXELS}
"""With which FFmpeg opens a stranger's file: it opens no other, and nothing over the network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """What a file holds, by its header."""

    duration_s: float | None
    """Length [s]; None where the file does not say: stills, and recordings of a browser."""
    has_audio: bool
    has_video: bool
    is_still: bool
    """A photo rather than a recording."""


class DecodedFile:
    """An open file and its decoded frames, by session time. Use it in a `with` block.

    Args:
        path: The file.

    Raises:
        MediaError: It is no file, no media, without sound and picture, or its pictures are too large.
    """

    def __init__(self, path: Path) -> None:
        self._name = path.name
        self._container = _open(path)
        streams = self._container.streams
        # A codec that this FFmpeg does not know has no context.
        self._audio = next((s for s in streams.audio if _is_known(s)), None)
        self._video = next((s for s in streams.video if _is_known(s) and not _is_cover(s)), None)
        try:
            self._check()
        except MediaError:
            self._container.close()
            raise
        self.info = self._describe()
        self.truncated = False
        """Whether the file ended before it said it would; known once all frames are read."""

    def __enter__(self) -> "DecodedFile":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; `frames` then ends."""
        self._container.close()

    def frames(self) -> Iterator[tuple[float, Decoded]]:
        """Yield session time [s] and frame, in the file's order; the first media of either kind is at 0.

        What cannot be decoded is left out. A picture's time may be slightly negative.

        Raises:
            MediaError: Nothing could be decoded.
        """
        zero_s = min(_start_s(stream) for stream in (self._audio, self._video) if stream is not None)
        ends_s: dict[type, float] = {}
        for frame in self._decode():
            time_s = ends_s.get(type(frame), 0.0) if frame.time is None else frame.time - zero_s
            if time_s > max(ends_s.values(), default=0.0) + MAX_JUMP_S:
                self.truncated = True
                break
            length_s = frame.samples / frame.sample_rate if isinstance(frame, av.AudioFrame) else self._picture_s
            ends_s[type(frame)] = time_s + length_s
            yield time_s, frame
        if not ends_s:
            limit = f"or has pictures of more than {MAX_SIDE_PX} px on a side"
            raise MediaError(f"{self._name}: nothing in it can be decoded; it is damaged, {limit}")
        # Lengths that were guessed from a bit rate are often wrong by some percent.
        self.truncated |= max(ends_s.values()) < 0.9 * (self.info.duration_s or 0.0) - 1.0

    def _decode(self) -> Iterator[Decoded]:
        for stream, packet in self._packets():
            try:
                frames = stream.decode(packet)
            except (av.FFmpegError, ValueError):
                continue
            yield from filter(_is_plausible, frames)

    def _packets(self) -> Iterator[tuple[av.AudioStream | av.VideoStream, "av.Packet[Any] | None"]]:
        """Yield each packet, and at the end one that flushes the decoder for each stream."""
        wanted = {stream.index: stream for stream in (self._audio, self._video) if stream is not None}
        try:
            for packet in self._container.demux(list(wanted.values())):
                yield wanted[packet.stream.index], packet
        except (av.FFmpegError, ValueError):
            self.truncated = True
            yield from ((stream, None) for stream in wanted.values())

    def _check(self) -> None:
        if self._audio is None and self._video is None:
            raise MediaError(f"{self._name}: got neither sound nor pictures in it")
        if self._video is None:
            return
        context = self._video.codec_context
        context.options = _MAX_PIXELS
        if max(context.width, context.height) > MAX_SIDE_PX:
            size = f"{context.width}x{context.height}"
            raise MediaError(f"{self._name}: got pictures of {size}, expected at most {MAX_SIDE_PX} px on a side")

    def _describe(self) -> FileInfo:
        container, video = self._container, self._video
        is_still = (
            video is not None
            and self._audio is None
            and (container.format.name.endswith(("_pipe", "image2")) or video.frames == 1)
        )
        length = container.duration
        return FileInfo(
            duration_s=None if length is None or is_still else length / av.time_base,
            has_audio=self._audio is not None,
            has_video=video is not None,
            is_still=is_still,
        )

    @property
    def _picture_s(self) -> float:
        rate = self._video.average_rate if self._video else None
        return float(1 / rate) if rate else 0.0


def probe(path: Path) -> FileInfo:
    """Read what a file holds, without decoding it.

    Raises:
        MediaError: As `DecodedFile`.
    """
    with DecodedFile(path) as file:
        return file.info


class MediaReader(Iterator[Media]):
    """Iterates over the media of a file; closes it at the end.

    Args:
        path: The file.

    Raises:
        MediaError: As `DecodedFile`; while iterating, if nothing could be decoded.
    """

    def __init__(self, path: Path) -> None:
        self._file = DecodedFile(path)
        self._media = self._read()
        self.info = self._file.info

    @property
    def truncated(self) -> bool:
        """Whether the file ended before it said it would; known at the end."""
        return self._file.truncated

    def __next__(self) -> Media:
        return next(self._media)

    def close(self) -> None:
        """Close the file before its end."""
        self._media.close()
        self._file.close()

    def _read(self) -> Generator[Media, None, None]:
        sampler, track = PictureSampler(), SoundTrack(TOLERANCE_S)
        with self._file as file:
            for time_s, frame in file.frames():
                if isinstance(frame, av.AudioFrame):
                    yield from track.take(frame, time_s)
                elif not frame.is_corrupt and sampler.take(time_s):
                    yield VideoFrame(time_s=time_s, pixels=upright(frame))
            yield from track.flush()


def read_media(path: Path) -> MediaReader:
    """Return the frames and gaps of a file, in the file's order: within a second, that of their times.

    Raises:
        MediaError: As `DecodedFile`; while iterating, if nothing could be decoded.
    """
    return MediaReader(path)


def upright(frame: av.VideoFrame) -> Pixels:
    """Return the picture as RGB, turned the way it was held, shape (H, W, 3)."""
    return np.ascontiguousarray(np.rot90(to_rgb(frame), round(frame.rotation / 90) % 4))


def _open(path: Path) -> InputContainer:
    if not path.exists():
        raise MediaError(f"{path}: no such file")
    if not path.is_file():
        raise MediaError(f"{path}: not a file")
    if path.stat().st_size == 0:
        raise MediaError(f"{path.name}: the file is empty")
    try:
        return av.open(str(path.resolve()), options=OPTIONS, metadata_errors="replace")
    except PermissionError as exc:
        raise MediaError(f"{path.name}: may not be read by this user") from exc
    except (av.FFmpegError, ValueError, OSError) as exc:
        raise MediaError(f"{path.name}: not a sound, picture or video file, or cut off before its index") from exc


def _is_known(stream: av.AudioStream | av.VideoStream) -> bool:
    return stream.codec_context is not None


def _is_cover(stream: av.VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def _is_plausible(frame: Decoded) -> bool:
    """Whether the resampler takes it; a damaged header may say 186 channels."""
    if isinstance(frame, av.VideoFrame):
        return True
    return frame.layout.nb_channels <= MAX_CHANNELS and MIN_RATE_HZ <= frame.sample_rate <= MAX_RATE_HZ


def _start_s(stream: av.AudioStream | av.VideoStream) -> float:
    """Return when a stream starts [s]. A negative start is a codec's warm-up, which the decoder drops."""
    if stream.start_time is None or stream.time_base is None:
        return 0.0
    return max(0.0, float(stream.start_time * stream.time_base))
