"""Which addresses of a caller we try, and which STUN and TURN servers both sides use. Pure."""

import ipaddress
import re
from dataclasses import dataclass

from aiortc import RTCIceServer
from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from stream.errors import SettingsError

# RFC 8445 section 14.1 paces 20 ms a pair: 20 candidates on two of our addresses are tried within a second.
MAX_CANDIDATES = 20

_SERVER = re.compile(
    r"(?P<scheme>stuns?|turns?):(?:(?P<username>[^:@?\s]+):(?P<credential>[^:@?\s]+)@)?"
    r"(?P<address>(?:[\w.-]+|\[[0-9a-fA-F:]+\])(?::\d{1,5})?(?P<query>\?transport=(?:udp|tcp))?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IceServer:
    """One STUN or TURN server, as callers and aiortc are told of it."""

    url: str
    username: str = ""
    credential: str = ""

    def to_link(self) -> str:
        """Return the value of the `Link` header that names it (RFC 9725 section 4.6)."""
        link = f'<{self.url}>; rel="ice-server"'
        if self.username:
            link += f'; username="{self.username}"; credential="{self.credential}"; credential-type="password"'
        return link

    def to_rtc(self) -> RTCIceServer:
        """Return what an `RTCConfiguration` takes."""
        return RTCIceServer(urls=self.url, username=self.username or None, credential=self.credential or None)


def parse_server(text: str) -> IceServer:
    """Parse `stun:HOST[:PORT]` or `turn:NAME:SECRET@HOST[:PORT][?transport=udp|tcp]`; also `stuns:` and `turns:`.

    Raises:
        SettingsError: It is neither; the secret is not repeated in the text.
    """
    match = _SERVER.fullmatch(text)
    if match is None:
        shown = re.sub(r":[^:@]*@", ":***@", text)
        raise SettingsError(f"ice server {shown!r}: expected stun:HOST[:PORT] or turn:NAME:SECRET@HOST[:PORT]")
    is_turn = match["scheme"].startswith("turn")
    if is_turn != bool(match["username"]):
        raise SettingsError(f"ice server at {match['address']}: TURN needs NAME:SECRET@, STUN takes none")
    if match["query"] and not is_turn:
        raise SettingsError(f"ice server at {match['address']}: ?transport= is for TURN only")
    url = f"{match['scheme']}:{match['address']}"
    return IceServer(url=url, username=match["username"] or "", credential=match["credential"] or "")


def parse_candidate(value: str) -> RTCIceCandidate | None:
    """Parse the value of an `a=candidate` line; None where it is nothing that we would try.

    Left out: TCP, RTCP's own component, names (an mDNS name is resolved by asking the whole network, and a peer that
    can reach us is found by its own checks), and addresses that no call comes from: loopback, multicast, unspecified,
    link-local (cloud metadata lives there), reserved.
    """
    try:
        candidate = candidate_from_sdp(value)
        address = ipaddress.ip_address(candidate.ip)
    except (ValueError, AssertionError):  # aiortc asserts the number of words
        return None
    is_callable = not (
        address.is_loopback
        or address.is_multicast
        or address.is_unspecified
        or address.is_link_local
        or address.is_reserved
    )
    is_udp = candidate.protocol.lower() == "udp" and candidate.component == 1 and 0 < candidate.port < 65536
    return candidate if is_udp and is_callable else None
