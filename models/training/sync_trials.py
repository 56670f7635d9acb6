"""The windows that the sync signal is trained and measured on: talks as they are, and with sound that is wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.sync import FRAME_HZ, Array, SyncNet, mouths_of
from models.training.sync_data import Talk, as_called, contexts
from models.training.sync_fit import Recipe

Floats = npt.NDArray[np.float64]

BONA_FIDE, SHIFTED, SWAPPED = "-", "shifted", "swapped"
MIN_SHIFT_S, MAX_SHIFT_S = 0.6, 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """One window that was compared."""

    kind: str
    """`-`: bona fide with its own sound; `shifted`, `swapped`; else the attack type of a real spoof."""
    source: str
    file: str
    copy: int
    """0: the clean clip."""
    features: Floats
    """Shape (N_FEATURES,)."""
    offset_s: float
    correlation: float
    raw: float | None = None
    """From a head that never saw the source."""


def row_weights(rows: Sequence[Row]) -> Floats:
    """Return the weight of each row: 100 a class, and of it alike for kinds, then for roots of sources' row counts."""
    n_rows = Counter((row.kind, row.source) for row in rows)
    mass: dict[str, float] = {}
    for (kind, _), n in n_rows.items():
        mass[kind] = mass.get(kind, 0.0) + float(np.sqrt(n))
    n_wrong = len(mass) - 1
    return np.array(
        [
            100 / np.sqrt(n_rows[row.kind, row.source]) / mass[row.kind] / (1 if row.kind == BONA_FIDE else n_wrong)
            for row in rows
        ]
    )


def shifted(talk: Talk, by_s: float) -> Array:
    """Return `contexts` of a talk, turned round within its sound so that everything comes `by_s` late."""
    sound, n = contexts(talk), round(talk.sound_s * FRAME_HZ)
    return np.concatenate([np.roll(sound[:n], round(by_s * FRAME_HZ), axis=0), sound[n:]])


@dataclass(frozen=True, slots=True)
class Trials:
    """Draws the windows of a talk: as it is, shifted, and with others' sound."""

    copies: dict[str, list[Talk]]
    """Clean and worn copies of each bona fide talk, by file."""
    recipe: Recipe

    def rows(self, net: SyncNet, copies: Sequence[Talk], *, is_called: bool = True) -> list[Row]:
        """Return one row for each window; `is_called`: at a call's picture rate, else at the clip's own."""
        found = []
        for index, talk in enumerate(copies):
            rng = np.random.default_rng((self.recipe.seed, index, sum(talk.file.encode())))
            taken = as_called(talk, rng if index else None) if is_called else np.arange(len(talk.times_s))
            offset_s = rng.uniform(-1, 1) * self.recipe.max_offset_s if index else 0.0
            mouths = torch.from_numpy(mouths_of(talk.lower[taken], talk.landmarks[taken]))
            times_s = torch.from_numpy(talk.times_s[taken] + np.float32(offset_s))
            for kind, sound in self._sounds(talk, index, rng):
                with torch.inference_mode():
                    features, at_s, correlation = net.compare(mouths, times_s, torch.from_numpy(sound))
                found.append(
                    Row(
                        kind=kind,
                        source=talk.source,
                        file=talk.file,
                        copy=index,
                        features=features.numpy().astype(np.float64),
                        offset_s=float(at_s),
                        correlation=float(correlation),
                    )
                )
        return found

    def _sounds(self, talk: Talk, index: int, rng: np.random.Generator) -> Iterable[tuple[str, Array]]:
        yield talk.attack_type, contexts(talk)
        if talk.attack_type != BONA_FIDE:
            return
        for _ in range(self.recipe.n_wrong):
            by_s = rng.uniform(MIN_SHIFT_S, min(MAX_SHIFT_S, talk.sound_s - MIN_SHIFT_S)) * rng.choice([-1, 1])
            yield SHIFTED, shifted(talk, by_s)
        seen_s = float(talk.times_s[-1])
        others = [
            copies[index]
            for copies in self.copies.values()
            if copies[0].source != talk.source and copies[0].sound_s >= seen_s - 0.3
        ]
        for other in rng.choice(len(others), min(self.recipe.n_wrong, len(others)), replace=False):
            yield SWAPPED, contexts(others[other])
