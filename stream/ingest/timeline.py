"""The rules of time that a WebSocket sender is held to, and its way from timestamps to session time. Pure."""

from stream.events import Gap, Medium
from stream.ingest.wire import CloseCode, WireError

# A file sent for a test may start in a burst; nobody needs more than this ahead of a live call.
MAX_LEAD_S = 10.0
MAX_BACK_S = 1.0
MAX_JUMP_S = 60.0
# 400 sound packets of 2.5 ms and 100 pictures: what no sensible sender reaches.
MAX_MESSAGES_HZ = 500


class Timeline:
    """Turns the timestamps of one sender into session time, which starts at its first media.

    Args:
        now_s: Any clock that does not jump [s]; the same one as in the calls after it.
    """

    def __init__(self, now_s: float) -> None:
        self._start_now_s = now_s
        self._zero_us: int | None = None
        self._zero_now_s = now_s
        self._newest_us: dict[Medium, int] = {}
        self._n_messages = 0
        self._sound_s = 0.0

    def count_message(self, now_s: float) -> None:
        """Count any message.

        Raises:
            WireError: There were too many for the time since the start.
        """
        self._n_messages += 1
        allowed = MAX_MESSAGES_HZ * (now_s - self._start_now_s + MAX_LEAD_S)
        if self._n_messages > allowed:
            raise WireError(f"got more than {MAX_MESSAGES_HZ} messages a second", CloseCode.TOO_FAST)

    def count_sound(self, seconds: float, now_s: float) -> None:
        """Count decoded sound, whatever its timestamps say.

        Raises:
            WireError: There was more than the time since the first media.
        """
        self._sound_s += seconds
        self._check_lead(self._sound_s, now_s)

    def place(self, medium: Medium, time_us: int, now_s: float) -> float:
        """Return the session time of a packet [s]; negative for what is older than the first media.

        Raises:
            WireError: The timestamp runs back, jumps, or is ahead of the clock.
        """
        if self._zero_us is None:
            self._zero_us, self._zero_now_s = time_us, now_s
        back_s = (self._newest_us.get(medium, self._zero_us) - time_us) / 1e6
        jump_s = (time_us - max(self._newest_us.values(), default=time_us)) / 1e6
        if back_s > MAX_BACK_S or jump_s > MAX_JUMP_S:
            moved = f"{back_s:.1f} s back" if back_s > 0 else f"{jump_s:.1f} s ahead"
            raise WireError(
                f"{medium}: got a timestamp {moved}, expected at most {MAX_BACK_S:g} s back or {MAX_JUMP_S:g} s ahead",
                CloseCode.OUT_OF_ORDER,
            )
        time_s = (time_us - self._zero_us) / 1e6
        self._check_lead(time_s, now_s)
        self._newest_us[medium] = max(time_us, self._newest_us.get(medium, time_us))
        return time_s

    def place_gap(self, gap: Gap, now_s: float) -> Gap | None:
        """Return a sender's gap in session time; None if it lies before the first media.

        Raises:
            WireError: As `place`, for its end.
        """
        if self._zero_us is None:
            return None
        end_s = self.place(gap.medium, round(gap.end_s * 1e6), now_s)
        start_s = max(0.0, end_s - (gap.end_s - gap.start_s))
        return Gap(medium=gap.medium, start_s=start_s, end_s=end_s) if end_s > start_s else None

    def _check_lead(self, media_s: float, now_s: float) -> None:
        lead_s = media_s - (now_s - self._zero_now_s)
        if lead_s > MAX_LEAD_S:
            raise WireError(
                f"got media {lead_s:.1f} s ahead of the clock, expected at most {MAX_LEAD_S:g} s", CloseCode.TOO_FAST
            )
