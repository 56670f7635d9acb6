"""The README names every setting with its default, unit and range, as the code has them."""

from pathlib import Path

from stream.settings import PREFIX, Settings, settings_table

README = (Path(__file__).parents[2] / "README.md").read_text()


def test_the_readme_holds_the_table_of_settings() -> None:
    assert settings_table() in README


def test_the_table_names_every_setting() -> None:
    assert all(f"`{PREFIX}{name.upper()}`" in settings_table() for name in Settings.model_fields)
