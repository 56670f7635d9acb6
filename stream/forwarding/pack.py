"""Content packs: what is said of forwarding, with who says so, since when, and what nobody has checked."""

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from stream.api.message import Message
from stream.errors import KuaError

FOLDER = Path(__file__).parent
Language = Literal["kk", "ru", "en"]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$")]


class Sureness(StrEnum):
    """How sure a statement is."""

    VERIFIED = "verified"
    """Compared with the text of the law."""
    REPORTED = "reported"
    """So say the sources."""
    DISPUTED = "disputed"
    """Sources contradict each other."""
    ADVICE = "advice"
    """No law: what to do."""


class Source(Message):
    """Who says so."""

    title: str
    url: Annotated[str, Field(pattern=r"^https://")]


class Statement(Message):
    """One thing that is said."""

    id: str
    status: Sureness
    as_of: Day
    sources: list[Source] = Field(min_length=1)
    text: dict[Language, str]


class Pack(Message):
    """All that is said of one country."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    version: Day
    reviewed_by: str
    """A lawyer's name; empty: nobody's yet."""
    text_checked: bool
    """Whether it was compared with the texts of the laws."""
    note: dict[Language, str]
    statements: list[Statement] = Field(min_length=1)


@cache
def countries() -> tuple[str, ...]:
    """Return the countries that there are packs of."""
    return tuple(sorted(path.stem.upper() for path in FOLDER.glob("*.json")))


@cache
def load(country: str) -> Pack:
    """Return the pack of a country, by its ISO 3166 code.

    Raises:
        KuaError: There is none.
    """
    if country.upper() not in countries():
        raise KuaError(f"nothing is known of {country[:10]!r}; known: {', '.join(countries())}")
    return Pack.model_validate_json((FOLDER / f"{country.lower()}.json").read_bytes(), strict=False)
