"""Packets of the WebSocket ingest in, decoded sound and sampled pictures out; bounded in memory and time.

A payload that is no media is a `MediaError`, to be counted; a picture that is too large is a `WireError`.
"""

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from models.window import Pixels
from stream.errors import MediaError
from stream.events import VideoFrame
from stream.ingest.sampling import PictureSampler
from stream.ingest.wire import MAX_SIDE_PX, AudioCodec, AudioFormat, CloseCode, Packet, VideoCodec, WireError

_CODECS = {VideoCodec.JPEG: "mjpeg", VideoCodec.VP8: "vp8", VideoCodec.H264: "h264"}
_MICROSECOND = Fraction(1, 1_000_000)
# A progressive JPEG of a few kilobytes can hold thousands of scans that each cost a pass over the whole picture.
_MAX_JPEG_SCANS = 32


class SoundDecoder:
    """Decodes the sound packets of one sender."""

    def __init__(self, audio: AudioFormat) -> None:
        self._audio = audio
        self._layout = "mono" if audio.channels == 1 else "stereo"
        self._opus = _open_opus(self._layout) if audio.codec is AudioCodec.OPUS else None

    def decode(self, packet: Packet) -> list[av.AudioFrame]:
        """Return the sound of one packet.

        Raises:
            MediaError: The payload is not what the hello announced.
        """
        if self._opus is None:
            return [self._from_pcm(packet.payload)]
        try:
            return self._opus.decode(av.Packet(packet.payload))
        except (av.FFmpegError, ValueError) as exc:
            raise MediaError(f"got {len(packet.payload)} bytes that are no Opus packet") from exc

    def _from_pcm(self, payload: bytes) -> av.AudioFrame:
        n_frame = 2 * self._audio.channels
        if len(payload) % n_frame:
            raise MediaError(f"got {len(payload)} bytes of PCM, expected a multiple of {n_frame}")
        frame = av.AudioFrame.from_ndarray(np.frombuffer(payload, "<i2")[None, :], format="s16", layout=self._layout)
        frame.sample_rate = self._audio.rate_hz
        return frame


class PictureDecoder:
    """Decodes the pictures of one sender and converts those that are sampled."""

    def __init__(self, codec: VideoCodec) -> None:
        self._codec = codec
        self._sampler = PictureSampler()
        self._waits_for_key = codec is not VideoCodec.JPEG
        context = av.CodecContext.create(_CODECS[codec], "r")
        assert isinstance(context, VideoCodecContext)
        context.thread_count = 1  # frame threads would hold pictures back
        context.options = {"max_pixels": str(MAX_SIDE_PX**2)}
        self._context = context

    def decode(self, packet: Packet, time_s: float) -> list[VideoFrame]:
        """Return the sampled pictures that a packet completes: none or one, mostly.

        Raises:
            MediaError: The payload cannot be decoded.
            WireError: The picture is larger than we take.
        """
        self._check_size(packet.payload)
        if self._codec is VideoCodec.JPEG:
            if not self._sampler.take(time_s):
                return []
        elif self._waits_for_key and not packet.is_key:
            return []
        self._waits_for_key = False
        encoded = av.Packet(packet.payload)
        encoded.time_base = _MICROSECOND
        encoded.pts = round(time_s * 1e6)
        try:
            return list(self._pictures(self._context.decode(encoded)))
        except (av.FFmpegError, ValueError) as exc:
            raise MediaError(f"got {len(packet.payload)} bytes that are no {self._codec} picture") from exc

    def _pictures(self, frames: list[av.VideoFrame]) -> Iterator[VideoFrame]:
        for frame in frames:
            _refuse_large(frame.width, frame.height)
            time_s = (frame.pts or 0) / 1e6
            is_wanted = self._codec is VideoCodec.JPEG or self._sampler.take(time_s)
            if is_wanted and time_s >= 0 and not frame.is_corrupt:
                yield VideoFrame(time_s=time_s, pixels=to_rgb(frame))

    def _check_size(self, payload: bytes) -> None:
        """Refuse by the header, before anything is decoded. H.264 is left to the decoder's own bound on pixels."""
        if self._codec is VideoCodec.JPEG:
            if payload.count(b"\xff\xda") > _MAX_JPEG_SCANS:
                raise MediaError(f"got a JPEG of more than {_MAX_JPEG_SCANS} scans")
            _refuse_large(*jpeg_size(payload))
        elif self._codec is VideoCodec.VP8:
            _refuse_large(*vp8_size(payload))


def to_rgb(frame: av.VideoFrame) -> Pixels:
    """Return the picture as RGB at its full size, shape (H, W, 3): 0.2 ms at 640x480; scaling here would cost more."""
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def jpeg_size(payload: bytes) -> tuple[int, int]:
    """Return width and height by the first frame header; zeros where there is none.

    Source: ITU-T T.81, B.1.1.4 and B.2.2.
    """
    at = 2
    while at + 9 <= len(payload) and payload[at] == 0xFF:
        marker = payload[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(payload[at + 7 : at + 9], "big"), int.from_bytes(payload[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(payload[at + 2 : at + 4], "big") if marker != 0xFF else 1
    return 0, 0


def vp8_size(payload: bytes) -> tuple[int, int]:
    """Return width and height of a key frame; zeros for any other.

    Source: RFC 6386, section 9.1.
    """
    if len(payload) < 10 or payload[0] & 1 or payload[3:6] != b"\x9d\x01\x2a":
        return 0, 0
    return int.from_bytes(payload[6:8], "little") & 0x3FFF, int.from_bytes(payload[8:10], "little") & 0x3FFF


def _refuse_large(width: int, height: int) -> None:
    if max(width, height) > MAX_SIDE_PX:
        raise WireError(
            f"got a picture of {width}x{height}, expected at most {MAX_SIDE_PX} px on a side", CloseCode.TOO_LARGE
        )


def _open_opus(layout: str) -> av.AudioCodecContext:
    context = av.CodecContext.create("opus", "r")
    context.sample_rate = 48_000
    context.layout = layout
    return context
