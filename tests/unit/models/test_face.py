from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models import face
from models.checkpoint import CheckpointError
from models.demo_face import blend_face
from models.face import (
    EMBEDDING,
    PLACES,
    REGION,
    FaceModel,
    WindowHead,
    frame_reading,
    load_face,
    over_crop,
    still_raw,
    window_raw,
)
from models.faces import FaceFinder
from models.preprocess import TEMPLATE
from models.training.face_batches import BLIND, GROUPS
from models.training.face_data import BONA_FIDE, SPOOF, main_face, read_manifest
from models.window import CROP_PX, FaceCrop

DATA = Path(__file__).parents[4] / "shared" / "data" / "face"
LIP_SYNC_PAGES = {
    "Akash-Jariwala/lipsync-assignment",
    "PhaniTejaPMSS/video-lip-sync",
    "aniketpatro04/Listed_Wav2Lip_Lipsync",
    "darshithachinta/wav2lip-assignment",
    "salwinat0r/LipSync",
}
WIDTH = 1 + EMBEDDING + PLACES**2


def test_crops_of_any_number_give_one_row_each_whatever_the_batch() -> None:
    net = load_face()[0].frame
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (5, CROP_PX, CROP_PX, 3), np.uint8))
    with torch.inference_mode():
        together, alone = net(pixels), torch.cat([net(one[None]) for one in pixels])
    assert together.shape == (5, WIDTH)
    assert together.dtype == torch.float32
    torch.testing.assert_close(together, alone, rtol=1e-3, atol=1e-3)


def test_what_lies_beyond_the_region_is_not_seen() -> None:
    net = load_face()[0].frame
    pixels = np.random.default_rng(0).integers(0, 256, (1, CROP_PX, CROP_PX, 3), np.uint8)
    framed = np.zeros_like(pixels)
    framed[:, *REGION] = pixels[:, *REGION]
    with torch.inference_mode():
        torch.testing.assert_close(net(torch.from_numpy(pixels)), net(torch.from_numpy(framed)))


@pytest.mark.filterwarnings("ignore:.torch.jit.trace")  # OpenVINO 2026.4 still converts through it
def test_openvino_computes_what_torch_computes() -> None:
    openvino = pytest.importorskip("openvino", reason="OpenVINO is an optional extra")
    net = load_face()[0].frame
    example = torch.zeros(2, CROP_PX, CROP_PX, 3, dtype=torch.uint8)
    model = openvino.convert_model(net, example_input=example, input=[-1, *example.shape[1:]])
    compiled = openvino.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    pixels = np.random.default_rng(0).integers(0, 256, (3, CROP_PX, CROP_PX, 3), np.uint8)
    with torch.inference_mode():
        expected = net(torch.from_numpy(pixels)).numpy()
    np.testing.assert_allclose(compiled([pixels])[0], expected, rtol=1e-3, atol=1e-3)


def test_a_checkpoint_of_another_network_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    described, state = face.checkpoint.load("face")
    state.pop("frame.classify.bias")
    monkeypatch.setattr(face.checkpoint, "load", lambda name: (described, state))
    with pytest.raises(CheckpointError, match=r"^checkpoint 'face' does not fit the network: "):
        load_face()


def test_a_row_is_read_as_the_network_writes_it() -> None:
    row = np.arange(WIDTH, dtype=np.float32)
    reading = frame_reading(row)
    assert reading.logit == 0
    assert reading.places.shape == (PLACES, PLACES)
    assert reading.places[0, 0] == 1 + EMBEDDING
    assert reading.places[1, 0] == 1 + EMBEDDING + PLACES


def test_an_untrained_window_branch_weighs_the_logits_and_the_places_as_of_a_still() -> None:
    rows = np.random.default_rng(0).normal(size=(12, WIDTH)).astype(np.float32)
    marks = np.repeat(TEMPLATE[None], 12, axis=0)
    stills = [still_raw(WindowHead(), frame_reading(row)) for row in rows]
    assert window_raw(WindowHead(), rows, marks) == pytest.approx(np.mean(stills), abs=1e-4)


def test_the_order_of_pictures_matters_only_by_their_steps() -> None:
    head = load_face()[0].window
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, WIDTH)).astype(np.float32)
    marks = (TEMPLATE + rng.normal(0, 2, (12, 5, 2))).astype(np.float32)
    assert window_raw(head, rows[::-1].copy(), marks[::-1].copy()) == pytest.approx(
        window_raw(head, rows, marks), abs=1e-3
    )


def test_the_map_covers_the_region_and_nothing_else() -> None:
    spread = over_crop(np.ones((PLACES, PLACES), np.float32))
    cells = CROP_PX // face.CELL_PX
    assert spread.shape == (cells, cells)
    inside = np.zeros_like(spread)
    inside[tuple(slice(part.start // face.CELL_PX, part.stop // face.CELL_PX) for part in REGION)] = 1
    np.testing.assert_array_equal(spread, inside)


def raw_of(model: FaceModel, crops: list[FaceCrop]) -> float:
    with torch.inference_mode():
        rows = model.frame(torch.from_numpy(np.stack([crop.pixels for crop in crops]))).numpy()
    return window_raw(model.window, rows, np.stack([crop.landmarks for crop in crops]))


def crops_of_source(sources: set[str], label: str) -> list[list[FaceCrop]]:
    """Return eight crops of each of a label's clips."""
    if not (DATA / "manifest.csv").is_file():
        pytest.skip("shared data is not here")
    finder = FaceFinder()
    trials = [t for t in read_manifest(DATA / "manifest.csv") if t.source in sources and t.label == label]
    faces = [main_face(DATA / trial.file, trial.kind, finder) for trial in trials]
    return [list(crops[:8]) for crops in faces]


@pytest.mark.shared_data
def test_genuine_clips_score_above_lip_synced_clips_of_pages_never_trained_on() -> None:
    assert GROUPS[BLIND] >= LIP_SYNC_PAGES
    model = load_face()[0]
    genuine = np.array([raw_of(model, crops) for crops in crops_of_source(LIP_SYNC_PAGES, BONA_FIDE)])
    synced = np.array([raw_of(model, crops) for crops in crops_of_source(LIP_SYNC_PAGES, SPOOF)])
    share = np.mean(genuine[:, None] > synced[None])
    assert genuine.mean() > synced.mean() + 1.0
    assert share >= 0.9, f"a genuine clip scores above a lip-synced one in {share:.2f} of pairs"


@pytest.mark.shared_data
def test_the_blended_copy_of_a_genuine_face_never_trained_on_scores_below_it() -> None:
    model = load_face()[0]
    lower = [
        raw_of(model, [replace(crop, pixels=blend_face(crop.pixels, TEMPLATE)) for crop in crops])
        < raw_of(model, crops)
        for crops in crops_of_source(set(GROUPS[BLIND]), BONA_FIDE)
    ]
    assert np.mean(lower) >= 0.85
