"""From what was seen and heard of a challenge to its outcome and its llr. Pure, but for the identity network.

The llr is that of an outcome in the laboratory: how often bona fide people had it against how often attackers did
(`models.training.challenge_fit`). Not to do what is asked counts nothing: people refuse, mishear and cannot.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models import challenge_face, challenge_voice, light_check, light_plan
from models.challenge import Challenge, ChallengeKind, Outcome
from models.challenge_face import FaceSeen
from models.challenge_voice import VoiceHeard
from models.checkpoint import CHECKPOINTS, CheckpointError
from models.drift import mean_of
from models.identity import IdentityModel
from models.light_check import Tint
from models.light_plan import LightPlan
from models.window import FaceCrop

CHECKPOINT = "challenge"

SYLLABLES: Mapping[str, tuple[int, ...]] = {
    "en": (2, 1, 1, 1, 1, 1, 1, 2, 1, 1),
    "ru": (1, 2, 1, 1, 3, 1, 1, 1, 2, 2),
    "kk": (1, 1, 2, 1, 1, 1, 2, 2, 2, 2),
}
"""Of the digits 0 to 9 as they are said."""
SYLLABLE_SLACK = 2
"""Counted syllables may be wrong by so many."""
SEEN_NAT = 1.0
"""From here on the light was seen [nat]; a forgery may be lit by it too."""
MAX_LATENCY_S = 4.0
"""A reaction that comes later was not one to the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeScores:
    """What was found in the laboratory."""

    max_jump: Mapping[ChallengeKind, float]
    """Of a face's pose while it does what is asked; beyond it a tracker let go."""
    llrs: Mapping[ChallengeKind, Mapping[Outcome, float]]
    """Of an outcome, up = bona fide [nat]."""
    information: Mapping[ChallengeKind, float] = field(default_factory=dict)
    """What each kind is expected to tell of who is there [nat]."""
    broken: Mapping[ChallengeKind, tuple[float, float]] = field(default_factory=dict)
    """How often something broke: of bona fide people and of attackers."""


NO_SCORES = ChallengeScores(max_jump={}, llrs={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is said of a challenge."""

    outcome: Outcome
    llr: float
    """0 where it says nothing [nat]."""
    latency_s: float | None
    span_s: tuple[float, float] | None
    """Seconds of evidence, session time."""
    steps: tuple[str, ...]
    """What was seen or heard, in order."""


def judge_face(challenge: Challenge, seen: FaceSeen | None, scores: ChallengeScores) -> Judgement:
    """Say what came of a challenge that is judged by the face."""
    if seen is None:
        return _said(challenge, Outcome.UNSEEN, scores, None, None, ())
    is_done = challenge_face.is_as_drawn(challenge, seen.steps) and (seen.latency_s or 0.0) <= MAX_LATENCY_S
    limit = scores.max_jump.get(challenge.kind)
    is_broken = bool(seen.steps) and limit is not None and seen.jump > limit
    outcome = Outcome.BROKEN if is_broken else Outcome.FOLLOWED if is_done else Outcome.NOT_FOLLOWED
    return _said(challenge, outcome, scores, seen.latency_s, seen.span_s, seen.steps)


def judge_voice(challenge: Challenge, heard: VoiceHeard | None, scores: ChallengeScores) -> Judgement:
    """Say what came of a challenge that is judged by the voice."""
    if heard is None:
        return _said(challenge, Outcome.UNSEEN, scores, None, None, ())
    is_done = challenge_voice.is_as_drawn(challenge, heard, syllables_of(challenge))
    is_done = is_done and (heard.latency_s or 0.0) <= MAX_LATENCY_S
    # What a converter makes of a whisper: there is an answer in time, and it has a pitch.
    is_broken = (
        challenge.kind is ChallengeKind.WHISPER
        and bool(heard.steps)
        and heard.voiced_share > challenge_voice.WHISPER_VOICED
    )
    outcome = Outcome.FOLLOWED if is_done else Outcome.BROKEN if is_broken else Outcome.NOT_FOLLOWED
    return _said(challenge, outcome, scores, heard.latency_s, heard.span_s, heard.steps)


def judge_light(challenge: Challenge, tints: Sequence[Tint], asked_s: float) -> Judgement:
    """Say whether the light that was shown fell on the face. If not: daylight, a face too far away, or a forgery."""
    reading = light_check.read(LightPlan(colours=tuple(map(int, challenge.code))), tints, asked_s)
    if reading is None:
        return _said(challenge, Outcome.UNSEEN, NO_SCORES, None, None, ())
    if reading.llr < SEEN_NAT:
        return _said(challenge, Outcome.NOT_FOLLOWED, NO_SCORES, None, None, ())
    start_s = asked_s + reading.latency_s
    span_s = start_s, start_s + light_plan.SECONDS
    return _said(challenge, Outcome.FOLLOWED, NO_SCORES, reading.latency_s, span_s, ())


def syllables_of(challenge: Challenge) -> tuple[int, int]:
    """Return the fewest and most syllables that a code has in the languages that may be spoken, with some slack."""
    counts = [sum(table[int(digit)] for digit in challenge.code) for table in SYLLABLES.values()]
    return max(min(counts) - SYLLABLE_SLACK, 2), max(counts) + SYLLABLE_SLACK


def identity_drop(model: IdentityModel, before: Sequence[FaceCrop], during: Sequence[FaceCrop]) -> float | None:
    """Return by how much the face was less like itself during a challenge than before it, at the worst second.

    Cosines of `models.identity`'s embeddings; None where too little of the face could be compared.
    """
    rest, pieces = model.face(before), model.face(during)
    if len(rest) < 2 or not pieces:
        return None
    usual = float(mean_of(rest[:-1]).dot(rest[-1].vector))
    return usual - min(float(mean_of(rest).dot(piece.vector)) for piece in pieces)


def load_scores(folder: Path = CHECKPOINTS) -> ChallengeScores:
    """Read `challenge.json`.

    Raises:
        CheckpointError: It is missing or damaged.
    """
    path = folder / f"{CHECKPOINT}.json"
    try:
        fields = json.loads(path.read_text())
        return ChallengeScores(
            max_jump={ChallengeKind(kind): float(limit) for kind, limit in fields["max_jump"].items()},
            llrs={
                ChallengeKind(kind): {Outcome(name): float(llr) for name, llr in table.items()}
                for kind, table in fields["llrs"].items()
            },
            information={ChallengeKind(kind): float(nat) for kind, nat in fields["information"].items()},
            broken={ChallengeKind(kind): (float(a), float(b)) for kind, (a, b) in fields["broken"].items()},
        )
    except (OSError, ValueError, TypeError, KeyError) as exc:
        raise CheckpointError(f"cannot read the scores of challenges in {path}: {exc}") from exc


def _said(
    challenge: Challenge,
    outcome: Outcome,
    scores: ChallengeScores,
    latency_s: float | None,
    span_s: tuple[float, float] | None,
    steps: Sequence[str],
) -> Judgement:
    llr = scores.llrs.get(challenge.kind, {}).get(outcome, 0.0)
    return Judgement(outcome=outcome, llr=llr, latency_s=latency_s, span_s=span_s, steps=tuple(map(str, steps)))
