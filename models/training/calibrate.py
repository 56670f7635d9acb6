"""Fits the maps from raw window scores to llr on sources left out of training, and stores them in the checkpoint.

    python -m models.training.calibrate face --data ../shared/data/face
    python -m models.training.calibrate voice --data ../shared/data/voice

Two maps: of a score by itself, and of its difference to the start of its own call. Each is monotone and piecewise
linear (pool adjacent violators over bins), so that a blatant forgery may weigh more than a straight line through weak
scores would let it. What they claim is bounded by what was seen: every bin first gets `PRIOR` windows' worth of both
classes. A source weighs by the root of its clips, each attack type equally. Self-made blends of left-out genuine clips
are one attack type of the face: the crudest of what a detector must find.
"""

import argparse
import csv
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from models import checkpoint, face, metrics, quality, voice
from models.calibration import Calibration
from models.checkpoint import CHECKPOINTS
from models.demo_face import blend_face
from models.faces import FaceFinder, FaceTracker, follow
from models.training import face_data, voice_data
from models.training.clips import face_windows, voice_windows
from models.training.face_augment import draw_blend
from models.training.face_batches import HELD_OUT
from models.voice_activity import VoiceActivity

Floats = npt.NDArray[np.float64]

BINS = 24
PRIOR = 1.0
"""Windows of each class that every bin is given, of a class's `MASS` in all."""
MASS = 100.0
"""What all windows of a class weigh together: about the number of independent clips."""
LIMIT_NAT = 4.0
TAIL_RAW, TAIL_NAT = 10.0, 0.1
"""Beyond what was seen a score still ranks, but says hardly more: so much over so long a way."""
SELF_BLEND = "self-blend"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredClip:
    """The raw scores of one clip's windows."""

    source: str
    scene: str
    """What is known to be of one recording, or at least of one page: genuine and forged clips of it may be compared."""
    attack_type: str
    """`-` for bona fide."""
    raw: tuple[float, ...]
    """By time."""


def fit(clips: Sequence[ScoredClip]) -> Calibration:
    """Return the monotone map of raw window scores, or of their differences.

    Raises:
        ValueError: A class has no windows.
    """
    clips = [clip for clip in clips if clip.raw]
    raw = np.array([value for clip in clips for value in clip.raw])
    weight = _weights(clips)
    genuine = np.array([clip.attack_type == "-" for clip in clips for _ in clip.raw])
    if not genuine.any() or genuine.all():
        raise ValueError("calibration needs windows of both classes")
    edges = np.quantile(raw, np.linspace(0, 1, BINS + 1)[1:-1])
    place = np.searchsorted(edges, raw)
    blocks = [
        (float(raw[place == i].mean()), weight[genuine & (place == i)].sum(), weight[~genuine & (place == i)].sum())
        for i in range(BINS)
        if (place == i).any()
    ]
    centres, llrs = zip(*_pool(blocks), strict=True)
    ends = np.clip(llrs, -LIMIT_NAT, LIMIT_NAT).tolist()
    return Calibration(
        raws=(centres[0] - TAIL_RAW, *centres, centres[-1] + TAIL_RAW),
        llrs=(ends[0] - TAIL_NAT, *ends, ends[-1] + TAIL_NAT),
    )


def differences(clips: Sequence[ScoredClip]) -> list[ScoredClip]:
    """Return clips of differences to the genuine start of their scene, as a decision takes them of a call.

    A genuine clip that is alone in its scene is compared with its own first half, else with the scene's other genuine
    clips: on a page of several speakers that is wider than one call, so the map claims less than it might.
    """
    genuine: dict[str, list[ScoredClip]] = {}
    for clip in clips:
        if clip.attack_type == "-" and clip.raw:
            genuine.setdefault(clip.scene, []).append(clip)
    found = []
    for clip in clips:
        others = [other for other in genuine.get(clip.scene, ()) if other is not clip]
        raw, start = clip.raw, [value for other in others for value in other.raw]
        if not start and clip.attack_type == "-":
            half = (len(raw) + 1) // 2
            raw, start = raw[half:], list(raw[:half])
        if raw and start:
            found.append(replace(clip, raw=tuple(value - float(np.mean(start)) for value in raw)))
    return found


def _weights(clips: Sequence[ScoredClip]) -> Floats:
    """Return the weight of each window: classes, then attack types, then roots of sources' clip counts, then clips."""
    n_clips = Counter((clip.attack_type, clip.source) for clip in clips if clip.raw)
    type_mass: dict[str, float] = {}
    for (attack_type, _), n in n_clips.items():
        type_mass[attack_type] = type_mass.get(attack_type, 0.0) + float(np.sqrt(n))
    n_types = len(type_mass) - 1
    weights = []
    for clip in clips:
        share = 1 if clip.attack_type == "-" else 1 / n_types
        of_type = 1 / np.sqrt(n_clips[clip.attack_type, clip.source]) / type_mass[clip.attack_type]
        weights += [MASS * share * of_type / len(clip.raw)] * len(clip.raw)
    return np.array(weights)


def _pool(bins: Iterable[tuple[float, float, float]]) -> list[tuple[float, float]]:
    """Pool adjacent violators: (raw, genuine, spoof) by raw -> (raw, llr) with llr never falling."""
    pooled: list[list[float]] = []  # sum of raws, bins, genuine, spoof
    for centre, genuine, spoof in bins:
        pooled.append([centre, 1, genuine + PRIOR, spoof + PRIOR])
        while len(pooled) > 1 and pooled[-2][2] * pooled[-1][3] >= pooled[-1][2] * pooled[-2][3]:
            last = pooled.pop()
            pooled[-1] = [a + b for a, b in zip(pooled[-1], last, strict=True)]
    return [(total / n, float(np.log(genuine / spoof))) for total, n, genuine, spoof in pooled]


def score_faces(folder: Path, left_out: frozenset[str]) -> list[ScoredClip]:
    """Score the windows of left-out clips, and of self-blended copies of the genuine ones."""
    net, _ = face.load_face()
    finder, rng, clips = FaceFinder(), np.random.default_rng(0), []
    scenes = _scenes(folder / "manifest.csv")
    for trial in face_data.read_manifest(folder / "manifest.csv"):
        if trial.kind != "video" or trial.source not in left_out:
            continue
        pictures = list(face_data.pictures(folder / trial.file))
        is_genuine = trial.label == "bona_fide"
        attack_type = "-" if is_genuine else trial.attack_type
        raw = _face_raw(net, finder, pictures)
        clips.append(ScoredClip(source=trial.source, scene=scenes[trial.file], attack_type=attack_type, raw=raw))
        if is_genuine:
            blend = draw_blend(rng)
            forged = [
                (time_s, blend_face(rgb, faces[0].landmarks, blend) if (faces := finder.find(rgb)) else rgb)
                for time_s, rgb in pictures
            ]
            raw = _face_raw(net, finder, forged)
            clips.append(ScoredClip(source=trial.source, scene=scenes[trial.file], attack_type=SELF_BLEND, raw=raw))
    return [clip for clip in clips if clip.raw]


def _scenes(manifest: Path) -> dict[str, str]:
    """Return the recording of each file: where one was split into a genuine and a swapped half, both have its path."""
    with manifest.open(newline="") as lines:
        return {row["file"]: f"{row['source']}/{row['path']}" for row in csv.DictReader(lines)}


def _face_raw(
    net: face.FaceNet, finder: FaceFinder, pictures: Sequence[tuple[float, npt.NDArray[np.uint8]]]
) -> tuple[float, ...]:
    """Return the raw score of every window of the clip's faces that can be judged."""
    tracker = FaceTracker()
    seen = [(t, follow(rgb, t, tracker, finder.find)) for t, rgb in pictures]
    crops = [crop for _, found in seen for crop in found]
    logits: dict[int, float] = {}
    with torch.inference_mode():
        for i in range(0, len(crops), 32):
            part = crops[i : i + 32]
            values = net(torch.from_numpy(np.stack([crop.pixels for crop in part])))[:, 0].float().tolist()
            logits |= {id(crop): value for crop, value in zip(part, values, strict=True)}
    kept = [quality.usable(window.crops) for window in face_windows(seen) if quality.gate(window) is None]
    return tuple(face.window_raw(np.array([logits[id(crop)] for crop in usable])) for usable in kept)


def score_voices(folder: Path, left_out: frozenset[str]) -> list[ScoredClip]:
    """Score the windows of left-out clips."""
    net, _ = voice.load_voice()
    activity, clips = VoiceActivity(), []
    for clip in voice_data.read_manifest(folder):
        if clip.source not in left_out:
            continue
        windows = voice_windows(voice_data.decode(clip.path))
        speech_s = activity.speech_seconds(np.stack([window.samples for window in windows]))
        kept = [w.samples for w, s in zip(windows, speech_s, strict=True) if voice.gate(w, float(s)) is None]
        if kept:
            with torch.inference_mode():
                raw = tuple(net(torch.from_numpy(np.stack(kept))).tolist())
            attack_type = clip.era if clip.is_spoof else "-"
            clips.append(ScoredClip(source=clip.source, scene=clip.source, attack_type=attack_type, raw=raw))
    return clips


def crossed(clips: Sequence[ScoredClip]) -> dict[str, float]:
    """Return figures of scores that were calibrated without their own source."""
    llrs: dict[bool, list[float]] = {True: [], False: []}
    for source in {clip.source for clip in clips}:
        others = [clip for clip in clips if clip.source != source]
        if len({clip.attack_type == "-" for clip in others}) < 2:
            continue
        calibration = fit(others)
        for clip in clips:
            if clip.source == source:
                llrs[clip.attack_type == "-"].append(float(np.mean([calibration.llr(value) for value in clip.raw])))
    genuine, spoof = np.array(llrs[True]), np.array(llrs[False])
    return {
        "bona_fide_clips": len(genuine),
        "spoof_clips": len(spoof),
        "sources": len({clip.source for clip in clips}),
        "cllr": metrics.cllr(genuine, spoof),
        "auc": metrics.auc(genuine, spoof),
        "bona_fide_below_minus_1": float((genuine < -1).mean()),
        "spoof_below_minus_1": float((spoof < -1).mean()),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.calibrate", description=__doc__)
    parser.add_argument("signal", choices=("face", "voice"))
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv and clips")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.signal == "face":
        clips = score_faces(given.data, frozenset(HELD_OUT))
    else:
        clips = score_voices(given.data, voice_data.LEFT_OUT)
    described, state = checkpoint.load(given.signal, given.checkpoints)
    changes = differences(clips)
    figures = {"calibration": crossed(clips), "change": crossed(changes)}
    described = replace(
        described, calibration=fit(clips), change=fit(changes), metrics=described.metrics | {"calibrated": figures}
    )
    checkpoint.save(described, state, given.checkpoints)
    print(json.dumps({name: asdict(getattr(described, name)) | figures[name] for name in figures}, indent=1))


if __name__ == "__main__":
    main()
