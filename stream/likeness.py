"""Whether who is heard and seen in a call is like a person who was enrolled: beside the alert, and no part of it.

Sound and faces enter as the call's own parts cut them; a worker thread embeds them. The newest half minute counts, so
that who takes over in the middle of a call is noticed. Likeness vouches for nobody: a clone is made to be alike.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from models import quality
from models.drift import Piece, seconds_of
from models.identity import CROPS_A_PIECE, Comparison, Identity, IdentityModel, Reference
from models.speech_pieces import SpeechCutter
from models.voice_activity import VoiceActivity
from models.window import FaceCrop, VoiceWindow
from stream.compare import joined, likeness
from stream.events import Resemblance
from stream.explainer import Run

NEWEST_S = 30.0
"""Of speech, and of a face, that are compared [s]."""
MAX_WAITING = 64
"""Windows and crops that may wait to be embedded; older ones are let go."""


@dataclass(slots=True)
class CallerReader:
    """What the newest half minute holds of the caller; blocking.

    Args:
        model: Embeds voices and faces.
    """

    model: IdentityModel
    _cutter: SpeechCutter = field(default_factory=lambda: SpeechCutter(VoiceActivity()))
    _voice: deque[Piece] = field(default_factory=deque)
    _faces: dict[int, deque[Piece]] = field(default_factory=dict)
    _waiting: dict[int, list[FaceCrop]] = field(default_factory=dict)

    def read(self, media: Sequence[VoiceWindow | FaceCrop]) -> None:
        """Take what came since the last time, by time."""
        for one in media:
            if isinstance(one, VoiceWindow):
                for piece in self.model.voice(self._cutter.push(one)):
                    _keep(self._voice, piece)
            elif quality.objection(one) is None:
                self._see(one)

    def pieces(self, identity: Identity) -> tuple[Piece, ...]:
        """Return what is compared, by time."""
        return tuple(self._voice) if identity is Identity.VOICE else joined([tuple(f) for f in self._faces.values()])

    def _see(self, crop: FaceCrop) -> None:
        waiting = self._waiting.setdefault(crop.track, [])
        waiting.append(crop)
        if len(waiting) < CROPS_A_PIECE:
            return
        for piece in self.model.face(waiting):
            _keep(self._faces.setdefault(crop.track, deque()), piece)
        waiting.clear()
        # A face that left stays compared for as long as what it showed counts.
        oldest_s = crop.time_s - NEWEST_S
        self._faces = {track: kept for track, kept in self._faces.items() if kept[-1].end_s >= oldest_s}
        self._waiting = {
            track: kept for track, kept in self._waiting.items() if not kept or kept[-1].time_s >= oldest_s
        }


class LikenessWatch:
    """Compares one call with one person while it runs.

    Args:
        person: Who that is, in the words of whoever enrolled them.
        known: Of that person.
        model: Embeds voices and faces.
        run: Awaits a function call in a worker thread.
    """

    def __init__(self, person: str, known: Sequence[Reference], model: IdentityModel, run: Run) -> None:
        self.person = person
        self.found: tuple[Resemblance, ...] = ()
        """What is said now, of the voice and of the face, of those that were enrolled."""
        self._known = tuple(known)
        self._model = model
        self._reader = CallerReader(model)
        self._run = run
        self._waiting: deque[VoiceWindow | FaceCrop] = deque(maxlen=MAX_WAITING)
        self._has_more = asyncio.Event()

    def push(self, media: Sequence[VoiceWindow | FaceCrop]) -> None:
        """Take what was heard or seen."""
        if media:
            self._waiting += media
            self._has_more.set()

    async def work(self) -> None:
        """Compare, until cancelled."""
        while True:
            await self._has_more.wait()
            self._has_more.clear()
            media = tuple(self._waiting)
            self._waiting.clear()
            self.found = await self._run(partial(self._compared, media))

    def _compared(self, media: Sequence[VoiceWindow | FaceCrop]) -> tuple[Resemblance, ...]:
        self._reader.read(media)
        return tuple(
            _said(known.identity, self._model.compare(known, self._reader.pieces(known.identity)))
            for known in self._known
        )


def _said(identity: Identity, found: Comparison) -> Resemblance:
    said = likeness(found.llr)
    return Resemblance(identity=identity, likeness=said, llr=found.llr, reason=found.reason, caller_s=found.caller_s)


def _keep(pieces: deque[Piece], newest: Piece) -> None:
    pieces.append(newest)
    while len(pieces) > 1 and seconds_of(pieces) - pieces[0].new_s >= NEWEST_S:
        pieces.popleft()
