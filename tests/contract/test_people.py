"""Known people are their keeper's alone; a safe word is kept as a hash and cannot be guessed through the service."""

from pathlib import Path

import httpx
from test_api import SilentModels, make_app, serving
from test_store_chain import contents

from stream.api.admin_messages import Role


async def test_a_person_is_kept_asked_and_forgotten(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        given = {"name": "Ерлан", "number": "+7 701 000-00-00", "safe_word": "Blue Elephant"}
        person = (await client.post("/v1/people", json=given)).json()
        assert (person["has_safe_word"], "safe_word" in person) == (True, False)
        assert (await client.get("/v1/people")).json() == [person]
        path = f"/v1/people/{person['id']}/safe-word"
        assert (await client.post(path, json={"word": "blue elephant!"})).json() == {"matches": True}
        assert (await client.post(path, json={"word": "red elephant"})).json() == {"matches": False}
        assert all(b"lephant" not in content for content in contents(tmp_path))
        assert (await client.delete(f"/v1/people/{person['id']}")).status_code == 204
        assert (await client.post(path, json={"word": "blue elephant"})).status_code == 404
        assert (await client.get("/v1/people")).json() == []


async def test_what_is_no_number_or_too_short_a_word_is_refused_in_words(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        for given, error in (
            ({"name": "Ерлан", "safe_word": "abc"}, "got a safe word of 3 letters and digits, expected 4 to 200"),
            ({"name": "Ерлан", "number": "javascript:alert(1)"}, "number: String should match pattern"),
            ({"name": ""}, "name: String should have at least 1 character"),
        ):
            reply = await client.post("/v1/people", json=given)
            assert (reply.status_code, error in reply.json()["error"]) == (422, True)


async def test_nobody_guesses_a_word_or_meets_the_people_of_others(tmp_path: Path) -> None:
    app = make_app(tmp_path, SilentModels())
    async with serving(app) as address, httpx.AsyncClient(base_url=f"http://{address}") as client:
        tokens = app.state.service.tokens
        keys = [(await tokens.create("default", n, Role.ADMIN, by="test")).secret for n in ("Aru", "Dana")]
        aru, dana = ({"Authorization": f"Bearer {key}"} for key in keys)
        made = await client.post("/v1/people", json={"name": "Ерлан", "safe_word": "blue elephant"}, headers=aru)
        path = f"/v1/people/{made.json()['id']}"
        assert (await client.get("/v1/people", headers=dana)).json() == []
        assert (await client.delete(path, headers=dana)).status_code == 404
        tried = await client.post(f"{path}/safe-word", json={"word": "blue elephant"}, headers=dana)
        assert tried.status_code == 404
        statuses = []
        for i in range(7):
            reply = await client.post(f"{path}/safe-word", json={"word": f"guess {i}"}, headers=aru)
            statuses.append(reply.status_code)
        assert statuses[:5] == [200] * 5
        assert statuses[-1] == 429
        assert "tried too often" in reply.json()["error"]
