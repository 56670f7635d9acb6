"""Calls in which the speaker or the face stays or changes, put together from what clips are like, and what drift says.

A piece that holds the end of one person and the start of the next, as real sound has, is not among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import numpy as np

from models.calibration import Calibration
from models.drift import Drift, Piece
from models.training.identity_voices import Voice
from models.window import WINDOW_S

CLIP_S = WINDOW_S
"""What is read of each clip [s]."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """Pieces as a call would give them."""

    source: str
    people: frozenset[str]
    pieces: tuple[Piece, ...]
    changed_at_s: float | None
    """When another person comes [s]; None where nobody does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What drift said of a call."""

    is_changed: bool
    found: int
    """Changes that were told."""
    off_s: float | None
    """From the change to where the first was told to be [s]."""
    delay_s: float | None
    """From the change to when it was told [s]."""
    seconds: float


def voice_calls(voices: Sequence[Voice], channel: str) -> list[Call]:
    """Return a call for each speaker with two recordings on a page, and one that another speaker of it takes over.

    Two recordings go before, up to three of the other speaker, the next one by name, after.
    """
    calls = []
    for source in sorted({voice.clip.source for voice in voices}):
        people: dict[str, list[Voice]] = {}
        for voice in voices:
            if voice.clip.source == source and voice.channel == channel and not voice.clip.is_clone and voice.pieces:
                people.setdefault(voice.clip.speaker, []).append(voice)
        names = sorted(name for name, own in people.items() if len(own) >= 2)
        for n, name in enumerate(names):
            own, other = people[name], names[(n + 1) % len(names)]
            calls.append(_call(source, [voice.pieces for voice in own], frozenset({name}), None))
            if other != name:
                both = [voice.pieces for voice in (*own[:2], *people[other][:3])]
                calls.append(_call(source, both, frozenset({name, other}), 2 * CLIP_S))
    return calls


def watch(call: Call, calibration: Calibration, newest_s: float) -> Watched:
    """Let drift follow a call."""
    drift = Drift(calibration, newest_s)
    for piece in call.pieces:
        drift.push(piece)
    first = drift.changes[0] if drift.changes else None
    return Watched(
        is_changed=call.changed_at_s is not None,
        found=len(drift.changes),
        off_s=first.changed_at_s - call.changed_at_s if first and call.changed_at_s is not None else None,
        delay_s=first.found_at_s - call.changed_at_s if first and call.changed_at_s is not None else None,
        seconds=sum(piece.new_s for piece in call.pieces),
    )


def figures(watched: Sequence[Watched]) -> dict[str, Any]:
    """Return how often changes were found, how far off and how late, and how often there was none."""
    changed = [one for one in watched if one.is_changed]
    steady = [one for one in watched if not one.is_changed]
    off = [abs(one.off_s) for one in changed if one.off_s is not None]
    delays = [one.delay_s for one in changed if one.delay_s is not None]
    return {
        "changed_calls": len(changed),
        "found": round(float(np.mean([one.found > 0 for one in changed])), 3) if changed else None,
        "off_s_median": round(float(np.median(off)), 2) if off else None,
        "off_s_90": round(float(np.quantile(off, 0.9)), 2) if off else None,
        "delay_s_median": round(float(np.median(delays)), 2) if delays else None,
        "steady_calls": len(steady),
        "steady_called_changed": round(float(np.mean([one.found > 0 for one in steady])), 3) if steady else None,
        "steady_s": round(sum(one.seconds for one in steady), 1),
    }


def _call(source: str, parts: Sequence[Sequence[Piece]], people: frozenset[str], changed_at_s: float | None) -> Call:
    starts = accumulate([0.0] + [CLIP_S] * (len(parts) - 1))
    moved = [
        replace(piece, start_s=piece.start_s + start_s, end_s=piece.end_s + start_s)
        for start_s, part in zip(starts, parts, strict=True)
        for piece in part
    ]
    return Call(source=source, people=people, pieces=tuple(moved), changed_at_s=changed_at_s)
