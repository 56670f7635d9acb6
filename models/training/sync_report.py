"""What the sync signal is worth on sources that neither its components nor its head were trained on."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.calibration import Calibration
from models.metrics import auc, cllr, eer, interval_by_source
from models.training.sync_trials import BONA_FIDE, SHIFTED, SWAPPED, Row


def report(called: Sequence[Row], quick: Sequence[Row], calibration: Calibration) -> dict[str, Any]:
    """Return the figures that the model card quotes.

    Args:
        called: Windows at a call's picture rate, with raw scores of components and heads of other sources.
        quick: The bona fide ones and their negatives at the clips' own rate.
        calibration: The map in use, fitted on `called`.
    """
    clean = [row for row in called if row.copy == 0]
    worn = [row for row in called if row.copy]
    genuine = [row for row in clean if row.kind == BONA_FIDE]
    llrs = {
        kind: [calibration.llr(row.raw) for row in called if row.kind == kind and row.raw is not None]
        for kind in sorted({row.kind for row in called})
    }
    return {
        "clips": len(genuine),
        "sources": len({row.source for row in genuine}),
        "clean": _by_kind(clean),
        "worn": _by_kind(worn),
        "clean_25_hz": _by_kind([row for row in quick if row.copy == 0]),
        "worn_25_hz": _by_kind([row for row in quick if row.copy]),
        "offset_s": {"median": float(np.median([r.offset_s for r in genuine])), "std": _std(genuine)},
        "mean_llr": {kind: round(float(np.mean(values)), 3) for kind, values in llrs.items()},
        "llr_range": [min(calibration.llrs), max(calibration.llrs)],
        "by_source": {
            source: {"clips": sum(r.source == source for r in genuine), "auc": _source_auc(called, source)}
            for source in sorted({row.source for row in genuine})
        },
    }


def _std(rows: Sequence[Row]) -> float:
    return round(float(np.std([row.offset_s for row in rows])), 3)


def _by_kind(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the figures of genuine windows against each kind of the others."""
    genuine = [row for row in rows if row.kind == BONA_FIDE]
    kinds = sorted({row.kind for row in rows} - {BONA_FIDE})
    groups = {kind: [row for row in rows if row.kind == kind] for kind in kinds}
    groups["shifted_or_swapped"] = [row for row in rows if row.kind in (SHIFTED, SWAPPED)]
    return {name: _figures(genuine, group) for name, group in groups.items()}


def _figures(genuine: Sequence[Row], wrong: Sequence[Row]) -> dict[str, Any]:
    rows = [*genuine, *wrong]
    raw = np.array([row.raw for row in rows], np.float64)
    label = np.arange(len(rows)) < len(genuine)
    low, high = interval_by_source(auc, raw, label, [row.source for row in rows])
    return {
        "windows": [len(genuine), len(wrong)],
        "auc": round(auc(raw[label], raw[~label]), 3),
        "auc_95": [round(low, 3), round(high, 3)],
        "eer": round(eer(raw[label], raw[~label]), 3),
        "cllr_raw": round(cllr(raw[label], raw[~label]), 3),
    }


def _source_auc(rows: Sequence[Row], source: str) -> float:
    """Return the AUC of one source's own windows, all copies together."""
    own = [row for row in rows if row.source == source and row.raw is not None]
    genuine = np.array([row.raw for row in own if row.kind == BONA_FIDE])
    wrong = np.array([row.raw for row in own if row.kind in (SHIFTED, SWAPPED)])
    return round(auc(genuine, wrong), 3)
