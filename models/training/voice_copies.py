"""Copy synthesis: bona fide speech said again by a vocoder, a spoof twin of the same words, voice, room and microphone.

Twins take from sources that are bona fide only the chance that their channel answers. The folder that this writes is
one more `--data` folder for training; a copy keeps its original's source and so its side of the split.

    python -m models.training.voice_copies --data ../shared/data/voice --vocoder hifigan.onnx --out copies

The vocoder is the caller's to bring: ONNX, 80 mel bands at 22.05 kHz, hop 256 (HiFi-GAN V1). Without it only
Griffin-Lim copies are made.
"""

import argparse
import csv
import random
from pathlib import Path

import av
import numpy as np
import onnxruntime
import torch

from models.audio_features import torchaudio
from models.training.voice_data import Clip, decode, read_manifest, split
from models.window import SAMPLE_RATE_HZ, Samples

VOCODER_RATE_HZ = 22_050
N_FFT = 1024
HOP_LENGTH = 256
N_MELS = 80
MEL_TOP_HZ = 8_000.0
COPY_S = 4.5
N_PER_SOURCE = 22
"""Copies of one source at most: more would make its speakers known rather than its channel neutral."""

COLUMNS = ["file", "label", "attack", "attack_type", "kind", "source", "era", "licence"]


class VocoderCopy:
    """A neural vocoder fed with the speech's own mel spectrum."""

    attack = "HiFi-GAN-copy"

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._up = torchaudio.transforms.Resample(SAMPLE_RATE_HZ, VOCODER_RATE_HZ)
        self._down = torchaudio.transforms.Resample(VOCODER_RATE_HZ, SAMPLE_RATE_HZ)
        pad = (N_FFT - HOP_LENGTH) // 2
        self._pad = torch.nn.ReflectionPad1d(pad)
        self._mel = torchaudio.transforms.MelSpectrogram(
            VOCODER_RATE_HZ,
            n_fft=N_FFT,
            hop_length=HOP_LENGTH,
            n_mels=N_MELS,
            f_max=MEL_TOP_HZ,
            power=1.0,
            center=False,
            norm="slaney",
            mel_scale="slaney",
        )

    def __call__(self, samples: Samples) -> Samples:
        sound = self._pad(self._up(torch.from_numpy(samples))[None])  # (1, S)
        mel = self._mel(sound).clamp(min=1e-5).log()  # (1, N_MELS, T)
        said = self._session.run(None, {"mel": mel.numpy()})[0].reshape(-1)
        copied: Samples = self._down(torch.from_numpy(said)).numpy()
        return copied


class GriffinLimCopy:
    """Phase made up from the magnitude spectrum."""

    attack = "Griffin-Lim-copy"

    def __init__(self) -> None:
        self._spectrum = torchaudio.transforms.Spectrogram(n_fft=N_FFT, hop_length=HOP_LENGTH)
        self._phase = torchaudio.transforms.GriffinLim(n_fft=N_FFT, hop_length=HOP_LENGTH, n_iter=24)

    def __call__(self, samples: Samples) -> Samples:
        copied: Samples = self._phase(self._spectrum(torch.from_numpy(samples))).numpy()
        return copied


def write_opus(path: Path, samples: Samples, rate_bps: int = 32_000) -> None:
    """Write speech as the data set's own clips were written: 16 kHz mono, Opus 32 kb/s."""
    with av.open(str(path), "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = rate_bps
        pcm = (np.clip(samples, -1.0, 1.0) * 32767.0).astype(np.int16)
        for start in range(0, pcm.size - 319, 320):
            frame = av.AudioFrame.from_ndarray(pcm[None, start : start + 320], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.pts = start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def chosen(clips: tuple[Clip, ...], rng: random.Random) -> list[Clip]:
    """Return bona fide clips to copy, in random order, at most N_PER_SOURCE of a source."""
    order = [clip for clip in clips if not clip.is_spoof]
    rng.shuffle(order)
    seen: dict[str, int] = {}
    kept = []
    for clip in order:
        seen[clip.source] = seen.get(clip.source, 0) + 1
        if seen[clip.source] <= N_PER_SOURCE:
            kept.append(clip)
    return kept


def main() -> None:
    """Write the copies and their manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--vocoder", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    torch.set_num_threads(1)
    makers = [GriffinLimCopy(), GriffinLimCopy()] if args.vocoder is None else [VocoderCopy(args.vocoder)] * 4
    makers = [*makers[:-1], GriffinLimCopy()]
    trained_on, _ = split(read_manifest(args.data))
    (args.out / "clips").mkdir(parents=True, exist_ok=True)
    with (args.out / "manifest.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        for number, clip in enumerate(chosen(trained_on, random.Random(args.seed))):
            maker = makers[number % len(makers)]
            name = f"clips/copy_{number:05}.opus"
            write_opus(args.out / name, maker(decode(clip.path)[: int(COPY_S * SAMPLE_RATE_HZ)]))
            writer.writerow(_row(name, maker.attack, clip))
            lines.flush()
            print(f"{number + 1} copies, last {clip.file}", flush=True)


def _row(name: str, attack: str, clip: Clip) -> dict[str, str]:
    values = (name, "spoof", attack, "vocoder", "audio", clip.source, "modern", "copy of the source's bona fide speech")
    return dict(zip(COLUMNS, values, strict=True))


if __name__ == "__main__":
    main()
