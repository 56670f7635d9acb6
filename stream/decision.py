"""Scores -> decision -> alert. Pure: session time is an argument, any number of calls may share a process.

The operator promises at most one false alert in so many call-hours; `models.promise` says which evidence that is, and
`models.call_evidence` gathers it over the whole call. `stream.call_state` makes of it what a person reads: grey, green,
amber, red, what carries the alert, and how much of the call was seen. Here windows are put in order.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping

from models.calibration import Calibration
from models.call_evidence import CallEvidence
from models.traits import PipelineReading
from models.window import Score, Signal
from stream.call_state import CallState
from stream.events import AlertKind, Decision
from stream.policy import Policy

JITTER_S = 1.0
"""Windows that come so much later than newer ones are still put in their place [s]."""
MARK_EVERY = 8
"""Windows after which the call is copied, so that what comes late is put in its place from there."""


class CallDecision:
    """The decision of one call. The same windows give the same decision in any split, and in any order within jitter.

    Args:
        policy: What the operator set.
        longs: What the mean llr over so many seconds tells, by signal.
    """

    def __init__(
        self, policy: Policy | None = None, longs: Mapping[Signal, Mapping[int, Calibration]] | None = None
    ) -> None:
        policy = policy or Policy()
        self._call = CallState(policy, longs or {}, CallEvidence(policy.model), policy.levels())
        # As it was before the recent windows: where one comes late, all since then are taken anew, in order.
        self._settled, self._recent = self._call.copy(), list[Score]()
        # As it was after so many of them: it is settled once none can come late any more.
        self._mark: tuple[int, CallState] | None = None
        self._told: frozenset[Signal] = frozenset()

    @property
    def alerted(self) -> frozenset[Signal]:
        """The signals that carry the alert; empty while none stands."""
        return self._call.alerted

    def update(self, scores: Iterable[Score]) -> tuple[Decision, AlertKind | None]:
        """Take the scores of windows, judged or not; return the decision and what it does to the alert."""
        for score in scores:
            self._take(score)
        return self._change()

    def challenged(self, llr: float, seconds: float) -> tuple[Decision, AlertKind | None]:
        """Take what came of a challenge, up = bona fide [nat], and the seconds of it; return what `update` does."""
        for call in self._calls():
            call.take_challenge(llr, seconds)
        return self._change()

    def piped(self, reading: PipelineReading, seconds: float) -> tuple[Decision, AlertKind | None]:
        """Take what is known of the pipeline after so many seconds of the call; return what `update` does."""
        for call in self._calls():
            call.take_pipeline(reading, seconds)
        return self._change()

    def _change(self) -> tuple[Decision, AlertKind | None]:
        was, self._told = self._told, self._call.alerted
        if self._told == was:
            return self.decision(), None
        if not was or not self._told:
            return self.decision(), AlertKind.RAISED if self._told else AlertKind.CLEARED
        return self.decision(), AlertKind.UPDATED

    def decision(self) -> Decision:
        """Return what is said of the call now."""
        return self._call.decision()

    def restart(self, signal: Signal) -> None:
        """Take word that a camera or line became another one: by itself that is no sign of a forgery."""
        self._call.evidence.restart(signal)
        # Windows from before are not to be taken anew after it.
        self._settled, self._recent, self._mark = self._call.copy(), [], None

    def _calls(self) -> Iterator[CallState]:
        yield self._call
        yield self._settled
        if self._mark:
            yield self._mark[1]

    def _take(self, score: Score) -> None:
        if self._recent and _place(score) < _place(self._recent[-1]):
            insort(self._recent, score, key=_place)
            self._call, self._mark = self._settled.copy(), None
            for known in self._recent:
                self._call.take(known)
        else:
            self._recent.append(score)
            self._call.take(score)
        if self._mark is None and len(self._recent) >= MARK_EVERY:
            self._mark = len(self._recent), self._call.copy()
        if self._mark and self._recent[self._mark[0] - 1].end_s < self._recent[-1].end_s - JITTER_S:
            del self._recent[: self._mark[0]]
            self._settled, self._mark = self._mark[1], None


def _place(score: Score) -> tuple[float, Signal, int]:
    return score.end_s, score.signal, score.track
