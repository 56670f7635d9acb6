import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.face import MIDDLE, PLACES, FaceModel
from models.preprocess import TEMPLATE
from models.training import face_windows
from models.training.face_data import BONA_FIDE, SPOOF, DataError, Trial
from models.training.face_views import View
from models.training.face_windows import FRAMES, Clips, Features, WindowRecipe, _to_and_fro, look_at, score, train
from models.window import CROP_PX


@pytest.fixture
def four_steps(monkeypatch: pytest.MonkeyPatch) -> WindowRecipe:
    """A recipe that ends after four steps, on a clock that a second passes on whenever it is read."""
    seconds = itertools.count()
    monkeypatch.setattr(face_windows.time, "monotonic", lambda: next(seconds))
    return WindowRecipe(minutes=4.5 / 60, n_clips=2)


def eager(recipe: WindowRecipe) -> WindowRecipe:
    """Return a recipe of twenty steps that learns fast."""
    return replace(recipe, minutes=20.5 / 60, tail_rate=1e-3, head_rate=1e-2)


def view(source: str, label: str, name: str = "plain", forgery: str = "", n: int = 10) -> View:
    trial = Trial(
        file=f"{source}.mp4", label=label, attack="-", attack_type="-", kind="video", source=source, licence="MIT"
    )
    marks = tuple(tuple((float(x), float(y)) for x, y in TEMPLATE) for _ in range(n))
    times = tuple(i / 5 for i in range(n))
    return View(
        trial=trial,
        name=name,
        forgery=forgery,
        channel="",
        times=times,
        landmarks=marks,
        face_px=(99.0,) * n,
        sharpness=(99.0,) * n,
    )


def features(views: list[View], level: list[float]) -> Features:
    """Return features that are all of one level in each view."""
    rows = np.concatenate(
        [np.full((len(v.times), MIDDLE, PLACES, PLACES), x) for v, x in zip(views, level, strict=True)]
    )
    counts = np.cumsum([0, *(len(v.times) for v in views)])[:-1]
    return Features(
        rows=rows.astype(np.float16),
        views=tuple(views),
        first=tuple(int(n) for n in counts),
        landmarks=tuple(np.array(v.landmarks, np.float32) for v in views),
    )


@pytest.mark.parametrize(("n", "steps"), [(1, [0] * 8), (3, [0, 1, 2, 1, 0, 1, 2, 1]), (9, list(range(8)))])
def test_a_short_clip_is_played_to_and_fro(n: int, steps: list[int]) -> None:
    assert [_to_and_fro(i, n) for i in range(8)] == steps


def test_a_draw_has_its_length_whatever_the_clips() -> None:
    clips = Clips(features([view("a", BONA_FIDE, n=5), view("b", BONA_FIDE, n=20)], [0, 1]), [0, 1])
    for seed in range(10):
        rows, marks = clips.draw(np.random.default_rng(seed))
        assert rows.shape == (FRAMES, MIDDLE, PLACES, PLACES)
        assert marks.shape == (FRAMES, 5, 2)


def test_what_is_left_out_leaves_no_trace(four_steps: WindowRecipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same training with and without a left-out source's clips draws the same and learns the same."""
    views = [view("a", BONA_FIDE), view("b", SPOOF), view("a", BONA_FIDE, "forged-1", "blend")]
    extra = [*views, view("gone", SPOOF), view("gone", BONA_FIDE)]
    states = []
    for known, level in ((views, [1.0, -1.0, -1.0]), (extra, [1.0, -1.0, -1.0, 50.0, -50.0])):
        torch.manual_seed(0)
        seconds = itertools.count()
        monkeypatch.setattr(face_windows.time, "monotonic", lambda seconds=seconds: next(seconds))
        untrained = FaceModel()
        before = untrained.window.gain.item()
        states.append(train(four_steps, untrained, features(known, level), frozenset({"gone"})).state_dict())
        assert untrained.window.gain.item() != before
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor)


def test_clips_that_differ_are_told_apart(four_steps: WindowRecipe) -> None:
    torch.manual_seed(0)
    views = [view("a", BONA_FIDE), view("b", SPOOF), view("a", BONA_FIDE, "forged-1", "blend")]
    known = features(views, [1.0, -1.0, -1.0])
    model = train(
        replace(four_steps, minutes=20.5 / 60, tail_rate=1e-3, head_rate=1e-2), FaceModel(), known, frozenset()
    )
    raws = [whole for _, whole, _ in score(model, known, [0, 1, 2])]
    assert raws[0] > max(raws[1:])


def test_a_training_without_spoofs_of_others_learns_from_those_made_here(four_steps: WindowRecipe) -> None:
    views = [view("a", BONA_FIDE), view("a", BONA_FIDE, "forged-1", "blend")]
    known = features(views, [1.0, -1.0])
    model = train(
        replace(four_steps, minutes=20.5 / 60, tail_rate=1e-3, head_rate=1e-2), FaceModel(), known, frozenset()
    )
    genuine, forged = (whole for _, whole, _ in score(model, known, [0, 1]))
    assert genuine > forged


def test_a_training_without_a_forgery_is_refused() -> None:
    with pytest.raises(DataError, match=r"^no genuine clip in which one face can be followed for a second or longer$"):
        train(WindowRecipe(minutes=1), FaceModel(), features([view("a", BONA_FIDE)], [1.0]), frozenset())


def test_features_are_those_of_the_stem_and_short_views_are_left_out(tmp_path: Path) -> None:
    torch.manual_seed(0)
    views = [view("a", BONA_FIDE, n=5), view("b", SPOOF, n=4)]
    pixels = np.random.default_rng(0).integers(0, 256, (5, CROP_PX, CROP_PX, 3), np.uint8)
    np.save(tmp_path / views[0].file, pixels)
    net = FaceModel().frame
    seen = look_at(net, tmp_path, views, tmp_path / "features", 2)
    assert seen.views == (views[0],)
    with torch.inference_mode():
        expected = net.look(torch.from_numpy(pixels)).half().numpy()
    np.testing.assert_array_equal(seen.of(0), expected)
