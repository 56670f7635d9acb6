"""Scores -> decision -> alert. Pure: session time is an argument, any number of calls may share a process.

Each signal of each track accumulates evidence for a spoof: a cumulative sum of negative log-likelihood ratios. Three
things keep it honest. Windows overlap, so each counts only for the share of it that is new (hop / window). A call's own
camera, codec and microphone bias all of its windows the same way, so a drift is taken off every window before it
counts. And what a window says by itself is weighed beside its difference to the start of the same track, where that
bias drops out: our detectors tell a forgery from its own original far better than from other people's calls.

Lips against voice is the third signal, and the weakest: it does not make a call green and adds nothing to the coverage.
With the calibration that we ship no window of it exceeds the default drift, so that by itself it neither alerts nor
keeps a call from green.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.calibration import Calibration
from models.long_speech import LongSpeech
from models.window import HOP_S, WINDOW_S, Reason, Score, Signal
from stream.events import AlertKind, Coverage, Decision, SignalReading, State

NEW_SHARE = HOP_S / WINDOW_S
MEMORY_S = 10.0
"""How long a judgement stands once its signal can no longer be judged, and how long a lost face is remembered [s]."""

LEAN_SHARE = 0.1
"""Weight of the newest window in a signal's lean: an average over about five seconds."""

START_WINDOWS = 8
"""Judged windows of a track's start that later ones are compared with: its first seven and a half seconds."""

_FACE_HIDDEN = frozenset(
    {Reason.NO_FACE, Reason.SMALL_FACE, Reason.BLURRED, Reason.POSE, Reason.EXPOSURE, Reason.OCCLUDED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What an operator sets."""

    alert_nat: float = 1.0
    """Evidence at which the alert is raised [nat]; at half of it the state is `suspect`."""
    drift_nat: float = 1.0
    """Taken off every window's evidence: the bias that one call may have [nat]."""
    min_face_s: float = 3.0
    """Face seconds before green [s]."""
    min_speech_s: float = 3.0
    """Speech seconds before green [s]."""
    min_sync_s: float = 8.0
    """Seconds of speech beside a mouth before the two are said to fit [s]."""

    @property
    def suspect_nat(self) -> float:
        """Evidence at which the state becomes `suspect` [nat]."""
        return self.alert_nat / 2

    @property
    def clear_nat(self) -> float:
        """Evidence below which an alert is cleared: far enough from raising that a page never flickers [nat]."""
        return self.alert_nat / 4

    @property
    def limit_nat(self) -> float:
        """Evidence never grows beyond this, so that clearing takes no longer than raising did [nat]."""
        return self.alert_nat * 1.25

    def min_s(self, signal: Signal) -> float:
        """Seconds of `signal` before green [s]."""
        return {Signal.FACE: self.min_face_s, Signal.VOICE: self.min_speech_s, Signal.SYNC: self.min_sync_s}[signal]


@dataclass(slots=True)
class _Track:
    """One signal of one track."""

    signal: Signal
    track: int
    evidence_nat: float = 0.0
    analysed_s: float = 0.0
    is_alerted: bool = False
    seen_s: float = 0.0
    judged_s: float = float("-inf")
    score: Score | None = None
    llr: float | None = None
    lean_nat: float | None = None
    """Running mean of what the windows are worth [nat]."""
    start: list[float] = field(default_factory=list)
    """Raw scores of the first windows."""
    long: LongSpeech = field(default_factory=lambda: LongSpeech({}))

    def update(self, score: Score, policy: Policy, change: Calibration | None) -> None:
        """Take the next window; one that could not be judged changes no evidence."""
        self.score, self.seen_s = score, score.end_s
        self.llr = self._weigh(score, policy, change)
        if self.llr is None:
            return
        self.judged_s = score.end_s
        new_s = _newly_analysed_s(score, self.analysed_s)
        self.analysed_s += new_s
        if score.llr is not None:
            self.long.take(score.llr, new_s)
        before = self.llr if self.lean_nat is None else self.lean_nat
        self.lean_nat = before + LEAN_SHARE * (self.llr - before)
        step = NEW_SHARE * (-self.llr - policy.drift_nat)
        self.evidence_nat = min(max(self.evidence_nat + step, 0.0), policy.limit_nat)
        if self.evidence_nat >= policy.alert_nat:
            self.is_alerted = True
        elif self.evidence_nat <= policy.clear_nat:
            self.is_alerted = False

    def _weigh(self, score: Score, policy: Policy, change: Calibration | None) -> float | None:
        """Return what a window is worth [nat]: by itself where that says something, else against the track's start."""
        if score.llr is None or score.raw is None:
            return None
        if change is None:
            return score.llr
        if len(self.start) < START_WINDOWS:
            self.start.append(score.raw)
            return score.llr
        since_start = change.llr(score.raw - sum(self.start) / START_WINDOWS)
        return since_start if score.llr > -policy.drift_nat else min(score.llr, since_start)

    def state(self, now_s: float, policy: Policy) -> State:
        """Return what is said of this track alone."""
        if self.is_alerted:
            return State.SPOOF
        if now_s - self.judged_s > MEMORY_S:
            return State.UNDECIDED
        if self.evidence_nat >= policy.suspect_nat:
            return State.SUSPECT
        if self.signal is Signal.SYNC and (self.lean_nat or 0.0) <= 0:
            # Too weak to accuse, so it gathers no evidence where lips and sound do not fit: that must not look green.
            return State.UNDECIDED
        return State.BONA_FIDE if self.analysed_s >= policy.min_s(self.signal) else State.UNDECIDED

    def reading(self, now_s: float, policy: Policy) -> SignalReading:
        """Return what a viewer sees of this track."""
        assert self.score is not None
        long = self.long.reading()
        return SignalReading(
            signal=self.signal,
            track=self.track,
            state=self.state(now_s, policy),
            llr=self.llr,
            reason=self.score.reason,
            evidence_nat=self.evidence_nat,
            analysed_s=self.analysed_s,
            long_s=long.speech_s if long else None,
            long_llr=long.llr if long else None,
        )


def _newly_analysed_s(score: Score, so_far_s: float) -> float:
    """A first window counts whole, a later one for the part that is new in it."""
    return score.analysed_s if so_far_s == 0 else score.analysed_s * NEW_SHARE


@dataclass(slots=True)
class CallDecision:
    """The state of one call's decision."""

    policy: Policy = field(default_factory=Policy)
    changes: Mapping[Signal, Calibration] = field(default_factory=dict)
    """What a difference of raw scores to the track's start tells, by signal."""
    longs: Mapping[Signal, Mapping[int, Calibration]] = field(default_factory=dict)
    """What the mean llr over so many seconds tells, by signal."""
    alerted: frozenset[Signal] = frozenset()
    """The signals that carry the alert; empty while none stands."""
    _tracks: dict[tuple[Signal, int], _Track] = field(default_factory=dict)
    _inherited_nat: dict[Signal, float] = field(default_factory=dict)
    _covered_s: dict[Signal, float] = field(default_factory=dict)
    _counted_to_s: dict[Signal, float] = field(default_factory=dict)
    _now_s: float = 0.0

    def update(self, scores: Iterable[Score]) -> tuple[Decision, AlertKind | None]:
        """Take the scores of windows, scored or not; return the decision and what it does to the alert."""
        for score in sorted(scores, key=lambda s: s.end_s):
            self._now_s = max(self._now_s, score.end_s)
            track = self._track(score.signal, score.track)
            if score.llr is not None and track.analysed_s == 0:
                self._inherit(track)
            track.update(score, self.policy, self.changes.get(score.signal))
            self._cover(score)
        self._retire()
        decision = self.decision()
        was, self.alerted = self.alerted, self._carriers(decision)
        if self.alerted == was:
            return decision, None
        if not was or not self.alerted:
            return decision, AlertKind.RAISED if self.alerted else AlertKind.CLEARED
        return decision, AlertKind.UPDATED

    def _track(self, signal: Signal, number: int) -> _Track:
        if (signal, number) not in self._tracks:
            long = LongSpeech(self.longs.get(signal, {}))
            self._tracks[signal, number] = _Track(signal, number, long=long)
        return self._tracks[signal, number]

    def _carriers(self, decision: Decision) -> frozenset[Signal]:
        if decision.state is not State.SPOOF:
            return frozenset()
        # When the face that raised it has left, nobody in the picture carries the alert, and it stands as it was.
        return frozenset(r.signal for r in decision.readings if r.state is State.SPOOF) or self.alerted

    def decision(self) -> Decision:
        """Return what is said of the call now."""
        readings = tuple(
            track.reading(self._now_s, self.policy) for track in self._tracks.values() if track.score is not None
        )
        state = self._state(readings)
        return Decision(
            time_s=self._now_s,
            state=state,
            reason=self._reason() if state is State.UNDECIDED else None,
            readings=tuple(sorted(readings, key=lambda r: (r.signal, -r.evidence_nat, r.track))),
            coverage=Coverage(
                call_s=self._now_s,
                face_s=self._covered_s.get(Signal.FACE, 0.0),
                speech_s=self._covered_s.get(Signal.VOICE, 0.0),
            ),
            evidence_nat=max((reading.evidence_nat for reading in readings), default=0.0),
            threshold_nat=self.policy.alert_nat,
        )

    def _state(self, readings: tuple[SignalReading, ...]) -> State:
        states = {reading.state for reading in readings}
        standing_nat = max(self._inherited_nat.values(), default=0.0)
        if State.SPOOF in states or (self.alerted and standing_nat > self.policy.clear_nat):
            return State.SPOOF
        if State.SUSPECT in states:
            return State.SUSPECT
        # Lips that fit the sound vouch for nobody: a good lip-sync is made to fit.
        vouching = {reading.state for reading in readings if reading.signal is not Signal.SYNC}
        if State.BONA_FIDE in vouching and not self._is_face_hidden():
            return State.BONA_FIDE
        return State.UNDECIDED

    def _is_face_hidden(self) -> bool:
        """Whether pictures arrive without a face to judge: a good voice must not vouch for a face nobody saw."""
        faces = [track for (signal, _), track in self._tracks.items() if signal is Signal.FACE]
        unseen = all(self._now_s - track.judged_s > MEMORY_S for track in faces)
        return unseen and any(track.score is not None and track.score.reason in _FACE_HIDDEN for track in faces)

    def _reason(self) -> Reason | None:
        """The newest reason; of equally new ones the face's, since a person can mend that; None: simply too early."""
        unjudged = [
            track.score
            for (signal, _), track in self._tracks.items()
            if signal is not Signal.SYNC and track.score and track.score.reason
        ]
        newest = max(
            unjudged, key=lambda s: (s.end_s, s.reason in _FACE_HIDDEN, s.reason is not Reason.LOST), default=None
        )
        return newest.reason if newest else None

    def _inherit(self, track: _Track) -> None:
        """Give a face that is judged for the first time the evidence of those that left: it must clear it."""
        track.evidence_nat = self._inherited_nat.pop(track.signal, 0.0)
        track.is_alerted = track.evidence_nat >= self.policy.alert_nat

    def _retire(self) -> None:
        """Forget faces that left, but not what stood against them."""
        for key, track in tuple(self._tracks.items()):
            if self._now_s - track.seen_s > MEMORY_S:
                del self._tracks[key]
                before = self._inherited_nat.get(track.signal, 0.0)
                self._inherited_nat[track.signal] = max(before, track.evidence_nat)

    def _cover(self, score: Score) -> None:
        """Count each second once, however many faces or windows it was part of."""
        if score.llr is None:
            return
        new_s = score.end_s - max(self._counted_to_s.get(score.signal, float("-inf")), score.start_s)
        if new_s <= 0:
            return  # another face of the same window
        share = min(score.analysed_s / (score.end_s - score.start_s), 1.0)
        self._covered_s[score.signal] = self._covered_s.get(score.signal, 0.0) + new_s * share
        self._counted_to_s[score.signal] = score.end_s
