"""One forwarded file, looked at from all sides: what it says of itself, what stands in its pictures, and the detector.

`check` and the page of clips both call this. The file is decoded in a process of its own; blocking: run it in a thread.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.file_traces import TraceKind
from models.invisible_marks import read_invisible_mark
from models.text_reader import Line, TextReader
from models.visible_marks import Mark, find_marks
from models.window import Pixels
from stream.api.clip_messages import CredentialsMessage, TraceMessage
from stream.clip import ClipCheck, ClipReport
from stream.errors import MediaError
from stream.events import State, VideoFrame
from stream.forwarded.decode import MAX_SECONDS, Decoding
from stream.forwarded.frames import End, Facts, Lie
from stream.policy import Policy
from stream.session import FaceSearch

READ_SHARE = 0.8
"""Of the progress that the detector's part is; then text is looked for."""
N_LOOKS = 12
"""Pictures of a clip in which marks are looked for."""
LOOK_EVERY_S = 5.0
"""Where a file does not say how long it is."""

Progress = Callable[[float], None]
"""Told which share of the work is done, 0..1."""


class Looks:
    """Some pictures of a clip, evenly spread."""

    def __init__(self) -> None:
        self.pictures: list[Pixels] = []

    def take(self, frame: VideoFrame, whole_s: float | None) -> None:
        """Keep a picture if its time has come."""
        n = len(self.pictures)
        if n < N_LOOKS and frame.time_s >= (n + 0.5) * (whole_s or N_LOOKS * LOOK_EVERY_S) / N_LOOKS:
            self.pictures.append(frame.pixels)


@dataclass(slots=True)
class Examination:
    """What is found of one file; facts come before the detector's answer.

    Args:
        path: Of the file.
        detector: Finds faces, scores and explains windows.
        policy: When to alert.
        reader: Reads text in pictures.
        max_s: Of the file that are looked at [s].
        pause: Called after each picture, to let others go first.
    """

    path: Path
    detector: FaceSearch
    policy: Policy
    reader: Callable[[], TextReader]
    max_s: float | None = None
    pause: Callable[[], None] = lambda: None
    credentials: CredentialsMessage | None = None
    traces: tuple[TraceMessage, ...] = ()
    marks: tuple[Mark, ...] = ()
    invisible_mark: str = ""
    """Of whom; empty: none that can be read."""
    duration_s: float | None = None
    is_still: bool = False
    """A single picture: only facts are found, for the detector needs seconds."""
    is_truncated: bool = False
    is_cut: bool = False
    report: ClipReport | None = None
    """The detector's; None of a single picture."""
    decoding: Decoding | None = None
    is_cancelled: bool = False
    _looks: Looks = field(default_factory=Looks)

    def run(self, progress: Progress = lambda _: None) -> None:
        """Look at it.

        Raises:
            MediaError: It cannot be read, holds neither sound nor pictures, or was cancelled.
        """
        self._require_wanted()
        began_s = time.perf_counter()
        check = ClipCheck(self.detector, self.policy)
        self._read(check, progress)
        n = len(self._looks.pictures)
        self.marks = find_marks([self._lines(p, i / n, progress) for i, p in enumerate(self._looks.pictures)])
        invisible = (read_invisible_mark(picture) for picture in self._looks.pictures)
        self.invisible_mark = next(filter(None, invisible), "")
        if not self.is_still:
            self.report = ClipReport(
                path=self.path,
                is_truncated=self.is_truncated,
                verdict=check.finish(),
                decisions=tuple(check.decisions),
                explained=check.explained,
                processing_s=time.perf_counter() - began_s,
            )

    @property
    def state(self) -> State:
        """What is said of the whole: facts that a machine made it weigh more than any estimate.

        What a tag says without a signature anybody can write, also to discredit a genuine clip: it raises a doubt.
        """
        if self.marks or self.invisible_mark or (self.credentials is not None and self.credentials.says_generated):
            return State.SPOOF
        estimate = self.report.verdict.state if self.report is not None else State.UNDECIDED
        doubted = any(trace.kind is not TraceKind.CONVERTED for trace in self.traces)
        return State.SUSPECT if doubted and estimate is not State.SPOOF else estimate

    def cancel(self) -> None:
        """End it, from another thread."""
        self.is_cancelled = True
        if self.decoding is not None:
            self.decoding.cancel()

    def _read(self, check: ClipCheck, progress: Progress) -> None:
        is_whole = False
        with Decoding(self.path) if self.max_s is None else Decoding(self.path, self.max_s) as self.decoding:
            for said in self.decoding.said():
                if isinstance(said, Facts):
                    self._learn(said.fields)
                elif isinstance(said, End):
                    self.is_truncated, self.is_cut, is_whole = said.is_truncated, said.is_cut, True
                elif self.is_still and isinstance(said, VideoFrame):
                    self._looks.pictures = [said.pixels]
                else:
                    progress(READ_SHARE * self._share(check.push(said)))
                    if isinstance(said, VideoFrame):
                        self._looks.take(said, self._whole_s)
                        self.pause()
        self.decoding = None
        if not is_whole:
            raise MediaError(f"{self.path.name}: its decoder ended before the file did")

    def _lines(self, picture: Pixels, share: float, progress: Progress) -> Sequence[Line]:
        self._require_wanted()
        progress(READ_SHARE + (1 - READ_SHARE) * share)
        return self.reader().read(picture)

    def _learn(self, fields: dict[str, Any]) -> None:
        try:
            if "credentials" in fields:
                self.credentials = CredentialsMessage.model_validate(fields["credentials"], strict=False)
            if isinstance(traces := fields.get("traces"), list):
                self.traces = tuple(TraceMessage.model_validate(trace, strict=False) for trace in traces)
        except ValidationError as exc:
            raise Lie("the file's decoder said nonsense of its facts") from exc
        self.is_still = self.is_still or fields.get("is_still") is True
        if isinstance(duration_s := fields.get("duration_s"), int | float):
            self.duration_s = float(duration_s)

    @property
    def _whole_s(self) -> float | None:
        return None if self.duration_s is None else min(self.duration_s, self.max_s or MAX_SECONDS)

    def _share(self, place_s: float) -> float:
        whole_s = self._whole_s or MAX_SECONDS
        return min(max(place_s / whole_s, 0.0), 0.99) if whole_s > 0 else 0.0

    def _require_wanted(self) -> None:
        if self.is_cancelled:
            raise MediaError("the check was stopped")
