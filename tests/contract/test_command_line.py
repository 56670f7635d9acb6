"""`python -m stream` as a person meets it: clear sentences, useful exit statuses, never a traceback."""

import json
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.window import Pixels
from stream import demo
from stream.overlay import SIDE_PX

ROOT = Path(__file__).parents[2]
RATE_HZ = 10


def kua(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream", *arguments]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), **environment}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, timeout=110, check=False)


def write_clip(path: Path, pictures: Iterator[Pixels]) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE_HZ, options={"crf": "20", "preset": "veryfast"})
        stream.pix_fmt = "yuv420p"
        for i, rgb in enumerate(pictures):
            if i == 0:
                stream.height, stream.width = rgb.shape[:2]
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, RATE_HZ)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def write_tone(path: Path) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16_000, layout="mono")
        tone = (8000 * np.sin(np.arange(16_000 * 6) * 2 * np.pi * 220 / 16_000)).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 16_000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The portrait, genuine and with a face that is taken over, and files that cannot be judged or read."""
    folder, portrait = tmp_path_factory.mktemp("clips"), demo.load_portrait()
    made = {
        "genuine": write_clip(folder / "genuine.mp4", (portrait.picture(i / RATE_HZ, False) for i in range(120))),
        "forged": write_clip(folder / "forged.mp4", (portrait.picture(i / RATE_HZ, i >= 100) for i in range(220))),
        "no face": write_clip(folder / "empty room.mp4", (np.full((240, 320, 3), i, np.uint8) for i in range(80))),
        "no speech": write_tone(folder / "tone.wav"),
        "garbage": folder / "garbage.mp4",
        "empty": folder / "empty.mp4",
        "missing": folder / "missing.mp4",
    }
    made["garbage"].write_bytes(b"this is no film" * 100)
    made["empty"].touch()
    return made


def test_each_clip_gets_its_verdict_or_one_clear_sentence(clips: dict[str, Path]) -> None:
    done = kua("check", "--json", *(str(path) for path in clips.values()))
    assert "Traceback" not in done.stderr + done.stdout
    said = dict(zip(clips, (json.loads(line) for line in done.stdout.splitlines()), strict=True))
    assert said["genuine"]["state"] == "bona_fide"
    assert said["forged"]["state"] == "spoof"
    assert 10 < said["forged"]["first_alert_s"] < 16
    explanation = said["forged"]["explanation"]
    assert explanation["start_s"] <= explanation["time_s"] < explanation["end_s"] == said["forged"]["first_alert_s"]
    assert all(0 <= share <= 1 for row in explanation["spoof"] for share in row)
    assert said["genuine"]["explanation"] is None
    assert (said["no face"]["state"], said["no face"]["reason"]) == ("undecided", "no_face")
    assert (said["no speech"]["state"], said["no speech"]["reason"]) == ("undecided", "silence")
    for name in ("garbage", "empty", "missing"):
        assert clips[name].name in said[name]["error"]
    assert done.returncode == 1
    assert said["genuine"]["processing_s"] < 12


@pytest.mark.parametrize(("name", "status"), [("genuine", 0), ("no face", 4), ("garbage", 5)])
def test_the_exit_status_tells_a_script_what_was_found(clips: dict[str, Path], name: str, status: int) -> None:
    done = kua("check", str(clips[name]))
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_the_alerted_face_of_each_file_is_written_with_its_heat_map(clips: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "new" / "maps"
    done = kua("check", "--explain", str(folder), str(clips["forged"]), str(clips["no face"]))
    assert (done.returncode, [path.name for path in folder.iterdir()]) == (1, ["1-forged.mp4.png"])
    assert f"heat map: {folder / '1-forged.mp4.png'}" in done.stderr
    picture = cv2.imread(str(folder / "1-forged.mp4.png"))
    assert picture.shape == (SIDE_PX, SIDE_PX, 3)
    assert picture.std() > 20


def test_a_heat_map_that_cannot_be_written_is_one_line_and_changes_no_verdict(
    clips: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = kua("check", "--explain", str(tmp_path / "file"), str(clips["forged"]))
    assert done.returncode == 1
    assert "error: cannot write the heat map: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_setting_is_one_line_that_names_it() -> None:
    done = kua("serve", KUA_PORT="eighty")
    assert done.returncode == 2
    assert done.stderr.startswith("error: KUA_PORT = 'eighty': Input should be a valid integer")
    done = kua("serve", KUA_PROT="80")
    assert done.stderr.startswith("error: unknown setting KUA_PROT; known: KUA_ALLOWED_HOSTS")


def test_an_open_address_without_a_token_is_refused_before_the_port_is_opened() -> None:
    done = kua("serve", "--host", "0.0.0.0")
    assert done.returncode == 2
    assert "host 0.0.0.0 can be reached from outside: set KUA_TOKEN" in done.stderr


def test_a_demonstration_without_a_service_says_how_to_start_one() -> None:
    done = kua("demo", "--url", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "is the service running (make run)?" in done.stderr


@pytest.mark.parametrize(
    ("signal", "names", "costly"),
    [
        ("face", {"find", "crop", "network", "window"}, {"find", "crop", "network"}),
        ("voice", {"cut", "quality", "blocks", "window"}, {"quality", "blocks", "window"}),
    ],
)
def test_bench_prints_one_json_object_whose_parts_add_up(signal: str, names: set[str], costly: set[str]) -> None:
    done = kua("bench", "--signal", signal, "--seconds", "1", "--calls", "2", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["signal"], said["threads"], said["seconds"]) == (signal, 1, 1.0)
    assert said["cpu"]
    assert said["engine"].startswith(("cpu:", "cuda:"))
    assert [result["calls"] for result in said["results"]] == [1, 2]
    for result in said["results"]:
        assert set(result["parts"]) == names
        assert sum(part["cpu_ms"] for part in result["parts"].values()) == pytest.approx(result["cpu_ms"])
        assert min(result["parts"][name]["wall_ms"] for name in costly) > 0.1


def test_bench_refuses_a_signal_that_it_cannot_measure() -> None:
    done = kua("bench", "--signal", "smell")
    assert done.returncode == 2
    assert "smell" in done.stderr
