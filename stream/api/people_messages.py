"""What is said of people who are known: their safe words, what they are like, and who of a call is compared with it."""

from typing import Annotated

from pydantic import Field

from stream.api.message import Message
from stream.checks.asks import Knows


class PersonRequest(Message):
    """Somebody to know."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    number: Annotated[str, Field(pattern=r"^[+0-9 ()-]{0,40}$")] = ""
    """To call back on."""
    safe_word: Annotated[str, Field(max_length=400)] = ""
    """Agreed on with that person; of it only a slow salted hash is kept. Empty: none."""
    customer: Annotated[str, Field(max_length=100)] = ""
    """What the organisation calls a customer, who is then known to all of it. Empty: the asker's own."""


class ReferenceMessage(Message):
    """What is kept of how a person looks and sounds, without what it says: only a passphrase opens it."""

    voice_s: float
    """Speech that it was taken from [s]; 0: the voice is not known."""
    face_s: float
    """Face that it was taken from [s]; 0: the face is not known."""
    consent: str
    """Version of the text that was agreed to."""
    created_at: str


class PersonMessage(Message):
    """Somebody who is known."""

    id: str
    name: str
    number: str
    has_safe_word: bool
    customer: str
    reference: ReferenceMessage | None
    """Null: the person was not enrolled."""
    created_at: str


class SafeWordRequest(Message):
    """What the other side answered."""

    word: Annotated[str, Field(min_length=1, max_length=400)]


class SafeWordMessage(Message):
    """Whether it was the word that was agreed on."""

    matches: bool


class CompareRequest(Message):
    """Whom the caller is to be compared with."""

    person: str
    passphrase: Annotated[str, Field(max_length=400)]
    """That the person was enrolled with."""


class FaceRequest(Message):
    """Which face of the picture is the other side's."""

    track: int | None
    """Null: the largest that moves."""


class AskRequest(Message):
    """A question to somebody who knows the caller."""

    about: Annotated[str, Field(min_length=1, max_length=100)]
    """Who the caller says they are."""
    by: Annotated[str, Field(max_length=100)] = ""
    """Who asks."""


class NewAskMessage(Message):
    """A question whose link was made just now."""

    id: str
    path: str
    """Of the page that the link opens; told this once."""


class AskMessage(Message):
    """What was answered so far."""

    answer: Knows | None
    """Null: nothing yet."""
    note: str


class QuestionMessage(Message):
    """What a link asks."""

    about: str
    by: str
    is_answered: bool


class AnswerRequest(Message):
    """What somebody who knows the caller says."""

    answer: Knows
    note: Annotated[str, Field(max_length=300)] = ""


MESSAGES = (
    *(PersonMessage, PersonRequest, SafeWordRequest, SafeWordMessage, CompareRequest, FaceRequest),
    *(AskRequest, NewAskMessage, AskMessage, QuestionMessage, AnswerRequest),
)
