"""Figures of clips under several conditions, from their scores alone. Nothing here decodes or judges.

Intervals are 95 %, by bootstrap over whole sources; where all clips are of one source, over clips.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from models import metrics
from models.training.conditions import HARD, INVARIANT, NOT_APPLICABLE, PLAIN, SIZES_PX, Row
from models.training.face_data import BONA_FIDE, Trial

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FPR = 0.01
BPCERS = (0.01, 0.05)
FACE_EDGES_PX = (0, 40, 60, 90, 130, 10_000)
N_DRAWS = 1000
NAMED: dict[str, metrics.Figure] = {
    "auc": metrics.auc,
    "eer": metrics.eer,
    "tpr_at_1_percent_fpr": lambda bona_fide, spoof: metrics.tpr_at_fpr(bona_fide, spoof, FPR),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """Clips that have a score under each of some conditions, in one order."""

    raw: Floats
    """Up = bona fide, shape (N, C) for C conditions."""
    is_bona_fide: Bools
    sources: tuple[str, ...]
    """N names, of files where all are of one source."""

    def part(self, keep: Bools) -> "Scored":
        """Return some of the clips."""
        names = tuple(name for name, kept in zip(self.sources, keep, strict=True) if kept)
        return Scored(raw=self.raw[keep], is_bona_fide=self.is_bona_fide[keep], sources=names)

    @property
    def has_both(self) -> bool:
        return bool(self.is_bona_fide.any() and not self.is_bona_fide.all())


class Table:
    """Rows by condition and file, with what the manifest says of the files."""

    def __init__(self, rows: Iterable[Row], trials: Iterable[Trial]) -> None:
        self.trials = {trial.file: trial for trial in trials}
        self.rows: dict[str, dict[str, Row]] = {}
        for row in rows:
            if row.file in self.trials and row.reason != NOT_APPLICABLE:
                self.rows.setdefault(row.condition, {})[row.file] = row

    @property
    def conditions(self) -> tuple[str, ...]:
        return tuple(self.rows)

    def scored(self, *names: str, value: Callable[[Row], float | None] = lambda row: row.raw) -> Scored:
        """Return the clips that have a value under every named condition."""
        columns = [{file: value(row) for file, row in self.rows.get(name, {}).items()} for name in names]
        files = [file for file in self.trials if all(column.get(file) is not None for column in columns)]
        trials = [self.trials[file] for file in files]
        alone = len({trial.source for trial in trials}) == 1
        return Scored(
            raw=np.array([[column[file] for column in columns] for file in files], np.float64).reshape(-1, len(names)),
            is_bona_fide=np.array([trial.label == BONA_FIDE for trial in trials], np.bool_),
            sources=tuple(trial.file if alone else trial.source for trial in trials),
        )


def report(table: Table, *, drift_nat: float, kbit_s: Sequence[int], n_draws: int = N_DRAWS) -> dict[str, Any]:
    """Return all figures of a table.

    Args:
        table: Rows of one model.
        drift_nat: What the decision takes off a window's evidence: an llr below its negative speaks for an alert [nat].
        kbit_s: Bit rates that clips were coded at.
        n_draws: Of each bootstrap.
    """
    changed = [name for name in table.conditions if name != PLAIN and not name.startswith(HARD)]
    noise = own_noise(table)
    return {
        "plain": detection(table.scored(PLAIN), n_draws) | judged(table, PLAIN),
        "conditions": {name: fall(table, name, n_draws) for name in changed},
        "by_source": by_source(table, changed),
        "own_noise": noise,
        "invariance": {name: invariance(table, name, noise) for name in INVARIANT if name in table.conditions},
        "hard_negatives": hard_negatives(table, drift_nat, n_draws),
        "by_face_px": by_bins(table, FACE_EDGES_PX, n_draws),
        "shrunk_to_face_px": _falls(table, {str(px): f"face-{px}" for px in SIZES_PX}, n_draws),
        "by_kbit_s": {
            codec: _falls(table, {str(rate): f"{codec}-{rate}" for rate in sorted(kbit_s)}, n_draws)
            for codec in ("h264", "vp8")
        },
    }


def detection(scored: Scored, n_draws: int = N_DRAWS) -> dict[str, Any]:
    """Return AUC, EER and TPR at 1 % FPR with their intervals; counts only where one class is missing."""
    column = scored.raw[:, 0]
    figures: dict[str, Any] = {
        "n_bona_fide": int(scored.is_bona_fide.sum()),
        "n_spoof": int((~scored.is_bona_fide).sum()),
    }
    if not scored.has_both:
        return figures
    for name, figure in NAMED.items():
        figures[name] = _rounded(figure(column[scored.is_bona_fide], column[~scored.is_bona_fide]))
        figures[f"{name}_95"] = _interval(figure, column, scored, n_draws)
    return figures


def judged(table: Table, name: str) -> dict[str, Any]:
    """Return how many clips had no score, and why."""
    reasons = [row.reason for row in table.rows.get(name, {}).values() if row.reason is not None]
    return {"n_unjudged": len(reasons), "reasons": {reason: reasons.count(reason) for reason in sorted(set(reasons))}}


def fall(table: Table, name: str, n_draws: int = N_DRAWS) -> dict[str, Any]:
    """Return the figures of a condition and how far they fall against plain, on clips that have a score under both."""
    both = table.scored(PLAIN, name)
    after = Scored(raw=both.raw[:, 1:], is_bona_fide=both.is_bona_fide, sources=both.sources)
    figures = detection(after, n_draws) | judged(table, name)
    if both.has_both:
        for key, figure in NAMED.items():
            # Errors rise where the others fall: worse is positive for all.
            sign = -1.0 if key == "eer" else 1.0

            def worse(bona_fide: Floats, spoof: Floats, f: metrics.Figure = figure, sign: float = sign) -> float:
                return sign * (f(bona_fide[:, 0], spoof[:, 0]) - f(bona_fide[:, 1], spoof[:, 1]))

            figures[f"{key}_fall"] = _rounded(worse(both.raw[both.is_bona_fide], both.raw[~both.is_bona_fide]))
            figures[f"{key}_fall_95"] = _interval(worse, both.raw, both, n_draws)
    return figures


def _falls(table: Table, names: Mapping[str, str], n_draws: int) -> dict[str, Any]:
    return {short: fall(table, name, n_draws) for short, name in names.items() if name in table.conditions}


def by_source(table: Table, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the AUC within each source that has both classes, plain and under each condition."""
    found: dict[str, dict[str, Any]] = {}
    for source in sorted({trial.source for trial in table.trials.values()}):
        kept = [trial for trial in table.trials.values() if trial.source == source]
        part = Table((row for rows in table.rows.values() for row in rows.values()), kept)
        for name in (PLAIN, *names):
            scored = part.scored(name)
            if scored.has_both:
                raw, label = scored.raw[:, 0], scored.is_bona_fide
                counts = {"n_bona_fide": int(label.sum()), "n_spoof": int((~label).sum())}
                found.setdefault(source, counts)[name] = _rounded(metrics.auc(raw[label], raw[~label]))
    return found


def own_noise(table: Table) -> dict[str, Any]:
    """Return how far a clip's score moves by itself.

    With independent halves of equal noise, the mean of both has half the standard deviation of their difference: that
    is `raw`, the noise of a whole clip's score. `between_windows` is the mean over clips of the standard deviation
    of their windows, which overlap.
    """
    gaps = table.scored(PLAIN, value=lambda row: row.half_gap).raw[:, 0]
    spreads = table.scored(PLAIN, value=lambda row: row.between_windows).raw[:, 0]
    return {
        "n": len(gaps),
        "raw": _rounded(_rms(gaps) / 2) if len(gaps) else None,
        "between_windows": _rounded(spreads.mean()) if len(spreads) else None,
    }


def invariance(table: Table, name: str, noise: Mapping[str, Any]) -> dict[str, Any]:
    """Return how far scores move when nothing of the face has changed; ratio 1 is as far as they move by themselves."""
    both = table.scored(PLAIN, name)
    change = both.raw[:, 1] - both.raw[:, 0]
    if not len(change):
        return {"n": 0}
    # Two takes with the clip's own noise each would differ by its root of two.
    own = float(noise["raw"] or 0) * 2**0.5
    return {
        "n": len(change),
        "mean": _rounded(change.mean()),
        "rms": _rounded(_rms(change)),
        "median_abs": _rounded(np.median(np.abs(change))),
        "p95_abs": _rounded(np.quantile(np.abs(change), 0.95)),
        "rms_over_noise": _rounded(_rms(change) / own) if own else None,
    }


def hard_negatives(table: Table, drift_nat: float, n_draws: int = N_DRAWS) -> dict[str, Any]:
    """Return BPCER of each hard negative beside that of the same clips plain, at the alert's and at raw thresholds."""
    plain = table.scored(PLAIN)
    thresholds = {f"raw_bpcer_{share:.0%}": raw_threshold(plain.raw[plain.is_bona_fide, 0], share) for share in BPCERS}
    kinds = [name for name in table.conditions if name.startswith(HARD)]
    return {
        "alert_llr": -drift_nat,
        "raw_thresholds": {name: _rounded(value) for name, value in thresholds.items()},
        "kinds": {name.removeprefix(HARD): _hard(table, name, -drift_nat, thresholds, n_draws) for name in kinds},
    }


def raw_threshold(bona_fide: Floats, share: float) -> float:
    """Return the highest threshold below which at most a share of bona fide lies; -inf without any."""
    ordered = np.sort(bona_fide)
    return float(ordered[int(share * len(ordered))]) if len(ordered) else float("-inf")


def _hard(table: Table, name: str, alert_llr: float, thresholds: Mapping[str, float], n_draws: int) -> dict[str, Any]:
    raw, llr = table.scored(PLAIN, name), table.scored(PLAIN, name, value=lambda row: row.llr)
    figures: dict[str, Any] = {"n": len(raw.raw)} | judged(table, name)
    pairs = [("alert", llr, alert_llr), *((key, raw, value) for key, value in thresholds.items())]
    for key, scored, threshold in pairs if len(raw.raw) else ():
        before, after = (scored.raw < threshold).astype(np.float64).T
        figures[key] = {
            "plain": _rounded(before.mean()),
            "hard": _rounded(after.mean()),
            "hard_95": mean_interval(after, scored.sources, n_draws),
            "rise_95": mean_interval(after - before, scored.sources, n_draws),
        }
    return figures


def by_bins(table: Table, edges: Sequence[float], n_draws: int = N_DRAWS) -> dict[str, Any]:
    """Return the figures of plain clips whose face's size [px] lies from each edge to below the next."""
    scored = table.scored(PLAIN)
    sizes = table.scored(PLAIN, value=lambda row: None if row.raw is None else row.face_px).raw[:, 0]
    return {
        f"{low}-{high}": detection(scored.part(inside), n_draws)
        for (low, high), inside in zip(pairwise(edges), bins(sizes, edges), strict=True)
    }


def bins(values: Floats, edges: Sequence[float]) -> list[Bools]:
    """Return which values lie from each edge to below the next."""
    return [(values >= low) & (values < high) for low, high in pairwise(edges)]


def mean_interval(values: Floats, sources: Sequence[str], n_draws: int = N_DRAWS, seed: int = 0) -> list[float]:
    """Return the 95 % bootstrap interval of a mean when whole sources are drawn again."""
    rng = np.random.default_rng(seed)
    _, index = np.unique(np.asarray(sources), return_inverse=True)
    totals, counts = np.bincount(index, values), np.bincount(index)
    drawn = rng.integers(0, len(counts), (n_draws, len(counts)))
    low, high = np.quantile(totals[drawn].sum(axis=1) / counts[drawn].sum(axis=1), [0.025, 0.975])
    return [_rounded(low), _rounded(high)]


def _interval(figure: metrics.Figure, values: Floats, scored: Scored, n_draws: int) -> list[float]:
    low, high = metrics.interval_by_source(figure, values, scored.is_bona_fide, scored.sources, n_draws=n_draws)
    return [_rounded(low), _rounded(high)]


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _rounded(value: float | np.floating[Any]) -> float:
    return round(float(value), 4)
