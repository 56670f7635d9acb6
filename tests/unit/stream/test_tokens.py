"""Tokens are stored hashed, found by their secret alone, and end when they are revoked or their time is over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from test_store_chain import contents

from stream.alerts.store import Store
from stream.alerts.tables import InviteRow, TokenRow
from stream.alerts.tokens import Tokens
from stream.alerts.vault import Vault
from stream.api.admin_messages import Role
from stream.errors import ConflictError
from stream.scope import Scope, Stake

NOW = [1_800_000_000.0]


@pytest.fixture
async def tokens(tmp_path: Path) -> AsyncIterator[Tokens]:
    store = Store(f"sqlite+aiosqlite:///{tmp_path / 'kua.sqlite'}", Vault(tmp_path / "keys"))
    await store.open()
    yield Tokens(store.sessions, lambda: NOW[0])
    await store.close()


async def test_the_first_token_must_be_an_administrators(tokens: Tokens) -> None:
    assert not await tokens.has_admin()
    with pytest.raises(ConflictError, match="the first token must be an administrator's"):
        await tokens.create("bank", "Aru", Role.ANALYST, by="test")
    made = await tokens.create("bank", "Root", Role.ADMIN, by="test")
    assert await tokens.has_admin()
    await tokens.create("bank", "Aru", Role.ANALYST, by="test")
    await tokens.revoke(TokenRow, made.row.id)
    assert not await tokens.has_admin()


async def test_only_the_hash_of_a_secret_is_stored_and_only_the_whole_secret_opens(
    tokens: Tokens, tmp_path: Path
) -> None:
    made = await tokens.create("bank", "Aru", Role.ADMIN, by="test")
    prefix, id, secret = made.secret.split("_", 2)
    assert all(secret.encode() not in content for content in contents(tmp_path))
    found = await tokens.find(made.secret)
    assert isinstance(found, TokenRow)
    assert (found.id, found.org, found.role) == (id, "bank", "admin")
    for wrong in ("", secret, f"{prefix}_{id}_", f"{prefix}_{id}_{secret}x", f"kin_{id}_{secret}", f"kua__{secret}"):
        assert await tokens.find(wrong) is None, wrong


async def test_a_token_ends_when_it_expires_or_is_revoked_by_its_own_organisation(tokens: Tokens) -> None:
    short = await tokens.create("bank", "Short", Role.ADMIN, by="test", days=1)
    long = await tokens.create("bank", "Long", Role.VIEWER, by="test")
    assert not await tokens.revoke(TokenRow, long.row.id, "other")
    NOW[0] += 86_401
    assert await tokens.find(short.secret) is None
    assert await tokens.find(long.secret)
    assert await tokens.revoke(TokenRow, long.row.id, "bank")
    assert not await tokens.revoke(TokenRow, long.row.id, "bank")
    assert await tokens.find(long.secret) is None
    assert not await tokens.is_valid(long.row.id)


async def test_a_link_belongs_to_whoever_made_it_and_is_no_token(tokens: Tokens) -> None:
    stake = Stake(amount=1e6, currency="KZT", reference="K-1")
    made = await tokens.invite(Scope("bank", "t1"), "Ольга", hours=2, stake=stake)
    found = await tokens.find(made.secret)
    assert isinstance(found, InviteRow)
    assert (found.org, found.owner, found.amount) == ("bank", "t1", 1e6)
    assert await tokens.find(made.secret.replace("kin_", "kua_")) is None
    assert [row.id for row in await tokens.invites("bank", "t1")] == [found.id]
    assert await tokens.invites("bank", "t2") == await tokens.invites("other", None) == []
    NOW[0] += 7201
    assert await tokens.find(made.secret) is None
