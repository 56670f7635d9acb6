"""From the time stamps of one RTP track to session time. Pure.

RTP gives each track its own zero, so sound and pictures can only be laid side by side by when they arrive. The first
frame stands at its arrival; those after it follow the sender's time stamps, which, unlike arrivals, do not jitter.
"""

# Arrival and time stamp differ by less on a call that can be followed.
MAX_DRIFT_S = 1.0
# A stalled network catches up within this; a sender that stopped its clock does not.
CATCH_UP_S = 2.0
# Beyond this a step of the time stamps is a new clock, not a loss.
MAX_STEP_S = 10.0


class TrackClock:
    """Places the frames of one track; session times never run backwards."""

    def __init__(self) -> None:
        self._offset_s: float | None = None
        self._last_pts_s = 0.0
        self._end_s = 0.0
        self._late_since_s: float | None = None

    def place(self, pts_s: float, arrival_s: float, length_s: float = 0.0) -> float:
        """Return the session time of a frame [s].

        Args:
            pts_s: Its time stamp [s].
            arrival_s: Session time at which it came [s].
            length_s: How long it is [s]; 0 for a picture.
        """
        if self._offset_s is None or self._is_lost(pts_s, arrival_s, self._offset_s):
            self._offset_s = max(arrival_s, self._end_s) - pts_s
            self._late_since_s = None
        time_s = max(pts_s + self._offset_s, self._end_s)
        self._last_pts_s = pts_s
        self._end_s = time_s + length_s
        return time_s

    def _is_lost(self, pts_s: float, arrival_s: float, offset_s: float) -> bool:
        """Whether the time stamps no longer say when a frame was made."""
        if not 0 <= pts_s - self._last_pts_s <= MAX_STEP_S:
            return True
        late_s = arrival_s - (pts_s + offset_s)
        if late_s <= MAX_DRIFT_S:
            self._late_since_s = None
            return late_s < -MAX_DRIFT_S
        if self._late_since_s is None:
            self._late_since_s = arrival_s
        return late_s > MAX_STEP_S or arrival_s - self._late_since_s > CATCH_UP_S
