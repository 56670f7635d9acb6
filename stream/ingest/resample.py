"""Decoded sound of any rate and layout in, 16 kHz mono at exact session times out; what is missing becomes a `Gap`.

Plain code around libswresample: no clock, no I/O.
"""

from collections.abc import Iterator

import av
import numpy as np

from models.window import SAMPLE_RATE_HZ, Samples
from stream.events import AudioFrame, Gap, Media, Medium


class SoundTrack:
    """The sound of one track.

    Positions are counted in samples, so that rounding does not add up; only where the sender's time and the count
    differ by `tolerance_s` is the sender believed: ahead is a `Gap`, behind is an overlap and cut off.

    Args:
        tolerance_s: Jitter of the sender's timestamps that is no gap [s]; below one packet, or lost packets go unseen.
        start_s: Session time before which nothing is wanted [s].
    """

    def __init__(self, tolerance_s: float, start_s: float = 0.0) -> None:
        self._tolerance_s = tolerance_s
        self._written = round(start_s * SAMPLE_RATE_HZ)
        self._heard = False
        self._resampler: av.AudioResampler | None = None
        self._format: tuple[int, str, str] | None = None
        self._next_s = 0.0  # where the sound taken so far ends, by the count of its samples
        self._position = 0  # session time of the resampler's next sample, in samples

    def take(self, frame: av.AudioFrame, start_s: float) -> Iterator[Media]:
        """Yield what a frame adds, and before it the gap since the last one.

        Args:
            frame: Decoded sound.
            start_s: Session time of its first sample [s].
        """
        is_jump = self._resampler is None or abs(start_s - self._next_s) > self._tolerance_s
        sound = (frame.sample_rate, frame.format.name, frame.layout.name)
        if is_jump or sound != self._format:
            yield from self._restart(start_s if is_jump else self._next_s)
            self._format = sound
            # The channels are averaged below: libswresample's own mix of two is 3 dB louder and clips.
            self._resampler = av.AudioResampler(format="fltp", layout=frame.layout, rate=SAMPLE_RATE_HZ)
        assert self._resampler is not None
        self._next_s += frame.samples / frame.sample_rate
        yield from self._write(self._resampler.resample(frame))

    def lose(self, start_s: float, end_s: float) -> Iterator[Media]:
        """Yield what is left, then a gap up to `end_s`: the sender says that this stretch never arrived."""
        yield from self.flush()
        yield from self._gap(max(start_s, self._written / SAMPLE_RATE_HZ), end_s)

    def flush(self) -> Iterator[Media]:
        """Yield the samples that the resampler still holds: about 1 ms."""
        if self._resampler is not None:
            yield from self._write(self._resampler.resample(None))
        self._resampler = None

    def _restart(self, start_s: float) -> Iterator[Media]:
        yield from self.flush()
        if self._heard:
            yield from self._gap(self._written / SAMPLE_RATE_HZ, start_s)
        self._heard = True
        self._next_s = start_s
        self._position = round(start_s * SAMPLE_RATE_HZ)

    def _gap(self, start_s: float, end_s: float) -> Iterator[Media]:
        end = round(end_s * SAMPLE_RATE_HZ)
        if end > max(self._written, round(start_s * SAMPLE_RATE_HZ)):
            yield Gap(medium=Medium.AUDIO, start_s=start_s, end_s=end / SAMPLE_RATE_HZ)
            self._written = end

    def _write(self, frames: list[av.AudioFrame]) -> Iterator[Media]:
        for frame in frames:
            samples = _clean(frame.to_ndarray().mean(axis=0))  # (channels, S) -> (S,)
            n_overlap = min(max(self._written - self._position, 0), len(samples))
            start = self._position + n_overlap
            self._position += len(samples)
            if n_overlap < len(samples):
                self._written = self._position
                yield AudioFrame(start_s=start / SAMPLE_RATE_HZ, samples=samples[n_overlap:])


def _clean(samples: Samples) -> Samples:
    """Bound to -1..1 and silence what is no number: float formats can carry both."""
    return np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
