import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from models.training import voice_speakers, voice_spoken
from models.training.voice_copies import COLUMNS, rows_of
from models.training.voice_sentences import SENTENCES
from models.training.voice_speakers import speakers
from models.training.voice_spoken import COUNTS, SOURCE, Order, planned, said
from models.window import Samples


class Humming:
    """A system of one voice that hums 200 Hz as long as the text is."""

    languages = ("en", "kk")
    licence = "none needed"
    made_of = "this test"

    def voice(self, language: str, rng: random.Random) -> str:
        return f"{language}{rng.randrange(1000)}"

    def say(self, text: str, _language: str, _voice: str, _rng: random.Random) -> tuple[Samples, int]:
        return 0.1 * np.sin(2 * np.pi * 200 * np.arange(len(text) * 2_400) / 24_000).astype(np.float32), 24_000


ORDER = Order(name="clips/a.opus", attack="humming", language="kk", text="Сәлем", seed=9)


def test_a_clip_comes_at_16_khz_with_all_that_its_row_needs() -> None:
    row, samples = said(Humming(), ORDER)
    assert list(row) == COLUMNS
    assert (row["source"], row["label"], row["attack"], row["language"]) == (SOURCE, "spoof", "humming", "kk")
    assert row["speaker"].startswith("kk")
    assert row["original_rate"] == "24000"
    assert samples.dtype == np.float32
    assert samples.size == 5 * 1_600
    assert np.abs(np.fft.rfft(samples)).argmax() * 16_000 / samples.size == pytest.approx(200, abs=2)


def test_a_long_sentence_is_cut_at_six_seconds() -> None:
    order = Order(name="clips/a.opus", attack="humming", language="en", text="a" * 100, seed=9)
    assert said(Humming(), order)[1].size == 6 * 16_000


def test_a_clip_is_the_same_for_the_same_seed() -> None:
    (row, samples), (row_again, again) = said(Humming(), ORDER), said(Humming(), ORDER)
    assert row == row_again
    assert np.array_equal(samples, again)


def test_every_system_says_its_languages_in_equal_parts() -> None:
    orders = planned(7, {"espeak-ng": ("en", "ru", "kk"), "flite": ("en",)})
    counts = [sum(o.attack == "espeak-ng" and o.language == language for o in orders) for language in SENTENCES]
    assert counts == [COUNTS["espeak-ng"] // 3] * 3
    assert sum(order.attack == "flite" for order in orders) == COUNTS["flite"]
    assert len({order.name for order in orders}) == len(orders)
    assert planned(7, {"flite": ("en",)}) == planned(7, {"flite": ("en",)})


def test_absent_systems_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(voice_speakers.shutil, "which", lambda _name: None)
    monkeypatch.setattr(voice_speakers.importlib.util, "find_spec", lambda _name: None)
    found, lacking = speakers(tmp_path)
    assert found == {}
    assert set(lacking) == set(COUNTS)
    assert lacking["espeak-ng"] == "the program espeak-ng"


def test_a_file_that_was_not_checked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "joe.onnx").write_bytes(b"another voice")
    with pytest.raises(ValueError, match=r"joe\.onnx has SHA-256 [0-9a-f]{64}, expected 58afce0321b8d9c4[0-9a-f]{48}$"):
        voice_speakers.Piper(tmp_path)


def test_the_command_writes_each_clip_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(voice_spoken, "speakers", lambda _parts: ({"flite": Humming()}, {"hibari": "its package"}))
    monkeypatch.setitem(COUNTS, "flite", 4)
    voice_spoken.main(["--out", str(tmp_path)])
    assert "no clips by hibari: it needs its package" in capsys.readouterr().out
    rows = rows_of(tmp_path)
    assert len(rows) == 4
    assert all((tmp_path / row["file"]).stat().st_size > 0 for row in rows)
    voice_spoken.main(["--out", str(tmp_path)])
    assert rows_of(tmp_path) == rows


def test_each_language_has_its_own_sentences() -> None:
    everything = [text for texts in SENTENCES.values() for text in texts]
    assert len(set(everything)) == len(everything) >= 80
    assert all(text[-1] in ".?" for text in everything)


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_espeak_speaks_all_three_languages(language: str) -> None:
    text = SENTENCES[language][0]
    _, samples = said(
        voice_speakers.Espeak(), Order(name="a", attack="espeak-ng", language=language, text=text, seed=1)
    )
    assert 1.5 < samples.size / 16_000 <= 6.0
    assert np.std(samples) > 0.01
