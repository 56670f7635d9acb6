"""Measures the decision's thresholds: of tapes of sources left out of training, or of a deployment's own genuine calls.

    python -m models.training.calibrate decision
    python -m models.training.calibrate decision --bona-fide CALLS --out own-decision.json

The first writes `checkpoints/decision.json`. The second keeps how scores are distributed and fused, and measures false
alerts on recordings of one's own: start the service with `KUA_DECISION_FILE=own-decision.json`. What people found out
about calls enters here alone, by `--labels`; nothing learns by itself.
"""

import argparse
import json
import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from models import checkpoint
from models.composed_calls import ComposedCall
from models.promise import DEFAULT, PROMISES, TELEPHONE, WIDEBAND, DecisionModel, load, save
from models.tapes import TAPES, Tape, TapesError, read
from models.training.decision_calls import Mixture, trace
from models.training.decision_fit import by_fold
from models.training.decision_make import Plan, make
from models.training.decision_thresholds import thresholds_of
from models.training.face_data import DataError

N_FOLDS = 5
"""Parts of the sources that are left out in turn, for what is said of the decision."""


def of_tapes(folder: Path, plan: Plan) -> DecisionModel:
    """Return the model that the tapes in a folder give.

    Raises:
        TapesError: Tapes are missing or damaged.
        CheckpointError: A checkpoint that they stand for is.
    """
    known = {name: read(folder / f"{name}.json.gz") for name in ("face", "voice")}
    tapes = [tape for _, own in known.values() for tape in own]
    sources = len({tape.source for tape in tapes if tape.is_bona_fide})
    note = (
        f"{plan.hours:g} h of calls for each channel, composed of clips of {sources} sources, each scored by a model "
        "trained without its source"
    )
    return make(tapes, plan, note=note, models={name: checkpoint.load(name)[0].digest for name in known})


def folds_of(folder: Path, plan: Plan, workers: int) -> list[DecisionModel]:
    """Return models each made without a part of the sources, for what is to be said of sources left out.

    Raises:
        TapesError: Tapes are missing or damaged.
    """
    tapes = [tape for name in ("face", "voice") for tape in read(folder / f"{name}.json.gz")[1]]
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(_fold, [(tapes, plan, fold) for fold in range(N_FOLDS)]))


def _fold(task: tuple[Sequence[Tape], Plan, int]) -> DecisionModel:
    tapes, plan, fold = task
    known, held = by_fold(tapes, N_FOLDS, fold)
    made = make(known, replace(plan, seed=plan.seed + fold), note=f"without fold {fold} of {N_FOLDS}", models={})
    return replace(made, left_out=tuple(sorted({tape.source for tape in held})))


def of_own_calls(model: DecisionModel, calls: Sequence[ComposedCall], seed: int) -> DecisionModel:
    """Return a model whose thresholds are measured on one's own calls; a channel without any keeps what it had."""
    thresholds = dict(model.thresholds)
    for channel in (WIDEBAND, TELEPHONE):
        own = [call for call in calls if call.is_telephone is (channel == TELEPHONE)]
        if own:
            peaks = [trace(call, Mixture(model)).peak for call in own]
            thresholds[channel] = thresholds_of(peaks, np.random.default_rng(seed))
    note = f"{len(calls)} own genuine calls; how scores are distributed: {model.note}"
    return replace(model, thresholds=thresholds, note=note)


def table(model: DecisionModel) -> Table:
    """Return which evidence keeps which promise, and how sure that is."""
    shown = Table(
        title="Evidence at which the alert is raised [nat]",
        caption="in brackets: at most, with 95 % confidence; drawn: beyond what could be counted",
    )
    shown.add_column("one false alert in")
    for channel in model.thresholds:
        shown.add_column(channel, justify="right")
    for hours in PROMISES:
        terms = [known.at(hours) for known in model.thresholds.values()]
        shown.add_row(
            f"{hours:g} call-hours",
            *(f"{t.threshold_nat:.1f} ({t.upper_nat:.1f}){' drawn' if t.is_extrapolated else ''}" for t in terms),
        )
    for name, column in (("measured up to", "measured_hours"), ("proven", "proven_hours"), ("sources", "sources")):
        shown.add_row(name, *(f"{getattr(known, column):g}" for known in model.thresholds.values()))
    return shown


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m models.training.calibrate decision", description=__doc__)
    parser.add_argument("--tapes", type=Path, default=TAPES, help="folder of face.json.gz and voice.json.gz")
    parser.add_argument("--hours", type=float, default=Plan().hours, help="call-hours to compose for each channel")
    parser.add_argument("--bona-fide", type=Path, help="folder of recordings of your own genuine calls")
    parser.add_argument("--labels", type=Path, help="CSV with file and label; only those labelled bona_fide are used")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="default: the checkpoint's own, without --bona-fide")
    given = parser.parse_args(arguments)
    if given.bona_fide and not given.out:
        parser.error("--bona-fide needs --out: our own thresholds stay as they are")
    try:
        if given.bona_fide:
            model = of_own_calls(load(), _own_calls(given.bona_fide, given.labels, given.workers), Plan().seed)
        else:
            model = of_tapes(given.tapes, Plan(hours=given.hours))
    except (DataError, TapesError, checkpoint.CheckpointError) as exc:
        parser.exit(2, f"error: {exc}\n")
    save(model, given.out or DEFAULT)
    if not given.bona_fide:
        for number, fold in enumerate(folds_of(given.tapes, Plan(hours=given.hours / 2), given.workers)):
            save(fold, given.tapes / f"decision-{number}.json")
    Console().print(table(model))
    print(json.dumps({"written": str(given.out or DEFAULT), "digest": model.digest, "note": model.note}))


def _own_calls(folder: Path, labels: Path | None, workers: int) -> list[ComposedCall]:
    from models.detector import Detector
    from models.engine import Engine
    from models.training.decision_own import recordings, scored_call

    detector = Detector(Engine(workers=workers))
    paths = recordings(folder, labels)
    shown = track(paths, "scoring", console=Console(stderr=True), transient=True)
    calls = [call for path in shown if (call := scored_call(path, detector)) is not None]
    if not calls:
        raise DataError(f"nothing of the {len(paths)} recordings in {folder} could be judged")
    return calls
