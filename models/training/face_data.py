"""From the manifest's clips and stills to aligned crops on disk, and to splits that share no source.

Crops are found and cut by the very code that serves. They are kept as raw pixels: any second compression would differ
between clips and stills and so give the class away.
"""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from models.faces import FaceFinder, FaceTracker, follow
from models.window import CROP_PX, PICTURE_RATE_HZ, FaceCrop, Pixels

BONA_FIDE, SPOOF = "bona_fide", "spoof"

# Their generated stills are the only stills of their class and come from one page: a detector would learn the page.
LEFT_ASIDE = {"hmdghoul/generated-faces"}


# Genuine clips of pages that are never measured: what the network's eyes are trained on, with the stills.
PRETRAINING = {
    "AlaaAElshafei/Head-Pose-Estimation",
    "EvelynQIN/face_landmark_detection",
    "KwaiVGI/LivePortrait",
    "TMElyralab/MuseTalk",
    "Weizhi-Zhong/IP_LAP",
    "afourast/deep_lip_reading",
    "ajay-sainy/Wav2Lip-GFPGAN",
    "bytedance/LatentSync",
    "deerajnagothu/face2face-demo",
    "harlanhong/CVPR2022-DaGAN",
    "intel-iot-devkit/sample-videos",
    "minhminh2k/Sign_Language_Recognition",
    "saumyasinha023/TextToSignLanguage",
    "shivang3303/Deepfake-Creation",
    "tinaw1412/SignQuest",
    "vaibhavkothari33/speech_to_handsign",
    "vdotup/blink-detection",
    "yerfor/Real3DPortrait",
    "yoyo-nb/Thin-Plate-Spline-Motion-Model",
}


COLUMNS = ("file", "label", "attack", "attack_type", "kind", "source", "licence")
OWN, OWN_HELD = "own/", "own-held/"
"""What the source of one's own recordings begins with, and of those that measure and calibrate instead."""
HELD_EVERY = 5
"""Of one's own recordings one in so many is held out."""
RECORDINGS = {".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v"}


class DataError(RuntimeError):
    """The manifest or one of its files cannot be used; the message names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One line of the manifest."""

    file: str
    label: str
    attack: str
    attack_type: str
    kind: str
    source: str
    licence: str
    path: str = ""
    """Where the source has it, where that is known: two halves of one recording share it."""


def is_pretraining(trial: Trial) -> bool:
    """Return whether the frame branch and the forgers learn from a file: a genuine still or of `PRETRAINING`."""
    return trial.label == BONA_FIDE and (
        trial.kind == "still" or trial.source in PRETRAINING or trial.source.startswith(OWN)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where the crops of one clip or still stand in the cache: rows `first` to `first + count - 1`, by time."""

    trial: Trial
    first: int
    count: int
    face_px: tuple[float, ...]
    sharpness: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cache:
    """All crops, shape (N, CROP_PX, CROP_PX, 3), read from disk as they are touched, and what they are of."""

    crops: npt.NDArray[np.uint8]
    entries: tuple[Entry, ...]

    def of(self, entry: Entry) -> npt.NDArray[np.uint8]:
        """Return the crops of an entry, shape (count, CROP_PX, CROP_PX, 3)."""
        return self.crops[entry.first : entry.first + entry.count]


def read_manifest(path: Path) -> tuple[Trial, ...]:
    """Read the lines of a manifest that hold pictures.

    Raises:
        DataError: A column is missing or a label unknown.
    """
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        trials = tuple(
            Trial(**{name: row[name] for name in COLUMNS}, path=row.get("path") or row["file"]) for row in rows
        )
    except KeyError as exc:
        raise DataError(f"{path} has no column {exc}") from exc
    for trial in trials:
        if trial.label not in {BONA_FIDE, SPOOF}:
            raise DataError(f"{path}: {trial.file} has label {trial.label!r}, must be {BONA_FIDE} or {SPOOF}")
    return tuple(trial for trial in trials if trial.kind in {"video", "still"})


def with_own_calls(manifest: Path | None, calls: Path, folder: Path) -> Path:
    """Write a manifest of one's own genuine recordings, with another's lines where there is one, and return its path.

    Every recording is a source of its own: no two are known to share a camera or a person.

    Args:
        manifest: Of other clips and stills.
        calls: Recordings, also in subfolders.
        folder: Where the new manifest goes.

    Raises:
        DataError: There is no recording.
    """
    own = sorted(path.resolve() for path in calls.rglob("*") if path.suffix.lower() in RECORDINGS)
    if not own:
        raise DataError(f"no recording in {calls}: expected files that end in {', '.join(sorted(RECORDINGS))}")
    trials = [*(read_manifest(manifest) if manifest else ())]
    root = manifest.parent.resolve() if manifest else Path()
    rows = [asdict(trial) | {"file": str(root / trial.file)} for trial in trials]
    rows += [
        {"file": str(path), "label": BONA_FIDE, "attack": "-", "attack_type": "-", "kind": "video", "licence": "own"}
        | {"source": (OWN_HELD if (n + 1) % HELD_EVERY == 0 else OWN) + str(path.relative_to(calls.resolve()))}
        for n, path in enumerate(own)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"with-own-{hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]}.csv"
    with written.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(Trial.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(rows)
    return written


def manifest_digest(path: Path) -> str:
    """Return the SHA-256 of a manifest."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def folder_of(manifest: Path, recipe: str, cache: Path) -> Path:
    """Return where all is kept that a recipe makes of a manifest's files: another's work is never taken up."""
    return cache / f"{recipe}-{manifest_digest(manifest)[:12]}"


def pictures(path: Path) -> Iterator[tuple[float, Pixels]]:
    """Yield time [s] and pixels of a clip's pictures, PICTURE_RATE_HZ of them a second.

    Raises:
        DataError: The clip cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            n_taken = 0
            for frame in container.decode(video=0):
                time_s = float(frame.time or 0.0)
                if time_s * PICTURE_RATE_HZ >= n_taken - 1e-6:
                    n_taken = int(time_s * PICTURE_RATE_HZ + 1e-6) + 1
                    yield time_s, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except av.error.FFmpegError as exc:
        raise DataError(f"cannot decode {path}: {exc}") from exc


def main_face(path: Path, kind: str, finder: FaceFinder) -> tuple[FaceCrop, ...]:
    """Return the crops of the face that fills most of a clip or still; empty where none is found.

    Raises:
        DataError: The file cannot be decoded.
    """
    return largest_face(pictures(path) if kind == "video" else [(0.0, _still(path))], finder)


def largest_face(timed: Iterable[tuple[float, Pixels]], finder: FaceFinder) -> tuple[FaceCrop, ...]:
    """Return the crops of the face that fills most of some pictures, by time; empty where none is found.

    Args:
        timed: Time [s] and pixels of each, by time.
        finder: Finds faces; they are followed as in a call.
    """
    tracker = FaceTracker()
    crops: list[FaceCrop] = []
    for time_s, rgb in timed:
        crops.extend(follow(rgb, time_s, tracker, finder.find))
    weight = {track: 0.0 for track in {crop.track for crop in crops}}
    for crop in crops:
        weight[crop.track] += crop.face_px
    main = max(weight, key=lambda track: weight[track], default=0)
    return tuple(crop for crop in crops if crop.track == main)


def prepare(manifest: Path, folder: Path) -> Cache:
    """Cut the faces of a manifest's files into `folder`, once; later calls read what is there.

    Args:
        manifest: The CSV; files are relative to its folder.
        folder: Where crops go, about 150 kB each; see `folder_of`.

    Raises:
        DataError: A file cannot be read.
    """
    stem = folder / "faces"
    if not stem.with_suffix(".json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _cut(manifest, stem)
    rows = json.loads(stem.with_suffix(".json").read_text())
    entries = tuple(
        Entry(
            trial=Trial(**row["trial"]),
            first=row["first"],
            count=row["count"],
            face_px=tuple(row["face_px"]),
            sharpness=tuple(row["sharpness"]),
        )
        for row in rows
    )
    crops = np.memmap(stem.with_suffix(".u8"), np.uint8, "r").reshape(-1, CROP_PX, CROP_PX, 3)
    return Cache(crops=crops, entries=entries)


def _cut(manifest: Path, stem: Path) -> None:
    finder, entries, n_crops = FaceFinder(), [], 0
    trials = [trial for trial in read_manifest(manifest) if trial.source not in LEFT_ASIDE]
    with stem.with_suffix(".u8").open("wb") as file:
        for index, trial in enumerate(trials):
            crops = main_face(manifest.parent / trial.file, trial.kind, finder)
            for crop in crops:
                file.write(crop.pixels.tobytes())
            entries.append(
                Entry(
                    trial=trial,
                    first=n_crops,
                    count=len(crops),
                    face_px=tuple(round(crop.face_px, 1) for crop in crops),
                    sharpness=tuple(round(crop.sharpness, 1) for crop in crops),
                )
            )
            n_crops += len(crops)
            if index % 200 == 199:
                print(f"{index + 1} of {len(trials)} files, {n_crops} crops", flush=True)
    # Written last: its presence says that the crops are complete.
    stem.with_suffix(".json").write_text(json.dumps([asdict(entry) for entry in entries]))


def _still(path: Path) -> Pixels:
    picture = cv2.imread(str(path))
    if picture is None:
        raise DataError(f"cannot decode {path}")
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)
