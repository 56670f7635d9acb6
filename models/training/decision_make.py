"""Makes a `DecisionModel` of tapes: distributions, fusion, thresholds. The same tapes and plan give the same model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.call_evidence import CallEvidence
from models.composed_calls import Composer, Kind
from models.evidence import Bias, Fusion
from models.promise import PROMISES, TELEPHONE, WIDEBAND, DecisionModel, Thresholds
from models.tapes import Tape
from models.training.decision_calls import Mixture, genuine_traces
from models.training.decision_fit import fit_bias, fit_fusion
from models.training.decision_thresholds import thresholds_of
from models.window import Signal

EVEN = Fusion(face=0.3, voice=0.3, both=0.3)
NO_THRESHOLDS = Thresholds(
    nats=(0.0,) * len(PROMISES),
    upper_nats=(0.0,) * len(PROMISES),
    measured_hours=0,
    proven_hours=0,
    sources=0,
    hours=0,
)
FUSED_AFTER_S = 30.0
"""How long after its begin a forgery counts for the fusion [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much is composed."""

    hours: float = 300.0
    """Genuine call-hours for each class of channel [h]."""
    n_spoof: int = 400
    """Forged calls of each kind for the fusion."""
    seed: int = 11


def distributions(tapes: Sequence[Tape]) -> Mapping[Signal, Mapping[str, Bias]]:
    """Return the distributions of every signal and class of channel that there are genuine and forged tapes of."""
    found: dict[Signal, dict[str, Bias]] = {}
    for signal in (Signal.FACE, Signal.VOICE):
        for channel in (WIDEBAND, TELEPHONE):
            own = [tape for tape in tapes if tape.signal is signal and tape.is_telephone is (channel == TELEPHONE)]
            if any(tape.is_bona_fide for tape in own) and any(not tape.is_bona_fide for tape in own):
                found.setdefault(signal, {})[channel] = fit_bias(own, signal, is_telephone=channel == TELEPHONE)
    return found


def make(tapes: Sequence[Tape], plan: Plan, *, note: str, models: Mapping[str, str]) -> DecisionModel:
    """Return the model of sources that are left out of training.

    Args:
        tapes: Of all signals and classes of channel.
        plan: How much to compose.
        note: What they are, in a sentence.
        models: Digests of the models that it is for.

    Raises:
        ValueError: There are too few tapes.
    """
    empty = {WIDEBAND: NO_THRESHOLDS, TELEPHONE: NO_THRESHOLDS}
    model = DecisionModel(biases=distributions(tapes), fusion=EVEN, thresholds=empty, note=note, models=models)
    rng = np.random.default_rng(plan.seed)
    if set(model.biases) == {Signal.FACE, Signal.VOICE}:
        model = replace(model, fusion=fit_fusion(_spoof_nats(Composer.of(tapes, is_telephone=False), model, plan, rng)))
    return with_thresholds(model, tapes, plan)


def with_thresholds(model: DecisionModel, tapes: Sequence[Tape], plan: Plan) -> DecisionModel:
    """Return a model with thresholds measured on genuine tapes; a class of channel without any keeps what it had."""
    thresholds = dict(model.thresholds)
    for number, channel in enumerate((WIDEBAND, TELEPHONE)):
        if not any(tape.is_bona_fide and tape.judged and _is_of(tape, channel) for tape in tapes):
            continue
        rng = np.random.default_rng((plan.seed, number))
        calls = Composer.of(tapes, is_telephone=channel == TELEPHONE)
        traces = genuine_traces(calls, plan.hours, lambda: Mixture(model), rng)
        thresholds[channel] = thresholds_of([found.peak for found in traces], rng)
    return replace(model, thresholds=thresholds)


def _is_of(tape: Tape, channel: str) -> bool:
    """Whether a tape makes calls of a class of channel; a face alone makes none over a telephone line."""
    return tape.is_telephone if channel == TELEPHONE else not tape.is_telephone


def _spoof_nats(
    calls: Composer, model: DecisionModel, plan: Plan, rng: np.random.Generator
) -> list[Mapping[Signal, float]]:
    """Return what each signal says in forged calls with face and voice, half a minute after the forgery began [nat]."""
    found: list[Mapping[Signal, float]] = []
    for kind in (Kind.THROUGHOUT, Kind.TAKEOVER):
        for _ in range(plan.n_spoof):
            call, evidence = replace(calls, alone=0.0).draw(rng, kind), CallEvidence(model)
            for score in call.scores():
                if score.end_s > (call.onset_s or 0.0) + FUSED_AFTER_S:
                    break
                evidence.take(score)
            nats = evidence.nats()
            found.append({signal: nats.get(signal, 0.0) for signal in (Signal.FACE, Signal.VOICE)})
    return found
