"""What is computed of a piece of sound and the one before it: once, for all windows that hold both.

Windows enter, the rows of their pairs leave. Nothing but the pairs of a window enters its rows, so they are the same
whatever was asked before.
"""

import threading
import weakref
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from models.window import VoicePiece, VoiceWindow

PAIRS_AT_ONCE = 32

Rows = npt.NDArray[np.float32]
Pair = tuple[VoicePiece, VoicePiece]
"""Successive pieces: the earlier, the later."""


class PieceCache:
    """Rows of pairs of successive pieces, kept as long as both pieces live. Its methods may be called by many threads.

    Two threads that ask for the same new pair at the same time may both compute it.

    Args:
        compute: Maps the sound of pairs, float32 (B, 2 * HOP_SAMPLES), to one row for each, float32 (B, D).
    """

    def __init__(self, compute: Callable[[Rows], Rows]) -> None:
        self._compute = compute
        # By the later piece, then by the earlier: either may be forgotten first.
        self._rows: weakref.WeakKeyDictionary[VoicePiece, weakref.WeakKeyDictionary[VoicePiece, Rows]]
        self._rows = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many pairs are known."""
        with self._lock:
            return sum(len(known) for known in self._rows.values())

    def of(self, windows: Sequence[VoiceWindow]) -> list[Rows]:
        """Return the rows of each window's pairs by time, float32 (WINDOW_PIECES - 1, D); new pairs in few batches."""
        pairs = [list(zip(window.pieces, window.pieces[1:], strict=False)) for window in windows]
        rows = self._known([pair for of_window in pairs for pair in of_window])
        return [np.stack([rows[pair] for pair in of_window]) for of_window in pairs]

    def _known(self, pairs: Sequence[Pair]) -> dict[Pair, Rows]:
        """Return the row of every pair, computing what is new."""
        with self._lock:
            rows = {(a, b): self._rows[b].get(a) if b in self._rows else None for a, b in pairs}
        known = {pair: row for pair, row in rows.items() if row is not None}
        new = [pair for pair, row in rows.items() if row is None]
        for i in range(0, len(new), PAIRS_AT_ONCE):
            part = new[i : i + PAIRS_AT_ONCE]
            found = self._compute(np.stack([np.concatenate([a.samples, b.samples]) for a, b in part]))  # (B, D)
            known |= zip(part, map(np.copy, found), strict=True)  # a row alone, lest it keep its batch alive
            with self._lock:
                for earlier, later in part:
                    self._rows.setdefault(later, weakref.WeakKeyDictionary())[earlier] = known[earlier, later]
        return known
