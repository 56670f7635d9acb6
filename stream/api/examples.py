"""Examples in the OpenAPI description, for every message and parameter, made from one table of likely values. Pure."""

import types
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from stream.api.message import Message

AT = "2026-11-26T10:00:00+00:00"
VALUES: dict[str, Any] = {
    **dict.fromkeys(("session", "session_id"), "cyph-0h-c8BS"),
    "alert": "aVzKVzK9_N8T",
    **dict.fromkeys(("at", "raised_at", "started_at", "created_at", "made_at", "keep_until"), AT),
    **dict.fromkeys(("expires_at", "ended_at", "cleared_at", "used_at", "since", "until"), AT),
    **dict.fromkeys(("revoked_at", "reason", "verdict", "track", "long_s", "long_llr"), None),
    "name": "Olga, +7 701 000 00 00",
    **dict.fromkeys(("by", "assignee", "decided_by", "created_by", "to"), "Aru"),
    "amount": 2_500_000.0,
    "currency": "KZT",
    **dict.fromkeys(("word", "safe_word"), "Blue elephant"),
    "about": "Erlan",
    "country": "KZ",
    "version": "2026-11-27",
    "as_of": "2025-10-22",
    "url": "https://fraud.bank.example/kua",
    "number": "+7 701 000 00 00",
    "reference": "K-17",
    **dict.fromkeys(("customer", "passphrase", "Kua-Passphrase", "consent"), "2026-11"),
    **dict.fromkeys(("note", "cause"), "The son is at home: we called him back."),
    "evidence_nat": 5.2,
    **dict.fromkeys(("threshold_nat", "upper_nat"), 4.6),
    **dict.fromkeys(("llr", "low", "median"), -1.3),
    **dict.fromkeys(("time_s", "since_s", "start_s"), 14.5),
    **dict.fromkeys(("end_s", "call_s", "face_s", "speech_s", "analysed_s"), 18.5),
    **dict.fromkeys(("share", "face_share", "speech_share", "confirmed_share"), 0.6),
    "id": "3f2a9c417b60d5e8",
    **dict.fromkeys(("sha256", "chain"), "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
    "secret": "kua_3f2a9c417b60_...",
    "path": "/join#kin_3f2a9c417b60_...",
    **dict.fromkeys(("day", "week"), "2026-11-23"),
    "media_type": "image/jpeg",
    "org": "default",
    **dict.fromkeys(("model", "decision", "token"), "e7a1c09b3d52"),
    "types": ["alert.raised", "alert.cleared"],
    "energy_db": [[-12, 0]],
    "spoof_percent": [[0, 80]],
    "signing_key": "0123 4567 89ab cdef 0123 4567 89ab cdef",
    **dict.fromkeys(("seq", "after"), 41),
    **dict.fromkeys(("total", "limit"), 100),
    "error": "alert 'nothing' is not known",
    "advice": "verify_identity",
    **dict.fromkeys(("status", "q", "handed_over", "before", "offset", "last-event-id"), None),
}
_PLAIN: dict[Any, Any] = {str: "", int: 1, float: 1.0, bool: False}


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """Return an example of a message that it accepts, as JSON has it."""
    return {name: _value(name, field.annotation) for name, field in model.model_fields.items()}


def with_examples(schema: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI description with an example of every message and of every parameter that needs one."""
    known = {message.__name__: message for message in messages()}
    for name, part in schema.get("components", {}).get("schemas", {}).items():
        if name in known:
            part["examples"] = [example_of(known[name])]
    for path in schema.get("paths", {}).values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                value = VALUES.get(parameter["name"])
                if value is not None and parameter["name"] != "id":
                    parameter["example"] = value
    return schema


def messages(kind: type[Message] = Message) -> list[type[Message]]:
    """Return every kind of message."""
    return [found for child in kind.__subclasses__() for found in (child, *messages(child))]


def _value(name: str, kind: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _value(name, arguments[0])
    if origin is Literal:
        return arguments[0]
    if origin in (Union, types.UnionType):
        if name in VALUES and VALUES[name] is None and type(None) in arguments:
            return None
        return _value(name, next(part for part in arguments if part is not type(None)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind)).value
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return example_of(kind)
    if origin in (dict, Mapping):
        return {}
    given = VALUES.get(name)
    if origin is list:
        return given if isinstance(given, list) else [_value(name, arguments[0])]
    return given if isinstance(given, kind) else _PLAIN.get(kind)
