"""The batcher is bounded, fair and keeps each call's order, also when the detector never answers."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.window import HOP_SAMPLES, WINDOW_PIECES, Batch, Reason, Score, VoicePiece, VoiceWindow, scored
from stream.batcher import Batcher, WindowQueues

SILENCE = VoicePiece(samples=np.zeros(HOP_SAMPLES, np.float32), n_lost=0)


def window(end_s: float) -> VoiceWindow:
    return VoiceWindow(start_s=end_s - 4, end_s=end_s, pieces=(SILENCE,) * WINDOW_PIECES)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 1000)), max_size=60), st.integers(1, 5))
def test_what_waits_is_bounded_for_each_call_and_the_oldest_goes(adds: list[tuple[str, int]], limit: int) -> None:
    queues, kept = WindowQueues(limit), {call: list[float]() for call in "abc"}
    for call, end_s in adds:
        dropped = queues.add(call, window(end_s))
        kept[call].append(end_s)
        if len(kept[call]) > limit:
            assert dropped is not None
            assert dropped.end_s == kept[call].pop(0)
        else:
            assert dropped is None
    assert len(queues) == sum(map(len, kept.values())) <= 3 * limit


def test_a_busy_call_does_not_keep_others_waiting() -> None:
    queues = WindowQueues(limit=8)
    for end_s in range(8):
        queues.add("busy", window(end_s))
    queues.add("quiet", window(100))
    assert [call for call, _ in queues.take(3)] == ["busy", "quiet", "busy"]


def test_a_call_is_in_one_batch_at_a_time() -> None:
    queues = WindowQueues(limit=8)
    for end_s in range(4):
        queues.add("a", window(end_s))
    assert len(queues.take(2)) == 2
    assert queues.take(2) == []
    queues.done({"a"})
    assert [w.end_s for _, w in queues.take(2)] == [2, 3]


class Scorer:
    """Answers with the window's end; may be told to fail or to wait."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.fails = False

    def score(self, batch: Batch) -> Sequence[Score]:
        self.sizes.append(len(batch))
        if self.fails:
            raise MemoryError("no memory for this batch")
        return [scored(w, raw=w.end_s, llr=w.end_s, analysed_s=4.0) for w in batch]


def in_thread(work: Callable[[], Sequence[Score]]) -> "asyncio.Future[Sequence[Score]]":
    return asyncio.get_running_loop().run_in_executor(None, work)


def make(scorer: Scorer, run: Callable[..., "asyncio.Future[Sequence[Score]]"] = in_thread) -> Batcher:
    return Batcher(scorer, run, workers=2, batch_size=4, wait_s=0.01, limit=3)


async def test_scores_come_back_to_their_call_in_order() -> None:
    batcher, got = make(Scorer()), {"a": list[Score](), "b": list[Score]()}
    for call, scores in got.items():
        batcher.open(call, scores.append)
    batcher.start()
    for end_s in range(20):
        for call in got:
            batcher.submit(call, [window(end_s)])
        await asyncio.sleep(0.005)
    while batcher.waiting or any(len(scores) < 20 for scores in got.values()):
        await asyncio.sleep(0.01)
    await batcher.close()
    for scores in got.values():
        assert [s.end_s for s in scores] == list(range(20))


async def test_bounds_hold_when_the_detector_never_answers() -> None:
    never: list[asyncio.Future[Sequence[Score]]] = []

    def run(_: Callable[[], Sequence[Score]]) -> "asyncio.Future[Sequence[Score]]":
        never.append(asyncio.get_running_loop().create_future())
        return never[-1]

    batcher, got = make(Scorer(), run), list[Score]()
    batcher.open("a", got.append)
    batcher.start()
    for end_s in range(500):
        batcher.submit("a", [window(end_s)])
        if end_s % 50 == 0:
            await asyncio.sleep(0.02)
    assert batcher.waiting <= 3
    assert len(never) == 1
    assert {s.reason for s in got} == {Reason.OVERLOAD}
    assert batcher.stats.overload == len(got) >= 490
    await batcher.close()


async def test_a_batch_that_fails_leaves_its_windows_unscored_and_the_next_is_scored() -> None:
    scorer, got = Scorer(), list[Score]()
    batcher = make(scorer)
    batcher.open("a", got.append)
    batcher.start()
    scorer.fails = True
    batcher.submit("a", [window(1)])
    while not got:
        await asyncio.sleep(0.01)
    scorer.fails = False
    batcher.submit("a", [window(2)])
    while len(got) < 2:
        await asyncio.sleep(0.01)
    await batcher.close()
    assert [(s.llr, s.reason) for s in got] == [(None, Reason.ERROR), (2.0, None)]
    assert batcher.stats.errors == 1


async def test_it_says_once_a_minute_how_the_batches_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("stream.batcher.LOG_EVERY_S", 0.0)
    batcher, got = make(Scorer()), list[Score]()
    batcher.open("a", got.append)
    batcher.start()
    batcher.submit("a", [window(1)])
    while not got:
        await asyncio.sleep(0.01)
    await batcher.close()
    said = capsys.readouterr().out
    assert "batches" in said
    assert "latency_ms=" in said
    assert "windows_a_batch=1.0" in said
