"""Loads the checkpoints and runs batches of windows. The one place where the nets run.

A face crop is part of eight overlapping windows; what the network says of it is computed once and kept as long
as it lives. So is what was computed of a piece of sound, and what a window of it is fit for.
"""

import threading
import weakref
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from models import face, quality, sync, voice, voice_quality
from models.calibration import Calibration
from models.engine import Engine
from models.explanation import Explanation, FaceExplanation, VoiceExplanation
from models.face import FrameReading
from models.faces import Detection, FaceFinder
from models.piece_cache import PieceCache
from models.voice_activity import VoiceActivity, window_probability
from models.voice_explain import explain_voice
from models.voice_quality import Channel, VoiceQuality
from models.window import (
    CROP_PX,
    PICTURE_RATE_HZ,
    WINDOW_SAMPLES,
    Batch,
    FaceCrop,
    FaceWindow,
    Pixels,
    Reason,
    Score,
    Signal,
    SyncWindow,
    VoiceWindow,
    scored,
    unscored,
)

CROPS_AT_ONCE = 32


class Detector:
    """All signals of all calls. Its methods may be called from several threads.

    Args:
        engine: Where the nets run.

    Raises:
        CheckpointError: A checkpoint is missing or damaged.
        WeightsError: Weights of a registry package cannot be had.
    """

    def __init__(self, engine: Engine) -> None:
        face_model, self._face = face.load_face()
        self._face_window = face_model.window
        self._voice = voice.load_voice()
        self._sync_net, self._sync = sync.load_sync()
        self._finder = FaceFinder()
        self._activity = PieceCache(VoiceActivity().pairs)
        self._run_face = engine.load(
            face_model.frame, torch.zeros(2, CROP_PX, CROP_PX, 3, dtype=torch.uint8), self._face.digest
        )
        # bf16 moves a raw score of the voice by 0.4, and its AUC from .792 to .786.
        digest, blocks = self._voice.described.digest, torch.zeros(2, voice.BLOCK_SAMPLES)
        self._run_spectral = engine.load(
            self._voice.model.spectral, torch.zeros(2, WINDOW_SAMPLES), digest, is_exact=True
        )
        self._speech = PieceCache(
            engine.load(self._voice.speech_blocks, blocks, voice.speech_blocks_digest(), is_exact=True)
        )
        self._prosody = PieceCache(self._voice.prosody_rows)
        self._read: weakref.WeakKeyDictionary[FaceCrop, FrameReading] = weakref.WeakKeyDictionary()
        self._quality: weakref.WeakKeyDictionary[VoiceWindow, VoiceQuality] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each signal's weights."""
        return {
            Signal.FACE.value: self._face.digest,
            Signal.VOICE.value: self._voice.described.digest,
            Signal.SYNC.value: self._sync.digest,
        }

    @property
    def longs(self) -> dict[Signal, dict[int, Calibration]]:
        """What the mean llr over so many seconds of speech tells, by signal."""
        return {Signal.VOICE: {int(seconds): known for seconds, known in self._voice.described.long.items()}}

    def find_faces(self, picture: Pixels, near: Sequence[Detection] = ()) -> tuple[Detection, ...]:
        """Find the faces of a picture, largest first; given known ones, only near where they were."""
        return self._finder.find(picture, near)

    def score(self, batch: Batch) -> tuple[Score, ...]:
        """Return one score for each window, in order."""
        faces = {i: window for i, window in enumerate(batch) if isinstance(window, FaceWindow)}
        voices = {i: window for i, window in enumerate(batch) if isinstance(window, VoiceWindow)}
        scores = dict(zip(faces, self._score_faces(list(faces.values())), strict=True))
        scores |= dict(zip(voices, self._score_voices(list(voices.values())), strict=True))
        scores |= {i: self._score_sync(window) for i, window in enumerate(batch) if isinstance(window, SyncWindow)}
        return tuple(scores[i] for i in range(len(batch)))

    def explain(self, window: FaceWindow | VoiceWindow) -> Explanation | None:
        """Return where a window's evidence lies; None if it cannot be judged.

        Costs nothing for a face that was scored before: what the network said of each crop is kept as long as it. For a
        voice it costs many times its score.
        """
        return self._explain_face(window) if isinstance(window, FaceWindow) else self._explain_voice(window)

    def _explain_face(self, window: FaceWindow) -> FaceExplanation | None:
        crops = quality.usable(window.crops)
        if len(crops) < quality.MIN_CROPS:
            return None
        readings = self._frame_readings(crops)
        worst = min(range(len(readings)), key=lambda i: readings[i].logit)
        places = np.mean([reading.places for reading in readings], axis=0)
        return FaceExplanation(crop=crops[worst], spoof=face.over_crop(1 / (1 + np.exp(places))))

    def _explain_voice(self, window: VoiceWindow) -> VoiceExplanation | None:
        if voice_quality.gate(self.qualities([window])[0], window.n_lost) is not None:
            return None
        samples = torch.from_numpy(window.samples)
        return explain_voice(samples, self._voice.explained(samples), start_s=window.start_s)

    def score_still(self, crop: FaceCrop) -> float:
        """Return the llr of a single picture's face, from the frame branch alone [nat]."""
        reading = self._frame_readings([crop])[0]
        return self._face.calibration.llr(face.still_raw(self._face_window, reading))

    def _score_faces(self, windows: Sequence[FaceWindow]) -> list[Score]:
        refused = [Reason.LOST if not window.n_pictures else quality.gate(window) for window in windows]
        windows = [replace(window, crops=quality.usable(window.crops)) for window in windows]
        kept = [window for window, reason in zip(windows, refused, strict=True) if reason is None]
        self._compute([crop for window in kept for crop in window.crops])
        scores = []
        for window, reason in zip(windows, refused, strict=True):
            seconds = len(window.crops) / PICTURE_RATE_HZ
            if reason is not None:
                scores.append(unscored(window, reason))
                continue
            raw = self._face_raw(window.crops)
            scores.append(scored(window, raw=raw, llr=self._face.calibration.llr(raw), analysed_s=seconds))
        return scores

    def _face_raw(self, crops: Sequence[FaceCrop]) -> float:
        """Return the raw score of one window's crops."""
        rows = np.stack([reading.row for reading in self._frame_readings(crops)])
        return face.window_raw(self._face_window, rows, np.stack([crop.landmarks for crop in crops]))

    def _frame_readings(self, crops: Sequence[FaceCrop]) -> list[FrameReading]:
        self._compute(crops)
        with self._lock:
            return [self._read[crop] for crop in crops]

    def _compute(self, crops: Sequence[FaceCrop]) -> None:
        with self._lock:
            new = [crop for crop in dict.fromkeys(crops) if crop not in self._read]
        for i in range(0, len(new), CROPS_AT_ONCE):
            part = new[i : i + CROPS_AT_ONCE]
            rows = self._run_face(np.stack([crop.pixels for crop in part]))  # (N, CROP_PX, CROP_PX, 3)
            with self._lock:
                self._read.update(zip(part, map(face.frame_reading, rows), strict=True))

    def _score_voices(self, windows: Sequence[VoiceWindow]) -> list[Score]:
        qualities = self.qualities(windows)
        refused = [voice_quality.gate(found, window.n_lost) for window, found in zip(windows, qualities, strict=True)]
        kept = [window for window, reason in zip(windows, refused, strict=True) if reason is None]
        raws = iter(self._voice_raws(kept))
        return [
            unscored(window, reason) if reason is not None else self._voice_score(window, next(raws), found)
            for window, reason, found in zip(windows, refused, qualities, strict=True)
        ]

    def _voice_raws(self, windows: Sequence[VoiceWindow]) -> list[float]:
        """Return the raw scores of windows that can be judged."""
        if not windows:
            return []
        spectral = self._run_spectral(np.stack([window.samples for window in windows]))
        # Of the pairs of successive pieces every second one: blocks that do not overlap.
        speech, prosody = (np.stack(cache.of(windows))[:, ::2] for cache in (self._speech, self._prosody))
        return self._voice.fused(speech, spectral, prosody)

    def _voice_score(self, window: VoiceWindow, raw: float, quality: VoiceQuality) -> Score:
        is_telephone = voice_quality.channel(quality) is Channel.TELEPHONE
        llr = self._voice.described.calibration_of(is_telephone=is_telephone).llr(raw)
        return scored(window, raw=raw, llr=llr, analysed_s=quality.speech_s, is_telephone=is_telephone)

    def qualities(self, windows: Sequence[VoiceWindow]) -> list[VoiceQuality]:
        """Return what is measured of each window's sound; measured once, though faces ask for it as well."""
        with self._lock:
            new = [window for window in windows if window not in self._quality]
        for window, rows in zip(new, self._activity.of(new), strict=True):
            found = voice_quality.measure(window.samples, window_probability(rows))
            with self._lock:
                self._quality[window] = found
        with self._lock:
            return [self._quality[window] for window in windows]

    def _score_sync(self, window: SyncWindow) -> Score:
        speech_s = self.qualities([window.voice])[0].speech_s
        reason = sync.gate(window, speech_s)
        if reason is not None:
            return unscored(window, reason)
        raw = sync.read_window(self._sync_net, window).raw
        return scored(window, raw=raw, llr=self._sync.calibration.llr(raw), analysed_s=speech_s)
