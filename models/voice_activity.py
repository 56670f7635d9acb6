"""Where there is speech: Silero's voice activity detector over whole windows.

The quality gate rests on this: a window without speech is never scored. Windows are independent; the network takes all
steps of one in one call (10 ms of CPU; step by step it is 25).
"""

import numpy as np
import numpy.typing as npt
import onnxruntime

from models.weights import ensure
from models.window import SAMPLE_RATE_HZ, WINDOW_SAMPLES, Samples

STEP_SAMPLES = 512
CONTEXT_SAMPLES = 64
"""The network reads the end of the step before as well."""
N_STEPS = WINDOW_SAMPLES // STEP_SAMPLES
N_STATE = 128
SPEECH_FROM = 0.5
"""A step whose probability is at least this is speech (Silero's own default)."""
SILENT_BELOW = 1e-4
"""A window whose peak is below this is digital silence, -80 dB: the network is not asked."""

Batch = npt.NDArray[np.float32]

assert WINDOW_SAMPLES % STEP_SAMPLES == 0


class VoiceActivity:
    """Finds speech in windows. Holds no state between calls, so threads may share one.

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

    def speech(self, samples: Batch) -> Batch:
        """Return the probability of speech in every 32 ms.

        Args:
            samples: float32 (B, WINDOW_SAMPLES) at 16 kHz, full scale -1..1.

        Returns:
            float32 (B, N_STEPS), 0..1; 0 throughout a window of digital silence.
        """
        probability = np.zeros((samples.shape[0], N_STEPS), dtype=np.float32)
        for row in np.flatnonzero(np.abs(samples).max(axis=1) >= SILENT_BELOW):
            probability[row] = self._run(samples[row])
        return probability

    def speech_seconds(self, samples: Batch) -> Batch:
        """Return how much speech each window holds [s], float32 (B,); arguments as `speech`."""
        n_steps = (self.speech(samples) >= SPEECH_FROM).sum(axis=1)
        seconds: Batch = (n_steps * (STEP_SAMPLES / SAMPLE_RATE_HZ)).astype(np.float32)
        return seconds

    def _run(self, samples: Samples) -> Batch:
        padded = np.pad(samples, (CONTEXT_SAMPLES, 0))
        steps = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT_SAMPLES + STEP_SAMPLES)[::STEP_SAMPLES]
        state = np.zeros((1, 1, N_STATE), dtype=np.float32)
        found: Batch = self._session.run(["speech_probs"], {"input": steps, "h": state, "c": state})[0]
        return found  # (N_STEPS,)
