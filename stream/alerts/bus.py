"""Pushes events to viewers. Stored events are never dropped or merged; of live readings only each call's newest waits.

A viewer that reads too slowly is cut off: it connects again and asks the store for what it missed.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from stream.api.messages import StoredMessage, VerdictMessage
from stream.scope import EVERYWHERE, Scope

MAX_STORED = 1000
"""Stored events that may wait for one viewer."""

Accepts = Callable[[StoredMessage | VerdictMessage, Scope], bool]


class Subscription:
    """One viewer's queue.

    Args:
        session: Only events of this call, or all if None.
        accepts: Whether the viewer may see a message of a call.
    """

    def __init__(self, session: str | None = None, accepts: Accepts = lambda *_: True) -> None:
        self._session = session
        self._accepts = accepts
        self._stored: deque[StoredMessage] = deque()
        self._live: OrderedDict[str, VerdictMessage] = OrderedDict()
        self._ready = asyncio.Event()
        self.is_cut = False
        """Too slow: nothing more comes."""

    def put(self, message: StoredMessage | VerdictMessage, scope: Scope = EVERYWHERE) -> None:
        """Queue a message."""
        if (self._session is not None and message.session != self._session) or not self._accepts(message, scope):
            return
        if isinstance(message, VerdictMessage):
            self._live[message.session] = message
        elif len(self._stored) < MAX_STORED:
            self._stored.append(message)
        else:
            self.cut()
        self._ready.set()

    def cut(self) -> None:
        """End this viewer's stream after what is queued."""
        self.is_cut = True
        self._ready.set()

    async def get(self) -> StoredMessage | VerdictMessage | None:
        """Wait for the next message, stored ones first; None once the viewer is cut off."""
        while not (self._stored or self._live or self.is_cut):
            self._ready.clear()
            await self._ready.wait()
        if self._stored:
            return self._stored.popleft()
        if self._live:
            return self._live.popitem(last=False)[1]
        return None


class Bus:
    """All viewers."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, session: str | None = None, accepts: Accepts = lambda *_: True) -> Subscription:
        """Begin to collect messages for a viewer."""
        subscription = Subscription(session, accepts)
        self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop collecting."""
        self._subscriptions.discard(subscription)

    def publish(self, message: StoredMessage | VerdictMessage, scope: Scope = EVERYWHERE) -> None:
        """Give a message to every viewer who may see its call."""
        for subscription in self._subscriptions:
            subscription.put(message, scope)

    def close(self) -> None:
        """Cut off every viewer: the service stops."""
        for subscription in self._subscriptions:
            subscription.cut()
