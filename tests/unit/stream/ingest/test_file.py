import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from models.window import SAMPLE_RATE_HZ
from stream.errors import MediaError
from stream.events import AudioFrame, Gap, Media, Medium, VideoFrame
from stream.ingest.file import FileInfo, probe, read_media

Record = Callable[..., Path]


def sound_of(media: list[Media]) -> np.ndarray:
    """Join the sound; fails where it overlaps or has a hole that no gap tells of."""
    samples, end = [np.zeros(0, np.float32)], None
    for item in media:
        if isinstance(item, AudioFrame):
            start = round(item.start_s * SAMPLE_RATE_HZ)
            assert end is None or start == end
            end = start + len(item.samples)
            samples.append(item.samples)
        elif isinstance(item, Gap):
            end = round(item.end_s * SAMPLE_RATE_HZ)
    return np.concatenate(samples)


def times_of(media: list[Media]) -> list[float]:
    return [round(item.time_s, 3) for item in media if isinstance(item, VideoFrame)]


def tone_hz(samples: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(np.argmax(spectrum) * SAMPLE_RATE_HZ / len(samples))


@pytest.mark.parametrize(
    ("name", "video", "audio", "n_padding"),
    [
        ("clip.mp4", "libx264", "aac", 128),  # AAC fills its last frame of 1024 samples
        ("clip.webm", "libvpx", "libopus", 0),
        ("clip.mkv", "libvpx-vp9", "libopus", 0),
        ("clip.avi", "mjpeg", "pcm_s16le", 0),
    ],
)
def test_a_recording_gives_every_sample_and_five_pictures_a_second(
    record: Record, name: str, video: str, audio: str, n_padding: int
) -> None:
    media = list(read_media(record(name, seconds=3, video=video, audio=audio)))

    assert len(sound_of(media)) == pytest.approx(3 * SAMPLE_RATE_HZ, abs=n_padding + 1)
    assert tone_hz(sound_of(media)) == pytest.approx(440, abs=1)
    assert times_of(media) == [round(0.2 * i, 3) for i in range(15)]
    assert {item.pixels.shape for item in media if isinstance(item, VideoFrame)} == {(240, 320, 3)}


@pytest.mark.parametrize(("name", "audio", "rate_hz"), [("a.wav", "pcm_s16le", 44_100), ("a.flac", "flac", 8_000)])
def test_sound_alone_is_resampled_without_losing_or_adding_a_sample(
    record: Record, name: str, audio: str, rate_hz: int
) -> None:
    path = record(name, audio=audio, rate_hz=rate_hz)
    assert probe(path) == FileInfo(duration_s=2.0, has_audio=True, has_video=False, is_still=False)
    assert len(sound_of(list(read_media(path)))) == 2 * SAMPLE_RATE_HZ


def test_a_silent_video_gives_pictures_alone(record: Record) -> None:
    path = record("silent.mp4", video="libx264")
    assert probe(path) == FileInfo(duration_s=2.0, has_audio=False, has_video=True, is_still=False)
    assert times_of(list(read_media(path))) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8]


def test_a_stream_that_does_not_start_at_zero_is_moved_to_zero(record: Record) -> None:
    media = list(read_media(record("clip.ts", video="libx264", audio="aac")))
    starts = [item.start_s for item in media if isinstance(item, AudioFrame)]
    assert min(starts[0], times_of(media)[0]) == 0
    assert times_of(media)[0] < 0.05


def test_missing_sound_is_a_gap_of_its_length(record: Record) -> None:
    media = list(read_media(record("hole.mkv", seconds=3, audio="pcm_s16le", silent_s=(1.0, 1.6))))

    gaps = [item for item in media if isinstance(item, Gap)]
    assert gaps == [Gap(medium=Medium.AUDIO, start_s=1.0, end_s=1.6)]
    assert len(sound_of(media)) == round(2.4 * SAMPLE_RATE_HZ)


@pytest.mark.parametrize(
    ("name", "video", "container"),
    [("a.jpg", "mjpeg", "image2"), ("a.png", "png", "image2"), ("b%d.jpg", "mjpeg", "mjpeg")],
)
def test_a_photo_is_one_picture(record: Record, name: str, video: str, container: str) -> None:
    path = record(name, seconds=1, fps=1, video=video, format=container)
    assert probe(path) == FileInfo(duration_s=None, has_audio=False, has_video=True, is_still=True)
    assert times_of(list(read_media(path))) == [0.0]


def test_a_gif_is_a_recording_if_it_moves(record: Record) -> None:
    moving = record("a.gif", video="gif", fps=10)
    assert probe(moving).is_still is False
    assert len(times_of(list(read_media(moving)))) == 10
    assert probe(record("b.gif", video="gif", fps=10, seconds=0.1)).is_still is True


def test_cover_art_is_no_video(record: Record, tmp_path: Path) -> None:
    cover, path = record("cover.jpg", seconds=1, fps=1, video="mjpeg", format="image2"), tmp_path / "song.mp3"
    with av.open(str(record("a.wav", audio="pcm_s16le"))) as source, av.open(str(path), "w") as song:
        sound = song.add_stream("libmp3lame", rate=48_000, layout="mono")
        art = song.add_stream("mjpeg", rate=1)
        art.width, art.height, art.pix_fmt, art.disposition = 320, 240, "yuvj420p", av.stream.Disposition.attached_pic
        song.start_encoding()
        packet = av.Packet(cover.read_bytes())
        packet.stream, packet.pts, packet.dts = art, 0, 0
        song.mux(packet)
        for frame in source.decode(audio=0):
            frame.pts = None
            song.mux(sound.encode(frame))
        song.mux(sound.encode(None))

    assert probe(path).has_video is False
    assert times_of(list(read_media(path))) == []


def test_a_phone_held_upright_gives_upright_pictures(record: Record) -> None:
    path = record("phone.mp4", video="libx264")
    data = bytearray(path.read_bytes())
    at = data.find(b"tkhd") + 44  # ISO/IEC 14496-12, 8.3.2: the matrix of a version 0 box
    data[at : at + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)  # a quarter turn clockwise
    path.write_bytes(data)

    pixels = next(item for item in read_media(path) if isinstance(item, VideoFrame)).pixels
    assert pixels.shape == (320, 240, 3)
    rows, columns = np.nonzero(pixels.sum(axis=2) > 200)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == pytest.approx((0, 39, 180, 219), abs=1)


@pytest.mark.parametrize(
    ("name", "video", "audio", "options"),
    [("cut.webm", "libvpx", "libopus", {}), ("cut.mp4", "libx264", "aac", {"movflags": "faststart"})],
)
def test_a_file_that_was_cut_off_is_read_up_to_the_cut(
    record: Record, name: str, video: str, audio: str, options: dict[str, str]
) -> None:
    path = record(name, seconds=6, video=video, audio=audio, options=options)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    reader = read_media(path)
    media = list(reader)
    assert reader.truncated
    assert 1.5 * SAMPLE_RATE_HZ < len(sound_of(media)) < 4.5 * SAMPLE_RATE_HZ
    assert 7 < len(times_of(media)) < 23


def test_a_whole_file_is_not_called_truncated(record: Record) -> None:
    reader = read_media(record("whole.webm", video="libvpx", audio="libopus"))
    list(reader)
    assert not reader.truncated


def test_a_file_that_is_no_media_is_refused_with_one_sentence(record: Record, tmp_path: Path) -> None:
    cut = record("cut.mp4", video="libx264")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (tmp_path / "garbage.mp4").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.wav").touch()
    record("part.ts", video="libx264")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXTINF:3,\npart.ts\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.txt").write_text("ffconcat version 1.0\nfile part.ts\n")
    no_media = "not a sound, picture or video file, or cut off before its index"

    assert refusal(tmp_path / "absent.mp4") == f"{tmp_path / 'absent.mp4'}: no such file"
    assert refusal(tmp_path) == f"{tmp_path}: not a file"
    assert refusal(tmp_path / "empty.wav") == "empty.wav: the file is empty"
    for name in ("cut.mp4", "garbage.mp4", "list.m3u8", "list.txt"):
        assert refusal(tmp_path / name) == f"{name}: {no_media}"


def test_a_picture_that_would_unpack_to_hundreds_of_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png(20_000, 20_000))
    assert path.stat().st_size < 100_000
    assert refusal(path) == (
        "bomb.png: nothing in it can be decoded; it is damaged, or has pictures of more than 8192 px on a side"
    )
    path.write_bytes(png(9_000, 100))
    assert refusal(path) == "bomb.png: got pictures of 9000x100, expected at most 8192 px on a side"


def refusal(path: Path) -> str:
    with pytest.raises(MediaError) as refused:
        list(read_media(path))
    return str(refused.value)


def png(width: int, height: int) -> bytes:
    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 + (width + 7) // 8) * height)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", rows) + part(b"IEND", b"")


def test_a_header_that_says_186_channels_is_refused(record: Record) -> None:
    path = record("odd.wav", audio="pcm_s16le")
    data = bytearray(path.read_bytes())
    data[22:24] = (186).to_bytes(2, "little")  # nChannels of the "fmt " chunk
    path.write_bytes(data)
    assert refusal(path).startswith("odd.wav: nothing in it can be decoded")


def test_a_timestamp_hours_ahead_ends_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "jump.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for start in (0, 1600, 3200, 3600 * 16_000):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
            frame.sample_rate, frame.pts = 16_000, start
            container.mux(stream.encode(frame))

    reader = read_media(path)
    media = list(reader)
    assert reader.truncated
    assert len(sound_of(media)) == 4800
    assert not any(isinstance(item, Gap) for item in media)
