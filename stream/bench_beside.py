"""What checks and the pipeline say of composed calls, drawn as the laboratories found it."""

import numpy as np

from models.challenge import MODALITY, ChallengeKind, Outcome
from models.challenge_score import load_scores
from models.composed_calls import ComposedCall
from models.pipeline import evidence, rarity, shipped_pipeline
from models.window import Signal
from stream.errors import KuaError

Beside = ChallengeKind | Signal
"""A check that is asked for once, or the pipeline."""
CHECK_S = 12.0
"""After the begin of a forgery, or of a genuine call, the result of a check is there [s]."""
PIPELINE_S = 30.0
"""So often the pipeline is drawn anew: it is judged by so much of the call [s]."""


def named(name: str) -> Beside | None:
    """Return what a name of the command line means; None if it is empty.

    Raises:
        KuaError: There is no such check.
    """
    known: dict[str, Beside] = {one.value: one for one in (*ChallengeKind, Signal.PIPELINE)}
    if name and name not in known:
        raise KuaError(f"got {name!r}, expected one of {', '.join(known)}")
    return known.get(name)


def drawn(beside: Beside, call: ComposedCall, rng: np.random.Generator) -> list[tuple[float, Signal, float]]:
    """Return when what is said of a call beside its windows: [s], signal, [nat]."""
    if isinstance(beside, ChallengeKind):
        return [((call.onset_s or 0.0) + CHECK_S, Signal.CHALLENGE, _outcome(beside, call, rng))]
    oddities = shipped_pipeline().oddities
    times_s = np.arange(10.0, call.length_s, PIPELINE_S)
    return [(float(time_s), beside, _pipeline_llr(oddities, rng)) for time_s in times_s]


def _outcome(check: ChallengeKind, call: ComposedCall, rng: np.random.Generator) -> float:
    """Return what a check says of a call: an outcome as often as the laboratory had it, if its sense is forged."""
    scores = load_scores()
    is_forged = MODALITY[check] in {Signal(name) for name in call.attack_types}
    broken = scores.broken[check][is_forged]
    return scores.llrs[check][Outcome.BROKEN] if rng.random() < broken else 0.0


def _pipeline_llr(oddities: tuple[float, ...], rng: np.random.Generator) -> float:
    """Return what the pipeline says of a bona fide call, drawn, compared with all others."""
    i = int(rng.integers(len(oddities)))
    p = rarity(oddities[i], (*oddities[:i], *oddities[i + 1 :]))
    return -evidence(p) if p is not None else 0.0
