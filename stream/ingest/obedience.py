"""Whether a sender's encoder answers: a key picture when asked for one, a lower bit rate when asked for less.

Every encoder of a live call does both within a second or two. A recording that is sent packet by packet does neither.
Whoever calls sees nothing of it.
"""

import time
from collections import deque
from collections.abc import Callable
from statistics import median

from models.traits import Trait
from stream.ingest.guard import TrackGuard

KEY_ASKED_S, KEY_WAIT_S = (10.0, 13.7, 18.1), 3.0
"""Session times of the requests, at no even distance, for a recording has key pictures too, at a beat; and how long an
answer is waited for [s]."""
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
        clock: Monotonic time [s].
    """

    def __init__(self, guard: TrackGuard, clock: Callable[[], float] = time.monotonic) -> None:
        self._guard = guard
        self._clock = clock
        self._bytes: deque[tuple[float, int]] = deque()
        self._n_keys_asked = 0
        self._key_asked_s: float | None = None
        self._keys_s: list[float] = []
        self._rate_asked_s: float | None = None
        self._was_rate_asked = False
        self._rate_kept: float | None = None

    def step(self, now_s: float) -> None:
        """Ask for what is due, and see what came; called several times a second.

        Args:
            now_s: Session time [s].
        """
        self._bytes.append((now_s, self._guard.encoded.n_bytes))
        while self._bytes[0][0] < now_s - RATE_BEFORE_S - 1:
            self._bytes.popleft()
        self._step_key(now_s)
        self._step_rate(now_s)

    def values(self) -> dict[Trait, float]:
        """Return what can be told now."""
        found = {Trait.KEY_PICTURE: median(self._keys_s)} if self._keys_s else {}
        return found | ({Trait.RATE_KEPT: self._rate_kept} if self._rate_kept is not None else {})

    def _step_key(self, now_s: float) -> None:
        if self._key_asked_s is not None and self._clock() > self._key_asked_s + KEY_WAIT_S:
            self._answered(KEY_WAIT_S)
        due = self._n_keys_asked < len(KEY_ASKED_S) and now_s >= KEY_ASKED_S[self._n_keys_asked]
        if due and self._key_asked_s is None:
            self._n_keys_asked += 1
            self._key_asked_s = asked_s = self._clock()
            self._guard.encoded.on_key = lambda: self._answered(self._clock() - asked_s)
            self._guard.encoded.ask_key()

    def _answered(self, after_s: float) -> None:
        self._keys_s.append(after_s)
        self._key_asked_s = self._guard.encoded.on_key = None

    def _step_rate(self, now_s: float) -> None:
        rate = self._guard.rate
        if rate is None:
            return
        if not self._was_rate_asked and now_s >= RATE_ASKED_S:
            self._was_rate_asked = True
            if self._bit_s(now_s - RATE_BEFORE_S) >= MIN_MORE * LESS_BIT_S:
                self._rate_asked_s, rate.cap_bit_s = now_s, LESS_BIT_S
        elif self._rate_asked_s is not None and now_s >= self._rate_asked_s + RATE_HELD_S:
            self._rate_kept = self._bit_s(self._rate_asked_s + RATE_SETTLES_S) / LESS_BIT_S
            self._rate_asked_s = rate.cap_bit_s = None

    def _bit_s(self, since_s: float) -> float:
        """Return the bit rate since then."""
        first_s, first = next(count for count in self._bytes if count[0] >= since_s)
        last_s, last = self._bytes[-1]
        return 8 * (last - first) / (last_s - first_s) if last_s > first_s else 0.0
