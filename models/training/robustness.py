"""Measures how far the face detector's answers survive what happens to video and to honest faces.

    python -m models.training.robustness --data ../shared/data/face --out REPORT.json --markdown REPORT.md

Each clip is decoded once and judged under every condition by the serving detector. Each score is appended to a JSONL
beside the report as soon as its clip is done, with the digest of the weights: a run that was cut off, or one that asks
for more, judges only what is missing. The last line printed is one JSON object, the same as in the report.
"""

import argparse
import json
import multiprocessing
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from models import checkpoint, metrics
from models.detector import Detector
from models.engine import Engine
from models.training.conditions import HARD, PLAIN, Row, conditions, judge_clip
from models.training.face_data import BONA_FIDE, DataError, Trial, manifest_digest, read_manifest
from models.training.metadata_probe import features, fitted_scores, leave_one_source_out, read_metadata
from models.training.robust_figures import N_DRAWS, Table, detection, report
from models.training.robust_markdown import markdown

_detector: Detector | None = None
"""Of this process, once it has judged a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is still to be judged of one clip."""

    path: Path
    file: str
    wanted: tuple[str, ...]
    kbit_s: tuple[int, ...]
    histories: bool


def chosen(trials: Iterable[Trial], sources: Sequence[str], limit: int | None, seed: int) -> list[Trial]:
    """Return the clips to judge: of some sources, and at most `limit`, one by one from each source and label in turn.

    Raises:
        DataError: A source has no clip.
    """
    clips = [trial for trial in trials if trial.kind == "video"]
    if unknown := set(sources) - {trial.source for trial in clips}:
        raise DataError(f"no clip is of source {', '.join(sorted(unknown))}")
    groups: dict[tuple[str, str], list[Trial]] = defaultdict(list)
    for trial in clips:
        if not sources or trial.source in sources:
            groups[trial.source, trial.label].append(trial)
    rng = np.random.default_rng(seed)
    queues = [[groups[key][i] for i in rng.permutation(len(groups[key]))] for key in sorted(groups)]
    queues = [queues[i] for i in rng.permutation(len(queues))]
    # Which group comes first within a round is drawn, so that a limit below the number of groups meets both labels.
    ranked = [(rank, turn, trial) for turn, queue in enumerate(queues) for rank, trial in enumerate(queue)]
    kept = [trial for _, _, trial in sorted(ranked, key=lambda item: item[:2])[:limit]]
    return sorted(kept, key=lambda trial: trial.file)


def wanted(trial: Trial, names: Iterable[str], known: set[tuple[str, str]]) -> tuple[str, ...]:
    """Return the conditions that a clip lacks; what keeps bona fide bona fide says nothing of a spoof."""
    return tuple(
        name
        for name in names
        if (trial.file, name) not in known and (trial.label == BONA_FIDE or not name.startswith(HARD))
    )


def read_rows(path: Path) -> list[Row]:
    """Read what was judged before; a last line that was cut off is left out."""
    rows = []
    for line in path.read_text().splitlines() if path.is_file() else ():
        try:
            rows.append(Row(**json.loads(line)))
        except json.JSONDecodeError:
            break
    return rows


def write_rows(path: Path, rows: Iterable[Row], mode: str) -> None:
    """Write or append rows, one line each."""
    with path.open(mode) as file:
        file.writelines(f"{json.dumps(asdict(row))}\n" for row in rows)


def judge(jobs: Sequence[Job], workers: int, cache: Path) -> list[str]:
    """Judge clips in processes of their own and append their rows; returns those that could not be read."""
    unread: list[str] = []
    if not jobs:
        return unread
    # A process that was forked while torch holds a lock would wait for it for ever.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = as_completed([pool.submit(_work, job) for job in jobs])
        for future in track(done, "judging", total=len(jobs), console=Console(stderr=True), transient=True):
            file, result = future.result()
            if isinstance(result, str):
                print(result, file=sys.stderr)
                unread.append(file)
            else:
                write_rows(cache, result, "a")
    return sorted(unread)


def _work(job: Job) -> tuple[str, list[Row] | str]:
    global _detector
    if _detector is None:
        cv2.setNumThreads(1)
        _detector = Detector(Engine("cpu", workers=1))
    offered = conditions(job.kbit_s, histories=job.histories)
    try:
        return job.file, list(judge_clip(job.path, job.file, job.wanted, offered, _detector))
    except DataError as exc:
        return job.file, str(exc)


def metadata_figures(trials: Sequence[Trial], data: Path, n_draws: int) -> dict[str, Any]:
    """Return what the metadata alone tell of the class, source by source and when fitted on the clips themselves."""
    x = features([read_metadata(data / trial.file) for trial in trials])
    label = np.array([trial.label == BONA_FIDE for trial in trials])
    if label.all() or not label.any():
        return {}
    sources = [trial.source for trial in trials]
    outside, inside = leave_one_source_out(x, label, sources), fitted_scores(x, label, x)
    low, high = metrics.interval_by_source(metrics.auc, outside, label, sources, n_draws=n_draws)
    return {
        "auc_leave_one_source_out": round(metrics.auc(outside[label], outside[~label]), 4),
        "auc_leave_one_source_out_95": [round(low, 4), round(high, 4)],
        "auc_fitted_on_the_same_clips": round(metrics.auc(inside[label], inside[~label]), 4),
    }


def measured(trials: Sequence[Trial], rows: Sequence[Row], given: argparse.Namespace) -> dict[str, Any]:
    """Return the report of the rows that the run asked for."""
    names = set(_names(given))
    table = Table((row for row in rows if row.condition in names), trials)
    read = [trial for trial in trials if trial.file in table.rows.get(PLAIN, {})]
    seconds: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        seconds[row.condition].append(row.seconds)
    probe = metadata_figures(read, given.data, given.draws) if read else {}
    return report(table, drift_nat=given.drift_nat, kbit_s=given.kbit_s, n_draws=given.draws) | {
        "metadata": probe | {"detector_auc": detection(table.scored(PLAIN), 1).get("auc")},
        "seconds": {name: round(float(np.mean(values)), 3) for name, values in seconds.items()},
    }


def _names(given: argparse.Namespace) -> list[str]:
    offered = list(conditions(given.kbit_s, histories=given.histories))
    return [name for name in offered if not given.only or name == PLAIN or name in given.only]


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.training.robustness", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of manifest.csv and its clips")
    parser.add_argument("--out", type=Path, required=True, help="report to write (JSON); scores go beside it (JSONL)")
    parser.add_argument("--markdown", type=Path, help="tables to write")
    parser.add_argument("--sources", nargs="+", default=[], help="sources to judge; default: all that have clips")
    parser.add_argument("--sources-from", type=Path, help="file with a source a line, as those left out of a training")
    parser.add_argument("--limit", type=int, help="most clips to judge, spread over sources and labels")
    parser.add_argument("--seed", type=int, default=0, help="of the choice that --limit makes")
    parser.add_argument("--kbit-s", type=int, nargs="+", default=[300], help="bit rates of both codecs [kbit/s]")
    parser.add_argument("--histories", action="store_true", help="also clips that were a GIF, JPEG or WebP before")
    parser.add_argument("--only", nargs="+", default=[], help="conditions beside plain; default: all")
    parser.add_argument("--drift-nat", type=float, default=1.0, help="drift of the alert's policy [nat]")
    parser.add_argument("--draws", type=int, default=N_DRAWS, help="of each bootstrap")
    parser.add_argument("--workers", type=int, default=1)
    return parser


def _sources(given: argparse.Namespace) -> Iterator[str]:
    yield from given.sources
    if given.sources_from:
        yield from filter(None, (line.strip() for line in given.sources_from.read_text().splitlines()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    parser = _arguments()
    given = parser.parse_args(arguments)
    manifest = given.data / "manifest.csv"
    try:
        trials = chosen(read_manifest(manifest), list(_sources(given)), given.limit, given.seed)
    except (DataError, OSError) as exc:
        parser.error(str(exc))
    model = checkpoint.load("face")[0].digest[:12]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    cache = given.out.with_suffix(".jsonl")
    before = read_rows(cache)
    write_rows(cache, before, "w")
    known = {(row.file, row.condition) for row in before if row.model == model}
    missing = [(trial, wanted(trial, _names(given), known)) for trial in trials]
    shared = {"kbit_s": tuple(given.kbit_s), "histories": given.histories}
    jobs = [Job(path=given.data / t.file, file=t.file, wanted=names, **shared) for t, names in missing if names]
    unread = judge(jobs, given.workers, cache)
    rows = [row for row in read_rows(cache) if row.model == model]
    result = {
        "model": model,
        "manifest": manifest_digest(manifest)[:12],
        "clips": len(trials),
        "unreadable": unread,
        **measured(trials, rows, given),
    }
    given.out.write_text(json.dumps(result, indent=1) + "\n")
    if given.markdown:
        given.markdown.write_text(markdown(result))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
