"""Figures from scores. Every published number comes from a score file through this module.

Scores are log-likelihood ratios, up = bona fide; a window that could not be judged has none and enters no figure but
the coverage. Nothing here knows a model.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Figure = Callable[[Floats, Floats], float]
"""A figure of (bona fide scores, spoof scores)."""

BONA_FIDE = "bona_fide"
SPOOF = "spoof"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One line of a score file."""

    file: str
    attack: str
    """System that made it; `-` for bona fide."""
    llr: float | None
    """[nat]; None where nothing could be judged."""
    label: str
    """`bona_fide` or `spoof`."""


def write_scores(path: Path, trials: Iterable[Trial]) -> None:
    """Write one line per trial, `file attack llr label` with single spaces; spaces within a field become `_`."""
    path.write_text("".join(f"{_line(trial)}\n" for trial in trials))


def _line(trial: Trial) -> str:
    llr = "none" if trial.llr is None else repr(float(trial.llr))
    return f"{_field(trial.file)} {_field(trial.attack)} {llr} {trial.label}"


def _field(text: str) -> str:
    return "_".join(text.split()) or "-"


def read_scores(path: Path) -> tuple[Trial, ...]:
    """Read a score file.

    Raises:
        ValueError: A line has not four fields, a score is no finite number, or a label is unknown; it names the line.
    """
    return tuple(_parse(number, line) for number, line in enumerate(path.read_text().splitlines(), 1))


def _parse(number: int, line: str) -> Trial:
    fields = line.split(" ")
    if len(fields) != 4:
        raise ValueError(f"line {number} has {len(fields)} fields, allowed is `file attack llr label`: {line!r}")
    file, attack, text, label = fields
    if label not in (BONA_FIDE, SPOOF):
        raise ValueError(f"line {number} has label {label!r}, allowed are {BONA_FIDE} and {SPOOF}")
    try:
        llr = None if text == "none" else float(text)
    except ValueError as exc:
        raise ValueError(f"line {number} has score {text!r}, allowed are a number and none") from exc
    if llr is not None and not np.isfinite(llr):
        raise ValueError(f"line {number} has score {text!r}, allowed are a finite number and none")
    return Trial(file=file, attack=attack, llr=llr, label=label)


def by_class(trials: Iterable[Trial]) -> tuple[Floats, Floats]:
    """Return the scores of (bona fide, spoof) trials; trials without a score are left out."""
    known = [(trial.label, trial.llr) for trial in trials if trial.llr is not None]
    return (
        np.array([llr for label, llr in known if label == BONA_FIDE], dtype=np.float64),
        np.array([llr for label, llr in known if label == SPOOF], dtype=np.float64),
    )


def coverage(trials: Sequence[Trial]) -> float:
    """Return the share of trials that have a score."""
    return sum(trial.llr is not None for trial in trials) / len(trials)


def auc(bona_fide: Floats, spoof: Floats) -> float:
    """Return the chance that a bona fide score is above a spoof score, ties counting half."""
    _need(bona_fide, spoof)
    order = np.sort(spoof)
    below = np.searchsorted(order, bona_fide, side="left")
    at_most = np.searchsorted(order, bona_fide, side="right")
    return float((below + at_most).mean() / 2 / spoof.size)


def apcer(spoof: Floats, threshold: float) -> float:
    """Return the share of spoofs taken as bona fide: at or above the threshold (ISO/IEC 30107-3)."""
    return float(np.mean(spoof >= threshold))


def bpcer(bona_fide: Floats, threshold: float) -> float:
    """Return the share of bona fide taken as spoof: below the threshold (ISO/IEC 30107-3)."""
    return float(np.mean(bona_fide < threshold))


def worst_apcer(trials: Iterable[Trial], threshold: float) -> tuple[str, float]:
    """Return the attack with the highest APCER and that APCER; the first by name where several are equal.

    Raises:
        ValueError: No spoof trial has a score.
    """
    attacks: dict[str, list[float]] = {}
    for trial in trials:
        if trial.label == SPOOF and trial.llr is not None:
            attacks.setdefault(trial.attack, []).append(trial.llr)
    if not attacks:
        raise ValueError("no spoof trial has a score")
    rates = {attack: apcer(np.array(attacks[attack]), threshold) for attack in sorted(attacks)}
    worst = max(rates, key=lambda attack: rates[attack])
    return worst, rates[worst]


def error_rates(bona_fide: Floats, spoof: Floats) -> tuple[Floats, Floats]:
    """Return (BPCER, APCER) at every threshold that changes them, BPCER rising from 0 to 1."""
    _need(bona_fide, spoof)
    thresholds = np.unique(np.concatenate([bona_fide, spoof]))
    missed = np.searchsorted(np.sort(bona_fide), thresholds, side="left") / bona_fide.size
    passed = 1.0 - np.searchsorted(np.sort(spoof), thresholds, side="left") / spoof.size
    return np.append(missed, 1.0), np.append(passed, 0.0)


def eer(bona_fide: Floats, spoof: Floats) -> float:
    """Return the equal error rate on the lower convex hull of the DET curve (ROCCH-EER).

    The hull makes it a law of the ranks alone, without a choice of how to step between two thresholds.
    """
    missed, passed = error_rates(bona_fide, spoof)
    hull = _lower_hull(missed, passed)
    for (x0, y0), (x1, y1) in pairwise(hull):
        if y1 <= x1:
            slope = (y0 - x0) / ((y0 - x0) - (y1 - x1))
            return float(x0 + slope * (x1 - x0))
    return 0.5


def _lower_hull(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """Return the lower convex hull of points given by rising x (Andrew's monotone chain)."""
    hull: list[tuple[float, float]] = []
    for point in sorted({(0.0, 1.0), *zip(x.tolist(), y.tolist(), strict=True), (1.0, 0.0)}):
        while len(hull) >= 2 and _turns_right(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_right(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) <= 0


def tpr_at_fpr(bona_fide: Floats, spoof: Floats, fpr: float) -> float:
    """Return the largest share of spoofs that is found while at most `fpr` of bona fide is called spoof."""
    missed, passed = error_rates(bona_fide, spoof)
    return float(1.0 - passed[missed <= fpr].min())


def min_dcf(bona_fide: Floats, spoof: Floats, p_spoof: float, c_miss: float = 1.0, c_fa: float = 10.0) -> float:
    """Return the least normalised detection cost over all thresholds.

    Args:
        bona_fide: Scores.
        spoof: Scores.
        p_spoof: Prior of a spoof.
        c_miss: Cost of calling bona fide a spoof.
        c_fa: Cost of taking a spoof for bona fide.

    Source: ASVspoof 5 evaluation plan, section 4 (costs 1 and 10, prior 0.05).
    """
    missed, passed = error_rates(bona_fide, spoof)
    return float(_dcf(missed, passed, p_spoof, c_miss, c_fa).min())


def act_dcf(bona_fide: Floats, spoof: Floats, p_spoof: float, c_miss: float = 1.0, c_fa: float = 10.0) -> float:
    """Return the normalised detection cost at the Bayes threshold that a calibrated llr asks for."""
    _need(bona_fide, spoof)
    threshold = np.log(p_spoof * c_fa / ((1.0 - p_spoof) * c_miss))
    at = np.array([bpcer(bona_fide, threshold)]), np.array([apcer(spoof, threshold)])
    return float(_dcf(*at, p_spoof, c_miss, c_fa)[0])


def _dcf(missed: Floats, passed: Floats, p_spoof: float, c_miss: float, c_fa: float) -> Floats:
    cost: Floats = c_miss * (1.0 - p_spoof) * missed + c_fa * p_spoof * passed
    return cost / min(c_miss * (1.0 - p_spoof), c_fa * p_spoof)


def cllr(bona_fide: Floats, spoof: Floats) -> float:
    """Return the cost of the log-likelihood ratios [bit]: 0 is perfect, 1 is what saying nothing costs.

    Source: Brümmer and du Preez, Application-independent evaluation of speaker detection, 2006, section 4.
    """
    _need(bona_fide, spoof)
    cost = np.logaddexp(0.0, -bona_fide).mean() + np.logaddexp(0.0, spoof).mean()
    return float(cost / 2 / np.log(2))


def min_cllr(bona_fide: Floats, spoof: Floats) -> float:
    """Return Cllr after the best monotone calibration (pool adjacent violators): what the ranks alone allow."""
    _need(bona_fide, spoof)
    values, groups = np.unique(np.concatenate([bona_fide, spoof]), return_inverse=True)
    n_bona_fide = np.bincount(groups[: bona_fide.size], minlength=values.size)
    n_spoof = np.bincount(groups[bona_fide.size :], minlength=values.size)
    total = 0.0
    for bona, spoofs in _pooled(n_bona_fide / bona_fide.size, n_spoof / spoof.size):
        share = bona / (bona + spoofs)
        total -= bona * np.log2(share) if bona else 0.0
        total -= spoofs * np.log2(1.0 - share) if spoofs else 0.0
    return float(total / 2)


def _pooled(bona_fide: Floats, spoof: Floats) -> list[tuple[float, float]]:
    """Merge neighbours until the share of bona fide rises with the score."""
    blocks: list[tuple[float, float]] = []
    for block in zip(bona_fide.tolist(), spoof.tolist(), strict=True):
        blocks.append(block)
        while len(blocks) >= 2 and blocks[-2][0] * blocks[-1][1] >= blocks[-1][0] * blocks[-2][1]:
            last, before = blocks.pop(), blocks.pop()
            blocks.append((last[0] + before[0], last[1] + before[1]))
    return blocks


def interval_by_source(
    figure: Figure,
    scores: Floats,
    is_bona_fide: npt.NDArray[np.bool_],
    sources: Sequence[str],
    *,
    seed: int = 0,
    n_draws: int = 1000,
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a figure when whole sources are drawn again.

    Clips of one source share speakers, microphone and codec: drawing clips would claim more than was seen.

    Raises:
        ValueError: No draw holds both classes.
    """
    rng = np.random.default_rng(seed)
    names, index = np.unique(np.asarray(sources), return_inverse=True)
    members = [np.flatnonzero(index == number) for number in range(names.size)]
    values = []
    for _ in range(n_draws):
        rows = np.concatenate([members[number] for number in rng.integers(0, names.size, names.size)])
        bona_fide, spoof = scores[rows][is_bona_fide[rows]], scores[rows][~is_bona_fide[rows]]
        if bona_fide.size and spoof.size:
            values.append(figure(bona_fide, spoof))
    if not values:
        raise ValueError(f"no draw from {names.size} sources holds both classes")
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _need(bona_fide: Floats, spoof: Floats) -> None:
    if bona_fide.size == 0 or spoof.size == 0:
        raise ValueError(f"needs scores of both classes, got {bona_fide.size} bona fide and {spoof.size} spoof")


def poisson_interval(count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact interval of the mean of a count (Garwood 1936)."""
    rest = (1 - confidence) / 2
    low = _poisson_mean(count - 1, 1 - rest) if count else 0.0
    return low, _poisson_mean(count, rest)


def _poisson_mean(count: int, share: float) -> float:
    """Return the mean at which so many or fewer have a probability of `share`."""
    low, high = 0.0, 10.0 + 2.0 * count + 10.0 * count**0.5
    for _ in range(100):
        mean = (low + high) / 2
        terms = np.cumsum([0.0, *(np.log(mean) - np.log(np.arange(1, count + 1)))])
        if float(np.exp(terms - mean).sum()) > share:
            low = mean
        else:
            high = mean
    return low
