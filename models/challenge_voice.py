"""Whether a voice did what it was asked: digits, a gliding hum, a whisper, claps. Pure: sound in, what was heard out.

The seconds before the request give the level of the background. A text-to-speech answers late and neither hums nor
claps; a converter of voices makes a voice of whatever it hears: a whisper becomes voiced, a clap a syllable.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.challenge import Challenge, ChallengeKind, Step
from models.window import SAMPLE_RATE_HZ, Samples

Series = npt.NDArray[np.float64]

HOP_S = 0.02
FRAME = 640
HOP = round(HOP_S * SAMPLE_RATE_HZ)
LOW_HZ, HIGH_HZ = 70.0, 500.0
"""Pitches of voices."""
VOICED_FROM = 0.62
"""Normalised autocorrelation at the pitch above which a frame is voiced."""
LOUD_DB, WHISPER_DB = 10.0, 6.0
"""Above the background a frame is a sound; of a whisper, which is soft."""
LEAD_S = 0.3
"""After the request, in which a word may still end [s]."""
REST_S = 1.0
"""Sound before the request that is needed to know the background [s]."""
GLIDE_SEMITONES = 3.0
"""A tone that glides moves by so much at least."""
GLIDE_S, GLIDE_GAP_S = 0.4, 0.2
CLAP_RISE_DB, CLAP_S = 15.0, 0.12
"""A clap rises by so much within two frames, and is over after so long [s]."""
CLAP_VOICED = 0.25
"""Share of voiced frames above which a burst is a syllable."""
WHISPER_S = 0.6
WHISPER_VOICED = 0.5
"""Share of voiced frames above which somebody speaks and does not whisper."""
SYLLABLE_GAP_S = 0.1
SYLLABLE_DIP_DB = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceHeard:
    """What was heard of a challenge."""

    steps: tuple[Step, ...]
    """What was heard of what was asked, in order; of digits and whispers, syllables."""
    latency_s: float | None
    """From the request to the first sound [s]."""
    span_s: tuple[float, float] | None
    voiced_share: float
    """Of the frames with sound, those with a pitch, 0..1."""


def hear(challenge: Challenge, before: Samples, during: Samples, asked_s: float) -> VoiceHeard | None:
    """Return what a voice did after a request; None if there was too little sound before it.

    Args:
        challenge: What was asked.
        before: Sound before the request, shape (S,).
        during: Sound after it, shape (T,).
        asked_s: Session time of the request [s].
    """
    if len(before) < REST_S * SAMPLE_RATE_HZ or len(during) < SAMPLE_RATE_HZ:
        return None
    # Who talks without a pause is silent at least until they react.
    floor_db = float(min(np.quantile(_level_db(before), 0.2), np.quantile(_level_db(during), 0.05)))
    louder_db = WHISPER_DB if challenge.kind is ChallengeKind.WHISPER else LOUD_DB
    sound = _Sound.of(during, max(floor_db, -75.0) + louder_db)
    found = _EVENTS[challenge.kind](sound)
    frames = np.flatnonzero(sound.loud)
    return VoiceHeard(
        steps=tuple(step for step, _ in found),
        latency_s=float(frames[0] * HOP_S) if len(frames) else None,
        span_s=(asked_s + float(frames[0] * HOP_S), asked_s + float(frames[-1] * HOP_S)) if len(frames) else None,
        voiced_share=float(sound.voiced[sound.loud].mean()) if len(frames) else 0.0,
    )


def is_as_drawn(challenge: Challenge, heard: VoiceHeard, syllables: tuple[int, int]) -> bool:
    """Whether what was heard is what was drawn.

    Args:
        challenge: What was asked.
        heard: What was heard.
        syllables: Fewest and most that the digits have, in the languages that may be spoken.
    """
    if challenge.kind is ChallengeKind.CODE:
        return syllables[0] <= len(heard.steps) <= syllables[1] and heard.voiced_share > WHISPER_VOICED
    if challenge.kind is ChallengeKind.WHISPER:
        return bool(heard.steps) and heard.voiced_share <= WHISPER_VOICED
    return heard.steps == challenge.steps


@dataclass(frozen=True, slots=True, eq=False)
class _Sound:
    """Frames of 40 ms every `HOP_S`."""

    db: Series
    loud: npt.NDArray[np.bool_]
    pitch_hz: Series
    """0 where there is none."""

    @property
    def voiced(self) -> npt.NDArray[np.bool_]:
        return self.pitch_hz > 0

    @classmethod
    def of(cls, samples: Samples, loud_db: float) -> "_Sound":
        db = _level_db(samples)
        loud = db > loud_db
        loud[: round(LEAD_S / HOP_S)] = False
        pitch = np.array(
            [_pitch_hz(frame) if is_loud else 0.0 for frame, is_loud in zip(_frames(samples), loud, strict=True)]
        )
        return cls(db, loud, pitch)


Event = tuple[Step, int]


def _syllables(sound: _Sound) -> list[Event]:
    """Return the peaks of loudness that a dip parts from the one before."""
    smooth = np.convolve(sound.db, np.ones(3) / 3, mode="same")
    peaks: list[int] = []
    dip = -np.inf
    for i in range(1, len(smooth) - 1):
        if peaks:
            dip = min(dip, smooth[i])
        if not sound.loud[i] or not smooth[i - 1] <= smooth[i] > smooth[i + 1]:
            continue
        if not peaks or (smooth[i] - dip >= SYLLABLE_DIP_DB and smooth[peaks[-1]] - dip >= SYLLABLE_DIP_DB):
            if not peaks or (i - peaks[-1]) * HOP_S >= SYLLABLE_GAP_S:
                peaks.append(i)
                dip = np.inf
        elif smooth[i] > smooth[peaks[-1]]:
            peaks[-1], dip = i, np.inf
    return [(Step.DIGIT, peak) for peak in peaks]


def _whispers(sound: _Sound) -> list[Event]:
    loud = np.flatnonzero(sound.loud)
    return [(Step.DIGIT, int(loud[0]))] if len(loud) * HOP_S >= WHISPER_S else []


def _glides(sound: _Sound) -> list[Event]:
    """Return the stretches of voice whose pitch goes one way."""
    events: list[Event] = []
    for first, last in _runs(sound.voiced, round(GLIDE_GAP_S / HOP_S)):
        at = np.flatnonzero(sound.voiced[first:last]) + first
        if len(at) * HOP_S < GLIDE_S:
            continue
        tones = 12 * np.log2(sound.pitch_hz[at] / 100)
        part = max(len(tones) // 4, 1)
        moved = float(np.median(tones[-part:]) - np.median(tones[:part]))
        if abs(moved) >= GLIDE_SEMITONES:
            events.append((Step.GLIDE_UP if moved > 0 else Step.GLIDE_DOWN, first))
    return events


def _claps(sound: _Sound) -> list[Event]:
    """Return the sounds that are there at once and over at once, without a pitch."""
    events: list[Event] = []
    length = round(CLAP_S / HOP_S)
    i = 2
    while i < len(sound.db):
        peak = float(sound.db[i : i + 2].max())
        rises = sound.loud[i] and peak - float(sound.db[i - 2]) >= CLAP_RISE_DB
        after = sound.db[i + length : i + length + 3]
        if rises and len(after) and float(after.min()) <= peak - CLAP_RISE_DB * 0.7:
            if sound.voiced[i : i + length].mean() <= CLAP_VOICED:
                events.append((Step.CLAP, i))
            i += length
        else:
            i += 1
    return events


_EVENTS: dict[ChallengeKind, Callable[[_Sound], list[Event]]] = {
    ChallengeKind.CODE: _syllables,
    ChallengeKind.WHISPER: _whispers,
    ChallengeKind.HUM: _glides,
    ChallengeKind.CLAP: _claps,
}


def _frames(samples: Samples) -> npt.NDArray[np.float32]:
    """Return overlapping frames, shape (F, FRAME)."""
    if len(samples) < FRAME:
        return np.zeros((0, FRAME), np.float32)
    return np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]


def _level_db(samples: Samples) -> Series:
    power = (_frames(samples).astype(np.float64) ** 2).mean(axis=1)
    return np.asarray(10 * np.log10(power + 1e-10), np.float64)


def _pitch_hz(frame: npt.NDArray[np.float32]) -> float:
    """Return the pitch of a frame by its autocorrelation; 0 where it has none."""
    centred = frame.astype(np.float64) - frame.mean()
    spectrum = np.abs(np.fft.rfft(centred, 2 * FRAME)) ** 2
    correlation = np.fft.irfft(spectrum)[:FRAME]
    # What is left of a frame shifted by so much is shorter: without this, low pitches look weaker than they are.
    correlation = correlation / (1 - np.arange(FRAME) / FRAME * 0.95)
    low, high = int(SAMPLE_RATE_HZ / HIGH_HZ), min(int(SAMPLE_RATE_HZ / LOW_HZ), FRAME - 1)
    lag = low + int(np.argmax(correlation[low:high]))
    if correlation[0] <= 0 or correlation[lag] / correlation[0] < VOICED_FROM:
        return 0.0
    return SAMPLE_RATE_HZ / lag


def _runs(mask: npt.NDArray[np.bool_], gap: int) -> Sequence[tuple[int, int]]:
    """Return first and end of each run of frames; gaps of at most `gap` frames do not part them."""
    runs: list[tuple[int, int]] = []
    for i in np.flatnonzero(mask).tolist():
        if runs and i - runs[-1][1] < gap:
            runs[-1] = (runs[-1][0], i + 1)
        else:
            runs.append((i, i + 1))
    return runs
