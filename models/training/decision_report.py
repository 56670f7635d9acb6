"""Compares rules at the same promise on sources left out of everything, and writes the table of the decision's card.

    python -m models.training.decision_report

For each part of the sources that was left out (`models.training.calibrate decision` wrote the models without them),
each rule gets its threshold from calls of the other sources, in the very same way, and is judged on calls of the rest.
"""

import argparse
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from models.composed_calls import Composer
from models.metrics import poisson_interval
from models.promise import TELEPHONE, WIDEBAND, DecisionModel, load
from models.tapes import TAPES, Tape, read
from models.training.decision_calls import Trace, genuine_traces, spoof_traces
from models.training.decision_rules import RULES
from models.training.decision_thresholds import thresholds_of

WITHIN_S = (10.0, 30.0, 60.0)
SOON_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a rule did on one part of the sources."""

    rule: str
    channel: str
    hours: float
    n_false: int
    seconds: tuple[float | None, ...]
    """To the alert of each forged call [s]."""
    genuine: tuple[float, ...]
    """By how much each genuine call passed the threshold at its highest; below 0: it did not."""
    forged: tuple[tuple[float, float], ...]
    """The same of each forged call: before the forgery began, and in the half minute from then on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One rule on one part of the sources."""

    rule: str
    channel: str
    model: DecisionModel
    known: Sequence[Tape]
    held: Sequence[Tape]
    promise_hours: float
    hours: float
    """Composed of the known sources, and a part as many of the held [h]."""
    n_spoof: int
    seed: int


def judged(trial: Trial) -> Outcome:
    """Set a rule's threshold on known sources and apply it to held ones."""
    is_telephone, make = trial.channel == TELEPHONE, partial(RULES[trial.rule], trial.model)
    known = Composer.of(trial.known, is_telephone=is_telephone)
    held = Composer.of(trial.held, is_telephone=is_telephone)
    rng = np.random.default_rng(trial.seed)
    peaks = [found.peak for found in genuine_traces(known, trial.hours, make, rng)]
    threshold = thresholds_of(peaks, rng).at(trial.promise_hours).threshold_nat
    genuine = list(genuine_traces(held, trial.hours / 2, make, rng))
    forgeable = tuple(library for library in held.libraries if library.forged_sources)
    forged = list(spoof_traces(replace(held, libraries=forgeable), trial.n_spoof, make, rng))
    return Outcome(
        rule=trial.rule,
        channel=trial.channel,
        hours=sum(found.peak.hours for found in genuine),
        n_false=sum(len(found.alerts_s(threshold)) for found in genuine),
        seconds=tuple(found.seconds_to_alert(threshold) for found in forged),
        genuine=tuple(found.peak.nat - threshold for found in genuine),
        forged=tuple(_margins(found, threshold) for found in forged),
    )


def _margins(found: Trace, threshold: float) -> tuple[float, float]:
    onset_s = found.call.onset_s or 0.0
    before = found.nats[found.times_s < onset_s]
    within = found.nats[(found.times_s >= onset_s) & (found.times_s <= onset_s + SOON_S)]
    return float(before.max(initial=-np.inf)) - threshold, float(within.max(initial=-np.inf)) - threshold


def at_kept_promise(outcomes: Sequence[Outcome], promise_hours: float) -> float:
    """Return the share of forged calls alerted within half a minute, the line moved until the promise is kept.

    By the left-out calls themselves, which no rule could know: so rules are compared at one rate of false alerts, not
    at the rates that their thresholds happened to give.
    """
    genuine = np.sort([margin for found in outcomes for margin in found.genuine])
    allowed = int(sum(found.hours for found in outcomes) / promise_hours)
    line = float(np.nextafter(genuine[-1 - allowed], np.inf)) if allowed < len(genuine) else -np.inf
    forged = np.array([margins for found in outcomes for margins in found.forged])  # (C, 2)
    return float(((forged[:, 0] < line) & (forged[:, 1] >= line)).mean())


def markdown(outcomes: Sequence[Outcome], promise_hours: float) -> str:
    """Return the comparison as a Markdown table."""
    lines = [
        f"| rule, at one false alert in {promise_hours:g} call-hours | channel | call-hours "
        "| false alerts (95 % of the count) | alerted within 10 / 30 / 60 s | median "
        "| within 30 s, the line moved until left-out calls keep the promise |",
        "|---|---|---|---|---|---|---|",
    ]
    for channel in (WIDEBAND, TELEPHONE):
        for rule in RULES:
            own = [found for found in outcomes if (found.rule, found.channel) == (rule, channel)]
            n_false, hours = sum(found.n_false for found in own), sum(found.hours for found in own)
            low, high = poisson_interval(n_false)
            seconds = [s for found in own for s in found.seconds]
            heard = [s for s in seconds if s is not None]
            shares = " / ".join(f"{sum(s <= limit for s in heard) / len(seconds):.1%}" for limit in WITHIN_S)
            middle = f"{median(heard):.1f} s" if heard else "-"
            lines.append(
                f"| {rule} | {channel} | {hours:.0f} | {n_false} ({low:.1f} to {high:.1f}) | {shares} | {middle} "
                f"| {at_kept_promise(own, promise_hours):.1%} |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(prog="python -m models.training.decision_report", description=main.__doc__)
    parser.add_argument("--tapes", type=Path, default=TAPES)
    parser.add_argument("--promise-hours", type=float, default=100.0)
    parser.add_argument("--hours", type=float, default=60.0, help="of known sources, for each part and channel")
    parser.add_argument("--n-spoof", type=int, default=80, help="forged calls of each kind, for each part and channel")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args(arguments)
    tapes = [tape for name in ("face", "voice") for tape in read(given.tapes / f"{name}.json.gz")[1]]
    trials = []
    for number, path in enumerate(sorted(given.tapes.glob("decision-*.json"))):
        model = load(path)
        for channel in (WIDEBAND, TELEPHONE):
            trials += [
                Trial(
                    rule=rule,
                    channel=channel,
                    model=model,
                    known=[tape for tape in tapes if tape.source not in model.left_out],
                    held=[tape for tape in tapes if tape.source in model.left_out],
                    promise_hours=given.promise_hours,
                    hours=given.hours,
                    n_spoof=given.n_spoof,
                    seed=100 + number,
                )
                for rule in RULES
            ]
    with ProcessPoolExecutor(given.workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        print(markdown(list(pool.map(judged, trials)), given.promise_hours))


if __name__ == "__main__":
    main()
