"""From the manifest's clips and stills to aligned crops on disk, and to splits that share no source.

Crops are found and cut by the very code that serves. They are kept as raw pixels: any second compression would differ
between clips and stills and so give the class away.
"""

import csv
import hashlib
import json
from collections.abc import Iterator
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
        trials = tuple(Trial(**{name: row[name] for name in Trial.__dataclass_fields__}) for row in rows)
    except KeyError as exc:
        raise DataError(f"{path} has no column {exc}") from exc
    for trial in trials:
        if trial.label not in {BONA_FIDE, SPOOF}:
            raise DataError(f"{path}: {trial.file} has label {trial.label!r}, must be {BONA_FIDE} or {SPOOF}")
    return tuple(trial for trial in trials if trial.kind in {"video", "still"})


def manifest_digest(path: Path) -> str:
    """Return the SHA-256 of a manifest."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


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
    tracker = FaceTracker()
    crops: list[FaceCrop] = []
    for time_s, rgb in pictures(path) if kind == "video" else [(0.0, _still(path))]:
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
        folder: Where crops go, about 150 kB each; a new manifest makes a new cache.

    Raises:
        DataError: A file cannot be read.
    """
    stem = folder / f"faces-{manifest_digest(manifest)[:12]}"
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
