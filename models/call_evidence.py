"""The evidence of one call: every signal of every track, and all of them together. Pure.

A face that leaves takes nothing with it: what stood against it stands against the next one, which must wear it down. A
voice whose line becomes another one, and a track of which the caller says so, begins anew in the same way.
"""

from collections.abc import Mapping
from copy import copy

from models.evidence import Fused, SignalEvidence
from models.promise import DecisionModel
from models.window import Score, Signal

Track = tuple[Signal, int]

LINE_WINDOWS = 4
"""Windows in a row after which a line is believed to be another one."""


MAX_CHALLENGED_NAT = 4.0
"""What challenges may say for a spoof at most [nat]: they are known from a laboratory."""


class CallEvidence:
    """Accumulates evidence over a call.

    Args:
        model: How scores are distributed and fused.
    """

    def __init__(self, model: DecisionModel) -> None:
        self._model = model
        self._tracks: dict[Track, SignalEvidence] = {}
        self._standing: dict[Signal, float] = {}
        self.is_telephone = False
        """Whether the sound comes over a telephone line."""
        self._n_other_line = 0
        self.beside = {Signal.CHALLENGE: 0.0, Signal.PIPELINE: 0.0}
        """What speaks for a spoof beside what is seen and heard, at least 0 [nat]; neither speaks against one."""
        self._passive = Fused()

    @property
    def fused(self) -> Fused:
        """Of all signals together, after the last window, challenge and look at the pipeline."""
        if not any(self.beside.values()):
            return self._passive
        beside = {signal: nat for signal, nat in self.beside.items() if nat}
        nat = self._passive.nat + sum(beside.values())
        whole = max(nat, sum(beside.values()))
        added = {signal: part / whole if nat > 0 else 0.0 for signal, part in beside.items()}
        shares = {signal: part * (1 - sum(added.values())) for signal, part in self._passive.shares.items()}
        return Fused(nat=nat, shares=shares | added)

    def copy(self) -> "CallEvidence":
        """Return one that goes its own way."""
        other = copy(self)
        other._tracks = {key: track.copy() for key, track in self._tracks.items()}
        other._standing, other.beside = dict(self._standing), dict(self.beside)
        return other

    def challenge(self, llr: float) -> None:
        """Take what a challenge said, up = bona fide [nat]; all of them together are bounded."""
        self.beside[Signal.CHALLENGE] = min(max(self.beside[Signal.CHALLENGE] - llr, 0.0), MAX_CHALLENGED_NAT)

    def pipeline(self, llr: float) -> None:
        """Take what is known of the pipeline by now [nat]; it stands in place of what was known before."""
        self.beside[Signal.PIPELINE] = max(-llr, 0.0)

    def take(self, score: Score) -> None:
        """Take the next window of a track; one that was not judged, or of a signal without thresholds, does nothing."""
        if score.raw is None or self._is_of_another_line(score):
            return
        key = (score.signal, score.track)
        if key not in self._tracks:
            bias = self._model.bias(score.signal, is_telephone=self.is_telephone)
            if bias is None:
                return
            self._tracks[key] = SignalEvidence(bias, self._standing.pop(score.signal, 0.0))
        self._tracks[key].take(score.raw)
        self._passive = self._model.fusion.fuse(self.nats())

    def nat(self, signal: Signal, track: int) -> float:
        """Return the evidence of one track [nat], at least 0."""
        found = self._tracks.get((signal, track))
        return max(found.nat, 0.0) if found else 0.0

    def nats(self) -> Mapping[Signal, float]:
        """Return the evidence of each signal [nat]: of its most suspicious track, or of one that has left."""
        found = dict(self._standing)
        for (signal, _), track in self._tracks.items():
            found[signal] = max(found.get(signal, track.nat), track.nat)
        return found

    def restart(self, signal: Signal) -> None:
        """Take word that a camera or line became another one: the call's own mean is learnt anew."""
        for (own, _), track in self._tracks.items():
            if own is signal:
                track.restart()

    def forgive(self, signal: Signal, track: int) -> bool:
        """Let a track begin anew if what was forged of it is genuine again; return whether it was."""
        found = self._tracks.get((signal, track))
        bias = self._model.bias(signal, is_telephone=self.is_telephone)
        if found is None or bias is None or not found.has_returned:
            return False
        self._tracks[signal, track] = SignalEvidence(bias)
        self._passive = self._model.fusion.fuse(self.nats())
        return True

    def retire(self, signal: Signal, track: int) -> None:
        """Forget a track that has left, but not what stood against it."""
        gone = self._tracks.pop((signal, track), None)
        if gone and gone.nat > 0:
            self._standing[signal] = max(self._standing.get(signal, 0.0), gone.nat)

    def _is_of_another_line(self, score: Score) -> bool:
        """Whether a window may not be compared with those before; goes over to the new line once it is believed."""
        if score.signal is not Signal.VOICE or score.is_telephone == self.is_telephone:
            self._n_other_line = 0
            return False
        self._n_other_line += 1
        if self._n_other_line < LINE_WINDOWS and (Signal.VOICE, score.track) in self._tracks:
            return True
        self._n_other_line, self.is_telephone = 0, score.is_telephone
        self.retire(Signal.VOICE, score.track)
        return False
