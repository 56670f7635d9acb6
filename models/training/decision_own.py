"""Own genuine calls as what thresholds are measured on: recordings in, one scored call each out, nothing composed."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import av

from models.composed_calls import ComposedCall, Heard, Kind
from models.detector import Detector
from models.faces import FaceTracker, follow
from models.training.clips import voice_windows
from models.training.face_data import RECORDINGS, DataError, pictures
from models.training.voice_data import decode
from models.window import HOP_S, WINDOW_S, FaceCrop, FaceWindow, Score, Signal

SOUNDS = {".wav", ".mp3", ".ogg", ".opus", ".flac", ".m4a"}
AT_ONCE = 32
BONA_FIDE = "bona_fide"


def recordings(folder: Path, labels: Path | None = None) -> list[Path]:
    """Return the recordings of a folder that are taken to be genuine.

    Args:
        folder: Also its subfolders are searched.
        labels: CSV with the columns `file` and `label`, as `/v1/labels.csv` gives it: what people found of alerts.
            `file` is a recording's place in the folder, its name, or its name without the ending. Those that are
            labelled anything but `bona_fide` are left out. All others stay: calls that never alerted have no label,
            and false alarms alone would be a biased sample.

    Raises:
        DataError: There are none, the labels lack a column, or say both of one recording.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in RECORDINGS | SOUNDS)
    if labels:
        said = _read_labels(labels)
        known = {path: {said[name] for name in _names(path, folder) if name in said} for path in found}
        if twice := [path.name for path, own in known.items() if len(own) > 1]:
            raise DataError(f"{labels} says both of {', '.join(twice)}")
        found = [path for path in found if known[path] <= {BONA_FIDE}]
    if not found:
        raise DataError(f"no genuine recording in {folder}: expected files that end in {_endings()}")
    return found


def _read_labels(path: Path) -> dict[str, str]:
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    if any({"file", "label"} - set(row) for row in rows):
        raise DataError(f"{path} needs the columns file and label")
    said = {row["file"]: row["label"] for row in rows}
    if twice := sorted({row["file"] for row in rows if said[row["file"]] != row["label"]}):
        raise DataError(f"{path} says both of {', '.join(twice)}")
    return said


def _names(path: Path, folder: Path) -> set[str]:
    return {str(path.relative_to(folder)), path.name, path.stem}


def _endings() -> str:
    return ", ".join(sorted(RECORDINGS | SOUNDS))


def scored_call(path: Path, detector: Detector) -> ComposedCall | None:
    """Return a recording as a call, scored as the service does; None where nothing of it could be judged.

    Raises:
        DataError: It cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            has_sound, has_pictures = bool(container.streams.audio), bool(container.streams.video)
        voice = list(_voice(path, detector)) if has_sound else []
    except (av.FFmpegError, OSError) as exc:
        raise DataError(f"cannot decode {path}: {exc}") from exc
    windows = {Signal.VOICE: [_heard(score) for score in voice]}
    windows |= {Signal.FACE: [_heard(score) for score in _face(path, detector)]} if has_pictures else {}
    windows = {signal: own for signal, own in windows.items() if any(heard.raw is not None for heard in own)}
    if not windows:
        return None
    judged = [score for score in voice if score.raw is not None]
    return ComposedCall(
        kind=Kind.BONA_FIDE,
        windows=windows,
        sources=(path.name,),
        attack_types={},
        onset_s=None,
        is_telephone=2 * sum(score.is_telephone for score in judged) > len(judged),
    )


def _heard(score: Score) -> Heard:
    return Heard(score.raw, score.reason, score.analysed_s)


def _voice(path: Path, detector: Detector) -> Iterator[Score]:
    windows = voice_windows(decode(path))
    for start in range(0, len(windows), AT_ONCE):
        yield from detector.score(tuple(windows[start : start + AT_ONCE]))


def _face(path: Path, detector: Detector) -> Iterator[Score]:
    """Yield the score of every window's main face; no more than a window's pictures are in memory."""
    tracker, end_s = FaceTracker(), WINDOW_S
    recent: deque[tuple[float, tuple[FaceCrop, ...]]] = deque()
    for time_s, rgb in pictures(path):
        while time_s >= end_s:
            while recent and recent[0][0] < end_s - WINDOW_S:
                recent.popleft()
            yield detector.score((_main(list(recent), end_s),))[0]
            end_s += HOP_S
        recent.append((time_s, follow(rgb, time_s, tracker, detector.find_faces)))


def _main(recent: Sequence[tuple[float, tuple[FaceCrop, ...]]], end_s: float) -> FaceWindow:
    tracks: dict[int, list[FaceCrop]] = {}
    for _, crops in recent:
        for crop in crops:
            tracks.setdefault(crop.track, []).append(crop)
    track = max(tracks, key=lambda number: sum(crop.face_px for crop in tracks[number]), default=0)
    return FaceWindow(
        start_s=end_s - WINDOW_S,
        end_s=end_s,
        track=track,
        crops=tuple(tracks.get(track, ())),
        n_pictures=len(recent),
    )
