"""Own recordings become calls as the service would hear them, without those that people found to be forged."""

import json
import wave
from pathlib import Path

import pytest

from models import promise, weights
from models.detector import Detector
from models.engine import Engine
from models.training import calibrate
from models.training.decision_own import recordings, scored_call
from models.training.face_data import DataError
from models.window import Signal


def speech(path: Path, times: int = 4) -> Path:
    """Write a recording of a few words, said several times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(weights.ensure("speech").read_bytes() * times)
    return path


def test_labels_choose_the_genuine_recordings(tmp_path: Path) -> None:
    calls = [speech(tmp_path / "calls" / name) for name in ("a.wav", "sub/b.wav", "c.wav")]
    (tmp_path / "calls" / "notes.txt").write_text("no recording")
    assert recordings(tmp_path / "calls") == sorted(calls)
    labels = tmp_path / "labels.csv"
    labels.write_text("file,label\na,spoof\nsub/b.wav,bona_fide\nelsewhere.wav,bona_fide\n")
    assert recordings(tmp_path / "calls", labels) == sorted(calls[1:]), "calls that never alerted have no label"
    for both in ("b.wav,spoof\nb.wav,bona_fide", "sub/b.wav,spoof\nb,bona_fide"):
        labels.write_text(f"file,label\n{both}\n")
        with pytest.raises(DataError, match=r"says both of b\.wav"):
            recordings(tmp_path / "calls", labels)
    labels.write_text("name,label\na.wav,bona_fide\n")
    with pytest.raises(DataError, match="needs the columns file and label"):
        recordings(tmp_path / "calls", labels)


def test_a_folder_without_recordings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no genuine recording in"):
        recordings(tmp_path)


def test_a_recording_is_scored_window_by_window_and_a_damaged_one_is_named(tmp_path: Path) -> None:
    detector = Detector(Engine("cpu", workers=1))
    call = scored_call(speech(tmp_path / "a.wav"), detector)
    assert call is not None
    assert list(call.windows) == [Signal.VOICE]
    assert call.sources == ("a.wav",)
    assert not call.is_telephone
    scores = list(call.scores())
    assert sum(score.raw is not None for score in scores) > len(scores) / 2
    (tmp_path / "b.wav").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"cannot decode .*b\.wav"):
        scored_call(tmp_path / "b.wav", detector)


def test_own_calls_give_thresholds_of_their_own_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for i in range(3):
        speech(tmp_path / "calls" / f"{i}.wav", times=4 + i)
    out = tmp_path / "own.json"
    calibrate.main(["decision", "--bona-fide", str(tmp_path / "calls"), "--out", str(out), "--workers", "1"])
    said = capsys.readouterr().out
    assert "1000 call-hours" in said
    assert json.loads(said.splitlines()[-1])["digest"] == promise.load(out).digest
    own, shipped = promise.load(out), promise.load()
    assert own.thresholds["wideband"].sources == 3
    assert own.thresholds["wideband"].proven_hours < 0.1  # three short calls prove nothing, and it is said
    assert own.thresholds["telephone"] == shipped.thresholds["telephone"]
    assert own.biases == shipped.biases


def test_own_calls_never_overwrite_what_we_ship(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        calibrate.main(["decision", "--bona-fide", str(tmp_path)])
    assert "--bona-fide needs --out" in capsys.readouterr().err
