"""Several versions of every clip, as crops: as it is, through a call's codec, and forged from end to end.

A forgery here is video-consistent: the same blend, rendering or warp follows the face through all pictures, with the
jitter of a frame-by-frame generator, is pasted into the full picture and only then encoded. What is drawn depends on
the file's name alone, so that a cut-off preparation goes on where it was.
"""

import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import pairwise, takewhile
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from models.faces import Detection, FaceFinder
from models.preprocess import align_face, similarity
from models.training.face_augment import Forgery, Rng, mouth_blend, reenacted, rendered, self_blend
from models.training.face_data import BONA_FIDE, LEFT_ASIDE, Trial, largest_face, read_manifest
from models.training.face_forgers import COPIED, Autoencoder, copies, load_forgers
from models.training.transcode import Channel, Codec, Timed, call_sized, full_rate, sampled, transcode
from models.window import CROP_PX, WINDOW_PICTURES, WINDOW_S, Landmarks, Pixels

PLAIN, CODED, FORGED = "plain", "coded", "forged"
VIEWS = (PLAIN, CODED, "h264-300", "vp8-300", f"{FORGED}-1", f"{FORGED}-2", f"{FORGED}-3")
MIN_KBIT_S, MAX_KBIT_S = 75, 750
"""Of `THINNED_HZ` pictures a second: those of a call at 150 to 1,500 kbit/s with 30 pictures a second."""
THINNED_HZ = 15
JITTER_PX = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One version of one clip; its crops stand in a file of their own."""

    trial: Trial
    name: str
    """One of `VIEWS`."""
    forgery: str
    """Kind of forgery that was made here, empty if none."""
    channel: str
    """Codec and bit rate that it went through here, empty if none."""
    times: tuple[float, ...]
    landmarks: tuple[tuple[tuple[float, float], ...], ...]
    """In each crop, see `models.window.FaceCrop.landmarks`."""
    face_px: tuple[float, ...]
    sharpness: tuple[float, ...]

    @property
    def is_bona_fide(self) -> bool:
        return self.trial.label == BONA_FIDE and not self.forgery

    @property
    def file(self) -> str:
        return f"{_stem(self.trial)}.{self.name}.npy"


def prepare_views(
    manifest: Path, folder: Path, workers: int, *, measured: bool = True
) -> tuple[Path, tuple[View, ...]]:
    """Make what is missing of all views, and return where they stand.

    Args:
        manifest: The CSV; files are relative to its folder.
        folder: Where crops and trained forgers are kept.
        workers: Processes.
        measured: Whether to make also the views that nothing is trained on.

    Returns:
        The folder of the views and what they are of.

    Raises:
        models.training.face_data.DataError: A clip cannot be decoded.
    """
    place = folder / "views"
    place.mkdir(parents=True, exist_ok=True)
    clips = [t for t in read_manifest(manifest) if t.kind == "video" and t.source not in LEFT_ASIDE]
    waiting = [trial for trial in clips if not _described(place, trial).is_file()]
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start, initargs=(folder,)) as pool:
        for index, _ in enumerate(
            pool.map(_make_all, [(manifest.parent, place, trial, measured) for trial in waiting])
        ):
            if index % 20 == 19:
                print(f"views of {index + 1} of {len(waiting)} clips", flush=True)
    return place, tuple(view for trial in clips for view in _read(_described(place, trial)))


def forge(pictures: Sequence[Timed], faces: Sequence[Landmarks], kind: str, rng: Rng, net: Autoencoder) -> list[Timed]:
    """Return a clip whose face is forged in every picture.

    Args:
        pictures: At full rate.
        faces: Landmarks of its face in each of them.
        kind: `blend`, `mouth`, `rendered`, or `reenacted`: then the face is the first picture's, moved.
        rng: Source of what is drawn once for the clip.
        net: Renders the face, for `rendered`.
    """
    seed, swing = int(rng.integers(1 << 62)), rng.normal(0, 1, len(pictures)).cumsum()
    jitter = rng.normal(0, JITTER_PX * float(rng.random() < 0.7), (len(pictures), 1, 2)).astype(np.float32)
    still = align_face(pictures[0][1], faces[0])
    forged = []
    for index, (time_s, rgb) in enumerate(pictures):
        landmarks = faces[index] + jitter[index] * _px_per_crop_px(faces[index])
        crop, same = align_face(rgb, landmarks), np.random.default_rng(seed)
        if kind == "rendered":
            forgery = rendered(crop, copies(net, crop[None, COPIED, COPIED])[0], same)
        elif kind == "mouth":
            other = (index + len(pictures) // 3) % len(pictures)
            forgery = mouth_blend(crop, align_face(pictures[other][1], faces[other]), same)
        elif kind == "reenacted":
            forgery = _driven(still, same, float(np.tanh(swing[index] / 8)))
        else:
            forgery = self_blend(crop, same)
        forged.append((time_s, paste(rgb, landmarks, forgery)))
    return forged


def paste(rgb: Pixels, landmarks: Landmarks, forgery: Forgery) -> Pixels:
    """Lay the altered part of a crop back into the picture that it was cut from."""
    size, matrix = (rgb.shape[1], rgb.shape[0]), similarity(landmarks)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # Where a swap touches a picture is wider than where it alters it, and ends softly.
    near = cv2.GaussianBlur((forgery.mask > 0.02).astype(np.float32), (0, 0), 2.0)
    near[[0, -1], :] = near[:, [0, -1]] = 0
    back = cv2.warpAffine(forgery.pixels, matrix, size, flags=flags)
    weight = cv2.warpAffine(near, matrix, size, flags=flags)[..., None]
    return np.asarray(np.clip(rgb + weight * (back.astype(np.float32) - rgb) + 0.5, 0, 255), np.uint8)


def _driven(still: Pixels, rng: Rng, swing: float) -> Forgery:
    """Return the still's head, its features moved by a share of the warp that was drawn, either way."""
    moved = reenacted(still, rng, swing).pixels
    ys, xs = np.mgrid[-1 : 1 : CROP_PX * 1j, -1 : 1 : CROP_PX * 1j]  # complex steps count points
    oval = np.clip((1.0 - np.hypot(xs / 0.72, (ys - 0.05) / 0.85)) * 8, 0, 1).astype(np.float32)
    return Forgery(moved, oval)


def _px_per_crop_px(landmarks: Landmarks) -> float:
    matrix = similarity(landmarks)
    return 1.0 / max(float(np.hypot(matrix[0, 0], matrix[1, 0])), 1e-3)


_finder: FaceFinder | None = None
_forgers: tuple[Autoencoder, ...] = ()
"""Of the process that makes views."""


def _start(folder: Path) -> None:
    global _finder, _forgers
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    _finder, _forgers = FaceFinder(), load_forgers(folder)


def _make_all(task: tuple[Path, Path, Trial, bool]) -> None:
    root, place, trial, measured = task
    rng = np.random.default_rng(zlib.crc32(trial.file.encode()))
    pictures = list(takewhile(lambda timed: timed[0] < WINDOW_S + 0.1, call_sized(full_rate(root / trial.file))))
    made = [
        _view(place, trial, PLAIN, "", "", list(sampled(pictures))),
        _coded(place, trial, CODED, "", _thinned(pictures), _channel(rng)),
    ]
    for codec in Codec if measured else ():
        made.append(_coded(place, trial, f"{codec}-300", "", pictures, Channel(codec=codec, kbit_s=300)))
    if trial.label == BONA_FIDE:
        made += _forged(place, trial, _thinned(pictures), rng)
    rows = [asdict(view) for view in made if view is not None]
    _described(place, trial).write_text(json.dumps(rows))


def _forged(place: Path, trial: Trial, pictures: list[Timed], rng: Rng) -> list[View | None]:
    faces = _followed(pictures)
    if faces is None:
        return []
    made: list[View | None] = []
    for number, kind in enumerate(("rendered", str(rng.choice(["blend", "reenacted"])), "mouth"), 1):
        net = _forgers[rng.integers(len(_forgers))]
        forged = forge(pictures, faces, kind, rng, net)
        made.append(_coded(place, trial, f"{FORGED}-{number}", kind, forged, _channel(rng)))
    return made


def _thinned(pictures: list[Timed]) -> list[Timed]:
    """Return at most `THINNED_HZ` pictures a second: half the time, at half the bit rate, for the same quality."""
    return [two for one, two in pairwise([(-1.0, pictures[0][1]), *pictures]) if _tick(two) != _tick(one)]


def _tick(timed: Timed) -> int:
    return int(timed[0] * THINNED_HZ + 1e-6)


def _channel(rng: Rng) -> Channel:
    rate = np.exp(rng.uniform(np.log(MIN_KBIT_S), np.log(MAX_KBIT_S)))
    return Channel(codec=list(Codec)[rng.integers(len(Codec))], kbit_s=int(rate))


def _coded(place: Path, trial: Trial, name: str, forgery: str, pictures: list[Timed], channel: Channel) -> View | None:
    return _view(place, trial, name, forgery, channel.name, list(transcode(pictures, channel)))


def _view(place: Path, trial: Trial, name: str, forgery: str, channel: str, pictures: Sequence[Timed]) -> View | None:
    """Cut the main face and keep it; None where there is no face."""
    assert _finder is not None
    crops = largest_face(pictures, _finder)[:WINDOW_PICTURES]
    if not crops:
        return None
    view = View(
        trial=trial,
        name=name,
        forgery=forgery,
        channel=channel,
        times=tuple(round(crop.time_s, 3) for crop in crops),
        landmarks=tuple(tuple((round(float(x), 2), round(float(y), 2)) for x, y in crop.landmarks) for crop in crops),
        face_px=tuple(round(crop.face_px, 1) for crop in crops),
        sharpness=tuple(round(crop.sharpness, 1) for crop in crops),
    )
    np.save(place / view.file, np.stack([crop.pixels for crop in crops]))
    return view


def _followed(pictures: Sequence[Timed]) -> list[Landmarks] | None:
    """Return the main face's landmarks in every picture, found in some and drawn between; None if it is ever lost."""
    assert _finder is not None
    places = sorted({*range(0, len(pictures), 5), len(pictures) - 1})
    found: list[Detection] = []
    for place in places:
        faces = _finder.find(pictures[place][1], found[-1:])
        if not faces:
            return None
        found.append(faces[0])
    known = [face.landmarks for face in found]
    at = np.interp(np.arange(len(pictures)), places, np.arange(len(places)))
    low = np.minimum(at.astype(int), len(known) - 1)
    high = np.minimum(low + 1, len(known) - 1)
    share = (at - low)[:, None, None]
    between: npt.NDArray[np.float64] = (1 - share) * np.stack(known)[low] + share * np.stack(known)[high]
    return [np.asarray(one, np.float32) for one in between]


def _described(place: Path, trial: Trial) -> Path:
    return place / f"{_stem(trial)}.json"


def _stem(trial: Trial) -> str:
    """Return a file name that no other clip has, though it lie in another folder."""
    return f"{Path(trial.file).stem}-{zlib.crc32(trial.file.encode()):08x}"


def _read(path: Path) -> list[View]:
    return [
        View(
            trial=Trial(**row["trial"]),
            name=row["name"],
            forgery=row["forgery"],
            channel=row["channel"],
            times=tuple(row["times"]),
            landmarks=tuple(tuple((x, y) for x, y in one) for one in row["landmarks"]),
            face_px=tuple(row["face_px"]),
            sharpness=tuple(row["sharpness"]),
        )
        for row in json.loads(path.read_text())
    ]
