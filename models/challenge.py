"""What the other side can be asked to do, and what came of it: the vocabulary of active checks, and the draw. Pure.

Each challenge has a random part that no recording can know, a time limit, and another one in its place for who cannot
do it. Nobody is asked for more than three movements or four sounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from random import Random

from models import light_plan
from models.light_plan import LightPlan
from models.window import Signal


class ChallengeKind(StrEnum):
    """What is asked."""

    TURN = "turn"
    """Turn the head to the sides, in a drawn order."""
    LOOK = "look"
    """Look up and down, in a drawn order."""
    COVER = "cover"
    """Pass a hand slowly before the face, a drawn number of times."""
    CLOSER = "closer"
    """Come close and lean back, in a drawn order."""
    LAMP = "lamp"
    """Switch a lamp or a torch on and off again, a drawn number of times: the face stands in other light."""
    CODE = "code"
    """Say drawn digits with the mouth in view."""
    HUM = "hum"
    """Hum a tone that glides, up or down as drawn."""
    WHISPER = "whisper"
    """Whisper drawn digits."""
    CLAP = "clap"
    """Clap a drawn number of times."""
    LIGHT = "light"
    """Look into a screen that shows drawn colours: for calls that come by our own link, whose page shows them."""


class Step(StrEnum):
    """One part of what is asked."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"
    HAND = "hand"
    NEAR = "near"
    FAR = "far"
    LAMP = "lamp"
    GLIDE_UP = "glide_up"
    GLIDE_DOWN = "glide_down"
    CLAP = "clap"
    DIGIT = "digit"


class Outcome(StrEnum):
    """What came of a challenge."""

    FOLLOWED = "followed"
    """It was done as drawn, and nothing broke."""
    BROKEN = "broken"
    """While it was done something broke as it does in a forgery: the face became another, was painted over the hand."""
    NOT_FOLLOWED = "not_followed"
    """It was not done, or otherwise than drawn. That is said, and is no sign of a forgery by itself."""
    UNSEEN = "unseen"
    """There was no face, or no sound, to judge it by."""


MODALITY: Mapping[ChallengeKind, Signal] = {
    ChallengeKind.TURN: Signal.FACE,
    ChallengeKind.LOOK: Signal.FACE,
    ChallengeKind.COVER: Signal.FACE,
    ChallengeKind.CLOSER: Signal.FACE,
    ChallengeKind.LAMP: Signal.FACE,
    ChallengeKind.CODE: Signal.VOICE,
    ChallengeKind.HUM: Signal.VOICE,
    ChallengeKind.WHISPER: Signal.VOICE,
    ChallengeKind.CLAP: Signal.VOICE,
    ChallengeKind.LIGHT: Signal.FACE,
}
"""By what it is judged."""

INSTEAD: Mapping[ChallengeKind, ChallengeKind] = {
    ChallengeKind.TURN: ChallengeKind.CODE,
    ChallengeKind.LOOK: ChallengeKind.CLOSER,
    ChallengeKind.COVER: ChallengeKind.CLOSER,
    ChallengeKind.CLOSER: ChallengeKind.LOOK,
    ChallengeKind.LAMP: ChallengeKind.CLOSER,
    ChallengeKind.CODE: ChallengeKind.TURN,
    ChallengeKind.HUM: ChallengeKind.CLAP,
    ChallengeKind.WHISPER: ChallengeKind.HUM,
    ChallengeKind.CLAP: ChallengeKind.CODE,
    ChallengeKind.LIGHT: ChallengeKind.CODE,
}
"""For who cannot: of the other sense where a whole sense may be missing, else the gentler movement or sound."""

SECONDS = 10.0
"""From the request to the end of what is judged [s]."""
LAMP_SECONDS = 12.0
"""Of the same for a lamp, which must be reached first [s]."""
LIGHT_LATE_S = 2.0
"""Colours are waited for so long beyond their time: what comes later is left out [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge as it was drawn."""

    kind: ChallengeKind
    steps: tuple[Step, ...]
    """In their order."""
    code: str = ""
    """Digits to say; of light, the colours by their index."""
    seconds: float = SECONDS


def draw(kind: ChallengeKind, rng: Random) -> Challenge:
    """Draw the random part of a challenge.

    Args:
        kind: What is asked.
        rng: `random.SystemRandom` when it counts.
    """
    if kind in (ChallengeKind.CODE, ChallengeKind.WHISPER):
        code = "".join(str(digit) for digit in rng.sample(range(10), 4))
        return Challenge(kind=kind, steps=(Step.DIGIT,) * len(code), code=code)
    if kind is ChallengeKind.LIGHT:
        code = "".join(map(str, LightPlan.draw(rng).colours))
        return Challenge(kind=kind, steps=(), code=code, seconds=light_plan.SECONDS + LIGHT_LATE_S)
    seconds = LAMP_SECONDS if kind is ChallengeKind.LAMP else SECONDS
    return Challenge(kind=kind, steps=rng.choice(_PATTERNS[kind]), seconds=seconds)


_PATTERNS: Mapping[ChallengeKind, tuple[tuple[Step, ...], ...]] = {
    # Pictures of oneself are often mirrored, and people mistake their sides: what counts is whether a side comes back.
    ChallengeKind.TURN: tuple(product((Step.LEFT, Step.RIGHT), repeat=3)),
    ChallengeKind.LOOK: ((Step.UP, Step.DOWN), (Step.DOWN, Step.UP), (Step.UP, Step.UP), (Step.DOWN, Step.DOWN)),
    ChallengeKind.COVER: ((Step.HAND,), (Step.HAND, Step.HAND)),
    ChallengeKind.CLOSER: ((Step.NEAR, Step.FAR), (Step.FAR, Step.NEAR), (Step.NEAR,), (Step.FAR,)),
    # As of turns, sides count up to which is called left: five answers that can be told apart.
    ChallengeKind.LAMP: ((Step.LAMP,), (Step.LAMP,) * 2, (Step.LAMP,) * 3),
    ChallengeKind.HUM: (
        (Step.GLIDE_UP, Step.GLIDE_DOWN),
        (Step.GLIDE_DOWN, Step.GLIDE_UP),
        (Step.GLIDE_UP, Step.GLIDE_UP),
        (Step.GLIDE_DOWN, Step.GLIDE_DOWN),
    ),
    ChallengeKind.CLAP: ((Step.CLAP,) * 2, (Step.CLAP,) * 3, (Step.CLAP,) * 4),
}
