"""The engine gives the same scores on every runtime, from every thread."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from models import face, voice
from models.checkpoint import Checkpoint
from models.engine import Engine
from models.preprocess import TEMPLATE
from models.voice_spectral import SpectralNet
from models.window import CROP_PX, WINDOW_SAMPLES

PICTURES = np.random.default_rng(0).integers(0, 255, (6, CROP_PX, CROP_PX, 3), np.uint8)
SOUND = np.random.default_rng(0).normal(0, 0.1, (6, WINDOW_SAMPLES)).astype(np.float32)


def spectral() -> tuple[SpectralNet, Checkpoint]:
    loaded = voice.load_voice()
    return loaded.model.spectral, loaded.described


def test_the_runtime_changes_a_raw_score_by_less_than_a_tenth_of_their_spread() -> None:
    """bf16 keeps 8 bits of mantissa: its effect must stay far below what tells two clips apart."""
    engine = Engine("cpu")
    (model, described), marks = face.load_face(), np.repeat(TEMPLATE[None], len(PICTURES), axis=0)
    run = engine.load(model.frame, torch.from_numpy(PICTURES[:2]), described.digest)
    with torch.inference_mode():
        expected = model.frame(torch.from_numpy(PICTURES)).numpy()
    raws = [face.window_raw(model.window, rows, marks) for rows in (run(PICTURES), expected)]
    assert abs(raws[0] - raws[1]) < 0.3, "left-out clips spread by 3"
    net, described = spectral()
    run = engine.load(net, torch.from_numpy(SOUND[:2]), described.digest, is_exact=True)
    with torch.inference_mode():
        exact = net(torch.from_numpy(SOUND)).numpy()
    assert np.abs(run(SOUND) - exact).max() < 0.1, "left-out clips spread by 1"


def test_without_openvino_torch_gives_the_same_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.engine._openvino_core", lambda: None)
    engine = Engine("cpu")
    assert engine.name == "cpu:torch"
    model, face_described = face.load_face()
    for (net, described), rows in (((model.frame, face_described), PICTURES), (spectral(), SOUND)):
        with torch.inference_mode():
            expected = net(torch.from_numpy(rows)).numpy()
        np.testing.assert_allclose(
            engine.load(net, torch.from_numpy(rows), described.digest)(rows), expected, atol=1e-3
        )


def test_threads_share_a_runner() -> None:
    net, described = spectral()
    run = Engine("cpu", workers=2).load(net, torch.from_numpy(SOUND[:2]), described.digest)
    expected = run(SOUND)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: run(SOUND), range(12)):
            np.testing.assert_array_equal(scores, expected)


def test_a_converted_net_is_kept_for_the_next_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine("cpu")
    if not engine.name.startswith("cpu:openvino"):
        pytest.skip("OpenVINO is not installed; torch converts nothing")
    net, described = spectral()
    monkeypatch.setattr("models.weights.folder", lambda: tmp_path)
    first = engine.load(net, torch.from_numpy(SOUND[:2]), described.digest)(SOUND)
    assert {path.suffix for path in tmp_path.iterdir()} == {".xml", ".bin"}
    monkeypatch.setattr("openvino.convert_model", None)
    second = engine.load(net, torch.from_numpy(SOUND[:2]), described.digest)(SOUND)
    np.testing.assert_allclose(first, second, atol=1e-5)  # two compilations may order a sum differently


def test_cuda_without_a_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="device is 'cuda', but torch sees no CUDA device: use 'auto' or 'cpu'"):
        Engine("cuda")
