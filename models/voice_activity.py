"""Where there is speech: Silero's voice activity detector over pairs of successive pieces of sound.

The quality gate rests on this: a window without speech is never scored. The network hears a piece after the one before
it, from rest, and nothing older: so what it says of a piece is the same in every window that holds both, and a window's
speech is the sum over its pieces. The first piece of a window is heard from rest. What a window holds thus depends on
its own sound alone, and one more window costs one more pair (2.6 ms of CPU; a whole window is 8.7).

A piece is not a whole number of steps. Steps are laid so that 16 of them end within each piece, and the last with it;
the first of the 16 begins 12 ms before the piece.
"""

import numpy as np
import numpy.typing as npt
import onnxruntime

from models.weights import ensure
from models.window import HOP_SAMPLES, WINDOW_S, Samples

PAIR_SAMPLES = 2 * HOP_SAMPLES
STEP_SAMPLES = 512
CONTEXT_SAMPLES = 64
"""The network reads the end of the step before as well."""
N_STEPS = 16
"""Steps of a piece."""
LEAD_SAMPLES = 2 * N_STEPS * STEP_SAMPLES - PAIR_SAMPLES
"""Silence before a pair that makes it whole steps."""
N_STATE = 128
SPEECH_FROM = 0.5
"""A step whose probability is at least this is speech (Silero's own default)."""
SILENT_BELOW = 1e-4
"""A pair whose peak is below this is digital silence, -80 dB: the network is not asked."""

Batch = npt.NDArray[np.float32]

assert 0 <= LEAD_SAMPLES < STEP_SAMPLES


class VoiceActivity:
    """Finds speech in sound. Holds no state between calls, so threads may share one.

    Raises:
        WeightsError: The packaged weights are missing and cannot be fetched.
    """

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(ensure("silero_vad")), options, providers=["CPUExecutionProvider"]
        )

    def speech(self, pairs: Batch) -> Batch:
        """Return the probability of speech at each step of two successive pieces.

        Args:
            pairs: float32 (B, PAIR_SAMPLES) at 16 kHz, full scale -1..1.

        Returns:
            float32 (B, 2, N_STEPS), 0..1: of the earlier piece from rest, of the later one after it; 0 throughout a
            pair of digital silence.
        """
        probability = np.zeros((len(pairs), 2, N_STEPS), dtype=np.float32)
        for row in np.flatnonzero(np.abs(pairs).max(axis=1) >= SILENT_BELOW):
            probability[row] = self._run(pairs[row]).reshape(2, N_STEPS)
        return probability

    def pairs(self, pairs: Batch) -> Batch:
        """Return the same in rows, float32 (B, 2 * N_STEPS); arguments as `speech`."""
        return self.speech(pairs).reshape(len(pairs), 2 * N_STEPS)

    def window(self, samples: Samples) -> Batch:
        """Return the probability of speech over a window (WINDOW_SAMPLES,), float32 (WINDOW_PIECES * N_STEPS,)."""
        pairs = np.lib.stride_tricks.sliding_window_view(samples, PAIR_SAMPLES)[::HOP_SAMPLES]  # (7, PAIR_SAMPLES)
        return window_probability(self.pairs(pairs))

    def _run(self, pair: Samples) -> Batch:
        padded = np.pad(pair, (CONTEXT_SAMPLES + LEAD_SAMPLES, 0))
        steps = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT_SAMPLES + STEP_SAMPLES)[::STEP_SAMPLES]
        state = np.zeros((1, 1, N_STATE), dtype=np.float32)
        found: Batch = self._session.run(["speech_probs"], {"input": steps, "h": state, "c": state})[0]
        return found  # (2 * N_STEPS,)


def window_probability(rows: Batch) -> Batch:
    """Return the probability of speech over a window, by time, float32 (WINDOW_PIECES * N_STEPS,).

    Args:
        rows: From `VoiceActivity.pairs`, of the window's pairs of successive pieces by time (WINDOW_PIECES - 1, ...).
    """
    return np.concatenate([rows[0, :N_STEPS], rows[:, N_STEPS:].ravel()])


def speech_seconds(probability: Batch) -> float:
    """Return the speech in a window [s], from `window_probability`."""
    return float((probability >= SPEECH_FROM).mean()) * WINDOW_S
