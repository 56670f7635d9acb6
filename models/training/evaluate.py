"""Scores the clips of a manifest with the serving detector and measures the result.

    python -m models.training.evaluate --manifest M.csv --root DIR --scores OUT.txt [--signal face|voice|sync|fused]

Writes one line per clip, `file attack llr label`, and prints one JSON object of figures as its last line. Needs nothing
of the training data. A clip that cannot be read or judged gets the llr `none` and is counted.
"""

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from models import metrics
from models.detector import Detector
from models.engine import Engine
from models.faces import FaceTracker, follow
from models.training.clips import face_windows, sync_windows, voice_windows
from models.training.face_data import DataError, pictures
from models.training.voice_data import decode
from models.window import HOP_S, WINDOW_S, FaceWindow, Score, Signal, VoiceWindow

COLUMNS = ("file", "label", "attack", "kind", "source")
DEFAULT_SIGNAL = {"audio": "voice", "video": "face", "still": "face"}
SIGNALS = ("face", "voice", "sync", "fused")


class ManifestError(ValueError):
    """A manifest lacks columns or holds values that are not allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One clip of a manifest."""

    file: str
    label: str
    attack: str
    kind: str
    source: str


def read_manifest(path: Path) -> list[Row]:
    """Read the columns that the evaluation needs.

    Raises:
        ManifestError: A column is missing or a value is not allowed; names the row.
    """
    with path.open(newline="") as text:
        reader = csv.DictReader(text)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise ManifestError(f"{path}: column {', '.join(missing)} is missing; needed: {', '.join(COLUMNS)}")
        rows = [Row(**{name: record[name] for name in COLUMNS}) for record in reader]
    for i, row in enumerate(rows, 2):
        if row.label not in (metrics.BONA_FIDE, metrics.SPOOF) or row.kind not in DEFAULT_SIGNAL:
            raise ManifestError(f"{path}, line {i}: label {row.label!r} or kind {row.kind!r} is not allowed")
    return rows


def clip_llr(path: Path, kind: str, signal: str, detector: Detector) -> float | None:
    """Return a clip's llr [nat], None where nothing of it could be judged.

    The voice's is the mean of its windows; the face's and that of lips against voice (`sync`) the mean of the most
    suspicious face. A still has a face only. `fused`: see there.

    Raises:
        av.FFmpegError, DataError, OSError: The file cannot be read.
    """
    if signal == "voice":
        return _voice_llr(voice_windows(decode(path)), detector)
    if kind == "still":
        return _still_llr(path, detector) if signal != "sync" else None
    faces = _face_windows(path, detector) if kind == "video" else []
    if signal == "face":
        return _worst_track(detector.score(tuple(faces)))
    voices = voice_windows(decode(path)) if kind == "audio" or _has_sound(path) else []
    sync = _worst_track(detector.score(tuple(sync_windows(faces, voices))))
    if signal == "sync":
        return sync
    return fused(_worst_track(detector.score(tuple(faces))), _voice_llr(voices, detector), sync)


def fused(face: float | None, voice: float | None, sync: float | None) -> float | None:
    """Return the sum of the llrs that there are [nat]; lips that fit the voice vouch for nobody: lip-syncs fit too."""
    known = [llr for llr in (face, voice, None if sync is None else min(sync, 0.0)) if llr is not None]
    return sum(known) if known else None


def _voice_llr(windows: Sequence[VoiceWindow], detector: Detector) -> float | None:
    """Return the mean of a voice's windows; of ten seconds of speech or more as their own calibration reads it."""
    scores = [score for score in detector.score(tuple(windows)) if score.llr is not None]
    mean = _mean(scores)
    speech_s = sum(score.analysed_s * HOP_S / WINDOW_S for score in scores)
    maps = [known for seconds, known in sorted(detector.longs[Signal.VOICE].items()) if seconds <= speech_s]
    return maps[-1].llr(mean) if maps and mean is not None else mean


def _face_windows(path: Path, detector: Detector) -> list[FaceWindow]:
    tracker = FaceTracker()
    return face_windows([(time_s, follow(rgb, time_s, tracker, detector.find_faces)) for time_s, rgb in pictures(path)])


def _worst_track(scores: Sequence[Score]) -> float | None:
    by_track: dict[int, list[Score]] = {}
    for score in scores:
        by_track.setdefault(score.track, []).append(score)
    return min((llr for own in by_track.values() if (llr := _mean(own)) is not None), default=None)


def _still_llr(path: Path, detector: Detector) -> float | None:
    bgr = cv2.imread(str(path))
    if bgr is None:
        raise DataError(f"cannot decode {path}")
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    crops = follow(rgb, 0.0, FaceTracker(), detector.find_faces)
    return min((detector.score_still(crop) for crop in crops), default=None)


def _mean(scores: Sequence[Score]) -> float | None:
    llrs = [score.llr for score in scores if score.llr is not None]
    return sum(llrs) / len(llrs) if llrs else None


def _has_sound(path: Path) -> bool:
    with av.open(str(path)) as container:
        return bool(container.streams.audio)


def evaluate(
    rows: Sequence[Row], root: Path, signal: str | None, detector: Detector, workers: int
) -> list[metrics.Trial]:
    """Score every clip, in the manifest's order."""

    def judge(row: Row) -> metrics.Trial:
        try:
            llr = clip_llr(root / row.file, row.kind, signal or DEFAULT_SIGNAL[row.kind], detector)
        except (av.FFmpegError, DataError, OSError, IndexError) as exc:  # IndexError: no such stream in the file
            print(f"{row.file}: {exc}", file=sys.stderr)
            llr = None
        return metrics.Trial(file=row.file, attack=row.attack, llr=llr, label=row.label)

    with ThreadPoolExecutor(workers) as pool:
        console = Console(stderr=True)
        return list(track(pool.map(judge, rows), "scoring", total=len(rows), console=console, transient=True))


def figures(trials: Sequence[metrics.Trial], sources: Sequence[str]) -> dict[str, object]:
    """Return what is published of a score file; figures need both classes."""
    judged = [(trial, source) for trial, source in zip(trials, sources, strict=True) if trial.llr is not None]
    counts: dict[str, object] = {
        "trials": len(trials),
        "unjudged": len(trials) - len(judged),
        "bona_fide": sum(trial.label == metrics.BONA_FIDE for trial in trials),
    }
    bona_fide, spoof = metrics.by_class(trial for trial, _ in judged)
    if not len(bona_fide) or not len(spoof):
        return counts
    scores = np.array([trial.llr for trial, _ in judged])
    is_bona_fide = np.array([trial.label == metrics.BONA_FIDE for trial, _ in judged])
    low, high = metrics.interval_by_source(metrics.auc, scores, is_bona_fide, [source for _, source in judged])
    attack, worst = metrics.worst_apcer((trial for trial, _ in judged), 0.0)
    named: dict[str, Callable[[metrics.Floats, metrics.Floats], float]] = {
        "auc": metrics.auc,
        "eer": metrics.eer,
        "cllr": metrics.cllr,
        "min_cllr": metrics.min_cllr,
    }
    return (
        counts
        | {name: figure(bona_fide, spoof) for name, figure in named.items()}
        | {
            "auc_95_by_source": [low, high],
            "tpr_at_1_percent_fpr": metrics.tpr_at_fpr(bona_fide, spoof, 0.01),
            "bpcer_at_0": metrics.bpcer(bona_fide, 0.0),
            "apcer_at_0": metrics.apcer(spoof, 0.0),
            "worst_apcer_at_0": {"attack": attack, "apcer": worst},
        }
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.evaluate", description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--root", type=Path, required=True, help="folder that the manifest's file names start from")
    parser.add_argument("--scores", type=Path, required=True, help="score file to write")
    parser.add_argument("--signal", choices=SIGNALS, help="default: voice for audio, face for video and still")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    try:
        rows = read_manifest(given.manifest)
    except (ManifestError, OSError) as exc:
        parser.error(str(exc))
    detector = Detector(Engine(workers=given.workers))
    trials = evaluate(rows, given.root, given.signal, detector, given.workers)
    metrics.write_scores(given.scores, trials)
    result = {"models": detector.digests, **figures(trials, [row.source for row in rows])}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
