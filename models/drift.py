"""Whether the person of one track is still who it was, and since when not: pure, pieces in, readings out.

The newest seconds are compared with all that came before them since the track's start or its last change. One
comparison may tell a change by itself; weaker ones add up, each by the share of it that is new. Nobody is recognised: a
track is compared with itself alone. Up = the same person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from models.calibration import Calibration

Vector = npt.NDArray[np.float32]

CHANGE_NAT = 3.0
"""A change is told from here on: what was heard or seen is twenty times likelier of two people than of one [nat]."""
BIAS_NAT = 1.0
"""Taken off what every comparison adds up to: how far one person's voice or light may go in a call [nat]."""
MOST_DOUBTED = 60
"""Pieces for which doubt may last before they count as the same person's after all."""


class Identity(StrEnum):
    """What two people are told apart by; named as the signals of a score will be."""

    VOICE = "identity_voice"
    FACE = "identity_face"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """What a short stretch of one voice or one face is like."""

    vector: Vector
    """Embedding of length one, shape (D,)."""
    start_s: float
    end_s: float
    new_s: float
    """Speech or face in it that the piece before has not [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Another person from here on."""

    changed_at_s: float
    """Between the last piece that is nearer to what came before and the first that is nearer to what came after [s]."""
    found_at_s: float
    """When it was told [s]."""
    llr: float
    """Of one person against two, below 0 [nat]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftReading:
    """What is said after a piece."""

    time_s: float
    llr: float | None
    """The newest seconds against all before, up = the same person; None while there is too little of either [nat]."""
    before_s: float
    """Speech or face that they are compared with [s]."""
    change: Change | None
    """Where this piece made a change certain."""


@dataclass(slots=True)
class Drift:
    """One track.

    Args:
        calibration: From the cosine of `newest_s` of speech or face with all before to the llr of one person.
        newest_s: What is compared at once; as much must have come before [s].
    """

    calibration: Calibration
    newest_s: float
    changes: list[Change] = field(default_factory=list)
    _recent: list[Piece] = field(default_factory=list)
    """The newest pieces, and as much before them again: where a change is looked for."""
    _before: Vector | None = None
    """Sum over all older pieces of their vectors by their seconds."""
    _before_s: float = 0.0
    _evidence_nat: float = 0.0
    """For another person, from comparisons that did not tell it by themselves [nat]."""
    _doubted: int = 0
    """Pieces since the evidence left 0: no part of what the newest are compared with."""

    def push(self, piece: Piece) -> DriftReading:
        """Take the next piece of the track, by time."""
        self._recent.append(piece)
        n = _n_newest(self._recent, self.newest_s)
        # The piece before the newest shares sound with them.
        earlier, newest = self._recent[: -n - 1 - self._doubted], self._recent[-n:]
        before_s = self._before_s + seconds_of(earlier)
        if before_s < self.newest_s:
            return DriftReading(time_s=piece.end_s, llr=None, before_s=before_s, change=None)
        before = _unit(_sum(earlier, self._before))
        llr = self.calibration.llr(float(before @ mean_of(newest)))
        self._weigh(llr, piece.new_s)
        change = self._change(before, newest, llr) if max(-llr, self._evidence_nat) >= CHANGE_NAT else None
        if change is None:
            self._fold(2 * n + 2 + self._doubted)
        return DriftReading(time_s=piece.end_s, llr=llr, before_s=before_s, change=change)

    def _weigh(self, llr: float, new_s: float) -> None:
        added = (-llr - BIAS_NAT) * min(new_s / self.newest_s, 1.0)
        self._evidence_nat = max(self._evidence_nat + added, 0.0)
        self._doubted = self._doubted + 1 if self._evidence_nat and self._doubted < MOST_DOUBTED else 0

    def _change(self, before: Vector, newest: Sequence[Piece], llr: float) -> Change:
        """Say where the newest person came, and begin anew from there."""
        after = mean_of(newest)
        nearer = np.array([float(p.vector @ before - p.vector @ after) for p in self._recent])
        gain = [float(nearer[:i].sum() - nearer[i:].sum()) for i in range(1, len(nearer))]
        first = 1 + int(np.argmax(gain))
        left, right = self._recent[first - 1], self._recent[first]
        change = Change(changed_at_s=(left.end_s + right.start_s) / 2, found_at_s=newest[-1].end_s, llr=llr)
        self.changes.append(change)
        # The first piece may hold the end of the one before.
        self._recent, self._before, self._before_s = self._recent[first + 1 :], None, 0.0
        self._evidence_nat, self._doubted = 0.0, 0
        return change

    def _fold(self, n_kept: int) -> None:
        """Keep of older pieces their sum alone, so that a day's call takes no more memory than a minute's."""
        old, self._recent = self._recent[:-n_kept], self._recent[-n_kept:]
        if old:
            self._before = _sum(old, self._before)
            self._before_s += seconds_of(old)


def mean_of(pieces: Sequence[Piece]) -> Vector:
    """Return the direction of several pieces, each by its own seconds, shape (D,)."""
    return _unit(_sum(pieces, None))


def seconds_of(pieces: Sequence[Piece]) -> float:
    """Return how much speech or face pieces hold [s]."""
    return sum(piece.new_s for piece in pieces)


def _n_newest(pieces: Sequence[Piece], seconds: float) -> int:
    """Return how many of the last pieces hold so many seconds; all where none of them do."""
    held = 0.0
    for n, piece in enumerate(reversed(pieces), 1):
        held += piece.new_s
        if held >= seconds - 1e-6:
            return n
    return len(pieces)


def _sum(pieces: Sequence[Piece], start: Vector | None) -> Vector:
    rows = [piece.vector * np.float32(piece.new_s) for piece in pieces]
    return np.asarray(np.sum(rows if start is None else [start, *rows], axis=0), np.float32)


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)
