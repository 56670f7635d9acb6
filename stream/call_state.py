"""Where one call stands after windows that were taken in order: its tracks, its alert, how much of it was seen. Pure.

Lips against voice are shown beside, and have no part in alerts: nothing is known of how often they would be false.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from models.calibration import Calibration
from models.call_evidence import CallEvidence
from models.evidence import Fused
from models.long_speech import LongSpeech
from models.traits import PipelineReading
from models.window import Reason, Score, Signal
from stream.coverage import Seconds
from stream.events import Coverage, Decision, SignalReading, State
from stream.policy import Levels, Policy

MEMORY_S = 10.0
"""How long a judgement stands once its signal can no longer be judged, and how long a lost face is remembered [s]."""
LEAN_SHARE = 0.1
"""Weight of the newest window in a signal's lean: an average over about five seconds."""
CARRIES = 0.3
"""Share of the evidence from which a signal is said to carry the alert."""

_FACE_HIDDEN = frozenset(
    {Reason.NO_FACE, Reason.SMALL_FACE, Reason.BLURRED, Reason.POSE, Reason.EXPOSURE, Reason.OCCLUDED}
)


@dataclass(slots=True)
class TrackState:
    """One signal of one track."""

    signal: Signal
    track: int
    long: LongSpeech
    seconds: Seconds = field(default_factory=Seconds)
    nat: float = 0.0
    is_suspect: bool = False
    seen_s: float = 0.0
    judged_s: float = float("-inf")
    score: Score | None = None
    lean_nat: float | None = None
    """Running mean of the windows' llr [nat]."""

    def copy(self) -> "TrackState":
        """Return one that goes its own way."""
        return replace(self, long=self.long.copy(), seconds=self.seconds.copy())

    def take(self, score: Score) -> None:
        """Take the next window."""
        self.score, self.seen_s = score, score.end_s
        before_s = self.seconds.analysed_s
        self.seconds.take(score)
        if score.llr is None:
            return
        self.judged_s = score.end_s
        self.long.take(score.llr, self.seconds.analysed_s - before_s)
        before = score.llr if self.lean_nat is None else self.lean_nat
        self.lean_nat = before + LEAN_SHARE * (score.llr - before)

    def weigh(self, nat: float, levels: Levels) -> None:
        """Take word of what stands against it."""
        self.nat = nat
        self.is_suspect = nat >= levels.suspect or (self.is_suspect and nat > levels.clear)

    def state(self, now_s: float, policy: Policy, *, carries: bool) -> State:
        """Return what is said of this track alone."""
        if carries and self.is_suspect:
            return State.SPOOF
        if now_s - self.judged_s > MEMORY_S:
            return State.UNDECIDED
        if self.is_suspect:
            return State.SUSPECT
        if self.signal is Signal.SYNC and (self.lean_nat or 0.0) <= 0:
            return State.UNDECIDED  # too weak to accuse; but lips that do not fit must not look green
        return State.BONA_FIDE if self.seconds.analysed_s >= policy.min_s(self.signal) else State.UNDECIDED


@dataclass(slots=True)
class CallState:
    """A call after windows that were taken in order."""

    policy: Policy
    longs: Mapping[Signal, Mapping[int, Calibration]]
    evidence: CallEvidence
    all_levels: tuple[Levels, Levels]
    """Of wideband calls and of those over a telephone line."""
    alerted: frozenset[Signal] = frozenset()
    is_suspect: bool = False
    tracks: dict[tuple[Signal, int], TrackState] = field(default_factory=dict)
    seconds: dict[Signal, Seconds] = field(default_factory=lambda: {Signal.FACE: Seconds(), Signal.VOICE: Seconds()})
    now_s: float = 0.0
    challenges: tuple[float, ...] = ()
    """The llr of each [nat]."""
    challenge_s: float = 0.0
    pipeline: PipelineReading | None = None
    pipeline_s: float = 0.0

    def take(self, score: Score) -> None:
        """Take the next window, judged or not."""
        self.now_s = max(self.now_s, score.end_s)
        key = (score.signal, score.track)
        if key not in self.tracks:
            self.tracks[key] = TrackState(*key, long=LongSpeech(self.longs.get(score.signal, {})))
        track = self.tracks[key]
        track.take(score)
        if score.signal in self.seconds:
            self.seconds[score.signal].take(score)
        if score.raw is not None:
            self.evidence.take(score)
            levels = self.levels
            track.weigh(self.evidence.nat(*key), levels)
            self._settle(levels)
            if self.alerted and self.evidence.forgive(*key):
                track.weigh(self.evidence.nat(*key), levels)
                self._settle(levels)
        self._retire()

    def take_challenge(self, llr: float, seconds: float) -> None:
        """Take what came of something that the other side was asked to do.

        Args:
            llr: Up = bona fide; 0 where it says nothing [nat].
            seconds: That it was judged by [s].
        """
        self.evidence.challenge(llr)
        self.challenges = (*self.challenges, llr)
        self.challenge_s += seconds
        self._settle(self.levels)

    def take_pipeline(self, reading: PipelineReading, seconds: float) -> None:
        """Take what is known by now of how the media are made.

        Args:
            reading: Of the newest look.
            seconds: Of the call so far [s].
        """
        self.evidence.pipeline(reading.llr)
        self.pipeline, self.pipeline_s = reading, seconds
        self._settle(self.levels)

    def copy(self) -> "CallState":
        """Return one that goes its own way."""
        return replace(
            self,
            evidence=self.evidence.copy(),
            tracks={key: track.copy() for key, track in self.tracks.items()},
            seconds={signal: seconds.copy() for signal, seconds in self.seconds.items()},
        )

    @property
    def levels(self) -> Levels:
        """Levels of the class of channel that the call goes over now."""
        return self.all_levels[self.evidence.is_telephone]

    def _settle(self, levels: Levels) -> None:
        """Raise, carry on or clear the alert."""
        fused = self.evidence.fused
        self.is_suspect = fused.nat >= levels.suspect or (self.is_suspect and fused.nat > levels.clear)
        if fused.nat >= levels.alert or (self.alerted and fused.nat > levels.clear):
            most = max(fused.shares, key=lambda signal: fused.shares[signal])
            joined = {signal for signal, share in fused.shares.items() if share >= CARRIES}
            # Beside a much stronger one a signal has a small share, though it would raise the alert by itself.
            joined |= {signal for signal, nat in self.evidence.nats().items() if nat >= levels.alert}
            # One that has joined stays until the alert is cleared.
            self.alerted |= joined | ({most} if not self.alerted else set())
        else:
            self.alerted = frozenset()

    def _retire(self) -> None:
        """Forget faces that left, but not what stood against them."""
        for key in [key for key, track in self.tracks.items() if self.now_s - track.seen_s > MEMORY_S]:
            del self.tracks[key]
            self.evidence.retire(*key)

    def decision(self) -> Decision:
        """Return what is said of the call now."""
        levels, fused = self.levels, self.evidence.fused
        most = dict.fromkeys(Signal, 0.0)
        for track in self.tracks.values():
            most[track.signal] = max(most[track.signal], track.nat)
        readings = tuple(self._reading(track, fused, most[track.signal]) for track in self.tracks.values())
        if self.challenges:
            readings = (*readings, self._beside(Signal.CHALLENGE, self.challenges[-1], self.challenge_s))
        if self.pipeline:
            readings = (*readings, self._beside(Signal.PIPELINE, self.pipeline.llr, self.pipeline_s))
        state = self._state(readings)
        face, voice = self.seconds[Signal.FACE], self.seconds[Signal.VOICE]
        return Decision(
            time_s=self.now_s,
            state=state,
            reason=self._reason() if state is State.UNDECIDED else None,
            readings=tuple(sorted(readings, key=lambda r: (r.signal, -r.evidence_nat, r.track))),
            coverage=Coverage(
                call_s=self.now_s,
                face_s=face.analysed_s,
                speech_s=voice.analysed_s,
                face_missed_s=dict(face.missed_s),
                speech_missed_s=dict(voice.missed_s),
            ),
            evidence_nat=max(fused.nat, 0.0),
            threshold_nat=levels.alert,
            is_telephone=self.evidence.is_telephone,
            pipeline=self.pipeline.traits if self.pipeline else (),
        )

    def _reading(self, track: TrackState, fused: Fused, most: float) -> SignalReading:
        """Return where a track stands; `most` is what stands against any track of its signal."""
        assert track.score is not None
        long = track.long.reading()
        return SignalReading(
            signal=track.signal,
            track=track.track,
            state=track.state(self.now_s, self.policy, carries=track.signal in self.alerted),
            llr=track.score.llr,
            reason=track.score.reason,
            evidence_nat=track.nat,
            analysed_s=track.seconds.analysed_s,
            missed_s=dict(track.seconds.missed_s),
            share=fused.shares.get(track.signal, 0.0) if fused.nat > 0 and track.nat == most > 0 else 0.0,
            long_s=long.speech_s if long else None,
            long_llr=long.llr if long else None,
        )

    def _beside(self, signal: Signal, llr: float, seconds: float) -> SignalReading:
        """Return where challenges or the pipeline stand."""
        nat, fused, levels = self.evidence.beside[signal], self.evidence.fused, self.levels
        if signal in self.alerted:
            state = State.SPOOF
        elif nat >= levels.suspect:
            state = State.SUSPECT
        else:
            state = State.UNDECIDED  # that a challenge was passed, or a pipeline is ordinary, proves nothing
        return SignalReading(
            signal=signal,
            track=0,
            state=state,
            llr=llr,
            reason=None,
            evidence_nat=nat,
            analysed_s=seconds,
            share=fused.shares.get(signal, 0.0) if fused.nat > 0 else 0.0,
        )

    def _state(self, readings: tuple[SignalReading, ...]) -> State:
        if self.alerted:
            return State.SPOOF
        if self.is_suspect:
            return State.SUSPECT
        # Lips that fit the sound vouch for nobody, since a good lip-sync is made to fit; nor does a passed challenge.
        vouching = {reading.state for reading in readings if reading.signal in (Signal.FACE, Signal.VOICE)}
        if State.BONA_FIDE in vouching and State.SUSPECT not in vouching and not self._is_face_hidden():
            return State.BONA_FIDE
        return State.UNDECIDED

    def _is_face_hidden(self) -> bool:
        """Whether pictures arrive without a face to judge: a good voice must not vouch for a face nobody saw."""
        faces = [track for (signal, _), track in self.tracks.items() if signal is Signal.FACE]
        unseen = all(self.now_s - track.judged_s > MEMORY_S for track in faces)
        return unseen and any(track.score is not None and track.score.reason in _FACE_HIDDEN for track in faces)

    def _reason(self) -> Reason | None:
        """The newest reason; of equally new ones the face's, since a person can mend that; None: simply too early."""
        unjudged = [
            track.score
            for (signal, _), track in self.tracks.items()
            if signal is not Signal.SYNC and track.score and track.score.reason
        ]
        newest = max(
            unjudged, key=lambda s: (s.end_s, s.reason in _FACE_HIDDEN, s.reason is not Reason.LOST), default=None
        )
        return newest.reason if newest else None
