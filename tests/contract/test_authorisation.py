"""Every route x every role: the table below is held against the routes themselves, so that none can be forgotten."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import Mount
from test_api import SilentModels, make_app, serving
from test_store_chain import alert, ended, started

from stream.alerts.tokens import Tokens
from stream.api.access import Needs
from stream.api.admin_messages import Right, Role
from stream.ingest.webrtc import Answer, WebRtcIngest
from stream.scope import Scope, Stake

RIGHTS: dict[tuple[str, str], Right | None] = {
    ("POST", "/whip"): None,
    ("PATCH", "/whip/{id}"): None,
    ("DELETE", "/whip/{id}"): None,
    ("GET", "/v1/join"): None,
    ("GET", "/v1/me"): Right.WATCH,
    ("GET", "/v1/about"): Right.WATCH,
    ("GET", "/v1/sessions"): Right.WATCH,
    ("GET", "/v1/sessions/{session}/timeline"): Right.WATCH,
    ("GET", "/v1/promise"): Right.WATCH,
    ("GET", "/v1/alerts/stream"): Right.WATCH,
    ("GET", "/v1/events"): Right.WATCH,
    ("GET", "/metrics"): Right.ADMIN,
    ("WEBSOCKET", "/v1/alerts"): Right.WATCH,
    ("WEBSOCKET", "/v1/ingest"): Right.CALL,
    ("POST", "/v1/sessions/{session}/watch"): Right.CALL,
    ("PATCH", "/v1/watch/{id}"): Right.CALL,
    ("DELETE", "/v1/watch/{id}"): Right.CALL,
    ("POST", "/v1/clips"): Right.CALL,
    ("GET", "/v1/clips/{id}"): Right.CALL,
    ("DELETE", "/v1/clips/{id}"): Right.CALL,
    ("GET", "/v1/forwarding"): Right.CALL,
    ("GET", "/v1/people"): Right.CALL,
    ("POST", "/v1/people"): Right.CALL,
    ("DELETE", "/v1/people/{id}"): Right.CALL,
    ("POST", "/v1/people/{id}/safe-word"): Right.CALL,
    ("PUT", "/v1/people/{id}/reference"): Right.CALL,
    ("DELETE", "/v1/people/{id}/reference"): Right.CALL,
    ("PUT", "/v1/sessions/{session}/face"): Right.CALL,
    ("GET", "/v1/sessions/{session}/checks"): Right.CALL,
    ("POST", "/v1/sessions/{session}/checks"): Right.CALL,
    ("POST", "/v1/asks"): Right.CALL,
    ("GET", "/v1/asks/{id}"): Right.CALL,
    ("DELETE", "/v1/asks/{id}"): Right.CALL,
    ("PUT", "/v1/sessions/{session}/reference"): Right.CALL,
    ("DELETE", "/v1/sessions/{session}/reference"): Right.CALL,
    ("GET", "/v1/invites"): Right.CALL,
    ("POST", "/v1/invites"): Right.CALL,
    ("DELETE", "/v1/invites/{id}"): Right.CALL,
    ("GET", "/v1/cases/{alert}"): Right.TRIAGE,
    ("POST", "/v1/cases/{alert}/deeds"): Right.TRIAGE,
    ("POST", "/v1/alerts/{alert}/label"): Right.TRIAGE,
    ("POST", "/v1/sessions/{session}/stake"): Right.TRIAGE,
    ("GET", "/v1/cases"): Right.DESK,
    ("GET", "/v1/cases.csv"): Right.DESK,
    ("GET", "/v1/cases.json"): Right.DESK,
    ("GET", "/v1/labels.csv"): Right.DESK,
    ("GET", "/v1/statistics"): Right.DESK,
    ("GET", "/v1/drift"): Right.DESK,
    ("GET", "/v1/evidence/{id}"): Right.EVIDENCE,
    ("GET", "/v1/sessions/{session}/alerts/{alert}/face.jpg"): Right.EVIDENCE,
    ("GET", "/v1/cases/{alert}/timeline"): Right.EVIDENCE,
    ("GET", "/v1/cases/{alert}/case.zip"): Right.EVIDENCE,
    ("GET", "/v1/cases/{alert}/report.pdf"): Right.EVIDENCE,
    ("DELETE", "/v1/cases/{alert}/evidence"): Right.ADMIN,
    ("GET", "/v1/tokens"): Right.ADMIN,
    ("POST", "/v1/tokens"): Right.ADMIN,
    ("DELETE", "/v1/tokens/{id}"): Right.ADMIN,
    ("GET", "/v1/audit"): Right.ADMIN,
    ("GET", "/v1/webhooks"): Right.ADMIN,
    ("POST", "/v1/webhooks"): Right.ADMIN,
    ("DELETE", "/v1/webhooks/{id}"): Right.ADMIN,
    ("POST", "/v1/webhooks/{id}/test"): Right.ADMIN,
    ("GET", "/v1/webhooks/dead"): Right.ADMIN,
    ("POST", "/v1/webhooks/dead/{id}/retry"): Right.ADMIN,
}
PAGES = {"/", "/viewer", "/desk", "/console", "/join", "/clip", "/admin", "/people", "/answer"}
OPEN = PAGES | {"/v1/answer", "/healthz", "/openapi.json"}
"""Readable by anybody: pages without data, that the service runs, and one question for whoever has its link."""
OF_ROLE = {
    Role.VIEWER: {Right.WATCH},
    Role.AGENT: {Right.WATCH, Right.CALL, Right.TRIAGE, Right.EVIDENCE},
    Role.ANALYST: {Right.WATCH, Right.CALL, Right.TRIAGE, Right.DESK, Right.EVIDENCE},
    Role.ADMIN: set(Right),
}
WHO = ("nobody", "revoked", "remote party", *Role)


@dataclass
class World:
    """A service with a call of the agent's, one of another agent's, and one of another organisation's."""

    client: httpx.AsyncClient
    address: str
    secrets: dict[str, str]
    app: FastAPI

    def headers(self, who: str) -> dict[str, str]:
        secret = self.secrets.get(who)
        return {"Authorization": f"Bearer {secret}"} if secret else {}


def routes_of(app: FastAPI) -> Iterator[tuple[str, str, Right | str | None]]:
    """Yield method, path and needed right of every route; "open" where none is asked for."""
    for route in _flat(app.routes):
        if isinstance(route, APIWebSocketRoute):
            yield "WEBSOCKET", route.path, "open"
        elif isinstance(route, APIRoute):
            needs = [d.call for d in route.dependant.dependencies if isinstance(d.call, Needs)]
            for method in sorted(route.methods or ()):
                yield method, route.path, needs[0].right if needs else "open"
        elif not isinstance(route, Mount):
            for method in sorted(getattr(route, "methods", None) or ()):
                yield method, route.path, "open"  # type: ignore[attr-defined]


def _flat(routes: list[Any]) -> Iterator[Any]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        yield from _flat(inner.routes) if inner is not None else [route]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    app = make_app(folder, SilentModels(), requests_per_minute=100_000)
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        tokens: Tokens = app.state.service.tokens
        secrets, ids = {}, {}
        for role in (Role.ADMIN, Role.VIEWER, Role.AGENT, Role.ANALYST):
            made = await tokens.create("default", role.value, role, by="test")
            secrets[role.value], ids[role.value] = made.secret, made.row.id
        gone = await tokens.create("default", "gone", Role.ADMIN, by="test")
        await client.delete(f"/v1/tokens/{gone.row.id}", headers={"Authorization": f"Bearer {secrets['admin']}"})
        link = await tokens.invite(Scope("default", ids["agent"]), "Link", hours=1, stake=Stake())
        foreign = await tokens.create("elsewhere", "foreign", Role.ADMIN, by="test")
        secrets |= {"revoked": gone.secret, "remote party": link.secret, "foreign": foreign.secret}
        recorder = app.state.service.recorder
        for session, scope in (
            ("own", Scope("default", ids["agent"])),
            ("other", Scope("default", "somebody else")),
            ("far", Scope("elsewhere", "")),
        ):
            for make in (started(session), alert(session), ended(session)):
                await recorder.keep(make, scope)
        yield World(client, address, secrets, app)


def test_every_route_is_in_the_table_with_the_right_that_it_asks_for(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    found = {(method, path): right for method, path, right in routes_of(app)}
    unguarded = {key for key, right in found.items() if right == "open" and key[0] != "WEBSOCKET"}
    harmless = {("GET", path) for path in OPEN} | {("HEAD", path) for path in OPEN}
    refusing = {(method, path) for method in ("GET", "HEAD", "PUT", "OPTIONS") for path in ("/whip", "/whip/{id}")}
    assert unguarded <= harmless | refusing | {("POST", "/v1/answer")}
    guarded = {key: right for key, right in found.items() if key not in unguarded}
    assert guarded.keys() == RIGHTS.keys()
    assert {k: r for k, r in guarded.items() if k[0] != "WEBSOCKET"} == {
        k: r for k, r in RIGHTS.items() if k[0] != "WEBSOCKET"
    }


async def test_every_route_answers_every_role_as_its_right_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.api.access.UNKNOWN_PER_MINUTE", 1000)
    wrong = []
    async with world(tmp_path) as w:
        for (method, path), who in itertools.product(RIGHTS, WHO):
            right = RIGHTS[method, path]
            allowed = may(who, right)
            if method == "WEBSOCKET":
                got = await opens(w, path, who)
                if got != allowed:
                    wrong.append((path, who, got))
                continue
            if path == "/v1/alerts/stream" and allowed:
                continue  # it never ends; what it tells is tested below
            url = path.format(id="nothing", session="nothing", alert="nothing") if "{" in path else path
            body: dict[str, Any] = (
                {"content": b"", "headers": w.headers(who)} if method != "GET" else {"headers": w.headers(who)}
            )
            reply = await w.client.request(method, url, **body)
            expected = {401} if who in ("nobody", "revoked") else {403}
            is_refused = reply.status_code in (401, 403)
            if is_refused is allowed or (not allowed and reply.status_code not in expected):
                wrong.append((method, path, who, reply.status_code))
    assert wrong == []


def may(who: str, right: Right | None) -> bool:
    if who in ("nobody", "revoked"):
        return False
    if who == "remote party":
        return right is None
    if right is None:
        return Right.CALL in OF_ROLE[Role(who)]
    return right in OF_ROLE[Role(who)]


async def opens(w: World, path: str, who: str) -> bool:
    async with websockets.connect(f"ws://{w.address}{path}", additional_headers=w.headers(who)) as live:
        with suppress(websockets.ConnectionClosed):
            if path == "/v1/ingest":
                await live.send('{"type": "nonsense"}')
            await live.recv()
        if path == "/v1/ingest":
            await live.wait_closed()
    return live.close_code != 4401


async def test_every_page_tells_browsers_what_to_hold_it_to(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels(), embed_origins=["https://desk.bank.example"])
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for path in (*OPEN, "/v1/me", "/v1/nothing"):
            headers = (await client.get(path)).headers
            policy = headers["content-security-policy"]
            framed = "https://desk.bank.example" if path == "/console" else "'none'"
            assert policy.endswith(f"frame-ancestors {framed}"), path
            assert "default-src 'self'" in policy
            assert "script-src" not in policy, "so that no inline script runs"
            assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")


async def test_too_many_requests_are_refused_by_token_and_without_one_by_address(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels(), token="secret", requests_per_minute=5)
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        good = [(await client.get("/v1/me", headers={"Authorization": "Bearer secret"})) for _ in range(6)]
        assert [reply.status_code for reply in good] == [200] * 5 + [429]
        assert int(good[-1].headers["retry-after"]) <= 12
        bad = [(await client.get("/v1/me", headers={"Authorization": f"Bearer {i}"})).status_code for i in range(61)]
        assert bad == [401] * 60 + [429]


async def test_a_remote_partys_link_tells_it_how_to_join_and_nothing_else(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        reply = await w.client.get("/v1/join", headers=w.headers("remote party"))
        assert list(reply.json()) == ["ice_servers", "expires_at", "light"]
        assert reply.json()["light"] is None
        assert (await w.client.get("/v1/join", headers=w.headers("admin"))).status_code == 404
        for method, session in itertools.product(("DELETE", "PATCH"), ("own", "other")):
            headers = w.headers("remote party") | {"If-Match": "*", "Content-Type": "application/trickle-ice-sdpfrag"}
            reply = await w.client.request(method, f"/whip/{session}", headers=headers, content=b"a=end-of-candidates")
            assert (reply.status_code, reply.json()) == (404, {"error": "no such call"})


SEEN = {
    "viewer": {"own", "other"},
    "agent": {"own"},
    "analyst": {"own", "other"},
    "admin": {"own", "other"},
    "foreign": {"far"},
}


@pytest.mark.parametrize("who", list(SEEN))
async def test_nobody_sees_calls_that_are_not_theirs_by_any_way(tmp_path: Path, who: str) -> None:
    async with world(tmp_path) as w:
        headers, seen = w.headers(who), SEEN[who]
        listed = (await w.client.get("/v1/sessions", headers=headers)).json()["sessions"]
        assert {call["session"] for call in listed} == seen
        events = (await w.client.get("/v1/events", headers=headers)).json()
        assert {event["session"] for event in events} == seen
        async with websockets.connect(f"ws://{w.address}/v1/alerts?after=0", additional_headers=headers) as live:
            told = {json.loads(await live.recv()).get("session") for _ in range(1 + 3 * len(seen))}
        assert told - {None} == seen
        for session in ("own", "other", "far"):
            status = (await w.client.get(f"/v1/sessions/{session}/timeline", headers=headers)).status_code
            assert status == (200 if session in seen else 404)
            if who == "viewer":
                continue
            status = (await w.client.get(f"/v1/cases/alert-{session}", headers=headers)).status_code
            assert status == (200 if session in seen else 404)
            note = {"deed": "note", "note": "seen"}
            done = await w.client.post(f"/v1/cases/alert-{session}/deeds", json=note, headers=headers)
            assert done.status_code == (201 if session in seen else 404)
        if who in ("analyst", "admin", "foreign"):
            page = (await w.client.get("/v1/cases", headers=headers)).json()
            assert {case["session"] for case in page["cases"]} == seen


async def test_a_viewer_hears_of_alerts_but_not_what_people_wrote(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        note = {"deed": "note", "note": "private words"}
        assert (
            await w.client.post("/v1/cases/alert-own/deeds", json=note, headers=w.headers("analyst"))
        ).status_code == 201
        for who, hears in (("viewer", False), ("agent", True)):
            events = (await w.client.get("/v1/events", headers=w.headers(who))).text
            assert ("private words" in events) is hears


async def test_a_revoked_token_ends_its_live_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.api.live.KEEP_ALIVE_S", 0.2)
    async with (
        world(tmp_path) as w,
        websockets.connect(f"ws://{w.address}/v1/alerts", additional_headers=w.headers("viewer")) as live,
    ):
        await live.recv()
        tokens = (await w.client.get("/v1/tokens", headers=w.headers("admin"))).json()
        (id,) = [token["id"] for token in tokens if token["name"] == "viewer"]
        assert (await w.client.delete(f"/v1/tokens/{id}", headers=w.headers("admin"))).status_code == 204
        await asyncio.wait_for(live.wait_closed(), 5)
        assert live.close_code == 4408


async def test_the_first_token_ends_open_access_also_of_connections_that_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.api.live.KEEP_ALIVE_S", 0.2)
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        assert (await client.get("/v1/me")).json()["name"] == "this machine"
        refused = await client.post("/v1/tokens", json={"name": "Aru", "role": "agent"})
        assert refused.status_code == 409
        async with websockets.connect(f"ws://{address}/v1/alerts") as live:
            await live.recv()
            made = await client.post("/v1/tokens", json={"name": "Root", "role": "admin"})
            assert made.status_code == 201
            await asyncio.wait_for(live.wait_closed(), 5)
        assert (await client.get("/v1/me")).status_code == 401
        headers = {"Authorization": f"Bearer {made.json()['secret']}"}
        assert (await client.get("/v1/me", headers=headers)).json()["name"] == "Root"
        log = (await client.get("/v1/audit", headers=headers)).json()
        assert [(line["action"], line["by"]) for line in log] == [("token.create", "this machine")]


class Watched:
    """Stands for the ingest: somebody watches until they are told to leave."""

    def __init__(self) -> None:
        self.ids: set[str] = set()

    async def watch(self, session: str, offer: str) -> Answer:
        self.ids.add("w1")
        return Answer(id="w1", etag='"e"', sdp="v=0")

    def is_watched(self, id: str) -> bool:
        return id in self.ids

    async def unwatch(self, id: str) -> None:
        self.ids.discard(id)


async def test_a_revoked_token_ends_what_it_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream.api.watch.ASKED_EVERY_S", 0.2)
    watched = Watched()
    monkeypatch.setattr(WebRtcIngest, "watch", lambda _, *given: watched.watch(*given))
    monkeypatch.setattr(WebRtcIngest, "is_watched", lambda _, id: watched.is_watched(id))
    monkeypatch.setattr(WebRtcIngest, "unwatch", lambda _, id: watched.unwatch(id))
    async with world(tmp_path) as w:
        tokens = (await w.client.get("/v1/tokens", headers=w.headers("admin"))).json()
        (id,) = [token["id"] for token in tokens if token["name"] == "analyst"]
        session = w.app.state.service.desk.open(source="test", name="a call", scope=Scope("default", id)).id
        headers = w.headers("analyst") | {"Content-Type": "application/sdp"}
        given = await w.client.post(f"/v1/sessions/{session}/watch", content="v=0", headers=headers)
        assert given.status_code == 201
        await asyncio.sleep(0.5)
        assert watched.is_watched("w1")
        assert (await w.client.delete(f"/v1/tokens/{id}", headers=w.headers("admin"))).status_code == 204
        async with asyncio.timeout(5):
            while watched.is_watched("w1"):
                await asyncio.sleep(0.05)
