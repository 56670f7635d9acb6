"""Trains the window branch and the frame branch's tail on clips: genuine, forged by others' generators, forged here.

The stem stays as `models.training.face_frames` left it, so its features are computed once for every view of every clip.
That makes a training a matter of minutes and lets whole groups of sources be left out in turn.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from models.face import MIDDLE, PLACES, FaceModel, FaceNet
from models.quality import MIN_CROPS
from models.training.face_data import SPOOF, DataError
from models.training.face_views import CODED, FORGED, PLAIN, View

Floats = npt.NDArray[np.float32]

PRINT_EVERY = 50
LOOKED_AT_ONCE = 32
FRAMES = 8
"""Crops of a clip in a training step: those of one and a half seconds."""
RARELY_DRAWN = {"ID-Animator/ID-Animator.github.io": 0.4}
"""From GIF: their palette's dither survives any later compression and would stand for "spoof" if seen often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRecipe:
    """All that is chosen in a training of the window branch."""

    minutes: float
    """Wall-clock budget; the learning rate falls to zero along it [min]."""
    n_clips: int = 6
    """Genuine clips in a step, and as many spoofs."""
    forged_share: float = 0.5
    """Of the spoofs in a step that were made here; the others are of others' generators."""
    tail_rate: float = 1e-4
    head_rate: float = 1e-3
    weight_decay: float = 1e-2
    frame_share: float = 0.5
    """Weight of judging each crop beside the window."""
    seed: int = 7


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Features:
    """What the stem sees in the crops of all views."""

    rows: npt.NDArray[np.float16]
    """Shape (N, MIDDLE, PLACES, PLACES)."""
    views: tuple[View, ...]
    first: tuple[int, ...]
    """Row of each view's first crop."""
    landmarks: tuple[Floats, ...]
    """Of each view, shape (T, 5, 2)."""

    def of(self, index: int, start: int = 0, count: int | None = None) -> npt.NDArray[np.float16]:
        """Return rows of one view by time."""
        n = len(self.landmarks[index]) - start if count is None else count
        return self.rows[self.first[index] + start : self.first[index] + start + n]


def look_at(net: FaceNet, place: Path, views: Iterable[View], kept: Path, workers: int) -> Features:
    """Return the stem's features of views, computed once.

    Args:
        net: Its stem is used.
        place: Where the views' crops stand.
        views: Those with fewer than `MIN_CROPS` crops are left out.
        kept: File of the features; it is only right for this stem and these views.
        workers: Threads.
    """
    chosen = tuple(view for view in views if len(view.times) >= MIN_CROPS)
    counts = [len(view.times) for view in chosen]
    first = tuple(int(n) for n in np.concatenate([[0], np.cumsum(counts)[:-1]]))
    shape = (sum(counts), MIDDLE, PLACES, PLACES)
    if not kept.is_file():
        partial = kept.with_suffix(".new")
        rows = np.lib.format.open_memmap(partial, "w+", np.float16, shape)

        def look(view: View) -> npt.NDArray[np.float16]:
            torch.set_num_threads(1)  # of this thread
            with torch.inference_mode():
                seen: npt.NDArray[np.float16] = net.look(torch.from_numpy(np.load(place / view.file))).half().numpy()
            return seen

        with ThreadPoolExecutor(workers) as pool:
            for index, (at, seen) in enumerate(zip(first, pool.map(look, chosen), strict=True)):
                rows[at : at + len(seen)] = seen
                if index % 200 == 199:
                    print(f"looked at {index + 1} of {len(chosen)} views", flush=True)
        rows.flush()
        partial.replace(kept)
    return Features(
        rows=np.load(kept, mmap_mode="r"),
        views=chosen,
        first=first,
        landmarks=tuple(np.array(view.landmarks, np.float32) for view in chosen),
    )


class Clips:
    """Draws clips by source: a source with four times the clips is drawn twice as often.

    Args:
        features: Of all views.
        chosen: Which of them are drawn.
    """

    def __init__(self, features: Features, chosen: Sequence[int]) -> None:
        by_source: dict[str, list[int]] = defaultdict(list)
        for index in chosen:
            by_source[features.views[index].trial.source].append(index)
        self.is_empty = not by_source
        self._features, self._sources = features, list(by_source.values())
        weights = np.array([len(many) ** 0.5 * RARELY_DRAWN.get(name, 1.0) for name, many in by_source.items()])
        self._shares = weights / max(weights.sum(), 1e-9)

    def draw(self, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Return features (FRAMES, MIDDLE, h, w) and landmarks (FRAMES, 5, 2) of some seconds of a clip."""
        source = self._sources[rng.choice(len(self._sources), p=self._shares)]
        index = source[rng.integers(len(source))]
        marks = self._features.landmarks[index]
        start = int(rng.integers(max(1, len(marks) - FRAMES + 1)))
        # A clip too short is played to and fro.
        steps = start + np.array([_to_and_fro(i, len(marks) - start) for i in range(FRAMES)])
        rows = self._features.of(index)[steps].astype(np.float32)
        return rows, marks[steps]


def _to_and_fro(i: int, n: int) -> int:
    period = max(1, 2 * (n - 1))
    return min(i % period, period - i % period) if n > 1 else 0


def train(recipe: WindowRecipe, model: FaceModel, features: Features, left_out: frozenset[str]) -> FaceModel:
    """Train for the recipe's minutes and return the model, ready to infer.

    Args:
        recipe: What is chosen.
        model: As the frame branch's training left it; changed in place.
        features: Of all views.
        left_out: Sources of which nothing is drawn.

    Raises:
        models.training.face_data.DataError: There is no genuine clip, or none whose face could be followed and forged.
    """
    torch.manual_seed(recipe.seed)
    pools = _pools(features, left_out)
    if pools[0].is_empty or pools[2].is_empty:
        raise DataError("no genuine clip in which one face can be followed for a second or longer")
    rng, losses = np.random.default_rng(recipe.seed), list[float]()
    model.frame.stem.requires_grad_(False)
    model.frame.places.requires_grad_(False)
    nn.init.normal_(model.frame.embed.weight, std=0.02)
    nn.init.zeros_(model.frame.embed.bias)
    new = [*model.window.parameters(), *model.frame.embed.parameters()]
    groups = [
        {"params": [*model.frame.tail.parameters(), *model.frame.classify.parameters()], "peak": recipe.tail_rate},
        {"params": new, "peak": recipe.head_rate},
    ]
    optimiser = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    began = time.monotonic()
    while (spent := (time.monotonic() - began) / 60) < recipe.minutes:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * 0.5 * (1 + np.cos(np.pi * spent / recipe.minutes))
        loss = _loss(recipe, model, pools, rng)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch does not say
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        losses.append(float(loss.detach()))
        if len(losses) % PRINT_EVERY == 0:
            print(f"step {len(losses)} at {spent:.1f} min: loss {np.mean(losses[-PRINT_EVERY:]):.3f}", flush=True)
    return model.eval()


def _pools(features: Features, left_out: frozenset[str]) -> tuple[Clips, Clips, Clips]:
    """Return genuine clips, spoofs of others' generators and clips forged here, without what is left out."""
    known = [i for i, view in enumerate(features.views) if view.trial.source not in left_out]
    trained = [
        i for i in known if features.views[i].name in {PLAIN, CODED} or features.views[i].name.startswith(FORGED)
    ]
    genuine = [i for i in trained if features.views[i].is_bona_fide]
    spoofs = [i for i in trained if features.views[i].trial.label == SPOOF]
    forged = [i for i in trained if features.views[i].forgery]
    return Clips(features, genuine), Clips(features, spoofs), Clips(features, forged)


def _loss(
    recipe: WindowRecipe, model: FaceModel, pools: tuple[Clips, Clips, Clips], rng: np.random.Generator
) -> torch.Tensor:
    genuine, spoofs, forged = pools
    n_forged = recipe.n_clips if spoofs.is_empty else round(recipe.n_clips * recipe.forged_share)
    drawn = [genuine.draw(rng) for _ in range(recipe.n_clips)]
    drawn += [(forged if i < n_forged else spoofs).draw(rng) for i in range(recipe.n_clips)]
    rows = torch.from_numpy(np.concatenate([rows for rows, _ in drawn]))  # (B * FRAMES, MIDDLE, h, w)
    marks = torch.from_numpy(np.stack([marks for _, marks in drawn]))  # (B, FRAMES, 5, 2)
    read = model.frame.read(rows.to(memory_format=torch.channels_last)).view(len(drawn), FRAMES, -1)
    labels = torch.cat([torch.ones(recipe.n_clips), torch.zeros(recipe.n_clips)])
    windows = functional.binary_cross_entropy_with_logits(model.window(read, marks), labels)
    frames = functional.binary_cross_entropy_with_logits(read[..., 0], labels[:, None].expand(-1, FRAMES))
    return windows + recipe.frame_share * frames


def score(
    model: FaceModel, features: Features, chosen: Sequence[int], workers: int = 1
) -> Iterator[tuple[int, float, tuple[float, ...]]]:
    """Yield each chosen view's index, its window's raw score, and those of its first and its second half."""

    def judge(index: int) -> tuple[int, float, tuple[float, ...]]:
        torch.set_num_threads(1)  # of this thread
        marks = torch.from_numpy(features.landmarks[index])[None]
        with torch.inference_mode():
            read = model.frame.read(torch.from_numpy(features.of(index).astype(np.float32)))[None]
            half = read.shape[1] // 2
            parts = [slice(None), slice(half), slice(half, None)]
            whole, *halves = (float(model.window(read[:, part], marks[:, part])) for part in parts)
        return index, whole, tuple(halves)

    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(judge, chosen)
