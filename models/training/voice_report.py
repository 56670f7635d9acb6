"""What the voice reaches on sources that its model has not seen: the tables of its card.

    python -m models.training.voice_report --left-out LEFT_OUT.json

Reads what `models.training.train_voice` scored of every clip by a model trained without the clip's source, and prints
one JSON object a table.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.metrics import auc, eer, interval_by_source, tpr_at_fpr
from models.training.voice_long import LENGTHS_S, sums
from models.training.voice_scores import LeftOut
from models.voice import VIEWS

ERAS = ("all", "older", "modern")


def read(path: Path) -> list[LeftOut]:
    """Return the scores that a training kept; clips without a window that can be judged are left out."""
    rows = json.loads(path.read_text())
    kept = (row for row in rows if row["raws"])
    return [LeftOut(**{name: _frozen(value) for name, value in row.items()}) for row in kept]


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def figures(raw: Sequence[float], clips: Sequence[LeftOut]) -> dict[str, Any]:
    """Return AUC, EER and found spoofs of one score a clip, by era, with 95 % intervals over sources."""
    score = np.array(raw, np.float64)
    is_bona_fide = np.array([clip.attack == "-" for clip in clips])
    table: dict[str, Any] = {}
    for era in ERAS:
        rows = np.array([era in ("all", clip.era) for clip in clips])
        bona_fide, spoof = score[rows & is_bona_fide], score[rows & ~is_bona_fide]
        if not bona_fide.size or not spoof.size:
            continue
        sources = [clip.source for clip, kept in zip(clips, rows, strict=True) if kept]
        table[era] = {
            "bona_fide": int(bona_fide.size),
            "spoof": int(spoof.size),
            "auc": round(auc(bona_fide, spoof), 3),
            "auc_interval": _rounded(interval_by_source(auc, score[rows], is_bona_fide[rows], sources, n_draws=300)),
            "eer": round(eer(bona_fide, spoof), 3),
            "tpr_at_5_percent_fpr": round(tpr_at_fpr(bona_fide, spoof, 0.05), 3),
        }
    return table


def by_condition(clips: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the figures of every condition, and of the same clips as they are."""
    table: dict[str, Any] = {}
    clean = {clip.file: clip for clip in clips if clip.condition == "clean"}
    for condition in dict.fromkeys(clip.condition for clip in clips):
        own = [clip for clip in clips if clip.condition == condition]
        same = [clean[clip.file] for clip in own if clip.file in clean]
        table[condition] = figures(means(own), own)
        for era, line in figures(means(same), same).items():
            if era in table[condition]:
                table[condition][era]["auc_clean_of_the_same"] = line["auc"]
    return table


def by_view(clips: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the figures of each view alone."""
    return {
        view: figures([float(np.mean([views[i] for views in clip.views])) for clip in clips], clips)
        for i, view in enumerate(VIEWS)
    }


def by_source(clips: Sequence[LeftOut]) -> dict[str, Any]:
    """Return for each source its clips, its own AUC and the median scores of its classes."""
    own: dict[str, list[LeftOut]] = defaultdict(list)
    for clip in clips:
        own[clip.source].append(clip)
    return {source: _source(chosen) for source, chosen in sorted(own.items())}


def _source(clips: Sequence[LeftOut]) -> dict[str, Any]:
    bona_fide = np.array(means(clip for clip in clips if clip.attack == "-"))
    spoof = np.array(means(clip for clip in clips if clip.attack != "-"))
    line: dict[str, Any] = {"era": clips[0].era, "bona_fide": len(bona_fide), "spoof": len(spoof)}
    if len(bona_fide) and len(spoof):
        line["auc"] = round(auc(bona_fide, spoof), 2)
    for name, scores in (("median_bona_fide", bona_fide), ("median_spoof", spoof)):
        if len(scores):
            line[name] = round(float(np.median(scores)), 2)
    return line


def by_language(clips: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the number of clips and the median score of each class in each language that has ten clips."""
    own: dict[str, list[LeftOut]] = defaultdict(list)
    for clip in clips:
        own[clip.language].append(clip)
    return {language: _source(chosen) for language, chosen in sorted(own.items()) if len(chosen) >= 10}


def by_length(clips: Sequence[LeftOut]) -> dict[str, Any]:
    """Return the figures of 4, 10 and 30 seconds of one system's or one page's speech, over the same speech each."""
    table: dict[str, Any] = {}
    for seconds in LENGTHS_S:
        chosen = sums(clips, seconds, of_s=max(LENGTHS_S))
        table[f"{seconds} s"] = figures([raw for raw, _ in chosen], [clip for _, clip in chosen])
    return table


def means(clips: Iterable[LeftOut]) -> list[float]:
    """Return the mean score of each clip's windows."""
    return [float(np.mean(clip.raws)) for clip in clips]


def _rounded(values: Iterable[float]) -> list[float]:
    return [round(value, 3) for value in values]


TABLES: dict[str, Callable[[Sequence[LeftOut]], dict[str, Any]]] = {
    "views": by_view,
    "lengths": by_length,
    "languages": by_language,
    "sources": by_source,
}
"""Of clips as they are."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m models.training.voice_report", description=main.__doc__)
    parser.add_argument("--left-out", type=Path, required=True, help="what the training scored")
    clips = read(parser.parse_args().left_out)
    print(json.dumps({"conditions": by_condition(clips)}))
    clean = [clip for clip in clips if clip.condition == "clean"]
    for name, table in TABLES.items():
        print(json.dumps({name: table(clean)}))


if __name__ == "__main__":
    main()
