import numpy as np
import pytest
import torch

from models.training.voice_data import Clip
from models.training.voice_heads import COPY_SHARE, balance, fit_fusion, fit_head


def drawn(n: int = 400) -> tuple[np.ndarray, np.ndarray]:
    """Return features of which the first tells the classes apart, the second is noise, and the classes."""
    rng = np.random.default_rng(0)
    is_bona_fide = rng.random(n) < 0.5
    features = rng.normal(size=(n, 2))
    features[:, 0] = 7 + 3 * (features[:, 0] + np.where(is_bona_fide, 1.5, -1.5))
    return features.astype(np.float32), is_bona_fide


def clip(source: str, *, spoof: bool, attack: str = "tts") -> Clip:
    from pathlib import Path

    name = attack if spoof else "-"
    return Clip(path=Path("a"), file="a", is_spoof=spoof, attack=name, source=source, era="modern")


def test_a_head_finds_what_tells_the_classes_apart_whatever_its_scale() -> None:
    features, is_bona_fide = drawn()
    head = fit_head(features, is_bona_fide, np.ones(len(features), np.float32), ridge=1e-3)
    score = head(torch.from_numpy(features)).numpy()
    assert ((score > 0) == is_bona_fide).mean() > 0.9
    assert abs(head.weight[0]) > 5 * abs(head.weight[1])


def test_a_feature_far_beyond_what_was_seen_counts_as_its_edge() -> None:
    features, is_bona_fide = drawn()
    head = fit_head(features, is_bona_fide, np.ones(len(features), np.float32), ridge=1e-3)
    far, farther = (head(torch.tensor([[value, 0.0]])).item() for value in (1e3, 1e6))
    assert far == pytest.approx(farther)


def test_a_view_that_ranks_the_wrong_way_weighs_nothing() -> None:
    features, is_bona_fide = drawn()
    views = np.stack([features[:, 0] - 7, 7 - features[:, 0] + features[:, 1]], axis=1)
    weights, _ = fit_fusion(views, is_bona_fide, np.ones(len(views), np.float32))
    assert weights[0] > 0
    assert weights.min() >= 0


def test_classes_count_alike_and_a_large_source_for_the_root_of_its_size() -> None:
    clips = [clip("large", spoof=False)] * 16 + [clip("small", spoof=False)] * 4 + [clip("large", spoof=True)] * 2
    weight = balance(clips)
    assert weight.mean() == pytest.approx(1)
    assert weight[:20].sum() == pytest.approx(weight[20:].sum(), rel=1e-5)
    assert weight[:16].sum() == pytest.approx(2 * weight[16:20].sum(), rel=1e-5)


def test_copies_count_as_a_source_of_their_own() -> None:
    clips = [clip("page", spoof=True)] + [clip("page", spoof=True, attack="WORLD-copy")] * 9 + [clip("a", spoof=False)]
    weight = balance(clips)
    assert weight[1:10].sum() == pytest.approx(3 * COPY_SHARE * weight[0], rel=1e-5)
