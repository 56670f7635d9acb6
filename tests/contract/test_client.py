"""The typed client against a real service, and our command line on top of it."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from test_api import SilentModels, make_app, serving
from test_store_chain import BANK, alert, ended, started

from stream.api.admin_messages import Role
from stream.api.case_messages import CaseStatus, Deed
from stream.api.messages import AlertMessage
from stream.api.promise_messages import AlertLabel
from stream.client import Client, ClientError
from stream.scope import Scope


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """Serve with some cases; return address and an administrator's token."""
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address:
        made = await app.state.service.tokens.create("bank", "Aru", Role.ADMIN, by="test")
        for session in ("a", "b", "c"):
            for make in (started(session, f"Call {session}"), alert(session), ended(session)):
                await app.state.service.recorder.keep(make, Scope("bank", BANK.owner))
        yield f"http://{address}", made.secret


async def test_all_that_the_desk_does_can_be_done_by_the_client(service: tuple[str, str]) -> None:
    def work() -> None:
        with Client(*service) as kua:
            assert (kua.me().name, kua.me().org, kua.about().device) == ("Aru", "bank", "cpu:test")
            assert {case.name for case in kua.cases()} == {"Call a", "Call b", "Call c"}
            assert kua.page(limit=1, status="open").total == 3
            assert kua.act("alert-a", Deed.CLAIMED).by == "Aru"
            assert kua.label("alert-a", AlertLabel.SPOOF, reason="lips").reason == "lips"
            assert kua.case("alert-a").case.status is CaseStatus.CONFIRMED_FRAUD
            assert [case.alert for case in kua.cases(status="confirmed_fraud")] == ["alert-a"]
            assert kua.stake("b", amount=5e6, currency="KZT").amount == 5e6
            assert next(iter(kua.cases(sort="amount"))).session == "b"
            assert len(list(kua.events())) == 12
            assert kua.case_file("alert-a").startswith(b"PK")
            assert kua.report("alert-a", "kk").startswith(b"%PDF")
            assert kua.statistics().confirmed_share == 1.0
            assert kua.drift().weeks == []
            assert kua.promise().promise_hours == 100
            assert kua.invite("Ольга", amount=1.0, currency="KZT").path.startswith("/join#kin_")
            made = kua.create_token("Dana", Role.ANALYST)
            kua.revoke_token(made.token.id)
            assert {token.name: bool(token.revoked_at) for token in kua.tokens()} == {"Aru": False, "Dana": True}
            assert kua.webhooks() == []

    await asyncio.to_thread(work)


async def test_the_client_says_what_the_service_said_and_whether_it_is_there(service: tuple[str, str]) -> None:
    def work() -> None:
        with Client(service[0], "wrong") as kua, pytest.raises(ClientError, match="a bearer token is needed") as caught:
            kua.me()
        assert caught.value.status == 401
        with Client(*service) as kua, pytest.raises(ClientError, match="alert 'nothing' is not known"):
            kua.act("nothing", Deed.CLAIMED)
        with Client("http://127.0.0.1:9") as kua, pytest.raises(ClientError, match="cannot be reached"):
            kua.me()
        with Client("nonsense") as kua, pytest.raises(ClientError, match="cannot be reached"):
            kua.me()

    await asyncio.to_thread(work)


async def test_following_begins_with_what_was_missed_and_goes_on_live(service: tuple[str, str]) -> None:
    seen: list[int] = []
    replayed = threading.Event()

    def follow() -> None:
        with Client(*service) as kua:
            for event in kua.follow(after=3):
                if isinstance(event, AlertMessage) or event.type == "case_action":
                    seen.append(event.seq)
                if len(seen) == 2:
                    replayed.set()
                if len(seen) == 3:
                    return

    following = asyncio.create_task(asyncio.to_thread(follow))
    await asyncio.to_thread(replayed.wait, 10)
    with Client(*service) as kua:
        await asyncio.to_thread(kua.act, "alert-b", Deed.NOTE, note="seen")
    await asyncio.wait_for(following, 10)
    assert seen == [5, 8, 10]


async def test_the_command_line_lists_acts_and_exports(service: tuple[str, str], tmp_path: Path) -> None:
    async def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "stream", "cases", *words, "--url", service[0], "--token", service[1]]
        return await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True)

    listed, acted, decided, exported, refused = await asyncio.gather(
        run("list", "--json"),
        run("act", "alert-b", "claimed"),
        run("decide", "alert-c", "false_alert", "--reason", "a bad line"),
        run("export", "alert-a", "--out", str(tmp_path / "case.zip")),
        run("act", "nothing", "claimed"),
    )
    assert len(listed.stdout.splitlines()) in (2, 3), listed.stderr
    assert acted.stdout == "claimed by Aru\n"
    assert decided.stdout == "false_alert by Aru\n"
    assert exported.returncode == 0
    assert (tmp_path / "case.zip").read_bytes().startswith(b"PK")
    assert refused.returncode == 2
    assert "alert 'nothing' is not known" in refused.stderr
