import json
from collections import Counter
from pathlib import Path

import pytest

from models import checkpoint
from models.training.conditions import HARD, Row, conditions
from models.training.face_data import BONA_FIDE, SPOOF, DataError, Trial
from models.training.robustness import chosen, main, wanted, write_rows

HEAD = "file,label,attack,attack_type,kind,source,licence"


def trial(number: int, label: str, source: str, kind: str = "video") -> Trial:
    return Trial(
        file=f"{source}-{label}-{number}.mp4",
        label=label,
        attack="-",
        attack_type="-",
        kind=kind,
        source=source,
        licence="-",
    )


TRIALS = [trial(i, label, "large") for label in (BONA_FIDE, SPOOF) for i in range(30)]
TRIALS += [trial(i, BONA_FIDE, "small") for i in range(2)]
TRIALS += [trial(i, BONA_FIDE, "stills", "still") for i in range(9)]


def test_a_limit_takes_from_each_source_and_label_alike_and_always_the_same() -> None:
    kept = chosen(TRIALS, [], 8, seed=1)
    assert Counter((t.source, t.label) for t in kept) == {
        ("large", BONA_FIDE): 3,
        ("large", SPOOF): 3,
        ("small", BONA_FIDE): 2,
    }
    assert kept == chosen(TRIALS, [], 8, seed=1) != chosen(TRIALS, [], 8, seed=2)


def test_without_a_limit_all_clips_are_taken_and_no_still() -> None:
    assert len(chosen(TRIALS, [], None, 0)) == 62
    assert {t.source for t in chosen(TRIALS, ["small"], None, 0)} == {"small"}


def test_a_source_without_clips_is_named() -> None:
    with pytest.raises(DataError, match="no clip is of source nowhere, stills"):
        chosen(TRIALS, ["small", "stills", "nowhere"], None, 0)


def test_only_what_is_missing_is_judged_and_no_spoof_made_hard() -> None:
    names = ["plain", "h264-300", "hard-mask"]
    one, other = trial(0, BONA_FIDE, "page"), trial(0, SPOOF, "page")
    assert wanted(one, names, {(one.file, "plain")}) == ("h264-300", "hard-mask")
    assert wanted(other, names, {(one.file, "plain")}) == ("plain", "h264-300")


def test_a_run_over_what_is_known_already_reports_without_judging(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: object
) -> None:
    model = checkpoint.load("face")[0].digest[:12]
    lines, rows = [HEAD], []
    for number in range(8):
        label = BONA_FIDE if number % 2 else SPOOF
        path = record(f"{number}.mp4", video="libx264", seconds=0.5)  # type: ignore[operator]  # a fixture of conftest
        lines.append(f"{path.name},{label},-,-,video,page {number // 2},-")
        rows += [
            Row(
                file=path.name,
                condition=name,
                model=model,
                raw=float(number % 2),
                llr=float(number % 2),
                reason=None,
                n_windows=2,
                between_windows=0.1,
                half_gap=0.1,
                face_px=90.0,
                seconds=0.5,
            )
            for name in conditions([300])
            if label == BONA_FIDE or not name.startswith(HARD)
        ]
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    write_rows(tmp_path / "report.jsonl", rows, "w")
    table = tmp_path / "report.md"
    main(["--data", str(tmp_path), "--out", str(tmp_path / "report.json"), "--markdown", str(table), "--draws", "20"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result == json.loads((tmp_path / "report.json").read_text())
    assert (result["clips"], result["model"], result["unreadable"]) == (8, model, [])
    assert result["plain"]["auc"] == result["metadata"]["detector_auc"] == 1.0
    assert result["hard_negatives"]["kinds"]["mask"]["n"] == 4
    assert "| mask |" in table.read_text()


def test_a_source_that_is_not_in_the_manifest_stops_the_run(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(HEAD)
    (tmp_path / "left_out.txt").write_text("nowhere\n\n")
    with pytest.raises(SystemExit):
        main(
            [
                *("--data", str(tmp_path), "--out", str(tmp_path / "r.json")),
                *("--sources-from", str(tmp_path / "left_out.txt")),
            ]
        )
