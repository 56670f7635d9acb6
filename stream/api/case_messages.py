"""What is said of the cases of the fraud desk: one for each alert."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from models.window import Signal
from stream.api.message import Message
from stream.api.promise_messages import AlertLabel

Note = Annotated[str, Field(max_length=4000)]
Person = Annotated[str, Field(max_length=100)]


class CaseStatus(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    CONFIRMED_FRAUD = "confirmed_fraud"
    FALSE_ALARM = "false_alarm"
    INCONCLUSIVE = "inconclusive"


VERDICTS = {
    AlertLabel.SPOOF: CaseStatus.CONFIRMED_FRAUD,
    AlertLabel.FALSE_ALERT: CaseStatus.FALSE_ALARM,
    AlertLabel.UNCLEAR: CaseStatus.INCONCLUSIVE,
}
"""What a label makes of a case."""


class Deed(StrEnum):
    """What a person did with a case, beside deciding it."""

    CLAIMED = "claimed"
    RELEASED = "released"
    ASSIGNED = "assigned"
    HANDED_OVER = "handed_over"
    NOTE = "note"
    REOPENED = "reopened"


class DeedRequest(Message):
    """What a person does with a case."""

    deed: Deed
    to: Person = ""
    """Whom it is assigned to."""
    note: Note = ""


class CaseActionMessage(Message):
    """A person did something with a case."""

    type: Literal["case_action"] = "case_action"
    seq: int
    session: str
    alert: str
    at: str
    deed: Deed
    by: str
    to: str
    note: str


class StakeRequest(Message):
    """What may be lost in a call."""

    amount: Annotated[float | None, Field(ge=0, le=1e15, allow_inf_nan=False)] = None
    currency: Annotated[str, Field(pattern=r"^([A-Z]{3})?$")] = ""
    reference: Annotated[str, Field(max_length=200)] = ""


class StakeMessage(Message):
    """The integrator said what may be lost in a call; the newest counts."""

    type: Literal["stake"] = "stake"
    seq: int
    session: str
    at: str
    by: str
    amount: float | None
    currency: str
    reference: str


class EvidenceKind(StrEnum):
    """What is kept of an alert."""

    FACE = "face"
    """The crop that was explained."""
    AUDIO = "audio"
    """The alerted seconds of sound."""
    TIMELINE = "timeline"
    """The readings of the call."""


class EvidenceMessage(Message):
    """Evidence of an alert was kept; its hash stands in the chain."""

    type: Literal["evidence"] = "evidence"
    seq: int
    session: str
    alert: str
    at: str
    id: str
    kind: EvidenceKind
    media_type: str
    sha256: str
    start_s: float | None
    end_s: float | None


class EvidenceDeletedMessage(Message):
    """All evidence of a call was deleted: this tombstone stays in the chain."""

    type: Literal["evidence_deleted"] = "evidence_deleted"
    seq: int
    session: str
    at: str
    by: str
    cause: str
    """`retention`, or why a person asked for it."""
    sha256: list[str]
    """Of what is gone."""


class CaseMessage(Message):
    """One case in the queue."""

    alert: str
    session: str
    name: str
    source: str
    raised_at: str
    since_s: float
    cleared_at: str | None
    ended_at: str | None
    """When the call ended; null while it runs."""
    is_telephone: bool
    signals: list[Signal]
    """Those that carry the alert, strongest first."""
    evidence_nat: float
    threshold_nat: float
    call_s: float
    face_s: float
    speech_s: float
    amount: float | None
    currency: str
    reference: str
    urgency: float
    """Evidence x time left x amount at risk; only the order means anything."""
    status: CaseStatus
    assignee: str
    is_handed_over: bool
    reason: str
    decided_by: str
    notes: int
    seq: int
    """Its newest event."""


class CasePageMessage(Message):
    """A page of the queue."""

    total: int
    seq: int
    """Newest event that it accounts for."""
    cases: list[CaseMessage]


class EvidenceItemMessage(Message):
    """A piece of evidence that is kept."""

    id: str
    kind: EvidenceKind
    media_type: str
    sha256: str
    start_s: float | None
    end_s: float | None
    keep_until: str
    """When it is deleted by itself."""


class CaseDetailMessage(Message):
    """One case with what is kept of it."""

    case: CaseMessage
    evidence: list[EvidenceItemMessage]
    chain: str
    """The newest link of its call's chain."""
    may_see_evidence: bool


class DayMessage(Message):
    """What came of one day, UTC."""

    day: str
    alerts: int
    confirmed: int
    false_alarms: int
    inconclusive: int
    undecided: int
    call_hours: float
    face_share: float | None
    """Of the call-hours, those in which a face was judged, 0..1; null without calls."""
    speech_share: float | None


class StatisticsMessage(Message):
    """How the desk does."""

    days: list[DayMessage]
    open: int
    in_review: int
    confirmed_share: float | None
    """Of the decided alerts, those confirmed, 0..1; null if none."""
    median_triage_s: float | None
    """From an alert to the first action of a person [s]; null if there was none."""
    p90_triage_s: float | None


class WeekMessage(Message):
    """Scores of the calls of one week that nobody found to be forged: quantiles of the calls' mean llr [nat]."""

    week: str
    """Its Monday."""
    signal: Signal
    is_telephone: bool
    calls: int
    low: float
    """10 % of the calls are below."""
    median: float
    high: float
    """10 % of the calls are above."""


class DriftMessage(Message):
    """How scores of genuine calls move from week to week."""

    weeks: list[WeekMessage]
