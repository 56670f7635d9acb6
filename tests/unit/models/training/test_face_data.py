import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from models.face import PLACES
from models.training.face_batches import BLIND, GROUPS, FrameBatches, at_places, left_out
from models.training.face_data import (
    BONA_FIDE,
    OWN,
    OWN_HELD,
    PRETRAINING,
    SPOOF,
    Cache,
    DataError,
    Entry,
    Trial,
    folder_of,
    is_pretraining,
    pictures,
    read_manifest,
    with_own_calls,
)
from models.training.face_forgers import COPIED_PX
from models.window import CROP_PX

DATA = Path(__file__).parents[5] / "shared" / "data" / "face"
HEADER = "file,label,attack,attack_type,kind,source,licence\n"


def clip(path: Path, rate: int, n_frames: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for index in range(n_frames):
            pixels = np.full((64, 64, 3), index * 255 // n_frames, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(("rate", "n_frames", "n_pictures"), [(25, 50, 10), (30, 60, 10), (12, 24, 10), (4, 8, 8)])
def test_five_pictures_a_second_are_taken_or_all_where_there_are_fewer(
    tmp_path: Path, rate: int, n_frames: int, n_pictures: int
) -> None:
    times = [time_s for time_s, _ in pictures(clip(tmp_path / "a.mp4", rate, n_frames))]
    assert len(times) == n_pictures
    assert all(b - a > 0.1 for a, b in itertools.pairwise(times))


def test_a_clip_that_cannot_be_decoded_stops_the_preparation_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no clip")
    with pytest.raises(DataError, match=r"^cannot decode .*bad\.mp4: "):
        list(pictures(tmp_path / "bad.mp4"))


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(HEADER + "a.mp4,fake,x,swap,video,o/r,MIT\n")
    with pytest.raises(DataError, match=r"a\.mp4 has label 'fake', must be bona_fide or spoof$"):
        read_manifest(tmp_path / "m.csv")


def test_lines_without_pictures_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(HEADER + "a.mp4,spoof,x,swap,video,o/r,MIT\nb.opus,spoof,x,tts,audio,o/r,MIT\n")
    assert [trial.file for trial in read_manifest(tmp_path / "m.csv")] == ["a.mp4"]


def entry(source: str, label: str, kind: str, first: int) -> Entry:
    trial = Trial(file=f"{first}", label=label, attack="-", attack_type="-", kind=kind, source=source, licence="MIT")
    return Entry(trial=trial, first=first, count=2, face_px=(100.0, 100.0), sharpness=(99.0, 99.0))


def test_batches_hold_pairs_and_nothing_of_a_measured_source() -> None:
    measured = min(GROUPS["pairs"])
    entries = (
        entry(min(PRETRAINING), BONA_FIDE, "video", 0),
        entry("a/stills", BONA_FIDE, "still", 2),
        entry("a/spoofs", SPOOF, "video", 4),
        entry(measured, BONA_FIDE, "video", 6),
    )
    crops = np.zeros((8, CROP_PX, CROP_PX, 3), np.uint8)
    crops[4:] = 255  # What must not be drawn would be white.
    copies = [np.zeros((8, COPIED_PX, COPIED_PX, 3), np.uint8)]
    batches = FrameBatches(Cache(crops=crops, entries=entries), copies)
    for seed in range(5):
        batch = batches.draw(np.random.default_rng(seed), 3)
        assert batch.pixels.shape == (6, CROP_PX, CROP_PX, 3)
        assert batch.labels.tolist() == [1.0] * 3 + [0.0] * 3
        assert batch.genuine.shape == (6, PLACES, PLACES)
        assert batch.genuine[:3].min() == 1.0
        assert batch.genuine[3:].min() < 1.0
        assert batch.pixels.mean() < 100


def test_the_places_of_a_mask_follow_it() -> None:
    mask = np.zeros((CROP_PX, CROP_PX), np.float32)
    mask[: CROP_PX // 2] = 1
    places = at_places(mask)
    assert places[: PLACES // 2].min() > 0.9
    assert places[PLACES // 2 :].max() < 0.1


def test_own_calls_are_genuine_each_a_source_of_its_own(tmp_path: Path) -> None:
    calls = tmp_path / "calls"
    (calls / "monday").mkdir(parents=True)
    for name in ("one.mp4", "monday/one.MKV", "notes.txt"):
        (calls / name).write_bytes(b"")
    (tmp_path / "m.csv").write_text(HEADER + "a.mp4,spoof,x,swap,video,o/r,MIT\n")
    alone = read_manifest(with_own_calls(None, calls, tmp_path / "cache"))
    assert {trial.source for trial in alone} == {OWN + "one.mp4", OWN + "monday/one.MKV"}
    assert all(is_pretraining(trial) and Path(trial.file).is_file() for trial in alone)
    both = with_own_calls(tmp_path / "m.csv", calls, tmp_path / "cache")
    assert [trial.label for trial in read_manifest(both)] == [SPOOF, BONA_FIDE, BONA_FIDE]
    assert read_manifest(both)[0].file == str(tmp_path / "a.mp4")
    assert folder_of(both, "face", tmp_path) != folder_of(tmp_path / "m.csv", "face", tmp_path)


def test_one_own_call_in_five_is_held_out(tmp_path: Path) -> None:
    for index in range(11):
        (tmp_path / f"{index:02}.mp4").write_bytes(b"")
    trials = read_manifest(with_own_calls(None, tmp_path, tmp_path / "cache"))
    held = [trial.source for trial in trials if trial.source.startswith(OWN_HELD)]
    assert held == [OWN_HELD + "04.mp4", OWN_HELD + "09.mp4"]
    assert sum(is_pretraining(trial) for trial in trials) == 9
    sources = [trial.source for trial in trials]
    assert left_out(BLIND, sources) == set(held)
    assert left_out("pairs", sources) == set()


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"^no recording in .*: expected files that end in \.avi, \.m4v, "):
        with_own_calls(None, tmp_path, tmp_path)


@pytest.mark.shared_data
def test_every_source_with_clips_is_left_out_once_or_never_measured() -> None:
    if not (DATA / "manifest.csv").is_file():
        pytest.skip("shared data is not here")
    trials = [trial for trial in read_manifest(DATA / "manifest.csv") if trial.kind == "video"]
    grouped = [source for group in GROUPS.values() for source in group]
    assert len(grouped) == len(set(grouped))
    assert {trial.source for trial in trials} - set(grouped) == PRETRAINING
    assert not set(grouped) & PRETRAINING
    assert all(trial.label == BONA_FIDE for trial in trials if trial.source in PRETRAINING)
