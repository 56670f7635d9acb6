"""Training speech in several forms, each in one memory-mapped file: as it is, and as so many calls would carry it."""

from collections.abc import Sequence
from pathlib import Path

from models.training.voice_augment import Degrader
from models.training.voice_data import Clip, ClipStore
from models.training.voice_groups import NAMES, group_of, left_out
from models.training.voice_noises import either_class


def open_stores(clips: Sequence[Clip], n_variants: int, cache: Path, seed: int) -> list[ClipStore]:
    """Return the clips as they are and, after them, `n_variants` degraded forms of all of them.

    A second voice beside a clip is always one of the clip's own group, so that no model hears anything of the sources
    that it is measured on.
    """
    clean = ClipStore.build(clips, cache / "clean")
    stores = [clean]
    for number in range(n_variants):
        degraders = {}
        for name in NAMES:
            rows = left_out(clips, name)
            if rows:
                degraders[name] = Degrader(seed + 1000 + number, either_class(clips, clean, rows))
        groups = [group_of(clip.source) for clip in clips]
        altered = (degraders[group](clean[index]) for index, group in enumerate(groups))
        stores.append(ClipStore.open(cache / f"variant_{number}", clean.names, altered))
    return stores
