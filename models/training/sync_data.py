"""From clips with sound to mouths beside what is heard: the talks that the sync signal is trained and measured on.

Faces are found and cut by the code that serves, at every picture of the clip, so that training sees more than the five
a second of a call and can measure what that rate costs. A talk is the first window of its clip.
"""

from dataclasses import dataclass, replace
from functools import cache
from itertools import takewhile
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from models.faces import FaceFinder
from models.sync import LOWER_LEFT, LOWER_PX, Array, lower_face, sound_contexts
from models.training import face_data
from models.training.face_data import BONA_FIDE, Trial
from models.training.transcode import full_rate
from models.training.voice_augment import Degrader
from models.training.voice_data import decode
from models.voice_activity import VoiceActivity, speech_seconds
from models.voice_quality import MIN_SPEECH_S
from models.window import PICTURE_RATE_HZ, WINDOW_S, WINDOW_SAMPLES, Samples

MIN_SEEN_S = 1.5
"""Shorter talks are left out: ten pictures of a call are two seconds."""
MAX_DROPPED = 4
"""Pictures of a window that a call may lose in training."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Talk:
    """One face of one clip and the sound of the clip."""

    file: str
    source: str
    attack_type: str
    """`-` for bona fide."""
    times_s: npt.NDArray[np.float32]
    """Of its pictures, at the clip's own rate, shape (N,) [s]."""
    lower: npt.NDArray[np.uint8]
    """From `models.sync.lower_face`, shape (N, LOWER_PX, LOWER_PX)."""
    landmarks: npt.NDArray[np.float32]
    """Within the crops, shape (N, 5, 2) [px]."""
    samples: Samples
    """Of the whole window; a shorter clip's is filled up with silence, shape (WINDOW_SAMPLES,)."""
    sound_s: float
    """Of the samples, how much the clip had [s]."""


def prepare(manifest: Path, folder: Path) -> tuple[Talk, ...]:
    """Return the talks of a manifest, from `folder` where an earlier, perhaps cut-off run has left them.

    Args:
        manifest: The CSV; files are relative to its folder.
        folder: Where lower faces go, about 1.3 MB a clip.

    Raises:
        DataError: A clip cannot be read.
    """
    folder = folder / f"talks-{face_data.manifest_digest(manifest)[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    finder, activity, talks = FaceFinder(), VoiceActivity(), []
    for trial in face_data.read_manifest(manifest):
        path = manifest.parent / trial.file
        if trial.kind != "video" or not _has_sound(path):
            continue
        samples, sound_s = _first_window(path)
        if speech_seconds(activity.window(samples)) < MIN_SPEECH_S:
            continue
        cut = folder / f"{path.stem}.npz"
        if not cut.is_file():
            _cut(path, cut, finder)
        talk = _talk(trial, cut, samples, sound_s)
        if len(talk.times_s) and np.ptp(talk.times_s) >= MIN_SEEN_S:
            talks.append(talk)
    return tuple(talks)


def _talk(trial: Trial, cut: Path, samples: Samples, sound_s: float) -> Talk:
    seen = np.load(cut)
    return Talk(
        file=trial.file,
        source=trial.source,
        attack_type="-" if trial.label == BONA_FIDE else trial.attack_type,
        times_s=seen["times_s"],
        lower=seen["lower"],
        landmarks=seen["landmarks"],
        samples=samples,
        sound_s=sound_s,
    )


def _cut(path: Path, to: Path, finder: FaceFinder) -> None:
    """Store the face that fills most of a clip's first window."""
    main = face_data.largest_face(takewhile(lambda timed: timed[0] < WINDOW_S, full_rate(path)), finder)
    part = to.with_suffix(".new.npz")
    np.savez(
        part,
        times_s=np.array([crop.time_s for crop in main], np.float32),
        lower=np.array([lower_face(crop.pixels) for crop in main], np.uint8).reshape(-1, LOWER_PX, LOWER_PX),
        landmarks=np.array([crop.landmarks for crop in main], np.float32).reshape(-1, 5, 2),
    )
    part.replace(to)  # So that a cut-off run never leaves half a file.


def _has_sound(path: Path) -> bool:
    with av.open(str(path)) as container:
        return bool(container.streams.audio)


def _first_window(path: Path) -> tuple[Samples, float]:
    samples = decode(path)[:WINDOW_SAMPLES]
    return np.pad(samples, (0, WINDOW_SAMPLES - len(samples))), len(samples) / WINDOW_SAMPLES * WINDOW_S


@cache
def contexts(talk: Talk) -> Array:
    """Return `models.sync.sound_contexts` of a talk, computed once."""
    return sound_contexts(talk.samples)


def worn(talk: Talk, rng: np.random.Generator) -> Talk:
    """Return a talk as a call might deliver it, perhaps mirrored; what it says is still in step with the lips."""
    lower, landmarks = talk.lower, talk.landmarks
    if rng.random() < 0.5:
        lower = lower[:, :, ::-1]
        landmarks = landmarks[:, [1, 0, 2, 4, 3]].copy()
        landmarks[..., 0] = 2 * LOWER_LEFT + LOWER_PX - 1 - landmarks[..., 0]
    landmarks = landmarks + rng.normal(0, rng.uniform(0, 1.0), landmarks.shape).astype(np.float32)
    sound = Degrader(int(rng.integers(2**31)))(talk.samples)
    return replace(talk, lower=_worn_pictures(lower, rng), landmarks=landmarks, samples=sound)


def _worn_pictures(lower: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Light, size, blur, grain and JPEG, the same for all pictures of a talk."""
    gamma, gain = np.exp(rng.normal(0, 0.2)), rng.uniform(0.7, 1.2)
    table = np.clip(255 * gain * (np.arange(256) / 255) ** gamma, 0, 255).astype(np.uint8)
    side = int(np.exp(rng.uniform(np.log(36), np.log(LOWER_PX))))
    blur = rng.uniform(0.4, 1.6) if rng.random() < 0.3 else 0.0
    grain = rng.uniform(1, 6) if rng.random() < 0.4 else 0.0
    quality = int(rng.integers(30, 95))
    found = []
    for picture in lower:
        small = cv2.resize(cv2.LUT(picture, table), (side, side), interpolation=cv2.INTER_AREA)
        if blur:
            small = cv2.GaussianBlur(small, (0, 0), blur * side / LOWER_PX)
        small = np.clip(small + grain * rng.standard_normal(small.shape, np.float32), 0, 255).astype(np.uint8)
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])
        back = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        found.append(cv2.resize(back, (LOWER_PX, LOWER_PX)))
    return np.stack(found)


def as_called(talk: Talk, rng: np.random.Generator | None) -> npt.NDArray[np.intp]:
    """Return which pictures a call would look at; with `rng` at a random phase and with a few of them lost."""
    phase = 0.0 if rng is None else rng.uniform(0, 1 / PICTURE_RATE_HZ)
    ticks = np.arange(talk.times_s[0] + phase, talk.times_s[-1], 1 / PICTURE_RATE_HZ)
    taken = np.unique(np.searchsorted(talk.times_s, ticks - 1e-4))
    if rng is None:
        return taken
    lost = rng.integers(0, MAX_DROPPED + 1)
    return np.sort(rng.choice(taken, max(2, len(taken) - int(lost)), replace=False))
