"""The vocabulary of a call: media in, decisions and alerts out. Frozen values without behaviour.

All times are session time: float seconds since the first media of the session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from models.drift import Identity
from models.traits import TraitReading
from models.window import Pixels, Reason, Samples, Signal


class Medium(StrEnum):
    """What a track carries."""

    AUDIO = "audio"
    VIDEO = "video"


class State(StrEnum):
    """What is said of a call, a signal or a track. Grey (`undecided`) is never shown as green."""

    UNDECIDED = "undecided"
    BONA_FIDE = "bona_fide"
    SUSPECT = "suspect"
    SPOOF = "spoof"


class Likeness(StrEnum):
    """What is said of two recordings, or of one from its start to its end."""

    SAME = "same_person"
    OTHER = "another_person"
    UNDECIDED = "undecided"


class AlertKind(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AudioFrame:
    """Decoded sound of the remote party: mono, 16 kHz."""

    start_s: float
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VideoFrame:
    """One sampled picture of the remote party, full size."""

    time_s: float
    pixels: Pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Media that never arrived, or that we let go."""

    medium: Medium
    start_s: float
    end_s: float


Media = AudioFrame | VideoFrame | Gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of the call was really analysed."""

    call_s: float = 0.0
    """Length of the call so far [s]."""
    face_s: float = 0.0
    """Seconds in which at least one face was scored [s]."""
    speech_s: float = 0.0
    """Seconds of speech that were scored [s]."""
    face_missed_s: Mapping[Reason, float] = field(default_factory=dict)
    """Seconds of pictures in which no face was scored, by why [s]; empty where no pictures came."""
    speech_missed_s: Mapping[Reason, float] = field(default_factory=dict)
    """Seconds of sound in which no speech was scored, by why [s]; empty where no sound came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReading:
    """Where one signal of one track stands after its newest window."""

    signal: Signal
    track: int
    state: State
    llr: float | None
    """What the newest window is worth [nat], up = bona fide; None where it could not be judged."""
    reason: Reason | None
    """Why `llr` is None."""
    evidence_nat: float
    """Accumulated evidence for a spoof [nat], at least 0; the alert is raised at the decision's threshold."""
    analysed_s: float
    """Seconds of this signal that were analysed so far [s]."""
    missed_s: Mapping[Reason, float] = field(default_factory=dict)
    """Seconds of it that were not, by why [s]."""
    share: float = 0.0
    """Of the call's evidence that this signal accounts for, 0..1."""
    long_s: int | None = None
    """Length of the stretch of speech that `long_llr` is of [s]; None before there are ten seconds, and for a face."""
    long_llr: float | None = None
    """What the newest ten or thirty seconds of speech say as a whole [nat], up = bona fide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resemblance:
    """What is said of the caller's voice or face against a person who was enrolled."""

    identity: Identity
    likeness: Likeness
    llr: float | None
    """Of one person against two, up = one [nat]; None where it cannot be said."""
    reason: Reason | None
    """Why `llr` is None; None otherwise."""
    caller_s: float
    """Speech or face of the call that it rests on [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is said of the call after a window."""

    time_s: float
    state: State
    reason: Reason | None
    """Why the state is `undecided`; None otherwise, or when it is simply too early."""
    readings: tuple[SignalReading, ...]
    coverage: Coverage
    evidence_nat: float
    """Evidence of all signals together that something in the call is a spoof [nat], at least 0."""
    threshold_nat: float
    """Evidence at which the alert is raised [nat]: it follows from the promise and from the class of channel."""
    is_telephone: bool = False
    """Whether the sound comes over a telephone line, which has thresholds of its own."""
    pipeline: tuple[TraitReading, ...] = ()
    """How the call's media were made, by trait; empty before it is known, and for calls that do not come by WebRTC."""
    likeness: tuple[Resemblance, ...] = ()
    """To the person whom the caller is compared with; no part of the evidence. Empty: nobody was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A change of the alert of one call."""

    id: str
    kind: AlertKind
    session: str
    since_s: float
    """Session time at which it was raised [s]."""
    time_s: float
    """Session time of this change [s]."""
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """What a call lost to overload or the network; shown to the viewer."""

    pictures: int = 0
    """Sampled pictures that a newer one replaced before they were analysed."""
    windows: int = 0
    """Windows that were never scored because the detector was behind."""
    audio_s: float = 0.0
    """Sound that never arrived or was let go [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is said of a whole call or clip once it has ended."""

    state: State
    reason: Reason | None
    decision: Decision
    spoof_s: float
    """Seconds of the call during which an alert stood [s]."""
    first_alert_s: float | None
    """Session time of the first alert [s]."""
