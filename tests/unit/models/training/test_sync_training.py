"""What the training of the sync signal rests on: nothing of a left-out source leaks, and wrong sound is wrong."""

import numpy as np
import pytest
import torch

from models.preprocess import TEMPLATE
from models.sync import LOWER_PX, N_FEATURES, N_MOUTH, N_SOUND, SyncNet
from models.training.sync_data import Talk, as_called, contexts, worn
from models.training.sync_fit import Moments, Recipe, components, fit_head, moments
from models.training.sync_trials import BONA_FIDE, SHIFTED, SWAPPED, Row, Trials, row_weights, shifted
from models.training.train_sync import left_out_rows, scored
from models.window import PICTURE_RATE_HZ, WINDOW_SAMPLES

RECIPE = Recipe(n_copies=1, n_wrong=2)


def talk(seed: int, source: str, sound_s: float = 4.0) -> Talk:
    rng = np.random.default_rng(seed)
    n = int(sound_s * 25)
    samples = np.zeros(WINDOW_SAMPLES, np.float32)
    samples[: int(sound_s * 16_000)] = rng.normal(0, 0.1, int(sound_s * 16_000))
    return Talk(
        file=f"{source}-{seed}",
        source=source,
        attack_type=BONA_FIDE,
        times_s=np.arange(n, dtype=np.float32) / 25,
        lower=rng.integers(0, 256, (n, LOWER_PX, LOWER_PX), np.uint8),
        landmarks=np.repeat(TEMPLATE[None], n, axis=0),
        samples=samples,
        sound_s=sound_s,
    )


def test_components_find_what_mouth_and_sound_have_in_common() -> None:
    rng = np.random.default_rng(0)
    common, of_mouth, of_sound = rng.normal(size=2000), rng.normal(size=N_MOUTH), rng.normal(size=N_SOUND)
    mouth = np.outer(common, of_mouth) + rng.normal(0, 3, (2000, N_MOUTH))
    sound = np.outer(common, of_sound) + rng.normal(0, 3, (2000, N_SOUND))
    rows = np.hstack([mouth, sound])[:1000]
    net = components(Moments(len(rows), rows.sum(axis=0), rows.T @ rows), RECIPE)
    seen = mouth[1000:] @ net.mouth.weight[0].detach().double().numpy()
    heard = sound[1000:] @ net.sound.weight[0].detach().double().numpy()
    assert np.corrcoef(seen, heard)[0, 1] > 0.9
    assert net.strength[0] > 0.6
    assert net.strength[1] < 0.3


def test_a_head_gives_the_odds_of_the_classes() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(3, 2, (20_000, N_FEATURES))
    is_bona_fide = rng.random(20_000) < 1 / (1 + np.exp(-(0.5 * features[:, 0] - 0.25 * features[:, 1] - 1)))
    coefficients, bias = fit_head(features, is_bona_fide, np.ones(20_000), decay=1e-6)
    assert [*coefficients, bias] == pytest.approx([0.5, -0.25, 0.0, -1.0], abs=0.1)


def test_shifted_sound_comes_late_and_turns_round_within_what_the_clip_had() -> None:
    one = talk(0, "a", sound_s=3.0)
    late = shifted(one, 0.7)
    np.testing.assert_array_equal(late[70:300], contexts(one)[:230])
    np.testing.assert_array_equal(late[:70], contexts(one)[230:300])
    np.testing.assert_array_equal(late[300:], contexts(one)[300:])


def test_a_mirrored_mouth_keeps_its_landmarks_in_place() -> None:
    one = talk(0, "a")
    marked = np.zeros_like(one.lower)
    marked[:, 42:55, 14:27] = 255
    point = np.array(TEMPLATE)
    point[3] = (56 + 20, 100 + 48)
    one = Talk(
        **{name: getattr(one, name) for name in Talk.__slots__}
        | {"lower": marked, "landmarks": point[None] + 0 * one.landmarks}
    )
    for seed in range(6):
        copy = worn(one, np.random.default_rng(seed))
        assert copy.samples.shape == one.samples.shape
        np.testing.assert_array_equal(copy.times_s, one.times_s)
        mean = copy.lower.mean(axis=0)
        y, x = np.argwhere(mean > mean.max() / 2).mean(axis=0)
        corners = copy.landmarks[:, 3:].mean(axis=0) - (56, 100)
        assert np.hypot(*(corners - (x, y)).T).min() < 5
        assert copy.landmarks[:, 3, 0].mean() < copy.landmarks[:, 4, 0].mean()


def test_a_call_sees_five_pictures_a_second_and_may_lose_some() -> None:
    one = talk(0, "a")
    assert np.diff(one.times_s[as_called(one, None)]) == pytest.approx(1 / PICTURE_RATE_HZ)
    for seed in range(20):
        taken = as_called(one, np.random.default_rng(seed))
        assert 14 <= len(taken) <= 20
        assert np.diff(one.times_s[taken]).min() >= 1 / PICTURE_RATE_HZ - 1e-3


def test_both_classes_and_every_kind_of_wrong_sound_weigh_alike() -> None:
    kinds = [(BONA_FIDE, 3), (SHIFTED, 10), (SWAPPED, 1)]
    rows = [
        Row(kind=kind, source="ab"[i % 2], file="", copy=0, features=np.zeros(3), offset_s=0.0, correlation=0.0)
        for kind, n in kinds
        for i in range(n)
    ]
    weight, kind = row_weights(rows), np.array([row.kind for row in rows])
    assert [weight[kind == name].sum() for name, _ in kinds] == pytest.approx([100, 50, 50])


def test_nothing_of_a_source_enters_its_own_scores() -> None:
    talks = [talk(seed, source) for source in "abc" for seed in range(2)]
    copies = {one.file: [one, one] for one in talks}
    trials = Trials(copies, RECIPE)
    by_source = {source: moments([one for one in talks if one.source == source], 1.0) for source in "abc"}
    altered = by_source | {"a": moments([talk(99, "z")], 1.0)}
    one, other = (left_out_rows(trials, sources, talks[:2]) for sources in (by_source, altered))
    assert [row.kind for row in one[:5]] == [BONA_FIDE, SHIFTED, SHIFTED, SWAPPED, SWAPPED]
    for row, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(row.features, same.features)
    rows = left_out_rows(trials, by_source, talks)
    flipped = [
        row if row.source != "a" else Row(**{n: getattr(row, n) for n in Row.__slots__} | {"kind": SHIFTED})
        for row in rows
    ]
    raws = [[row.raw for row in scored(part, RECIPE) if row.source == "a"] for part in (rows, flipped)]
    assert raws[0] == raws[1]


def test_a_comparison_does_not_depend_on_how_many_pictures_repeat_the_same() -> None:
    torch.manual_seed(0)
    net = SyncNet()
    mouths, times_s, sound = torch.randn(20, N_MOUTH), torch.arange(20) / 5, torch.randn(401, N_SOUND)
    once, _, _ = net.compare(mouths, times_s, sound)
    thrice, _, _ = net.compare(mouths.repeat(3, 1), times_s.repeat(3), sound)
    torch.testing.assert_close(once, thrice, rtol=1e-3, atol=1e-3)
