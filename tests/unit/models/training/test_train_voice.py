"""A whole training, in seconds: from clips to scores of what was left out and a checkpoint to calibrate."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from models import checkpoint
from models.training import calibrate, train_voice
from models.training.train_voice import Recipe
from models.training.voice_copies import write_opus
from models.training.voice_spectra import SpectralRecipe
from stream import demo

TINY = Recipe(spectral=SpectralRecipe(minutes=0.01, n_sources=1, n_channels=4), n_variants=1)
SOURCES = ("clam-tts/clam-tts.github.io", "metis-demo/metis-demo.github.io", "local:made")
"""One of each of three groups."""


def write_data(folder: Path) -> Path:
    """Write two clips of each class from each source, of the demonstration's two voices."""
    folder.mkdir()
    sounds = [np.interp(np.arange(72_000) * 3, np.arange(len(s)), s) / 32768 for s in demo.load_voices()]
    with (folder / "manifest.csv").open("w", newline="") as lines:
        table = csv.writer(lines)
        table.writerow(["file", "label", "attack", "kind", "source", "era", "speaker", "language"])
        for number, source in enumerate(SOURCES * 2):
            for label, attack, sound in zip(("bona_fide", "spoof"), ("-", "flite"), sounds, strict=True):
                name = f"{label}{number}.opus"
                write_opus(folder / name, np.roll(sound, 4_000 * number).astype(np.float32))
                table.writerow([name, label, attack, "audio", source, "modern", "", "en"])
    return folder


@pytest.mark.timeout(300)
def test_a_training_ends_in_a_checkpoint_that_can_be_calibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(train_voice.RECIPES, "voice-small", TINY)
    # There are but two voices to make clips of, and none of them would be left to train on.
    monkeypatch.setattr(train_voice, "twins", lambda store, kept: {})
    data, out = write_data(tmp_path / "data"), tmp_path / "out"
    where = ["--data", str(data), "--cache", str(tmp_path / "cache"), "--out", str(out), "--workers", "1"]
    train_voice.main([*where, "--recipe", "voice-small"])
    kept = next((tmp_path / "cache").glob("voice-small-*/left-out.json"))
    assert f"calibrate voice --left-out {kept}" in capsys.readouterr().out
    rows = json.loads(kept.read_text())
    assert {row["source"] for row in rows} == set(SOURCES)
    assert len([row for row in rows if row["condition"] == "clean"]) == 12
    described, _ = calibrate.fit_voice(checkpoint.load("voice", out)[0], kept)
    assert described.recipe == "voice-small"
    assert described.telephone is not None
