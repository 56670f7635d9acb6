"""Events are stored before they are pushed, numbered without repetition, and never lost to a slow viewer in silence."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from stream.alerts.bus import MAX_STORED, Bus
from stream.alerts.recorder import Recorder
from stream.alerts.store import Make, Store
from stream.alerts.vault import Vault
from stream.api.messages import (
    CoverageMessage,
    DroppedMessage,
    SessionEndedMessage,
    SessionStartedMessage,
    StoredMessage,
    VerdictMessage,
)
from stream.errors import SettingsError
from stream.events import State
from stream.scope import Scope


def started(session: str) -> Callable[[int], StoredMessage]:
    return lambda seq: SessionStartedMessage(seq=seq, session=session, name="Call", source="whip", at="2026-01-01")


def ended(session: str) -> Callable[[int], StoredMessage]:
    return lambda seq: SessionEndedMessage(
        seq=seq, session=session, at="2026-01-01", cause="bye", state=State.UNDECIDED
    )


def verdict(session: str, time_s: float) -> VerdictMessage:
    return VerdictMessage(
        session=session,
        time_s=time_s,
        state=State.UNDECIDED,
        reason=None,
        signals=[],
        coverage=CoverageMessage(call_s=0, face_s=0, speech_s=0),
        dropped=DroppedMessage(pictures=0, windows=0, audio_s=0),
        evidence_nat=3.5,
        threshold_nat=3,
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'deep' / 'kua.sqlite'}", Vault(tmp_path / "keys"))
    await store.open()
    yield store
    await store.close()


async def test_numbers_grow_and_events_are_read_back_as_they_were(store: Store) -> None:
    kept = [await store.append(make) for make in (started("a"), started("b"), ended("a"))]
    assert [event.seq for event in kept] == [1, 2, 3]
    assert await store.after(0) == kept
    assert await store.after(1, session="a") == [kept[2]]
    assert await store.recent(2) == kept[1:]
    assert await store.newest_seq() == 3


async def test_a_call_that_a_kill_cut_short_is_found(store: Store) -> None:
    for make in (started("a"), started("b"), ended("a")):
        await store.append(make)
    assert [event.session for event, _ in await store.unended()] == ["b"]


async def test_a_store_that_cannot_be_opened_names_its_address(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'kua.sqlite'}", Vault(tmp_path / "keys"))
    with pytest.raises(SettingsError, match="cannot open the alert store sqlite"):
        await store.open()
    await store.close()


async def test_live_readings_are_merged_and_stored_events_are_not() -> None:
    bus = Bus()
    viewer = bus.subscribe()
    for i in range(10):
        bus.publish(verdict("a", i))
        bus.publish(started("a")(i + 1))
    got = [await viewer.get() for _ in range(11)]
    assert [event.seq for event in got[:10] if isinstance(event, SessionStartedMessage)] == list(range(1, 11))
    assert got[10] == verdict("a", 9)


async def test_a_viewer_that_reads_too_slowly_is_cut_off_after_what_it_was_promised() -> None:
    bus = Bus()
    viewer = bus.subscribe()
    for seq in range(MAX_STORED + 5):
        bus.publish(started("a")(seq))
    got = [await viewer.get() for _ in range(MAX_STORED + 1)]
    assert [event.seq for event in got[:-1] if isinstance(event, SessionStartedMessage)] == list(range(MAX_STORED))
    assert got[-1] is None


async def test_a_viewer_of_one_call_hears_of_no_other() -> None:
    bus = Bus()
    viewer = bus.subscribe("b")
    bus.publish(started("a")(1))
    bus.publish(started("b")(2))
    got = await viewer.get()
    assert isinstance(got, SessionStartedMessage)
    assert got.session == "b"


async def test_an_event_is_stored_before_it_is_pushed_and_waits_for_a_full_disk(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stream.alerts.recorder.RETRY_S", 0.05)
    bus, append, failures = Bus(), store.append_all, iter([True, True])

    async def full_disk(makes: Sequence[tuple[Make, Scope]]) -> list[StoredMessage]:
        if next(failures, False):
            raise OperationalError("INSERT", {}, OSError("database or disk is full"))
        return await append(makes)

    monkeypatch.setattr(store, "append_all", full_disk)
    recorder, viewer = Recorder(store, bus), bus.subscribe()
    await recorder.start()
    recorder.record(started("a"))
    recorder.record(ended("a"))
    first, second = await asyncio.wait_for(viewer.get(), 5), await asyncio.wait_for(viewer.get(), 5)
    assert [first, second] == await store.after(0)
    await recorder.close()


async def test_a_burst_is_stored_in_its_order_and_what_cannot_be_stored_costs_nothing_else(store: Store) -> None:
    bus = Bus()
    recorder, viewer = Recorder(store, bus), bus.subscribe()

    def broken(seq: int) -> StoredMessage:
        if seq:
            raise ValueError("no such event")
        return started("x")(0)

    for i in range(150):
        recorder.record(started(f"{i}"))
    recorder.record(broken)
    asked = asyncio.ensure_future(recorder.keep(started("asked"), Scope()))
    refused = asyncio.ensure_future(recorder.keep(broken, Scope()))
    await asyncio.sleep(0)
    recorder.record(started("last"))
    await recorder.start()
    assert (await asked).session == "asked"
    with pytest.raises(ValueError, match="no such event"):
        await refused
    await recorder.close()
    wanted = [*(f"{i}" for i in range(150)), "asked", "last"]
    assert [event.session for event in await store.after(0)] == wanted
    got = [await viewer.get() for _ in wanted]
    assert [event.session for event in got if event is not None] == wanted
