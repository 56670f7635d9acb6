"""Runs of some kinds of challenge change the scores of these kinds alone."""

import json
from pathlib import Path

import pytest

from models.challenge import ChallengeKind
from models.challenge_score import CHECKPOINT, load_scores
from models.checkpoint import CHECKPOINTS
from models.training import challenge_fit


def run(who: str, source: str, steps: list[str]) -> dict[str, object]:
    seen = {"steps": steps, "latency_s": 1.0, "span_s": [6.0, 9.0], "lost_share": 0.0, "jump": 1.0}
    challenge = {"steps": ["lamp", "lamp"], "code": ""}
    return {"kind": "lamp", "who": who, "source": source, "challenge": challenge, "seen": seen}


def test_scores_of_kinds_that_no_run_is_of_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs, out, shipped = tmp_path / "runs.jsonl", tmp_path / f"{CHECKPOINT}.json", CHECKPOINTS / f"{CHECKPOINT}.json"
    rows = [run("bona_fide", str(i), ["lamp", "lamp"]) for i in range(40)]
    rows += [run("replay", str(i), []) for i in range(40)]
    runs.write_text("\n".join(map(json.dumps, rows)))
    given = ["challenge_fit", "--runs", str(runs), "--keep", str(shipped), "--out", str(out)]
    monkeypatch.setattr("sys.argv", given)
    challenge_fit.main()
    old, new = load_scores(), load_scores(tmp_path)
    for kind in set(ChallengeKind) - {ChallengeKind.LAMP}:
        assert new.information[kind] == old.information[kind]
        assert new.llrs.get(kind) == old.llrs.get(kind)
        assert new.broken.get(kind) == old.broken.get(kind)
        assert new.max_jump.get(kind) == old.max_jump.get(kind)
    assert new.information[ChallengeKind.LAMP] > 0.4, "all followed against none"
    assert ChallengeKind.LAMP not in new.max_jump
