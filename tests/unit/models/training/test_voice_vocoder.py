from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.voice_vocoder import (
    STRETCH,
    LogMel,
    Training,
    Vocoder,
    VocoderConfig,
    load,
    save,
    spectral_loss,
)
from models.weights import ensure

SMALL = VocoderConfig(width=32, n_blocks=2)


@pytest.fixture(scope="module")
def speech() -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(ensure("speech").read_bytes(), dtype="<i2").astype(np.float32) / 32768.0)


@pytest.mark.parametrize(("n_mels", "hop"), [(80, 256), (100, 160)])
def test_the_vocoder_says_as_many_samples_as_it_heard(n_mels: int, hop: int, speech: torch.Tensor) -> None:
    config = VocoderConfig(n_mels=n_mels, hop=hop, width=16, n_blocks=1)
    said = Vocoder(config)(LogMel(config)(speech[None, :STRETCH]))
    assert said.shape == (1, STRETCH)


def test_training_brings_the_spectrum_nearer(speech: torch.Tensor) -> None:
    training = Training(SMALL, seed=1)
    heard = training.draw([speech], 4)
    before = training.step(heard, with_judges=False)
    for _ in range(25):
        training.step(heard, with_judges=False)
    assert training.step(heard, with_judges=False) < 0.75 * before


def test_the_discriminator_learns_to_tell_apart(speech: torch.Tensor) -> None:
    training = Training(SMALL, seed=1)
    heard = training.draw([speech], 2)
    for _ in range(12):
        training.step(heard, with_judges=True)
    with torch.no_grad():
        said = training.vocoder(training.mel(heard))
        verdicts = [(judge(heard)[-1].mean(), judge(said)[-1].mean()) for judge in training.judges]
    assert all(genuine > machine for genuine, machine in verdicts)


def test_the_same_seed_trains_the_same_vocoder(speech: torch.Tensor) -> None:
    first, second = (Training(SMALL, seed=5).run([speech], n_steps=3, n_judged=1) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_checkpoint_rebuilds_its_vocoder(tmp_path: Path, speech: torch.Tensor) -> None:
    torch.manual_seed(2)
    vocoder = Vocoder(SMALL).eval()
    save(vocoder, tmp_path / "v.safetensors")
    mel = LogMel(SMALL)(speech[None, :STRETCH])
    assert torch.equal(load(tmp_path / "v.safetensors")(mel), vocoder(mel))


def test_the_loss_is_least_for_the_sound_itself(speech: torch.Tensor) -> None:
    sound = speech[None, :STRETCH]
    assert float(spectral_loss(sound, sound)) < 1e-4
    assert float(spectral_loss(sound + 0.05 * torch.randn_like(sound), sound)) > 0.2
