"""Fits the maps from raw window scores to llr on sources left out of training, and stores them in the checkpoint.

    python -m models.training.calibrate face --left-out LEFT_OUT.json
    python -m models.training.calibrate voice --left-out LEFT_OUT.json
    python -m models.training.calibrate decision [--bona-fide OWN_CALLS]

The last one measures which evidence keeps which promise of few false alerts: see `models.training.decision_calibrate`.
A training writes `left-out.json` into its folder of the cache, and says where that is.

A map is monotone and piecewise linear (pool adjacent violators over bins), so that a blatant forgery may weigh more
than a straight line through weak scores would let it. What they claim is bounded by what was seen: every bin first
gets `PRIOR` windows' worth of both classes. A source weighs by the root of its clips, each attack type equally.
Forgeries made here of left-out genuine clips are attack types of the face: the crudest of what a detector must find.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models import checkpoint, metrics
from models.calibration import Calibration
from models.checkpoint import CHECKPOINTS, Checkpoint
from models.training import decision_calibrate, voice_report
from models.training.voice_long import LENGTHS_S, sums

Floats = npt.NDArray[np.float64]

BINS = 24
PRIOR = 1.0
"""Windows of each class that every bin is given, of a class's `MASS` in all."""
MASS = 100.0
"""What all windows of a class weigh together: about the number of independent clips."""
LIMIT_NAT = 4.0
TAIL_RAW, TAIL_NAT = 10.0, 0.1
"""Beyond what was seen a score still ranks, but says hardly more: so much over so long a way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredClip:
    """The raw scores of one clip's windows."""

    source: str
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


def read_faces(left_out: Path) -> list[ScoredClip]:
    """Return what `models.training.train_face` scored of each source by a model trained without it.

    A clip is there as it is and through a call's codec; its two halves are the windows. Forgeries made of genuine clips
    are attack types of their own.

    Raises:
        FileNotFoundError: The training has not come to an end.
    """
    rows = json.loads(left_out.read_text())
    return [
        ScoredClip(source=row["source"], attack_type=row["attack_type"], raw=(row["raw"], *row["halves"]))
        for row in rows
    ]


def read_voices(left_out: Path, conditions: Collection[str]) -> list[ScoredClip]:
    """Return what `models.training.train_voice` scored of each clip by a model trained without its source.

    Args:
        left_out: The file that the training wrote.
        conditions: Those to read, each of which makes a clip of its own.

    Raises:
        FileNotFoundError: The training has not come to an end.
    """
    rows = (row for row in json.loads(left_out.read_text()) if row["condition"] in conditions and row["raws"])
    return [
        ScoredClip(
            source=row["source"],
            attack_type="-" if row["attack"] == "-" else row["era"],
            raw=tuple(row["raws"]),
        )
        for row in rows
    ]


def crossed(clips: Sequence[ScoredClip]) -> dict[str, Any]:
    """Return figures of scores that were calibrated without their own source."""
    llrs: dict[bool, list[float]] = {True: [], False: []}
    by_source: dict[str, list[float]] = {}
    for source in {clip.source for clip in clips}:
        others = [clip for clip in clips if clip.source != source]
        if len({clip.attack_type == "-" for clip in others}) < 2:
            continue
        calibration = fit(others)
        for clip in clips:
            if clip.source == source:
                llr = float(np.mean([calibration.llr(value) for value in clip.raw]))
                llrs[clip.attack_type == "-"].append(llr)
                if clip.attack_type == "-":
                    by_source.setdefault(source, []).append(llr)
    genuine, spoof = np.array(llrs[True]), np.array(llrs[False])
    counts: dict[str, Any] = {
        "bona_fide_clips": len(genuine),
        "spoof_clips": len(spoof),
        "sources": len({clip.source for clip in clips}),
    }
    if not len(genuine) or not len(spoof):
        return counts  # one source alone cannot be calibrated without itself
    return counts | {
        "cllr": metrics.cllr(genuine, spoof),
        "auc": metrics.auc(genuine, spoof),
        "bona_fide_below_minus_1": float((genuine < -1).mean()),
        "spoof_below_minus_1": float((spoof < -1).mean()),
        "bona_fide_below_minus_1_by_source": {
            source: f"{sum(llr < -1 for llr in own)} of {len(own)}"
            for source, own in sorted(by_source.items())
            if min(own) < -1
        },
    }


WIDEBAND, TELEPHONE = frozenset({"clean", "opus_16k_loss_5"}), frozenset({"g711"})
"""Conditions that the maps of either class of channel are fitted on."""


def fit_voice(described: Checkpoint, left_out: Path) -> tuple[Checkpoint, dict[str, dict[str, Any]]]:
    """Return the voice's checkpoint with all its maps, and figures of each, crossed over sources."""
    wide, telephone = read_voices(left_out, WIDEBAND), read_voices(left_out, TELEPHONE)
    described = replace(described, calibration=fit(wide), telephone=fit(telephone))
    figures = {"calibration": crossed(wide), "telephone": crossed(telephone)}
    clean = [clip for clip in voice_report.read(left_out) if clip.condition == "clean"]
    by_window = [replace(clip, raws=tuple(map(described.calibration.llr, clip.raws))) for clip in clean]
    for seconds in LENGTHS_S[1:]:
        longer = [
            ScoredClip(
                source=clip.source,
                attack_type="-" if clip.attack == "-" else clip.era,
                raw=(mean,),
            )
            for mean, clip in sums(by_window, seconds)
        ]
        if len({clip.attack_type == "-" for clip in longer}) == 2:  # else there is too little speech of one class
            described.long[str(seconds)] = fit(longer)
            figures[f"{seconds} s"] = crossed(longer)
    return described, figures


def fit_face(described: Checkpoint, left_out: Path) -> tuple[Checkpoint, dict[str, dict[str, Any]]]:
    """Return the face's checkpoint with its maps, and figures of each, crossed over sources."""
    clips = read_faces(left_out)
    return replace(described, calibration=fit(clips)), {"calibration": crossed(clips)}


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    given_arguments = sys.argv[1:] if arguments is None else arguments
    if given_arguments[:1] == ["decision"]:
        decision_calibrate.main(given_arguments[1:])
        return
    parser = argparse.ArgumentParser(prog="python -m models.training.calibrate", description=__doc__)
    parser.add_argument("signal", choices=("face", "voice"))
    parser.add_argument("--left-out", type=Path, required=True, help="`left-out.json` that the training wrote")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS)
    given = parser.parse_args(given_arguments)
    described, state = checkpoint.load(given.signal, given.checkpoints)
    described, figures = {"face": fit_face, "voice": fit_voice}[given.signal](described, given.left_out)
    described = replace(described, metrics=described.metrics | {"calibrated": figures})
    checkpoint.save(described, state, given.checkpoints)
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
