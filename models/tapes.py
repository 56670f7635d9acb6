"""Tapes: scores of whole stretches of media by a model that was trained without their source.

Thresholds and benchmarks of the decision rest on them. `models.training` makes them, `models/checkpoints/tapes`
keeps them: numbers alone, no media. A tape holds every window of its stretch, a hop apart, judged or not, as the
service would have scored them; `models.composed_calls` joins tapes of one source into calls.
"""

import gzip
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.checkpoint import CHECKPOINTS
from models.window import HOP_S, Reason, Signal

TAPES = CHECKPOINTS / "tapes"
BONA_FIDE = "-"
"""The attack of a tape that has none."""


class TapesError(RuntimeError):
    """Tapes are missing or cannot be read; the message names the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tape:
    """The windows of one stretch, a hop apart.

    Raises:
        ValueError: Its columns differ in length, or a window has neither score nor reason.
    """

    signal: Signal
    source: str
    """The page or package that it comes from: the unit that is left out, and drawn."""
    person: str
    """Who is seen or heard, as far as the source says; tapes of one person are of one camera or microphone."""
    attack: str
    """The system that made it, `BONA_FIDE` if none."""
    attack_type: str
    """What kind of attack that is, for tables; `BONA_FIDE` if none."""
    condition: str
    """What the media went through here before it was scored; `clean` if nothing."""
    is_telephone: bool
    """Whether that makes it a telephone line's."""
    raws: tuple[float | None, ...]
    """Raw score of each window, up = bona fide; None where it was not judged."""
    reasons: tuple[Reason | None, ...]
    """Why a window was not judged; None where it was."""
    analysed_s: tuple[float, ...]
    """Face or speech in each window [s]; 0 where it was not judged."""

    def __post_init__(self) -> None:
        if not len(self.raws) == len(self.reasons) == len(self.analysed_s):
            raise ValueError(f"columns of {len(self.raws)}, {len(self.reasons)} and {len(self.analysed_s)} windows")
        if any((raw is None) is (reason is None) for raw, reason in zip(self.raws, self.reasons, strict=True)):
            raise ValueError("a window has either a raw score or a reason")

    @property
    def is_bona_fide(self) -> bool:
        """Whether nothing of it was made by a machine."""
        return self.attack == BONA_FIDE

    @property
    def judged(self) -> tuple[float, ...]:
        """The raw scores that there are, by time."""
        return tuple(raw for raw in self.raws if raw is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What made some tapes."""

    recipe: str
    manifest_sha256: str
    note: str
    """How the models that scored them differ from the checkpoint, in a sentence."""


def write(path: Path, provenance: Provenance, tapes: Iterable[Tape]) -> None:
    """Write tapes, the same bytes for the same tapes."""
    rows = [asdict(tape) | {"raws": [_short(raw) for raw in tape.raws]} for tape in tapes]
    text = json.dumps({"provenance": asdict(provenance), "tapes": rows}, separators=(",", ":"), sort_keys=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read(path: Path) -> tuple[Provenance, tuple[Tape, ...]]:
    """Read tapes.

    Raises:
        TapesError: The file is missing or damaged.
    """
    try:
        found = json.loads(gzip.decompress(path.read_bytes()))
        return Provenance(**found["provenance"]), tuple(_tape(row) for row in found["tapes"])
    except (OSError, EOFError, ValueError, TypeError, KeyError) as exc:
        raise TapesError(f"cannot read tapes {path}: {exc}") from exc


def counts(tapes: Sequence[Tape]) -> Iterator[str]:
    """Yield how much there is of each class and condition, a line each."""
    for is_genuine in (True, False):
        for condition in sorted({tape.condition for tape in tapes}):
            own = [tape for tape in tapes if tape.is_bona_fide is is_genuine and tape.condition == condition]
            hours = sum(len(tape.raws) for tape in own) * HOP_S / 3600
            label = "bona fide" if is_genuine else "spoof"
            yield f"{label}, {condition}: {len(own)} tapes of {len({t.source for t in own})} sources, {hours:.2f} h"


def _short(raw: float | None) -> float | None:
    return None if raw is None else round(raw, 3)


def _tape(row: dict[str, Any]) -> Tape:
    reasons = tuple(None if name is None else Reason(name) for name in row["reasons"])
    columns = {"raws": tuple(row["raws"]), "analysed_s": tuple(row["analysed_s"]), "reasons": reasons}
    return Tape(**(row | columns | {"signal": Signal(row["signal"])}))
