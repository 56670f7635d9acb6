"""What an explanation is: where the evidence of a window lies."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.window import FaceCrop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceExplanation:
    """Where on a face the evidence of a window lies."""

    crop: FaceCrop
    """The window's most suspicious picture."""
    spoof: npt.NDArray[np.float32]
    """What each place of the crop says, the mean over the window: 0 = bona fide, 1 = spoof; shape (h, w), rows from the
    top, evenly spread over the crop."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoiceExplanation:
    """Which seconds and bands of a window's sound carry the evidence.

    Both grids have the shape (bands, columns): bands from the lowest up, evenly spread from 0 to `top_hz`, columns
    evenly spread over the window.
    """

    energy_db: npt.NDArray[np.float32]
    """How loud each cell is, under the loudest, in coarse steps [dB]."""
    spoof: npt.NDArray[np.float32]
    """What each cell contributed: above 0 towards spoof, below 0 towards bona fide, as a share of the strongest ones,
    -1..1; 0 in pauses."""
    top_hz: float
    """Upper edge of the highest band [Hz]."""
    stretches_s: tuple[tuple[float, float], ...]
    """The stretches that contributed most towards spoof, from-to in session time, by time; none if nothing did [s]."""
    band_hz: tuple[float, float] | None
    """The bands that contributed most within them, from-to; None if there is no such stretch [Hz]."""


Explanation = FaceExplanation | VoiceExplanation
