"""The explanation of an alert as it is stored and sent: numbers that show no face and give back no speech. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime

import numpy as np

from models.explanation import Explanation, FaceExplanation
from models.window import Signal
from stream.api.explanation_messages import BandMessage, FaceExplanationMessage, StretchMessage, VoiceExplanationMessage
from stream.events import Alert
from stream.explainer import Explainable

GRID_DIGITS = 3


def explanation_message(
    alert: Alert, window: Explainable, explanation: Explanation, digests: Mapping[str, str]
) -> FaceExplanationMessage | VoiceExplanationMessage:
    """Return the message of an explanation made now, `seq` 0.

    Args:
        alert: What is explained.
        window: The window that it rests on.
        explanation: Where its evidence lies.
        digests: The models' digests by signal.
    """
    at = datetime.now(UTC).isoformat()
    if isinstance(explanation, FaceExplanation):
        return FaceExplanationMessage(
            seq=0,
            session=alert.session,
            alert=alert.id,
            at=at,
            start_s=window.start_s,
            end_s=window.end_s,
            time_s=explanation.crop.time_s,
            track=window.track,
            spoof=np.round(explanation.spoof.astype(float), GRID_DIGITS).tolist(),
            model=digests[Signal.FACE],
        )
    band_hz = explanation.band_hz
    return VoiceExplanationMessage(
        seq=0,
        session=alert.session,
        alert=alert.id,
        at=at,
        start_s=window.start_s,
        end_s=window.end_s,
        top_hz=explanation.top_hz,
        energy_db=np.round(explanation.energy_db).astype(int).tolist(),
        spoof_percent=np.round(100 * explanation.spoof).astype(int).tolist(),
        stretches=[StretchMessage(start_s=start_s, end_s=end_s) for start_s, end_s in explanation.stretches_s],
        band=BandMessage(low_hz=band_hz[0], high_hz=band_hz[1]) if band_hz else None,
        model=digests[Signal.VOICE],
    )
