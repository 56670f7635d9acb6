"""What challenges and the pipeline say enters the call's evidence, bounded, and is named where it carries an alert."""

import pytest

from models.call_evidence import MAX_CHALLENGED_NAT
from models.challenge import ChallengeKind
from models.promise import DecisionModel
from models.traits import PipelineReading, Trait, TraitReading
from models.window import Score, Signal
from stream.checks.challenges import proposed
from stream.decision import CallDecision
from stream.events import State
from stream.policy import Policy


def score(end_s: float, signal: Signal = Signal.FACE, llr: float = 1.0) -> Score:
    return Score(signal=signal, track=1, start_s=end_s - 4, end_s=end_s, llr=llr, raw=llr, reason=None, analysed_s=4.0)


@pytest.fixture
def decision(round_model: DecisionModel) -> CallDecision:
    """A call of ten genuine seconds; the alert line is at 4 nat."""
    call = CallDecision(Policy(model=round_model, promise_hours=100))
    call.update(score(4 + i / 2) for i in range(12))
    return call


def test_one_that_broke_raises_the_evidence_and_several_the_alert(decision: CallDecision) -> None:
    before = decision.decision().evidence_nat
    said, change = decision.challenged(-2.5, 3.0)
    assert said.evidence_nat > before
    assert change is None
    said, _ = decision.challenged(-2.5, 3.0)
    reading = next(r for r in said.readings if r.signal is Signal.CHALLENGE)
    assert reading.evidence_nat == MAX_CHALLENGED_NAT
    assert reading.analysed_s == 6.0
    for i in range(6):
        said, _ = decision.update([score(12 + i / 2, llr=-3.0)])
    assert said.state is State.SPOOF
    assert reading.share > 0


def test_passing_proves_nothing_and_never_makes_a_call_green(round_model: DecisionModel) -> None:
    call = CallDecision(Policy(model=round_model, promise_hours=100))
    for llr in (0.0, 0.7, 0.7):
        said, change = call.challenged(llr, 3.0)
    reading = next(r for r in said.readings if r.signal is Signal.CHALLENGE)
    assert (said.state, said.evidence_nat, change) == (State.UNDECIDED, 0.0, None)
    assert (reading.state, reading.evidence_nat) == (State.UNDECIDED, 0.0)


def test_what_came_late_does_not_undo_a_challenge(decision: CallDecision) -> None:
    said, _ = decision.challenged(-2.5, 3.0)
    late, _ = decision.update([score(9.25)])
    assert late.evidence_nat == pytest.approx(said.evidence_nat, abs=0.3)


def test_the_sense_in_doubt_is_asked_first_and_one_that_is_missing_never(decision: CallDecision) -> None:
    told = {ChallengeKind.TURN: 0.2, ChallengeKind.COVER: 0.3, ChallengeKind.HUM: 0.5, ChallengeKind.CLAP: 0.4}
    assert proposed(None, told) == (ChallengeKind.HUM, ChallengeKind.CLAP, ChallengeKind.COVER)
    of_face = proposed(decision.decision(), told)
    assert of_face == (ChallengeKind.COVER, ChallengeKind.TURN)
    decision.update([score(10 + i / 2, Signal.VOICE) for i in range(12)])
    assert proposed(decision.decision(), told)[0] is ChallengeKind.HUM


PIPELINE = PipelineReading(llr=-0.8, traits=(TraitReading(trait=Trait.REPEATED, value=0.6, p=0.01),))


def test_an_odd_pipeline_counts_as_it_is_known_now_and_not_again_with_each_look(decision: CallDecision) -> None:
    before = decision.decision().evidence_nat
    for _ in range(20):
        said, change = decision.piped(PIPELINE, 10.0)
    reading = next(r for r in said.readings if r.signal is Signal.PIPELINE)
    assert reading.evidence_nat == 0.8
    assert said.evidence_nat <= before + 0.8
    assert (change, said.pipeline) == (None, PIPELINE.traits)
    said, _ = decision.piped(PipelineReading(llr=0.0, traits=()), 15.0)
    assert said.evidence_nat == pytest.approx(before)


def test_an_ordinary_pipeline_never_makes_a_call_green(round_model: DecisionModel) -> None:
    call = CallDecision(Policy(model=round_model, promise_hours=100))
    said, change = call.piped(PipelineReading(llr=0.0, traits=()), 60.0)
    assert (said.state, said.evidence_nat, change) == (State.UNDECIDED, 0.0, None)


def test_challenge_and_pipeline_share_the_evidence_with_what_is_seen(decision: CallDecision) -> None:
    decision.challenged(-2.5, 3.0)
    said, _ = decision.piped(PIPELINE, 10.0)
    shares = {r.signal: r.share for r in said.readings}
    assert shares[Signal.CHALLENGE] > shares[Signal.PIPELINE] > 0
    assert sum(shares.values()) == pytest.approx(1.0)
