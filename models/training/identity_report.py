"""Calibrates and measures identity: one person or two, by voice and by face, and when the one becomes the other.

    python -m models.training.identity_report --voices ../shared/data/voice --faces ../shared/data/face

Every figure is of pages and people whose calibration did not see them; the calibrations that are kept are fitted on
all. The embeddings are not trained here. Without `--write` the shipped `identity.json` stays as it is.
"""

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import weights
from models.checkpoint import CHECKPOINTS
from models.drift import mean_of
from models.identity import CHECKPOINT, DRIFT_S, MIN_S, Identity
from models.metrics import Floats, auc, cllr, eer, error_rates, interval_by_source, min_cllr
from models.training import face_data, identity_calls, identity_faces, identity_voices, voice_data
from models.training.identity_faces import Seen
from models.training.identity_trials import (
    IdentityTrial,
    apart,
    calibrated,
    clone_trials,
    face_trials,
    halves,
    long_trials,
    voice_trials,
)
from models.training.identity_voices import Voice

SAYS_NAT = 1.0
"""From here on the command line says it in words [nat]."""
BETWEEN_DAYS = 3.0
"""How much further a face is taken to be from itself in another recording than in the other half of the same one.

No two recordings of one face were at hand. With 3 the map's zero falls near the boundary that the network's author
gives (a distance of 0.6, here a cosine of about .91, for 99.4 % of LFW's pairs): an assumption, not a measurement.
"""
LENGTHS_S = (6.0, 10.0, 30.0)
"""Of callers, beside those of one clip [s]."""
MIN_PEOPLE = 20
"""Fewer calibrate nothing: longer callers are then judged by the map of shorter ones."""
DRAWS = 100
"""Of sources, for an interval."""


def voice_report(voices: Sequence[Voice]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the calibrations of the voice, and their figures."""
    short, single = voice_trials(voices), voice_trials(voices, n_references=1)
    drift = [trial for trial in single if "against" not in trial.channel]
    maps: dict[str, Any] = {"by_seconds": {str(MIN_S[Identity.VOICE]): calibrated(short)}, "drift": calibrated(drift)}
    found: dict[str, Any] = {"short": by_channel(short), "drift_pairs": by_channel(drift)}
    for length_s in LENGTHS_S:
        trials = long_trials(voices, length_s)
        found[f"from_{length_s:g}_s"] = by_channel(trials)
        if len({person for trial in trials for person in trial.people}) >= MIN_PEOPLE:
            maps["by_seconds"][str(length_s)] = calibrated(trials)
    found["clones"] = clones(clone_trials(voices), short)
    found["calls"] = {name: calls(voices, drift, name) for name in identity_voices.CHANNELS}
    return maps, found


def face_report(seen: Sequence[Seen]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the calibrations of the face, and their figures."""
    trials = face_trials(seen)
    between = [replace(t, cosine=1 - BETWEEN_DAYS * (1 - t.cosine)) if t.is_same else t for t in trials]
    maps = {"by_seconds": {str(MIN_S[Identity.FACE]): calibrated(between)}, "drift": calibrated(trials)}
    return maps, {"halves": by_channel(trials), "swaps": swaps(seen, trials)}


def by_channel(trials: Sequence[IdentityTrial]) -> dict[str, Any]:
    """Return the figures of all trials and of each channel, each calibrated without its own page and people."""
    llrs = crossed(trials)
    found = {"all": figures(trials, llrs)}
    for channel in sorted({trial.channel for trial in trials}):
        rows = [n for n, trial in enumerate(trials) if trial.channel == channel]
        found[channel] = figures([trials[n] for n in rows], llrs[rows])
    return found


def crossed(trials: Sequence[IdentityTrial]) -> np.ndarray:
    """Return the llr of each trial, from a map of pages and people that are not its own."""
    llrs = np.zeros(len(trials))
    for source in {trial.source for trial in trials}:
        known = apart(trials, source)
        if len({trial.is_same for trial in known}) < 2:
            continue  # nothing is known: 0 says nothing
        calibration = calibrated(known)
        for n, trial in enumerate(trials):
            if trial.source == source:
                llrs[n] = calibration.llr(trial.cosine)
    return llrs


def figures(trials: Sequence[IdentityTrial], llrs: np.ndarray) -> dict[str, Any]:
    """Return the figures of one person (up) against two."""
    same = np.array([trial.is_same for trial in trials], bool)
    counts = {"same": int(same.sum()), "other": int((~same).sum())}
    if not same.any() or same.all():
        return counts
    sources, cosines = [trial.source for trial in trials], np.array([trial.cosine for trial in trials])
    interval = interval_by_source(_quick_eer, cosines, same, sources, n_draws=DRAWS)
    return counts | {
        "people": len({person for trial in trials for person in trial.people}),
        "sources": len(set(sources)),
        "caller_s": round(float(np.median([trial.caller_s for trial in trials])), 1),
        "eer": round(eer(cosines[same], cosines[~same]), 3),
        "eer_95": [round(value, 3) for value in interval],
        "auc": round(auc(cosines[same], cosines[~same]), 3),
        "cllr": round(cllr(llrs[same], llrs[~same]), 3),
        "min_cllr": round(min_cllr(cosines[same], cosines[~same]), 3),
        "same_called_other": round(float((llrs[same] <= -SAYS_NAT).mean()), 3),
        "other_called_same": round(float((llrs[~same] >= SAYS_NAT).mean()), 3),
    }


def _quick_eer(same: Floats, other: Floats) -> float:
    """Return the error rate where both are nearest: without the hull of `models.metrics.eer`, in much less time."""
    missed, passed = error_rates(same, other)
    nearest = int(np.argmin(np.abs(missed - passed)))
    return float(missed[nearest] + passed[nearest]) / 2


def clones(found: Sequence[IdentityTrial], genuine: Sequence[IdentityTrial]) -> dict[str, Any]:
    """Return how often a machine that speaks as someone passes as them."""
    rows: dict[str, list[float]] = {}
    for trial in found:
        llr = calibrated(apart([*genuine, trial], trial.source)).llr(trial.cosine)
        for name in ("all", trial.attack_type):
            rows.setdefault(name, []).append(llr)
    return {
        name: {
            "clips": len(llrs),
            "above_0": round(float((np.array(llrs) > 0).mean()), 3),
            "called_same": round(float((np.array(llrs) >= SAYS_NAT).mean()), 3),
            "called_other": round(float((np.array(llrs) <= -SAYS_NAT).mean()), 3),
        }
        for name, llrs in sorted(rows.items())
    }


def calls(voices: Sequence[Voice], pairs: Sequence[IdentityTrial], channel: str) -> dict[str, Any]:
    """Return what drift says of calls, each with a calibration that knows neither its page nor its people."""
    made = identity_calls.voice_calls(voices, channel)
    maps = {source: calibrated(apart(pairs, source)) for source in {call.source for call in made}}
    return identity_calls.figures(
        [identity_calls.watch(call, maps[call.source], DRIFT_S[Identity.VOICE]) for call in made]
    )


def swaps(seen: Sequence[Seen], trials: Sequence[IdentityTrial]) -> dict[str, Any]:
    """Return whether a face that is swapped in the middle of a recording is told from one that goes on as it is."""
    plain = [one for one in seen if one.view == "plain" and len(one.pieces) >= 2]
    genuine = {one.trial.path: one for one in plain if not one.is_swap and one.trial.source == identity_faces.PAIRS}
    pairs = [(genuine[one.trial.path], one) for one in plain if one.is_swap and one.trial.path in genuine]
    calibration = calibrated(apart(trials, identity_faces.PAIRS))
    stays = np.array([_cosine(one, one) for one, _ in pairs])
    swapped = np.array([_cosine(one, swap) for one, swap in pairs])
    llrs = [np.array([calibration.llr(value) for value in values]) for values in (stays, swapped)]
    return {
        "pairs": len(pairs),
        "auc": round(auc(stays, swapped), 3),
        "eer": round(eer(stays, swapped), 3),
        "swap_called_other": round(float((llrs[1] <= -SAYS_NAT).mean()), 3),
        "genuine_called_other": round(float((llrs[0] <= -SAYS_NAT).mean()), 3),
        "mean_llr_genuine": round(float(llrs[0].mean()), 2),
        "mean_llr_swap": round(float(llrs[1].mean()), 2),
    }


def _cosine(first: Seen, second: Seen) -> float:
    return float(mean_of(halves(first)[0]) @ mean_of(halves(second)[1]))


def as_fields(maps: dict[str, Any]) -> dict[str, Any]:
    """Return calibrations as `models.identity.load_calibrations` reads them."""
    lengths = {length: asdict(one) for length, one in maps["by_seconds"].items()}
    return {"by_seconds": lengths, "drift": asdict(maps["drift"])}


def main(arguments: Iterable[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.identity_report", description=__doc__)
    parser.add_argument("--voices", type=Path, required=True, help="folder with manifest.csv and clips")
    parser.add_argument("--faces", type=Path, required=True, help="folder with manifest.csv and clips")
    parser.add_argument("--write", action="store_true", help=f"keep the calibrations as {CHECKPOINT}.json")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache")
    given = parser.parse_args(None if arguments is None else list(arguments))
    torch.set_num_threads(1)
    manifest = given.faces / "manifest.csv"
    crops = face_data.folder_of(manifest, "face", given.cache)
    clips = identity_voices.read_voices(given.voices)
    voices = list(identity_voices.embed(clips, given.cache / "identity-voices"))
    seen = list(identity_faces.embed(manifest, crops, given.cache / "identity-faces"))
    voice_maps, voice_found = voice_report(voices)
    face_maps, face_found = face_report(seen)
    metrics = {"voice": voice_found, "face": face_found}
    if given.write:
        fields = {
            "calibrations": {
                Identity.VOICE.value: as_fields(voice_maps),
                Identity.FACE.value: as_fields(face_maps),
            },
            "manifests_sha256": [
                voice_data.manifest_sha256([given.voices]),
                face_data.manifest_digest(manifest),
            ],
            "weights_sha256": {name: weights.FILES[name].sha256 for name in ("resemblyzer", "dlib_face")},
            "metrics": metrics,
        }
        (CHECKPOINTS / f"{CHECKPOINT}.json").write_text(json.dumps(fields, indent=2, sort_keys=True) + "\n")
    print(json.dumps(metrics, indent=1))


if __name__ == "__main__":
    main()
