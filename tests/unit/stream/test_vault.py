"""Each call has one key, whoever makes it first, and none once it was destroyed."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stream.alerts.vault import SERVICE, ShreddedError, Vault


def test_what_is_sealed_opens_with_its_own_key_alone(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys")
    sealed = vault.seal("a", b"a face")
    assert b"a face" not in sealed
    assert Vault(tmp_path / "keys").open("a", sealed) == b"a face"
    vault.seal("b", b"")
    for name, content in (("b", sealed), ("a", sealed[:-1]), ("a", sealed[:20] + b"x" + sealed[21:]), ("c", sealed)):
        with pytest.raises(ShreddedError):
            vault.open(name, content)
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_all_who_make_a_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    vaults = [Vault(tmp_path / "keys") for _ in range(4)]  # as threads of one service, and as several services
    with ThreadPoolExecutor(16) as pool:
        for name in "abcdefgh":
            sealed = list(pool.map(lambda i, name=name: vaults[i % 4].seal(name, bytes([i])), range(32)))
            assert [Vault(tmp_path / "keys").open(name, content)[0] for content in sealed] == list(range(32))
    assert not list((tmp_path / "keys").glob("*.part"))
    assert len({vault.signing_key().private_bytes_raw() for vault in vaults}) == 1


def test_a_destroyed_key_never_comes_back(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys")
    sealed = vault.seal("a", b"a face")
    key = (tmp_path / "keys" / "a.key").read_bytes()
    assert not vault.is_shredded("a")
    vault.shred("a")
    assert vault.is_shredded("a")
    assert all(key not in path.read_bytes() for path in (tmp_path / "keys").iterdir())
    for again in (vault, Vault(tmp_path / "keys")):
        with pytest.raises(ShreddedError, match="the evidence of a was deleted"):
            again.open("a", sealed)
        with pytest.raises(ShreddedError):
            again.seal("a", b"more")


def test_volatile_keys_leave_nothing_on_disk_but_the_services_own(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "keys", is_volatile=True)
    sealed, secret = vault.seal("a", b"a face"), vault.seal(SERVICE, b"whsec")
    assert vault.open("a", sealed) == b"a face"
    assert os.listdir(tmp_path / "keys") == ["service.key"]
    again = Vault(tmp_path / "keys", is_volatile=True)
    assert again.open(SERVICE, secret) == b"whsec"
    with pytest.raises(ShreddedError):
        again.open("a", sealed)
    vault.shred("a")
    with pytest.raises(ShreddedError):
        vault.open("a", sealed)


@pytest.mark.parametrize("name", ["../a", "a/b", "", "a" * 65, "a.key"])
def test_what_is_no_name_of_a_call_names_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ShreddedError, match="is no name of a call"):
        Vault(tmp_path / "keys").seal(name, b"")
