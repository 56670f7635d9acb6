"""The decision: grey without evidence, red only on accumulated evidence, and a way back."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.promise import DecisionModel
from models.window import HOP_S, WINDOW_S, Reason, Score, Signal
from stream.call_state import MEMORY_S
from stream.decision import JITTER_S, CallDecision
from stream.events import AlertKind, Decision, State
from stream.policy import Policy

FACE, VOICE, SYNC = Signal.FACE, Signal.VOICE, Signal.SYNC
GENUINE, FORGED = 1.0, -1.5
Changes = list[tuple[AlertKind, float]]


@pytest.fixture(scope="module")
def start(round_model: DecisionModel) -> Callable[[], CallDecision]:
    """Return what begins a call."""
    return lambda: CallDecision(Policy(model=round_model))


def score(
    end_s: float,
    raw: float | None,
    signal: Signal = FACE,
    track: int = 1,
    reason: Reason | None = None,
    is_telephone: bool = False,
) -> Score:
    return Score(
        signal=signal,
        track=track,
        start_s=end_s - WINDOW_S,
        end_s=end_s,
        llr=raw,
        raw=raw,
        reason=reason,
        analysed_s=WINDOW_S if raw is not None else 0.0,
        is_telephone=is_telephone,
    )


def ends(n: int, from_s: float = WINDOW_S) -> list[float]:
    return [from_s + i * HOP_S for i in range(n)]


def play(call: CallDecision, scores: Iterable[Score]) -> tuple[list[Decision], Changes]:
    decisions, changes = [], []
    for s in scores:
        decision, change = call.update([s])
        decisions.append(decision)
        if change is not None:
            changes.append((change, decision.time_s))
    return decisions, changes


def forged_between(t: float, onset_s: float, offset_s: float) -> float:
    """Return the raw score of a window of a call that is forged for a while: its share of both."""
    overlap = max(0.0, min(t, offset_s) - max(t - WINDOW_S, onset_s)) / WINDOW_S
    return GENUINE + (FORGED - GENUINE) * overlap


def test_a_bona_fide_call_is_green_once_enough_was_analysed(start: Callable[[], CallDecision]) -> None:
    decisions, changes = play(start(), (score(t, GENUINE) for t in ends(20)))
    assert {d.state for d in decisions} == {State.BONA_FIDE}
    assert changes == []
    assert decisions[-1].coverage.face_s == pytest.approx(WINDOW_S + 19 * HOP_S)


def test_grey_does_not_turn_green_before_the_stated_seconds(round_model: DecisionModel) -> None:
    call = CallDecision(Policy(model=round_model, min_face_s=6.0))
    decisions, _ = play(call, (score(t, GENUINE) for t in ends(6)))
    assert [d.state for d in decisions] == [State.UNDECIDED] * 4 + [State.BONA_FIDE] * 2


@pytest.mark.parametrize(
    "reason",
    [Reason.NO_FACE, Reason.SMALL_FACE, Reason.BLURRED, Reason.POSE, Reason.EXPOSURE, Reason.OCCLUDED],
)
def test_a_hidden_face_is_undecided_and_says_why_though_the_voice_is_good(
    start: Callable[[], CallDecision], reason: Reason
) -> None:
    scores = [s for t in ends(40) for s in (score(t, None, track=0, reason=reason), score(t, GENUINE, VOICE, 0))]
    decisions, _ = play(start(), scores)
    assert {d.state for d in decisions} == {State.UNDECIDED}
    assert decisions[-1].reason is reason


def test_silence_without_pictures_is_undecided(start: Callable[[], CallDecision]) -> None:
    scores = [
        s
        for t in ends(40)
        for s in (score(t, None, VOICE, 0, Reason.SILENCE), score(t, None, track=0, reason=Reason.LOST))
    ]
    decisions, _ = play(start(), scores)
    assert {d.state for d in decisions} == {State.UNDECIDED}
    assert decisions[-1].reason is Reason.SILENCE


def test_green_turns_grey_when_nothing_can_be_judged_any_more(start: Callable[[], CallDecision]) -> None:
    call = start()
    decisions, _ = play(call, (score(t, GENUINE, VOICE, 0) for t in ends(10)))
    assert decisions[-1].state is State.BONA_FIDE
    later = ends(30, decisions[-1].time_s + HOP_S)
    decisions, changes = play(call, (score(t, None, VOICE, 0, Reason.SILENCE) for t in later))
    assert decisions[-1].state is State.UNDECIDED
    assert changes == []


@pytest.mark.parametrize("onset_s", [20.0, 7 * 60.0])
def test_a_takeover_is_alerted_in_the_middle_of_a_call_and_cleared_after_its_end(
    start: Callable[[], CallDecision], onset_s: float
) -> None:
    n = int((onset_s + 120) / HOP_S)
    decisions, changes = play(start(), (score(t, forged_between(t, onset_s, onset_s + 20)) for t in ends(n)))
    assert [kind for kind, _ in changes] == [AlertKind.RAISED, AlertKind.CLEARED]
    raised_s, cleared_s = (time_s for _, time_s in changes)
    assert onset_s < raised_s <= onset_s + 12
    assert onset_s + 20 < cleared_s <= onset_s + 80
    assert decisions[-1].state is State.BONA_FIDE
    assert State.SUSPECT in {d.state for d in decisions if d.time_s < raised_s}


def test_a_call_that_is_forged_from_the_start_is_alerted(start: Callable[[], CallDecision]) -> None:
    _, changes = play(start(), (score(t, FORGED) for t in ends(60)))
    assert [kind for kind, _ in changes] == [AlertKind.RAISED]


@pytest.mark.parametrize("bias", [-0.5, 0.0, 0.8])
def test_a_takeover_is_found_whatever_the_bias_of_the_call(start: Callable[[], CallDecision], bias: float) -> None:
    raws = (score(t, bias + forged_between(t, 60, 90)) for t in ends(400))
    _, changes = play(start(), raws)
    assert [kind for kind, _ in changes] == [AlertKind.RAISED, AlertKind.CLEARED]
    assert 60 < changes[0][1] <= 75


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-0.3, 0.3), min_size=20, max_size=200), st.floats(-0.6, 3.0))
def test_a_genuine_call_that_wavers_about_its_own_level_never_alerts(
    start: Callable[[], CallDecision], steps: list[float], bias: float
) -> None:
    scores = (score(t, GENUINE + bias + step) for t, step in zip(ends(len(steps)), steps, strict=True))
    _, changes = play(start(), scores)
    assert changes == []


@settings(deadline=None, max_examples=30)
@given(st.lists(st.one_of(st.none(), st.floats(-4, 4)), min_size=1, max_size=200))
def test_raised_and_cleared_take_turns(start: Callable[[], CallDecision], raws: list[float | None]) -> None:
    scores = [
        score(t, raw, reason=Reason.NO_FACE if raw is None else None)
        for t, raw in zip(ends(len(raws)), raws, strict=True)
    ]
    decisions, changes = play(start(), scores)
    kinds = [kind for kind, _ in changes]
    assert kinds == [AlertKind.RAISED, AlertKind.CLEARED] * (len(kinds) // 2) + [AlertKind.RAISED] * (len(kinds) % 2)
    for decision in decisions:
        covered = decision.coverage
        assert covered.face_s + sum(covered.face_missed_s.values()) == pytest.approx(covered.call_s)


def test_a_window_that_could_not_be_judged_changes_no_evidence(start: Callable[[], CallDecision]) -> None:
    call = start()
    play(call, (score(t, FORGED) for t in ends(4)))
    before = call.decision().readings[0].evidence_nat
    play(call, [score(6.0, None, reason=Reason.BLURRED)])
    assert call.decision().readings[0].evidence_nat == before > 0


def test_leaving_the_picture_does_not_clear_an_alert(start: Callable[[], CallDecision]) -> None:
    call = start()
    play(call, (score(t, FORGED) for t in ends(60)))
    gone = ends(60, 34.0)
    decisions, changes = play(call, (score(t, None, track=0, reason=Reason.NO_FACE) for t in gone))
    assert gone[-1] - 33.5 > 2 * MEMORY_S
    assert {d.state for d in decisions} == {State.SPOOF}
    assert changes == []
    back = ends(300, gone[-1] + HOP_S)
    decisions, changes = play(call, (score(t, GENUINE, track=2) for t in back))
    assert [kind for kind, _ in changes] == [AlertKind.CLEARED]
    assert decisions[0].state is State.SPOOF
    assert decisions[-1].state is State.BONA_FIDE


def test_another_camera_is_no_sign_of_a_forgery_by_itself(start: Callable[[], CallDecision]) -> None:
    told, untold = start(), start()
    for call, says in ((told, True), (untold, False)):
        play(call, (score(t, GENUINE + 1.2) for t in ends(100)))
        if says:
            call.restart(FACE)
        play(call, (score(t, GENUINE - 0.7) for t in ends(100, 54.0)))
    assert told.decision().state is State.BONA_FIDE
    assert untold.decision().state is State.SPOOF


def test_another_camera_does_not_wash_away_an_alert(start: Callable[[], CallDecision]) -> None:
    call = start()
    play(call, (score(t, FORGED) for t in ends(60)))
    call.restart(FACE)
    assert play(call, (score(t, FORGED) for t in ends(10, 34.0)))[1] == []
    assert call.decision().state is State.SPOOF


def test_another_line_is_no_sign_of_a_forgery_by_itself(start: Callable[[], CallDecision]) -> None:
    call = start()
    play(call, (score(t, GENUINE + 1.0, VOICE, 0) for t in ends(100)))
    decisions, changes = play(call, (score(t, GENUINE - 0.5, VOICE, 0, is_telephone=True) for t in ends(100, 54.0)))
    assert changes == []
    assert decisions[-1].is_telephone
    assert decisions[-1].state is State.BONA_FIDE


def test_one_spoofed_face_of_two_alerts(start: Callable[[], CallDecision]) -> None:
    scores = [s for t in ends(60) for s in (score(t, GENUINE, track=1), score(t, FORGED, track=2))]
    decisions, changes = play(start(), scores)
    assert [kind for kind, _ in changes] == [AlertKind.RAISED]
    assert {r.track: r.state for r in decisions[-1].readings} == {1: State.BONA_FIDE, 2: State.SPOOF}
    assert decisions[-1].coverage.face_s == pytest.approx(WINDOW_S + 59 * HOP_S)


def test_one_broken_signal_neither_silences_nor_drowns_the_other(start: Callable[[], CallDecision]) -> None:
    scores = [s for t in ends(80) for s in (score(t, 30.0, track=1), score(t, FORGED, VOICE, 0))]
    decisions, changes = play(start(), scores)
    assert [kind for kind, _ in changes] == [AlertKind.RAISED]
    shares = {r.signal: r.share for r in decisions[-1].readings}
    assert shares[VOICE] > 0.99
    assert shares[FACE] < 0.01


def test_a_second_signal_that_joins_the_alert_updates_it(start: Callable[[], CallDecision]) -> None:
    call = start()
    play(call, (score(t, FORGED) for t in ends(40)))
    _, changes = play(call, (score(t, FORGED, VOICE, 0) for t in ends(40, 24.0)))
    assert [kind for kind, _ in changes] == [AlertKind.UPDATED]
    assert call.alerted == {FACE, VOICE}


def test_a_signal_over_the_line_carries_the_alert_beside_a_much_stronger_one(
    start: Callable[[], CallDecision],
) -> None:
    call = start()
    takeover = [forged_between(t, 30, 90) for t in ends(160)]
    scores = [
        s
        for t, raw in zip(ends(160), takeover, strict=True)
        for s in (score(t, raw * 2 - 1), score(t, raw * 0.65 + 0.35, VOICE, 0))
    ]
    decisions, _ = play(call, scores)
    strongest = {r.signal: r for r in decisions[-1].readings}
    assert strongest[VOICE].share < 0.3
    assert strongest[VOICE].evidence_nat >= decisions[-1].threshold_nat
    assert {reading.state for reading in strongest.values()} == {State.SPOOF}


def test_lips_that_fit_the_sound_make_nothing_green(start: Callable[[], CallDecision]) -> None:
    decisions, _ = play(start(), (score(t, 0.8, SYNC) for t in ends(60)))
    assert {d.state for d in decisions} == {State.UNDECIDED}
    assert decisions[-1].readings[0].state is State.BONA_FIDE
    assert decisions[-1].coverage.face_s == decisions[-1].coverage.speech_s == 0


@pytest.mark.parametrize("llr", [None, -3.0, 0.8])
def test_lips_and_voice_keep_no_call_from_green_and_change_no_coverage(
    start: Callable[[], CallDecision], llr: float | None
) -> None:
    reason = Reason.NO_MOUTH if llr is None else None
    scores = [s for t in ends(60) for s in (score(t, GENUINE), score(t, llr, SYNC, reason=reason))]
    with_lips, changes = play(start(), scores)
    without, _ = play(start(), (score(t, GENUINE) for t in ends(60)))
    assert with_lips[-1].state is State.BONA_FIDE
    assert with_lips[-1].coverage == without[-1].coverage
    assert changes == []


def test_why_a_call_is_undecided_is_not_said_by_its_lips(start: Callable[[], CallDecision]) -> None:
    silent = [s for t in ends(9) for s in (score(t, None, VOICE, 0, Reason.SILENCE),)]
    decisions, _ = play(start(), [*silent, score(9.0, None, SYNC, reason=Reason.NO_MOUTH)])
    assert decisions[-1].reason is Reason.SILENCE


def test_lips_that_do_not_fit_are_never_shown_as_green_and_fit_again_once_they_do(
    start: Callable[[], CallDecision],
) -> None:
    call = start()
    decisions, _ = play(call, (score(t, -0.9, SYNC) for t in ends(60)))
    assert {d.readings[0].state for d in decisions} == {State.UNDECIDED}
    decisions, _ = play(call, (score(t, 0.8, SYNC) for t in ends(60, decisions[-1].time_s + HOP_S)))
    assert decisions[-1].readings[0].state is State.BONA_FIDE


def test_a_stronger_promise_alerts_later(round_model: DecisionModel) -> None:
    raised = []
    for hours in (1.0, 30.0, 1000.0):
        call = CallDecision(Policy(model=round_model, promise_hours=hours))
        raised.append(play(call, (score(t, forged_between(t, 30, 90)) for t in ends(200)))[1][0][1])
    assert raised[0] < raised[1] < raised[2]


def mixed_call(seed: int) -> list[Score]:
    """Return four minutes of a call in which much happens: a takeover, pauses, two faces, another line."""
    rng = np.random.default_rng(seed)
    scores: list[Score] = []
    for t in ends(480):
        raw = forged_between(t, 90, 150) + float(rng.normal(0, 0.3))
        if t % 40 > 6:
            scores.append(score(t, raw, track=1 if t < 120 else 3))
        else:
            scores.append(score(t, None, track=0, reason=Reason.NO_FACE))
        if 100 < t < 130:
            scores.append(score(t, GENUINE, track=2))
        silent = t % 30 < 5
        raw_voice = None if silent else GENUINE + float(rng.normal(0, 0.3))
        reason = Reason.SILENCE if silent else None
        scores.append(score(t, raw_voice, VOICE, 0, reason, is_telephone=not silent and t > 180))
    return scores


def shuffled(scores: Sequence[Score], seed: int) -> list[Score]:
    """Return windows as they may come: none later than `JITTER_S` after one that ends later."""
    late = random.Random(seed)
    return sorted(scores, key=lambda s: s.end_s + late.uniform(0, JITTER_S))


@pytest.mark.parametrize("seed", range(6))
def test_any_split_and_any_order_within_jitter_give_the_same_decision(
    start: Callable[[], CallDecision], seed: int
) -> None:
    scores = mixed_call(seed)
    in_order, mixed, at_once = start(), start(), start()
    _, changes = play(in_order, sorted(scores, key=lambda s: (s.end_s, s.signal, s.track)))
    assert AlertKind.RAISED in [kind for kind, _ in changes]
    play(mixed, shuffled(scores, seed))
    parts = random.Random(seed)
    waiting = shuffled(scores, seed + 100)
    while waiting:
        n = parts.randrange(1, 12)
        at_once.update(waiting[:n])
        waiting = waiting[n:]
    assert mixed.decision() == in_order.decision() == at_once.decision()
    assert mixed.alerted == in_order.alerted == at_once.alerted


@pytest.mark.parametrize("n_before", range(5, 25))
def test_a_challenge_is_remembered_after_a_late_window(start: Callable[[], CallDecision], n_before: int) -> None:
    call, times = start(), ends(n_before + 6)
    play(call, (score(t, GENUINE) for t in times[:n_before]))
    call.challenged(-2.0, 10.0)
    play(call, (score(t, GENUINE) for t in [*times[n_before:-2], times[-1], times[-2]]))
    in_order = start()
    in_order.challenged(-2.0, 10.0)
    play(in_order, (score(t, GENUINE) for t in times))
    assert call.decision() == in_order.decision()


def test_the_decision_takes_thousands_of_windows_a_second(start: Callable[[], CallDecision]) -> None:
    scores = sorted(mixed_call(0), key=lambda s: s.end_s)
    fastest = float("inf")
    for _ in range(5):  # other processes of the machine may slow down one
        call, began = start(), time.process_time()
        for s in scores:
            call.update([s])
        fastest = min(fastest, time.process_time() - began)
    assert len(scores) / fastest > 5_000  # of 10,000 on an idle core: what a busy one takes away is not ours


def test_a_copy_of_a_score_says_which_window_is_judged(start: Callable[[], CallDecision]) -> None:
    call = start()
    twice = score(4.0, GENUINE)
    play(call, [twice, replace(twice, track=2, llr=None, raw=None, reason=Reason.POSE, analysed_s=0.0)])
    assert call.decision().coverage.face_s == WINDOW_S
    assert call.decision().coverage.face_missed_s == {}


def test_seconds_that_were_not_analysed_are_counted_by_reason_of_call_and_track(
    start: Callable[[], CallDecision],
) -> None:
    scores = [score(t, GENUINE) for t in ends(5)]
    scores += [score(t, None, reason=Reason.BLURRED) for t in ends(4, 6.5)]
    decisions, _ = play(start(), scores)
    assert decisions[-1].coverage.face_missed_s == {Reason.BLURRED: 2.0}
    assert decisions[-1].readings[0].missed_s == {Reason.BLURRED: 2.0}
    assert decisions[-1].coverage.face_s == 6.0
