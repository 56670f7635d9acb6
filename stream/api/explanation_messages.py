"""Where the evidence of an alert lies, as it goes over the wire."""

from typing import Annotated, Literal

from pydantic import Field

from stream.api.message import Message

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class FaceExplanationMessage(Message):
    """Where on the face the evidence of an alert lies: a hint, made once the alert is out. It shows no face."""

    type: Literal["explanation"] = "explanation"
    seq: int
    session: str
    alert: str
    """Id of the alert that it explains."""
    at: str
    start_s: float
    """The window that it rests on [s]."""
    end_s: float
    time_s: float
    """The window's most suspicious picture [s]: the one of `face.jpg`."""
    track: int
    """Face number within the call."""
    spoof: Annotated[list[list[Share]], Field(min_length=1)]
    """What each place of the picture says, the mean over the window: 0 = bona fide, 1 = spoof. Rows from the top,
    places from the left, evenly spread over the picture."""
    model: str
    """Digest of the face model."""


Percent = Annotated[int, Field(ge=-100, le=100)]
Decibels = Annotated[int, Field(le=0)]


class StretchMessage(Message):
    """A stretch of the call [s]."""

    start_s: float
    end_s: float


class BandMessage(Message):
    """A range of frequency [Hz]."""

    low_hz: float
    high_hz: float


class VoiceExplanationMessage(Message):
    """Which seconds and bands of the sound carry the evidence of an alert: a hint, made once the alert is out.

    Its grids have a row for each band, from the lowest up, evenly spread from 0 to `top_hz`, and columns evenly spread
    over the window. They are too coarse to give back what was said.
    """

    type: Literal["voice_explanation"] = "voice_explanation"
    seq: int
    session: str
    alert: str
    """Id of the alert that it explains."""
    at: str
    start_s: float
    """The window that it rests on [s]."""
    end_s: float
    top_hz: float
    """Upper edge of the highest band [Hz]."""
    energy_db: Annotated[list[list[Decibels]], Field(min_length=1)]
    """How loud each cell is, under the loudest [dB]."""
    spoof_percent: Annotated[list[list[Percent]], Field(min_length=1)]
    """What each cell contributed: above 0 towards spoof, below 0 towards bona fide, of the strongest cells' [%]."""
    stretches: list[StretchMessage]
    """Those that contributed most towards spoof, by time; none if nothing did."""
    band: BandMessage | None
    """What contributed most within them; null if there is none."""
    model: str
    """Digest of the voice model."""
