"""Tokens on the command line, beside a running service or before its first start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.settings import Settings
from stream.tokens_command import require_guard


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"KUA_DATA_DIR": str(folder), "COLUMNS": "200"}
    command = [sys.executable, "-m", "stream", "tokens", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_tokens_are_made_listed_and_revoked(tmp_path: Path) -> None:
    refused = run(tmp_path, "create", "--name", "Aru", "--role", "agent")
    assert (refused.returncode, "must be an administrator's" in refused.stderr) == (2, True)
    made = run(tmp_path, "create", "--name", "Root", "--role", "admin", "--org", "bank")
    assert made.stdout.startswith("kua_"), made.stderr
    id, secret = made.stdout.strip().split("_", 2)[1:]
    listed = run(tmp_path, "list").stdout
    assert id in listed
    assert secret not in listed
    assert run(tmp_path, "revoke", id).stdout == f"revoked {id}\n"
    again = run(tmp_path, "revoke", id)
    assert (again.returncode, "no token" in again.stderr) == (2, True)


async def test_a_service_that_can_be_reached_from_outside_needs_somebody_who_may(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"host 0\.0\.0\.0 can be reached from outside: set KUA_TOKEN, or make"):
        await require_guard(Settings(host="0.0.0.0", data_dir=tmp_path))
    await require_guard(Settings(host="0.0.0.0", data_dir=tmp_path, token="secret"))
    await require_guard(Settings(host="127.0.0.1", data_dir=tmp_path))
