"""Whether a sender's encoder answers: a key picture when asked for one, a lower bit rate when asked for less.

Every encoder of a live call does both within a second or two. A recording that is sent packet by packet does neither.
Each is asked for once; whoever calls sees nothing of it.
"""

from collections import deque

from models.pipeline import Trait
from stream.ingest.guard import TrackGuard

KEY_ASKED_S, KEY_WAIT_S = 12.0, 3.0
"""Session time of the request, when a browser's own start is over; and how long an answer is waited for [s]."""
RATE_ASKED_S = 20.0
RATE_BEFORE_S, RATE_SETTLES_S, RATE_HELD_S = 4.0, 3.0, 6.0
"""How long the rate is counted before, how long a sender may take to obey, how long less is asked for [s]."""
LESS_BIT_S = 700_000
"""What is asked for: browsers go no lower than our answer's `x-google-min-bitrate` of 600 kbit/s [bit/s]."""
MIN_MORE = 1.4
"""Whoever sends less than so many times of it anyway is not asked."""


class Obedience:
    """Asks the sender of one call's pictures.

    Args:
        guard: The queues of the track.
    """

    def __init__(self, guard: TrackGuard) -> None:
        self._guard = guard
        self._bytes: deque[tuple[float, int]] = deque()
        self._now_s = 0.0
        self._key_asked_s: float | None = None
        self._key_s: float | None = None
        self._rate_asked_s: float | None = None
        self._was_rate_asked = False
        self._rate_kept: float | None = None

    def step(self, now_s: float) -> None:
        """Ask for what is due, and see what came; called several times a second.

        Args:
            now_s: Session time [s].
        """
        self._now_s = now_s
        self._bytes.append((now_s, self._guard.encoded.n_bytes))
        while self._bytes[0][0] < now_s - RATE_BEFORE_S - 1:
            self._bytes.popleft()
        self._step_key(now_s)
        self._step_rate(now_s)

    def values(self) -> dict[Trait, float]:
        """Return what can be told now."""
        found = {Trait.KEY_PICTURE: self._key_s, Trait.RATE_KEPT: self._rate_kept}
        return {trait: value for trait, value in found.items() if value is not None}

    def _step_key(self, now_s: float) -> None:
        if self._key_asked_s is None and now_s >= KEY_ASKED_S:
            self._key_asked_s = now_s
            self._guard.encoded.on_key = self._note_key
            self._guard.encoded.ask_key()
        elif self._key_asked_s is not None and self._key_s is None and now_s > self._key_asked_s + KEY_WAIT_S:
            self._key_s = KEY_WAIT_S
            self._guard.encoded.on_key = None

    def _note_key(self) -> None:
        """Take word of a key picture; seen between two steps, it is as late as the second of them."""
        assert self._key_asked_s is not None
        self._key_s = max(self._now_s - self._key_asked_s, 0.0)
        self._guard.encoded.on_key = None

    def _step_rate(self, now_s: float) -> None:
        rate = self._guard.rate
        if rate is None:
            return
        if not self._was_rate_asked and now_s >= RATE_ASKED_S:
            self._was_rate_asked = True
            if self._bit_s(RATE_BEFORE_S) >= MIN_MORE * LESS_BIT_S:
                self._rate_asked_s, rate.cap_bit_s = now_s, LESS_BIT_S
        elif self._rate_asked_s is not None and now_s >= self._rate_asked_s + RATE_HELD_S:
            self._rate_kept = self._bit_s(RATE_HELD_S - RATE_SETTLES_S) / LESS_BIT_S
            self._rate_asked_s = rate.cap_bit_s = None

    def _bit_s(self, over_s: float) -> float:
        """Return the bit rate over the last seconds."""
        (first_s, first), (last_s, last) = (
            next(count for count in self._bytes if count[0] >= self._now_s - over_s),
            self._bytes[-1],
        )
        return 8 * (last - first) / (last_s - first_s) if last_s > first_s else 0.0
