"""What a voice network reaches on sources that it has not seen: the figures of its checkpoint and its card."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from models.metrics import Floats, auc, eer, interval_by_source, tpr_at_fpr
from models.training.voice_codecs import drop_packets, g711, opus
from models.training.voice_data import Clip, ClipStore
from models.voice_spectral import SpectralNet
from models.window import WINDOW_SAMPLES, Samples

Change = Callable[[Samples], Samples]


def middle_window(samples: Samples) -> Samples:
    """Return the middle WINDOW_SAMPLES of a clip; a shorter clip stands within silence."""
    room = samples.size - WINDOW_SAMPLES
    if room >= 0:
        return samples[room // 2 : room // 2 + WINDOW_SAMPLES]
    return np.pad(samples, (-room // 2, -room - -room // 2))


@torch.inference_mode()
def raw_scores(
    net: SpectralNet, store: ClipStore, change: Change | None = None, rows: Sequence[int] | None = None
) -> Floats:
    """Return one raw score per clip of the store, or of these rows of it, from the clip's middle window, (N,)."""
    scores = []
    for row in range(len(store)) if rows is None else rows:
        window = middle_window(store[row])
        window = window if change is None else change(window)
        scores.append(float(net(torch.from_numpy(window)[None])))
    return np.array(scores)


def measure(
    net: SpectralNet,
    clips: tuple[Clip, ...],
    store: ClipStore,
    kept: npt.NDArray[np.bool_],
) -> dict[str, Any]:
    """Return the figures on the kept clips of a store, as they are and as two kinds of call carry them."""
    rng = np.random.default_rng(11)
    changes: dict[str, Change | None] = {
        "clean": None,
        "opus_16k_loss_5": lambda window: drop_packets(opus(window, 16_000), 0.05, rng),
        "g711": g711,
    }
    rows = np.flatnonzero(kept).tolist()
    chosen = tuple(clips[row] for row in rows)
    return {name: _figures(raw_scores(net, store, change, rows), chosen) for name, change in changes.items()}


def _figures(raw: Floats, clips: tuple[Clip, ...]) -> dict[str, Any]:
    is_bona_fide = np.array([not clip.is_spoof for clip in clips])
    sources = [clip.source for clip in clips]
    figures: dict[str, Any] = {
        "auc": _rounded(auc(raw[is_bona_fide], raw[~is_bona_fide])),
        "auc_interval": [_rounded(end) for end in interval_by_source(auc, raw, is_bona_fide, sources)],
        "eer": _rounded(eer(raw[is_bona_fide], raw[~is_bona_fide])),
        "spoof_found_at_5_percent_false": _rounded(tpr_at_fpr(raw[is_bona_fide], raw[~is_bona_fide], 0.05)),
    }
    for era in ("older", "modern"):
        rows = np.array([clip.era == era for clip in clips])
        bona_fide, spoof = raw[rows & is_bona_fide], raw[rows & ~is_bona_fide]
        figures[f"auc_{era}"] = _rounded(auc(bona_fide, spoof))
        own = [source for source, kept in zip(sources, rows, strict=True) if kept]
        ends = interval_by_source(auc, raw[rows], is_bona_fide[rows], own)
        figures[f"auc_{era}_interval"] = [_rounded(end) for end in ends]
    return figures | {"by_source": _by_source(raw, is_bona_fide, sources)}


def _by_source(raw: Floats, is_bona_fide: npt.NDArray[np.bool_], sources: list[str]) -> dict[str, dict[str, Any]]:
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, source in enumerate(sources):
        rows_of[source].append(row)
    table: dict[str, dict[str, Any]] = {}
    for source, rows in sorted(rows_of.items()):
        kept = is_bona_fide[rows]
        bona_fide, spoof = raw[rows][kept], raw[rows][~kept]
        line: dict[str, Any] = {"n_bona_fide": int(bona_fide.size), "n_spoof": int(spoof.size)}
        if bona_fide.size and spoof.size:
            line["auc"] = _rounded(auc(bona_fide, spoof))
        if bona_fide.size:
            line["median_raw_bona_fide"] = _rounded(float(np.median(bona_fide)))
        if spoof.size:
            line["median_raw_spoof"] = _rounded(float(np.median(spoof)))
        table[source] = line
    return table


def _rounded(value: float) -> float:
    return round(value, 4)
