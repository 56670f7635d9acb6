"""The whole training on a tiny set: one's own genuine calls and nothing else."""

import json
from pathlib import Path

import av
import numpy as np
import pytest

from models import checkpoint
from models.face import FaceModel
from models.training import calibrate, train_face
from models.training.face_frames import FrameRecipe
from models.training.face_windows import WindowRecipe
from models.training.train_face import Recipe
from stream import demo

TINY = Recipe(
    forger_minutes=0.01, frames=FrameRecipe(minutes=0.05, n_pairs=2), windows=WindowRecipe(minutes=0.03, n_clips=2)
)


def record(path: Path, start_s: float) -> None:
    """Write a second and a half of the demonstration's portrait, moving a little."""
    portrait = demo.load_portrait()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = demo.WIDTH_PX, demo.HEIGHT_PX, "yuv420p"
        for index in range(24):
            rgb = portrait.picture(start_s + index / 15, False)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")))
        container.mux(stream.encode())


@pytest.mark.timeout(300)
def test_a_bank_trains_on_its_own_genuine_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, cache, out = tmp_path / "calls", tmp_path / "cache", tmp_path / "out"
    calls.mkdir()
    for index in range(5):
        record(calls / f"call{index}.mp4", index * 2.0)
    monkeypatch.setitem(train_face.RECIPES, "face-small", TINY)
    given = ["--bona-fide", str(calls), "--recipe", "face-small", "--cache", str(cache), "--out", str(out)]

    train_face.main([*given, "--stop-after", "frames"])
    frames = next(cache.rglob("frames.state"))
    kept = frames.stat().st_mtime_ns
    train_face.main(given)

    assert frames.stat().st_mtime_ns == kept, "a finished stage is not trained again"
    described, state = checkpoint.load("face", out)
    left_out = next(cache.rglob("left-out.json"))
    assert {row["source"] for row in json.loads(left_out.read_text())} == {"own-held/call4.mp4"}
    FaceModel().load_state_dict(state)
    assert described.recipe.startswith("face-small ")
    assert described.minutes > 0
    assert described.metrics["frame_steps"] > 0
    monkeypatch.setattr("sys.argv", ["calibrate", "face", "--left-out", str(left_out), "--checkpoints", str(out)])
    calibrate.main()
    assert checkpoint.load("face", out)[0].calibration != described.calibration


def test_nothing_to_learn_from_is_said_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        train_face.main(["--recipe", "face-small"])
    assert "nothing to learn from: give --data, --bona-fide or both" in capsys.readouterr().err


def test_a_folder_without_recordings_is_a_plain_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        train_face.main(["--bona-fide", str(tmp_path), "--recipe", "face-small", "--cache", str(tmp_path / "cache")])
    assert capsys.readouterr().err.startswith(f"error: no recording in {tmp_path}: expected files that end in ")
