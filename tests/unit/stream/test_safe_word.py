"""A safe word is the same however it is written, and nothing gives it back."""

import pytest

from stream.checks.safe_word import hashed, matches, normalised


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Қызғалдақ 1987", "қызғалдақ1987"),  # noqa: RUF001  # Kazakh
        ("  blue   ELEPHANT! ", "blue-elephant"),
        ("Ақ көгершін", "ақ көгершін"),
        ("ﬁre truck", "FIRE TRUCK"),
        ("й" + "олка", "\u0438\u0306" + "олка"),
    ],
)
def test_how_it_is_written_does_not_count(said: str, kept: str) -> None:
    assert matches(said, hashed(kept))


@pytest.mark.parametrize("said", ["", "blue elephants", "blu elephant", "elephant blue", "x" * 100_000])
def test_another_word_is_another(said: str) -> None:
    assert not matches(said, hashed("blue elephant"))


def test_only_a_salted_slow_hash_is_kept() -> None:
    first, second = hashed("blue elephant"), hashed("blue elephant")
    assert first != second
    assert first.startswith("$argon2id$")
    assert "elephant" not in first
    assert not matches("blue elephant", "broken")


@pytest.mark.parametrize("word", ["", "abc", "!!!! ????", "a b c"])
def test_what_is_too_short_is_none(word: str) -> None:
    with pytest.raises(ValueError, match=r"got a safe word of \d letters and digits, expected 4 to 200"):
        hashed(word)


def test_marks_of_letters_stay_since_they_tell_letters_apart() -> None:
    assert normalised("й") != normalised("и")
