"""Settings refuse what they do not know and say what is allowed."""

from pathlib import Path

import pytest

from stream.errors import SettingsError
from stream.settings import load_settings


def test_the_environment_wins_over_the_file_and_arguments_over_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kua.toml").write_text('port = 1\nmax_sessions = 2\nallowed_hosts = ["a.example"]\n')
    monkeypatch.setenv("KUA_PORT", "3")
    settings = load_settings()
    assert (settings.port, settings.max_sessions, settings.allowed_hosts) == (3, 2, ["a.example"])
    assert load_settings(port=4, host=None).port == 4


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("KUA_PORT", "70000", "KUA_PORT = '70000': Input should be less than or equal to 65535"),
        ("KUA_MAX_SESSIONS", "0", "KUA_MAX_SESSIONS = '0': Input should be greater than or equal to 1"),
        ("KUA_DEVICE", "tpu", "KUA_DEVICE = 'tpu': Input should be 'auto', 'cpu' or 'cuda'"),
        (
            "KUA_EMBED_ORIGINS",
            '["https://a.example; script-src *"]',
            "KUA_EMBED_ORIGINS: 'https://a.example; script-src *' is no origin; expected https://HOST[:PORT]",
        ),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, error: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value) == error


def test_an_unknown_name_is_refused_in_the_environment_and_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUA_PROT", "1")
    with pytest.raises(SettingsError, match="unknown setting KUA_PROT; known: KUA_ALLOWED_HOSTS, "):
        load_settings()
    monkeypatch.delenv("KUA_PROT")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kua.toml").write_text("prot = 1\n")
    with pytest.raises(SettingsError, match="KUA_PROT = 1: Extra inputs are not permitted"):
        load_settings()


def test_a_broken_file_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kua.toml").write_text("port = = 1\n")
    with pytest.raises(SettingsError, match=r"cannot read kua\.toml or the environment"):
        load_settings()
