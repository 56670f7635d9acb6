"""What is said of the other side of a running call: its faces, whom it is like, and what it was asked to do."""

from typing import Literal

from models.challenge import ChallengeKind, Outcome, Step
from models.drift import Identity
from models.traits import Trait
from models.window import Reason
from stream.api.message import Message
from stream.events import Likeness


class ResemblanceMessage(Message):
    """How the caller's voice or face compares with that of the person who was enrolled."""

    identity: Identity
    likeness: Likeness
    llr: float | None
    """Of one person against two, up = one [nat]; null where it cannot be said."""
    reason: Reason | None
    """Why `llr` is null."""
    caller_s: float
    """Speech or face of the call that it rests on [s]."""


class FacePlaceMessage(Message):
    """Where a face is in the newest picture, for a person to choose from."""

    track: int
    box: list[float]
    """Left, top, width, height, as shares of the picture's width and height."""
    is_still: bool
    """Whether it looks like a picture that does not move."""
    is_chosen: bool
    """Whether it is the one that is judged."""


class CheckRequest(Message):
    """What to ask of the other side."""

    kind: ChallengeKind | None = None
    """Null: what is worth most now."""


class AskedMessage(Message):
    """A check that was begun."""

    id: str
    kind: ChallengeKind
    steps: list[Step]
    """What to do, in this order."""
    code: str
    """Digits to say."""
    asked_s: float
    """Session time [s]."""
    seconds: float
    """Until it is judged [s]."""
    instead: ChallengeKind
    """For who cannot do it."""


class ProposedMessage(Message):
    """Which checks are worth most now, and the one that runs."""

    proposed: list[ChallengeKind]
    """The best first."""
    running: AskedMessage | None


class TraitMessage(Message):
    """One trait of how a call's media were made."""

    trait: Trait
    value: float
    """In the unit of the trait; larger is odder."""
    p: float | None
    """Share of bona fide calls that are as odd; null where there are none to compare with."""
    is_unusual: bool
    """Whether it is rare enough to be put into words."""


class CheckMessage(Message):
    """What came of a check."""

    type: Literal["check"] = "check"
    seq: int
    session: str
    at: str
    """UTC, ISO 8601."""
    by: str = ""
    """Who asked for it."""
    id: str
    kind: ChallengeKind
    steps: list[Step]
    """What was asked, in this order."""
    code: str
    asked_s: float
    outcome: Outcome
    seen: list[str]
    """What was seen or heard, in order."""
    latency_s: float | None
    """From the request to the first of it [s]."""
    start_s: float | None
    """Of the seconds that it rests on, session time [s]; null if nothing was seen."""
    end_s: float | None
    llr: float
    """Up = bona fide; 0 where it says nothing [nat]."""
    before_nat: float
    """The call's evidence before it counted [nat]."""
    after_nat: float


MESSAGES = (CheckRequest, AskedMessage, ProposedMessage)
