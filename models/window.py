"""The contract between the models and the service: what is scored, and what a score is.

Windows enter a detector in batches; one `Score` leaves for each, in the same order. Nothing here reads media,
keeps state or knows what a call is.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

SAMPLE_RATE_HZ = 16_000
PICTURE_RATE_HZ = 5
WINDOW_S = 4.0
HOP_S = 0.5
CROP_PX = 224

# Whole samples and pictures: of 1,171 products of a duration and a rate that should be whole, 101 are not in floats.
WINDOW_SAMPLES = 64_000
HOP_SAMPLES = 8_000
WINDOW_PICTURES = 20
WINDOW_PIECES = WINDOW_SAMPLES // HOP_SAMPLES

Pixels = npt.NDArray[np.uint8]
"""RGB picture, shape (H, W, 3)."""

Landmarks = npt.NDArray[np.float32]
"""Left eye, right eye, nose, left and right mouth corner as the picture shows them, shape (5, 2), (x, y) [px]."""

Samples = npt.NDArray[np.float32]
"""Mono sound at `SAMPLE_RATE_HZ`, shape (S,), full scale -1..1."""


class Signal(StrEnum):
    """What a score speaks about."""

    FACE = "face"
    VOICE = "voice"
    SYNC = "sync"
    """Whether mouth and sound belong together."""
    CHALLENGE = "challenge"
    """What came of what the other side was asked to do."""
    PIPELINE = "pipeline"
    """How the media were made, whatever they show."""


class Reason(StrEnum):
    """Why a window has no score."""

    NO_FACE = "no_face"
    SMALL_FACE = "small_face"
    BLURRED = "blurred"
    POSE = "pose"
    EXPOSURE = "exposure"
    OCCLUDED = "occluded"
    NO_MOUTH = "no_mouth"
    SILENCE = "silence"
    NOISE = "noise"
    BAND_LIMITED = "band_limited"
    CLIPPED = "clipped"
    MUSIC = "music"
    LOST = "lost"
    OVERLOAD = "overload"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class FaceCrop:
    """One aligned face of one picture. Compared by identity: a detector may remember what it computed for it."""

    pixels: Pixels
    """RGB, shape (CROP_PX, CROP_PX, 3), from `models.preprocess.align_face`."""
    time_s: float
    """Session time of the picture [s]."""
    track: int
    """Number of the face within its call, from 1."""
    landmarks: Landmarks
    """Where the landmarks lie in `pixels`: near `models.preprocess.TEMPLATE`, off it by pose and expression [px]."""
    face_px: float
    """Distance between eyes and mouth corners in the source picture, times 2: about the face's height [px]."""
    sharpness: float
    """Variance of the Laplacian of the crop at 112 px; below about 20 the face is blurred."""
    yaw_deg: float = 0.0
    """About how far the head is turned to a side, from the landmarks [deg]; this and the rest default to plain ones."""
    bright: float = 180.0
    """Luma that a tenth of the face exceeds, 0..255: low in the dark."""
    burnt: float = 0.0
    """Share of the face that is overexposed to white, 0..1."""
    mouth: float = 2.0
    """How plainly the mouth is where the landmarks say: near 0 behind a mask, a microphone or a hand."""
    eyes: float = 2.0
    """The same of the less plain of both eyes."""
    confidence: float = 1.0
    """Of the face finder, 0..1."""
    box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    """Left, top, width and height in the source picture, as shares of its width and height."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class VoicePiece:
    """Sound of one hop, shared by windows. Compared by identity: a detector may remember what it computed for it.

    Raises:
        ValueError: It is longer or shorter than a hop.
    """

    samples: Samples
    """Shape (HOP_SAMPLES,). Lost stretches are zero."""
    n_lost: int
    """Samples of the piece that never arrived."""

    def __post_init__(self) -> None:
        if self.samples.shape != (HOP_SAMPLES,):
            raise ValueError(f"a piece of sound holds {HOP_SAMPLES} samples, got shape {self.samples.shape}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class VoiceWindow:
    """Sound of one window. Windows that overlap share the pieces of the sound that they share.

    Raises:
        ValueError: It has more or fewer pieces than a window.
    """

    start_s: float
    end_s: float
    pieces: tuple[VoicePiece, ...]
    """WINDOW_PIECES of them, by time."""

    def __post_init__(self) -> None:
        if len(self.pieces) != WINDOW_PIECES:
            raise ValueError(f"a window of sound has {WINDOW_PIECES} pieces, got {len(self.pieces)}")

    @property
    def samples(self) -> Samples:
        """All of its sound, put together anew at each call, shape (WINDOW_SAMPLES,). Lost stretches are zero."""
        return np.concatenate([piece.samples for piece in self.pieces])

    @property
    def n_lost(self) -> int:
        """Samples of the window that never arrived."""
        return sum(piece.n_lost for piece in self.pieces)

    @property
    def signal(self) -> Signal:
        return Signal.VOICE

    @property
    def track(self) -> int:
        """The remote party's sound is one track."""
        return 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FaceWindow:
    """Crops of one face in one window. A window without any face has track 0 and no crops."""

    start_s: float
    end_s: float
    track: int
    crops: tuple[FaceCrop, ...]
    """At most WINDOW_PICTURES, by time."""
    n_pictures: int
    """Pictures of the call that were looked at in this window, with or without a face."""

    @property
    def signal(self) -> Signal:
        return Signal.FACE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyncWindow:
    """One face and the sound of the same session time.

    On their way through a call, sound and pictures are delayed by different amounts: by some hundred milliseconds
    they may be apart however genuine both are.

    Raises:
        ValueError: The two do not cover the same time.
    """

    face: FaceWindow
    voice: VoiceWindow

    def __post_init__(self) -> None:
        if (self.face.start_s, self.face.end_s) != (self.voice.start_s, self.voice.end_s):
            raise ValueError(
                f"face and sound must cover the same time, got {self.face.start_s}-{self.face.end_s} s "
                f"and {self.voice.start_s}-{self.voice.end_s} s"
            )

    @property
    def signal(self) -> Signal:
        return Signal.SYNC

    @property
    def track(self) -> int:
        """The face's."""
        return self.face.track

    @property
    def start_s(self) -> float:
        return self.face.start_s

    @property
    def end_s(self) -> float:
        return self.face.end_s

    @property
    def crops(self) -> tuple[FaceCrop, ...]:
        return self.face.crops

    @property
    def n_pictures(self) -> int:
        return self.face.n_pictures

    @property
    def samples(self) -> Samples:
        return self.voice.samples

    @property
    def n_lost(self) -> int:
        return self.voice.n_lost


Window = VoiceWindow | FaceWindow | SyncWindow
Batch = tuple[Window, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a detector says of one window."""

    signal: Signal
    track: int
    start_s: float
    end_s: float
    llr: float | None
    """Calibrated log-likelihood ratio [nat], up = bona fide; None where it cannot judge."""
    raw: float | None
    """The net's own score, up = bona fide: only to be compared with others of the same call and track."""
    reason: Reason | None
    """Why `llr` is None; None otherwise."""
    analysed_s: float
    """Seconds of face or speech within the window that the score rests on [s]."""
    is_telephone: bool = False
    """Whether its sound comes over a telephone line: such scores are another distribution's."""

    def __post_init__(self) -> None:
        if not (self.llr is None) == (self.raw is None) == (self.reason is not None):
            raise ValueError(f"a score has llr and raw, or a reason: got {self.llr}, {self.raw}, {self.reason}")


def voice_window(start_s: float, end_s: float, samples: Samples, n_lost: int = 0) -> VoiceWindow:
    """Cut sound into a window of its own, which shares nothing with others.

    Args:
        samples: Shape (WINDOW_SAMPLES,).
        n_lost: Samples that never arrived; the first ones are taken to be these.

    Raises:
        ValueError: It is longer or shorter than a window.
    """
    pieces = tuple(
        VoicePiece(samples=samples[a : a + HOP_SAMPLES], n_lost=min(max(n_lost - a, 0), HOP_SAMPLES))
        for a in range(0, len(samples), HOP_SAMPLES)
    )
    return VoiceWindow(start_s=start_s, end_s=end_s, pieces=pieces)


def unscored(window: Window, reason: Reason) -> Score:
    """Return the score of a window that cannot be judged."""
    return Score(
        signal=window.signal,
        track=window.track,
        start_s=window.start_s,
        end_s=window.end_s,
        llr=None,
        raw=None,
        reason=reason,
        analysed_s=0.0,
    )


def scored(window: Window, *, raw: float, llr: float, analysed_s: float, is_telephone: bool = False) -> Score:
    """Return the score of a window that was judged."""
    return Score(
        signal=window.signal,
        track=window.track,
        start_s=window.start_s,
        end_s=window.end_s,
        llr=llr,
        raw=raw,
        reason=None,
        analysed_s=analysed_s,
        is_telephone=is_telephone,
    )
