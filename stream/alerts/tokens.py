"""Tokens of people and programs, and links by which a remote party joins one call. Of a secret only the hash is kept.

A secret is 256 random bits, so that one round of SHA-256 is as good as a slow password hash: there is nothing to guess.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select, update

from stream.alerts.database import Sessions
from stream.alerts.tables import InviteRow, TokenRow
from stream.api.admin_messages import Role
from stream.errors import ConflictError
from stream.scope import Scope, Stake

TOKEN_PREFIX, INVITE_PREFIX = "kua", "kin"
ID_BYTES, SECRET_BYTES = 6, 32
USED_EVERY_S = 60.0
"""How finely it is noted when a token was last used [s]."""

Row = TokenRow | InviteRow


@dataclass(frozen=True, slots=True)
class Made:
    """A row with the secret that is told once."""

    row: Row
    secret: str


class Tokens:
    """The tokens and links of a store.

    Args:
        sessions: Of the store.
        now: Seconds since the epoch [s].
    """

    def __init__(self, sessions: Sessions, now: Callable[[], float] = time.time) -> None:
        self._sessions = sessions
        self._now = now
        self._used: dict[str, float] = {}

    async def create(
        self, org: str, name: str, role: Role, *, by: str, days: float | None = None, has_operator: bool = False
    ) -> Made:
        """Make a token.

        Args:
            org: Of its holder.
            name: Of its holder.
            role: What it may do.
            by: Who makes it.
            days: After which it expires; None: never [d].
            has_operator: Whether there is an administrator's token beside those of the store.

        Raises:
            ConflictError: There is no administrator yet, and this would be none: nobody could make another.
        """
        if role is not Role.ADMIN and not has_operator and not await self.has_admin():
            raise ConflictError("the first token must be an administrator's: from then on every page asks for one")
        id, secret, text = _secret(TOKEN_PREFIX)
        row = TokenRow(
            id=id,
            org=org,
            name=name,
            role=role,
            sha256=_hash(secret),
            created_at=self._iso(),
            created_by=by,
            expires_s=self._now() + timedelta(days=days).total_seconds() if days else None,
        )
        async with self._sessions.begin() as db:
            db.add(row)
        return Made(row, text)

    async def invite(self, scope: Scope, name: str, *, hours: float, stake: Stake) -> Made:
        """Make a link to join a call that will belong to `scope`."""
        id, secret, text = _secret(INVITE_PREFIX)
        row = InviteRow(
            id=id,
            org=scope.org,
            owner=scope.owner,
            name=name,
            sha256=_hash(secret),
            created_at=self._iso(),
            expires_s=self._now() + timedelta(hours=hours).total_seconds(),
            amount=stake.amount,
            currency=stake.currency,
            reference=stake.reference,
        )
        async with self._sessions.begin() as db:
            db.add(row)
        return Made(row, text)

    async def find(self, text: str) -> TokenRow | InviteRow | None:
        """Return whose secret it is; None if nobody's, or if it has expired or was revoked."""
        prefix, _, rest = text.partition("_")
        id, _, secret = rest.partition("_")
        kind: type[TokenRow] | type[InviteRow] = InviteRow if prefix == INVITE_PREFIX else TokenRow
        if prefix not in (TOKEN_PREFIX, INVITE_PREFIX) or not secret:
            return None
        async with self._sessions() as db:
            row: TokenRow | InviteRow | None = await db.get(kind, id)
        if row is None or not hmac.compare_digest(row.sha256, _hash(secret)) or not self._is_valid(row):
            return None
        if isinstance(row, TokenRow):
            await self._note_use(row.id)
        return row

    async def is_valid(self, id: str) -> bool:
        """Whether a token has neither expired nor been revoked."""
        async with self._sessions() as db:
            row = await db.get(TokenRow, id)
        return row is not None and self._is_valid(row)

    async def has_admin(self) -> bool:
        """Whether anybody can make tokens with a token of the store."""
        valid = TokenRow.revoked_at.is_(None), or_(TokenRow.expires_s.is_(None), TokenRow.expires_s > self._now())
        async with self._sessions() as db:
            query = select(func.count()).select_from(TokenRow).where(TokenRow.role == Role.ADMIN, *valid)
            return bool(await db.scalar(query))

    async def tokens(self, org: str | None = None) -> list[TokenRow]:
        """Return all tokens, of one organisation if given, newest first."""
        query = select(TokenRow).order_by(TokenRow.created_at.desc())
        async with self._sessions() as db:
            return list(await db.scalars(query if org is None else query.where(TokenRow.org == org)))

    async def invites(self, org: str, owner: str | None) -> list[InviteRow]:
        """Return the links of an organisation, of one token if given, newest first."""
        query = select(InviteRow).where(InviteRow.org == org).order_by(InviteRow.created_at.desc()).limit(200)
        async with self._sessions() as db:
            return list(await db.scalars(query if owner is None else query.where(InviteRow.owner == owner)))

    async def revoke(self, kind: type[TokenRow] | type[InviteRow], id: str, org: str | None = None) -> bool:
        """Revoke a token or a link; False if there is none, or none that is valid."""
        query = update(kind).where(kind.id == id, kind.revoked_at.is_(None)).values(revoked_at=self._iso())
        async with self._sessions.begin() as db:
            done = await db.execute(query if org is None else query.where(kind.org == org))
            return bool(done.rowcount)  # type: ignore[attr-defined]  # of every UPDATE

    async def joined(self, invite: str, session: str) -> None:
        """Note which call was joined by a link."""
        async with self._sessions.begin() as db:
            await db.execute(update(InviteRow).where(InviteRow.id == invite).values(session=session))

    def _is_valid(self, row: Row) -> bool:
        return row.revoked_at is None and (row.expires_s is None or row.expires_s > self._now())

    async def _note_use(self, id: str) -> None:
        now_s = self._now()
        if now_s - self._used.get(id, 0.0) < USED_EVERY_S:
            return
        self._used[id] = now_s
        async with self._sessions.begin() as db:
            await db.execute(update(TokenRow).where(TokenRow.id == id).values(used_at=self._iso()))

    def _iso(self) -> str:
        return datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds")


def _secret(prefix: str) -> tuple[str, str, str]:
    """Return an id, a secret, and the text that carries both."""
    id, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
    return id, secret, f"{prefix}_{id}_{secret}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
