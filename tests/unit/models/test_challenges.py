"""What a face and a voice do is read in order, and only what was drawn counts; nothing is held against who refuses."""

import random
from collections.abc import Callable

import numpy as np
import pytest

from models import challenge_face, challenge_voice
from models.challenge import INSTEAD, MODALITY, Challenge, ChallengeKind, Outcome, Step, draw
from models.challenge_score import ChallengeScores, judge_face, judge_voice, load_scores, syllables_of
from models.preprocess import TEMPLATE
from models.window import CROP_PX, SAMPLE_RATE_HZ, FaceCrop, Samples

PIXELS = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
ASKED_S, STEP_S = 5.0, 0.2
SCORES = ChallengeScores(max_jump={ChallengeKind.TURN: 8.0}, llrs={})


def crop(time_s: float, *, yaw: float = 0.0, tilt: float = 0.0, px: float = 100.0, mouth: float = 2.0) -> FaceCrop:
    landmarks = TEMPLATE.copy()
    landmarks[2, 1] += tilt * float(TEMPLATE[3, 1] - TEMPLATE[0, 1])
    return FaceCrop(
        pixels=PIXELS,
        time_s=time_s,
        track=1,
        landmarks=landmarks,
        face_px=px,
        sharpness=100.0,
        yaw_deg=yaw,
        mouth=mouth,
    )


def face(
    challenge: Challenge, move: Callable[[float], dict[str, float] | None]
) -> tuple[list[FaceCrop], list[FaceCrop]]:
    """Return the crops of a face that does nothing, and then moves; None: it is not found."""
    before = [crop(i * STEP_S) for i in range(25)]
    during = []
    for i in range(round(challenge.seconds / STEP_S)):
        now = move(i * STEP_S)
        if now is not None:
            during.append(crop(ASKED_S + i * STEP_S, **now))
    return before, during


def bump(time_s: float, start_s: float, seconds: float = 1.4) -> float:
    share = (time_s - start_s) / seconds
    return float(np.sin(np.pi * share)) if 0 <= share <= 1 else 0.0


def judged(challenge: Challenge, move: Callable[[float], dict[str, float] | None]) -> Outcome:
    before, during = face(challenge, move)
    return judge_face(challenge, challenge_face.see(challenge, before, during, ASKED_S), SCORES).outcome


TURN = Challenge(kind=ChallengeKind.TURN, steps=(Step.LEFT, Step.RIGHT, Step.RIGHT))


@pytest.mark.parametrize(
    ("sides", "outcome"),
    [
        ((-30, 30, 30), Outcome.FOLLOWED),
        ((30, -30, -30), Outcome.FOLLOWED),  # a mirrored picture, or somebody who mistakes the sides
        ((-30, 30, -30), Outcome.NOT_FOLLOWED),
        ((-30, 30), Outcome.NOT_FOLLOWED),
        ((-8, 8, 8), Outcome.NOT_FOLLOWED),
        ((), Outcome.NOT_FOLLOWED),
    ],
)
def test_turns_count_by_whether_a_side_comes_back(sides: tuple[float, ...], outcome: Outcome) -> None:
    assert judged(TURN, lambda t: {"yaw": sum(s * bump(t, 1 + 2.2 * i) for i, s in enumerate(sides))}) is outcome


def test_looks_and_distances_are_read_in_their_order() -> None:
    look = Challenge(kind=ChallengeKind.LOOK, steps=(Step.DOWN, Step.UP))
    assert judged(look, lambda t: {"tilt": 0.12 * (bump(t, 1) - bump(t, 4))}) is Outcome.FOLLOWED
    assert judged(look, lambda t: {"tilt": 0.12 * (bump(t, 4) - bump(t, 1))}) is Outcome.NOT_FOLLOWED
    near = Challenge(kind=ChallengeKind.CLOSER, steps=(Step.NEAR,))
    assert judged(near, lambda t: {"px": 100 * (1 + 0.5 * bump(t, 2, 3.0))}) is Outcome.FOLLOWED
    assert judged(near, lambda t: {"px": 100 / (1 + 0.5 * bump(t, 2, 3.0))}) is Outcome.NOT_FOLLOWED


def test_a_hand_that_passes_hides_the_face_or_makes_it_unfound() -> None:
    cover = Challenge(kind=ChallengeKind.COVER, steps=(Step.HAND, Step.HAND))

    def passes(n: int, *, found: bool) -> Callable[[float], dict[str, float] | None]:
        def move(t: float) -> dict[str, float] | None:
            is_behind = any(1 + 3 * i <= t < 1.8 + 3 * i for i in range(n))
            return ({"mouth": 0.8} if found else None) if is_behind else {}

        return move

    for found in (True, False):
        assert judged(cover, passes(2, found=found)) is Outcome.FOLLOWED
        assert judged(cover, passes(1, found=found)) is Outcome.NOT_FOLLOWED
    assert judged(cover, lambda t: None if t > 4 else {}) is Outcome.NOT_FOLLOWED, "who leaves hides nothing"


def test_a_reaction_that_comes_too_late_was_none_and_a_leap_is_a_break() -> None:
    single = Challenge(kind=ChallengeKind.CLOSER, steps=(Step.NEAR,))
    assert judged(single, lambda t: {"px": 100 * (1 + 0.5 * bump(t, 6, 3.0))}) is Outcome.NOT_FOLLOWED
    before, during = face(TURN, lambda t: {"yaw": sum(s * bump(t, 1 + 2.2 * i) for i, s in enumerate((-30, 30, 30)))})
    leaping = [c if i != 12 else crop(c.time_s, yaw=c.yaw_deg, tilt=0.9) for i, c in enumerate(during)]
    seen = challenge_face.see(TURN, before, leaping, ASKED_S)
    assert judge_face(TURN, seen, SCORES).outcome is Outcome.BROKEN


def test_without_a_face_before_nothing_is_judged() -> None:
    _, during = face(TURN, lambda _: {})
    found = judge_face(TURN, challenge_face.see(TURN, [], during, ASKED_S), SCORES)
    assert (found.outcome, found.llr, found.span_s) == (Outcome.UNSEEN, 0.0, None)


def tone(low_hz: float, high_hz: float, seconds: float) -> Samples:
    t = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    phase = np.cumsum(np.linspace(low_hz, high_hz, len(t))) / SAMPLE_RATE_HZ
    return np.asarray(0.1 * sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 6)), np.float32)


def sound(challenge: Challenge, *parts: Samples, at_s: float = 1.0) -> tuple[Samples, Samples]:
    rng = np.random.default_rng(1)
    before = rng.normal(0, 1e-3, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    during = rng.normal(0, 1e-3, round(challenge.seconds * SAMPLE_RATE_HZ)).astype(np.float32)
    made = np.concatenate([np.r_[part, np.zeros(SAMPLE_RATE_HZ // 2, np.float32)] for part in parts])
    start = round(at_s * SAMPLE_RATE_HZ)
    during[start : start + len(made)] += made[: len(during) - start]
    return before, during


def heard(challenge: Challenge, *parts: Samples, at_s: float = 1.0) -> Outcome:
    before, during = sound(challenge, *parts, at_s=at_s)
    return judge_voice(challenge, challenge_voice.hear(challenge, before, during, ASKED_S), SCORES).outcome


def test_a_hum_must_glide_the_way_that_was_drawn() -> None:
    hum = Challenge(kind=ChallengeKind.HUM, steps=(Step.GLIDE_UP, Step.GLIDE_DOWN))
    up, down, level = tone(110, 200, 1.0), tone(200, 110, 1.0), tone(150, 150, 1.0)
    assert heard(hum, up, down) is Outcome.FOLLOWED
    assert heard(hum, down, up) is Outcome.NOT_FOLLOWED
    assert heard(hum, level, level) is Outcome.NOT_FOLLOWED
    assert heard(hum, up, down, at_s=5.0) is Outcome.NOT_FOLLOWED


def test_claps_are_counted_and_a_voice_claps_nothing() -> None:
    clap = Challenge(kind=ChallengeKind.CLAP, steps=(Step.CLAP,) * 3)
    t = np.arange(SAMPLE_RATE_HZ // 10) / SAMPLE_RATE_HZ
    one = np.asarray(np.random.default_rng(2).normal(0, 0.3, len(t)) * np.exp(-t / 0.012), np.float32)
    assert heard(clap, one, one, one) is Outcome.FOLLOWED
    assert heard(clap, one, one) is Outcome.NOT_FOLLOWED
    syllable = tone(150, 150, 0.15)
    assert heard(clap, syllable, syllable, syllable) is Outcome.NOT_FOLLOWED


def test_a_whisper_has_no_pitch_and_one_that_has_was_converted() -> None:
    whisper = Challenge(kind=ChallengeKind.WHISPER, steps=(Step.DIGIT,) * 4, code="1234")
    breath = np.asarray(np.random.default_rng(3).normal(0, 0.02, 2 * SAMPLE_RATE_HZ), np.float32)
    assert heard(whisper, breath) is Outcome.FOLLOWED
    assert heard(whisper, tone(140, 150, 2.0)) is Outcome.BROKEN


def test_what_is_drawn_is_bearable_and_has_another_in_its_place() -> None:
    for kind in ChallengeKind:
        drawn = {draw(kind, random.Random(seed)) for seed in range(200)}
        assert len(drawn) >= 2
        assert all(len(one.steps) <= 4 and one.seconds <= 13 and (one.steps or one.code) for one in drawn)
        assert INSTEAD[kind] is not kind
    assert {MODALITY[INSTEAD[kind]] for kind in (ChallengeKind.TURN, ChallengeKind.CODE)} == set(MODALITY.values())


def test_digits_have_as_many_syllables_as_some_language_gives_them() -> None:
    low, high = syllables_of(Challenge(kind=ChallengeKind.CODE, steps=(), code="4444"))
    assert low <= 4 <= high
    assert high >= 12


def test_neither_refusing_nor_passing_counts_in_what_is_shipped() -> None:
    scores = load_scores()
    for kind in set(ChallengeKind) - {ChallengeKind.LIGHT}:
        llrs = scores.llrs[kind]
        assert llrs.keys() == {Outcome.BROKEN}
        assert -1 <= llrs[Outcome.BROKEN] <= 0
        assert scores.information[kind] >= 0
