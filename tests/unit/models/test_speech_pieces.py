from itertools import pairwise

import numpy as np
import pytest

from models.speaker_net import PIECE_SAMPLES
from models.speech_pieces import PIECE_HOP, SpeechCutter, SpeechPiece
from models.training.clips import voice_windows
from models.voice_activity import VoiceActivity
from models.weights import ensure
from models.window import HOP_SAMPLES, SAMPLE_RATE_HZ, WINDOW_SAMPLES, Samples, VoiceWindow


@pytest.fixture(scope="module")
def activity() -> VoiceActivity:
    return VoiceActivity()


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Three seconds of a man, said four times, with a pause of two seconds in the middle."""
    said = np.fromfile(ensure("speech"), "<i2").astype(np.float32) / 32768
    pause = np.zeros(2 * SAMPLE_RATE_HZ, np.float32)
    return np.concatenate([said, said, pause, said, said])


def cut(activity: VoiceActivity, windows: list[VoiceWindow]) -> list[SpeechPiece]:
    cutter = SpeechCutter(activity)
    return [piece for window in windows for piece in cutter.push(window)] + cutter.finish()


def test_pieces_are_of_speech_alone_and_say_when_it_was_heard(activity: VoiceActivity, speech: Samples) -> None:
    pieces = cut(activity, voice_windows(speech))
    assert {piece.samples.shape for piece in pieces} == {(PIECE_SAMPLES,)}
    heard_s = sum(piece.new_s for piece in pieces)
    assert 6 < heard_s < len(speech) / SAMPLE_RATE_HZ - 2
    starts = [piece.start_s for piece in pieces]
    assert starts == sorted(starts)
    assert all(1.6 - 1e-6 <= piece.end_s - piece.start_s < 5 for piece in pieces)
    assert pieces[-1].end_s <= len(speech) / SAMPLE_RATE_HZ


def test_windows_that_share_sound_give_the_same_pieces_as_windows_that_do_not(
    activity: VoiceActivity, speech: Samples
) -> None:
    whole = speech[: len(speech) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    shared = voice_windows(whole)
    apart = shared[:: WINDOW_SAMPLES // HOP_SAMPLES]
    assert len(apart) < len(shared)
    one, other = cut(activity, shared), cut(activity, apart)
    assert [(p.start_s, p.end_s, p.new_s) for p in one] == [(p.start_s, p.end_s, p.new_s) for p in other]
    assert all(np.array_equal(a.samples, b.samples) for a, b in zip(one, other, strict=True))


def test_no_speech_is_counted_twice(activity: VoiceActivity, speech: Samples) -> None:
    pieces = cut(activity, voice_windows(speech))
    assert pieces[0].new_s == PIECE_SAMPLES / SAMPLE_RATE_HZ
    assert all(piece.new_s == PIECE_HOP / SAMPLE_RATE_HZ for piece in pieces[1:-1])
    for first, second in pairwise(pieces[:-1]):
        assert np.array_equal(first.samples[PIECE_HOP:], second.samples[:PIECE_HOP])


def test_silence_and_a_single_word_give_nothing(activity: VoiceActivity, speech: Samples) -> None:
    assert cut(activity, voice_windows(np.zeros(10 * SAMPLE_RATE_HZ, np.float32))) == []
    assert cut(activity, voice_windows(speech[:SAMPLE_RATE_HZ])) == []


def test_sound_that_was_let_go_is_passed_over(activity: VoiceActivity, speech: Samples) -> None:
    windows = voice_windows(speech)
    pieces = cut(activity, [window for window in windows if not 2.0 < window.start_s < 9.0])
    assert pieces
    assert len(pieces) < len(cut(activity, windows))
