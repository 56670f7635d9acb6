"""`python -m stream compare` as a person meets it: two recordings of one person or two, and one that changes."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from models.training.voice_data import decode
from models.weights import ensure
from models.window import SAMPLE_RATE_HZ, Samples
from stream.compare_words import WORDS

ROOT = Path(__file__).parents[2]


def kua(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream", "compare", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=110, check=False)


def write(path: Path, samples: Samples) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=SAMPLE_RATE_HZ, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32_000).astype(np.int16)[None], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A man's voice, once more, another voice, a call in which the second takes over, and what cannot be compared."""
    folder = tmp_path_factory.mktemp("compared")
    man = np.fromfile(ensure("speech"), "<i2").astype(np.float32) / 32768
    machine = decode(ROOT / "stream" / "demo_voice.ogg")
    said = {seconds: np.resize(man, seconds * SAMPLE_RATE_HZ) for seconds in (6, 15)}
    made = {
        "man": write(folder / "a man.wav", said[6]),
        "again": write(folder / "again.wav", np.resize(np.roll(man, 20_000), 7 * SAMPLE_RATE_HZ)),
        "machine": write(folder / "machine.wav", machine),
        "taken over": write(folder / "[taken] over.wav", np.concatenate([said[15], machine])),
        "silence": write(folder / "silence.wav", np.zeros(6 * SAMPLE_RATE_HZ, np.float32)),
        "garbage": folder / "garbage.mp4",
    }
    made["garbage"].write_bytes(b"this is no film" * 100)
    return made


def test_two_recordings_of_one_voice_and_of_two_are_told_apart(files: dict[str, Path]) -> None:
    done = kua(str(files["man"]), str(files["again"]))
    assert done.returncode == 0, done.stderr
    headline, voice, face, caution = done.stdout.splitlines()
    assert headline == "SAME PERSON LIKELY  a man.wav, again.wav"
    assert voice.startswith("  voice: the same person is likely, llr +")
    assert face == "  face: not compared, no face is to be seen"
    assert "does not make either genuine" in caution
    done = kua("--json", str(files["man"]), str(files["machine"]))
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["likeness"] == "another_person"
    voice, face = said["signals"]
    assert (voice["signal"], voice["likeness"]) == ("identity_voice", "another_person")
    assert voice["llr"] < -1
    assert (face["signal"], face["llr"], face["reason"]) == ("identity_face", None, "no_face")


def test_it_speaks_the_language_of_the_terminal(files: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "kk_KZ.UTF-8")
    headline, voice, face, _ = kua(str(files["man"]), str(files["again"])).stdout.splitlines()
    assert headline == "БІР АДАМ БОЛУЫ ЫҚТИМАЛ  a man.wav, again.wav"
    assert voice.startswith("  дауыс: сол адам болуы ықтимал")
    assert face.startswith("  бет: салыстырылмады")


def test_every_language_fills_in_the_same() -> None:
    fields = {
        language: {f.name: set(re.findall(r"{(\w+)", str(getattr(words, f.name)))) for f in dataclasses.fields(words)}
        for language, words in WORDS.items()
    }
    assert fields["kk"] == fields["ru"] == fields["en"]


def test_one_recording_says_when_its_voice_changes(files: dict[str, Path]) -> None:
    done = kua("--json", str(files["taken over"]))
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    (change,) = said["signals"][0]["changes"]
    assert change["changed_at_s"] == pytest.approx(15, abs=2)
    done = kua(str(files["taken over"]))
    headline, voice, _ = done.stdout.splitlines()
    assert headline == "ANOTHER PERSON FROM SOME TIME ON  [taken] over.wav"
    assert voice.startswith("  voice: changed at 0:1")


def test_what_cannot_be_compared_says_why(files: dict[str, Path]) -> None:
    done = kua(str(files["man"]), str(files["silence"]))
    assert done.returncode == 4
    assert "CANNOT TELL" in done.stdout
    assert "  voice: not compared, nobody speaks" in done.stdout.splitlines()


def test_what_cannot_be_read_is_one_line(files: dict[str, Path]) -> None:
    done = kua(str(files["garbage"]))
    assert done.returncode == 5
    assert "error: garbage.mp4: not a sound, picture or video file" in done.stderr
    assert "Traceback" not in done.stderr


def test_more_than_two_files_are_refused(files: dict[str, Path]) -> None:
    done = kua(*[str(files["man"])] * 3)
    assert done.returncode == 2
    assert "got 3 files, expected one or two" in done.stderr
