import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from models.training.face_batches import HELD_OUT, Batches, Mix
from models.training.face_data import BONA_FIDE, SPOOF, Cache, DataError, Entry, Trial, pictures, read_manifest
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


def test_batches_hold_both_classes_equally_and_nothing_of_a_held_out_source() -> None:
    held_out = min(HELD_OUT)
    entries = (
        entry("a/clips", BONA_FIDE, "video", 0),
        entry("a/stills", BONA_FIDE, "still", 2),
        entry("a/spoofs", SPOOF, "video", 4),
        entry(held_out, BONA_FIDE, "video", 6),
        entry(held_out, SPOOF, "video", 8),
    )
    crops = np.zeros((10, CROP_PX, CROP_PX, 3), np.uint8)
    crops[6:] = 255  # What is held out would be white.
    batches = Batches(Cache(crops=crops, entries=entries), Mix(n_pairs=3, n_clips=2))
    for seed in range(5):
        pixels, labels = batches.draw(np.random.default_rng(seed))
        assert pixels.shape == (10, CROP_PX, CROP_PX, 3)
        assert labels.tolist() == [1.0] * 5 + [0.0] * 5
        assert pixels.mean() < 100


@pytest.mark.shared_data
def test_every_held_out_source_is_in_the_manifest_and_both_classes_are_held_out() -> None:
    if not (DATA / "manifest.csv").is_file():
        pytest.skip("shared data is not here")
    trials = [trial for trial in read_manifest(DATA / "manifest.csv") if trial.source in HELD_OUT]
    assert {trial.source for trial in trials} == HELD_OUT
    assert {trial.label for trial in trials} == {BONA_FIDE, SPOOF}
