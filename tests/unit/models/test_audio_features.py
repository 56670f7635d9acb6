import numpy as np
import pytest
import torch

from models import audio_features
from models.audio_features import HOP_LENGTH, N_BINS, N_FFT, WINDOW_LENGTH, LogSpectrum


@pytest.fixture(scope="module")
def front_end() -> LogSpectrum:
    return LogSpectrum().eval()


def noise(seed: int = 0, size: int = 64_000) -> torch.Tensor:
    return torch.randn(1, size, generator=torch.Generator().manual_seed(seed)) * 0.1


def test_torchaudio_imports_and_its_transforms_work() -> None:
    assert audio_features.import_torchaudio() is audio_features.torchaudio
    resampled = audio_features.torchaudio.transforms.Resample(48_000, 16_000)(torch.zeros(1, 4_800))
    assert resampled.shape == (1, 1_600)
    lfcc = audio_features.torchaudio.transforms.LFCC(16_000, n_lfcc=20)(noise(size=16_000))
    assert lfcc.shape[1] == 20


def test_the_stand_in_refuses_what_needs_the_library() -> None:
    stand_in = audio_features._extension_stand_in()
    with pytest.raises(RuntimeError, match=r"^this torchaudio operation needs its compiled library"):
        stand_in.fail_if_no_align(lambda: None)()


def test_the_kernels_are_the_short_time_fourier_transform(front_end: LogSpectrum) -> None:
    samples = noise()
    parts = torch.nn.functional.conv1d(samples.unsqueeze(1), front_end.kernels, stride=HOP_LENGTH)[0]
    ours = (parts[:N_BINS].square() + parts[N_BINS:].square()).sqrt()
    frames = samples[0].unfold(0, WINDOW_LENGTH, HOP_LENGTH) * torch.hann_window(WINDOW_LENGTH)
    theirs = torch.fft.rfft(frames, N_FFT).abs().T
    assert torch.allclose(ours, theirs, atol=1e-3)


def test_level_does_not_change_the_spectrum(front_end: LogSpectrum) -> None:
    quiet, _ = front_end(noise() * 0.01)
    loud, _ = front_end(noise() * 5)
    assert torch.allclose(quiet, loud, atol=1e-3)


def test_the_colour_of_a_microphone_mostly_cancels(front_end: LogSpectrum) -> None:
    samples = noise()
    colour = torch.linspace(1.0, 0.3, samples.shape[1] // 2 + 1)
    coloured = torch.fft.irfft(torch.fft.rfft(samples) * colour, samples.shape[1])
    plain, _ = front_end(samples)
    through, _ = front_end(coloured)
    assert (plain - through).abs().mean() < 0.02 * plain.abs().mean()


def test_each_bin_has_no_mean_over_time(front_end: LogSpectrum) -> None:
    spectrum, mask = front_end(noise())
    assert mask.min() == 1
    assert spectrum.mean(dim=2).abs().max() < 1e-4


def test_pauses_are_hidden_and_change_nothing_else(front_end: LogSpectrum) -> None:
    speech = noise()
    paused = speech.clone()
    paused[:, 32_000:] = 0
    spectrum, mask = front_end(paused)
    assert mask[0, 0, :190].min() == 1
    assert mask[0, 0, 205:].max() == 0
    assert spectrum[0, :, 205:].abs().max() == 0
    alone, _ = front_end(speech[:, :32_000])
    assert (spectrum[0, :, :190] - alone[0, :, :190]).abs().mean() < 0.02


def test_digital_silence_gives_finite_zeros(front_end: LogSpectrum) -> None:
    spectrum, mask = front_end(torch.zeros(2, 64_000))
    assert mask.max() == 0
    assert torch.equal(spectrum, torch.zeros_like(spectrum))


def test_a_batch_gives_what_its_rows_give_alone(front_end: LogSpectrum) -> None:
    rows = torch.cat([noise(1), noise(2) * 3])
    together, _ = front_end(rows)
    alone, _ = front_end(rows[1:])
    assert np.allclose(together[1].numpy(), alone[0].numpy(), atol=1e-4)
