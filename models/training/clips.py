"""Whole clips to windows, offline: the definition that the streaming windower must equal (a test holds it)."""

from collections.abc import Sequence

import numpy as np

from models.window import (
    HOP_S,
    HOP_SAMPLES,
    WINDOW_PIECES,
    WINDOW_S,
    WINDOW_SAMPLES,
    FaceCrop,
    FaceWindow,
    Samples,
    SyncWindow,
    VoicePiece,
    VoiceWindow,
)


def voice_windows(samples: Samples) -> list[VoiceWindow]:
    """Cut sound into every whole window, a hop apart; a shorter clip is filled up with silence to one.

    Args:
        samples: Shape (S,).
    """
    if 0 < len(samples) < WINDOW_SAMPLES:
        samples = np.pad(samples, (0, WINDOW_SAMPLES - len(samples)))
    pieces = [
        VoicePiece(samples=samples[a : a + HOP_SAMPLES], n_lost=0)
        for a in range(0, len(samples) - HOP_SAMPLES + 1, HOP_SAMPLES)
    ]
    return [
        VoiceWindow(start_s=i * HOP_S, end_s=i * HOP_S + WINDOW_S, pieces=tuple(pieces[i : i + WINDOW_PIECES]))
        for i in range(len(pieces) - WINDOW_PIECES + 1)
    ]


def face_windows(pictures: Sequence[tuple[float, tuple[FaceCrop, ...]]]) -> list[FaceWindow]:
    """Collect the crops of each face into windows, a hop apart; the last pictures make a window of their own.

    Args:
        pictures: Time of each sampled picture [s] and the crops of its faces, by time.
    """
    if not pictures:
        return []
    windows: list[FaceWindow] = []
    last_s, end_s = pictures[-1][0], WINDOW_S
    while not windows or end_s - HOP_S <= last_s:
        inside = [(t, crops) for t, crops in pictures if end_s - WINDOW_S <= t < end_s]
        tracks: dict[int, list[FaceCrop]] = {}
        for crop in (crop for _, crops in inside for crop in crops):
            tracks.setdefault(crop.track, []).append(crop)
        windows += [
            FaceWindow(start_s=end_s - WINDOW_S, end_s=end_s, track=t, crops=tuple(crops), n_pictures=len(inside))
            for t, crops in sorted(tracks.items() or [(0, [])])
        ]
        end_s += HOP_S
    return windows


def sync_windows(faces: Sequence[FaceWindow], voices: Sequence[VoiceWindow]) -> list[SyncWindow]:
    """Join every face window that has a face with the sound of the same time, in the order of the faces.

    Args:
        faces: From `face_windows`.
        voices: From `voice_windows`.
    """
    sound = {voice.end_s: voice for voice in voices}
    return [SyncWindow(face=face, voice=sound[face.end_s]) for face in faces if face.track and face.end_s in sound]
