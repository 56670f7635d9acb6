"""Pictures of alerted faces: in memory by default, on disk for some days where the operator says so, then gone."""

import asyncio
import errno
import stat
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.window import Pixels
from stream.alerts.faces import DAY_S, MAX_HELD, Faces

RED = np.full((224, 224, 3), (200, 30, 30), np.uint8)
BLUE = np.full((224, 224, 3), (30, 30, 200), np.uint8)


def colour(jpeg: bytes | None) -> list[int]:
    """Return the middle's red, green and blue."""
    assert jpeg is not None
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert bgr.shape == (224, 224, 3)
    return [int(value) for value in bgr[112, 112, ::-1]]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def is_near(jpeg: bytes | None, pixels: Pixels) -> bool:
    return max(abs(a - int(b)) for a, b in zip(colour(jpeg), pixels[0, 0], strict=True)) <= 4


async def test_by_default_a_face_is_in_memory_and_never_on_disk(tmp_path: Path) -> None:
    faces = Faces(tmp_path / "faces", keep_days=0)
    await faces.keep("s", "a", RED)
    assert is_near(await faces.get("s", "a"), RED)
    assert await faces.get("s", "b") is None
    assert await faces.get("t", "a") is None
    assert names(tmp_path) == []
    faces.forget("s")
    assert await faces.get("s", "a") is None


async def test_the_newest_picture_of_an_alert_replaces_the_one_before(tmp_path: Path) -> None:
    for days in (0, 1):
        faces = Faces(tmp_path / "faces", keep_days=days)
        await faces.keep("s", "a", RED)
        await faces.keep("s", "a", BLUE)
        assert is_near(await faces.get("s", "a"), BLUE)


async def test_a_call_with_many_alerts_holds_its_newest_pictures(tmp_path: Path) -> None:
    faces = Faces(tmp_path / "faces", keep_days=0)
    for i in range(MAX_HELD + 2):
        await faces.keep("s", str(i), RED)
    there = [await faces.get("s", str(i)) is not None for i in range(MAX_HELD + 2)]
    assert there == [False] * 2 + [True] * MAX_HELD


async def test_a_kept_face_is_a_file_for_our_eyes_only_and_outlives_a_restart_until_its_days_are_over(
    tmp_path: Path,
) -> None:
    clock = [0.0]
    faces = Faces(tmp_path / "faces", keep_days=2, now=lambda: clock[0])
    await faces.keep("s-1", "a_2", RED)
    (path,) = (tmp_path / "faces").iterdir()
    assert path.name == "s-1.a_2.jpg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    written = path.stat().st_mtime

    restarted = Faces(tmp_path / "faces", keep_days=2, now=lambda: clock[0])
    clock[0] = written + 1.9 * DAY_S
    restarted.sweep()
    assert is_near(await restarted.get("s-1", "a_2"), RED)
    clock[0] = written + 2.1 * DAY_S
    assert await restarted.get("s-1", "a_2") is None
    assert await faces.get("s-1", "a_2") is None
    restarted.sweep()
    assert not path.exists()


async def test_where_nothing_is_kept_any_more_the_next_start_deletes_what_was(tmp_path: Path) -> None:
    await Faces(tmp_path / "faces", keep_days=2).keep("s", "a", RED)
    faces = Faces(tmp_path / "faces", keep_days=0)
    await faces.start()
    assert names(tmp_path / "faces") == []
    await faces.close()


async def test_what_a_crash_left_half_written_is_deleted_and_other_files_are_not(tmp_path: Path) -> None:
    (tmp_path / "s.a.part").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("mine")
    written = (tmp_path / "s.a.part").stat().st_mtime
    Faces(tmp_path, keep_days=2, now=lambda: written + 61).sweep()
    assert names(tmp_path) == ["notes.txt"]


async def test_the_service_deletes_them_by_itself_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.alerts.faces.SWEEP_S", 0.01)
    clock = [0.0]
    faces = Faces(tmp_path, keep_days=1, now=lambda: clock[0])
    await faces.start()
    await faces.keep("s", "a", RED)
    path = tmp_path / "s.a.jpg"
    clock[0] = path.stat().st_mtime + 1.01 * DAY_S
    async with asyncio.timeout(5):
        while path.exists():
            await asyncio.sleep(0.01)
    await faces.close()


async def test_a_full_disk_leaves_the_picture_in_memory_and_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    faces = Faces(tmp_path / "faces", keep_days=2)
    await faces.keep("s", "a", RED)
    assert is_near(await faces.get("s", "a"), RED)
    assert names(tmp_path / "faces") == []
    assert "No space left on device" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["..", "../kua", "a/b", "", "a.b", "x" * 65])
async def test_a_name_that_is_none_of_ours_reads_no_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "faces").mkdir()
    (tmp_path / "kua.a.jpg").write_bytes(b"secret")
    faces = Faces(tmp_path / "faces", keep_days=2)
    assert await faces.get(name, "a") is None
    assert await faces.get("s", name) is None
