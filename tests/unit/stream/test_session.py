"""One call: newest picture wins, drops are counted, failures end this call alone, it closes once."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from models.calibration import Calibration
from models.faces import Detection
from models.window import Batch, FaceCrop, Pixels, Reason, Score, Signal, unscored
from stream.batcher import Batcher
from stream.events import Alert, AudioFrame, Decision, Medium, State, VideoFrame
from stream.policy import Policy
from stream.session import Session, new_session_info

PICTURE = np.zeros((48, 64, 3), np.uint8)


class Models:
    """Finds no faces, when it is let; may be told to fail."""

    def __init__(self) -> None:
        self.may_look = threading.Event()
        self.may_look.set()
        self.looked_at: list[float] = []
        self.longs: dict[Signal, dict[int, Calibration]] = {}
        self.fails = False

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        self.may_look.wait(5)
        if self.fails:
            raise RuntimeError("the finder broke")
        self.looked_at.append(float(picture[0, 0, 0]))
        return ()

    def score(self, batch: Batch) -> Sequence[Score]:
        return [unscored(window, Reason.SILENCE) for window in batch]


class Ear:
    """Hears what a session says."""

    def __init__(self) -> None:
        self.decisions: list[Decision] = []
        self.closed: list[str] = []

    def on_decision(self, session: Session, decision: Decision) -> None:
        self.decisions.append(decision)

    def on_alert(self, session: Session, alert: Alert) -> None:
        raise AssertionError(alert)

    def on_closed(self, session: Session, cause: str) -> None:
        self.closed.append(cause)


class Call:
    """A session and what stands around it."""

    def __init__(self) -> None:
        self.models, self.ear, self.pool = Models(), Ear(), ThreadPoolExecutor(2)
        loop = asyncio.get_running_loop()

        def score(work: Callable[[], Sequence[Score]]) -> "asyncio.Future[Sequence[Score]]":
            return loop.run_in_executor(self.pool, work)

        def crop(work: Callable[[], tuple[FaceCrop, ...]]) -> "asyncio.Future[tuple[FaceCrop, ...]]":
            return loop.run_in_executor(self.pool, work)

        self.batcher = Batcher(self.models, score, workers=1, batch_size=8, wait_s=0, limit=4)
        self.batcher.start()
        self.session = Session(
            new_session_info("A call", "test"),
            detector=self.models,
            batcher=self.batcher,
            policy=Policy(),
            listener=self.ear,
            run=crop,
        )

    async def close(self) -> None:
        self.session.close("the test ends")
        await self.batcher.close()
        self.pool.shutdown()


@pytest.fixture
async def call() -> AsyncIterator[Call]:
    call = Call()
    yield call
    await call.close()


def picture(time_s: float, shade: int = 0) -> VideoFrame:
    return VideoFrame(time_s=time_s, pixels=np.full_like(PICTURE, shade))


async def test_the_newest_picture_wins_and_the_others_are_counted(call: Call) -> None:
    call.models.may_look.clear()
    call.session.push(picture(0.0, 0))
    await asyncio.sleep(0.05)
    for i in range(1, 6):
        call.session.push(picture(i / 5, i))
    call.models.may_look.set()
    await asyncio.sleep(0.2)
    assert call.models.looked_at == [0.0, 5.0]
    assert call.session.dropped.pictures == 4


async def test_silence_is_undecided_and_says_why(call: Call) -> None:
    for i in range(12):
        call.session.push(AudioFrame(start_s=i / 2, samples=np.zeros(8000, np.float32)))
    while len(call.ear.decisions) < 3:
        await asyncio.sleep(0.01)
    assert {d.state for d in call.ear.decisions} == {State.UNDECIDED}
    assert call.ear.decisions[-1].reason is Reason.SILENCE
    assert [d.time_s for d in call.session.timeline] == sorted({d.time_s for d in call.ear.decisions})


async def test_a_failure_in_its_own_work_ends_the_call_and_nothing_else(
    call: Call, capsys: pytest.CaptureFixture[str]
) -> None:
    call.models.fails = True
    call.session.push(picture(0.0))
    while not call.ear.closed:
        await asyncio.sleep(0.01)
    assert call.ear.closed == ["internal error"]
    assert "the finder broke" in capsys.readouterr().out


async def test_it_closes_once_and_then_takes_nothing(call: Call) -> None:
    told: list[int] = []
    call.session.on_close(lambda: told.append(1))
    call.session.close("hung up")
    call.session.close("peer vanished")
    call.session.push(picture(0.0))
    await asyncio.sleep(0.05)
    assert (call.ear.closed, told, call.models.looked_at) == (["hung up"], [1], [])


async def test_lost_sound_is_counted_in_seconds(call: Call) -> None:
    call.session.note_dropped(Medium.AUDIO, 0.02)
    call.session.note_dropped(Medium.AUDIO, 0.5)
    assert call.session.dropped.audio_s == pytest.approx(0.52)
