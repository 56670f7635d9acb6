"""Who may call what: a token with the right for it, or on a loopback start without any, pages of this very machine.

Without a token the service still refuses requests that a foreign web page makes through the user's browser: it accepts
loopback host names only (against DNS rebinding) and no foreign `Origin`. Tokens come as headers that no foreign page
can make a browser send, never as cookies, so there is nothing to forge across sites.
"""

import base64
import binascii
import hmac
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from fastapi import HTTPException, WebSocket
from starlette.requests import HTTPConnection, Request

from stream.alerts.audit import Audit
from stream.alerts.tokens import Tokens
from stream.api.admin_messages import Right, Role
from stream.api.messages import StoredMessage
from stream.api.principal import OF_EVIDENCE, Principal, of_role, of_row
from stream.api.rate import Rate
from stream.settings import Settings

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
SUBPROTOCOL = "kua.v1"
_BEARER_SUBPROTOCOL = "bearer."
UNKNOWN_PER_MINUTE = 60
"""Requests without a valid token that are answered to one address a minute."""
THIS_MACHINE = "this machine"
OPERATOR = "operator"
SEEN_ANEW_S, MAX_SEEN = 3600.0, 10_000
"""Who is told of the same call's evidence again within an hour is not noted again; so many calls are remembered."""


class Needs:
    """A route's dependency: who asks must have a right.

    Args:
        access: Finds out who asks.
        right: That is needed; None: a remote party's link will do as well as the right to send calls.
    """

    def __init__(self, access: "Access", right: Right | None) -> None:
        self.access = access
        self.right = right

    async def __call__(self, request: Request) -> Principal:
        return await self.access.require(request, self.right)


class Access:
    """Checks requests.

    Args:
        settings: Token, hosts, origins, limits.
        tokens: Of the store.
        audit: Where it is noted who saw evidence.
        clock: Monotonic time [s].
    """

    def __init__(
        self, settings: Settings, tokens: Tokens, audit: Audit, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._tokens = tokens
        self._audit = audit
        self._clock = clock
        self._evidence_roles = frozenset(Role(role) for role in settings.evidence_roles)
        self._rate = Rate(settings.requests_per_minute)
        self._unknown = Rate(UNKNOWN_PER_MINUTE)
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()

    def needs(self, right: Right) -> Needs:
        """Return the dependency of a route that needs a right."""
        return Needs(self, right)

    def caller(self) -> Needs:
        """Return the dependency of a route that also a remote party with a link may use."""
        return Needs(self, None)

    async def require(self, connection: HTTPConnection, right: Right | None) -> Principal:
        """Return who asks.

        Raises:
            HTTPException: 401 without a valid token, 403 without the right or from a foreign host name or page, 429
                after too many requests.
        """
        self._require_own_page(connection)
        principal = await self.principal(_bearer(connection))
        if principal is None:
            self._count(self._unknown, _address(connection))
            raise HTTPException(
                401, "a bearer token is needed: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"}
            )
        self._count(self._rate, principal.token or _address(connection))
        if right is None:
            allowed = principal.invite is not None or Right.CALL in principal.rights
        else:
            allowed = right in principal.rights
        if not allowed:
            needed = right or Right.CALL
            raise HTTPException(403, f"a {principal.role or principal.name} has not the right {needed.value!r}")
        return principal

    async def counted(self, connection: HTTPConnection) -> None:
        """Let pass whoever comes with a link of its own, which the route looks at; nobody guesses one.

        Raises:
            HTTPException: 403 from a foreign host name or page, 429 after too many requests.
        """
        self._require_own_page(connection)
        self._count(self._unknown, _address(connection))

    async def principal(self, secret: str) -> Principal | None:
        """Return whose secret it is; None if it is nobody's."""
        if self._settings.token and _same(secret, self._settings.token):
            return self._operator(OPERATOR)
        row = await self._tokens.find(secret) if secret else None
        if row is not None:
            return of_row(row, self._evidence_roles)
        return self._operator(THIS_MACHINE) if not secret and await self.is_open() else None

    async def is_open(self) -> bool:
        """Whether pages of this machine need no token: on a loopback start, until the first token is made."""
        settings = self._settings
        return settings.is_loopback and not settings.token and not await self._tokens.has_admin()

    async def admits(self, socket: WebSocket, right: Right | None) -> Principal | None:
        """Return who opens a WebSocket; its token may also come as the subprotocol `bearer.BASE64URL`."""
        try:
            return await self.require(socket, right)
        except HTTPException:
            return None

    async def is_valid(self, principal: Principal) -> bool:
        """Whether somebody who was let in would still be: tokens are revoked, and the first one ends open access."""
        if principal.token:
            return await self._tokens.is_valid(principal.token)
        return principal.name != THIS_MACHINE or await self.is_open()

    async def note_seen(self, connection: HTTPConnection, principal: Principal, event: StoredMessage) -> None:
        """Write into the audit log that somebody is told where the evidence of a call lies, once an hour for each call.

        Raises:
            SQLAlchemyError: It cannot be written: then nothing is told either.
        """
        if event.type not in OF_EVIDENCE:
            return
        key, now_s = (principal.token or principal.name, event.session), self._clock()
        if now_s - self._seen.get(key, float("-inf")) < SEEN_ANEW_S:
            return
        await self.note(connection, principal, "evidence.map", event.session)
        self._seen[key] = now_s
        self._seen.move_to_end(key)
        while len(self._seen) > MAX_SEEN:
            self._seen.popitem(last=False)

    async def note(self, request: HTTPConnection, principal: Principal, action: str, target: str) -> None:
        """Write into the audit log, before anything is answered.

        Raises:
            SQLAlchemyError: It cannot be written: then nothing is shown either.
        """
        role = principal.role.value if principal.role else ""
        await self._audit.write(
            principal.org, by=principal.name, role=role, address=_address(request), action=action, target=target
        )

    def _operator(self, name: str) -> Principal:
        roles = self._evidence_roles | {Role.ADMIN}
        return of_role(Role.ADMIN, name=name, org=self._settings.organisation, token="", evidence_roles=roles)

    def _count(self, rate: Rate, key: str) -> None:
        wait_s = rate.take(key, self._clock())
        if wait_s:
            after = math.ceil(wait_s)
            raise HTTPException(429, f"too many requests; the next one in {after} s", {"Retry-After": str(after)})

    def _require_own_page(self, connection: HTTPConnection) -> None:
        host = connection.url.hostname or ""
        allowed = LOOPBACK_HOSTS | set(self._settings.allowed_hosts)
        if (self._settings.is_loopback or self._settings.allowed_hosts) and host not in allowed:
            raise HTTPException(403, f"host name {host!r} is not served here; set KUA_ALLOWED_HOSTS to allow it")
        origin = connection.headers.get("origin")
        if origin is None or origin in self._settings.allowed_origins:
            return
        if urlsplit(origin).netloc != connection.headers.get("host"):
            raise HTTPException(
                403, f"pages of {origin} may not call this service; set KUA_ALLOWED_ORIGINS to allow it"
            )


def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client is not None else ""


def _bearer(connection: HTTPConnection) -> str:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return _bearer_of_subprotocols(connection.headers.get("sec-websocket-protocol", "").split(","))


def _bearer_of_subprotocols(names: Iterable[str]) -> str:
    """A browser cannot set a header on a WebSocket, but it can name subprotocols."""
    for name in names:
        if name.strip().startswith(_BEARER_SUBPROTOCOL):
            encoded = name.strip().removeprefix(_BEARER_SUBPROTOCOL)
            try:
                return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            except (binascii.Error, UnicodeDecodeError):
                return ""
    return ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
