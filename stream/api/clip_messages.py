"""What is said of a forwarded clip: facts about the file, and apart from them the estimate of the detector."""

from enum import StrEnum

from pydantic import Field

from models.file_traces import TraceKind
from models.provenance import CredentialsState
from models.window import Reason
from stream.api.message import Message
from stream.api.messages import CoverageMessage, SignalMessage
from stream.events import State


class ClipState(StrEnum):
    """How far the check of a clip is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class CredentialsMessage(Message):
    """What the content credentials (C2PA) of a file say: a fact, as far as they are intact."""

    state: CredentialsState
    signer: str
    generator: str
    """The program that made the claim."""
    signed_at: str
    is_generated: bool
    """Whether they say that a machine made it, or a part of it."""
    actions: list[str]
    problems: list[str]
    """The standard's codes of what does not hold."""

    @property
    def says_generated(self) -> bool:
        """Whether it says so as it was signed."""
        return self.state is CredentialsState.INTACT and self.is_generated


class MarkMessage(Message):
    """A generator's visible mark that was read in the pictures: a fact."""

    generator: str
    pictures: int
    """In which it was read."""
    of: int
    """That were looked at."""
    jumps: bool
    """Whether it was seen in more than one place."""


class TraceMessage(Message):
    """What the container says of how the file was made: a fact, though anybody can write or delete it."""

    kind: TraceKind
    generator: str
    """Whose program it names; empty where it names none."""
    text: str
    """What was read."""


class ClipAnswerMessage(Message):
    """The detector's estimate: the same decision as of a live call."""

    state: State
    reason: Reason | None
    first_alert_s: float | None
    spoof_s: float
    """Seconds during which an alert stood [s]."""
    evidence_nat: float
    threshold_nat: float
    promise_hours: float
    coverage: CoverageMessage
    signals: list[SignalMessage]
    processing_s: float


class ClipMessage(Message):
    """A clip that is checked or was."""

    id: str
    name: str
    state: ClipState
    progress: float = Field(ge=0, le=1)
    """Of what is looked at, 0..1."""
    error: str
    """Why it could not be checked."""
    said: State | None
    """What is said of the whole, facts and estimate together; null until it is done."""
    answer: ClipAnswerMessage | None
    """The estimate alone; null of a single picture."""
    credentials: CredentialsMessage | None
    """Null until they were read."""
    marks: list[MarkMessage]
    """Visible marks of generators, once the pictures were looked at."""
    invisible_mark: str
    """Of which generator an invisible mark was read in the pictures; empty: none that can be read."""
    traces: list[TraceMessage]
    """What the container says of how the file was made."""
    is_still: bool
    """Whether it is a single picture: there are facts about it, and no answer of the detector."""
    duration_s: float | None
    is_truncated: bool
    """Whether the file ends before it says it does."""
    is_cut: bool
    """Whether the file goes on after what was looked at."""
