"""Events form a chain for each call that shows every change, and cases follow from them in the same transaction."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from stream.alerts import chain
from stream.alerts.cases import Cases, Wanted
from stream.alerts.store import Store
from stream.alerts.vault import Vault
from stream.api.case_messages import CaseActionMessage, CaseStatus, Deed, StakeMessage
from stream.api.explanation_messages import FaceExplanationMessage
from stream.api.messages import (
    AlertMessage,
    CoverageMessage,
    SessionEndedMessage,
    SessionStartedMessage,
    SignalMessage,
    StoredMessage,
)
from stream.api.promise_messages import AlertLabel, LabelMessage
from stream.errors import ConflictError
from stream.events import AlertKind, State
from stream.scope import Scope

BANK = Scope("bank", "t1")
AT = "2026-11-26T10:00:00+00:00"


def started(session: str, name: str = "Call") -> Callable[[int], StoredMessage]:
    return lambda seq: SessionStartedMessage(seq=seq, session=session, name=name, source="whip", at=AT)


def ended(session: str) -> Callable[[int], StoredMessage]:
    return lambda seq: SessionEndedMessage(seq=seq, session=session, at=AT, cause="bye", state=State.SPOOF, call_s=60)


def signal() -> SignalMessage:
    return SignalMessage(
        signal="voice",
        track=0,
        state=State.SPOOF,
        llr=-2.0,
        reason=None,
        evidence_nat=5.0,
        analysed_s=9.0,
        long_s=None,
        long_llr=None,
    )


def alert(session: str, kind: AlertKind = AlertKind.RAISED, nat: float = 5.0) -> Callable[[int], StoredMessage]:
    return lambda seq: AlertMessage(
        seq=seq,
        id=f"alert-{session}",
        kind=kind,
        session=session,
        at=AT,
        since_s=4.0,
        time_s=4.0,
        signals=[signal()],
        coverage=CoverageMessage(call_s=9, face_s=0, speech_s=8),
        evidence_nat=nat,
        threshold_nat=4.0,
        models={},
        advice="verify_identity",
    )


def deed(session: str, what: Deed, by: str, *, to: str = "", note: str = "") -> Callable[[int], StoredMessage]:
    return lambda seq: CaseActionMessage(
        seq=seq, session=session, alert=f"alert-{session}", at=AT, deed=what, by=by, to=to, note=note
    )


def label(session: str, what: AlertLabel, by: str = "Aru") -> Callable[[int], StoredMessage]:
    return lambda seq: LabelMessage(
        seq=seq, session=session, alert=f"alert-{session}", at=AT, label=what, by=by, note="seen", reason="lips"
    )


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'kua.sqlite'}", Vault(tmp_path / "keys"))
    await store.open()
    yield store
    await store.close()


async def links(store: Store, session: str) -> list[tuple[int, str, str]]:
    return [(row.seq, row.body_sha256, row.chain) for row, _ in await store.links(session)]


def contents(folder: Path) -> list[bytes]:
    """Return what the files of the database hold."""
    return [path.read_bytes() for path in folder.glob("kua.sqlite*")]


async def test_the_events_of_each_call_are_linked_by_themselves(store: Store) -> None:
    for make in (started("a"), started("b"), alert("a"), alert("b"), ended("a")):
        await store.append(make, BANK)
    assert [seq for seq, *_ in await links(store, "a")] == [1, 3, 5]
    for session in "ab":
        assert chain.broken(await links(store, session)) is None
    row, event = (await store.links("a"))[0]
    assert event is not None
    body = json.dumps(event.model_dump(mode="json", exclude={"seq"}), sort_keys=True, separators=(",", ":"))
    assert row.body_sha256 == hashlib.sha256(body.encode()).hexdigest()
    assert row.chain == hashlib.sha256(f"{'0' * 64}\n1\n{row.body_sha256}".encode()).hexdigest()


@pytest.mark.parametrize("change", ["leave out", "swap", "other body", "put in"])
async def test_any_change_of_the_events_breaks_the_chain(store: Store, change: str) -> None:
    for make in (started("a"), alert("a"), alert("a", AlertKind.CLEARED), ended("a")):
        await store.append(make, BANK)
    found = await links(store, "a")
    changed = {
        "leave out": [found[0], *found[2:]],
        "swap": [found[0], found[2], found[1], found[3]],
        "other body": [found[0], (found[1][0], "f" * 64, found[1][2]), *found[2:]],
        "put in": [*found[:2], (2, found[1][1], found[1][2]), *found[2:]],
    }[change]
    assert chain.broken(found) is None
    assert chain.broken(changed) is not None


async def test_a_case_follows_its_alert_and_what_people_do(store: Store) -> None:
    cases = Cases(store.sessions)
    stake = StakeMessage(seq=0, session="a", at=AT, by="", amount=5e6, currency="KZT", reference="K-17")
    for make in (
        started("a", "Ольга"),
        lambda seq: stake.model_copy(update={"seq": seq}),
        alert("a"),
        alert("a", AlertKind.UPDATED, 7.5),
        deed("a", Deed.HANDED_OVER, "Agent", note="She does not know her own street"),
        deed("a", Deed.CLAIMED, "Aru"),
        alert("a", AlertKind.CLEARED),
        label("a", AlertLabel.SPOOF),
        ended("a"),
    ):
        await store.append(make, BANK)
    total, (case,) = await cases.page(Wanted(org="bank"), "urgency", 10, 0)
    assert total == 1
    assert (case.name, case.amount, case.currency, case.reference) == ("Ольга", 5e6, "KZT", "K-17")
    assert (case.status, case.assignee, case.is_handed_over, case.notes) == (
        CaseStatus.CONFIRMED_FRAUD,
        "Aru",
        True,
        2,
    )
    assert (case.evidence_nat, case.cleared_at, case.ended_at, case.call_s, case.reason) == (7.5, AT, AT, 60, "lips")
    for words, n in (("ольга", 1), ("k-17 street", 1), ("street nowhere", 0), ("100%", 0)):
        assert (await cases.page(Wanted(org="bank", text=words), "newest", 10, 0))[0] == n, words
    assert (await cases.page(Wanted(org="other"), "newest", 10, 0))[0] == 0


async def test_of_two_who_claim_a_case_the_second_is_refused_and_nothing_of_it_is_stored(store: Store) -> None:
    for make in (started("a"), alert("a"), deed("a", Deed.CLAIMED, "Aru")):
        await store.append(make, BANK)
    with pytest.raises(ConflictError, match="Aru has case alert-a already"):
        await store.append(deed("a", Deed.CLAIMED, "Dana"), BANK)
    assert await store.newest_seq() == 3
    await store.append(label("a", AlertLabel.FALSE_ALERT), BANK)
    with pytest.raises(ConflictError, match="is decided"):
        await store.append(deed("a", Deed.RELEASED, "Aru"), BANK)
    await store.append(deed("a", Deed.REOPENED, "Dana"), BANK)
    assert chain.broken(await links(store, "a")) is None
    with pytest.raises(ConflictError, match="not decided yet"):
        await store.append(deed("a", Deed.REOPENED, "Dana"), BANK)


async def test_urgent_is_what_runs_then_what_ended_lately_then_what_there_is_more_evidence_or_money_of(
    store: Store,
) -> None:
    cases = Cases(store.sessions, now=lambda: 1_795_687_200.0)  # 2026-11-26, 10 h UTC
    for session, nat in (("ended", 5.0), ("runs", 5.0), ("strong", 40.0)):
        await store.append(started(session), BANK)
        await store.append(alert(session, nat=nat), BANK)
    await store.append(ended("ended"), BANK)
    _, found = await cases.page(Wanted(org="bank"), "urgency", 10, 0)
    assert [case.session for case in found] == ["strong", "runs", "ended"]
    assert found[1].urgency == pytest.approx(4 * found[2].urgency)
    assert sorted((case.urgency for case in found), reverse=True) == [case.urgency for case in found]
    money = StakeMessage(seq=0, session="ended", at=AT, by="", amount=1e9, currency="KZT", reference="")
    await store.append(lambda seq: money.model_copy(update={"seq": seq}), BANK)
    _, found = await cases.page(Wanted(org="bank"), "urgency", 10, 0)
    assert found[0].session == "ended"


async def test_what_the_sealed_body_says_is_not_in_the_database_and_goes_with_its_key(
    store: Store, tmp_path: Path
) -> None:
    said = FaceExplanationMessage(
        seq=0,
        session="a",
        alert="alert-a",
        at=AT,
        start_s=0.0,
        end_s=4.0,
        time_s=2.0,
        track=1,
        spoof=[[0.123456, 0.654321]],
        model="f" * 12,
    )
    for make in (started("a"), alert("a"), lambda seq: said.model_copy(update={"seq": seq}), ended("a")):
        await store.append(make, BANK)
    assert [event.type for event in await store.after(0)] == [
        "session_started",
        "alert",
        "explanation",
        "session_ended",
    ]
    assert all(b"0.123456" not in content for content in contents(tmp_path))
    store.vault.shred("a")
    assert [event.type for event in await store.after(0)] == ["session_started", "alert", "session_ended"]
    assert (await store.links("a"))[2][1] is None
    assert chain.broken(await links(store, "a")) is None
    # A page of deleted events alone is not the end.
    assert [event.type for event in await store.after(2, limit=1)] == ["session_ended"]


async def test_a_database_of_an_earlier_version_is_taken_over_with_links_and_cases(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'old.sqlite'}"
    store = Store(url, Vault(tmp_path / "keys"))
    old = [make(i) for i, make in enumerate((started("a"), alert("a"), label("a", AlertLabel.SPOOF)), 1)]
    async with store.engine.begin() as db:
        await db.execute(
            text(
                "CREATE TABLE events (seq INTEGER PRIMARY KEY AUTOINCREMENT, session VARCHAR(64), "
                "type VARCHAR(32), body JSON)"
            )
        )
        for event in old:
            body = json.dumps(event.model_dump(mode="json", exclude={"seq"}))
            values = {"session": event.session, "type": event.type, "body": body}
            await db.execute(text("INSERT INTO events (session, type, body) VALUES (:session, :type, :body)"), values)
    await store.open()
    assert await store.after(0, org="default") == old
    assert chain.broken(await links(store, "a")) is None
    _, (case,) = await Cases(store.sessions).page(Wanted(org="default"), "newest", 10, 0)
    assert case.status is CaseStatus.CONFIRMED_FRAUD
    await store.close()
