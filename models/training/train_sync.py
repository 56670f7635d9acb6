"""Trains the sync signal in closed form, measures it with whole sources left out, and calibrates it.

    python -m models.training.train_sync --data ../shared/data/face --recipe sync

Canonical correlation finds what of a mouth and what of a sound vary together when people speak; a logistic head learns
how much they agree where they belong together, and where the sound was shifted or is another's. Every score that a
figure or the calibration rests on comes from components that never saw its source. The first run cuts the faces; a
cut-off one goes on where it stopped, and what follows takes a minute or two.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from models import checkpoint, weights
from models.calibration import Calibration
from models.checkpoint import Checkpoint
from models.sync import SyncNet
from models.training import calibrate
from models.training.calibrate import ScoredClip
from models.training.face_data import manifest_digest
from models.training.sync_data import Talk, prepare, worn
from models.training.sync_fit import Moments, Recipe, components, fit_head, moments, summed
from models.training.sync_report import report
from models.training.sync_trials import BONA_FIDE, SHIFTED, SWAPPED, Row, Trials, row_weights

# Not in the shipped checkpoint, so that a test may ask it about people it has never seen.
HELD_OUT = frozenset(
    {
        "Akash-Jariwala/lipsync-assignment",
        "PhaniTejaPMSS/video-lip-sync",
        "darshithachinta/wav2lip-assignment",
        "filby89/spectre",
        "salwinat0r/LipSync",
        "tanshuai0219/EDTalk",
        "websitetalkingheadsvideo/wth2025",
    }
)
TRAINED = (BONA_FIDE, SHIFTED, SWAPPED)
BOUND_NAT = 0.8
"""No window may say more, so that with the decision's drift of 1 nat this signal alone never gathers evidence."""


RECIPES = {"sync": Recipe()}


def with_head(net: SyncNet, rows: Sequence[Row], decay: float) -> SyncNet:
    """Return the comparison with a head trained on rows; classes, then kinds, then roots of sources weigh alike."""
    weight = row_weights(rows)
    features = np.stack([row.features for row in rows])
    coefficients, bias = fit_head(features, np.array([row.kind == BONA_FIDE for row in rows]), weight, decay)
    with torch.no_grad():
        net.head.weight.copy_(torch.from_numpy(coefficients)[None])
        net.head.bias.fill_(bias)
    return net


def left_out_rows(
    trials: Trials, by_source: dict[str, Moments], talks: Sequence[Talk], *, is_called: bool = True
) -> list[Row]:
    """Return the rows of all talks, each compared by components that saw nothing of its source."""
    rows, of_all = [], components(summed(by_source.values()), trials.recipe)
    for source in sorted({talk.source for talk in talks}):
        others = [m for name, m in by_source.items() if name != source]
        net = components(summed(others), trials.recipe) if source in by_source else of_all
        for talk in talks:
            if talk.source == source:
                rows += trials.rows(net, trials.copies.get(talk.file, [talk]), is_called=is_called)
    return rows


def scored(rows: Sequence[Row], recipe: Recipe) -> list[Row]:
    """Return the rows with the raw score of a head that was trained on other sources than theirs."""
    trained = [row for row in rows if row.kind in TRAINED]
    found = []
    for source in sorted({row.source for row in rows}):
        head = with_head(
            SyncNet(recipe.n_components), [row for row in trained if row.source != source], recipe.decay
        ).head
        weight, bias = head.weight[0].detach().double().numpy(), float(head.bias.detach())
        found += [replace(row, raw=float(row.features @ weight) + bias) for row in rows if row.source == source]
    return found


def fit_calibration(rows: Sequence[Row]) -> Calibration:
    """Return the map to llr, bounded; each attack type of real generators weighs as much as shifted sound."""
    clips = [ScoredClip(source=row.source, attack_type=row.kind, raw=(row.raw,)) for row in rows if row.raw is not None]
    free = calibrate.fit(clips)
    return replace(free, llrs=tuple(float(np.clip(llr, -BOUND_NAT, BOUND_NAT)) for llr in free.llrs))


def train(talks: Sequence[Talk], recipe: Recipe) -> tuple[SyncNet, Calibration, dict[str, object]]:
    """Return the comparison, its calibration and its figures."""
    bona_fide = [talk for talk in talks if talk.attack_type == BONA_FIDE]
    rng = np.random.default_rng(recipe.seed)
    copies = {talk.file: [talk, *(worn(talk, rng) for _ in range(recipe.n_copies))] for talk in bona_fide}
    trials, n_clips = Trials(copies, recipe), Counter(talk.source for talk in bona_fide)
    by_source = {
        source: moments((copy for talk in bona_fide if talk.source == source for copy in copies[talk.file]), n**-0.5)
        for source, n in n_clips.items()
    }
    rows = scored(left_out_rows(trials, by_source, talks), recipe)
    quick = scored(left_out_rows(trials, by_source, bona_fide, is_called=False), recipe)
    net = components(summed(m for source, m in by_source.items() if source not in HELD_OUT), recipe)
    with_head(net, [r for r in rows if r.source not in HELD_OUT and r.kind in TRAINED], recipe.decay)
    calibration = fit_calibration(rows)
    figures = report(rows, quick, calibration)
    return net, calibration, figures | {"strength": [round(float(s), 3) for s in net.strength]}


def main(arguments: list[str] | None = None) -> None:
    """Train by a recipe and write `sync.safetensors` and `sync.json`."""
    parser = argparse.ArgumentParser(prog="python -m models.training.train_sync", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="sync")
    parser.add_argument("--cache", type=Path, default=weights.folder() / "cache", help="where cut faces are kept")
    parser.add_argument("--out", type=Path, default=checkpoint.CHECKPOINTS, help="where the checkpoint goes")
    chosen = parser.parse_args(arguments)
    recipe = RECIPES[chosen.recipe]
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    began = time.monotonic()
    talks = prepare(chosen.data / "manifest.csv", chosen.cache)
    prepared = time.monotonic()
    net, calibration, figures = train(talks, recipe)
    checkpoint.save(
        Checkpoint(
            name="sync",
            module={"n_components": recipe.n_components},
            recipe=f"{chosen.recipe} {json.dumps(asdict(recipe))}",
            seed=recipe.seed,
            manifest_sha256=manifest_digest(chosen.data / "manifest.csv"),
            minutes=round((time.monotonic() - prepared) / 60, 2),
            metrics=figures | {"minutes_of_cutting": round((prepared - began) / 60, 2)},
            calibration=calibration,
        ),
        net.state_dict(),
        chosen.out,
    )
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
