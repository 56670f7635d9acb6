"""What the face network is worth on sources it was not trained on, and the calibration that follows from them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.face import FaceNet, window_raw
from models.metrics import auc, eer, interval_by_source
from models.training.face_batches import HELD_OUT
from models.training.face_data import BONA_FIDE, SPOOF, Cache, Trial
from models.window import WINDOW_PICTURES

Floats = npt.NDArray[np.float64]

PAIRS = "iperov/DeepFaceLive"
PLAIN = {"haknudsen/websitetalkingheads", "websitetalkingheadsvideo/wth2025"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """The raw score of one window of one file."""

    trial: Trial
    raw: float

    @property
    def bona_fide(self) -> bool:
        return self.trial.label == BONA_FIDE


def frame_logits(net: FaceNet, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return the logits of crops, shape (T,)."""
    with torch.inference_mode():
        logits: npt.NDArray[np.float32] = net(torch.from_numpy(np.array(crops)))[:, 0].numpy()
    return logits


def held_out_trials(net: FaceNet, cache: Cache) -> tuple[Scored, ...]:
    """Score the first window of every held-out file."""
    return tuple(
        Scored(trial=entry.trial, raw=window_raw(frame_logits(net, cache.of(entry)[:WINDOW_PICTURES])))
        for entry in cache.entries
        if entry.trial.source in HELD_OUT and entry.count
    )


def report(trials: Sequence[Scored]) -> dict[str, Any]:
    """Return the figures that the model card quotes."""
    groups = {
        "swap_pairs": [trial for trial in trials if trial.trial.source == PAIRS],
        "lip_sync_and_heads": [trial for trial in trials if trial.trial.source not in {PAIRS, *PLAIN}],
        "all": list(trials),
    }
    figures: dict[str, Any] = {name: _figures(group) for name, group in groups.items()}
    figures["by_source"] = _by_source(trials)
    return figures


def _figures(trials: Sequence[Scored]) -> dict[str, Any]:
    raw, label = _arrays(trials)
    # Where there is one source only, its files are redrawn: the interval then speaks of that source alone.
    alone = len({trial.trial.source for trial in trials}) == 1
    units = [trial.trial.file if alone else trial.trial.source for trial in trials]
    low, high = interval_by_source(auc, raw, label, units)
    return {
        "n_bona_fide": int(label.sum()),
        "n_spoof": int((~label).sum()),
        "auc": round(auc(raw[label], raw[~label]), 3),
        "auc_95": [round(low, 3), round(high, 3)],
        "eer": round(eer(raw[label], raw[~label]), 3),
    }


def _arrays(trials: Sequence[Scored]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    raw = np.array([trial.raw for trial in trials], np.float64)
    return raw, np.array([trial.bona_fide for trial in trials])


def _by_source(trials: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    raws: dict[str, dict[str, list[float]]] = defaultdict(lambda: {BONA_FIDE: [], SPOOF: []})
    for trial in trials:
        raws[trial.trial.source][trial.trial.label].append(trial.raw)
    return {
        source: {
            label: {"n": len(raw), "mean_raw": round(float(np.mean(raw)), 2)} for label, raw in both.items() if raw
        }
        for source, both in sorted(raws.items())
    }
