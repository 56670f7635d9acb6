import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training import voice_copies, voice_makers
from models.training.voice_copies import COLUMNS, N_PER_SOURCE, Manifest, copy_row, planned, rows_of, write_opus
from models.training.voice_data import decode, read_manifest
from models.training.voice_makers import ATTACKS, OWN, PLAIN, WORLD, copied, makers
from models.training.voice_vocoder import Vocoder, VocoderConfig, save
from models.weights import ensure
from models.window import Samples

FRAME = 320


@pytest.fixture(scope="module")
def speech() -> Samples:
    """Three seconds of a man's voice, said by no machine."""
    sound = np.frombuffer(ensure("speech").read_bytes(), dtype="<i2").astype(np.float32) / 32768.0
    return sound[: 16_000 * 3]


def loudness(samples: Samples) -> np.ndarray:
    """Return log power of each 20 ms, (T,), with a floor 50 dB below the loudest."""
    power = (samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME) ** 2).mean(axis=1)
    return np.log10(power + power.max() * 1e-5)


def bands(samples: Samples) -> np.ndarray:
    """Return log power in 24 bands of 330 Hz each 20 ms, flattened: what is said, not only when."""
    frames = samples[: samples.size // FRAME * FRAME].reshape(-1, FRAME) * np.hanning(FRAME)
    power = (np.abs(np.fft.rfft(frames, 320)) ** 2)[:, :144].reshape(len(frames), 24, 6).mean(axis=2)
    return np.log10(power + power.max() * 1e-5).ravel()


def here() -> dict[str, voice_makers.Maker]:
    """Return the makers that need no file, WORLD among them where pyworld is installed."""
    return makers(None, None)[0]


@pytest.mark.parametrize("attack", sorted(here()))
def test_a_copy_says_the_same_words_in_another_waveform(attack: str, speech: Samples) -> None:
    copy = copied(here()[attack], speech, seed=3)
    assert copy.shape == speech.shape
    assert copy.dtype == np.float32
    assert np.isfinite(copy).all()
    assert np.corrcoef(loudness(copy), loudness(speech))[0, 1] > 0.9
    assert np.corrcoef(bands(copy), bands(speech))[0, 1] > (0.6 if "altered" in attack else 0.8)
    assert abs(np.corrcoef(copy, speech)[0, 1]) < 0.9


@pytest.mark.parametrize("attack", sorted(here()))
def test_a_copy_is_the_same_for_the_same_seed(attack: str, speech: Samples) -> None:
    maker = here()[attack]
    first = copied(maker, speech, seed=3)
    torch.rand(7)  # what others drew in between does not matter
    assert np.array_equal(copied(maker, speech, seed=3), first)


@pytest.mark.parametrize("attack", ["Griffin-Lim-8-copy", "LPC-copy"])
def test_another_seed_makes_another_copy(attack: str, speech: Samples) -> None:
    maker = here()[attack]
    assert not np.allclose(copied(maker, speech, seed=3), copied(maker, speech, seed=4), atol=1e-3)


def test_a_copy_is_as_loud_as_its_original(speech: Samples) -> None:
    for attack, maker in here().items():
        quiet = copied(maker, 0.2 * speech, seed=3)
        assert np.sqrt(np.mean(quiet**2)) == pytest.approx(0.2 * np.sqrt(np.mean(speech**2)), rel=0.02), attack


def test_a_maker_that_gives_no_sound_stops_the_run(speech: Samples) -> None:
    def mute(samples: Samples, _rng: np.random.Generator) -> Samples:
        return np.zeros_like(samples)

    with pytest.raises(ValueError, match=r"gave silence or no number for \d+ samples$"):
        copied(mute, speech, seed=3)


def test_an_absent_maker_is_named_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(voice_makers.importlib, "import_module", refuse)
    found, lacking = makers(tmp_path / "none.onnx", tmp_path)
    assert set(found) == set(PLAIN)
    assert set(lacking) == set(ATTACKS) - set(PLAIN)
    assert lacking["WORLD-copy"] == "the package pyworld-prebuilt"
    assert lacking["HiFi-GAN-copy"] == f"a HiFi-GAN file, got {tmp_path / 'none.onnx'}"


def test_a_checkpoint_in_the_folder_makes_its_copies(tmp_path: Path, speech: Samples) -> None:
    torch.manual_seed(0)
    save(Vocoder(VocoderConfig(width=16, n_blocks=1)), tmp_path / "mel80_hop256.safetensors")
    found, _ = makers(None, tmp_path)
    own = [attack for attack in found if attack in OWN]
    assert own == ["Vocos-mel80-hop256-copy", "Vocos-mel80-hop256-blurred-copy"]
    assert copied(found[own[0]], speech, seed=3).shape == speech.shape


@pytest.fixture
def data(tmp_path: Path, speech: Samples) -> Path:
    folder = tmp_path / "data"
    (folder / "clips").mkdir(parents=True)
    write_opus(folder / "clips" / "b.opus", speech[:16_000])
    values = {
        "label": "bona_fide",
        "attack": "-",
        "attack_type": "-",
        "kind": "audio",
        "era": "older",
        "language": "en",
    }
    row = dict.fromkeys(COLUMNS, "") | values | {"file": "clips/b.opus", "source": "page/kept", "licence": "CC0"}
    others = [row | {"file": f"clips/{n}.opus", "source": "page/large"} for n in range(60)]
    spoof = row | {"file": "clips/s.opus", "label": "spoof"}
    with (folder / "manifest.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows([row, *others, spoof])
    return folder


def test_makers_take_turns_and_no_source_has_more_than_its_share(data: Path) -> None:
    jobs = planned(rows_of(data), seed=7)
    counts = [sum(job.attack == attack for job in jobs) for attack in ATTACKS]
    assert max(counts) - min(counts) <= 1 + 1
    assert sum(job.original["source"] == "page/large" for job in jobs) == N_PER_SOURCE
    assert sum(job.original["file"] == "clips/b.opus" for job in jobs) == 2
    assert len({(job.original["file"], job.attack) for job in jobs}) == len(jobs)
    assert all(job.original["label"] == "bona_fide" for job in jobs)
    assert planned(rows_of(data), seed=7) == jobs
    assert planned(rows_of(data), seed=8) != jobs


def test_the_copy_keeps_its_originals_source(data: Path) -> None:
    job = planned(rows_of(data), seed=7)[0]
    row = copy_row(job)
    assert (row["source"], row["label"], row["attack_type"]) == (job.original["source"], "spoof", "vocoder")
    assert (row["attack"], row["path"]) == (job.attack, job.original["file"])
    assert row["licence"] == "copy of: CC0"


def test_the_command_writes_what_training_reads_and_takes_up_where_it_stopped(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [row for row in rows_of(data) if row["file"] in ("clips/b.opus", "clips/s.opus")]
    with (data / "manifest.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    out = tmp_path / "out"
    command = ["--data", str(data), "--out", str(out)]
    voice_copies.main(command)
    assert "no copies by HiFi-GAN-copy: it needs a HiFi-GAN file, got None" in capsys.readouterr().out
    made = rows_of(out)
    assert [clip.source for clip in read_manifest(out)] == ["page/kept", "page/kept"]
    assert all(float(row["seconds"]) == pytest.approx(1.0, abs=0.03) for row in made)
    assert all(abs(decode(out / row["file"]).size - 16_000) < 800 for row in made)
    before = (out / "manifest.csv").read_bytes()
    voice_copies.main(command)
    assert (out / "manifest.csv").read_bytes() == before


def test_a_row_is_written_only_with_its_file(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    row = dict.fromkeys(COLUMNS, "x") | {"file": "missing/a.opus"}
    with pytest.raises(FileNotFoundError):
        manifest.add(row, np.zeros(16_000, np.float32))
    assert rows_of(tmp_path) == []


def test_world_is_among_the_makers_where_it_is_installed() -> None:
    pytest.importorskip("pyworld", reason="pyworld-prebuilt is for training only")
    assert set(WORLD) <= set(here())
