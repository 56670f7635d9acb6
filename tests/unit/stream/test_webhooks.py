"""Webhooks arrive signed and in order, are tried again until they do, and outlast a kill of the service."""

import asyncio
import ipaddress
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import func, select, update
from standardwebhooks import Webhook, WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from test_store_chain import BANK, alert, deed, ended, started

from stream.alerts.store import Store
from stream.alerts.tables import OutboxRow, WebhookRow
from stream.alerts.targets import GuardedBackend, TargetError, check_url, is_public
from stream.alerts.vault import Vault
from stream.alerts.webhook_store import BACKOFF_S, WebhookStore
from stream.alerts.webhooks import AT_ONCE, Webhooks
from stream.api.case_messages import Deed


@dataclass
class Receiver:
    """A real server that answers as it is told, and remembers what came."""

    statuses: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""
    delay_s: float = 0.0

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        await asyncio.sleep(self.delay_s)
        status = self.statuses.pop(0) if self.statuses else 204
        return Response(status_code=status, headers={"Location": "http://127.0.0.1:1/"} if status == 302 else {})

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.got]


@asynccontextmanager
async def receiving(**how: Any) -> AsyncIterator[Receiver]:
    receiver = Receiver(**how)
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="error"))
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    receiver.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.should_exit = True
        await running


@dataclass
class Place:
    store: Store
    clock: list[float]
    made: list[Webhooks] = field(default_factory=list)

    def hooks(self, *, allow_private: bool = True) -> Webhooks:
        kept = WebhookStore(
            self.store.sessions, self.store.vault, allow_private=allow_private, now=lambda: self.clock[0]
        )
        self.made.append(Webhooks(kept, allow_private=allow_private, now=lambda: self.clock[0]))
        return self.made[-1]

    async def happen(self, hooks: Webhooks | None, *makes: Callable[[int], Any]) -> None:
        for make in makes:
            await self.store.append(make, BANK)
        if hooks:
            hooks.wake()


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'kua.sqlite'}", Vault(tmp_path / "keys"))
    await store.open()
    made = Place(store, [1_800_000_000.0])
    yield made
    for hooks in made.made:
        await hooks.close()
    await store.close()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def waiting(hooks: Webhooks, **counts: int) -> None:
    async with asyncio.timeout(10):
        while await hooks.store.counts() != counts:
            await asyncio.sleep(0.01)


async def test_a_message_is_signed_names_the_call_and_carries_its_link_of_the_chain(place: Place) -> None:
    async with receiving() as receiver:
        hooks = place.hooks()
        _, secret = await hooks.store.create("bank", receiver.url, ["*"])
        await hooks.start()
        await place.happen(hooks, started("a", "Ольга"), alert("a"), deed("a", Deed.CLAIMED, "Aru"), ended("a"))
        await waiting(hooks, waiting=0, dead=0)
        assert receiver.types() == ["alert.raised", "case.changed"]
        headers, body = receiver.got[0]
        place.clock[0] = float(headers["webhook-timestamp"])
        said = _verified(secret, body, headers)
        assert said["data"]["call"]["name"] == "Ольга"
        row, _ = (await place.store.links("a"))[1]
        assert (said["data"]["seq"], said["data"]["chain"]) == (row.seq, row.chain)
        with pytest.raises(WebhookVerificationError):
            _verified(secret, body.replace(b"raised", b"raisee"), headers)


def _verified(secret: str, body: bytes, headers: dict[str, str]) -> Any:
    """Verify as a receiver does, at the time that the message names."""
    from unittest.mock import patch

    import standardwebhooks.webhooks as library

    class Then(library.datetime):  # type: ignore[misc, name-defined]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return library.datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz)

    with patch.object(library, "datetime", Then):
        return Webhook(secret).verify(body, headers)


async def test_what_is_not_wanted_and_what_is_of_others_is_not_sent(place: Place) -> None:
    async with receiving() as receiver:
        hooks = place.hooks()
        await hooks.store.create("bank", receiver.url, ["alert.labelled"])
        await hooks.store.create("other", receiver.url, ["*"])
        await hooks.start()
        await place.happen(hooks, started("a"), alert("a"))
        await asyncio.sleep(0.2)
        assert receiver.got == []
        with pytest.raises(ValueError, match=r"got alert\.lost, expected some of alert\.raised"):
            await hooks.store.create("bank", receiver.url, ["alert.lost"])


async def test_a_failure_is_tried_again_with_the_same_id_until_it_is_given_up_and_by_hand(place: Place) -> None:
    async with receiving(statuses=[500, 302, *[503] * (len(BACKOFF_S) - 1)]) as receiver:
        hooks = place.hooks()
        await hooks.store.create("bank", receiver.url, ["alert.raised"])
        await hooks.start()
        await place.happen(hooks, started("a"), alert("a"))
        for n, pause_s in enumerate(BACKOFF_S, 1):
            await until(lambda n=n: len(receiver.got) == n)
            await until(lambda: not hooks._busy)
            place.clock[0] += 0.9 * pause_s
            hooks.wake()
            await asyncio.sleep(0.05)
            assert len(receiver.got) == n, "too early"
            place.clock[0] += 0.4 * pause_s
            hooks.wake()
        await waiting(hooks, waiting=0, dead=1)
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
        (letter,) = await hooks.store.dead("bank", 10)
        assert (letter.error, letter.tries) == ("answered 503, expected 200 to 299", len(BACKOFF_S) + 1)
        assert not await hooks.store.retry("other", letter.id)
        assert await hooks.store.retry("bank", letter.id)
        hooks.wake()
        await waiting(hooks, waiting=0, dead=0)


async def test_what_was_given_up_is_forgotten_after_a_month(place: Place) -> None:
    async with receiving(statuses=[500] * 20) as receiver:
        hooks = place.hooks()
        hook, _ = await hooks.store.create("bank", receiver.url, ["*"])
        await _put(place, hook, 1)
        async with place.store.sessions.begin() as db:
            await db.execute(update(OutboxRow).values(tries=len(BACKOFF_S)))
        await hooks.start()
        await waiting(hooks, waiting=0, dead=1)
        for days, left in ((29.9, 1), (0.2, 0)):
            place.clock[0] += days * 86_400
            await hooks.store.forget()
            assert len(await hooks.store.dead("bank", 10)) == left


async def test_a_receiver_that_is_gone_is_told_of_nothing_more(place: Place) -> None:
    async with receiving(statuses=[410]) as receiver:
        hooks = place.hooks()
        await hooks.store.create("bank", receiver.url, ["*"])
        await hooks.start()
        await place.happen(hooks, started("a"), alert("a"))
        await waiting(hooks, waiting=0, dead=1)
        await place.happen(hooks, deed("a", Deed.CLAIMED, "Aru"))
        await asyncio.sleep(0.1)
        assert len(receiver.got) == 1
        assert not (await hooks.store.list_("bank"))[0].is_active


async def test_what_waited_when_the_service_was_killed_is_delivered_at_its_next_start(place: Place) -> None:
    async with receiving() as receiver:
        await place.hooks().store.create("bank", receiver.url, ["*"])  # never started: as if it was killed at once
        await place.happen(None, started("a"), alert("a"), deed("a", Deed.CLAIMED, "Aru"))
        again = place.hooks()
        await again.start()
        await waiting(again, waiting=0, dead=0)
        assert receiver.types() == ["alert.raised", "case.changed"]


async def test_a_slow_receiver_does_not_hold_up_another(place: Place) -> None:
    async with receiving(delay_s=3) as slow, receiving() as quick:
        hooks = place.hooks()
        for receiver in (slow, quick):
            await hooks.store.create("bank", receiver.url, ["*"])
        await hooks.start()
        await place.happen(hooks, started("a"), alert("a"), deed("a", Deed.CLAIMED, "x"), deed("a", Deed.NOTE, "x"))
        async with asyncio.timeout(2):
            while len(quick.got) < 3:
                await asyncio.sleep(0.01)
        assert len(slow.got) == 1, "in order: the next waits for the first"


async def _put(place: Place, hook: WebhookRow, n: int) -> None:
    async with place.store.sessions.begin() as db:
        for i in range(n):
            made = {"message": f"msg_{hook.id}_{i}", "type": "alert.raised", "made_at": "", "error": ""}
            db.add(OutboxRow(webhook=hook.id, body="{}", seq=i, **made))


async def test_a_backlog_of_slow_receivers_does_not_hide_what_waits_for_another(place: Place) -> None:
    async with receiving(delay_s=3) as slow, receiving() as quick:
        hooks = place.hooks()
        for receiver, n in ((slow, 150), (quick, 3)):
            hook, _ = await hooks.store.create("bank", receiver.url, ["*"])
            await _put(place, hook, n)
        await hooks.start()
        async with asyncio.timeout(2):
            while len(quick.got) < 3:
                await asyncio.sleep(0.01)
        assert len(slow.got) == 1


async def test_who_waited_longest_has_the_next_turn(place: Place) -> None:
    async with AsyncExitStack() as running:
        hooks = place.hooks()
        slow = [await running.enter_async_context(receiving(delay_s=0.3 + 0.05 * i)) for i in range(AT_ONCE)]
        quick = await running.enter_async_context(receiving())
        for receiver, n in (*((each, 8) for each in slow), (quick, 1)):
            hook, _ = await hooks.store.create("bank", receiver.url, ["*"])
            await _put(place, hook, n)
        await hooks.start()
        await until(lambda: quick.got)
        assert sum(len(each.got) for each in slow) <= AT_ONCE + 2, "one turn each, then the one that had none"


async def test_a_database_that_refuses_does_not_end_delivery(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiving() as receiver:
        hooks = place.hooks()
        hook, _ = await hooks.store.create("bank", receiver.url, ["*"])
        await _put(place, hook, 1)
        due = hooks.store.due

        async def refused(*_: object) -> list[OutboxRow]:
            monkeypatch.setattr(hooks.store, "due", due)
            raise ConnectionRefusedError(111, "Connect call failed")  # as asyncpg does, past SQLAlchemy

        monkeypatch.setattr(hooks.store, "due", refused)
        await hooks.start()
        await until(lambda: hooks.store.due == due)
        hooks.wake()
        await waiting(hooks, waiting=0, dead=0)
        assert len(receiver.got) == 1


async def test_what_nobody_expected_backs_off_like_a_failure(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    hooks = place.hooks()
    hook, _ = await hooks.store.create("bank", "http://127.0.0.1:9/", ["*"])
    await _put(place, hook, 1)
    asked: list[WebhookRow] = []

    def secret(row: WebhookRow) -> str:
        asked.append(row)
        raise ValueError("odd")

    monkeypatch.setattr(hooks.store, "secret", secret)
    await hooks.start()
    await asyncio.sleep(0.3)
    assert len(asked) == 1


async def test_what_arrived_is_forgotten_after_a_week_also_if_nothing_follows(place: Place) -> None:
    async with receiving() as receiver:
        hooks = place.hooks()
        hook, _ = await hooks.store.create("bank", receiver.url, ["*"])
        await _put(place, hook, 1)
        await hooks.start()
        await waiting(hooks, waiting=0, dead=0)
        for days, left in ((6.9, 1), (0.2, 0)):
            place.clock[0] += days * 86_400
            hooks.wake()
            await asyncio.sleep(0.2)
            async with place.store.sessions() as db:
                assert await db.scalar(select(func.count()).select_from(OutboxRow)) == left


async def test_the_address_is_called_as_it_is_written(place: Place) -> None:
    got: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\nnever whole")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "::1", 0)
    port = server.sockets[0].getsockname()[1]
    hooks = place.hooks()
    hook, _ = await hooks.store.create("bank", f"http://[::1]:{port}/hook;v=2?x=1", ["*"])
    assert (await hooks.test(hook.id)).delivered
    server.close()
    await server.wait_closed()
    assert got[0].startswith(b"POST /hook;v=2?x=1 HTTP/1.1\r\n")
    assert f"\r\nHost: [::1]:{port}\r\n".encode() in got[0]


async def test_a_test_message_says_at_once_what_came_of_it(place: Place) -> None:
    async with receiving(statuses=[200, 404]) as receiver:
        hooks = place.hooks()
        hook, _ = await hooks.store.create("bank", receiver.url, ["*"])
        assert (await hooks.test(hook.id)).delivered
        assert (await hooks.test(hook.id)).error == "answered 404, expected 200 to 299"
        assert receiver.types() == ["test", "test"]
        assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 2, "a receiver would drop the second"
    dead, _ = await hooks.store.create("bank", "http://127.0.0.1:9/", ["*"])
    assert "ConnectError" in (await hooks.test(dead.id)).error


async def test_private_networks_are_refused_when_it_connects_whatever_the_name(place: Place) -> None:
    async with receiving() as receiver:
        open_, closed = place.hooks(), place.hooks(allow_private=False)
        hook, _ = await open_.store.create("bank", receiver.url, ["*"])
        result = await closed.test(hook.id)
        assert "127.0.0.1, an address of a private network; KUA_WEBHOOK_PRIVATE allows it" in result.error
        named, _ = await open_.store.create("bank", receiver.url.replace("127.0.0.1", "localhost"), ["*"])
        assert "an address of a private network" in (await closed.test(named.id)).error
        assert receiver.got == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        *((text, False) for text in ("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254")),
        *((text, False) for text in ("0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255", "::", "::1")),
        *((text, False) for text in ("fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1")),
        *((text, False) for text in ("2002:a00:1::", "2001:0:a00:1::")),
        *((text, True) for text in ("1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::808:808")),
    ],
)
def test_only_addresses_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://a.example/", "https://", "https://user:pass@a.example/", "https://a.example:0/", "//a.example/", ""),
        *(
            "http://a.example/",
            "https://a.example/ b",
            "https://a.example/" + "x" * 2000,
            "https://[::1",
            "file:///etc",
        ),
    ],
)
def test_what_is_no_address_of_a_webhook_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^got .*expected "):
        check_url(url, allow_private=False)


async def test_sockets_of_this_machine_are_refused() -> None:
    with pytest.raises(TargetError, match="is a socket of this machine"):
        await GuardedBackend(allow_private=True).connect_unix_socket("/run/docker.sock")
