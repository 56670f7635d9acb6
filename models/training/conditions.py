"""Conditions that a clip is judged under, and its score under each.

A clip is decoded once. Only its pictures go on from here, and of these only aligned crops reach the detector: no size,
rate, length, container or sound track can, whatever they would give away.
"""

import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np

from models.detector import Detector
from models.faces import Detection, FaceTracker, crops_of
from models.preprocess import face_px
from models.training.clips import face_windows
from models.training.face_data import DataError
from models.training.hard_negatives import DRAWS, Kind, harden
from models.training.transcode import (
    Channel,
    Codec,
    Timed,
    as_gif,
    as_still,
    call_sized,
    full_rate,
    padded,
    remuxed,
    rescaled,
    sampled,
    sampled_clip,
    transcode,
)
from models.window import FaceCrop, FaceWindow, Pixels, Score

PLAIN = "plain"
HARD = "hard-"
SIZES_PX = (40, 60, 90, 130)
INVARIANT = ("remux-matroska", "remux-mp4", "padded-10", "rescaled-90", "rescaled-110")
NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Clip:
    """A decoded clip."""

    path: Path
    pictures: tuple[Timed, ...]
    """Sampled as everywhere, at the clip's own size."""
    call: tuple[Timed, ...]
    """Every picture, at a call's size: what an encoder needs."""
    faces: tuple[tuple[Detection, ...], ...]
    """Of each of `pictures`."""

    @property
    def face_px(self) -> float:
        """Median size of the largest face [px]; 0 without one."""
        sizes = [face_px(faces[0].landmarks) for faces in self.faces if faces]
        return float(np.median(sizes)) if sizes else 0.0


Condition = Callable[[Clip], Iterable[Timed] | None]
"""Gives the pictures that the detector sees; None where the condition makes no sense for the clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """The score of one clip under one condition: of the face whose windows score lowest on the mean."""

    file: str
    condition: str
    model: str
    """Digest of the face network's weights."""
    raw: float | None
    """Mean over windows, up = bona fide; None where nothing could be judged."""
    llr: float | None
    """[nat]"""
    reason: str | None
    """Why there is no score: the most frequent reason of the windows."""
    n_windows: int
    between_windows: float | None
    """Standard deviation of the windows' raw scores; they overlap, so it says less than half_gap."""
    half_gap: float | None
    """Raw score of the face's first half of pictures, minus that of its second half; None where a half is too short."""
    face_px: float | None
    """Median of the judged face [px]."""
    seconds: float
    """What it took of one core [s], on a busy machine too; for the first condition asked for decoding included."""


def conditions(kbit_s: Sequence[int], *, histories: bool = False) -> dict[str, Condition]:
    """Return all conditions by name.

    Args:
        kbit_s: Bit rates, for each codec.
        histories: Whether to judge clips that were a GIF or JPEG and WebP pictures before, too.
    """
    found: dict[str, Condition] = {PLAIN: lambda clip: clip.pictures}
    for rate in kbit_s:
        found |= {channel.name: _coded(channel) for channel in (Channel(codec=c, kbit_s=rate) for c in Codec)}
    found |= {f"remux-{name}": _remuxed(name) for name in ("matroska", "mp4")}
    found |= {"padded-10": _each(padded)}
    found |= {f"rescaled-{share}": _each(partial(rescaled, factor=share / 100)) for share in (90, 110)}
    found |= {f"face-{px}": _face_sized(px) for px in SIZES_PX}
    found |= {f"{HARD}{kind}": _hard(kind) for kind in Kind}
    if histories:
        found |= {"gif": lambda clip: as_gif(call_sized(clip.pictures))}
        found |= {f"{name}-50": _each(partial(as_still, suffix=f".{name}", quality=50)) for name in ("jpg", "webp")}
    return found


def load(path: Path, detector: Detector) -> Clip:
    """Decode a clip and find its faces.

    Raises:
        DataError: The clip cannot be decoded.
    """
    call: list[Timed] = []

    def passing() -> Iterator[Timed]:
        """Keep each picture at a call's size only; at their own, all of a large clip's would fill the memory."""
        for timed in full_rate(path):
            call.extend(call_sized([timed]))
            yield timed

    pictures = tuple(sampled(passing()))
    faces = tuple(detector.find_faces(rgb) for _, rgb in pictures)
    return Clip(path=path, pictures=pictures, call=tuple(call), faces=faces)


def judge_clip(
    path: Path, file: str, wanted: Sequence[str], offered: dict[str, Condition], detector: Detector
) -> Iterator[Row]:
    """Yield the row of each wanted condition.

    Raises:
        DataError: The clip cannot be decoded.
    """
    start = process_time()
    clip = load(path, detector)
    for name in wanted:
        pictures = offered[name](clip)
        yield _row(pictures, clip, file, name, detector, start)
        start = process_time()


def _row(pictures: Iterable[Timed] | None, clip: Clip, file: str, name: str, detector: Detector, start: float) -> Row:
    seen = [] if pictures is None else _crops(pictures, clip, detector)
    windows = face_windows(seen)
    by_track: dict[int, list[Score]] = defaultdict(list)
    reasons: Counter[str] = Counter([NOT_APPLICABLE] if pictures is None else [])
    for score in detector.score(tuple(windows)):
        if score.raw is not None:
            by_track[score.track].append(score)
        elif score.reason is not None:
            reasons[score.reason] += 1
    worst = min(by_track, key=lambda track: _mean([score.raw for score in by_track[track]]), default=0)
    scores = by_track.get(worst, [])
    raws = [score.raw for score in scores if score.raw is not None]
    crops = [crop for _, crops in seen for crop in crops if crop.track == worst]
    return Row(
        file=file,
        condition=name,
        model=detector.digests["face"][:12],
        raw=_mean(raws) if raws else None,
        llr=_mean([score.llr for score in scores]) if raws else None,
        reason=None if raws else reasons.most_common(1)[0][0] if reasons else "no_picture",
        n_windows=len(raws),
        between_windows=float(np.std(raws)) if len(raws) > 1 else None,
        half_gap=_half_gap(crops, detector),
        face_px=float(np.median([crop.face_px for crop in crops])) if crops else None,
        seconds=round(process_time() - start, 3),
    )


def _crops(pictures: Iterable[Timed], clip: Clip, detector: Detector) -> list[tuple[float, tuple[FaceCrop, ...]]]:
    """Return time and crops of each picture, as the service cuts them."""
    tracker, seen = FaceTracker(), []
    for index, (time_s, rgb) in enumerate(pictures):
        # Found already if it is the clip's own picture.
        faces = clip.faces[index] if pictures is clip.pictures else detector.find_faces(rgb)
        seen.append((time_s, crops_of(rgb, time_s, tracker.update(time_s, faces))))
    return seen


def _half_gap(crops: Sequence[FaceCrop], detector: Detector) -> float | None:
    middle = len(crops) // 2
    halves = tuple(
        FaceWindow(start_s=half[0].time_s, end_s=half[-1].time_s, track=1, crops=tuple(half), n_pictures=len(half))
        for half in (crops[:middle], crops[middle:])
        if half
    )
    raws = [score.raw for score in detector.score(halves) if score.raw is not None]
    return raws[0] - raws[1] if len(raws) == 2 else None


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def _coded(channel: Channel) -> Condition:
    return lambda clip: transcode(clip.call, channel)


def _remuxed(container: str) -> Condition:
    """Copy the coded pictures as they are.

    A track of sound may start before the pictures, and a container without negative times then delays these: what is
    sampled can fall on the pictures beside. That is what a viewer of the copy would see, so it is not undone.
    """

    def copy(clip: Clip) -> Iterable[Timed] | None:
        try:
            return sampled_clip(remuxed(clip.path, container))
        except DataError:  # a codec that has no place in the container
            return None

    return copy


def _each(change: Callable[[Pixels], Pixels]) -> Condition:
    return lambda clip: ((time_s, change(rgb)) for time_s, rgb in clip.pictures)


def _face_sized(px: int) -> Condition:
    def shrink(clip: Clip) -> Iterable[Timed] | None:
        # A face that has nearly the size already would be judged as it is, one that is smaller be blown up.
        if clip.face_px < 1.1 * px:
            return None
        return ((time_s, rescaled(rgb, px / clip.face_px)) for time_s, rgb in clip.pictures)

    return shrink


def _hard(kind: Kind) -> Condition:
    def apply(clip: Clip) -> Iterable[Timed]:
        # Not hash(), which differs from process to process.
        rng = np.random.default_rng(zlib.crc32(f"{clip.path.name} {kind}".encode()))
        marks = (faces[0].landmarks if faces else None for faces in clip.faces)
        seen = ((time_s, rgb, mark) for (time_s, rgb), mark in zip(clip.pictures, marks, strict=True))
        return harden(seen, DRAWS[kind](rng))

    return apply
