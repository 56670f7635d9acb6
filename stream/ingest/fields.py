"""The fields of a stranger's JSON object, checked one by one. Pure; every refusal is a `ValueError` with its text."""

import json
from enum import StrEnum
from typing import Any, NoReturn, TypeVar

E = TypeVar("E", bound=StrEnum)


def parse_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text is.

    Raises:
        ValueError: It is no JSON, no object, or nested too deep.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ValueError(f"got {shorten(text)}, expected JSON") from exc
    if not isinstance(value, dict):
        raise ValueError(f"got {shorten(value)}, expected an object")
    return value


class Fields:
    """The fields of one JSON object. Each is taken once; `end` refuses those that are left.

    Args:
        where: What to call the object in an error.
        fields: Taken over, and emptied.
    """

    def __init__(self, where: str, fields: dict[str, Any]) -> None:
        self._where = where
        self._fields = fields

    def refuse(self, name: str, value: object, expected: str) -> NoReturn:
        raise ValueError(f"{self._where}.{name}: got {shorten(value)}, expected {expected}")

    def integer(self, name: str, least: int, most: int) -> int:
        value = self._fields.pop(name, None)
        if type(value) is not int or not least <= value <= most:
            self.refuse(name, value, f"a whole number from {least} to {most}")
        return value

    def number(self, name: str, least: float) -> float:
        value = self._fields.pop(name, None)
        if type(value) not in (int, float) or not least <= value < 2**53:
            self.refuse(name, value, f"a number of at least {least:g}")
        return float(value)

    def text(self, name: str, most: int) -> str:
        value = self._fields.pop(name, None)
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            self.refuse(name, value, f"at most {most} printable characters")
        return value

    def optional_text(self, name: str, most: int) -> str:
        return self.text(name, most) if name in self._fields else ""

    def optional_integer(self, name: str, least: int, most: int) -> int | None:
        return self.integer(name, least, most) if name in self._fields else None

    def choice(self, name: str, choices: type[E]) -> E:
        value = self._fields.pop(name, None)
        if not isinstance(value, str) or value not in list(choices):
            self.refuse(name, value, " or ".join(choices))
        return choices(value)

    def inner(self, name: str) -> "Fields | None":
        if name not in self._fields:
            return None
        value = self._fields.pop(name)
        if not isinstance(value, dict):
            self.refuse(name, value, "an object")
        return Fields(f"{self._where}.{name}", value)

    def end(self) -> None:
        if self._fields:
            raise ValueError(f"{self._where}: got the unknown field {shorten(next(iter(self._fields)))}")


def shorten(value: object) -> str:
    """Name a stranger's value in a few printable characters; the `repr` of a deep one can exhaust the stack."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
