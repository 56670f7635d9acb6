from pathlib import Path

import numpy as np
import pytest
import torch

from models import checkpoint, voice
from models.metrics import auc
from models.voice import VoiceNet, load_voice
from models.window import WINDOW_SAMPLES, VoiceWindow, voice_window

SHARED = Path(__file__).parents[3].parent / "shared" / "data" / "voice"
LEAST_AUC = 0.7
"""What the committed checkpoint must reach on sources it was not trained on."""


@pytest.fixture(scope="module")
def net() -> VoiceNet:
    return load_voice()[0]


def sound(seed: int = 0, n_windows: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    slow = torch.nn.functional.interpolate(torch.rand(n_windows, 1, 40, generator=generator), size=WINDOW_SAMPLES)
    return (torch.randn(n_windows, WINDOW_SAMPLES, generator=generator) * slow[:, 0]) * 0.1


def window(n_lost: int = 0) -> VoiceWindow:
    return voice_window(0.0, 4.0, np.zeros(WINDOW_SAMPLES, np.float32), n_lost)


def test_a_batch_of_windows_gives_one_score_each(net: VoiceNet) -> None:
    with torch.inference_mode():
        scores = net(sound(n_windows=3))
    assert scores.shape == (3,)
    assert scores.dtype == torch.float32


def test_gain_does_not_change_the_score(net: VoiceNet) -> None:
    samples = sound()
    with torch.inference_mode():
        assert net(samples * 0.02).item() == pytest.approx(net(samples).item(), abs=0.01)
        assert net(samples * 9.0).item() == pytest.approx(net(samples).item(), abs=0.01)


def test_a_window_does_not_depend_on_its_batch(net: VoiceNet) -> None:
    samples = sound(n_windows=2)
    with torch.inference_mode():
        assert net(samples)[1].item() == pytest.approx(net(samples[1:]).item(), abs=1e-3)


def test_even_silence_and_noise_give_finite_numbers(net: VoiceNet) -> None:
    with torch.inference_mode():
        assert torch.isfinite(net(torch.zeros(1, WINDOW_SAMPLES))).all()
        assert torch.isfinite(net(torch.full((1, WINDOW_SAMPLES), 1.0))).all()


def test_the_checkpoint_claims_no_more_than_it_was_shown() -> None:
    described = load_voice()[1]
    for known in (described.calibration, described.change):
        assert known.llrs[0] < 0 < known.llrs[-1]
        assert max(map(abs, known.llrs)) <= 4.0


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    described, state = checkpoint.load("voice")
    state.pop("head.bias")
    checkpoint.save(described, state, tmp_path)
    monkeypatch.setattr(checkpoint.load, "__defaults__", (tmp_path,))
    with pytest.raises(checkpoint.CheckpointError, match=r"^checkpoint 'voice' does not fit VoiceNet: "):
        voice.load_voice()


@pytest.mark.shared_data
def test_bona_fide_scores_above_spoof_on_sources_that_were_left_out(net: VoiceNet) -> None:
    if not SHARED.exists():
        pytest.skip("shared data is not here")
    from models.training.voice_data import decode, read_manifest, split
    from models.training.voice_report import middle_window

    _, left_out = split(read_manifest(SHARED))
    clips = left_out[::4]
    windows = np.stack([middle_window(decode(clip.path)) for clip in clips])
    with torch.inference_mode():
        raw = torch.cat([net(part) for part in torch.from_numpy(windows).split(8)]).double().numpy()
    is_spoof = np.array([clip.is_spoof for clip in clips])
    assert auc(raw[~is_spoof], raw[is_spoof]) >= LEAST_AUC
