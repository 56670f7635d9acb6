"""What is computed of a pair of pieces is computed once, depends on nothing else and is forgotten with them."""

import gc
import itertools
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pytest

from models.piece_cache import PAIRS_AT_ONCE, PieceCache
from models.training.clips import voice_windows
from models.window import HOP_SAMPLES, WINDOW_PIECES, WINDOW_SAMPLES, VoicePiece, VoiceWindow, voice_window

Rows = npt.NDArray[np.float32]


class Halves:
    """Gives the mean of either piece of a pair, and counts."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def __call__(self, pairs: Rows) -> Rows:
        self.sizes.append(len(pairs))
        return pairs.reshape(len(pairs), 2, HOP_SAMPLES).mean(axis=2)


def said(n_hops: int, seed: int = 0) -> list[VoiceWindow]:
    return voice_windows(np.random.default_rng(seed).uniform(-1, 1, n_hops * HOP_SAMPLES).astype(np.float32))


def expected(window: VoiceWindow) -> Rows:
    means = [piece.samples.mean() for piece in window.pieces]
    return np.array(list(itertools.pairwise(means)), np.float32)


def test_a_windows_rows_are_those_of_its_pairs_by_time() -> None:
    windows = said(WINDOW_PIECES + 4)
    for window, rows in zip(windows, PieceCache(Halves()).of(windows), strict=True):
        assert rows.shape == (WINDOW_PIECES - 1, 2)
        np.testing.assert_allclose(rows, expected(window), atol=1e-6)


def test_a_pair_in_seven_windows_is_computed_once() -> None:
    compute, windows = Halves(), said(20)
    cache = PieceCache(compute)
    apart = [cache.of([window])[0] for window in windows]
    assert compute.sizes == [WINDOW_PIECES - 1] + [1] * (len(windows) - 1)
    together = cache.of([*windows, windows[0]])
    assert len(compute.sizes) == len(windows)
    np.testing.assert_array_equal(apart, together[:-1])


def test_the_windows_of_many_calls_are_computed_in_few_batches() -> None:
    compute = Halves()
    PieceCache(compute).of([said(WINDOW_PIECES, seed)[0] for seed in range(6)])
    assert compute.sizes == [PAIRS_AT_ONCE, 6 * (WINDOW_PIECES - 1) - PAIRS_AT_ONCE]


def test_nothing_to_look_at_computes_nothing() -> None:
    compute = Halves()
    assert PieceCache(compute).of([]) == []
    assert compute.sizes == []


def test_rows_do_not_depend_on_what_is_known() -> None:
    windows, cache = said(12), PieceCache(Halves())
    cache.of([windows[3], windows[0]])
    np.testing.assert_array_equal(cache.of(windows), PieceCache(Halves()).of(windows))


def test_a_piece_after_another_piece_is_another_pair() -> None:
    a, b = (VoicePiece(samples=np.full(HOP_SAMPLES, level, np.float32), n_lost=0) for level in (0.25, 0.5))
    mixed, even = (a, b) * (WINDOW_PIECES // 2), (b,) * WINDOW_PIECES
    windows = [VoiceWindow(start_s=0.0, end_s=4.0, pieces=pieces) for pieces in (mixed, even)]
    compute = Halves()
    cache = PieceCache(compute)
    for rows, window in zip(cache.of(windows), windows, strict=True):
        np.testing.assert_allclose(rows, expected(window))
    assert compute.sizes == [len(cache)] == [3]


def test_what_was_computed_is_forgotten_with_either_piece() -> None:
    cache, windows = PieceCache(Halves()), said(12)
    cache.of(windows)
    assert len(cache) == 11
    del windows[:-1]
    gc.collect()
    assert len(cache) == WINDOW_PIECES - 1
    windows.clear()
    gc.collect()
    assert len(cache) == 0


def test_two_threads_get_what_one_gets() -> None:
    cache, windows = PieceCache(Halves()), said(200)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda window: cache.of([window])[0], windows * 2))
    np.testing.assert_array_equal(found, PieceCache(Halves()).of(windows * 2))
    assert len(cache) == 199


def test_a_window_has_eight_pieces_of_a_hop() -> None:
    window = voice_window(0.0, 4.0, np.arange(WINDOW_SAMPLES, dtype=np.float32), n_lost=HOP_SAMPLES + 5)
    np.testing.assert_array_equal(window.samples, np.arange(WINDOW_SAMPLES))
    assert [piece.n_lost for piece in window.pieces] == [HOP_SAMPLES, 5, 0, 0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match=r"^a window of sound has 8 pieces, got 7$"):
        VoiceWindow(start_s=0.0, end_s=4.0, pieces=window.pieces[1:])
    with pytest.raises(ValueError, match=r"^a piece of sound holds 8000 samples, got shape \(7999,\)$"):
        voice_window(0.0, 4.0, window.samples[1:])
