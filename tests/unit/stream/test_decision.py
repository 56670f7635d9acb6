"""The decision: grey without evidence, red only on accumulated evidence, and a way back."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import checkpoint
from models.calibration import Calibration
from models.window import HOP_S, WINDOW_S, Reason, Score, Signal
from stream.decision import MEMORY_S, CallDecision, Policy
from stream.events import AlertKind, Decision, State

FACE, VOICE, SYNC = Signal.FACE, Signal.VOICE, Signal.SYNC


def score(
    end_s: float, llr: float | None, signal: Signal = FACE, track: int = 1, reason: Reason | None = None
) -> Score:
    return Score(
        signal=signal,
        track=track,
        start_s=end_s - WINDOW_S,
        end_s=end_s,
        llr=llr,
        raw=llr,
        reason=reason,
        analysed_s=WINDOW_S if llr is not None else 0.0,
    )


def ends(n: int, from_s: float = WINDOW_S) -> list[float]:
    return [from_s + i * HOP_S for i in range(n)]


def play(call: CallDecision, scores: Iterable[Score]) -> tuple[list[Decision], list[tuple[AlertKind, float]]]:
    decisions, changes = [], []
    for s in scores:
        decision, change = call.update([s])
        decisions.append(decision)
        if change is not None:
            changes.append((change, decision.time_s))
    return decisions, changes


def test_a_bona_fide_call_is_green_once_enough_was_analysed() -> None:
    decisions, changes = play(CallDecision(), (score(t, 2.0) for t in ends(20)))
    assert {d.state for d in decisions} == {State.BONA_FIDE}
    assert changes == []
    assert decisions[-1].coverage.face_s == pytest.approx(WINDOW_S + 19 * HOP_S)


@pytest.mark.parametrize(
    "reason",
    [Reason.NO_FACE, Reason.SMALL_FACE, Reason.BLURRED, Reason.POSE, Reason.EXPOSURE, Reason.OCCLUDED],
)
def test_a_hidden_face_is_undecided_and_says_why_though_the_voice_is_good(reason: Reason) -> None:
    scores = [s for t in ends(40) for s in (score(t, None, track=0, reason=reason), score(t, 2.0, VOICE, 0))]
    decisions, _ = play(CallDecision(), scores)
    assert {d.state for d in decisions} == {State.UNDECIDED}
    assert decisions[-1].reason is reason


def test_silence_without_pictures_is_undecided() -> None:
    scores = [
        s
        for t in ends(40)
        for s in (score(t, None, VOICE, 0, Reason.SILENCE), score(t, None, track=0, reason=Reason.LOST))
    ]
    decisions, _ = play(CallDecision(), scores)
    assert {d.state for d in decisions} == {State.UNDECIDED}
    assert decisions[-1].reason is Reason.SILENCE


def test_green_turns_grey_when_nothing_can_be_judged_any_more() -> None:
    call = CallDecision()
    decisions, _ = play(call, (score(t, 2.0, VOICE, 0) for t in ends(10)))
    assert decisions[-1].state is State.BONA_FIDE
    later = ends(30, decisions[-1].time_s + HOP_S)
    decisions, changes = play(call, (score(t, None, VOICE, 0, Reason.SILENCE) for t in later))
    assert decisions[-1].state is State.UNDECIDED
    assert changes == []


def test_a_spoof_is_alerted_within_six_seconds_of_its_start_and_cleared_after_its_end() -> None:
    def llr(t: float, onset_s: float, offset_s: float) -> float:
        """A window is as suspicious as the share of it that is spoof."""
        overlap = max(0.0, min(t, offset_s) - max(t - WINDOW_S, onset_s)) / WINDOW_S
        return 3.0 - 9.0 * overlap

    decisions, changes = play(CallDecision(), (score(t, llr(t, 20, 40)) for t in ends(140)))
    assert [kind for kind, _ in changes] == [AlertKind.RAISED, AlertKind.CLEARED]
    raised_s, cleared_s = (time_s for _, time_s in changes)
    assert 20 < raised_s <= 26
    assert 40 < cleared_s <= 52
    assert decisions[-1].state is State.BONA_FIDE
    assert State.SUSPECT in {d.state for d in decisions if d.time_s < raised_s}


@given(st.lists(st.one_of(st.none(), st.floats(-1, 8)), max_size=200))
def test_evidence_within_the_drift_never_alerts(llrs: list[float | None]) -> None:
    scores = [
        score(t, llr, reason=Reason.NO_FACE if llr is None else None)
        for t, llr in zip(ends(len(llrs)), llrs, strict=True)
    ]
    decisions, changes = play(CallDecision(), scores)
    assert changes == []
    assert all(r.evidence_nat == 0 for d in decisions for r in d.readings)


@given(st.lists(st.one_of(st.none(), st.floats(-8, 8)), min_size=1, max_size=200))
def test_raised_and_cleared_take_turns_and_evidence_is_bounded(llrs: list[float | None]) -> None:
    policy = Policy()
    scores = [
        score(t, llr, reason=Reason.NO_FACE if llr is None else None)
        for t, llr in zip(ends(len(llrs)), llrs, strict=True)
    ]
    decisions, changes = play(CallDecision(policy), scores)
    kinds = [kind for kind, _ in changes]
    assert kinds == [AlertKind.RAISED, AlertKind.CLEARED] * (len(kinds) // 2) + [AlertKind.RAISED] * (len(kinds) % 2)
    assert all(0 <= r.evidence_nat <= policy.limit_nat for d in decisions for r in d.readings)


def test_a_window_that_could_not_be_judged_changes_no_evidence() -> None:
    call = CallDecision()
    play(call, (score(t, -4.0) for t in ends(4)))
    before = call.decision().readings[0].evidence_nat
    play(call, [score(6.0, None, reason=Reason.BLURRED)])
    assert call.decision().readings[0].evidence_nat == before > 0


def test_leaving_the_picture_does_not_clear_an_alert() -> None:
    call = CallDecision()
    play(call, (score(t, -6.0) for t in ends(20)))
    gone = ends(60, 14.0)
    decisions, changes = play(call, (score(t, None, track=0, reason=Reason.NO_FACE) for t in gone))
    assert gone[-1] - 13.5 > 2 * MEMORY_S
    assert {d.state for d in decisions} == {State.SPOOF}
    assert changes == []
    back = ends(60, gone[-1] + HOP_S)
    decisions, changes = play(call, (score(t, 4.0, track=2) for t in back))
    assert [kind for kind, _ in changes] == [AlertKind.CLEARED]
    assert decisions[0].state is State.SPOOF
    assert decisions[-1].state is State.BONA_FIDE


def test_one_spoofed_face_of_two_alerts() -> None:
    scores = [s for t in ends(20) for s in (score(t, 4.0, track=1), score(t, -6.0, track=2))]
    decisions, changes = play(CallDecision(), scores)
    assert [kind for kind, _ in changes] == [AlertKind.RAISED]
    assert {r.track: r.state for r in decisions[-1].readings} == {1: State.BONA_FIDE, 2: State.SPOOF}
    assert decisions[-1].coverage.face_s == pytest.approx(WINDOW_S + 19 * HOP_S)


def test_a_second_signal_that_joins_the_alert_updates_it() -> None:
    call = CallDecision()
    play(call, (score(t, -6.0) for t in ends(20)))
    _, changes = play(call, (score(t, -6.0, VOICE, 0) for t in ends(20)))
    assert [kind for kind, _ in changes] == [AlertKind.UPDATED]
    assert call.alerted == {FACE, VOICE}


WEAK = Calibration(raws=(-8.0, 8.0), llrs=(-0.8, 0.8))
"""A score by itself says little: other people's calls lie between -8 and 8 as well."""
STRONG = Calibration(raws=(-4.0, -1.0, 0.0, 1.0), llrs=(-3.0, -0.5, 1.0, 1.0))
"""A change within a call says much."""


def raw_score(end_s: float, raw: float) -> Score:
    return Score(
        signal=FACE,
        track=1,
        start_s=end_s - WINDOW_S,
        end_s=end_s,
        llr=WEAK.llr(raw),
        raw=raw,
        reason=None,
        analysed_s=WINDOW_S,
    )


@pytest.mark.parametrize("bias", [-6.0, -2.0, 0.0, 5.0])
def test_a_takeover_is_found_whatever_the_bias_of_the_call_and_cleared_when_it_ends(bias: float) -> None:
    def raw(t: float) -> float:
        forged = max(0.0, min(t, 40.0) - max(t - WINDOW_S, 20.0)) / WINDOW_S
        return bias - 5.0 * forged

    call = CallDecision(changes={FACE: STRONG})
    decisions, changes = play(call, (raw_score(t, raw(t)) for t in ends(140)))
    assert [kind for kind, _ in changes] == [AlertKind.RAISED, AlertKind.CLEARED]
    raised_s, cleared_s = (time_s for _, time_s in changes)
    assert 20 < raised_s <= 26
    assert 40 < cleared_s <= 50
    assert {d.state for d in decisions if d.time_s < 20} == {State.BONA_FIDE}


@given(st.lists(st.floats(-0.9, 0.9), min_size=20, max_size=200), st.floats(-8, 8))
def test_a_genuine_call_that_wavers_about_its_own_level_never_alerts(steps: list[float], bias: float) -> None:
    scores = (raw_score(t, bias + step / 2) for t, step in zip(ends(len(steps)), steps, strict=True))
    _, changes = play(CallDecision(changes={FACE: STRONG}), scores)
    assert changes == []


def test_a_change_for_the_better_does_not_excuse_a_score_that_is_bad_by_itself() -> None:
    def score_of(t: float) -> Score:
        return Score(
            signal=FACE, track=1, start_s=t - 4, end_s=t, llr=-3.0, raw=t / 2, reason=None, analysed_s=WINDOW_S
        )

    _, changes = play(CallDecision(changes={FACE: STRONG}), map(score_of, ends(40)))
    assert [kind for kind, _ in changes] == [AlertKind.RAISED]


def test_lips_that_fit_the_sound_make_nothing_green() -> None:
    decisions, _ = play(CallDecision(), (score(t, 0.8, SYNC) for t in ends(60)))
    assert {d.state for d in decisions} == {State.UNDECIDED}
    assert decisions[-1].readings[0].state is State.BONA_FIDE
    assert decisions[-1].coverage.face_s == decisions[-1].coverage.speech_s == 0


@pytest.mark.parametrize("llr", [None, -0.9, 0.8])
def test_lips_and_voice_keep_no_call_from_green_and_change_no_coverage(llr: float | None) -> None:
    reason = Reason.NO_MOUTH if llr is None else None
    scores = [s for t in ends(60) for s in (score(t, 2.0), score(t, llr, SYNC, reason=reason))]
    with_lips, changes = play(CallDecision(), scores)
    without, _ = play(CallDecision(), (score(t, 2.0) for t in ends(60)))
    assert with_lips[-1].state is State.BONA_FIDE
    assert with_lips[-1].coverage == without[-1].coverage
    assert changes == []


def test_why_a_call_is_undecided_is_not_said_by_its_lips() -> None:
    silent = [s for t in ends(9) for s in (score(t, None, VOICE, 0, Reason.SILENCE),)]
    decisions, _ = play(CallDecision(), [*silent, score(9.0, None, SYNC, reason=Reason.NO_MOUTH)])
    assert decisions[-1].reason is Reason.SILENCE


def test_lips_that_do_not_fit_are_never_shown_as_green_and_fit_again_once_they_do() -> None:
    call = CallDecision()
    decisions, _ = play(call, (score(t, -0.9, SYNC) for t in ends(60)))
    assert {d.readings[0].state for d in decisions} == {State.UNDECIDED}
    decisions, _ = play(call, (score(t, 0.8, SYNC) for t in ends(60, decisions[-1].time_s + HOP_S)))
    assert decisions[-1].readings[0].state is State.BONA_FIDE


def test_no_window_of_the_shipped_lips_and_voice_gathers_evidence() -> None:
    described, _ = checkpoint.load("sync")
    worst = described.calibration.llr(-1e9)
    assert -Policy().drift_nat < worst < 0
    decisions, changes = play(CallDecision(), (score(t, worst, SYNC) for t in ends(1_200)))
    assert changes == []
    assert max(r.evidence_nat for d in decisions for r in d.readings) == 0


def test_lips_and_voice_of_a_stronger_detector_would_alert_as_any_signal_does() -> None:
    call = CallDecision()
    _, changes = play(call, (score(t, -3.0, SYNC) for t in ends(60)))
    assert [kind for kind, _ in changes] == [AlertKind.RAISED]
    assert call.alerted == {SYNC}
