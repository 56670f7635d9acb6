"""From runs of the laboratory to the scores of challenges, and the table of who is caught by what.

    python -m models.training.challenge_fit --runs runs.jsonl --out models/checkpoints/challenge.json
    ... --runs lamp.jsonl --keep models/checkpoints/challenge.json: kinds that no run is of stay as they are there
    ... --light rows.jsonl --keep models/checkpoints/challenge.json --out models/checkpoints/challenge.json

Half of the sources fit the limit beyond which a pose jumps and the llr of each outcome; the other half is reported.
"""

import argparse
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from math import log
from pathlib import Path
from typing import Any

import numpy as np

from models.challenge import MODALITY, Challenge, ChallengeKind, Outcome, Step
from models.challenge_face import FaceSeen
from models.challenge_score import SEEN_NAT, ChallengeScores, judge_face, judge_voice
from models.challenge_voice import VoiceHeard
from models.window import Signal

BONA_FIDE = "bona_fide"
JUMP_QUANTILE, JUMP_SLACK = 0.98, 1.9
"""Of bona fide people's largest leaps, and by how much a limit lies above."""
HALF = 0.5
"""Added to every count: what was never seen may still happen."""
LIMITS = {Outcome.BROKEN: (-1.0, 0.0)}
"""What is weighed, and how much at most [nat]: who is asked to whisper may simply speak. That a check was passed weighs
nothing: of the world's attackers more pass than of the laboratory's, and a genuine voice says nothing of a face."""
MAX_WRONG, DOUBTED = 0.05, 0.25
"""Of those who comply no kind should reject more; one that does is worth a quarter of what it tells, and is proposed
after the others."""
_JUMPING = (ChallengeKind.TURN, ChallengeKind.LOOK, ChallengeKind.CLOSER)
"""Under a hand the landmarks of genuine faces leap too."""

OF_RUNS: tuple[ChallengeKind, ...] = tuple(kind for kind in ChallengeKind if kind is not ChallengeKind.LIGHT)

Run = Mapping[str, Any]


def outcome_of(run: Run, scores: ChallengeScores) -> Outcome:
    """Return what the service would have said of a run."""
    kind, drawn, seen = ChallengeKind(run["kind"]), run["challenge"], run["seen"]
    challenge = Challenge(kind=kind, steps=tuple(map(Step, drawn["steps"])), code=drawn["code"])
    steps = tuple(map(Step, seen["steps"])) if seen else ()
    if MODALITY[kind] is Signal.FACE:
        return judge_face(challenge, FaceSeen(**seen | {"steps": steps}) if seen else None, scores).outcome
    return judge_voice(challenge, VoiceHeard(**seen | {"steps": steps}) if seen else None, scores).outcome


def fit(runs: Sequence[Run]) -> ChallengeScores:
    """Return the scores that some runs give."""
    max_jump = {}
    for kind in _JUMPING:
        jumps = [run["seen"]["jump"] for run in runs if (run["kind"], run["who"]) == (kind, BONA_FIDE) and run["seen"]]
        if jumps:
            max_jump[kind] = round(float(np.quantile(jumps, JUMP_QUANTILE)) * JUMP_SLACK, 2)
    scores = ChallengeScores(max_jump=max_jump, llrs={})
    llrs = {kind: _llrs(runs, kind, scores) for kind in OF_RUNS}
    return ChallengeScores(max_jump=max_jump, llrs=llrs)


def information(runs: Sequence[Run], kind: ChallengeKind, scores: ChallengeScores) -> float:
    """Return what an outcome is expected to tell of who is before the camera, both being as likely [nat]."""
    genuine, forged = _shares(runs, kind, scores)
    told = 0.0
    for outcome in Outcome:
        mean = (genuine[outcome] + forged[outcome]) / 2
        told += sum(p * log(p / mean) / 2 for p in (genuine[outcome], forged[outcome]))
    return told


def wrong(runs: Iterable[Run], kind: ChallengeKind, scores: ChallengeScores) -> float:
    """Return which share of those who did what was asked was not told so."""
    outcomes = [outcome_of(run, scores) for run in runs if (run["kind"], run["who"]) == (kind, BONA_FIDE)]
    return sum(one is not Outcome.FOLLOWED for one in outcomes) / max(len(outcomes), 1)


def caught(runs: Iterable[Run], scores: ChallengeScores) -> dict[str, dict[str, tuple[float, int]]]:
    """Return by attacker and challenge which share of runs was not simply followed, and of how many."""
    counts: dict[tuple[str, str], Counter[Outcome]] = {}
    for run in runs:
        counts.setdefault((run["who"], run["kind"]), Counter())[outcome_of(run, scores)] += 1
    table: dict[str, dict[str, tuple[float, int]]] = {}
    for (who, kind), found in sorted(counts.items()):
        share = round(1 - found[Outcome.FOLLOWED] / found.total(), 3)
        table.setdefault(who, {})[kind] = (share, found.total())
    return table


def _llrs(runs: Sequence[Run], kind: ChallengeKind, scores: ChallengeScores) -> dict[Outcome, float]:
    genuine, forged = _shares(runs, kind, scores)
    llrs = {outcome: log(genuine[outcome] / forged[outcome]) for outcome in LIMITS}
    return {outcome: round(float(np.clip(llr, *LIMITS[outcome])), 3) for outcome, llr in llrs.items()}


def _broken(runs: Sequence[Run], kind: ChallengeKind, scores: ChallengeScores) -> tuple[float, float]:
    genuine, forged = _shares(runs, kind, scores)
    return round(genuine[Outcome.BROKEN], 3), round(forged[Outcome.BROKEN], 3)


def _shares(
    runs: Sequence[Run], kind: ChallengeKind, scores: ChallengeScores
) -> tuple[dict[Outcome, float], dict[Outcome, float]]:
    """Return how often bona fide people and how often attackers, each kind as often, had an outcome."""
    by_who: dict[str, Counter[Outcome]] = {}
    for run in runs:
        if run["kind"] == kind:
            by_who.setdefault(run["who"], Counter())[outcome_of(run, scores)] += 1
    shares = {
        who: {o: (found[o] + HALF) / (found.total() + HALF * len(Outcome)) for o in Outcome}
        for who, found in by_who.items()
    }
    even = dict.fromkeys(Outcome, 1 / len(Outcome))
    attackers = [share for who, share in shares.items() if who != BONA_FIDE] or [even]
    return shares.get(BONA_FIDE, even), {o: float(np.mean([share[o] for share in attackers])) for o in Outcome}


def main() -> None:
    """Write the scores; print the table of the sources that did not fit them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, nargs="*", default=[])
    parser.add_argument("--light", type=Path, help="What tests/bench/bench_light.py --half fit --out wrote")
    parser.add_argument("--keep", type=Path, help="Scores to keep of kinds that no run is of")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    runs = [json.loads(line) for path in given.runs for line in path.read_text().splitlines()]
    fitting = [run for run in runs if _is_for_fitting(run)]
    reported = [run for run in runs if not _is_for_fitting(run)]
    scores = fit(fitting)
    told = {
        kind: round(information(fitting, kind, scores) * (DOUBTED if wrong(runs, kind, scores) > MAX_WRONG else 1), 3)
        for kind in OF_RUNS
    }
    if given.light:
        rows = [json.loads(line) for line in given.light.read_text().splitlines()]
        told[ChallengeKind.LIGHT] = _fit_light(rows, given.out.with_name("light.json") if given.out else None)
    if given.out:
        broken = {kind: _broken(fitting, kind, scores) for kind in OF_RUNS}
        fields = {"max_jump": scores.max_jump, "llrs": scores.llrs, "information": told, "broken": broken}
        if given.keep:
            kinds = {run["kind"] for run in runs} | ({ChallengeKind.LIGHT.value} if given.light else set())
            fields = _kept(fields, json.loads(given.keep.read_text()), kinds)
        given.out.write_text(json.dumps(fields, indent=2) + "\n")
    print(
        json.dumps({"fitted_on": len(fitting), "max_jump": scores.max_jump, "llrs": scores.llrs, "information": told})
    )
    for who, row in caught(reported, scores).items():
        print(who, json.dumps(row))


def _kept(fields: Mapping[str, Any], old: Mapping[str, Any], kinds: Collection[str]) -> dict[str, Any]:
    """Return the old scores with those of the kinds that runs are of in their places."""
    return {
        name: {
            kind: table[kind] if kind in kinds else old[name][kind]
            for kind in map(str, ChallengeKind)
            if kind in (table if kind in kinds else old[name])
        }
        for name, table in fields.items()
    }


def _fit_light(rows: Sequence[Run], out: Path | None) -> float:
    """Write the map from light's statistic to an llr; return what it is expected to tell [nat]."""
    lit = np.array([row["statistic"] for row in rows if row["kind"] == "shown"])
    dark = np.array([row["statistic"] for row in rows if row["kind"] != "shown"])
    # Both are near normal; one spread for both keeps the map rising.
    spread = float(np.sqrt((lit.var() + dark.var()) / 2))
    raws = np.linspace(dark.mean() - spread, lit.mean(), 8)
    llrs = np.clip(((raws - dark.mean()) ** 2 - (raws - lit.mean()) ** 2) / (2 * spread**2), -1.5, 3.0)
    if out:
        fields = {"raws": np.round(raws, 3).tolist(), "llrs": np.round(llrs, 3).tolist()}
        out.write_text(json.dumps(fields) + "\n")
    counts = [(int((np.interp(part, raws, llrs) >= SEEN_NAT).sum()), len(part)) for part in (lit, dark)]
    seen = [(n + HALF) / (of + 1) for n, of in counts]
    told = 0.0
    for p, q in (seen, [1 - share for share in seen]):
        told += (p * log(2 * p / (p + q)) + q * log(2 * q / (p + q))) / 2
    return round(float(told), 3)


def _is_for_fitting(run: Run) -> bool:
    return zlib.crc32(f"half{run['source']}".encode()) % 2 == 0


if __name__ == "__main__":
    main()
