"""Evidence is sealed, linked into the chain, and deleted for good when its time is over."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from test_alerts import verdict
from test_store_chain import BANK, alert, contents, ended, links, started

from stream.alerts import chain
from stream.alerts.bus import Bus
from stream.alerts.evidence import DAY_S, MAX_KEPT, Evidence, Keeping
from stream.alerts.recorder import Recorder
from stream.alerts.store import Store
from stream.alerts.tables import EvidenceRow
from stream.alerts.vault import ShreddedError, Vault
from stream.api.case_messages import EvidenceDeletedMessage, EvidenceKind

JPEG = b"\xff\xd8\xff" + b"a face that must go" * 200


@asynccontextmanager
async def opened(
    folder: Path, keeping: Keeping, now: Callable[[], float] = time.time
) -> AsyncIterator[tuple[Evidence, Store]]:
    store = Store(f"sqlite+aiosqlite:///{folder / 'kua.sqlite'}", Vault(folder / "keys", is_volatile=not keeping.days))
    await store.open()
    recorder = Recorder(store, Bus())
    await recorder.start()
    evidence = Evidence(store, recorder, keeping, now)
    try:
        yield evidence, store
    finally:
        await recorder.close()
        await store.close()


async def begin(store: Store) -> None:
    for make in (started("s"), alert("s")):
        await store.append(make, BANK)


async def settled(store: Store, n: int) -> None:
    """Wait until so many events are stored."""
    while await store.newest_seq() < n:
        await asyncio.sleep(0.01)


async def test_a_kept_piece_is_sealed_linked_and_returned_also_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await begin(store)
        await evidence.keep_face("s", "alert-s", BANK, JPEG, 2.0)
        await settled(store, 3)
        assert all(b"a face that must go" not in content for content in contents(tmp_path))
    async with opened(tmp_path, Keeping()) as (evidence, store):
        assert await evidence.face("s", "alert-s") == JPEG
        (piece,) = await evidence.of("alert-s")
        assert (await evidence.get(piece.id))[1] == JPEG  # type: ignore[index]
        told = (await store.after(2))[0]
        assert (told.type, told.sha256) == ("evidence", piece.sha256)  # type: ignore[union-attr]
        assert chain.broken(await links(store, "s")) is None


@pytest.mark.parametrize(
    ("keeping", "kinds"),
    [
        (Keeping(days=30, faces=True, audio=False), {"face", "timeline"}),
        (Keeping(days=30, faces=False, audio=True), {"audio", "timeline"}),
        (Keeping(days=0, faces=True, audio=True), set()),
    ],
)
async def test_only_what_the_policy_names_is_kept(tmp_path: Path, keeping: Keeping, kinds: set[str]) -> None:
    async with opened(tmp_path, keeping) as (evidence, store):
        await begin(store)
        await evidence.keep_face("s", "alert-s", BANK, JPEG, 2.0)
        await evidence.keep("s", "alert-s", BANK, EvidenceKind.AUDIO, "audio/wav", b"RIFF", (0.0, 4.0))
        await evidence.keep_timeline("s", "alert-s", BANK, [])
        assert {piece.kind for piece in await evidence.of("alert-s")} == kinds
        assert await evidence.face("s", "alert-s") == JPEG  # of a call that runs, from memory


async def test_when_the_days_are_over_all_is_deleted_and_a_tombstone_stays(tmp_path: Path) -> None:
    clock = [time.time()]
    async with opened(tmp_path, Keeping(days=2), lambda: clock[0]) as (evidence, store):
        await begin(store)
        await evidence.keep_face("s", "alert-s", BANK, JPEG, 2.0)
        await settled(store, 3)
        sealed = (await evidence.of("alert-s"))[0].sealed
        clock[0] += 1.9 * DAY_S
        await evidence.sweep()
        assert await evidence.face("s", "alert-s") == JPEG
        clock[0] += 0.2 * DAY_S
        await evidence.sweep()
        assert await evidence.face("s", "alert-s") is None
        assert await evidence.of("alert-s") == []
        tombstone = (await store.after(3))[0]
        assert isinstance(tombstone, EvidenceDeletedMessage)
        assert (tombstone.cause, tombstone.by, len(tombstone.sha256)) == ("retention", "service", 1)
        assert chain.broken(await links(store, "s")) is None
        with pytest.raises(ShreddedError):
            store.vault.open("s", sealed)
        assert all(sealed[:64] not in content for content in contents(tmp_path)), "also not in the write-ahead log"
        await evidence.sweep()
        assert await store.newest_seq() == 4, "a second sweep finds nothing more to do"
        await evidence.keep_face("s", "alert-s", BANK, JPEG, 9.0)  # the call goes on: its key never comes back
        assert await evidence.of("alert-s") == []


async def test_a_kill_between_tombstone_and_deletion_is_made_good_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await begin(store)
        await evidence.keep_face("s", "alert-s", BANK, JPEG, 2.0)

        async def killed(_: str) -> None:
            raise OSError("killed here")

        monkeypatch.setattr(evidence, "_erase", killed)
        with pytest.raises(OSError, match="killed here"):
            await evidence.delete("s", BANK, by="Aru", cause="the customer asked")
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await evidence.start()
        assert await evidence.face("s", "alert-s") is None
        async with store.sessions() as db:
            assert list(await db.scalars(select(EvidenceRow))) == []
        assert [event.type for event in await store.after(0)].count("evidence_deleted") == 1
        await evidence.close()


async def test_a_piece_that_a_kill_kept_from_its_chain_is_linked_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await begin(store)
        await evidence.keep_face("s", "alert-s", BANK, JPEG, 2.0)
        await settled(store, 3)
        monkeypatch.setattr(Recorder, "record", lambda *_: None)  # killed before the event was written
        await evidence.keep_face("s", "alert-s", BANK, JPEG + b"2", 3.0)
    monkeypatch.undo()
    for _ in range(2):
        async with opened(tmp_path, Keeping()) as (evidence, store):
            await evidence.start()
            await settled(store, 4)
            pieces = [event for event in await store.after(0) if event.type == "evidence"]
            assert [piece.start_s for piece in pieces] == [2.0, 3.0]
            assert len({piece.id for piece in pieces}) == 2
            await evidence.close()


async def test_an_alert_that_goes_on_for_hours_does_not_fill_the_disk(tmp_path: Path) -> None:
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await begin(store)
        for i in range(MAX_KEPT + 3):
            await evidence.keep_face("s", "alert-s", BANK, JPEG + bytes([i]), float(i))
        assert len(await evidence.of("alert-s")) == MAX_KEPT
        assert await evidence.face("s", "alert-s") == JPEG + bytes([MAX_KEPT + 2])
        await store.append(ended("s"), BANK)


async def test_the_same_picture_is_kept_once(tmp_path: Path) -> None:
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await begin(store)
        for time_s in (2.0, 2.0, 3.0):
            await evidence.keep_face("s", "alert-s", BANK, JPEG + bytes([int(time_s)]), time_s)
        assert [piece.start_s for piece in await evidence.of("alert-s")] == [2.0, 3.0]


async def test_readings_are_kept_packed_and_come_back(tmp_path: Path) -> None:
    async with opened(tmp_path, Keeping()) as (evidence, store):
        await begin(store)
        readings = [verdict("s", i / 2) for i in range(2000)]
        await evidence.keep_timeline("s", "alert-s", BANK, readings)
        (piece,) = await evidence.of("alert-s")
        assert (piece.start_s, piece.end_s) == (0.0, 999.5)
        assert len(piece.sealed) < 100_000
        assert (await evidence.timeline("s", "alert-s")).readings == readings
        assert gzip.decompress((await evidence.get(piece.id))[1]).startswith(b'[{"type"')  # type: ignore[index]
