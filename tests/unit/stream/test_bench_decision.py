"""The benchmark of the decision counts what it says it counts, and draws it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models import promise
from models.composed_calls import Composer, Kind
from models.promise import DecisionModel
from models.tapes import BONA_FIDE, Provenance, Tape, TapesError, write
from models.window import Signal
from stream import bench_decision, bench_decision_plot
from stream.bench_decision import Result, play, rate_interval, summary
from stream.policy import Policy


def tapes(n_sources: int = 6) -> list[Tape]:
    """Return tapes of genuine persons about 1 and of forgeries about -1.5, by either channel."""
    rng = np.random.default_rng(0)
    return [
        Tape(
            signal=signal,
            source=f"{signal}{source}",
            person="a",
            attack="tts" if forged else BONA_FIDE,
            attack_type="modern" if forged else BONA_FIDE,
            condition="clean",
            is_telephone=is_telephone,
            raws=tuple((-1.5 if forged else 1.0) + float(x) for x in rng.normal(0, 0.1, 20)),
            reasons=(None,) * 20,
            analysed_s=(4.0,) * 20,
        )
        for signal, is_telephone in ((Signal.FACE, False), (Signal.VOICE, False), (Signal.VOICE, True))
        for source in range(n_sources)
        for forged in (False, True)
    ]


def result(n_alerts: int = 0, hours: float = 0.1, source: str = "a", kind: Kind = Kind.BONA_FIDE) -> Result:
    return Result(
        kind=kind,
        channel="wideband",
        attack_type="" if kind is Kind.BONA_FIDE else "voice: modern",
        sources=(source,),
        hours=hours,
        n_alerts=n_alerts,
        seconds_to_alert=None,
        margin_nat=-1.0,
        covered=0.5,
    )


def test_a_genuine_call_counts_its_alerts_and_a_forged_one_the_seconds_to_its_first(round_model: DecisionModel) -> None:
    policy, rng = Policy(model=round_model), np.random.default_rng(0)
    calls = replace(Composer.of(tapes(), is_telephone=False), alone=0.0)
    genuine = play(calls.draw(rng, Kind.BONA_FIDE), policy)
    assert (genuine.n_alerts, genuine.seconds_to_alert, genuine.attack_type) == (0, None, "")
    assert genuine.margin_nat < 0
    assert 0.5 < genuine.covered <= 1
    forged = play(calls.draw(rng, Kind.TAKEOVER), policy)
    assert forged.n_alerts == 0
    assert forged.seconds_to_alert is not None
    assert 0 < forged.seconds_to_alert < 30
    assert forged.margin_nat >= 0


def test_an_alert_before_the_forgery_is_a_false_one_and_finds_nothing(round_model: DecisionModel) -> None:
    calls = Composer.of(tapes(), is_telephone=False)
    call = replace(calls.draw(np.random.default_rng(1), Kind.THROUGHOUT), onset_s=50.0)
    found = play(call, Policy(model=round_model))
    assert (found.n_alerts, found.seconds_to_alert) == (1, None)


def test_the_interval_is_never_narrower_than_what_so_few_hours_can_tell() -> None:
    low, high = rate_interval([result(source=str(i)) for i in range(100)])
    assert (low, high) == (0.0, pytest.approx(3.689 / 10, abs=0.001))


def test_the_interval_knows_that_one_source_may_have_brought_all_alerts() -> None:
    spread = [result(n_alerts=int(i % 10 == 0), source=str(i)) for i in range(100)]
    heaped = [result(n_alerts=int(i < 10), source=str(i // 10)) for i in range(100)]
    assert rate_interval(heaped)[1] > 1.3 * rate_interval(spread)[1]


def test_the_whole_from_files_to_figures_and_curves(tmp_path: Path, round_model: DecisionModel) -> None:
    provenance = Provenance(recipe="r", manifest_sha256="0", note="n")
    for signal in (Signal.FACE, Signal.VOICE):
        write(tmp_path / f"{signal}.json.gz", provenance, [tape for tape in tapes() if tape.signal is signal])
    with pytest.raises(TapesError, match=r"no decision-\*\.json in .*: run python -m models.training.calibrate"):
        bench_decision.measure(tmp_path, promise_hours=100, hours=1, workers=1)
    for fold in range(2):
        left_out = tuple(f"{signal}{i}" for signal in (Signal.FACE, Signal.VOICE) for i in range(fold, 6, 2))
        promise.save(replace(round_model, left_out=left_out), tmp_path / f"decision-{fold}.json")
    results = bench_decision.measure(tmp_path, promise_hours=100, hours=1, n_spoof=4, workers=1)
    found = json.loads(json.dumps(summary(results, 100)))
    for channel in ("wideband", "telephone"):
        own = found["channels"][channel]
        assert own["call_hours"] >= 1
        assert own["false_alerts"] == 0
        assert own["is_kept_within_interval"]
        assert not own["is_proven"]
        assert own["all_forged"]["calls"] == 8
        assert own["all_forged"]["within_60_s"] > 0.8
        assert set(own["by_attack_type"]) <= {
            f"{what}, {kind}"
            for what in ("face: modern", "voice: modern", "face and voice")
            for kind in ("throughout", "takeover")
        }
    assert len(list(bench_decision.tables(found))) == 2
    bench_decision_plot.draw(results, 100, tmp_path / "plots" / "decision.png")
    assert (tmp_path / "plots" / "decision.png").read_bytes().startswith(b"\x89PNG")
