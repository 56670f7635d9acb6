"""Somebody who knows the caller is asked by a link: it shows one question, takes one answer, and opens nothing else."""

from pathlib import Path

import httpx
from test_api import SilentModels, make_app, serving

from stream.api.admin_messages import Role
from stream.checks.asks import KEPT_S, MAX_ASKS, Asks
from stream.scope import Scope


async def test_a_relative_answers_by_a_link_and_nothing_else(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        tokens = app.state.service.tokens
        secrets = [(await tokens.create("default", n, Role.ADMIN, by="test")).secret for n in ("Aru", "Dana")]
        aru, dana = ({"Authorization": f"Bearer {secret}"} for secret in secrets)
        asked = {"about": "Ерлан", "by": "Анасы"}
        made = (await client.post("/v1/asks", json=asked, headers=aru)).json()
        page, secret = made["path"].split("#")
        assert page == "/answer"
        link = {"Kua-Link": secret}
        assert (await client.get("/v1/answer", headers=link)).json() == asked | {"is_answered": False}
        assert (await client.get(f"/v1/asks/{made['id']}", headers=aru)).json() == {"answer": None, "note": ""}
        assert (await client.get(f"/v1/asks/{made['id']}", headers=dana)).status_code == 404
        said = {"answer": "not_them", "note": "Ол менің жанымда"}
        assert (await client.post("/v1/answer", json=said, headers=link)).status_code == 204
        again = await client.post("/v1/answer", json={"answer": "them"}, headers=link)
        assert (again.status_code, again.json()["error"]) == (409, "this question was answered already")
        assert (await client.get(f"/v1/asks/{made['id']}", headers=aru)).json() == said
        for path in ("/v1/sessions", "/v1/people", f"/v1/asks/{made['id']}"):
            assert (await client.get(path, headers={"Authorization": f"Bearer {secret}"})).status_code == 401
        assert (await client.delete(f"/v1/asks/{made['id']}", headers=dana)).status_code == 404
        assert (await client.delete(f"/v1/asks/{made['id']}", headers=aru)).status_code == 204
        assert (await client.get("/v1/answer", headers=link)).status_code == 404


async def test_nobody_guesses_a_link(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        statuses = [(await client.get("/v1/answer", headers={"Kua-Link": f"guess{i}"})).status_code for i in range(61)]
        assert statuses == [404] * 60 + [429]


def test_questions_end_by_themselves_and_stay_few() -> None:
    now_s = 0.0
    asks = Asks(clock=lambda: now_s)
    first = asks.ask(Scope(), "Ерлан", "")
    now_s = KEPT_S - 1
    assert asks.behind(first.secret) is first
    for _ in range(MAX_ASKS):
        asks.ask(Scope(), "Ерлан", "")
    assert asks.behind(first.secret) is None
    last = asks.ask(Scope(), "Ерлан", "")
    now_s = 2 * KEPT_S
    assert asks.get(last.id, Scope()) is None
