"""Tapes are scored as the service scores, and by models that never heard or saw their source."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from models import voice, weights
from models.detector import Detector
from models.engine import Engine
from models.face import load_face
from models.faces import FaceFinder, FaceTracker, follow
from models.tapes import TAPES, read
from models.training import face_tapes
from models.training.clips import face_windows, voice_windows
from models.training.face_batches import GROUPS
from models.training.face_data import PRETRAINING
from models.training.voice_data import Clip
from models.training.voice_tapes import StretchJudge, joined, stretches
from models.window import SAMPLE_RATE_HZ, Signal


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector(Engine("cpu", workers=1))


def test_a_stretch_of_speech_is_scored_as_the_service_scores_it(detector: Detector) -> None:
    raw = np.frombuffer(weights.ensure("speech").read_bytes(), "<i2").astype(np.float32) / 32768
    sound = joined([raw, raw], np.random.default_rng(0))
    found = StretchJudge({"group": voice.load_voice().model})("group", sound)
    served = detector.score(tuple(voice_windows(sound)))
    assert len(found) == len(served) > 5
    assert [row[1] for row in found] == [score.reason for score in served]
    for (own, _, speech_s, is_telephone), score in zip(found, served, strict=True):
        assert own == (None if score.raw is None else pytest.approx(score.raw, abs=2e-3))
        assert speech_s == pytest.approx(score.analysed_s)
        assert score.raw is None or is_telephone is score.is_telephone


def test_a_clip_of_a_face_is_scored_as_the_service_scores_it(detector: Detector) -> None:
    bgr = cv2.imread(str(weights.ensure("astronaut")))
    assert bgr is not None
    rgb, tracker = np.asarray(bgr[..., ::-1], np.uint8), FaceTracker()
    moved = [np.roll(rgb, i, axis=1) for i in range(12)]
    crops = [follow(picture, i / 5, tracker, detector.find_faces)[0] for i, picture in enumerate(moved)]
    torch.set_num_threads(1)
    found = face_tapes.scored(load_face()[0].float(), crops)
    windows = [w for w in face_windows(face_tapes.to_and_fro(crops, face_tapes.PLAYED_S)) if w.end_s <= 8.0]
    served = detector.score(tuple(windows))
    assert len(found) == len(served) == 9
    for (raw, reason, face_s), score in zip(found, served, strict=True):
        assert (reason, face_s) == (score.reason, pytest.approx(score.analysed_s))
        assert raw == pytest.approx(score.raw, abs=0.1)  # where there is bf16, the service computes a face in it


def test_a_clip_goes_to_and_fro_until_it_is_long_enough() -> None:
    bgr = cv2.imread(str(weights.ensure("astronaut")))
    assert bgr is not None
    crops = follow(np.asarray(bgr[..., ::-1], np.uint8), 0.0, FaceTracker(), FaceFinder().find)
    three = [replace(crops[0], sharpness=float(i)) for i in range(3)]
    order = [crop.sharpness for _, (crop,) in face_tapes.to_and_fro(three, 1.6)]
    assert order == [0, 1, 2, 1, 0, 1, 2, 1]


def clip(source: str, speaker: str, attack: str = "-") -> Clip:
    return Clip(
        path=Path(),
        file=f"{source}-{speaker}",
        is_spoof=attack != "-",
        attack=attack,
        source=source,
        era="modern",
        speaker=speaker,
    )


def test_stretches_are_of_one_speaker_and_one_system_and_no_longer_than_is_allowed() -> None:
    clips = [clip("a", "x")] * 40 + [clip("a", "x", "tts")] * 40 + [clip("b", "y")] * 2 + [clip("c", "z")]
    found = list(stretches(clips, [5.0] * 82 + [1.0]))
    assert [(s.source, s.person, s.attack) for s in found[:4]] == [("a", "x", "-")] * 4
    for stretch in found:
        assert {(clips[row].source, clips[row].speaker, clips[row].attack) for row in stretch.rows} == {
            (stretch.source, stretch.person, stretch.attack)
        }
    lengths = Counter(stretch.attack for stretch in found for _ in stretch.rows)
    assert lengths["-"] * 5 <= 80 + 10
    assert lengths["tts"] * 5 <= 60
    assert "c" not in {stretch.source for stretch in found}  # no whole window
    rows = [row for stretch in found for row in stretch.rows]
    assert len(rows) == len(set(rows))


def test_a_pause_follows_each_clip() -> None:
    sound = joined([np.ones(SAMPLE_RATE_HZ, np.float32)] * 2, np.random.default_rng(1))
    silent = np.abs(sound) < 0.01
    assert 0.4 <= silent.sum() / SAMPLE_RATE_HZ <= 1.6
    assert np.abs(sound[silent]).max() < 1e-3


def test_the_shipped_tapes_hold_enough_sources_and_none_that_their_models_saw() -> None:
    _, voices = read(TAPES / "voice.json.gz")
    assert len({tape.source for tape in voices if tape.is_bona_fide}) >= 40
    for is_telephone in (False, True):
        own = [tape for tape in voices if tape.is_telephone is is_telephone and tape.is_bona_fide]
        assert sum(len(tape.judged) for tape in own) * 0.5 > 3000
    _, faces = read(TAPES / "face.json.gz")
    assert {tape.signal for tape in faces} == {Signal.FACE}
    assert not {tape.source for tape in faces} & PRETRAINING
    assert {tape.source for tape in faces} <= {source for group in GROUPS.values() for source in group}
    assert len({tape.source for tape in faces if tape.is_bona_fide}) >= 10
