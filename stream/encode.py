"""Decoded frames in, packets of our WebSocket ingest out: what a sender needs. Blocking and without I/O."""

from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.video.codeccontext import VideoCodecContext

from models.window import SAMPLE_RATE_HZ, Samples
from stream.events import AudioFrame, Gap, Media, Medium
from stream.ingest.file import TOLERANCE_S, upright
from stream.ingest.resample import SoundTrack
from stream.ingest.sampling import PictureSampler
from stream.ingest.wire import MAX_PAYLOAD_BYTES, AudioCodec, AudioFormat, Packet, VideoCodec

PACKET_SAMPLES = 320
"""20 ms, the usual length of a packet in calls."""
MAX_SIDE_PX = 1280

_OPUS_BIT_RATE = 32_000
_VIDEO_BIT_RATE = 1_500_000
_ENCODERS = {VideoCodec.VP8: "libvpx", VideoCodec.H264: "libx264"}
_OPTIONS = {
    VideoCodec.VP8: {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"},
    VideoCodec.H264: {"preset": "veryfast", "tune": "zerolatency"},
}
# The second and third are for pictures whose message would be too large: noise at 1280x720.
_JPEG_QUALITIES = (92, 70, 30)
_CLOCK_HZ = 90_000
_KEY_EVERY_PICTURES = 60


class SoundEncoder:
    """Turns sound of any rate into packets of 20 ms at 16 kHz, mono."""

    def __init__(self, codec: AudioCodec) -> None:
        self.format = AudioFormat(codec=codec, rate_hz=SAMPLE_RATE_HZ, channels=1)
        self.n_samples = 0
        """Samples encoded so far, at `SAMPLE_RATE_HZ`."""
        self._track = SoundTrack(TOLERANCE_S)
        self._pending: Samples = np.zeros(0, np.float32)
        self._start = 0  # position of the first pending sample
        self._opus = _open_opus() if codec is AudioCodec.OPUS else None

    def encode(self, frame: av.AudioFrame, start_s: float) -> Iterator[Packet | Gap]:
        """Yield the packets that a frame completes, and the gap before it."""
        yield from self._pack(self._track.take(frame, start_s))

    def flush(self) -> Iterator[Packet | Gap]:
        """Yield what is left."""
        yield from self._pack(self._track.flush())
        yield from self._rest()

    def _pack(self, track: Iterator[Media]) -> Iterator[Packet | Gap]:
        for media in track:
            if isinstance(media, Gap):
                yield from self._rest()
                yield media
            elif isinstance(media, AudioFrame):
                if not len(self._pending):
                    self._start = round(media.start_s * SAMPLE_RATE_HZ)
                self._pending = np.concatenate([self._pending, media.samples])
                while len(self._pending) >= PACKET_SAMPLES:
                    yield self._packet(self._pending[:PACKET_SAMPLES])

    def _rest(self) -> Iterator[Packet]:
        if len(self._pending):
            # Opus packets are of full length; its last one is filled up with silence.
            missing = PACKET_SAMPLES - len(self._pending) if self._opus else 0
            yield self._packet(np.pad(self._pending, (0, missing)))

    def _packet(self, samples: Samples) -> Packet:
        time_us = round(self._start * 1e6 / SAMPLE_RATE_HZ)
        self._start += len(samples)
        self.n_samples += len(samples)
        self._pending = self._pending[len(samples) :]
        pcm = np.round(samples * 32767).astype("<i2")  # (S,)
        return Packet(medium=Medium.AUDIO, time_us=time_us, payload=self._payload(pcm), is_key=True)

    def _payload(self, pcm: np.ndarray[tuple[int], np.dtype[np.int16]]) -> bytes:
        if self._opus is None:
            return pcm.tobytes()
        frame = av.AudioFrame.from_ndarray(pcm[None, :], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        return b"".join(bytes(packet) for packet in self._opus.encode(frame))


class PictureEncoder:
    """Turns pictures of any size into packets, upright, no side over `MAX_SIDE_PX`.

    JPEGs are sent as often as the service looks at them; a stream of the other codecs keeps all of its pictures.
    """

    def __init__(self, codec: VideoCodec) -> None:
        self._codec = codec
        self._sampler = PictureSampler() if codec is VideoCodec.JPEG else None
        self._context: VideoCodecContext | None = None
        self._newest = -1

    def encode(self, frame: av.VideoFrame, time_s: float) -> Iterator[Packet]:
        """Yield the packets of a picture: one, or none where it is left out."""
        pts = round(time_s * _CLOCK_HZ)
        if pts <= self._newest or (self._sampler and not self._sampler.take(time_s)):
            return
        self._newest = pts
        if frame.rotation:
            frame = av.VideoFrame.from_ndarray(upright(frame), format="rgb24")
        width, height = _fit(frame.width, frame.height)
        if self._codec is VideoCodec.JPEG:
            payload = _jpeg(frame.reformat(width, height))
            yield Packet(medium=Medium.VIDEO, time_us=round(time_s * 1e6), payload=payload, is_key=True)
            return
        if self._context is None:
            self._context = _open_video(self._codec, width, height)
        picture = frame.reformat(self._context.width, self._context.height, "yuv420p")
        picture.pts, picture.time_base = pts, Fraction(1, _CLOCK_HZ)
        for packet in self._context.encode(picture):
            time_us = round((packet.pts or 0) * 1e6 / _CLOCK_HZ)
            yield Packet(medium=Medium.VIDEO, time_us=time_us, payload=bytes(packet), is_key=packet.is_keyframe)


def _fit(width: int, height: int) -> tuple[int, int]:
    """Return the size to send: chroma is kept for every second pixel, so that sides are even."""
    scale = min(1.0, MAX_SIDE_PX / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _jpeg(frame: av.VideoFrame) -> bytes:
    """Encode at the best quality that fits into a message."""
    bgr = frame.to_ndarray(format="bgr24")  # (H, W, 3)
    payload = b""
    for quality in _JPEG_QUALITIES:
        payload = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(payload) <= MAX_PAYLOAD_BYTES[Medium.VIDEO]:
            break
    return payload


def _open_opus() -> AudioCodecContext:
    context = av.CodecContext.create("libopus", "w")
    assert isinstance(context, AudioCodecContext)
    context.sample_rate = SAMPLE_RATE_HZ
    context.layout = "mono"
    context.format = "s16"
    context.bit_rate = _OPUS_BIT_RATE
    return context


def _open_video(codec: VideoCodec, width: int, height: int) -> VideoCodecContext:
    context = av.CodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base = Fraction(1, _CLOCK_HZ)
    context.framerate = Fraction(30)
    context.bit_rate = _VIDEO_BIT_RATE
    # libvpx's threads spin while they wait: 33 ms of CPU a 320x240 picture on two busy cores, 0.8 ms with one.
    context.thread_count = 1
    context.gop_size = _KEY_EVERY_PICTURES
    context.options = dict(_OPTIONS[codec])
    return context
