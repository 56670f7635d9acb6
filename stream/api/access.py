"""Who may call: a bearer token, or on a loopback start without one, pages of this very machine.

Without a token the service still refuses requests that a foreign web page makes through the user's browser: it accepts
loopback host names only (against DNS rebinding) and no foreign `Origin`.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from urllib.parse import urlsplit

from fastapi import HTTPException, WebSocket
from starlette.requests import HTTPConnection

from stream.settings import Settings

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
SUBPROTOCOL = "kua.v1"
_BEARER_SUBPROTOCOL = "bearer."


class Access:
    """Checks requests against the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def require(self, connection: HTTPConnection) -> None:
        """Refuse a request without the right to read or send anything.

        Raises:
            HTTPException: 401 without the token, 403 from a foreign host name or page.
        """
        self._require_own_page(connection)
        if self._settings.token and not _same(_bearer(connection), self._settings.token):
            raise HTTPException(
                401, "a bearer token is needed: Authorization: Bearer ...", {"WWW-Authenticate": "Bearer"}
            )

    def allows(self, socket: WebSocket) -> bool:
        """Tell whether a WebSocket may be used; its token may also come as the subprotocol `bearer.BASE64URL`."""
        try:
            self.require(socket)
        except HTTPException:
            return False
        return True

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
