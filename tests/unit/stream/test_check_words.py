"""The command line speaks the terminal's language, and no language lacks a word or a place to fill in."""

import dataclasses
import string
from collections.abc import Mapping
from typing import Any

import pytest

from models.window import Reason, Signal
from stream.check_words import EN, LANGUAGES, WORDS, CheckWords, language_of
from stream.events import State


def shape(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: shape(part) for name, part in value.items()}
    return sorted(name for _, name, _, _ in string.Formatter().parse(value) if name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_places(language: str) -> None:
    words: CheckWords = WORDS[language]  # type: ignore[index]
    for field in dataclasses.fields(CheckWords):
        assert shape(getattr(words, field.name)) == shape(getattr(EN, field.name)), field.name
    assert set(words.headlines) == set(words.sync) == set(State)
    assert set(words.reasons) == set(Reason)
    assert set(words.signals) == set(Signal)
    assert all(text.strip() for text in (*words.headlines.values(), *words.reasons.values()))


def test_no_two_languages_say_the_same() -> None:
    for field in dataclasses.fields(CheckWords):
        if field.name in ("stretch",):
            continue
        said = [str(getattr(words, field.name)) for words in WORDS.values()]
        assert len(set(said)) == 3, field.name


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"LANG": "kk_KZ.UTF-8"}, "kk"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "ru_RU.UTF-8", "LC_ALL": "kk_KZ"}, "kk"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "kk_KZ"}, "en"),
        ({}, "en"),
    ],
)
def test_the_terminal_says_which_language_it_speaks(environment: dict[str, str], language: str) -> None:
    assert language_of(environment) == language
