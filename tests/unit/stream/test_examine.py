"""Facts and the estimate make one answer: a signature and a mark weigh more, what anybody can write raises a doubt."""

import sys
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from models.file_traces import TraceKind
from models.invisible_marks import MARKS
from models.provenance import CredentialsState
from models.text_reader import TextReader
from models.visible_marks import Mark
from stream.api.clip_messages import CredentialsMessage, TraceMessage
from stream.clip import ClipReport
from stream.errors import MediaError
from stream.events import Coverage, Decision, State, Verdict
from stream.forwarded.examine import Examination
from stream.policy import Policy

sys.path[:0] = [str(Path(__file__).parents[2] / folder) for folder in ("contract", "unit/models")]

from test_api import SilentModels  # noqa: E402  # after the path
from test_invisible_marks import marked, scene  # noqa: E402

MARK = Mark(generator="Sora", pictures=5, of=12, places=((0.1, 0.1),))


def examination(path: Path = Path("clip.mp4")) -> Examination:
    return Examination(path, SilentModels(), Policy(), lru_cache(TextReader))


def credentials(state: CredentialsState, *, is_generated: bool) -> CredentialsMessage:
    return CredentialsMessage(
        state=state, signer="", generator="", signed_at="", is_generated=is_generated, actions=[], problems=[]
    )


def estimated(state: State) -> ClipReport:
    decision = Decision(
        time_s=9.0, state=state, reason=None, readings=(), coverage=Coverage(), evidence_nat=0, threshold_nat=4
    )
    verdict = Verdict(state=state, reason=None, decision=decision, spoof_s=0.0, first_alert_s=None)
    return ClipReport(
        path=Path("clip.mp4"), is_truncated=False, verdict=verdict, decisions=(), explained={}, processing_s=1.0
    )


@pytest.mark.parametrize(
    ("estimate", "marks", "signed", "trace", "said"),
    [
        (State.BONA_FIDE, (), None, None, State.BONA_FIDE),
        (State.BONA_FIDE, (MARK,), None, None, State.SPOOF),
        (State.BONA_FIDE, (), (CredentialsState.INTACT, True), None, State.SPOOF),
        (State.SPOOF, (), (CredentialsState.INTACT, False), None, State.SPOOF),
        (State.BONA_FIDE, (), (CredentialsState.CHANGED, True), None, State.BONA_FIDE),
        (State.BONA_FIDE, (), None, TraceKind.PROGRAM, State.SUSPECT),
        (State.SPOOF, (), None, TraceKind.DECLARED, State.SPOOF),
        (State.BONA_FIDE, (), None, TraceKind.CONVERTED, State.BONA_FIDE),
        (None, (), None, None, State.UNDECIDED),
        (None, (), None, TraceKind.RECIPE, State.SUSPECT),
    ],
)
def test_facts_weigh_more_than_the_estimate_and_never_make_it_milder(
    estimate: State | None,
    marks: tuple[Mark, ...],
    signed: tuple[CredentialsState, bool] | None,
    trace: TraceKind | None,
    said: State,
) -> None:
    found = examination()
    found.report = estimated(estimate) if estimate else None
    found.marks = marks
    found.credentials = credentials(signed[0], is_generated=signed[1]) if signed else None
    found.traces = (TraceMessage(kind=trace, generator="", text="x"),) if trace else ()
    assert found.state is said


def test_of_a_single_picture_the_mark_and_the_file_are_read(tmp_path: Path) -> None:
    picture = np.full((480, 854, 3), 90, np.uint8)
    for i, text in enumerate(("", "Sora")):
        path = tmp_path / f"{i}.jpg"
        drawn = cv2.putText(picture.copy(), text, (620, 400), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3)
        path.write_bytes(cv2.imencode(".jpg", drawn)[1].tobytes())
        found = examination(path)
        shares: list[float] = []
        found.run(shares.append)
        assert (found.is_still, found.report) == (True, None)
        assert [mark.generator for mark in found.marks] == ["Sora"] * i
        assert found.state is (State.SPOOF if i else State.UNDECIDED)
        assert shares == sorted(shares)


def test_an_invisible_mark_is_a_fact(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencode(".png", marked(scene(), MARKS["Stable Diffusion"])[:, :, ::-1])[1].tobytes())
    found = examination(path)
    found.run()
    assert (found.invisible_mark, found.state) == ("Stable Diffusion", State.SPOOF)


def test_what_was_cancelled_is_not_begun(tmp_path: Path) -> None:
    found = examination(tmp_path / "clip.mp4")
    found.cancel()
    with pytest.raises(MediaError, match="stopped"):
        found.run()
