"""Evidence over a call: an e-process where its model holds, bounded by what one score may say, fused without a veto."""

from itertools import pairwise
from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evidence import EVERY, N_TIMES, Bias, Fusion, SignalEvidence
from models.promise import DecisionModel
from models.window import Signal

BIAS = Bias(
    mean=1.0,
    between=0.6,
    within=0.5,
    wander=0.2,
    worth=0.125,
    shift=2.0,
    shift_spread=0.7,
    change=2.0,
    change_spread=0.7,
)


def windows(rng: np.random.Generator, n: int, onset: int | None = None) -> list[float]:
    """Return scores of one call as `BIAS` has them: windows share seven eighths of their noise."""
    noise = np.convolve(rng.normal(0, 1, n + 7), np.ones(8) / np.sqrt(8), "valid")
    wander = rng.normal(0, BIAS.wander, -(-n // 40)).repeat(40)[:n]
    raws = BIAS.mean + rng.normal(0, BIAS.between) + wander + BIAS.within * noise
    if onset is not None:
        raws[onset:] -= max(rng.normal(BIAS.change, BIAS.change_spread), 0)
    return [float(raw) for raw in raws]


def highest(raws: list[float]) -> float:
    evidence, most = SignalEvidence(BIAS), -np.inf
    for raw in raws:
        evidence.take(raw)
        most = max(most, evidence.nat)
    return float(most)


def test_genuine_calls_seldom_pass_a_level_however_long_one_looks() -> None:
    rng = np.random.default_rng(5)
    peaks = np.array([highest(windows(rng, 500)) for _ in range(200)])
    for level in (1.0, 2.0, 3.0):
        # Ville's inequality, with three standard errors of room.
        assert (peaks >= level).mean() <= exp(-level) + 3 * np.sqrt(exp(-level) / len(peaks))


def test_a_takeover_in_the_middle_of_a_call_is_found() -> None:
    rng = np.random.default_rng(6)
    assert np.mean([highest(windows(rng, 400, onset=300)) > 4 for _ in range(60)]) > 0.8


def test_more_times_than_can_be_kept_in_mind_are_forgotten_one_by_one() -> None:
    rng = np.random.default_rng(7)
    raws = windows(rng, EVERY * (N_TIMES + 50), onset=EVERY * (N_TIMES + 40))
    assert highest(raws) > 2


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=60), st.data())
def test_the_newest_score_never_speaks_against_itself(raws: list[float], data: st.DataObject) -> None:
    better = data.draw(st.floats(0, 5))
    worse, fairer = SignalEvidence(BIAS), SignalEvidence(BIAS)
    for raw in raws[:-1]:
        worse.take(raw)
        fairer.take(raw)
    worse.take(raws[-1])
    fairer.take(raws[-1] + better)
    assert fairer.nat <= worse.nat + 1e-9


def test_one_wild_score_is_taken_for_no_more_than_a_very_odd_one() -> None:
    odd, wild = SignalEvidence(BIAS), SignalEvidence(BIAS)
    for evidence, last in ((odd, -3.0), (wild, -1e9)):
        for raw in [1.0] * 20:
            evidence.take(raw)
        evidence.take(last)
    assert wild.nat == pytest.approx(odd.nat, abs=1.0)


def test_what_stands_against_the_one_before_is_worn_down_by_genuine_windows_only() -> None:
    evidence = SignalEvidence(BIAS, standing_nat=8.0)
    for _ in range(10):
        evidence.take(-0.5)
    assert evidence.nat >= 8.0
    seen = [evidence.nat]
    evidence = SignalEvidence(BIAS, standing_nat=8.0)
    for _ in range(120):
        evidence.take(1.0)
        seen.append(evidence.nat)
    assert seen[-1] < 0.5
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(seen))


def test_a_restart_forgets_the_call_and_keeps_what_stands() -> None:
    evidence = SignalEvidence(BIAS)
    for _ in range(60):
        evidence.take(-1.5)
    before = evidence.nat
    evidence.restart()
    assert evidence.nat == before > 3
    assert evidence.n_judged == 0


FUSION = Fusion(face=0.2, voice=0.3, both=0.3)


def test_one_signal_pays_its_weight_and_no_other_can_silence_it() -> None:
    alone = FUSION.fuse({Signal.VOICE: 10.0})
    assert alone.nat == pytest.approx(10 + log(0.6), abs=0.01)
    with_good_face = FUSION.fuse({Signal.VOICE: 10.0, Signal.FACE: -1000.0})
    assert with_good_face.nat == pytest.approx(10 + log(0.3), abs=0.01)
    assert with_good_face.shares[Signal.VOICE] == pytest.approx(1.0)


@given(st.floats(-20, 30), st.floats(-20, 30), st.floats(0, 10), st.sampled_from([Signal.FACE, Signal.VOICE]))
def test_more_evidence_of_any_signal_never_lowers_the_whole(
    face: float, voice: float, more: float, signal: Signal
) -> None:
    nats = {Signal.FACE: face, Signal.VOICE: voice}
    fused, raised = FUSION.fuse(nats), FUSION.fuse(nats | {signal: nats[signal] + more})
    assert raised.nat >= fused.nat - 1e-9
    assert sum(fused.shares.values()) == pytest.approx(1.0)


def test_two_signals_together_say_more_than_either() -> None:
    both = FUSION.fuse({Signal.FACE: 4.0, Signal.VOICE: 4.0})
    assert both.nat > 4.0 + 2.0
    assert both.shares == {Signal.FACE: pytest.approx(0.5, abs=0.1), Signal.VOICE: pytest.approx(0.5, abs=0.1)}


@pytest.mark.parametrize("weights", [(-0.1, 0.3, 0.3), (0.5, 0.5, 0.5)])
def test_weights_that_are_no_shares_are_refused(weights: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="weights must be at least 0 and sum to at most 1"):
        Fusion(face=weights[0], voice=weights[1], both=weights[2])


def test_a_model_is_read_back_as_it_was_and_is_known_by_its_digest(
    tmp_path_factory: pytest.TempPathFactory, round_model: DecisionModel
) -> None:
    from models import promise

    path = tmp_path_factory.mktemp("decision") / "decision.json"
    promise.save(round_model, path)
    assert promise.load(path) == round_model
    assert promise.load(path).digest == round_model.digest


def test_windows_that_are_genuine_again_are_noticed_in_seconds_and_forged_ones_never() -> None:
    rng = np.random.default_rng(8)
    evidence = SignalEvidence(BIAS)
    for raw in [1.0] * 40 + [-1.5] * 120:
        evidence.take(raw + float(rng.normal(0, 0.2)))
        assert not evidence.has_returned
    n = 0
    while not evidence.has_returned:
        evidence.take(1.0 + float(rng.normal(0, 0.2)))
        n += 1
    assert 12 <= n <= 40
