"""A moving portrait (the astronaut of scikit-image, public domain) judged under conditions by the serving detector."""

import io
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models import weights
from models.detector import Detector
from models.engine import Engine
from models.training.conditions import HARD, NOT_APPLICABLE, PLAIN, Clip, Row, conditions, judge_clip, load
from models.training.hard_negatives import Kind
from models.training.robustness import read_rows, write_rows
from models.window import Pixels

RATE_HZ = 25
SECONDS = 3


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(Engine("cpu", workers=1))


@pytest.fixture(scope="module")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "portrait.mp4"
    path.write_bytes(written("mp4", has_sound=True))
    return path


def walk() -> Iterator[Pixels]:
    """Yield a portrait that wanders, as a hand-held camera would show it."""
    astronaut = cv2.imread(str(weights.ensure("astronaut")), cv2.IMREAD_COLOR_RGB)[:300, 60:400]
    for i in range(RATE_HZ * SECONDS):
        shift = np.array([[1, 0, 6 * np.sin(i / 9)], [0, 1, 4 * np.cos(i / 7)]])
        yield np.asarray(cv2.warpAffine(astronaut, shift, (340, 300), borderMode=cv2.BORDER_REFLECT), np.uint8)


def written(container: str, *, has_sound: bool) -> bytes:
    """Return a clip of the walk, the same coded pictures in any container, with or without a sound track."""
    target = io.BytesIO()
    with av.open(target, "w", format=container) as output:
        video = output.add_stream("libx264", rate=RATE_HZ, options={"tune": "zerolatency", "threads": "1"})
        video.width, video.height = 340, 300
        sound = output.add_stream("aac", rate=16_000, layout="mono") if has_sound else None
        for index, rgb in enumerate(walk()):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, RATE_HZ)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        if sound is not None:
            wave = np.sin(np.arange(16_000 * SECONDS) / 5, dtype=np.float32)[None]
            samples = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            samples.sample_rate = 16_000
            # AAC begins with 1,024 samples before the first: from here on they begin with the pictures.
            samples.pts, samples.time_base = 1024, Fraction(1, 16_000)
            output.mux(sound.encode(samples))
            output.mux(sound.encode(None))
    return target.getvalue()


def judged(path: Path, names: list[str], detector: Detector) -> dict[str, Row]:
    offered = conditions([300], histories=True)
    return {row.condition: row for row in judge_clip(path, path.name, names, offered, detector)}


def test_the_container_and_a_sound_track_do_not_move_a_score_at_all(detector: Detector, tmp_path: Path) -> None:
    raws = []
    for container, suffix in (("mp4", "mp4"), ("matroska", "mkv")):
        for has_sound in (True, False):
            path = tmp_path / f"{has_sound}.{suffix}"
            path.write_bytes(written(container, has_sound=has_sound))
            rows = judged(path, [PLAIN, f"remux-{'matroska' if container == 'mp4' else 'mp4'}"], detector)
            raws += [(row.raw, row.llr, row.n_windows, row.half_gap) for row in rows.values()]
    assert raws[0][0] is not None
    assert set(raws) == {raws[0]}


@pytest.mark.timeout(400)
def test_every_condition_gives_a_score_of_a_plain_face_or_a_reason(detector: Detector, portrait: Path) -> None:
    names = list(conditions([300], histories=True))
    rows = judged(portrait, names, detector)
    assert list(rows) == names
    assert {name.removeprefix(HARD) for name in names if name.startswith(HARD)} == set(Kind)
    assert all((row.raw is None) == (row.llr is None) == (row.reason is not None) for row in rows.values())
    unscored = {name for name, row in rows.items() if row.raw is None}
    assert not {name for name in unscored if not name.startswith((HARD, "face-"))}
    assert 66 < (rows[PLAIN].face_px or 0) < 99
    assert rows["face-90"].reason == NOT_APPLICABLE
    assert rows["face-60"].face_px == pytest.approx(60, rel=0.1)
    assert rows["padded-10"].face_px == pytest.approx(rows[PLAIN].face_px, rel=0.05)
    assert rows["rescaled-110"].face_px == pytest.approx(1.1 * (rows[PLAIN].face_px or 0), rel=0.05)
    moved = {name for name, row in rows.items() if row.raw not in (None, rows[PLAIN].raw)}
    assert {"h264-300", "vp8-300", "gif", "jpg-50", "webp-50"} <= moved


def test_a_face_that_is_smaller_than_asked_for_is_not_blown_up() -> None:
    clip = Clip(path=Path("none"), pictures=(), call=(), faces=((),))
    assert clip.face_px == 0
    assert conditions([300])["face-40"](clip) is None


def test_a_clip_keeps_its_own_size_for_judging_and_a_calls_for_coding(detector: Detector, portrait: Path) -> None:
    clip = load(portrait, detector)
    assert (len(clip.pictures), len(clip.call), len(clip.faces)) == (SECONDS * 5, SECONDS * RATE_HZ, SECONDS * 5)
    assert clip.pictures[0][1].shape == clip.call[0][1].shape == (300, 340, 3)


def test_the_same_hard_negative_is_drawn_in_every_run(detector: Detector, portrait: Path) -> None:
    clip = load(portrait, detector)
    one, two = (list(conditions([300])["hard-low_light"](clip) or ()) for _ in range(2))
    for (_, first), (_, second) in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)


def test_rows_are_read_as_they_were_written_and_a_cut_off_line_is_judged_again(tmp_path: Path) -> None:
    row = Row(
        file="a.mp4",
        condition="face-40",
        model="m",
        raw=None,
        llr=None,
        reason=NOT_APPLICABLE,
        n_windows=0,
        between_windows=None,
        half_gap=None,
        face_px=None,
        seconds=0.5,
    )
    path = tmp_path / "report.jsonl"
    assert read_rows(path) == []
    write_rows(path, [row], "w")
    write_rows(path, [row], "a")
    path.write_text(path.read_text() + json.dumps({"file": "b.mp4"})[:-4])
    assert read_rows(path) == [row, row]
