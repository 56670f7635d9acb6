"""What the face network is worth on sources that were left out of its training, view by view."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.metrics import auc, eer, interval_by_source, tpr_at_fpr
from models.training.face_views import CODED, FORGED, PLAIN, View

Floats = npt.NDArray[np.float64]

PAIRS = "iperov/DeepFaceLive"
DEGRADED = ("h264-300", "vp8-300")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """One view of a clip, scored by a model that was trained without its source."""

    view: View
    raw: float
    halves: tuple[float, ...]
    """Raw scores of its first and its second half."""


def report(scored: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the figures that the model card quotes."""
    figures: dict[str, Any] = {}
    for name in (PLAIN, *DEGRADED):
        of_view = [one for one in scored if one.view.name == name]
        pairs = [one for one in of_view if one.view.trial.source == PAIRS]
        figures[name] = {
            "all": _figures(of_view),
            "swap_pairs": _figures(pairs) | {"below_own_genuine_half": pair_rate(pairs)},
            "all_but_swap_pairs": _figures([one for one in of_view if one.view.trial.source != PAIRS]),
        }
    # What was forged here went through a codec, so it is measured against genuine clips that did.
    made = [one for one in scored if one.view.name.startswith(FORGED)]
    coded = [one for one in scored if one.view.name == CODED and one.view.is_bona_fide]
    figures["forged_here"] = {
        kind: _figures([*coded, *(one for one in made if one.view.forgery == kind)])
        for kind in sorted({one.view.forgery for one in made})
    }
    plain = [one for one in scored if one.view.name == PLAIN]
    figures["by_attack"] = _by_attack(plain)
    figures["by_source"] = _by_source(plain)
    return figures


def pair_rate(scored: Sequence[LeftOut]) -> float | None:
    """Return the share of swapped halves that score below the genuine half of their own recording; None: no pair."""
    genuine = {one.view.trial.path: one.raw for one in scored if one.view.is_bona_fide}
    swapped = [one for one in scored if not one.view.is_bona_fide and one.view.trial.path in genuine]
    below = [one.raw < genuine[one.view.trial.path] for one in swapped]
    return round(float(np.mean(below)), 3) if below else None


def _figures(scored: Sequence[LeftOut]) -> dict[str, Any]:
    raw, label = _arrays(scored)
    counts: dict[str, Any] = {"n_bona_fide": int(label.sum()), "n_spoof": int((~label).sum())}
    if label.all() or not label.any():
        return counts
    # Where there is one source only, its recordings are redrawn: the interval then speaks of that source alone.
    alone = len({one.view.trial.source for one in scored}) == 1
    units = [one.view.trial.path if alone else one.view.trial.source for one in scored]
    low, high = interval_by_source(auc, raw, label, units)
    return counts | {
        "auc": round(auc(raw[label], raw[~label]), 3),
        "auc_95": [round(low, 3), round(high, 3)],
        "eer": round(eer(raw[label], raw[~label]), 3),
        "tpr_at_1_percent_fpr": round(tpr_at_fpr(raw[label], raw[~label], 0.01), 3),
    }


def _by_attack(scored: Sequence[LeftOut]) -> dict[str, Any]:
    """Return each attack against all genuine clips."""
    genuine = [one for one in scored if one.view.is_bona_fide]
    attacks = sorted({one.view.trial.attack for one in scored if not one.view.is_bona_fide})
    of_attack = {name: [one for one in scored if one.view.trial.attack == name] for name in attacks}
    return {
        name: _figures([*genuine, *(s for s in spoofs if not s.view.is_bona_fide)])
        for name, spoofs in of_attack.items()
    }


def _by_source(scored: Sequence[LeftOut]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for source in sorted({one.view.trial.source for one in scored}):
        parts = {True: list[float](), False: list[float]()}
        for one in scored:
            if one.view.trial.source == source:
                parts[one.view.is_bona_fide].append(one.raw)
        found[source] = {
            label: {"n": len(raws), "mean_raw": round(float(np.mean(raws)), 2)}
            for label, raws in (("bona_fide", parts[True]), ("spoof", parts[False]))
            if raws
        }
    return found


def _arrays(scored: Sequence[LeftOut]) -> tuple[Floats, npt.NDArray[np.bool_]]:
    raw = np.array([one.raw for one in scored], np.float64)
    return raw, np.array([one.view.is_bona_fide for one in scored], bool)
