"""Replays composed calls of sources left out through the decision: false alerts per call-hour, and how soon it alerts.

Nothing of a call's sources had a part in the model that decides it: the scores are of models trained without them, and
distributions, fusion and thresholds were measured without them (`models.training.calibrate decision` writes those
models beside the tapes). Windows are scored already, so that hours take seconds.
"""

import platform
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.table import Table

from models.composed_calls import ComposedCall, Composer, Kind
from models.metrics import poisson_interval
from models.promise import TELEPHONE, WIDEBAND, load
from models.tapes import TAPES, Tape, TapesError, read
from models.traits import PipelineReading
from models.window import Signal
from stream.bench_beside import Beside, drawn
from stream.decision import CallDecision
from stream.events import AlertKind
from stream.policy import Policy

WITHIN_S = (10.0, 30.0, 60.0)
DRAWS = 1000
BOTH = "face and voice"


_Task = tuple[Sequence[Tape], Policy, str, float, int, int, Beside | None]
"""Tapes, policy, class of channel, hours, forged calls, seed, what speaks beside the windows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one call."""

    kind: Kind
    channel: str
    attack_type: str
    """Empty where nothing is forged."""
    sources: tuple[str, ...]
    hours: float
    n_alerts: int
    """Of a forged call only those before the forgery began."""
    seconds_to_alert: float | None
    """From the begin of the forgery to the first alert [s]; None: never, or before."""
    margin_nat: float
    """Most evidence above its threshold; of a forged call in its first half minute [nat]."""
    covered: float
    """Share of the call in which face or speech was judged."""


def play(call: ComposedCall, policy: Policy, beside: Iterable[tuple[float, Signal, float]] = ()) -> Result:
    """Send one call through the decision.

    Args:
        call: Its scores.
        policy: When to alert.
        beside: What checks or the pipeline say, and when, by time: [s], signal, [nat].
    """
    waiting = deque(beside)
    decision, alerts, margin = CallDecision(policy), list[float](), float("-inf")
    onset_s = call.onset_s
    said = decision.decision()
    for score in call.scores():
        while waiting and score.end_s >= waiting[0][0]:
            _, signal, llr = waiting.popleft()
            if signal is Signal.PIPELINE:
                _, change = decision.piped(PipelineReading(llr=llr, traits=()), score.end_s)
            else:
                _, change = decision.challenged(llr, 3.0)
            if change is AlertKind.RAISED:
                alerts.append(score.end_s)
        said, change = decision.update((score,))
        if change is AlertKind.RAISED:
            alerts.append(score.end_s)
        if onset_s is None or onset_s <= score.end_s <= onset_s + 30.0:
            margin = max(margin, said.evidence_nat - said.threshold_nat)
    early = [time_s for time_s in alerts if onset_s is None or time_s < onset_s]
    hit = onset_s is not None and alerts and not early
    covered = max(said.coverage.face_s, said.coverage.speech_s)
    return Result(
        kind=call.kind,
        channel=TELEPHONE if call.is_telephone else WIDEBAND,
        attack_type=_attack_type(call),
        sources=call.sources,
        hours=call.length_s / 3600,
        n_alerts=len(early),
        seconds_to_alert=alerts[0] - onset_s if hit and onset_s is not None else None,
        margin_nat=margin,
        covered=covered / said.coverage.call_s if said.coverage.call_s else 0.0,
    )


def _attack_type(call: ComposedCall) -> str:
    if len(call.attack_types) > 1:
        return BOTH
    return next((f"{signal}: {name}" for signal, name in call.attack_types.items()), "")


def measure(
    folder: Path = TAPES,
    *,
    promise_hours: float,
    hours: float,
    workers: int,
    n_spoof: int = 400,
    seed: int = 23,
    beside: Beside | None = None,
) -> list[Result]:
    """Return what becomes of calls of every fold's left-out sources.

    Args:
        folder: Of the tapes and of the models made without each fold.
        promise_hours: At most one false alert in so many call-hours [h].
        hours: Genuine call-hours of each class of channel, over all folds [h].
        n_spoof: Forged calls of each kind and class of channel, over all folds.
        workers: Processes.
        seed: Of what is drawn.
        beside: What is asked once in each call, and what comes of it is drawn as the laboratory found it; or that the
            pipeline is judged, as of a bona fide call in forged ones too.

    Raises:
        TapesError: Tapes, or models made without a part of their sources, are missing.
    """
    models = sorted(folder.glob("decision-*.json"))
    if not models:
        raise TapesError(f"no decision-*.json in {folder}: run python -m models.training.calibrate decision")
    tapes = [tape for name in ("face", "voice") for tape in read(folder / f"{name}.json.gz")[1]]
    tasks: list[_Task] = []
    for path in models:
        model = load(path)
        held = [tape for tape in tapes if tape.source in model.left_out]
        policy = Policy(model=model, promise_hours=promise_hours)
        for channel in (WIDEBAND, TELEPHONE):
            n_forged, own_seed = -(-n_spoof // len(models)), seed + len(tasks)
            tasks.append((held, policy, channel, hours / len(models), n_forged, own_seed, beside))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return [found for part in pool.map(_play_all, tasks) for found in part]


def _play_all(task: _Task) -> list[Result]:
    tapes, policy, channel, hours, n_spoof, seed, beside = task
    rng, of_beside = np.random.default_rng(seed), np.random.default_rng([seed, 1])

    def played(call: ComposedCall) -> Result:
        return play(call, policy, drawn(beside, call, of_beside) if beside else ())

    composer = Composer.of(tapes, is_telephone=channel == TELEPHONE)
    found = []
    while hours > 0:
        found.append(played(composer.draw(rng, Kind.BONA_FIDE)))
        hours -= found[-1].hours
    forgeable = tuple(library for library in composer.libraries if library.forged_sources)
    for kind in (Kind.THROUGHOUT, Kind.TAKEOVER):
        found += [played(replace(composer, libraries=forgeable).draw(rng, kind)) for _ in range(n_spoof)]
    return found


def summary(results: Sequence[Result], promise_hours: float) -> dict[str, Any]:
    """Return all figures, by class of channel."""
    return {
        "promise_hours": promise_hours,
        "machine": platform.processor() or platform.machine(),
        "channels": {
            channel: _of_channel([found for found in results if found.channel == channel], promise_hours)
            for channel in (WIDEBAND, TELEPHONE)
        },
    }


def _of_channel(results: Sequence[Result], promise_hours: float) -> dict[str, Any]:
    genuine = [found for found in results if found.kind is Kind.BONA_FIDE]
    forged = [found for found in results if found.kind is not Kind.BONA_FIDE]
    hours, n_alerts = sum(found.hours for found in genuine), sum(found.n_alerts for found in genuine)
    low, high = rate_interval(genuine)
    by_type: dict[str, list[Result]] = defaultdict(list)
    for found in forged:
        by_type[f"{found.attack_type}, {found.kind}"].append(found)
    return {
        "call_hours": round(hours, 1),
        "sources": len({name for found in genuine for name in found.sources}),
        "false_alerts": n_alerts,
        "false_alerts_per_call_hour": n_alerts / hours,
        "interval_95": [low, high],
        "promised_per_call_hour": 1 / promise_hours,
        "is_kept_within_interval": low <= 1 / promise_hours,
        "is_proven": high <= 1 / promise_hours,
        "false_alerts_by_source": _by_source(genuine),
        "covered": float(np.mean([found.covered for found in genuine])),
        "all_forged": _found(forged),
        "by_attack_type": {name: _found(own) for name, own in sorted(by_type.items())},
    }


def _found(results: Sequence[Result]) -> dict[str, Any]:
    heard = [found.seconds_to_alert for found in results if found.seconds_to_alert is not None]
    return {
        "calls": len(results),
        "alerted_before": sum(found.n_alerts > 0 for found in results),
        **{f"within_{limit:g}_s": sum(s <= limit for s in heard) / len(results) for limit in WITHIN_S},
        "ever": len(heard) / len(results),
        "median_s": median(heard) if heard else None,
    }


def _by_source(genuine: Iterable[Result]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for found in genuine:
        for name in found.sources if found.n_alerts else ():
            counts[name] += found.n_alerts
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def tables(found: Mapping[str, Any]) -> Iterator[Table]:
    """Yield the figures of `summary` for a person: one table for each class of channel."""
    for channel, own in found["channels"].items():
        low, high = own["interval_95"]
        shown = Table(
            title=f"{channel}: {own['false_alerts']} false alerts in {own['call_hours']:g} call-hours of "
            f"{own['sources']} sources",
            caption=f"{own['false_alerts_per_call_hour']:.4f} an hour ({low:.4f} to {high:.4f}), promised "
            f"{own['promised_per_call_hour']:.4f}; {own['covered']:.0%} of the time analysed",
        )
        for name in ("forged calls", "calls", *(f"within {limit:g} s" for limit in WITHIN_S), "ever", "median [s]"):
            shown.add_column(name, justify="left" if name == "forged calls" else "right")
        for name, row in (("all", own["all_forged"]), *own["by_attack_type"].items()):
            shares = [row[f"within_{limit:g}_s"] for limit in WITHIN_S] + [row["ever"]]
            middle = "-" if row["median_s"] is None else f"{row['median_s']:.1f}"
            shown.add_row(name, str(row["calls"]), *(f"{share:.1%}" for share in shares), middle)
        yield shown


def rate_interval(genuine: Sequence[Result]) -> tuple[float, float]:
    """Return the 95 % interval of false alerts per call-hour: over draws of sources, and never less than a count's own.

    Where no source alerted no draw does; how few alerts could have been counted in so many hours still bounds the rate.
    """
    names = sorted({name for found in genuine for name in found.sources})
    parts = np.array([[name in found.sources for name in names] for found in genuine])  # (C, sources)
    hours = np.array([found.hours for found in genuine])
    alerts = np.array([found.n_alerts for found in genuine])
    rates = []
    for times in np.random.default_rng(0).multinomial(len(names), np.full(len(names), 1 / len(names)), size=DRAWS):
        weights = np.prod(np.where(parts, times, 1), axis=1)
        if weights @ hours > 0:
            rates.append(float(weights @ alerts / (weights @ hours)))
    low, high = np.quantile(rates, [0.025, 0.975]).tolist()
    counted_low, counted_high = poisson_interval(int(alerts.sum()))
    total = float(hours.sum())
    return min(low, counted_low / total), max(high, counted_high / total)


def curves(results: Sequence[Result]) -> Mapping[str, Iterator[tuple[float, float]]]:
    """Return for every threshold false alerts per call-hour and the share of spoofs missed in 30 s, by channel."""
    found: dict[str, Iterator[tuple[float, float]]] = {}
    for channel in (WIDEBAND, TELEPHONE):
        own = [one for one in results if one.channel == channel]
        genuine = [one for one in own if one.kind is Kind.BONA_FIDE]
        margins = np.array([one.margin_nat for one in genuine])
        forged = np.array([one.margin_nat for one in own if one.kind is not Kind.BONA_FIDE])
        hours = sum(one.hours for one in genuine)
        levels = np.unique(np.concatenate([margins, forged]))
        found[channel] = ((float((margins >= level).sum() / hours), float((forged < level).mean())) for level in levels)
    return found
