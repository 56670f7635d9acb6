"""The tables' side of webhooks: who is told of what, what waits to be delivered, what was given up."""

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from stream.alerts.database import Sessions
from stream.alerts.tables import OutboxRow, WebhookRow
from stream.alerts.targets import check_url
from stream.alerts.vault import SERVICE, Vault

TYPES = ("alert.raised", "alert.updated", "alert.cleared", "alert.labelled", "case.changed")
ALL = "*"
SECRET_BYTES = 32
BACKOFF_S = (5.0, 30.0, 120.0, 600.0, 3600.0, 21_600.0, 86_400.0)
"""How long after each failure it is tried again; then a message is given up [s]."""
DELIVERED_DAYS = 7.0
"""How long it is remembered that a message was delivered [d]."""
DEAD_DAYS = 30.0
"""How long one that was given up can still be sent again by hand [d]: it names who called."""
WAITING, DELIVERED, DEAD = "waiting", "delivered", "dead"


async def enqueue(db: AsyncSession, org: str, type: str, body: str, seq: int, at: str) -> None:
    """Put a message into the outbox of each webhook that wants it, within the caller's transaction."""
    query = select(WebhookRow).where(WebhookRow.org == org, WebhookRow.is_active.is_(True))
    for hook in await db.scalars(query):
        if {type, ALL} & set(hook.types.split(",")):
            message = f"msg_{hook.id}_{seq}"
            db.add(OutboxRow(webhook=hook.id, message=message, type=type, body=body, seq=seq, made_at=at, error=""))


class WebhookStore:
    """The webhooks of a store.

    Args:
        sessions: Of the store.
        vault: Seals their secrets.
        allow_private: Whether they may call into private networks, and without TLS.
        now: Seconds since the epoch [s].
    """

    def __init__(
        self,
        sessions: Sessions,
        vault: Vault,
        *,
        allow_private: bool,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sessions = sessions
        self._vault = vault
        self._allow_private = allow_private
        self._now = now

    async def create(self, org: str, url: str, types: Sequence[str]) -> tuple[WebhookRow, str]:
        """Make a webhook, and return it with its secret.

        Raises:
            ValueError: The address or a type is none.
        """
        unknown = sorted(set(types) - {*TYPES, ALL})
        if unknown or not types:
            raise ValueError(f"got {', '.join(unknown) or 'no types'}, expected some of {', '.join((*TYPES, ALL))}")
        secret = "whsec_" + b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        row = WebhookRow(
            id=secrets.token_hex(6),
            org=org,
            url=check_url(url, allow_private=self._allow_private),
            types=",".join(dict.fromkeys(types)),
            sealed_secret=self._vault.seal(SERVICE, secret.encode()),
            created_at=self._iso(),
            is_active=True,
        )
        async with self._sessions.begin() as db:
            db.add(row)
        return row, secret

    def secret(self, row: WebhookRow) -> str:
        """Return what a webhook's messages are signed with.

        Raises:
            ShreddedError: The service's key is gone.
        """
        return self._vault.open(SERVICE, row.sealed_secret).decode()

    async def list_(self, org: str) -> list[WebhookRow]:
        """Return the webhooks of an organisation, newest first."""
        query = select(WebhookRow).where(WebhookRow.org == org).order_by(WebhookRow.created_at.desc())
        async with self._sessions() as db:
            return list(await db.scalars(query))

    async def find(self, id: str) -> WebhookRow | None:
        """Return a webhook."""
        async with self._sessions() as db:
            return await db.get(WebhookRow, id)

    async def delete(self, org: str, id: str) -> bool:
        """Delete a webhook with all that waits for it; False if there is none."""
        async with self._sessions.begin() as db:
            row = await db.get(WebhookRow, id)
            if row is None or row.org != org:
                return False
            await db.execute(delete(OutboxRow).where(OutboxRow.webhook == id))
            await db.delete(row)
            return True

    async def switch_off(self, id: str) -> None:
        """Tell a webhook of nothing more."""
        async with self._sessions.begin() as db:
            await db.execute(update(WebhookRow).where(WebhookRow.id == id).values(is_active=False))

    async def due(self, busy: Sequence[str], limit: int) -> list[OutboxRow]:
        """Return the oldest message of each webhook that should be tried now, oldest first.

        One of each: a webhook with a long backlog would else hide what waits for the others.

        Args:
            busy: Webhooks that a message is on its way to.
            limit: How many at most.
        """
        is_due = (OutboxRow.state == WAITING) & (OutboxRow.next_s <= self._now()) & OutboxRow.webhook.not_in(busy)
        oldest = select(func.min(OutboxRow.id)).where(is_due).group_by(OutboxRow.webhook)
        query = select(OutboxRow).where(OutboxRow.id.in_(oldest)).order_by(OutboxRow.id).limit(limit)
        async with self._sessions() as db:
            return list(await db.scalars(query))

    async def next_s(self) -> float | None:
        """Return when the next message is due; None if none waits [s]."""
        async with self._sessions() as db:
            return await db.scalar(select(func.min(OutboxRow.next_s)).where(OutboxRow.state == WAITING))

    async def delivered(self, row: OutboxRow) -> None:
        """Note that a message arrived."""
        async with self._sessions.begin() as db:
            done = {"state": DELIVERED, "tries": row.tries + 1, "error": "", "done_at": self._iso()}
            await db.execute(update(OutboxRow).where(OutboxRow.id == row.id).values(**done))

    async def forget(self) -> None:
        """Delete messages that arrived, or were given up, long ago."""
        async with self._sessions.begin() as db:
            for state, days in ((DELIVERED, DELIVERED_DAYS), (DEAD, DEAD_DAYS)):
                old = datetime.fromtimestamp(self._now() - days * 86_400, UTC).isoformat(timespec="milliseconds")
                await db.execute(delete(OutboxRow).where(OutboxRow.state == state, OutboxRow.done_at < old))

    async def failed(self, row: OutboxRow, error: str, jitter: float, *, is_final: bool = False) -> None:
        """Note that a message did not arrive: it is tried again later, or given up.

        Args:
            row: The message.
            error: Why.
            jitter: 0..1, of a fifth of the pause.
            is_final: Whether it is given up at once.
        """
        said = {"tries": row.tries + 1, "error": error[:500]}
        if is_final or row.tries >= len(BACKOFF_S):
            said |= {"state": DEAD, "done_at": self._iso()}
        else:
            said |= {"next_s": self._now() + BACKOFF_S[row.tries] * (1 + jitter / 5)}
        async with self._sessions.begin() as db:
            await db.execute(update(OutboxRow).where(OutboxRow.id == row.id).values(**said))

    async def dead(self, org: str, limit: int) -> list[OutboxRow]:
        """Return messages of an organisation that were given up, newest first."""
        query = select(OutboxRow).join(WebhookRow).where(WebhookRow.org == org, OutboxRow.state == DEAD)
        async with self._sessions() as db:
            return list(await db.scalars(query.order_by(OutboxRow.id.desc()).limit(limit)))

    async def retry(self, org: str, id: int) -> bool:
        """Try a message again that was given up; False if there is none."""
        async with self._sessions.begin() as db:
            row = await db.get(OutboxRow, id)
            hook = await db.get(WebhookRow, row.webhook) if row else None
            if row is None or row.state != DEAD or hook is None or hook.org != org:
                return False
            row.state, row.tries, row.next_s, row.done_at = WAITING, 0, 0.0, None
            hook.is_active = True
            return True

    async def counts(self) -> dict[str, int]:
        """Return how many messages wait, and how many were given up."""
        query = select(OutboxRow.state, func.count()).group_by(OutboxRow.state)
        async with self._sessions() as db:
            found = {state: n for state, n in await db.execute(query)}
        return {state: found.get(state, 0) for state in (WAITING, DEAD)}

    def _iso(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="milliseconds")
