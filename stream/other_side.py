"""What is known and asked of the other side of one call: which face is theirs, whom they are like, what they do."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

from models.challenge import ChallengeKind
from models.challenge_score import ChallengeScores, Judgement
from models.identity import IdentityModel, Reference
from models.window import HOP_S, FaceCrop, VoiceWindow, Window
from stream.checks.challenges import Asked, Challenges
from stream.events import Resemblance
from stream.explainer import Run
from stream.likeness import LikenessWatch
from stream.remote_party import FacePlace, RemoteParty


class OtherSide:
    """The other side of one call.

    Args:
        call: The session's id, for names of tasks.
        scores: What outcomes of challenges are worth.
        run: Awaits a function call in a worker thread.
        tell: Told of each judgement of a challenge.
        on_other_face: Called when a person chose another face than the one that was judged.
        on_done: Told of each task that ended, which may have failed.
    """

    def __init__(
        self,
        call: str,
        scores: ChallengeScores,
        run: Run,
        *,
        tell: Callable[[Asked, Judgement], None],
        on_other_face: Callable[[], None],
        on_done: Callable[[asyncio.Task[None]], None],
    ) -> None:
        self.challenges = Challenges(scores, run, tell)
        self._call = call
        self._run = run
        self._on_other_face = on_other_face
        self._on_done = on_done
        self._party: RemoteParty | None = None
        self._likeness: LikenessWatch | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def faces(self) -> tuple[FacePlace, ...]:
        """Where the faces are, once somebody asked for one of them."""
        return self._party.faces if self._party else ()

    @property
    def compared_with(self) -> str:
        """Who the caller is compared with; empty: nobody."""
        return self._likeness.person if self._likeness else ""

    @property
    def likeness(self) -> tuple[Resemblance, ...]:
        """What is said of the comparison."""
        return self._likeness.found if self._likeness else ()

    def see(self, crops: tuple[FaceCrop, ...], time_s: float) -> tuple[FaceCrop, ...]:
        """Take the faces of a picture; return those that are to be judged."""
        if self._party is not None:
            crops = self._party.take(crops, time_s)
        if self._likeness is not None:
            self._likeness.push(crops)
        self.challenges.memory.see(crops)
        return crops

    def hear(self, windows: Sequence[Window]) -> None:
        """Take windows as they are cut; of sound each brings half a second that is new."""
        heard = [window for window in windows if isinstance(window, VoiceWindow)]
        if self._likeness is not None:
            self._likeness.push(heard)
        for window in heard:
            for i, piece in enumerate(window.pieces):
                self.challenges.memory.hear(window.start_s + (i + 1) * HOP_S, piece)

    def choose_face(self, track: int | None) -> None:
        """Judge one face alone: the one that a person chose or, given none, the largest that moves."""
        self._party = self._party or RemoteParty()
        if track is not None and track != self._party.chosen:
            self._on_other_face()
        self._party.choose(track)

    def compare_with(self, person: str, known: Sequence[Reference], model: IdentityModel) -> None:
        """Compare the caller with somebody who was enrolled."""
        self.compare_with_nobody()
        self._likeness = LikenessWatch(person, known, model, self._run)
        self._start("likeness", self._likeness.work())

    def compare_with_nobody(self) -> None:
        """End the comparison, if one runs."""
        self._stop("likeness")
        self._likeness = None

    def challenge(self, kind: ChallengeKind, by: str = "") -> Asked:
        """Ask for something.

        Args:
            kind: Of what.
            by: Who asks.

        Raises:
            ConflictError: A challenge runs, or there were too many.
        """
        asked = self.challenges.begin(kind, by)
        self._start("challenge", self.challenges.finish(asked))
        return asked

    def close(self) -> None:
        """End what runs."""
        for name in tuple(self._tasks):
            self._stop(name)

    def _start(self, name: str, work: Coroutine[None, None, None]) -> None:
        task = self._tasks[name] = asyncio.create_task(work, name=f"{self._call}-{name}")
        task.add_done_callback(self._on_done)

    def _stop(self, name: str) -> None:
        if (task := self._tasks.pop(name, None)) is not None:
            task.cancel()
