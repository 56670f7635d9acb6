import csv
from pathlib import Path

import av
import numpy as np
import pytest

from models.training import voice_data
from models.training.voice_copies import write_opus
from models.training.voice_data import PERMISSIVE, ClipStore, decode, manifest_sha256, middle_window, read_manifest
from models.window import WINDOW_SAMPLES

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


def test_a_store_of_other_sounds_under_the_same_names_holds_what_it_was_given(folder: Path) -> None:
    store = ClipStore.build(read_manifest(folder), folder / "cache")
    other = ClipStore.open(folder / "other", store.names, (store[row][:100] * 0 for row in range(len(store))))
    assert other[0].tolist() == [0.0] * 100
    assert store[0].size > 100
    assert len(ClipStore.open(folder / "other", store.names, iter(()))) == 2


def test_copies_of_a_source_are_one_family() -> None:
    row = {"file": "a", "label": "spoof", "kind": "audio", "source": "page", "era": "modern"}
    copy, system = (voice_data._clip(Path(), row | {"attack": attack}) for attack in ("WORLD-copy", "vits"))
    assert copy.is_copy
    assert (copy.family, system.family) == ("-copy", "vits")


def test_the_middle_window_of_a_short_clip_stands_within_silence() -> None:
    window = middle_window(np.ones(40_001, np.float32))
    assert window.size == WINDOW_SAMPLES
    assert window.sum() == 40_001
    assert window[0] == window[-1] == 0


@pytest.mark.shared_data
def test_the_permissive_sources_exist() -> None:
    if not SHARED.exists():
        pytest.skip("shared data is not here")
    clips = read_manifest(SHARED)
    assert {clip.source for clip in clips} >= PERMISSIVE
    assert voice_data.decode(clips[0].path).size > 16_000
