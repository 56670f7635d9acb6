from collections.abc import Callable
from pathlib import Path

import av
import pytest

from stream.encode import PictureEncoder
from stream.errors import MediaError
from stream.events import Medium
from stream.ingest.decode import PictureDecoder, jpeg_size, vp8_size
from stream.ingest.wire import CloseCode, Packet, VideoCodec, WireError

Record = Callable[..., Path]


def packets_of(path: Path, codec: VideoCodec) -> list[Packet]:
    encoder = PictureEncoder(codec)
    with av.open(str(path)) as container:
        return [packet for frame in container.decode(video=0) for packet in encoder.encode(frame, frame.time)]


def test_the_size_is_read_from_the_header(record: Record) -> None:
    path = record("clip.mkv", seconds=0.2, video="libx264", size=(322, 178))
    assert jpeg_size(packets_of(path, VideoCodec.JPEG)[0].payload) == (322, 178)
    vp8 = packets_of(path, VideoCodec.VP8)
    assert vp8_size(vp8[0].payload) == (322, 178)
    assert vp8_size(vp8[1].payload) == (0, 0)


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"\xff\xd8", b"\xff" * 40, b"\xff\xd8\xff\xe0\x00\x00" * 9, bytes(40)]
)
def test_a_header_without_a_size_has_none(payload: bytes) -> None:
    assert jpeg_size(payload) == (0, 0)
    assert vp8_size(payload) == (0, 0)


@pytest.mark.parametrize("codec", [VideoCodec.VP8, VideoCodec.H264])
def test_a_stream_joined_in_its_middle_waits_for_a_key_picture(record: Record, codec: VideoCodec) -> None:
    packets = packets_of(record("clip.mkv", seconds=2.5, video="libx264"), codec)
    assert [packet.is_key for packet in packets].index(True, 1) == 60
    decoder = PictureDecoder(codec)
    times_s = [frame.time_s for packet in packets[1:] for frame in decoder.decode(packet, packet.time_us / 1e6)]
    assert times_s == pytest.approx([2.0, 2.2, 2.4], abs=0.001)


def test_a_jpeg_that_hides_its_size_behind_a_small_one_is_not_decoded(record: Record) -> None:
    path = record("clip.mkv", seconds=0.1, fps=10, video="libx264")
    payload = bytearray(packets_of(path, VideoCodec.JPEG)[0].payload)
    at = payload.find(b"\xff\xc0")
    frame_header = bytes(payload[at : at + 19])
    payload[at + 5 : at + 9] = b"\xff\xff\xff\xff"
    bomb = bytes(payload[:at]) + frame_header + bytes(payload[at:])
    assert jpeg_size(bomb) == (320, 240)
    with pytest.raises(MediaError, match="that are no jpeg picture"):
        PictureDecoder(VideoCodec.JPEG).decode(Packet(medium=Medium.VIDEO, time_us=0, payload=bomb), 0.0)


def test_a_jpeg_of_thousands_of_scans_is_not_decoded() -> None:
    packet = Packet(medium=Medium.VIDEO, time_us=0, payload=b"\xff\xd8" + b"\xff\xda\x00\x02" * 1000)
    with pytest.raises(MediaError, match="got a JPEG of more than 32 scans"):
        PictureDecoder(VideoCodec.JPEG).decode(packet, 0.0)


def test_a_large_vp8_picture_is_refused_by_its_header() -> None:
    payload = b"\x10\x00\x00\x9d\x01\x2a" + (1922).to_bytes(2, "little") + (16).to_bytes(2, "little") + bytes(40)
    packet = Packet(medium=Medium.VIDEO, time_us=0, payload=payload, is_key=True)
    with pytest.raises(WireError, match="got a picture of 1922x16, expected at most 1920 px on a side") as refused:
        PictureDecoder(VideoCodec.VP8).decode(packet, 0.0)
    assert refused.value.code is CloseCode.TOO_LARGE
