"""From trained views to models: heads, scores of clips by models that were trained without them, and fusion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.training.voice_data import Clip, ClipStore, middle_window
from models.training.voice_features import Floats, ViewFeatures
from models.training.voice_groups import NAMES, group_of
from models.training.voice_heads import balance, fit_fusion, fit_head
from models.voice import VIEWS, LinearHead, VoiceModel
from models.voice_spectral import SpectralNet

PROSODY_RIDGE = 1e-3
AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """All views of one training, not yet fused."""

    spectral: SpectralNet
    speech: LinearHead
    prosody: LinearHead


def learn(
    spectral: SpectralNet, clips: Sequence[Clip], rows: Sequence[int], features: Sequence[ViewFeatures], ridge: float
) -> Learnt:
    """Fit the heads on every form of some clips.

    Args:
        spectral: The spectral view that was trained on the same clips.
        clips: The clips.
        rows: Where they stand among the features' rows.
        features: Of every form of all clips.
        ridge: Cost of a squared weight of the speech view.
    """
    n_forms = len(features)
    is_bona_fide = np.tile([not clip.is_spoof for clip in clips], n_forms)
    # The clips as they are count as much as all degraded forms together.
    weight = np.concatenate([balance(clips) * (max(n_forms - 1, 1) if form == 0 else 1) for form in range(n_forms)])
    speech = np.concatenate([form.speech[rows] for form in features])
    melody = np.concatenate([form.prosody[rows] for form in features])
    return Learnt(
        spectral=spectral,
        speech=fit_head(speech, is_bona_fide, weight, ridge),
        prosody=fit_head(melody, is_bona_fide, weight, PROSODY_RIDGE),
    )


def fuse(
    learnt: Mapping[str | None, Learnt],
    clips: Sequence[Clip],
    stores: Sequence[ClipStore],
    features: Sequence[ViewFeatures],
) -> dict[str | None, VoiceModel]:
    """Return the models, all fused by the same four numbers, fitted on scores of clips by models without them.

    A fusion of each model's own would shift the models against each other, and with them the sources.
    """
    scores = [_left_out_views(learnt, clips, *form) for form in zip(stores, features, strict=True)]
    groups = np.array([group_of(clip.source) for clip in clips])
    rows = np.flatnonzero(np.isin(groups, list(filter(None, learnt)))).tolist()
    chosen = [clips[row] for row in rows]
    is_bona_fide = np.tile([not clip.is_spoof for clip in chosen], len(scores))
    weight = np.tile(balance(chosen), len(scores))
    fusion = fit_fusion(np.concatenate([form[rows] for form in scores]), is_bona_fide, weight)
    return {name: _assemble(own, *fusion) for name, own in learnt.items()}


def _assemble(learnt: Learnt, weights: torch.Tensor, offset: torch.Tensor) -> VoiceModel:
    model = VoiceModel()
    model.speech, model.prosody, model.spectral = learnt.speech, learnt.prosody, learnt.spectral
    model.fusion.copy_(weights)
    model.offset.copy_(offset)
    return model.eval()


@torch.inference_mode()
def _left_out_views(
    learnt: Mapping[str | None, Learnt], clips: Sequence[Clip], store: ClipStore, features: ViewFeatures
) -> Floats:
    """Return each clip's views (N, 3), from the model that was trained without its group."""
    groups = np.array([group_of(clip.source) for clip in clips])
    views = np.zeros((len(clips), len(VIEWS)), np.float32)
    for name in (name for name in NAMES if name in learnt):
        own, rows = learnt[name], np.flatnonzero(groups == name)
        views[rows, 0] = own.speech(torch.from_numpy(features.speech[rows])).numpy()
        views[rows, 1] = _spectral(own.spectral, store, rows)
        views[rows, 2] = own.prosody(torch.from_numpy(features.prosody[rows])).numpy()
    return views


def _spectral(net: SpectralNet, store: ClipStore, rows: npt.NDArray[np.int_]) -> Floats:
    found = [np.zeros(0, np.float32)]
    for start in range(0, len(rows), AT_ONCE):
        windows = np.stack([middle_window(store[int(row)]) for row in rows[start : start + AT_ONCE]])
        found.append(net(torch.from_numpy(windows.astype(np.float32))).numpy())
    return np.concatenate(found)
