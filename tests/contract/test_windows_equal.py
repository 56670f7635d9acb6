"""Training and serving cut the same windows: the streaming form equals the offline form, whatever the split."""

import itertools
import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.preprocess import TEMPLATE
from models.training.clips import face_windows, sync_windows, voice_windows
from models.window import CROP_PX, PICTURE_RATE_HZ, SAMPLE_RATE_HZ, FaceCrop, SyncWindow
from stream.events import AudioFrame
from stream.windower import LATENESS_S, AudioWindower, FacePicture, FaceWindower, Windower

PIXELS = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)
PACKET = 1600


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 150_000), st.lists(st.integers(1, 149_999), max_size=40))
def test_sound(n: int, cuts: list[int]) -> None:
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    windower, streamed = AudioWindower(), []
    for a, b in itertools.pairwise([0, *sorted(cut for cut in cuts if cut < n), n]):
        streamed += windower.push(AudioFrame(start_s=a / SAMPLE_RATE_HZ, samples=samples[a:b]))
    streamed += windower.finish()
    offline = voice_windows(samples)
    assert [(w.start_s, w.end_s, w.n_lost) for w in streamed] == [(w.start_s, w.end_s, w.n_lost) for w in offline]
    for one, other in zip(streamed, offline, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
    for windows in (streamed, offline):
        assert all(a.pieces[1:] == b.pieces[:-1] for a, b in itertools.pairwise(windows))


def pictures_of(tracks: list[set[int]], offset_s: float) -> list[tuple[float, tuple[FaceCrop, ...]]]:
    return [
        (
            time_s,
            tuple(
                FaceCrop(pixels=PIXELS, time_s=time_s, track=t, landmarks=TEMPLATE, face_px=1, sharpness=1)
                for t in sorted(seen)
            ),
        )
        for time_s, seen in ((offset_s + i / 5, seen) for i, seen in enumerate(tracks))
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(1, 3)), max_size=60), st.floats(0, 0.19))
def test_faces(tracks: list[set[int]], offset_s: float) -> None:
    pictures = pictures_of(tracks, offset_s)
    windower, streamed = FaceWindower(), []
    for time_s, crops in pictures:
        streamed += windower.push(FacePicture(time_s=time_s, crops=crops))
    streamed += windower.finish()
    offline = face_windows(pictures)
    assert [(w.end_s, w.track, w.crops, w.n_pictures) for w in streamed] == [
        (w.end_s, w.track, w.crops, w.n_pictures) for w in offline
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(1, 3)), max_size=60), st.floats(0, 0.19), st.integers(1, 200_000), st.randoms())
def test_faces_with_their_sound(tracks: list[set[int]], offset_s: float, n: int, order: random.Random) -> None:
    """Either medium may run ahead of the other, by up to what a call lets it be late; both end together.

    What waits for a medium that has ended is let go, since memory is bounded; a call's clock closes windows in time.
    """
    n_pictures = max(1, round(n / SAMPLE_RATE_HZ * PICTURE_RATE_HZ))
    tracks = [*tracks, *([set[int]()] * n_pictures)][:n_pictures]
    samples = np.random.default_rng(n).uniform(-1, 1, n).astype(np.float32)
    sounds = [AudioFrame(start_s=a / SAMPLE_RATE_HZ, samples=samples[a : a + PACKET]) for a in range(0, n, PACKET)]
    pictures = pictures_of(tracks, offset_s)
    arrivals = [(frame.start_s + order.uniform(0, LATENESS_S), 0, i) for i, frame in enumerate(sounds)]
    arrivals += [(time_s + order.uniform(0, LATENESS_S), 1, i) for i, (time_s, _) in enumerate(pictures)]
    # Each medium keeps its own order; only how they interleave is drawn.
    turns, sound, picture = [medium for _, medium, _ in sorted(arrivals)], iter(sounds), iter(pictures)
    windower, streamed = Windower(), []
    for medium in turns:
        if medium == 0:
            streamed += windower.push_audio(next(sound))
        else:
            time_s, crops = next(picture)
            streamed += windower.push_faces(FacePicture(time_s=time_s, crops=crops))
    streamed += windower.finish()
    joined = sorted((w for w in streamed if isinstance(w, SyncWindow)), key=lambda w: (w.end_s, w.track))
    offline = sync_windows(face_windows(pictures), voice_windows(samples))
    assert [(w.start_s, w.end_s, w.track, w.crops, w.n_pictures, w.n_lost) for w in joined] == [
        (w.start_s, w.end_s, w.track, w.crops, w.n_pictures, w.n_lost) for w in offline
    ]
    for one, other in zip(joined, offline, strict=True):
        np.testing.assert_array_equal(one.samples, other.samples)
