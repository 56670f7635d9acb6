"""Traits of a call's clocks: the sender's time stamps against each other and against our wall clock. Pure.

A network delays and jitters, but it cannot deliver before it was sent: the earliest arrivals of each second lie near a
line whose slope is the sender's clock against ours.
"""

from collections import Counter, deque

import numpy as np

from models.traits import Trait

MEMORY_S = 120.0
MIN_S = 20.0
"""Before a rate is told: over it, 5 ms of jitter in the earliest arrivals are 250 ppm."""
MIN_PICTURES = 150
PICTURE_CLOCK_HZ = 90_000


class ClockTraits:
    """Watches the time stamps of a call's pictures and sound."""

    def __init__(self) -> None:
        self._picture, self._sound = _Earliest(), _Earliest()
        self._steps: deque[int] = deque(maxlen=900)
        self._last_s: float | None = None

    def push_picture(self, stamp_s: float, arrival_s: float) -> None:
        """Take a picture's time stamp and when it came [s]."""
        if self._last_s is not None:
            self._steps.append(round((stamp_s - self._last_s) * PICTURE_CLOCK_HZ))
        self._last_s = stamp_s
        self._picture.push(stamp_s, arrival_s)

    def push_sound(self, stamp_s: float, arrival_s: float) -> None:
        """Take a sound packet's time stamp and when it came [s]."""
        self._sound.push(stamp_s, arrival_s)

    def values(self) -> dict[Trait, float]:
        """Return the traits that can be told now."""
        found: dict[Trait, float] = {}
        if len(self._steps) >= MIN_PICTURES:
            found[Trait.EVEN_CLOCK] = Counter(self._steps).most_common(1)[0][1] / len(self._steps)
        sound, picture = self._sound.rate_ppm(), self._picture.rate_ppm()
        if sound is not None:
            found[Trait.CLOCK_RATE] = abs(sound)
            if picture is not None:
                found[Trait.CLOCKS_APART] = abs(picture - sound)
        return found


class _Earliest:
    """The earliest arrival of each second, against its time stamp."""

    def __init__(self) -> None:
        self._lates: deque[tuple[float, float]] = deque()
        """Time stamp, and how late it came by our clock, of the earliest of each second [s]."""
        self._second = -1

    def push(self, stamp_s: float, arrival_s: float) -> None:
        late_s = arrival_s - stamp_s
        if not self._lates or not 0 <= stamp_s - self._lates[-1][0] < MEMORY_S:  # another clock
            self._lates.clear()
            self._second = -1
        if int(stamp_s) != self._second:
            self._second = int(stamp_s)
            self._lates.append((stamp_s, late_s))
        elif late_s < self._lates[-1][1]:
            self._lates[-1] = stamp_s, late_s
        while self._lates[0][0] < stamp_s - MEMORY_S:
            self._lates.popleft()

    def rate_ppm(self) -> float | None:
        """Return how much faster the sender's clock runs than ours [ppm]; None before there is enough."""
        if len(self._lates) < MIN_S:
            return None
        stamps_s, lates_s = np.array(self._lates).T
        slopes = [
            (late_s - lates_s[i]) / (stamp_s - stamps_s[i])
            for i in range(len(stamps_s) // 2)
            for stamp_s, late_s in zip(stamps_s[i + 10 :], lates_s[i + 10 :], strict=True)
        ]
        return -1e6 * float(np.median(slopes))  # Theil and Sen: a stalled second moves nothing
