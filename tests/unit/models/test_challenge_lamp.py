"""How often a lamp is switched is told on rendered people; on others nothing is."""

import random
from dataclasses import replace

import cv2
import numpy as np
import pytest

from models import challenge_face, challenge_lamp, weights
from models.challenge import Challenge, ChallengeKind, Outcome, Step, draw
from models.challenge_score import NO_SCORES, Judgement, judge_face
from models.faces import FaceFinder
from models.preprocess import align_face, face_px, in_crop
from models.training.challenge_people import REST_S, Behaviour, Sitter, idling
from models.training.challenge_scenes import RATE_HZ, Clip, staged
from models.window import CROP_PX, PICTURE_RATE_HZ, FaceCrop, Pixels


@pytest.fixture(scope="module")
def sitter() -> Sitter:
    bgr = cv2.imread(str(weights.ensure("astronaut")))
    assert bgr is not None
    rgb = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    return Sitter.of(rgb, FaceFinder().find(rgb)[0])


@pytest.fixture(scope="module")
def clip(sitter: Sitter) -> Clip:
    """Four seconds of somebody who sways, half as large: quicker to draw."""
    poses = [idling(np.random.default_rng(1))(i / RATE_HZ) for i in range(40)]
    landmarks = np.stack([sitter.landmarks_in(pose) for pose in poses]) / 2
    pictures = [np.asarray(cv2.resize(sitter.filmed(pose), None, fx=0.5, fy=0.5), np.uint8) for pose in poses]
    return Clip(source="rendered", pictures=tuple(pictures), landmarks=landmarks)


def crop(rgb: Pixels, time_s: float, landmarks: np.ndarray) -> FaceCrop:
    return FaceCrop(
        pixels=align_face(rgb, landmarks),
        time_s=time_s,
        track=1,
        landmarks=in_crop(landmarks),
        face_px=face_px(landmarks),
        sharpness=100.0,
    )


def judged(who: Behaviour, clip: Clip, sitter: Sitter, done: Challenge, asked: Challenge | None = None) -> Judgement:
    """Judge somebody who does one thing, and was asked it or another."""
    camera = staged(who, clip, sitter, sitter, done, np.random.default_rng(3))
    times = [i / PICTURE_RATE_HZ for i in range(round((REST_S + done.seconds) * PICTURE_RATE_HZ))]
    crops = [crop(camera(at), at, clip.at(at)[1]) for at in times]
    before, during = ([c for c in crops if (c.time_s < REST_S) is is_before] for is_before in (True, False))
    return judge_face(asked or done, challenge_face.see(asked or done, before, during, REST_S), NO_SCORES)


def lamp(n: int) -> Challenge:
    return replace(draw(ChallengeKind.LAMP, random.Random(1)), steps=(Step.LAMP,) * n)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_lamp_is_counted_under_an_exposure_that_follows(clip: Clip, sitter: Sitter, n: int) -> None:
    found = judged(Behaviour.BONA_FIDE, clip, sitter, lamp(n))
    assert (found.outcome, found.steps) == (Outcome.FOLLOWED, ("lamp",) * n)
    assert judged(Behaviour.BONA_FIDE, clip, sitter, lamp(n), lamp(1 + n % 3)).outcome is Outcome.NOT_FOLLOWED


def test_who_only_talks_switches_nothing(clip: Clip, sitter: Sitter) -> None:
    found = judged(Behaviour.REPLAY, clip, sitter, lamp(2))
    assert (found.outcome, found.steps, found.llr) == (Outcome.NOT_FOLLOWED, (), 0.0)


def brightnesses(levels: list[float]) -> list[FaceCrop]:
    rng = np.random.default_rng(2)
    texture = cv2.GaussianBlur(rng.uniform(40, 160, (CROP_PX, CROP_PX, 3)), (0, 0), 9)
    landmarks = np.zeros((5, 2), np.float32)
    return [
        FaceCrop(
            pixels=np.asarray(np.clip(texture * level + rng.normal(0, 2, texture.shape), 0, 255), np.uint8),
            time_s=i / PICTURE_RATE_HZ,
            track=1,
            landmarks=landmarks,
            face_px=100.0,
            sharpness=100.0,
        )
        for i, level in enumerate(levels)
    ]


@pytest.mark.parametrize(
    ("levels", "n"),
    [
        ([1.3] * 6 + [1.0] * 20, 1),
        ([0.8] * 6 + [1.0] * 20, 1),
        ([1.0] * 10 + [1.3] * 16, 0),  # not switched back
        (np.linspace(1.0, 1.5, 26).tolist(), 0),  # the sun comes out
        ([1.0, 1.3] * 13, 0),  # faster than anybody switches
        ([1.0] * 26, 0),
    ],
)
def test_only_a_sudden_change_that_goes_back_is_a_switch(levels: list[float], n: int) -> None:
    crops = brightnesses([1.0] * 25 + [1.0] * 5 + levels)
    assert len(challenge_lamp.switches(crops[:25], crops[25:], 99.0)) == n


def test_too_few_pictures_show_nothing() -> None:
    crops = brightnesses([1.0] * 8)
    assert challenge_lamp.switches(crops[:3], crops[3:], 99.0) == []
    assert challenge_lamp.switches(crops[:6], crops[6:], 99.0) == []
