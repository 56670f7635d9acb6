"""A question to somebody who knows the caller: a link goes to them, their answer comes back. In memory, for an hour.

Whoever has a link reads one question and gives one answer; it opens nothing else, and the newest answer does not
replace the first: a link that is passed on must not change what was said.
"""

import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from stream.errors import ConflictError
from stream.scope import Scope

KEPT_S = 3600.0
"""How long a question can be answered and its answer read [s]."""
MAX_ASKS = 1000
"""Of the whole service; the oldest goes first."""


class Knows(StrEnum):
    """What somebody who knows the caller says."""

    THEM = "them"
    """I reached them another way: it is them."""
    NOT_THEM = "not_them"
    """I reached them another way, or they are with me: it is not."""
    UNKNOWN = "unknown"


@dataclass(slots=True)
class Ask:
    """One question."""

    id: str
    secret: str
    scope: Scope
    about: str
    """Who the caller says they are."""
    by: str
    """Who asks."""
    until_s: float
    """Monotonic time until which it stands [s]."""
    answer: Knows | None = None
    note: str = ""


class Asks:
    """The questions of a service.

    Args:
        clock: Monotonic time [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asks: OrderedDict[str, Ask] = OrderedDict()

    def ask(self, scope: Scope, about: str, by: str) -> Ask:
        """Begin to ask."""
        self._forget_old()
        id, until_s = secrets.token_urlsafe(9), self._clock() + KEPT_S
        made = self._asks[id] = Ask(id, secrets.token_urlsafe(24), scope, about, by, until_s)
        if len(self._asks) > MAX_ASKS:
            self._asks.popitem(last=False)
        return made

    def get(self, id: str, scope: Scope) -> Ask | None:
        """Return a question of somebody's own; None if there is none, or it is over."""
        self._forget_old()
        found = self._asks.get(id)
        return found if found is not None and found.scope == scope else None

    def cancel(self, id: str, scope: Scope) -> bool:
        """Make a link invalid; False if there is none of theirs."""
        if self.get(id, scope) is None:
            return False
        del self._asks[id]
        return True

    def behind(self, secret: str) -> Ask | None:
        """Return the question behind a link; None if there is none, or it is over."""
        self._forget_old()
        return next((ask for ask in self._asks.values() if hmac.compare_digest(ask.secret, secret)), None)

    def answer(self, ask: Ask, answer: Knows, note: str) -> None:
        """Take an answer.

        Raises:
            ConflictError: There is one already.
        """
        if ask.answer is not None:
            raise ConflictError("this question was answered already")
        ask.answer, ask.note = answer, note

    def _forget_old(self) -> None:
        now_s = self._clock()
        while self._asks and (oldest := next(iter(self._asks.values()))).until_s <= now_s:
            del self._asks[oldest.id]
