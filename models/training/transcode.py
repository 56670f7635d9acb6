"""Whole clips through what happens to video on its way: a call's codec at a bit rate, another container, GIF, JPEG.

Pictures are RGB with their time, by time; everything stays in memory and every function gives the same result twice.
One thread a codec: with several, libvpx and libx264 cut a picture into slices and the result would hang on the machine.

    transcode(full_rate(path), channel)  =  sampled(decoded(encoded(call_sized(full_rate(path)), channel), codec))
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import BinaryIO, TypeVar

import av
import cv2
import numpy as np
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from models.training.face_data import DataError
from models.window import PICTURE_RATE_HZ, Pixels

Picture = TypeVar("Picture")
Timed = tuple[float, Pixels]
"""Time [s] and RGB picture, shape (H, W, 3)."""

CALL_PX = 640
"""Long side of a call's picture: 640x480 or 640x360 is what browsers send unless asked for more."""
CLOCK_HZ = 90_000
"""RTP's clock for video (RFC 3551, section 5)."""
BUFFER_S = 0.6
"""How far a call's rate control may run ahead of its bit rate: of the order of WebRTC's own [s]."""
MIN_SIDE_PX = 16


class Codec(StrEnum):
    """What calls are sent with."""

    H264 = "h264"
    VP8 = "vp8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A call's way from camera to viewer."""

    codec: Codec
    kbit_s: int
    """Bit rate of the pictures; calls run at 150 to 1,500 [kbit/s]."""

    @property
    def name(self) -> str:
        return f"{self.codec}-{self.kbit_s}"


def full_rate(source: Path | bytes) -> Iterator[Timed]:
    """Yield every picture of a clip.

    Args:
        source: A file, or what would be in one.

    Raises:
        DataError: The clip cannot be decoded.
    """
    yield from _as_rgb(_clip_frames(source))


def sampled_clip(source: Path | bytes) -> Iterator[Timed]:
    """Yield `PICTURE_RATE_HZ` pictures a second, those of `models.training.face_data.pictures`.

    Raises:
        DataError: The clip cannot be decoded.
    """
    yield from _as_rgb(sampled(_clip_frames(source)))


def sampled(pictures: Iterable[tuple[float, Picture]]) -> Iterator[tuple[float, Picture]]:
    """Keep `PICTURE_RATE_HZ` pictures a second: of each fifth of a second the first."""
    n_taken = 0
    for time_s, picture in pictures:
        if time_s * PICTURE_RATE_HZ >= n_taken - 1e-6:
            n_taken = int(time_s * PICTURE_RATE_HZ + 1e-6) + 1
            yield time_s, picture


def call_sized(pictures: Iterable[Timed]) -> Iterator[Timed]:
    """Scale pictures to what a call sends: at most `CALL_PX` long, both sides even, never larger than they were."""
    for time_s, rgb in pictures:
        size = call_size(rgb.shape[1], rgb.shape[0])
        if size != (rgb.shape[1], rgb.shape[0]):
            rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
        yield time_s, rgb


def call_size(width: int, height: int) -> tuple[int, int]:
    """Return (width, height) of a picture in a call: 4:2:0 has a colour for every second pixel, so sides are even."""
    ratio = min(1.0, CALL_PX / max(width, height))
    return max(MIN_SIDE_PX, int(width * ratio) // 2 * 2), max(MIN_SIDE_PX, int(height * ratio) // 2 * 2)


def transcode(pictures: Iterable[Timed], channel: Channel) -> Iterator[Timed]:
    """Yield what a viewer of the call would see of a clip, `PICTURE_RATE_HZ` pictures a second.

    Args:
        pictures: At the clip's full rate, all of one size: a codec's artefacts depend on what stands between two
            sampled pictures.
        channel: Codec and bit rate.
    """
    yield from _as_rgb(sampled(decoded_frames(encoded(call_sized(pictures), channel), channel.codec)))


def encoded(pictures: Iterable[Timed], channel: Channel) -> "Iterator[av.Packet[VideoStream]]":
    """Encode pictures as a call does: no look-ahead, no B pictures, one key picture, bit rate held over `BUFFER_S`.

    Args:
        pictures: All of one size, both sides even.
        channel: Codec and bit rate.
    """
    rate_hz, pictures = _peeked_rate(pictures)
    encoder, last = None, -1
    for time_s, rgb in pictures:
        encoder = encoder or _encoder(channel, rgb.shape[1], rgb.shape[0], rate_hz)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
        # Two pictures of one time, as broken clips have, would stop the encoder.
        frame.pts = last = max(last + 1, round(time_s * CLOCK_HZ))
        frame.time_base = Fraction(1, CLOCK_HZ)
        yield from encoder.encode(frame)
    if encoder is not None:
        yield from encoder.encode(None)


def decoded(packets: "Iterable[av.Packet[VideoStream]]", codec: Codec) -> Iterator[Timed]:
    """Decode what `encoded` gave, at full rate."""
    yield from _as_rgb(decoded_frames(packets, codec))


def remuxed(source: Path | bytes, container: str, *, keep_sound: bool = True) -> bytes:
    """Return a clip in another container, its coded pictures and sound untouched.

    Args:
        source: A file, or what would be in one.
        container: `matroska` or `mp4`.
        keep_sound: Whether sound tracks are copied too.

    Raises:
        DataError: The clip cannot be read, or its codecs have no place in the container.
    """
    target = io.BytesIO()
    try:
        with av.open(_opened(source), "r") as clip, av.open(target, "w", format=container) as copy:
            wanted = [clip.streams.video[0], *(clip.streams.audio if keep_sound else ())]
            copies = {stream.index: copy.add_stream_from_template(stream) for stream in wanted}
            for packet in clip.demux(wanted):
                # The last packet of each track is empty: it only flushes decoders.
                if packet.dts is not None:
                    packet.stream = copies[packet.stream.index]
                    copy.mux(packet)
    except (av.error.FFmpegError, ValueError) as exc:
        raise DataError(f"cannot put {_name(source)} into {container}: {exc}") from exc
    return target.getvalue()


def padded(rgb: Pixels, share: float = 0.1) -> Pixels:
    """Return a picture with black bars on all four sides, each `share` of the picture's own side wide."""
    y, x = round(rgb.shape[0] * share), round(rgb.shape[1] * share)
    return np.asarray(cv2.copyMakeBorder(rgb, y, y, x, x, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)


def rescaled(rgb: Pixels, factor: float) -> Pixels:
    """Return a picture of another size."""
    size = max(1, round(rgb.shape[1] * factor)), max(1, round(rgb.shape[0] * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)


def as_gif(pictures: Iterable[Timed]) -> Iterator[Timed]:
    """Yield pictures, all of one size, as a GIF would keep them: one dithered palette of 256 colours for all."""
    if not (kept := list(pictures)):
        return
    palette = _palette(kept)
    graph = Graph()
    source, colours = _buffer(graph, _frame(kept[0][1], 0)), _buffer(graph, palette)
    use, sink = graph.add("paletteuse", "dither=sierra2_4a"), graph.add("buffersink")
    source.link_to(use, 0, 0)
    colours.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    colours.push(palette)
    colours.push(None)
    for index, (time_s, rgb) in enumerate(kept):
        source.push(_frame(rgb, index))
        dithered = sink.pull()
        assert isinstance(dithered, av.VideoFrame)
        yield time_s, _rgb(dithered)


def as_still(rgb: Pixels, suffix: str, quality: int) -> Pixels:
    """Return a picture after a lossy still format.

    Args:
        rgb: Shape (H, W, 3).
        suffix: `.jpg` or `.webp`.
        quality: 1 to 100.
    """
    key = {".jpg": cv2.IMWRITE_JPEG_QUALITY, ".webp": cv2.IMWRITE_WEBP_QUALITY}[suffix]
    _, data = cv2.imencode(suffix, rgb[..., ::-1], [key, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB), np.uint8)


def _clip_frames(source: Path | bytes) -> Iterator[tuple[float, av.VideoFrame]]:
    try:
        with av.open(_opened(source), "r") as container:
            for frame in container.decode(video=0):
                yield float(frame.time or 0.0), frame
    except av.error.FFmpegError as exc:
        raise DataError(f"cannot decode {_name(source)}: {exc}") from exc


def _opened(source: Path | bytes) -> str | BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else str(source)


def _name(source: Path | bytes) -> str:
    return f"{len(source)} bytes" if isinstance(source, bytes) else str(source)


def _peeked_rate(pictures: Iterable[Timed]) -> tuple[float, Iterator[Timed]]:
    """Return the rate of the first pictures [Hz], by which an encoder shares out its bits, and all pictures."""
    rest = iter(pictures)
    first = list(islice(rest, 16))
    gaps = [later - earlier for (earlier, _), (later, _) in pairwise(first) if later > earlier]
    return 1.0 / float(np.median(gaps)) if gaps else 30.0, chain(first, rest)


def _encoder(channel: Channel, width: int, height: int, rate_hz: float) -> VideoCodecContext:
    name = {Codec.H264: "libx264", Codec.VP8: "libvpx"}[channel.codec]
    encoder = av.CodecContext.create(name, "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = Fraction(1, CLOCK_HZ)
    encoder.framerate = Fraction(rate_hz).limit_denominator(1001)
    encoder.bit_rate = channel.kbit_s * 1000
    encoder.thread_count = 1
    # A call sends a second key picture only when asked to.
    encoder.gop_size = 3000
    held = {"maxrate": str(channel.kbit_s * 1000), "bufsize": str(round(channel.kbit_s * 1000 * BUFFER_S))}
    if channel.codec is Codec.H264:
        encoder.options = held | {"preset": "superfast", "tune": "zerolatency", "profile": "baseline"}
    else:
        realtime = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        encoder.options = held | realtime | {"minrate": held["maxrate"]}
    return encoder


def decoded_frames(packets: "Iterable[av.Packet[VideoStream]]", codec: Codec) -> Iterator[tuple[float, av.VideoFrame]]:
    """Decode what `encoded` gave, at full rate, as the codec has it: YUV 4:2:0."""
    decoder = av.CodecContext.create({Codec.H264: "h264", Codec.VP8: "vp8"}[codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.thread_count = 1
    for frame in (frame for packet in chain(packets, (None,)) for frame in decoder.decode(packet)):
        yield (frame.pts or 0) / CLOCK_HZ, frame


def _palette(pictures: list[Timed]) -> av.VideoFrame:
    """Return the 16x16 picture of the 256 colours that serve a clip best."""
    graph = Graph()
    graph.link_nodes(
        _buffer(graph, _frame(pictures[0][1], 0)), graph.add("palettegen"), graph.add("buffersink")
    ).configure()
    for index, (_, rgb) in enumerate(pictures):
        graph.push(_frame(rgb, index))
    graph.push(None)
    palette = graph.pull()
    assert isinstance(palette, av.VideoFrame)
    palette.pts, palette.time_base = 0, Fraction(1, CLOCK_HZ)
    return palette


def _buffer(graph: Graph, frame: av.VideoFrame) -> FilterContext:
    return graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base)


def _frame(rgb: Pixels, index: int) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    frame.pts, frame.time_base = index, Fraction(1, CLOCK_HZ)
    return frame


def _as_rgb(frames: Iterable[tuple[float, av.VideoFrame]]) -> Iterator[Timed]:
    return ((time_s, _rgb(frame)) for time_s, frame in frames)


def _rgb(frame: av.VideoFrame) -> Pixels:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
