"""Tells other systems of alerts: signed messages out of the durable outbox, tried again until they arrive.

A message leaves the outbox only once it was delivered or given up, so a killed service repeats at most what was on its
way, with the same `webhook-id`. Signatures are those of Standard Webhooks.
"""

import asyncio
import json
import random
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import urlsplit

import httpcore
import structlog
from sqlalchemy.exc import SQLAlchemyError
from standardwebhooks import Webhook

from stream.alerts.tables import OutboxRow, WebhookRow
from stream.alerts.targets import GuardedBackend, TargetError
from stream.alerts.vault import ShreddedError
from stream.alerts.webhook_store import WebhookStore

log = structlog.get_logger()

AT_ONCE = 8
"""Messages on their way. To one webhook it is one: they arrive in their order as long as none fails."""
CONNECT_S, REQUEST_S = 5.0, 10.0
IDLE_S = 60.0
FORGET_S = 3600.0
"""How often it is looked for messages that arrived long ago [s]."""
MAX_DUE = 1000
GONE = 410
# asyncpg's refused connections come as they are, not as errors of SQLAlchemy.
_STORE_FAILURES = (SQLAlchemyError, OSError)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryResult:
    """What came of a try."""

    delivered: bool
    status: int | None = None
    error: str = ""


class Webhooks:
    """Delivers what is in the outbox.

    Args:
        store: Of the webhooks.
        allow_private: Whether they may call into private networks.
        now: Seconds since the epoch [s].
    """

    def __init__(self, store: WebhookStore, *, allow_private: bool, now: Callable[[], float] = time.time) -> None:
        self.store = store
        self._now = now
        self._pool = httpcore.AsyncConnectionPool(
            max_connections=AT_ONCE,
            max_keepalive_connections=0,  # a kept connection would outlive the check of its address
            network_backend=GuardedBackend(allow_private=allow_private),
        )
        self._wake = asyncio.Event()
        self._busy: dict[int, tuple[str, asyncio.Task[None]]] = {}
        self._begun: dict[str, int] = {}
        """When each webhook last had its turn, by count: those that waited longest go first."""
        self._n_begun = 0
        self._forgot_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver."""
        self._task = asyncio.create_task(self._deliver(), name="webhooks")

    async def close(self) -> None:
        """Stop; what is on its way is tried again at the next start."""
        tasks = [task for _, task in self._busy.values()] + ([self._task] if self._task else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._pool.aclose()

    def wake(self) -> None:
        """Look into the outbox now."""
        self._wake.set()

    async def test(self, id: str) -> DeliveryResult:
        """Send a message of type `test` to a webhook at once."""
        hook = await self.store.find(id)
        if hook is None:
            return DeliveryResult(delivered=False, error="there is no such webhook")
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")
        body = json.dumps({"type": "test", "timestamp": at, "data": {"webhook": id}})
        return await self._send(hook, f"msg_{id}_test_{secrets.token_hex(4)}", body)

    async def _deliver(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._forget()
                pause_s = await self._begin_due()
            except _STORE_FAILURES as exc:
                log.error("cannot read the outbox; trying again", error=str(exc))
                pause_s = 5.0
            try:
                await asyncio.wait_for(self._wake.wait(), pause_s)
            except TimeoutError:
                continue

    async def _begin_due(self) -> float:
        """Begin what is due and free to go; return how long to wait for more [s]."""
        if (free := AT_ONCE - len(self._busy)) > 0:
            rows = await self.store.due([hook for hook, _ in self._busy.values()], MAX_DUE)
            for row in sorted(rows, key=lambda row: self._begun.get(row.webhook, 0))[:free]:
                self._n_begun += 1
                self._begun[row.webhook] = self._n_begun
                self._busy[row.id] = row.webhook, asyncio.create_task(self._try(row))
        next_s = await self.store.next_s()
        if next_s is None or next_s <= self._now():
            return IDLE_S  # whoever ends a try wakes us
        return min(next_s - self._now(), IDLE_S)

    async def _forget(self) -> None:
        if self._now() >= self._forgot_s + FORGET_S:
            await self.store.forget()
            self._forgot_s = self._now()

    async def _try(self, row: OutboxRow) -> None:
        try:
            hook = await self.store.find(row.webhook)
            if hook is None:
                return
            if not hook.is_active:
                await self.store.failed(row, "the webhook is switched off", 0.0, is_final=True)
                return
            result = await self._send(hook, row.message, row.body)
            if result.delivered:
                await self.store.delivered(row)
                return
            if result.status == GONE:
                await self.store.switch_off(hook.id)
            log.warning("webhook failed", webhook=hook.id, message=row.message, error=result.error, tries=row.tries + 1)
            await self.store.failed(row, result.error, random.random(), is_final=result.status == GONE)
        except _STORE_FAILURES as exc:
            log.error("cannot note what came of a webhook; it is sent again", message=row.message, error=str(exc))
            await asyncio.sleep(1.0)
        finally:
            del self._busy[row.id]
            self._wake.set()

    async def _send(self, hook: WebhookRow, message: str, body: str) -> DeliveryResult:
        try:
            headers = self._headers(hook, message, body)
            async with asyncio.timeout(REQUEST_S):
                status = await self._post(hook.url, headers, body.encode())
        except TimeoutError:
            return DeliveryResult(delivered=False, error=f"no answer within {REQUEST_S:g} s")
        except (TargetError, ShreddedError, OSError, *_HTTP_FAILURES) as exc:
            return DeliveryResult(delivered=False, error=f"{type(exc).__name__}: {exc}".rstrip(": "))
        except Exception as exc:  # one webhook's oddity must back off like a failure, not be tried again at once
            log.exception("a webhook could not be called", webhook=hook.id, message=message)
            return DeliveryResult(delivered=False, error=f"{type(exc).__name__}: {exc}".rstrip(": "))
        if 200 <= status < 300:
            return DeliveryResult(delivered=True, status=status)
        return DeliveryResult(delivered=False, status=status, error=f"answered {status}, expected 200 to 299")

    def _headers(self, hook: WebhookRow, message: str, body: str) -> Sequence[tuple[str, str]]:
        at = datetime.fromtimestamp(int(self._now()), UTC)
        signature = Webhook(self.store.secret(hook)).sign(message, at, body)
        return (
            ("Content-Type", "application/json"),
            ("User-Agent", f"kua/{version('kua')}"),
            ("webhook-id", message),
            ("webhook-timestamp", str(int(at.timestamp()))),
            ("webhook-signature", signature),
        )

    async def _post(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> int:
        """Return the status; redirects are not followed, and what else is answered is not read."""
        timeouts = {"timeout": {"connect": CONNECT_S, "read": REQUEST_S, "write": REQUEST_S, "pool": REQUEST_S}}
        to = _target(url)
        all_headers = [("Host", urlsplit(url).netloc), *headers]
        async with self._pool.stream("POST", to, headers=all_headers, content=body, extensions=timeouts) as reply:
            return reply.status


_HTTP_FAILURES = (
    *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpcore.ProxyError),
    *(httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable),
)


def _target(url: str) -> httpcore.URL:
    """Return an address as httpcore takes it; its own parser drops what follows a semicolon in the path."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return httpcore.URL(scheme=parts.scheme, host=parts.hostname or "", port=parts.port, target=target)
