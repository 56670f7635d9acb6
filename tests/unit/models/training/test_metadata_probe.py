from pathlib import Path

import numpy as np
import pytest

from models.metrics import auc
from models.training.face_data import DataError
from models.training.metadata_probe import Metadata, features, fitted_scores, leave_one_source_out, read_metadata


def clip(**changes: object) -> Metadata:
    known: dict[str, object] = {
        "width": 640,
        "height": 360,
        "duration_s": 4.0,
        "rate_hz": 30.0,
        "has_sound": False,
        "bit_rate": 3e5,
        "container": "mp4",
    }
    return Metadata(**(known | changes))  # type: ignore[arg-type]  # values of mixed types by name


def test_a_probe_tells_classes_apart_that_their_numbers_separate_in_every_source() -> None:
    rng = np.random.default_rng(0)
    label = np.arange(120) % 2 == 0
    x = np.hstack([rng.normal(size=(120, 2)), (label + rng.normal(0, 0.1, 120))[:, None]])
    scores = leave_one_source_out(x, label, [f"source {i // 10}" for i in range(120)])
    assert auc(scores[label], scores[~label]) > 0.99


def test_a_probe_of_random_numbers_is_near_chance_although_its_own_fit_is_not() -> None:
    rng = np.random.default_rng(0)
    label = rng.random(200) < 0.5
    x = rng.normal(size=(200, 8))
    outside = leave_one_source_out(x, label, [f"source {i // 10}" for i in range(200)])
    inside = fitted_scores(x, label, x)
    assert auc(outside[label], outside[~label]) == pytest.approx(0.5, abs=0.1)
    assert auc(inside[label], inside[~label]) > auc(outside[label], outside[~label])


def test_a_cue_of_one_source_alone_does_not_carry_to_others() -> None:
    label = np.arange(80) % 2 == 0
    sources = [f"source {i // 20}" for i in range(80)]
    x = np.zeros((80, 1))
    x[:20, 0] = label[:20]
    scores = leave_one_source_out(x, label, sources)
    assert auc(scores[20:][label[20:]], scores[20:][~label[20:]]) == 0.5


def test_a_source_without_which_one_class_is_missing_scores_zero() -> None:
    label = np.array([True, True, False, False])
    scores = leave_one_source_out(np.arange(4.0)[:, None], label, ["a", "a", "b", "b"])
    np.testing.assert_array_equal(scores, 0)


def test_a_constant_number_and_unequal_classes_do_no_harm() -> None:
    label = np.arange(50) < 5
    x = np.stack([np.ones(50), label.astype(float)], axis=1)
    scores = fitted_scores(x, label, x)
    assert scores[label].min() > 0 > scores[~label].max()


def test_features_hold_sizes_by_their_logarithm_and_a_column_for_each_container() -> None:
    x = features([clip(), clip(width=1280, container="matroska"), clip(has_sound=True)])
    assert x.shape == (3, 7 * 2 + 2)
    assert x[1, 0] - x[0, 0] == pytest.approx(np.log(2))
    np.testing.assert_array_equal(x[:, -2:], [[0, 1], [1, 0], [0, 1]])


def test_metadata_are_read_from_the_container(record, tmp_path: Path) -> None:  # noqa: ANN001  # a fixture of conftest
    path = record("clip.mkv", video="libx264", audio="aac", fps=25, seconds=2.0)
    found = read_metadata(path)
    assert (found.width, found.height, found.has_sound) == (320, 240, True)
    assert found.rate_hz == pytest.approx(25)
    assert found.duration_s == pytest.approx(2, abs=0.1)
    assert "matroska" in found.container
    assert not read_metadata(record("silent.mp4", video="libx264")).has_sound
    with pytest.raises(DataError, match=r"cannot read .*sound\.mp4"):
        read_metadata(record("sound.mp4", audio="aac"))
