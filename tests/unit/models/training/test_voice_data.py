import csv
from pathlib import Path

import av
import numpy as np
import pytest

from models.training import voice_data
from models.training.voice_copies import write_opus
from models.training.voice_data import LEFT_OUT, PERMISSIVE, ClipStore, decode, manifest_sha256, read_manifest, split

SHARED = Path(__file__).parents[4].parent / "shared" / "data" / "voice"
COLUMNS = ["file", "label", "attack", "kind", "source", "era"]


def tone(n_samples: int = 32_000) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * np.arange(n_samples) / 16_000)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [
        ("a.opus", "bona_fide", "-", "audio", "page/kept", "modern"),
        ("b.opus", "spoof", "vits", "audio", "zipvoice/zipvoice.github.io", "modern"),
        ("c.mp4", "spoof", "swap", "video", "page/kept", "modern"),
    ]
    with (tmp_path / "manifest.csv").open("w", newline="") as lines:
        csv.writer(lines).writerows([COLUMNS, *rows])
    for name in ("a.opus", "b.opus"):
        write_opus(tmp_path / name, tone())
    return tmp_path


def test_only_speech_is_read(folder: Path) -> None:
    clips = read_manifest(folder)
    assert [clip.file for clip in clips] == ["a.opus", "b.opus"]
    assert [clip.is_spoof for clip in clips] == [False, True]


def test_an_unknown_label_is_named(folder: Path) -> None:
    text = (folder / "manifest.csv").read_text()
    (folder / "manifest.csv").write_text(text.replace("bona_fide", "real"))
    with pytest.raises(ValueError, match=r"^a\.opus has label 'real', allowed are bona_fide and spoof$"):
        read_manifest(folder)


def test_the_sides_share_no_source(folder: Path) -> None:
    trained_on, left_out = split(read_manifest(folder))
    assert [clip.source for clip in trained_on] == ["page/kept"]
    assert [clip.source for clip in left_out] == ["zipvoice/zipvoice.github.io"]


def test_the_digest_follows_the_manifest(folder: Path) -> None:
    before = manifest_sha256([folder])
    with (folder / "manifest.csv").open("a") as lines:
        lines.write("d.opus,spoof,x,audio,page/kept,older\n")
    assert manifest_sha256([folder]) != before


def test_a_clip_decodes_to_16_khz(folder: Path) -> None:
    samples = decode(folder / "a.opus")
    assert samples.dtype == np.float32
    assert samples.size == pytest.approx(32_000, abs=400)
    loudest_hz = np.abs(np.fft.rfft(samples[:16_000])).argmax()
    assert loudest_hz == 440


def test_a_damaged_clip_stops_the_preparation(folder: Path) -> None:
    (folder / "a.opus").write_bytes(b"no sound")
    with pytest.raises(av.FFmpegError, match=r"a\.opus"):
        ClipStore.build(read_manifest(folder), folder / "cache")


def test_the_store_gives_each_clip_back(folder: Path) -> None:
    clips = read_manifest(folder)
    store = ClipStore.build(clips, folder / "cache")
    assert len(store) == 2
    assert np.abs(store[1] - decode(clips[1].path)).max() < 1e-3


def test_the_store_is_decoded_once(folder: Path) -> None:
    clips = read_manifest(folder)
    ClipStore.build(clips, folder / "cache")
    for name in ("a.opus", "b.opus"):
        (folder / name).unlink()
    assert len(ClipStore.build(clips, folder / "cache")) == 2
    with pytest.raises(av.FileNotFoundError):
        ClipStore.build(clips[:1], folder / "cache")


def test_an_altered_store_holds_what_was_altered(folder: Path) -> None:
    store = ClipStore.build(read_manifest(folder), folder / "cache")
    altered = store.altered(folder / "altered", lambda samples: samples[:100] * 0)
    assert altered[0].tolist() == [0.0] * 100
    assert store[0].size > 100


@pytest.mark.shared_data
def test_the_named_sources_exist_and_the_left_out_ones_hold_both_classes() -> None:
    if not SHARED.exists():
        pytest.skip("shared data is not here")
    clips = read_manifest(SHARED)
    known = {clip.source for clip in clips}
    assert known >= LEFT_OUT
    assert known >= PERMISSIVE
    trained_on, left_out = split(clips)
    assert not {clip.source for clip in trained_on} & {clip.source for clip in left_out}
    for era in ("older", "modern"):
        assert {clip.is_spoof for clip in left_out if clip.era == era} == {True, False}
    assert voice_data.decode(left_out[0].path).size > 16_000
