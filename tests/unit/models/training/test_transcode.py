import io
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.training import face_data
from models.training.face_data import DataError
from models.training.transcode import (
    Channel,
    Codec,
    Timed,
    as_gif,
    as_still,
    call_size,
    call_sized,
    decoded,
    encoded,
    full_rate,
    padded,
    remuxed,
    rescaled,
    sampled,
    sampled_clip,
    transcode,
)
from models.window import Pixels

RATE_HZ = 30


def clip(n: int = 60, width: int = 160, height: int = 120, seed: int = 0) -> list[Timed]:
    """Return texture that drifts under grain: more than any bit rate of a call can hold."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (height // 4 + 2, width // 4 + n, 3), np.uint8)
    texture = cv2.resize(coarse, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    return [
        (
            i / RATE_HZ,
            np.clip(texture[:height, 4 * i : 4 * i + width] + rng.normal(0, 8, (height, width, 3)), 0, 255).astype(
                np.uint8
            ),
        )
        for i in range(n)
    ]


def written(pictures: list[Timed], container: str = "mp4", *, sound: bool = False) -> bytes:
    """Return a clip file without B pictures, as a live encoder makes it."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        video = output.add_stream("libx264", rate=RATE_HZ, options={"tune": "zerolatency", "threads": "1"})
        video.height, video.width, _ = pictures[0][1].shape
        tone = output.add_stream("aac", rate=16_000, layout="mono") if sound else None
        for index, (_, rgb) in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE_HZ)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if tone is not None:
            wave = np.sin(np.arange(16_000) / 5, dtype=np.float32)[None]
            samples = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            samples.sample_rate = 16_000
            output.mux(tone.encode(samples))
            output.mux(tone.encode(None))
    return target.getvalue()


def psnr_db(one: Pixels, other: Pixels) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("codec", Codec)
def test_fewer_bits_make_a_worse_picture(codec: Codec) -> None:
    pictures = clip()
    kept = dict(sampled(pictures))
    quality = [
        np.mean([psnr_db(rgb, kept[time_s]) for time_s, rgb in transcode(pictures, Channel(codec=codec, kbit_s=rate))])
        for rate in (150, 500, 1500)
    ]
    assert quality[0] + 0.5 < quality[1] < quality[2] - 0.5


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("kbit_s", [150, 300, 800])
def test_the_bit_rate_is_near_the_one_asked_for(codec: Codec, kbit_s: int) -> None:
    pictures = clip(90, 240, 180)
    packets = encoded(pictures, Channel(codec=codec, kbit_s=kbit_s))
    measured = sum(packet.size for packet in packets) * 8 / 1000 / (len(pictures) / RATE_HZ)
    # libvpx cannot go below what its coarsest quantiser leaves of this much grain.
    assert 0.8 * kbit_s < measured < (1.6 if codec is Codec.VP8 else 1.2) * kbit_s


@pytest.mark.parametrize("codec", Codec)
def test_no_picture_is_lost_and_each_keeps_its_time(codec: Codec) -> None:
    pictures = clip(47)
    channel = Channel(codec=codec, kbit_s=300)
    times = [time_s for time_s, _ in decoded(encoded(pictures, channel), codec)]
    assert times == pytest.approx([time_s for time_s, _ in pictures], abs=1e-4)
    assert len(list(transcode(pictures, channel))) == 8


@pytest.mark.parametrize("codec", Codec)
def test_the_same_clip_comes_out_the_same_twice(codec: Codec) -> None:
    channel = Channel(codec=codec, kbit_s=200)
    one, two = (list(transcode(clip(30), channel)) for _ in range(2))
    for (_, first), (_, second) in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("size", [(161, 119), (33, 300), (9, 11), (1281, 721)])
def test_odd_small_and_large_pictures_get_the_even_size_of_a_call(codec: Codec, size: tuple[int, int]) -> None:
    width, height = size
    pictures = [(i / RATE_HZ, np.full((height, width, 3), 90, np.uint8)) for i in range(8)]
    shapes = {rgb.shape for _, rgb in transcode(pictures, Channel(codec=codec, kbit_s=300))}
    expected = call_size(width, height)
    assert shapes == {(expected[1], expected[0], 3)}
    assert expected[0] % 2 == expected[1] % 2 == 0


def test_a_calls_picture_is_at_most_640_px_long_and_never_larger_than_the_clips() -> None:
    assert call_size(1920, 1080) == (640, 360)
    assert call_size(1080, 1920) == (360, 640)
    assert call_size(641, 333) == (640, 332)
    assert call_size(320, 241) == (320, 240)


@pytest.mark.parametrize("codec", Codec)
def test_colours_survive_the_way_there_and_back(codec: Codec) -> None:
    pictures = [(i / RATE_HZ, np.full((64, 64, 3), (200, 90, 40), np.uint8)) for i in range(8)]
    _, last = list(transcode(pictures, Channel(codec=codec, kbit_s=800)))[-1]
    np.testing.assert_allclose(last.reshape(-1, 3).mean(axis=0), (200, 90, 40), atol=3)


@pytest.mark.parametrize("codec", Codec)
def test_an_empty_clip_gives_nothing_and_a_repeated_time_does_not_stop_the_encoder(codec: Codec) -> None:
    channel = Channel(codec=codec, kbit_s=300)
    assert list(transcode([], channel)) == []
    stuck = [(0.0, rgb) for _, rgb in clip(5)]
    assert len(list(decoded(encoded(stuck, channel), codec))) == 5


def test_a_clip_is_sampled_as_for_training(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(written(clip(50)))
    expected = list(face_data.pictures(path))
    for got in (list(sampled(full_rate(path))), list(sampled_clip(path)), list(sampled_clip(path.read_bytes()))):
        assert [time_s for time_s, _ in got] == [time_s for time_s, _ in expected]
        for (_, one), (_, two) in zip(got, expected, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("container", ["matroska", "mp4"])
@pytest.mark.parametrize("keep_sound", [True, False])
def test_another_container_holds_the_same_pictures(container: str, keep_sound: bool) -> None:
    original = written(clip(40), sound=True)
    copy = remuxed(original, container, keep_sound=keep_sound)
    with av.open(io.BytesIO(copy)) as opened:
        assert container in opened.format.name
        assert len(opened.streams.audio) == int(keep_sound)
    for (early, one), (late, two) in zip(full_rate(original), full_rate(copy), strict=True):
        assert early == pytest.approx(late, abs=1e-3)
        np.testing.assert_array_equal(one, two)


def test_a_file_that_is_no_clip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "note.mp4"
    path.write_text("no clip")
    with pytest.raises(DataError, match=r"cannot decode .*note\.mp4"):
        list(full_rate(path))
    with pytest.raises(DataError, match=r"cannot put .*note\.mp4 into matroska"):
        remuxed(path, "matroska")


def test_bars_surround_a_picture_that_is_left_alone() -> None:
    rgb = clip(1)[0][1]
    framed = padded(rgb, 0.1)
    assert framed.shape == (144, 192, 3)
    np.testing.assert_array_equal(framed[12:-12, 16:-16], rgb)
    assert not framed[:12].any()
    assert not framed[:, -16:].any()


def test_a_rescaled_picture_has_the_size_asked_for_and_looks_alike() -> None:
    rgb = clip(1, seed=3)[0][1]
    smooth = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 3), np.uint8)
    for factor, shape in ((0.9, (108, 144, 3)), (1.1, (132, 176, 3))):
        scaled = rescaled(smooth, factor)
        assert scaled.shape == shape
        assert psnr_db(rescaled(scaled, 160 / scaled.shape[1]), smooth) > 35


def test_a_gif_keeps_256_colours_for_the_whole_clip() -> None:
    pictures = clip(6)
    kept = list(as_gif(pictures))
    assert [time_s for time_s, _ in kept] == [time_s for time_s, _ in pictures]
    colours = np.unique(np.concatenate([rgb.reshape(-1, 3) for _, rgb in kept]), axis=0)
    assert len(colours) <= 256 < len(np.unique(pictures[0][1].reshape(-1, 3), axis=0))
    assert all(psnr_db(one, two) > 15 for (_, one), (_, two) in zip(kept, pictures, strict=True))
    assert list(as_gif([])) == []


@pytest.mark.parametrize("suffix", [".jpg", ".webp"])
def test_a_still_format_loses_more_at_a_lower_quality_and_keeps_red_red(suffix: str) -> None:
    rgb = clip(1)[0][1]
    assert psnr_db(as_still(rgb, suffix, 30), rgb) + 1 < psnr_db(as_still(rgb, suffix, 90), rgb)
    red = np.full((32, 32, 3), (200, 30, 30), np.uint8)
    np.testing.assert_allclose(as_still(red, suffix, 90), red, atol=6)


def test_scaling_for_a_call_leaves_a_small_even_picture_alone() -> None:
    pictures = clip(2)
    for (_, one), (_, two) in zip(call_sized(pictures), pictures, strict=True):
        np.testing.assert_array_equal(one, two)
