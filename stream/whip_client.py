"""A small WHIP client (RFC 9725): sends tracks to a service, as the demonstration and the benchmarks do."""

import asyncio
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from stream.errors import SignallingError

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Publication:
    """A call that is being sent."""

    pc: RTCPeerConnection
    resource: str
    """Address of the call, to end it."""
    token: str

    async def close(self) -> None:
        """End the call politely; a service that is gone already is no error."""
        try:
            await asyncio.to_thread(_request, "DELETE", self.resource, self.token, None)
        except SignallingError:
            return
        finally:
            await self.pc.close()


async def publish(url: str, tracks: Sequence[MediaStreamTrack], *, token: str = "", name: str = "") -> Publication:
    """Start a call.

    Args:
        url: The service, http://HOST:PORT.
        tracks: What to send.
        token: Bearer token.
        name: The call's name on the page.

    Raises:
        SignallingError: The service cannot be reached or refuses; its own words are in the text.
    """
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    try:
        for track in tracks:
            pc.addTransceiver(track, direction="sendonly")
        await pc.setLocalDescription(await pc.createOffer())
        endpoint = urljoin(url, f"/whip?name={quote(name)}")
        answer, location = await asyncio.to_thread(_request, "POST", endpoint, token, pc.localDescription.sdp)
        await pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    except BaseException:
        await pc.close()
        raise
    return Publication(pc, urljoin(url, location), token)


def _request(method: str, url: str, token: str, sdp: str | None) -> tuple[str, str]:
    """Return body and Location of a reply."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise SignallingError(f"{url} is no web address; expected http://HOST:PORT")
    headers = {"Content-Type": "application/sdp"} if sdp is not None else {}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, sdp.encode() if sdp is not None else None, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as reply:
            return reply.read().decode(), reply.headers.get("Location", "")
    except urllib.error.HTTPError as exc:
        raise SignallingError(f"{url} answered {exc.code}: {exc.read(500).decode(errors='replace')}", exc.code) from exc
    except OSError as exc:
        raise SignallingError(f"cannot reach {url}: {exc}; is the service running (make run)?", 503) from exc
