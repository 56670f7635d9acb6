from pathlib import Path

import numpy as np
import pytest
import torch

from models import face
from models.checkpoint import CheckpointError
from models.demo_face import blend_face
from models.face import FaceNet, load_face, window_raw
from models.faces import FaceFinder
from models.preprocess import TEMPLATE
from models.training.face_batches import HELD_OUT
from models.training.face_data import BONA_FIDE, SPOOF, main_face, read_manifest
from models.window import CROP_PX, Pixels

DATA = Path(__file__).parents[4] / "shared" / "data" / "face"
PAIRS = "iperov/DeepFaceLive"
LIP_SYNC_PAGES = {
    "Akash-Jariwala/lipsync-assignment",
    "PhaniTejaPMSS/video-lip-sync",
    "aniketpatro04/Listed_Wav2Lip_Lipsync",
    "darshithachinta/wav2lip-assignment",
    "salwinat0r/LipSync",
}


def test_crops_of_any_number_give_one_logit_each_whatever_the_batch() -> None:
    net = load_face()[0]
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, CROP_PX, CROP_PX, 3), np.uint8))
    with torch.inference_mode():
        together, alone = net(pixels), torch.cat([net(one[None]) for one in pixels])
    assert together.shape == (5, 26)
    assert together.dtype == torch.float32
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore:.torch.jit.trace")  # OpenVINO 2026.4 still converts through it
def test_openvino_computes_what_torch_computes() -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is an optional extra")
    net = load_face()[0]
    example = torch.zeros(2, CROP_PX, CROP_PX, 3, dtype=torch.uint8)
    model = openvino.convert_model(net, example_input=example, input=[-1, *example.shape[1:]])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    pixels = np.random.default_rng(0).integers(0, 256, (3, CROP_PX, CROP_PX, 3), np.uint8)
    with torch.inference_mode():
        expected = net(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(compiled([pixels])[0], expected, rtol=1e-3, atol=1e-3)


def test_an_input_size_that_the_padding_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^input_px is 150, must be a multiple of 32: the padding counts on even"):
        FaceNet(150)


def test_a_checkpoint_of_another_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    described, state = face.checkpoint.load("face")
    state.pop("classify.bias")
    monkeypatch.setattr(face.checkpoint, "load", lambda name: (described, state))
    with pytest.raises(CheckpointError, match=r"^checkpoint 'face' does not fit the network: "):
        load_face()


def test_higher_logits_never_lower_the_raw_score() -> None:
    logits = np.random.default_rng(0).normal(size=20)
    for index in range(20):
        raised = logits.copy()
        raised[index] += 1.0
        assert window_raw(raised) >= window_raw(logits)
    assert window_raw(logits + 2.0) == pytest.approx(window_raw(logits) + 2.0)


def raw_of(net: FaceNet, crops: list[Pixels]) -> float:
    with torch.inference_mode():
        return window_raw(net(torch.from_numpy(np.stack(crops)))[:, 0].numpy())


def crops_of_source(sources: set[str], label: str, step: int = 1) -> list[list[Pixels]]:
    """Return four crops of each of a label's clips, every `step`-th clip of the sources."""
    if not (DATA / "manifest.csv").is_file():
        pytest.skip("shared data is not here")
    finder = FaceFinder()
    trials = [t for t in read_manifest(DATA / "manifest.csv") if t.source in sources and t.label == label]
    faces = [main_face(DATA / trial.file, trial.kind, finder) for trial in trials[::step]]
    return [[crop.pixels for crop in crops[:: max(1, len(crops) // 4)]] for crops in faces]


@pytest.mark.shared_data
def test_genuine_clips_score_above_lip_synced_clips_of_pages_never_trained_on() -> None:
    assert LIP_SYNC_PAGES <= HELD_OUT
    net = load_face()[0]
    genuine = np.array([raw_of(net, crops) for crops in crops_of_source(LIP_SYNC_PAGES, BONA_FIDE)])
    synced = np.array([raw_of(net, crops) for crops in crops_of_source(LIP_SYNC_PAGES, SPOOF)])
    share = np.mean(genuine[:, None] > synced[None])
    assert genuine.mean() > synced.mean() + 1.0
    assert share >= 0.9, f"a genuine clip scores above a lip-synced one in {share:.2f} of pairs"


@pytest.mark.shared_data
def test_the_blended_copy_of_a_genuine_face_never_trained_on_scores_below_it() -> None:
    assert PAIRS in HELD_OUT
    net = load_face()[0]
    lower = [
        raw_of(net, [blend_face(crop, TEMPLATE) for crop in crops]) < raw_of(net, crops) - 1.0
        for crops in crops_of_source({PAIRS}, BONA_FIDE, step=4)
    ]
    assert np.mean(lower) >= 0.85
