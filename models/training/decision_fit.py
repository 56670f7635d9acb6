"""How window scores are distributed, and how signals are to be fused: fitted on tapes of sources left out of training.

Variances are taken apart by moments: of windows within a stretch, of stretches of one person, of persons. A source
weighs by the root of how many persons it has, so that neither the largest page nor every odd one decides.
"""

import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.evidence import Bias, Fusion
from models.tapes import Tape
from models.window import HOP_S, WINDOW_S, Signal

Floats = npt.NDArray[np.float64]

WORTH = HOP_S / WINDOW_S
"""Successive windows share all but a hop: each counts as the part of it that is new."""
LEAST = 0.1
"""Of the typical deviation of a window: no deviation is taken to be less, for want of data."""
EM_ROUNDS = 200
LEAST_WEIGHT = 0.05
"""No signal is silenced, and none is believed without doubt, for what these few calls show."""


def fit_bias(tapes: Iterable[Tape], signal: Signal, *, is_telephone: bool) -> Bias:
    """Return how raw scores of a signal over a class of channel are distributed.

    Raises:
        ValueError: There are fewer than two genuine persons, or no spoof.
    """
    persons: dict[bool, dict[tuple[str, ...], list[Tape]]] = {True: defaultdict(list), False: defaultdict(list)}
    for tape in tapes:
        if tape.signal is signal and tape.is_telephone is is_telephone and tape.judged:
            key = (tape.source, tape.person) if tape.is_bona_fide else (tape.source, tape.attack, tape.person)
            persons[tape.is_bona_fide][key].append(tape)
    genuine, spoof = persons[True], persons[False]
    if len(genuine) < 2 or not spoof:
        raise ValueError(f"{signal}: needs genuine persons and a spoof, got {len(genuine)} and {len(spoof)}")
    within, wander = _within(genuine.values())
    means, weights = _means(genuine), _weights(genuine)
    mean = float(np.average(means, weights=weights))
    between = _root(float(np.average((means - mean) ** 2, weights=weights)) - _noise(genuine, within, wander), within)
    forged, forged_weights = _means(spoof), _weights(spoof)
    forged_mean = float(np.average(forged, weights=forged_weights))
    spread = float(np.average((forged - forged_mean) ** 2, weights=forged_weights)) - between**2
    falls, fall_weights = _falls(genuine, spoof)
    fall = float(np.average(falls, weights=fall_weights)) if len(falls) else mean - forged_mean
    fall_spread = float(np.average((falls - fall) ** 2, weights=fall_weights)) if len(falls) else spread
    return Bias(
        mean=mean,
        between=between,
        within=within,
        wander=wander,
        worth=WORTH,
        shift=max(mean - forged_mean, 0.0),
        shift_spread=_root(spread, within),
        change=max(fall, 0.0),
        change_spread=_root(fall_spread - _noise(spoof, within, wander), within),
    )


def _within(persons: Iterable[Sequence[Tape]]) -> tuple[float, float]:
    """Return the deviation of windows about their stretch, and of what stays between stretches of one person."""
    inner, n_inner, outer, n_outer = 0.0, 0.0, 0.0, 0
    for tapes in persons:
        rows = [np.array(tape.judged) for tape in tapes]
        for row in rows:
            # n windows of which a part is new are about so many independent ones: their mean hides that much.
            independent = 1 + (len(row) - 1) * WORTH
            if independent > 1:
                inner += float(((row - row.mean()) ** 2).sum())
                n_inner += len(row) * (1 - 1 / independent)
        means = np.array([row.mean() for row in rows])
        if len(means) > 1:
            outer += float(((means - means.mean()) ** 2).sum())
            n_outer += len(means) - 1
    within = float(np.sqrt(inner / n_inner)) if n_inner else 1.0
    lengths = [1 + (len(tape.judged) - 1) * WORTH for tapes in persons for tape in tapes]
    noise = within**2 * float(np.mean(1 / np.array(lengths)))
    return within, _root(outer / n_outer - noise, within) if n_outer else LEAST * within


def _means(persons: Mapping[tuple[str, ...], Sequence[Tape]]) -> Floats:
    """Return the mean score of each person, (P,)."""
    return np.array([np.mean([raw for tape in tapes for raw in tape.judged]) for tapes in persons.values()])


def _weights(persons: Mapping[tuple[str, ...], Sequence[Tape]]) -> Floats:
    """Return the weight of each person, (P,): a source's is the root of its number."""
    counts: dict[str, int] = defaultdict(int)
    for key in persons:
        counts[key[0]] += 1
    return np.array([counts[key[0]] ** -0.5 for key in persons])


def _noise(persons: Mapping[tuple[str, ...], Sequence[Tape]], within: float, wander: float) -> float:
    """Return the variance that persons' means have because little was heard of each."""
    found = []
    for tapes in persons.values():
        independent = sum(1 + (len(tape.judged) - 1) * WORTH for tape in tapes)
        found.append(within**2 / independent + wander**2 / len(tapes))
    return float(np.average(found, weights=_weights(persons)))


def _falls(
    genuine: Mapping[tuple[str, ...], Sequence[Tape]], spoof: Mapping[tuple[str, ...], Sequence[Tape]]
) -> tuple[Floats, Floats]:
    """Return by how much each spoof lies below the person it copies, or the page's persons; and its weight, (P,)."""
    by_person = dict(zip(genuine, _means(genuine), strict=True))
    by_source: dict[str, list[float]] = defaultdict(list)
    for (source, _), value in by_person.items():
        by_source[source].append(value)
    falls, weights = [], []
    for (key, weight), value in zip(zip(spoof, _weights(spoof), strict=True), _means(spoof), strict=True):
        source, _, person = key
        if source in by_source:
            falls.append(by_person.get((source, person), float(np.mean(by_source[source]))) - value)
            weights.append(weight)
    return np.array(falls), np.array(weights)


def _root(variance: float, within: float) -> float:
    return float(np.sqrt(max(variance, (LEAST * within) ** 2)))


def fit_fusion(nats: Iterable[Mapping[Signal, float]]) -> Fusion:
    """Return the weights under which spoof calls were likeliest, by expectation and maximisation.

    Args:
        nats: Evidence of each signal in each spoof call that had both [nat].

    Raises:
        ValueError: There are no calls.
    """
    rows = np.array([(found[Signal.FACE], found[Signal.VOICE]) for found in nats])  # (C, 2)
    if not len(rows):
        raise ValueError("fusion needs spoof calls with face and voice")
    exponents = np.column_stack([rows[:, 0], rows[:, 1], rows.sum(axis=1), np.zeros(len(rows))])  # (C, 4)
    likely = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    weights = np.full(4, 0.25)
    for _ in range(EM_ROUNDS):
        blame = likely * weights
        weights = (blame / blame.sum(axis=1, keepdims=True)).mean(axis=0)
    face, voice, both, _ = (LEAST_WEIGHT + (1 - 4 * LEAST_WEIGHT) * weights).round(4).tolist()
    return Fusion(face=face, voice=voice, both=both)


def by_fold(tapes: Iterable[Tape], n_folds: int, held_out: int) -> tuple[list[Tape], list[Tape]]:
    """Return the tapes of all folds but one, and that one's; a source is in one fold, whatever its signals."""
    found: tuple[list[Tape], list[Tape]] = [], []
    for tape in tapes:
        found[fold_of(tape.source, n_folds) == held_out].append(tape)
    return found


def fold_of(source: str, n_folds: int) -> int:
    """Return the fold of a source: the same on every machine."""
    return zlib.crc32(source.encode()) % n_folds
