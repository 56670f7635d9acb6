"""Training and serving cut the same windows: the streaming form equals the offline form, whatever the split."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.preprocess import TEMPLATE
from models.training.clips import face_windows, voice_windows
from models.window import CROP_PX, SAMPLE_RATE_HZ, FaceCrop
from stream.events import AudioFrame
from stream.windower import AudioWindower, FacePicture, FaceWindower

PIXELS = np.zeros((CROP_PX, CROP_PX, 3), np.uint8)


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


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(1, 3)), max_size=60), st.floats(0, 0.19))
def test_faces(tracks: list[set[int]], offset_s: float) -> None:
    pictures = [
        (
            time_s,
            tuple(
                FaceCrop(pixels=PIXELS, time_s=time_s, track=t, landmarks=TEMPLATE, face_px=1, sharpness=1)
                for t in sorted(seen)
            ),
        )
        for time_s, seen in ((offset_s + i / 5, seen) for i, seen in enumerate(tracks))
    ]
    windower, streamed = FaceWindower(), []
    for time_s, crops in pictures:
        streamed += windower.push(FacePicture(time_s=time_s, crops=crops))
    streamed += windower.finish()
    offline = face_windows(pictures)
    assert [(w.end_s, w.track, w.crops, w.n_pictures) for w in streamed] == [
        (w.end_s, w.track, w.crops, w.n_pictures) for w in offline
    ]
