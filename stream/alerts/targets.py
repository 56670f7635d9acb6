"""Where webhooks may call: never into the operator's own network unless allowed, whatever a name resolves to.

The address that was checked is the one that is connected to, so that a name cannot resolve to another in between.
"""

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import httpcore
from httpcore import SOCKET_OPTION

MAX_URL_CHARS = 2000
MAX_ADDRESSES = 3
"""Of a name that are tried, each for its share of the time."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# `is_global` of Python 3.11 lets pass what IANA gave out later or never: only this is handed to hosts.
_UNICAST = ipaddress.ip_network("2000::/3")
_RESERVED = (ipaddress.ip_network("192.88.99.0/24"), ipaddress.ip_network("3fff::/20"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class TargetError(Exception):
    """An address that webhooks may not call."""


def check_url(url: str, *, allow_private: bool) -> str:
    """Return the address of a webhook if it is one.

    Raises:
        ValueError: It is none; the text says what is expected.
    """
    if len(url) > MAX_URL_CHARS:
        raise ValueError(f"got an address of {len(url)} characters, expected at most {MAX_URL_CHARS}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError(f"got {url!r}: {exc}; expected https://HOST/PATH") from exc
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0 or not _is_printable(url):
        raise ValueError(f"got {url!r}, expected {' or '.join(schemes)}://HOST/PATH")
    if parts.username is not None or parts.password is not None:
        raise ValueError("got an address with a user name, expected none: messages are signed")
    return url


def _is_printable(url: str) -> bool:
    return url.isascii() and url.isprintable() and " " not in url


def is_public(address: Address) -> bool:
    """Whether an address is one of the open internet, also inside of what carries another one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
        if any(carried is not None and not is_public(carried) for carried in inner):
            return False
        if address.ipv4_mapped is None and address not in _NAT64 and address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in net for net in _RESERVED)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only, unless private ones are allowed."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's own interface
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host, to the first of its addresses that answers.

        Raises:
            TargetError: One of its addresses is not public.
            httpcore.ConnectError: It cannot be found or reached.
        """
        addresses = (await self._checked(host, port, timeout))[:MAX_ADDRESSES]
        share_s = None if timeout is None else timeout / len(addresses)
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._plain.connect_tcp(address, port, share_s, local_address, socket_options)
        return await self._plain.connect_tcp(addresses[-1], port, share_s, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's own interface
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse.

        Raises:
            TargetError: Always.
        """
        raise TargetError(f"{path} is a socket of this machine")

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)

    async def _checked(self, host: str, port: int, timeout_s: float | None) -> list[str]:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, TimeoutError, UnicodeError) as exc:
            raise httpcore.ConnectError(f"{host} cannot be found: {exc}") from exc
        addresses = [ipaddress.ip_address(info[4][0]) for info in found]
        if not self._allow_private and (private := [a for a in addresses if not is_public(a)]):
            raise TargetError(f"{host} is {private[0]}, an address of a private network; KUA_WEBHOOK_PRIVATE allows it")
        return list(dict.fromkeys(map(str, addresses)))
