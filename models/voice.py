"""The voice signal: four seconds of sound in, one raw score out, up = bona fide.

Three views hear the same sound and fail differently: how a speech recogniser sees it (`models.voice_speech`), its fine
spectrum (`models.voice_spectral`), its melody and pauses (`models.prosody`). Each gives a score; their weighted sum is
the raw score, which becomes a log-likelihood ratio through the checkpoint's calibration, not here. The first and the
last read blocks of one second that overlapping windows share. Silence is never evidence: `models.voice_quality`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from models import checkpoint, prosody, voice_speech, whisper
from models.prosody import ProsodyBlocks
from models.voice_explain import ExplainedView
from models.voice_spectral import SpectralNet
from models.voice_speech import SpeechBlocks
from models.weights import FILES, ensure
from models.window import WINDOW_SAMPLES

CHECKPOINT = "voice"
BLOCK_SAMPLES = voice_speech.BLOCK_SAMPLES
N_BLOCKS = WINDOW_SAMPLES // BLOCK_SAMPLES
"""Of a window; they do not overlap."""

VIEWS = ("speech", "spectral", "prosody")
ENCODER = ("whisper_base_1", "whisper_base_2")
"""Packaged files that together hold the speech view's encoder."""


class LinearHead(nn.Module):
    """A score that is a weighted sum of features, each brought to zero mean and unit deviation."""

    centre: torch.Tensor
    scale: torch.Tensor
    weight: torch.Tensor
    bias: torch.Tensor

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.register_buffer("weight", torch.zeros(n_features))
        self.register_buffer("bias", torch.zeros(1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return scores (B,) of features (B, D); a feature far beyond what training saw counts as its edge."""
        standard = ((features - self.centre) / self.scale).clamp(-LIMIT, LIMIT)
        return standard @ self.weight + self.bias


LIMIT = 5.0
"""Deviations beyond which a feature is cut off."""


class VoiceModel(nn.Module):
    """All that was trained of the three views, and what each of them weighs."""

    fusion: torch.Tensor
    offset: torch.Tensor

    def __init__(self, n_channels: int = 16) -> None:
        super().__init__()
        self.speech = LinearHead(voice_speech.N_FEATURES)
        self.spectral = SpectralNet(n_channels)
        self.prosody = LinearHead(prosody.N_FEATURES)
        self.register_buffer("fusion", torch.ones(len(VIEWS)))
        self.register_buffer("offset", torch.zeros(1))

    def views(self, speech_rows: torch.Tensor, spectral: torch.Tensor, prosody_rows: torch.Tensor) -> torch.Tensor:
        """Return each view's score, (B, 3).

        Args:
            speech_rows: Of a window's blocks, from `SpeechBlocks` (B, N_BLOCKS, ...).
            spectral: From `SpectralNet` (B,).
            prosody_rows: From `ProsodyBlocks` (B, N_BLOCKS, ...).
        """
        by_speech = self.speech(voice_speech.window_features(speech_rows))
        by_prosody = self.prosody(prosody.window_features(prosody_rows))
        return torch.stack([by_speech, spectral, by_prosody], dim=1)

    def fuse(self, views: torch.Tensor) -> torch.Tensor:
        """Return raw scores (B,) of the views' scores (B, 3)."""
        return views @ self.fusion + self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """What it takes to score sound."""

    model: VoiceModel
    speech_blocks: SpeechBlocks
    prosody_blocks: ProsodyBlocks
    described: checkpoint.Checkpoint

    @torch.inference_mode()
    def prosody_rows(self, blocks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the prosody view's rows (B, D) of blocks (B, BLOCK_SAMPLES)."""
        rows: npt.NDArray[np.float32] = self.prosody_blocks(torch.from_numpy(blocks)).numpy()
        return rows

    @torch.inference_mode()
    def fused(
        self, speech: npt.NDArray[np.float32], spectral: npt.NDArray[np.float32], prosody: npt.NDArray[np.float32]
    ) -> list[float]:
        """Return raw scores of windows from what the views' nets gave, arguments as `VoiceModel.views`."""
        views = self.model.views(torch.from_numpy(speech), torch.from_numpy(spectral), torch.from_numpy(prosody))
        raws: list[float] = self.model.fuse(views).tolist()
        return raws

    def explained(self, samples: torch.Tensor) -> list[ExplainedView]:
        """Return the views of a window (WINDOW_SAMPLES,) that look at seconds and bands, with what each weighs."""
        speech, spectral, _ = self.model.fusion.tolist()
        blocks = samples.reshape(-1, BLOCK_SAMPLES)
        power = voice_speech.token_power(blocks)  # (N_BLOCKS, N_TOKENS)
        level = power.mean(dim=1, keepdim=True).sqrt()
        mel = self.speech_blocks.mel(blocks * (voice_speech.LEVEL / (level + 1e-4))).transpose(0, 1).flatten(1)
        centre = mel.mean(dim=1, keepdim=True)  # (N_MELS, 1)

        def front_end(_samples: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            heard = power > power.mean() * 10 ** (-voice_speech.HIDDEN_DB / 10)
            return (mel - centre)[None], heard.flatten().repeat_interleave(2).to(mel.dtype)[None, None]

        def judge(spectra: torch.Tensor, _mask: torch.Tensor) -> torch.Tensor:
            n, n_mels, n_frames = spectra.shape
            whole = (spectra + centre).reshape(n, n_mels, N_BLOCKS, n_frames // N_BLOCKS).transpose(1, 2)
            rows = self.speech_blocks.rows(whole.flatten(0, 1), power.repeat(n, 1))
            features = voice_speech.window_features(rows.reshape(n, N_BLOCKS, -1))
            score: torch.Tensor = self.model.speech(features)
            return score

        shares = self.speech_blocks.filters / self.speech_blocks.filters.sum(dim=1, keepdim=True)  # (N_MELS, bins)
        net = self.model.spectral
        return [
            ExplainedView(front_end=front_end, judge=judge, weight=speech, to_bins=shares.T),
            ExplainedView(front_end=net.spectrum, judge=net.judge, weight=spectral),
        ]

    @torch.inference_mode()
    def raw(self, samples: torch.Tensor) -> torch.Tensor:
        """Return raw scores (B,) of windows (B, WINDOW_SAMPLES): everything in one step, nothing kept."""
        blocks = samples.reshape(-1, BLOCK_SAMPLES)
        rows = [net(blocks).reshape(len(samples), N_BLOCKS, -1) for net in (self.speech_blocks, self.prosody_blocks)]
        return self.model.fuse(self.model.views(rows[0], self.model.spectral(samples), rows[1]))


def load_speech_blocks() -> SpeechBlocks:
    """Return the encoder with its published weights.

    Raises:
        WeightsError: They are missing and cannot be fetched.
    """
    return whisper.load_blocks(b"".join(ensure(name).read_bytes() for name in ENCODER))


def speech_blocks_digest() -> str:
    """Return what names the encoder's weights: the first digits of their SHA-256."""
    return FILES[ENCODER[-1]].sha256[:12]


def load_voice() -> Voice:
    """Return the trained model, ready to score, and what its checkpoint says of it.

    Raises:
        CheckpointError: The checkpoint is missing, damaged or does not fit the model.
        WeightsError: The encoder's weights are missing and cannot be fetched.
    """
    described, state = checkpoint.load(CHECKPOINT)
    try:
        model = VoiceModel(**described.module)
        model.load_state_dict(state)
    except (TypeError, RuntimeError) as exc:
        raise checkpoint.CheckpointError(f"checkpoint {CHECKPOINT!r} does not fit VoiceModel: {exc}") from exc
    return Voice(
        model=model.eval(),
        speech_blocks=load_speech_blocks(),
        prosody_blocks=ProsodyBlocks().eval(),
        described=described,
    )
