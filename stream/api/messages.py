"""What the page and other viewers receive, as pydantic models: the JSON schema that the page's types are made from.

Stored events carry `seq`, which only grows; a viewer that names the last one it saw gets all later ones. Live readings
(`verdict`) carry none: the newest replaces the ones before.
"""

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from models.window import Reason, Signal
from stream.api import people_messages as people
from stream.api import side_messages as side
from stream.api.admin_messages import (
    AuditMessage,
    DeadLetterMessage,
    DeleteRequest,
    InviteRequest,
    JoinMessage,
    MeMessage,
    NewInviteMessage,
    NewTokenMessage,
    NewWebhookMessage,
    TokenRequest,
    WebhookRequest,
    WebhookTestMessage,
)
from stream.api.case_messages import (
    CaseActionMessage,
    CaseDetailMessage,
    CasePageMessage,
    DeedRequest,
    DriftMessage,
    EvidenceDeletedMessage,
    EvidenceMessage,
    StakeMessage,
    StakeRequest,
    StatisticsMessage,
)
from stream.api.explanation_messages import FaceExplanationMessage, VoiceExplanationMessage
from stream.api.message import Message
from stream.api.promise_messages import LabelMessage, LabelRequest, PromiseMessage
from stream.events import AlertKind, State
from stream.forwarding.pack import Pack

PROTOCOL_VERSION = 1


class SignalMessage(Message):
    """Where one signal of one track stands."""

    signal: Signal
    track: int
    """Face number within the call, for its lips as well; 0 for the voice."""
    state: State
    llr: float | None
    """Newest window [nat], up = bona fide; null where it could not be judged."""
    reason: Reason | None
    """Why `llr` is null."""
    evidence_nat: float
    """Accumulated evidence for a spoof [nat]; the alert is raised at `threshold_nat`."""
    analysed_s: float
    missed_s: dict[Reason, float] = Field(default_factory=dict)
    """Seconds that could not be judged, by why [s]."""
    share: float = 0.0
    """Of the call's evidence that this signal accounts for, 0..1."""
    long_s: int | None
    """Length of the stretch of speech that `long_llr` is of [s]; null before ten seconds of it, and for a face."""
    long_llr: float | None
    """What the newest ten or thirty seconds of speech say as a whole [nat], up = bona fide."""


class CoverageMessage(Message):
    """How much of the call was really analysed [s]."""

    call_s: float
    face_s: float
    speech_s: float
    face_missed_s: dict[Reason, float] = Field(default_factory=dict)
    """Seconds of pictures in which no face could be judged, by why [s]."""
    speech_missed_s: dict[Reason, float] = Field(default_factory=dict)
    """Seconds of sound in which no speech could be judged, by why [s]."""


class DroppedMessage(Message):
    """What was lost to overload or the network."""

    pictures: int
    windows: int
    audio_s: float


class HelloMessage(Message):
    """The first message on a live connection."""

    type: Literal["hello"] = "hello"
    version: Literal[1] = 1
    seq: int
    """Newest stored event."""


class SessionStartedMessage(Message):
    """A call began."""

    type: Literal["session_started"] = "session_started"
    seq: int
    session: str
    name: str
    source: str
    at: str
    """UTC, ISO 8601."""


class SessionEndedMessage(Message):
    """A call ended."""

    type: Literal["session_ended"] = "session_ended"
    seq: int
    session: str
    at: str
    cause: str
    state: State
    """The last thing said of the call."""
    call_s: float = 0.0
    """Its length [s]; 0 in events of versions that did not count."""
    face_s: float = 0.0
    speech_s: float = 0.0
    face_missed_s: dict[Reason, float] = Field(default_factory=dict)
    """Seconds of pictures in which no face could be judged, by why [s]."""
    speech_missed_s: dict[Reason, float] = Field(default_factory=dict)
    """Seconds of sound in which no speech could be judged, by why [s]."""
    signals: list[SignalMessage] = Field(default_factory=list)
    """Where each track stood, of those that were there at the end."""
    is_telephone: bool = False
    """Whether its sound came over a telephone line."""
    mean_llr: dict[Signal, float] = Field(default_factory=dict)
    """Of the readings of its last half hour, by signal [nat]; what drift is seen by."""
    pipeline: list[side.TraitMessage] = Field(default_factory=list)
    """How its media were made, as last known; what bona fide calls are compared by."""


class AlertMessage(Message):
    """An alert was raised, updated or cleared."""

    type: Literal["alert"] = "alert"
    seq: int
    id: str
    kind: AlertKind
    session: str
    at: str
    since_s: float
    time_s: float
    signals: list[SignalMessage]
    """Those that carry it, strongest first."""
    coverage: CoverageMessage
    evidence_nat: float = 0.0
    """Of all signals together [nat]; 0 in alerts of versions that did not sum it up."""
    threshold_nat: float
    is_telephone: bool = False
    """Whether the sound comes over a telephone line, which has thresholds of its own."""
    promise_hours: float | None = None
    """At most one false alert in so many call-hours [h]; null in alerts of versions that promised nothing."""
    pipeline: list[side.TraitMessage] = Field(default_factory=list)
    """How the call's media were made, as far as it is unusual."""
    models: dict[str, str]
    """Digest of each model that took part, by signal; of `decision`: of the thresholds."""
    advice: str
    """Key of the text that says what to do next."""


class VerdictMessage(Message):
    """The live reading of one call, twice a second."""

    type: Literal["verdict"] = "verdict"
    session: str
    time_s: float
    state: State
    reason: Reason | None
    signals: list[SignalMessage]
    coverage: CoverageMessage
    dropped: DroppedMessage
    evidence_nat: float
    """Of all signals together [nat], at least 0; the alert is raised at `threshold_nat`."""
    threshold_nat: float
    pipeline: list[side.TraitMessage] = Field(default_factory=list)
    """How the call's media were made; empty before it is known, for calls that do not come by WebRTC, and in readings
    that were kept."""
    compared_with: str = ""
    """Name of the person whom the caller is compared with; empty: nobody."""
    likeness: list[side.ResemblanceMessage] = Field(default_factory=list)
    """To that person, by voice and by face; no part of the evidence."""
    faces: list[side.FacePlaceMessage] = Field(default_factory=list)
    """Of the newest pictures, largest first, once one was asked for; empty in readings that were kept."""


class SessionMessage(Message):
    """One call in a list."""

    session: str
    name: str
    source: str
    started_at: str
    ended_at: str | None
    state: State
    verdict: VerdictMessage | None
    """The newest reading, while the service still remembers it."""
    alert: AlertMessage | None
    """The alert that stands now; null if none."""


class SnapshotMessage(Message):
    """All calls that run or ended lately, and the place in the stream of events from which to go on."""

    seq: int
    sessions: list[SessionMessage]


class TimelineMessage(Message):
    """The readings of one call so far, oldest first, at most the last half hour."""

    session: str
    readings: list[VerdictMessage]


class AboutMessage(Message):
    """What a page must know before it starts."""

    version: str
    ice_servers: list[str]
    models: dict[str, str]
    device: str
    threshold_nat: float
    keep_faces_days: float
    """How long the faces of alerts are kept on disk [days]; 0: never written."""
    keep_audio: bool
    """Whether the alerted seconds of sound are kept as well."""
    signing_key: str
    """Fingerprint of the key that case files are signed with."""


class ErrorMessage(Message):
    """The body of every refusal."""

    error: str
    """What was got, what is allowed, what to do."""


StoredMessage = Annotated[
    SessionStartedMessage
    | SessionEndedMessage
    | AlertMessage
    | LabelMessage
    | FaceExplanationMessage
    | VoiceExplanationMessage
    | CaseActionMessage
    | StakeMessage
    | EvidenceMessage
    | EvidenceDeletedMessage
    | side.CheckMessage,
    Field(discriminator="type"),
]
ServerMessage = Annotated[HelloMessage | StoredMessage | VerdictMessage, Field(discriminator="type")]
STORED: TypeAdapter[StoredMessage] = TypeAdapter(StoredMessage)
SERVER: TypeAdapter[ServerMessage] = TypeAdapter(ServerMessage)


def json_schema() -> dict[str, object]:
    """Return one JSON schema that names every message, for the page's generated types."""
    from stream.api.clip_messages import ClipMessage  # built of messages of this module

    later = (ClipMessage,)
    plain = (
        *(SnapshotMessage, TimelineMessage, AboutMessage, PromiseMessage, LabelRequest, ErrorMessage),
        *(CasePageMessage, CaseDetailMessage, DeedRequest, StakeRequest, StatisticsMessage, DriftMessage),
        *(MeMessage, TokenRequest, NewTokenMessage, InviteRequest, NewInviteMessage, JoinMessage, AuditMessage),
        *(WebhookRequest, NewWebhookMessage, WebhookTestMessage, DeadLetterMessage, DeleteRequest),
        *(Pack, *later),
        *people.MESSAGES,
        *side.MESSAGES,
    )
    adapters: list[TypeAdapter[Any]] = [SERVER, *(TypeAdapter(message) for message in plain)]
    _, schema = TypeAdapter.json_schemas([(i, "serialization", a) for i, a in enumerate(adapters)])
    return {"title": "Kua", "$defs": schema["$defs"]}
