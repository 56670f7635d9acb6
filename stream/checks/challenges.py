"""Challenges in a running call: what was seen and heard before, what is asked, what came of it.

The newest seconds of one face's crops and of the sound are held in memory; a challenge is judged in a worker thread by
the difference of what follows it from them. One at a time. Which are proposed follows from what is known of the call.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import SystemRandom
from secrets import token_urlsafe

import numpy as np

from models import challenge_face, challenge_voice
from models.challenge import INSTEAD, MODALITY, Challenge, ChallengeKind, draw
from models.challenge_score import ChallengeScores, Judgement, judge_face, judge_light, judge_voice
from models.light_check import Tint, tint
from models.window import SAMPLE_RATE_HZ, FaceCrop, Pixels, Samples, Signal, VoicePiece
from stream.errors import ConflictError
from stream.events import Decision, State
from stream.explainer import Run

BEFORE_S = 6.0
"""Of face and sound before a challenge [s]."""
GRACE_S = 1.2
"""After the last second that is judged, for what is late on its way [s]."""
MAX_PROPOSED = 3
MAX_TINTS = 200
MAX_ASKED = 6
"""In one call: nobody bears more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A challenge that was begun."""

    id: str
    challenge: Challenge
    asked_s: float
    """Session time [s]."""
    by: str = ""
    """Who asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it."""

    asked: Asked
    judgement: Judgement
    before_nat: float
    """The call's evidence before it counted [nat]."""
    after_nat: float


@dataclass(slots=True)
class Memory:
    """The newest seconds of a call's face and sound."""

    crops: deque[FaceCrop] = field(default_factory=deque)
    pieces: deque[tuple[float, VoicePiece]] = field(default_factory=deque)
    """With the session time at which each ends [s]."""
    tints: deque[Tint] = field(default_factory=partial(deque, maxlen=MAX_TINTS))
    """Of the face against what is behind it, while light is shown."""
    held_s: float = BEFORE_S

    def see(self, crops: Sequence[FaceCrop]) -> None:
        """Take the faces of a picture: the first is the other side's."""
        if crops:
            self.crops.append(max(crops, key=lambda crop: crop.face_px))
            self._forget(crops[0].time_s)

    def hear(self, end_s: float, piece: VoicePiece) -> None:
        """Take the next half second of sound."""
        if not self.pieces or end_s > self.pieces[-1][0]:
            self.pieces.append((end_s, piece))
            self._forget(end_s)

    @property
    def now_s(self) -> float:
        """Newest session time of either [s]."""
        ends = [self.crops[-1].time_s if self.crops else 0.0, self.pieces[-1][0] if self.pieces else 0.0]
        return max(ends)

    def face(self, from_s: float, to_s: float) -> list[FaceCrop]:
        """Return the crops of a time, of the one track that is seen most in it."""
        inside = [crop for crop in self.crops if from_s <= crop.time_s < to_s]
        tracks = [crop.track for crop in inside]
        return [crop for crop in inside if crop.track == max(set(tracks), key=tracks.count)]

    def faces(self, from_s: float, to_s: float) -> list[FaceCrop]:
        """Return all crops of a time: whoever is lost and found again has another track."""
        return [crop for crop in self.crops if from_s <= crop.time_s < to_s]

    def sound(self, from_s: float, to_s: float) -> Samples:
        """Return the sound of a time, shape (S,)."""
        half_s = len(self.pieces[0][1].samples) / SAMPLE_RATE_HZ if self.pieces else 0.5
        inside = [piece.samples for end_s, piece in self.pieces if from_s <= end_s - half_s / 2 < to_s]
        return np.concatenate(inside) if inside else np.zeros(0, np.float32)

    def _forget(self, now_s: float) -> None:
        while self.crops and self.crops[0].time_s < now_s - self.held_s:
            self.crops.popleft()
        while self.pieces and self.pieces[0][0] < now_s - self.held_s:
            self.pieces.popleft()


class Challenges:
    """The challenges of one call.

    Args:
        scores: What outcomes are worth.
        run: Awaits a function call in a worker thread.
        tell: Told of each judgement.
    """

    def __init__(self, scores: ChallengeScores, run: Run, tell: Callable[[Asked, Judgement], None]) -> None:
        self.memory = Memory()
        self.now: Asked | None = None
        """The one that runs."""
        self._scores = scores
        self._run = run
        self._tell = tell
        self._n_asked = 0

    def begin(self, kind: ChallengeKind, by: str) -> Asked:
        """Draw a challenge and begin to watch for it.

        Raises:
            ConflictError: One runs, or there were too many.
        """
        if self.now is not None:
            raise ConflictError("a check is running; wait for its result")
        if self._n_asked >= MAX_ASKED:
            raise ConflictError(f"{MAX_ASKED} checks were made in this call; nobody should be asked for more")
        self._n_asked += 1
        challenge = draw(kind, SystemRandom())
        self.memory.held_s = BEFORE_S + challenge.seconds + GRACE_S + 1
        self.now = Asked(id=token_urlsafe(9), challenge=challenge, asked_s=self.memory.now_s, by=by)
        return self.now

    def look(self, picture: Pixels, crops: Sequence[FaceCrop]) -> None:
        """Take a whole picture, in any thread: the light of a screen is told against what is behind a face."""
        if self.now is not None and self.now.challenge.kind is ChallengeKind.LIGHT and crops:
            found = tint(picture, max(crops, key=lambda crop: crop.face_px))
            if found is not None:
                self.memory.tints.append(found)

    async def finish(self, asked: Asked) -> None:
        """Wait until its time is over, judge it, and tell."""
        await asyncio.sleep(asked.challenge.seconds + GRACE_S)
        at_s, until_s = asked.asked_s, asked.asked_s + asked.challenge.seconds
        if asked.challenge.kind is ChallengeKind.LIGHT:
            judge = partial(judge_light, asked.challenge, tuple(self.memory.tints), at_s)
        elif MODALITY[asked.challenge.kind] is Signal.FACE:
            seen = self.memory.face(at_s - BEFORE_S, at_s), self.memory.faces(at_s, until_s)
            judge = partial(_judged_face, asked, *seen, self._scores)
        else:
            heard = self.memory.sound(at_s - BEFORE_S, at_s), self.memory.sound(at_s, until_s)
            judge = partial(_judged_voice, asked, *heard, self._scores)
        try:
            judgement = await self._run(judge)
        finally:
            self.now = None
            self.memory.held_s = BEFORE_S
            self.memory.tints.clear()
        self._tell(asked, judgement)


def _judged_face(
    asked: Asked, before: Sequence[FaceCrop], during: Sequence[FaceCrop], scores: ChallengeScores
) -> Judgement:
    return judge_face(asked.challenge, challenge_face.see(asked.challenge, before, during, asked.asked_s), scores)


def _judged_voice(asked: Asked, before: Samples, during: Samples, scores: ChallengeScores) -> Judgement:
    return judge_voice(asked.challenge, challenge_voice.hear(asked.challenge, before, during, asked.asked_s), scores)


def proposed(
    decision: Decision | None, information: Mapping[ChallengeKind, float], *, can_show: bool = False
) -> tuple[ChallengeKind, ...]:
    """Return which challenges are worth most now, the best first, at most `MAX_PROPOSED`.

    Each is worth what the laboratory says that it tells, twice if its sense is in doubt, nothing if its sense is not
    there to judge it by. Where one sense alone is there, its challenges remain.

    Args:
        decision: What is said of the call.
        information: What each is expected to tell [nat].
        can_show: Whether the other side's page is ours, which can show colours.
    """
    worth = {kind: information.get(kind, 0.0) * _weight(MODALITY[kind], decision) for kind in ChallengeKind}
    if not can_show:
        worth.pop(ChallengeKind.LIGHT)
    ranked = sorted((kind for kind in worth if worth[kind] > 0), key=lambda kind: -worth[kind])
    return tuple(ranked[:MAX_PROPOSED]) or (ChallengeKind.CODE,)


def instead(kind: ChallengeKind) -> ChallengeKind:
    """Return what to ask of somebody who cannot do what was proposed."""
    return INSTEAD[kind]


def _weight(signal: Signal, decision: Decision | None) -> float:
    if decision is None:
        return 1.0
    own = [reading for reading in decision.readings if reading.signal is signal]
    if not any(reading.analysed_s > 0 for reading in own):
        return 0.0
    return 1.0 if any(reading.state is State.BONA_FIDE for reading in own) else 2.0
