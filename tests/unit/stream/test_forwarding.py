"""What is said of forwarding is complete in three languages, dated and sourced, and claims no more than was checked."""

import re
from datetime import date

import pytest

from stream.errors import KuaError
from stream.forwarding.pack import Sureness, countries, load

LANGUAGES = {"kk", "ru", "en"}
ADVICE = {"kk": "заң кеңесі емес", "ru": "не юридическая консультация", "en": "not legal advice"}


@pytest.mark.parametrize("country", countries())
def test_every_statement_is_there_in_each_language_with_date_and_source(country: str) -> None:
    pack = load(country)
    assert pack.country == country
    for statement in pack.statements:
        assert statement.text.keys() == LANGUAGES, statement.id
        assert date(2024, 1, 1) < date.fromisoformat(statement.as_of) <= date.fromisoformat(pack.version), statement.id
        assert statement.sources, statement.id
    assert len({statement.id for statement in pack.statements}) == len(pack.statements)


@pytest.mark.parametrize("country", countries())
def test_nothing_is_called_verified_that_nobody_compared_with_the_law(country: str) -> None:
    pack = load(country)
    if not pack.text_checked:
        assert all(statement.status is not Sureness.VERIFIED for statement in pack.statements)
    for language, words in ADVICE.items():
        assert words in pack.note[language]


@pytest.mark.parametrize("country", countries())
def test_the_languages_name_the_same_articles(country: str) -> None:
    for statement in load(country).statements:
        numbers = [set(re.findall(r"\b\d{3}(?:-\d)?\b|\b73-3\b", text)) for text in statement.text.values()]
        assert numbers[0] == numbers[1] == numbers[2], statement.id


def test_a_country_that_is_not_there_is_named() -> None:
    with pytest.raises(KuaError, match="nothing is known of 'XX'; known: KZ"):
        load("XX")
    assert load("kz") is load("kz")
