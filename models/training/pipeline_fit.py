"""From the runs of `pipeline_lab` to what bona fide pipelines are like, and how odd attackers' are.

    python -m models.training.pipeline_fit runs.jsonl calls.jsonl --out models/checkpoints/pipeline.json

Also from one's own calls: the stored ends of calls (`GET /v1/events`, type `session_ended`) hold the traits of each.

    python -m models.training.pipeline_fit --events events.json --out pipeline.json

A call is compared with calls of other sources only. The table tells, for each attacker, how often the oddity of its
call exceeds a bona fide one's (AUC), what the pipeline says on average, and in how many calls it says anything.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from models.pipeline import PipelineModel, evidence, oddity, rarity, save_pipeline
from models.traits import Trait, Traits

BONA_FIDE = "bona_fide"
SIGNALS = ("pictures", "sound", "call")
BENCH = "bench "
"""What the source of a call of `tests/bench/bench_pipeline.py` begins with."""
ASKED = {Trait.KEY_PICTURE, Trait.RATE_KEPT}
"""All that is taken of the benchmark's bona fide calls: their pictures are of one portrait, their camera is a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the laboratory."""

    signal: str
    """Of `SIGNALS`: what its traits are of."""
    who: str
    source: str
    traits: Traits


def read_runs(paths: Sequence[Path]) -> list[Run]:
    """Return the runs of some files, one JSON object a line."""
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [
        Run(
            signal=row["signal"],
            who=row["who"],
            source=row["source"],
            traits={Trait(trait): float(value) for trait, value in row["traits"].items()},
        )
        for row in rows
    ]


def read_events(path: Path) -> list[Run]:
    """Return the calls of stored events as bona fide ones, each its own source.

    Args:
        path: JSON, a list of events; leave out calls that were found to be spoof.
    """
    ends = [event for event in json.loads(path.read_text()) if event["type"] == "session_ended"]
    return [
        Run(
            signal="call",
            who=BONA_FIDE,
            source=end["session"],
            traits={Trait(one["trait"]): float(one["value"]) for one in end["pipeline"]},
        )
        for end in ends
        if end["pipeline"]
    ]


def one_a_source(runs: Sequence[Run]) -> list[Run]:
    """Return one run for each source, with the median of its runs' traits: calls of a source are alike."""
    by_source: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        by_source[run.source].append(run)
    return [replace(group[0], traits=_median(group)) for group in by_source.values()]


def _median(group: Sequence[Run]) -> Traits:
    traits = {trait for run in group for trait in run.traits}
    return {t: float(np.median([run.traits[t] for run in group if t in run.traits])) for t in traits}


def _asked(run: Run) -> Run:
    return replace(run, traits={trait: value for trait, value in run.traits.items() if trait in ASKED})


def composed(by_signal: Mapping[str, Sequence[Run]], rng: np.random.Generator) -> list[list[Run]]:
    """Return calls put together of runs of different signals, each run in one call only."""
    drawn = [list(rng.permutation(np.array(by_signal.get(signal, ()), object))) for signal in SIGNALS]
    return [[runs[i] for runs in drawn if i < len(runs)] for i in range(max((len(runs) for runs in drawn), default=0))]


def odd(call: Sequence[Run], known: Mapping[Trait, Mapping[str, float]]) -> float | None:
    """Return how odd a call is, by bona fide calls of other sources; None if nothing of it can be compared."""
    ps = []
    for run in call:
        for trait, value in run.traits.items():
            others = tuple(other for source, other in known.get(trait, {}).items() if source != run.source)
            if (p := rarity(value, others)) is not None:
                ps.append(p)
    return oddity(ps) if ps else None


def fit(runs: Sequence[Run], note: str, seed: int) -> tuple[PipelineModel, list[dict[str, float | str]]]:
    """Return what bona fide pipelines are like, and the table of attackers."""
    rng = np.random.default_rng(seed)
    bona_fide = {
        signal: one_a_source([run for run in runs if run.signal == signal and run.who == BONA_FIDE])
        for signal in SIGNALS
    }
    known: dict[Trait, dict[str, float]] = defaultdict(dict)
    bona_fide["call"] = [_asked(run) if run.source.startswith(BENCH) else run for run in bona_fide["call"]]
    for group in bona_fide.values():
        for run in group:
            for trait, value in run.traits.items():
                known[trait][run.source] = value
    genuine = [odd(call, known) for call in composed(bona_fide, rng)]
    oddities = tuple(sorted(value for value in genuine if value is not None))
    model = PipelineModel(
        values={trait: tuple(sorted(values.values())) for trait, values in known.items()}, oddities=oddities, note=note
    )
    rows = [_row("bona fide", list(oddities), model, is_left_out=True)]
    for signal in SIGNALS:
        for who in sorted({run.who for run in runs if run.signal == signal} - {BONA_FIDE}):
            attackers = [run for run in runs if run.signal == signal and run.who == who]
            calls = composed(bona_fide | {signal: attackers}, rng)[: len(attackers)]
            found = [odd(call, known) for call in calls]
            rows.append(_row(f"{who} ({signal})", [value for value in found if value is not None], model))
    return model, rows


def _row(
    who: str, found: Sequence[float], model: PipelineModel, *, is_left_out: bool = False
) -> dict[str, float | str]:
    # A bona fide call is judged by the others, as a new one would be.
    pools = [
        (*model.oddities[:i], *model.oddities[i + 1 :]) if is_left_out else model.oddities for i in range(len(found))
    ]
    nats = [evidence(rarity(value, pool) or 1.0) for value, pool in zip(found, pools, strict=True)]
    above = np.array(found)[:, None] - np.array(model.oddities)
    auc = (above > 0).mean() + (above == 0).mean() / 2
    return {
        "who": who,
        "calls": len(found),
        "auc": round(float(auc), 3),
        "mean_nat": round(float(np.mean(nats)), 3),
        "says_something": round(float((np.array(nats) > 0).mean()), 3),
        "mean_likelihood": round(float(np.exp(nats).mean()), 3),
    }


def main() -> None:
    """Fit, write and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="*", help="lines of JSON")
    parser.add_argument("--events", type=Path, help="stored events of own bona fide calls, JSON")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    runs = read_runs(args.runs) + (read_events(args.events) if args.events else [])
    counts = {signal: len({r.source for r in runs if r.signal == signal and r.who == BONA_FIDE}) for signal in SIGNALS}
    said = ", ".join(f"{signal} of {n} sources" for signal, n in counts.items() if n)
    model, rows = fit(runs, f"bona fide {said}", args.seed)
    save_pipeline(model, args.out)
    for row in rows:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
