"""The voice's embedding: 1.6 s of speech in, 256 numbers of length one out, near each other for one speaker.

The weights are Resemblyzer's, fetched from its package and never stored here. The front end is its own as well: mel
power, not its logarithm, so the level of the sound is set before it enters.
"""

import torch
from torch import nn
from torch.nn import functional

from models.audio_features import torchaudio
from models.checkpoint import CheckpointError
from models.weights import ensure
from models.window import SAMPLE_RATE_HZ

N_FFT, HOP_LENGTH, N_MELS = 400, 160, 40
N_FRAMES = 160
PIECE_SAMPLES = N_FRAMES * HOP_LENGTH
"""What the network was trained to read at once: 1.6 s."""
HIDDEN, EMBEDDING = 256, 256
LEVEL = 10 ** (-30 / 20)
"""Root mean square that every piece is brought to, of full scale: -30 dB."""

assert SAMPLE_RATE_HZ == 16_000


class SpeakerNet(nn.Module):
    """Three LSTM layers over mel frames; the last state, projected, without its negative part, is the voice.

    Source:
        Wan et al. 2018 (Generalized End-to-End Loss for Speaker Verification), in the form of Resemblyzer 0.1.4.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mel = torchaudio.transforms.MelSpectrogram(
            SAMPLE_RATE_HZ, n_fft=N_FFT, hop_length=HOP_LENGTH, n_mels=N_MELS, norm="slaney", mel_scale="slaney"
        )
        self.lstm = nn.LSTM(N_MELS, HIDDEN, num_layers=3, batch_first=True)
        self.linear = nn.Linear(HIDDEN, EMBEDDING)

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        """Return the embedding of each piece, shape (B, EMBEDDING), each of length one.

        Args:
            samples: 16 kHz, any level, shape (B, PIECE_SAMPLES).
        """
        level = samples.square().mean(dim=1, keepdim=True).sqrt()
        frames = self.mel(samples * (LEVEL / level.clamp(min=1e-6)))[..., :N_FRAMES]  # (B, N_MELS, N_FRAMES)
        _, (hidden, _) = self.lstm(frames.transpose(1, 2))
        return functional.normalize(functional.relu(self.linear(hidden[-1])), dim=1)


def load_speaker() -> SpeakerNet:
    """Return the network with the packaged weights.

    Raises:
        models.weights.WeightsError: The package cannot be had.
        models.checkpoint.CheckpointError: Its file holds another network.
    """
    # The file holds the optimiser's state too: tensors and numbers, nothing that would have to be executed.
    packaged = torch.load(ensure("resemblyzer"), map_location="cpu", weights_only=True)
    net = SpeakerNet()
    state = {name: tensor for name, tensor in packaged["model_state"].items() if name.startswith(("lstm.", "linear."))}
    try:
        missing, unexpected = net.load_state_dict(state, strict=False)
    except RuntimeError as exc:
        raise CheckpointError(f"the packaged speaker weights do not fit: {exc}") from exc
    wanted = [name for name in missing if not name.startswith("mel.")]
    if wanted or unexpected:
        raise CheckpointError(f"the packaged speaker weights lack {wanted} or hold {unexpected} besides")
    return net.eval()
