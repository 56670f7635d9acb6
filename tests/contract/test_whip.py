"""WHIP (RFC 9725) as clients see it: every status, header and error text, and a whole call over real HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from fastapi import FastAPI

from models.traits import Traits
from stream.api.access import Access
from stream.api.calls import Calls
from stream.api.whip import router
from stream.errors import ServiceFullError
from stream.events import AudioFrame, Media, Medium, VideoFrame
from stream.ingest.guard import close_quietly
from stream.ingest.offer import MAX_SDP_BYTES
from stream.ingest.webrtc import WebRtcIngest
from stream.scope import Scope, Stake
from stream.settings import Settings

SDP = {"content-type": "application/sdp"}
FRAGMENT = {"content-type": "application/trickle-ice-sdpfrag"}
PAGE = "https://desk.example.org"


class Sink:
    """A session that only remembers."""

    def __init__(self, id: str) -> None:
        self.id = id
        self.media: list[Media] = []
        self.causes: list[str] = []
        self._callbacks: list[Callable[[], None]] = []

    def push(self, media: Media) -> None:
        self.media.append(media)

    def note_dropped(self, medium: Medium, amount: float) -> None: ...

    def note_pipeline(self, traits: Traits) -> None: ...

    def close(self, cause: str) -> None:
        self.causes.append(cause)
        while self._callbacks:
            self._callbacks.pop(0)()

    def on_close(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)


class Desk:
    def __init__(self) -> None:
        self.n_max = 8
        self.names: list[str] = []
        self.sinks: list[Sink] = []

    def open(self, *, source: str, name: str, scope: Scope, stake: Stake, is_invited: bool) -> Sink:
        if len(self.sinks) >= self.n_max:
            raise ServiceFullError(f"{self.n_max} of {self.n_max} calls are running", retry_after_s=7)
        self.names.append(name)
        self.sinks.append(Sink(f"call-{len(self.sinks)}"))
        return self.sinks[-1]

    def scope_of(self, session: str) -> Scope:
        return Scope()


class NoTokens:
    """A store without tokens."""

    async def find(self, text: str) -> None:
        return None

    async def has_admin(self) -> bool:
        return False


@dataclass
class Service:
    """The routes in an app, behind the real access check."""

    app: FastAPI
    ingest: WebRtcIngest
    desk: Desk
    client: httpx.AsyncClient


@dataclass
class Services:
    made: list[Service] = field(default_factory=list)

    def start(self, **settings: Any) -> Service:
        chosen = Settings(**settings)
        desk = Desk()
        ingest = WebRtcIngest(desk, chosen)
        app = FastAPI()
        tokens = NoTokens()
        access = Access(chosen, tokens, None)  # type: ignore[arg-type]
        app.include_router(router(ingest, chosen, Calls(desk, tokens, access)))  # type: ignore[arg-type]
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")
        self.made.append(Service(app, ingest, desk, client))
        return self.made[-1]


@pytest.fixture
async def services() -> AsyncIterator[Services]:
    made = Services()
    yield made
    for service in made.made:
        await service.client.aclose()
        await service.ingest.close()


@pytest.fixture
async def caller() -> AsyncIterator[RTCPeerConnection]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
    pc.addTransceiver(VideoStreamTrack(), direction="sendonly")
    yield pc
    await close_quietly(pc)


@pytest.fixture
async def offer(caller: RTCPeerConnection) -> str:
    await caller.setLocalDescription(await caller.createOffer())
    return caller.localDescription.sdp


def problem(response: httpx.Response) -> tuple[int, str]:
    assert list(response.json()) == ["error"]
    return response.status_code, response.json()["error"]


async def test_an_offer_is_answered_with_all_that_a_client_needs(services: Services, offer: str) -> None:
    # Port 9 refuses at once: a server that does not answer holds up the offer for five seconds.
    service = services.start(ice_servers=[f"turn:{name}:s3cret@127.0.0.1:9?transport=tcp" for name in ("kua", "two")])
    response = await service.client.post("/whip", content=offer, headers=SDP)
    assert response.status_code == 201
    assert response.headers["location"] == "/whip/call-0"
    assert re.fullmatch(r'"[0-9a-f]{16}"', response.headers["etag"])
    assert response.headers["content-type"] == "application/sdp"
    assert response.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
    assert response.headers.get_list("link") == [
        f'<turn:127.0.0.1:9?transport=tcp>; rel="ice-server"; username="{name}"; credential="s3cret"; '
        'credential-type="password"'
        for name in ("kua", "two")
    ]
    assert response.text.startswith("v=0\r\n")
    assert response.text.count("a=recvonly") == 2


async def test_hanging_up_works_once(services: Services, offer: str) -> None:
    service = services.start()
    location = (await service.client.post("/whip", content=offer, headers=SDP)).headers["location"]
    assert (await service.client.delete(location)).status_code == 200
    assert service.desk.sinks[0].causes == ["hung up"]
    assert problem(await service.client.delete(location)) == (404, "no such call")


@pytest.mark.parametrize(
    ("headers", "query", "name"),
    [
        ({"Kua-Name": "Anna"}, "", "Anna"),
        ({"Kua-Name": "%D0%90%D0%B9%D0%B3%D0%B5%D1%80%D1%96%D0%BC"}, "", "Айгерім"),
        ({}, "?name=%D3%98%D1%81%D0%B5%D0%BB", "Әсел"),
        ({}, "", ""),
    ],
)
async def test_a_call_can_be_named(
    services: Services, offer: str, headers: dict[str, str], query: str, name: str
) -> None:
    service = services.start()
    await service.client.post("/whip" + query, content=offer, headers=SDP | headers)
    assert service.desk.names == [name]


@pytest.mark.parametrize("name", ["a" * 81, "a\nb", "\u202ereversed"])
async def test_a_name_that_cannot_be_shown_is_refused(services: Services, offer: str, name: str) -> None:
    response = await services.start().client.post("/whip", content=offer, headers=SDP, params={"name": name})
    assert problem(response) == (400, "the name of a call is at most 80 printable characters")


async def test_another_content_type_is_415(services: Services, offer: str) -> None:
    client = services.start().client
    response = await client.post("/whip", content=offer, headers={"content-type": "application/json"})
    assert problem(response) == (415, "Content-Type is application/json, expected application/sdp")
    response = await client.patch("/whip/call-0", content="", headers=SDP)
    assert problem(response) == (415, "Content-Type is application/sdp, expected application/trickle-ice-sdpfrag")


async def test_a_content_type_may_have_parameters(services: Services, offer: str) -> None:
    headers = {"content-type": "application/SDP; charset=utf-8"}
    assert (await services.start().client.post("/whip", content=offer, headers=headers)).status_code == 201


async def test_a_body_that_is_too_long_is_413_however_long_it_says_it_is(services: Services) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"v=0\r\n" * 1_000

    response = await services.start().client.post("/whip", content=parts(), headers=SDP | {"content-length": "5"})
    assert problem(response) == (413, f"the body has more than {MAX_SDP_BYTES} bytes")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the offer is no SDP: the first line must be v=0"),
        (b"\xff\xfe", "the body is not valid UTF-8"),
        (b"v=0\r\n", "the offer has 0 media sections, 1 to 4 are allowed"),
    ],
)
async def test_an_offer_that_cannot_be_answered_is_400(services: Services, body: bytes, message: str) -> None:
    service = services.start()
    assert problem(await service.client.post("/whip", content=body, headers=SDP)) == (400, message)
    assert service.desk.sinks == []


async def test_a_call_too_many_is_503_and_says_when_to_come_back(services: Services, offer: str) -> None:
    service = services.start()
    service.desk.n_max = 0
    response = await service.client.post("/whip", content=offer, headers=SDP)
    assert problem(response) == (503, "0 of 0 calls are running")
    assert response.headers["retry-after"] == "7"


async def test_an_offer_too_many_is_429_and_says_when_to_come_back(services: Services) -> None:
    client = services.start(offers_per_minute=2).client
    statuses = [(await client.post("/whip", content="", headers=SDP)).status_code for _ in range(2)]
    assert statuses == [400, 400]
    response = await client.post("/whip", content="", headers=SDP)
    assert problem(response) == (429, "too many offers; the next one in 30 s")
    assert response.headers["retry-after"] == "30"


async def test_without_the_token_only_options_is_answered(services: Services, offer: str) -> None:
    client = services.start(token="s3cret").client
    for method, path in (("POST", "/whip"), ("PATCH", "/whip/call-0"), ("DELETE", "/whip/call-0")):
        response = await client.request(method, path, content=offer, headers=SDP)
        assert response.status_code == 401, method
        assert response.headers["www-authenticate"] == "Bearer"
    assert (await client.options("/whip")).status_code == 200
    response = await client.post("/whip", content=offer, headers=SDP | {"authorization": "Bearer s3cret"})
    assert response.status_code == 201


async def test_candidates_are_trickled_under_the_answers_etag(services: Services, offer: str) -> None:
    client = services.start().client
    answer = await client.post("/whip", content=offer, headers=SDP)
    path, etag = answer.headers["location"], answer.headers["etag"]
    ufrag = next(line for line in offer.splitlines() if line.startswith("a=ice-ufrag"))
    body = f"{ufrag}\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.168.7.31 50111 typ host\r\n"
    for match in (etag, "*"):
        response = await client.patch(path, content=body, headers=FRAGMENT | {"if-match": match})
        assert (response.status_code, response.content) == (204, b"")
    assert problem(await client.patch(path, content=body, headers=FRAGMENT)) == (
        428,
        "If-Match is missing; send the ETag of the answer",
    )
    assert problem(await client.patch(path, content=body, headers=FRAGMENT | {"if-match": '"x"'})) == (
        412,
        'If-Match is "x", the session has another ETag',
    )
    restart = "a=ice-ufrag:Anew\r\na=ice-pwd:4uYx0sGm1tq7Vd2hB9nLcE5w\r\n"
    assert problem(await client.patch(path, content=restart, headers=FRAGMENT | {"if-match": "*"})) == (
        422,
        "ICE restarts are not supported; make a new offer",
    )
    assert problem(await client.patch("/whip/nobody", content=body, headers=FRAGMENT | {"if-match": "*"})) == (
        404,
        "no such call",
    )


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_other_methods_are_405(services: Services, method: str) -> None:
    client = services.start().client
    response = await client.request(method, "/whip")
    assert problem(response) == (405, f"{method} is not for WHIP; offers are POSTed as application/sdp")
    assert response.headers["allow"] == "POST, OPTIONS"
    assert (await client.request(method, "/whip/call-0")).headers["allow"] == "PATCH, DELETE, OPTIONS"


async def test_options_says_what_is_accepted(services: Services) -> None:
    response = await services.start().client.options("/whip")
    assert response.status_code == 200
    assert response.headers["accept-post"] == "application/sdp"
    assert "access-control-allow-origin" not in response.headers


async def test_pages_of_allowed_origins_may_call_and_read_the_headers(services: Services, offer: str) -> None:
    client = services.start(allowed_origins=[PAGE]).client
    asked = {"origin": PAGE, "access-control-request-method": "POST"}
    preflight = await client.options("/whip", headers=asked)
    assert preflight.headers["access-control-allow-origin"] == PAGE
    assert preflight.headers["access-control-allow-methods"] == "POST, PATCH, DELETE, OPTIONS"
    assert preflight.headers["access-control-allow-headers"] == "Authorization, Content-Type, If-Match, Kua-Name"
    answer = await client.post("/whip", content=offer, headers=SDP | {"origin": PAGE})
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert {"Location", "ETag", "Link"} <= set(answer.headers["access-control-expose-headers"].split(", "))
    refused = await client.post("/whip", content="", headers=SDP | {"origin": PAGE})
    assert refused.headers["access-control-allow-origin"] == PAGE, "or the page could not read why"


async def test_pages_of_other_origins_get_no_permission(services: Services) -> None:
    client = services.start(allowed_origins=[PAGE]).client
    preflight = await client.options("/whip", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-methods" not in preflight.headers
    assert (await client.post("/whip", headers=SDP | {"origin": "https://evil.example"})).status_code == 403


async def test_a_whole_call_over_http(services: Services, caller: RTCPeerConnection, offer: str) -> None:
    service = services.start()
    server = uvicorn.Server(uvicorn.Config(service.app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    serving = asyncio.ensure_future(server.serve())
    async with asyncio.timeout(20):
        while not server.started:
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            answer = await client.post("/whip", content=offer, headers=SDP)
            await caller.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            (sink,) = service.desk.sinks
            while not {AudioFrame, VideoFrame} <= {type(media) for media in sink.media}:
                await asyncio.sleep(0.01)
            assert (await client.delete(answer.headers["location"])).status_code == 200
        assert sink.causes == ["hung up"]
        server.should_exit = True
        await serving
