from fractions import Fraction

import av
import numpy as np
import pytest

from stream.encode import PACKET_SAMPLES, PictureEncoder, SoundEncoder
from stream.events import Gap, Medium
from stream.ingest.wire import MAX_PAYLOAD_BYTES, AudioCodec, Packet, VideoCodec

RNG = np.random.default_rng(3)


def noise(width: int, height: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(RNG.integers(0, 255, (height, width, 3), dtype=np.uint8), format="rgb24")


def tone(n_samples: int, rate_hz: int = 16_000) -> av.AudioFrame:
    samples = np.sin(np.arange(n_samples, dtype=np.float32) / 6)[None, :]
    frame = av.AudioFrame.from_ndarray(samples * np.float32(0.5), format="flt", layout="mono")
    frame.sample_rate, frame.time_base = rate_hz, Fraction(1, rate_hz)
    return frame


def test_a_jpeg_of_noise_still_fits_into_a_message() -> None:
    (packet,) = PictureEncoder(VideoCodec.JPEG).encode(noise(1280, 720), 0.0)
    assert len(packet.payload) <= MAX_PAYLOAD_BYTES[Medium.VIDEO]


@pytest.mark.parametrize("codec", VideoCodec)
def test_a_large_picture_with_odd_sides_is_scaled_down(codec: VideoCodec) -> None:
    (packet,) = PictureEncoder(codec).encode(noise(2561, 1441), 0.0)
    decoder = av.CodecContext.create({"jpeg": "mjpeg"}.get(codec, codec), "r")
    (frame, *_) = decoder.decode(av.Packet(packet.payload)) + decoder.decode(None)
    assert (frame.width, frame.height) == (1280, 720)


def test_jpegs_are_sent_five_times_a_second_and_never_twice() -> None:
    encoder = PictureEncoder(VideoCodec.JPEG)
    packets = [packet for i in range(60) for packet in encoder.encode(noise(32, 32), i / 30)]
    assert [packet.time_us for packet in packets] == [i * 200_000 for i in range(10)]
    assert list(encoder.encode(noise(32, 32), 1.8)) == []


@pytest.mark.parametrize("codec", AudioCodec)
def test_sound_leaves_in_packets_of_20_ms_and_a_gap_between_its_parts(codec: AudioCodec) -> None:
    encoder = SoundEncoder(codec)
    messages = [*encoder.encode(tone(4_100), 0.0), *encoder.encode(tone(3_200), 1.0), *encoder.flush()]
    gap = Gap(medium=Medium.AUDIO, start_s=4_100 / 16_000, end_s=1.0)
    at = messages.index(gap)
    before, after = messages[:at], messages[at + 1 :]
    assert [packet.time_us for packet in before] == [i * 20_000 for i in range(13)]
    assert [packet.time_us for packet in after] == [1_000_000 + i * 20_000 for i in range(10)]
    if codec is AudioCodec.PCM_S16LE:
        assert len(before[-1].payload) == 2 * (4_100 - 12 * PACKET_SAMPLES)


def test_pcm_is_the_sound_that_went_in() -> None:
    encoder = SoundEncoder(AudioCodec.PCM_S16LE)
    packets = [*encoder.encode(tone(16_000), 0.0), *encoder.flush()]
    assert all(isinstance(packet, Packet) for packet in packets)
    pcm = np.frombuffer(b"".join(packet.payload for packet in packets), "<i2") / 32767
    assert pcm == pytest.approx(0.5 * np.sin(np.arange(16_000) / 6), abs=1e-4)
    assert encoder.n_samples == 16_000
