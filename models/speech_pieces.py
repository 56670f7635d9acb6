"""Cuts a call's sound into pieces of nothing but speech, as long as the speaker network reads at once.

Voice windows enter by time, in any hop; pieces leave with the session time that they were heard in. Silence is taken
out, so that a piece may reach over a pause; what a window holds is used once, however many windows share it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.speaker_net import PIECE_SAMPLES
from models.voice_activity import SPEECH_FROM, VoiceActivity
from models.voice_quality import STEP_SAMPLES, at_steps
from models.window import SAMPLE_RATE_HZ, Samples, VoiceWindow

PIECE_HOP = PIECE_SAMPLES // 2
"""Pieces overlap by half: 0.8 s of new speech each."""
MARGIN_STEPS = 2
"""Steps of 32 ms around speech that are kept: consonants that the detector of speech does not hear."""
LAST_SAMPLES = PIECE_SAMPLES // 4
"""New speech at the end that is worth a piece of its own."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpeechPiece:
    """A stretch of speech without its pauses."""

    samples: Samples
    """Shape (PIECE_SAMPLES,)."""
    start_s: float
    end_s: float
    new_s: float
    """Speech in it that the piece before has not [s]."""


class SpeechCutter:
    """Cuts one sound track. The same windows give the same pieces, one at a time or all at once.

    Args:
        activity: Finds speech.
    """

    def __init__(self, activity: VoiceActivity) -> None:
        self._activity = activity
        self._until = 0
        """Sample of the session up to which sound was used."""
        self._rest: VoiceWindow | None = None
        """The newest window, where it is not used yet."""
        self._speech = np.zeros(0, np.float32)
        self._place = np.zeros(0, np.int64)
        """Where in the session each sample of speech was heard."""
        self._n_old = 0
        """Samples of speech that the last piece holds as well."""

    def push(self, window: VoiceWindow) -> list[SpeechPiece]:
        """Take the next window; windows come by time."""
        start = round(window.start_s * SAMPLE_RATE_HZ)
        if start < self._until:
            self._rest = window
            return []
        # Between the last window and this one some may be missing: what is left of the last is used first.
        rest = self._take(self._rest, self._until) if self._rest is not None and start > self._until else []
        return rest + self._take(window, max(start, self._until))

    def finish(self) -> list[SpeechPiece]:
        """Use what is left of the last window, and the last speech even if it is shorter than a hop."""
        pieces = self._take(self._rest, self._until) if self._rest is not None else []
        if len(self._speech) >= PIECE_SAMPLES and len(self._speech) - self._n_old >= LAST_SAMPLES:
            pieces.append(self._piece(len(self._speech) - PIECE_SAMPLES))
        return pieces

    def _take(self, window: VoiceWindow, start: int) -> list[SpeechPiece]:
        """Use a window from sample `start` of the session on."""
        first = round(window.start_s * SAMPLE_RATE_HZ)
        kept = speech_mask(self._activity, window.samples)
        kept[: start - first] = False
        self._until, self._rest = first + len(window.samples), None
        self._speech = np.concatenate([self._speech, window.samples[kept]])
        self._place = np.concatenate([self._place, first + np.flatnonzero(kept)])
        pieces = []
        while len(self._speech) >= PIECE_SAMPLES and len(self._speech) - self._n_old >= PIECE_HOP:
            pieces.append(self._piece(max(self._n_old - PIECE_HOP, 0)))
        return pieces

    def _piece(self, start: int) -> SpeechPiece:
        end = start + PIECE_SAMPLES
        piece = SpeechPiece(
            samples=self._speech[start:end].copy(),
            start_s=float(self._place[start]) / SAMPLE_RATE_HZ,
            end_s=float(self._place[end - 1] + 1) / SAMPLE_RATE_HZ,
            new_s=(end - self._n_old) / SAMPLE_RATE_HZ,
        )
        self._speech, self._place, self._n_old = self._speech[start:], self._place[start:], PIECE_SAMPLES
        return piece


def speech_mask(activity: VoiceActivity, samples: Samples) -> npt.NDArray[np.bool_]:
    """Return which samples of a window are speech or within `MARGIN_STEPS` of it, shape (WINDOW_SAMPLES,)."""
    speech = at_steps(activity.window(samples)) >= SPEECH_FROM
    padded = np.pad(speech, MARGIN_STEPS)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * MARGIN_STEPS + 1).any(axis=1)
    return np.repeat(near, STEP_SAMPLES)
