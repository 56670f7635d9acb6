"""Two recordings of one person or of two, or one recording in which the person changes: what is heard and seen of them.

A file goes through the same windower, face finder and gates as a call. Nothing is stored, and nobody is looked up.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models import quality
from models.drift import Change, Piece, seconds_of
from models.faces import FaceFinder, FaceTracker, follow
from models.identity import CROPS_A_PIECE, TOO_LITTLE, Comparison, Identity, IdentityModel, Reference
from models.speech_pieces import SpeechCutter
from models.voice_activity import VoiceActivity
from models.window import FaceCrop, Reason, VoiceWindow
from stream.errors import MediaError
from stream.events import AudioFrame, Likeness, Media, VideoFrame
from stream.ingest.file import read_media
from stream.windower import AudioWindower

SAYS_NAT = 1.0
"""Below this, on either side of 0, two recordings are neither called one person's nor two people's [nat]."""

Progress = Callable[[float], None]
"""Told the position in the file [s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a file holds of one person."""

    path: Path
    pieces: dict[Identity, tuple[Piece, ...]]
    """By time; of the face, the one that is seen longest, and others in the time when it is not."""
    is_truncated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one voice or face goes on through a recording."""

    changes: tuple[Change, ...]
    lowest_llr: float | None
    """Of the newest seconds against all before, the lowest [nat]; None where nothing could be compared."""
    reason: Reason | None
    """Why nothing could be compared; None otherwise."""
    seconds: float

    @property
    def likeness(self) -> Likeness:
        """What is said of it."""
        if self.changes:
            return Likeness.OTHER
        return Likeness.UNDECIDED if self.lowest_llr is None else Likeness.SAME


@dataclass(slots=True)
class PersonReader:
    """Takes a recording's frames, by time, and leaves what they hold of one person.

    Args:
        model: Embeds voices and faces.
    """

    model: IdentityModel
    _cutter: SpeechCutter = field(init=False)
    _windower: AudioWindower = field(default_factory=AudioWindower)
    _finder: FaceFinder = field(default_factory=FaceFinder)
    _tracker: FaceTracker = field(default_factory=FaceTracker)
    _voice: list[Piece] = field(default_factory=list)
    _waiting: dict[int, list[FaceCrop]] = field(default_factory=dict)
    _faces: dict[int, list[Piece]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cutter = SpeechCutter(VoiceActivity())

    def push(self, media: Media) -> float:
        """Take a frame or a gap; return its place in the file [s]."""
        if isinstance(media, AudioFrame):
            self._hear(self._windower.push(media))
            return media.start_s
        if isinstance(media, VideoFrame):
            for crop in follow(media.pixels, media.time_s, self._tracker, self._finder.find):
                self._see(crop)
            return media.time_s
        return media.end_s

    def finish(self) -> dict[Identity, tuple[Piece, ...]]:
        """Return what was heard and seen."""
        self._hear(self._windower.finish())
        self._voice += self.model.voice(self._cutter.finish())
        return {Identity.VOICE: tuple(self._voice), Identity.FACE: joined(self._faces.values())}

    def _hear(self, windows: Iterable[VoiceWindow]) -> None:
        for window in windows:
            self._voice += self.model.voice(self._cutter.push(window))

    def _see(self, crop: FaceCrop) -> None:
        if quality.objection(crop) is not None:
            return
        waiting = self._waiting.setdefault(crop.track, [])
        waiting.append(crop)
        if len(waiting) == CROPS_A_PIECE:
            self._faces.setdefault(crop.track, []).extend(self.model.face(waiting))
            waiting.clear()


def read_recording(path: Path, model: IdentityModel, progress: Progress = lambda _: None) -> Recording:
    """Return what a file holds of one person.

    Raises:
        MediaError: The file cannot be read, holds neither sound nor pictures, or is a photo.
    """
    media = read_media(path)
    if media.info.is_still:
        media.close()
        raise MediaError(f"{path.name} is a single picture; a recording of a few seconds is needed")
    reader = PersonReader(model)
    for one in media:
        progress(reader.push(one))
    return Recording(path=path, pieces=reader.finish(), is_truncated=media.truncated)


def joined(tracks: Iterable[Sequence[Piece]]) -> tuple[Piece, ...]:
    """Return the pieces of the face that is seen longest, and of others in the time when it is not, by time.

    A face that comes back elsewhere in the picture, or after a cut, has another track; one that is seen beside the
    main one is someone else's and left out.
    """
    kept: list[Piece] = []
    for track in sorted(tracks, key=seconds_of, reverse=True):
        if all(track[-1].end_s < piece.start_s or piece.end_s < track[0].start_s for piece in kept):
            kept += track
    return tuple(sorted(kept, key=lambda piece: piece.start_s))


def compare(model: IdentityModel, reference: Recording, caller: Recording) -> dict[Identity, Comparison]:
    """Compare the voices and the faces of two recordings."""
    found = {}
    for identity in Identity:
        known = Reference.of(identity, reference.pieces[identity])
        if known is not None:
            found[identity] = model.compare(known, caller.pieces[identity])
            continue
        found[identity] = Comparison(
            llr=None,
            cosine=None,
            reason=TOO_LITTLE[identity],
            reference_s=seconds_of(reference.pieces[identity]),
            caller_s=seconds_of(caller.pieces[identity]),
        )
    return found


def course_of(model: IdentityModel, identity: Identity, recording: Recording) -> Course:
    """Say whether and when the voice or the face of a recording changed."""
    drift, pieces = model.drift(identity), recording.pieces[identity]
    llrs = [reading.llr for piece in pieces if (reading := drift.push(piece)).llr is not None]
    return Course(
        changes=tuple(drift.changes),
        lowest_llr=min((llr for llr in llrs if llr is not None), default=None),
        reason=None if llrs else TOO_LITTLE[identity],
        seconds=seconds_of(pieces),
    )


def likeness(llr: float | None) -> Likeness:
    """Return what is said of an llr [nat]."""
    if llr is None or abs(llr) < SAYS_NAT:
        return Likeness.UNDECIDED
    return Likeness.SAME if llr > 0 else Likeness.OTHER


def overall(single: Iterable[Likeness]) -> Likeness:
    """Return what is said of all: a voice or a face of another person is not outweighed by the other."""
    single = set(single)
    return next((one for one in (Likeness.OTHER, Likeness.SAME) if one in single), Likeness.UNDECIDED)
