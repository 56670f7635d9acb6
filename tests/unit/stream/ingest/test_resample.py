"""Sound of any rate comes out at 16 kHz, each sample at its session time."""

import itertools

import av
import numpy as np
import numpy.typing as npt
import pytest

from models.window import SAMPLE_RATE_HZ
from stream.events import AudioFrame, Gap, Media, Medium
from stream.ingest.resample import SoundTrack

TOLERANCE_S = 0.005
MARGIN_S = 0.01


def frame(samples: npt.NDArray[np.floating], rate_hz: int, channels: int = 1) -> av.AudioFrame:
    pcm = np.repeat((np.clip(samples, -1, 1) * 32_767).astype(np.int16), channels)[None]
    made = av.AudioFrame.from_ndarray(pcm, format="s16", layout="stereo" if channels == 2 else "mono")
    made.sample_rate = rate_hz
    return made


def tone(start_s: float, end_s: float, rate_hz: int) -> npt.NDArray[np.float64]:
    time_s = np.arange(round(start_s * rate_hz), round(end_s * rate_hz)) / rate_hz
    return 0.5 * np.sin(2 * np.pi * 300 * time_s)


def feed(track: SoundTrack, rate_hz: int, channels: int, *pieces: tuple[float, float]) -> list[Media]:
    """Give a 300 Hz tone in 20 ms packets for each piece of session time."""
    media: list[Media] = []
    for start_s, end_s in pieces:
        for n in range(round((end_s - start_s) / 0.02)):
            at_s = start_s + n * 0.02
            media += track.take(frame(tone(at_s, at_s + 0.02, rate_hz), rate_hz, channels), at_s)
    return [*media, *track.flush()]


def sound_of(media: list[Media]) -> list[AudioFrame]:
    return [piece for piece in media if isinstance(piece, AudioFrame)]


@pytest.mark.parametrize(("rate_hz", "channels"), [(48_000, 2), (48_000, 1), (16_000, 1), (8_000, 1), (44_100, 2)])
def test_the_waveform_stands_where_it_was(rate_hz: int, channels: int) -> None:
    media = feed(SoundTrack(TOLERANCE_S), rate_hz, channels, (0.5, 1.5))
    heard = np.concatenate([piece.samples for piece in sound_of(media)])
    assert len(media) == len(sound_of(media)), "no gap in gapless sound"
    assert heard.dtype == np.float32
    assert media[0].start_s == 0.5
    assert abs(len(heard) - SAMPLE_RATE_HZ) <= 2
    wanted = tone(0.5, 0.5 + len(heard) / SAMPLE_RATE_HZ, SAMPLE_RATE_HZ)
    margin = round(MARGIN_S * SAMPLE_RATE_HZ)
    assert np.abs(heard - wanted)[margin:-margin].max() < 0.01, "half a sample of shift would be 0.03"


def test_pieces_follow_each_other_to_the_sample() -> None:
    sound = sound_of(feed(SoundTrack(TOLERANCE_S), 48_000, 2, (0.0, 2.0)))
    for before, after in itertools.pairwise(sound):
        assert round(after.start_s * SAMPLE_RATE_HZ) == round(before.start_s * SAMPLE_RATE_HZ) + len(before.samples)


def test_a_lost_packet_is_a_gap_of_its_length_and_what_follows_stays_in_place() -> None:
    media = feed(SoundTrack(TOLERANCE_S), 48_000, 2, (0.0, 0.4), (0.42, 1.0))
    (gap,) = [piece for piece in media if isinstance(piece, Gap)]
    assert gap.medium is Medium.AUDIO
    assert (gap.start_s, gap.end_s) == pytest.approx((0.4, 0.42), abs=0.001)
    after = [piece for piece in sound_of(media) if piece.start_s >= 0.42 - 1e-9]
    assert after[0].start_s == pytest.approx(0.42, abs=1e-4)
    heard = np.concatenate([piece.samples for piece in after])
    wanted = tone(after[0].start_s, after[0].start_s + len(heard) / SAMPLE_RATE_HZ, SAMPLE_RATE_HZ)[: len(heard)]
    margin = round(MARGIN_S * SAMPLE_RATE_HZ)
    assert np.abs(heard - wanted)[margin:-margin].max() < 0.01


def test_sound_that_overlaps_is_cut_not_repeated() -> None:
    sound = sound_of(feed(SoundTrack(TOLERANCE_S), 16_000, 1, (0.0, 0.4), (0.3, 0.6)))
    end = 0
    for piece in sound:
        start = round(piece.start_s * SAMPLE_RATE_HZ)
        assert start >= end
        end = start + len(piece.samples)
    assert end == pytest.approx(0.6 * SAMPLE_RATE_HZ, abs=2)


def test_jitter_of_time_stamps_is_no_gap() -> None:
    track = SoundTrack(TOLERANCE_S)
    media: list[Media] = []
    for n in range(50):
        jitter_s = 0.002 * (-1) ** n
        media += track.take(frame(tone(n * 0.02, n * 0.02 + 0.02, 48_000), 48_000), max(0.0, n * 0.02 + jitter_s))
    assert not [piece for piece in media if isinstance(piece, Gap)]


def test_a_sender_may_change_rate_and_layout_within_a_call() -> None:
    track = SoundTrack(TOLERANCE_S)
    media = [*feed(track, 48_000, 2, (0.0, 0.4)), *feed(track, 8_000, 1, (0.4, 0.8))]
    assert not [piece for piece in media if isinstance(piece, Gap) and piece.end_s - piece.start_s > 0.001]
    assert sum(len(piece.samples) for piece in sound_of(media)) == pytest.approx(0.8 * SAMPLE_RATE_HZ, abs=20)
