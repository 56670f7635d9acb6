"""What is said of people who are known, and of their safe words."""

from typing import Annotated

from pydantic import Field

from stream.api.message import Message


class PersonRequest(Message):
    """Somebody to know."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    number: Annotated[str, Field(pattern=r"^[+0-9 ()-]{0,40}$")] = ""
    """To call back on."""
    safe_word: Annotated[str, Field(max_length=400)] = ""
    """Agreed on with that person; of it only a slow salted hash is kept. Empty: none."""


class PersonMessage(Message):
    """Somebody who is known."""

    id: str
    name: str
    number: str
    has_safe_word: bool
    created_at: str


class SafeWordRequest(Message):
    """What the other side answered."""

    word: Annotated[str, Field(min_length=1, max_length=400)]


class SafeWordMessage(Message):
    """Whether it was the word that was agreed on."""

    matches: bool
