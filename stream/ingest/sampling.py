"""Which pictures of a track are worth converting: the first of each slot of 1 / `PICTURE_RATE_HZ` seconds."""

import math

from models.window import PICTURE_RATE_HZ

# A picture due at 0.6 s may come as 0.5999999 s: it belongs to the slot that it opens.
_ROUNDING_SLOTS = 1e-4


class PictureSampler:
    """Picks at most one picture a slot."""

    def __init__(self) -> None:
        self._slot = -1

    def take(self, time_s: float) -> bool:
        """Whether the picture at this session time opens a new slot [s]. Times that run backwards open none."""
        slot = math.floor(time_s * PICTURE_RATE_HZ + _ROUNDING_SLOTS)
        if slot <= self._slot:
            return False
        self._slot = slot
        return True
