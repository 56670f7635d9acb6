"""Codecs of calls and of recordings, with what a receiver makes of lost packets. Speech in, speech out, in step.

Encoders and decoders are libav's, driven packet by packet without a container. GSM 06.10, AMR-WB and Speex are absent:
libav as it comes with PyAV decodes them but does not encode them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import av
import numpy as np
import numpy.typing as npt
import torch

from models.audio_features import torchaudio
from models.window import SAMPLE_RATE_HZ, Samples

PACKET_SAMPLES = 320
"""20 ms: what one lost packet takes away."""
PAST_SAMPLES = 800
"""What the concealment of a line without a codec's memory looks back to."""
BLEND_SAMPLES = 64
MU = 255.0
A = 87.6
TELEPHONE_BAND_HZ = (300.0, 3_400.0)
AMR_BIT_RATES = (4_750, 5_150, 5_900, 6_700, 7_400, 7_950, 10_200, 12_200)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Codec:
    """How libav is asked for one codec."""

    encoder: str
    decoder: str
    rate_hz: int
    sample_format: str
    frame_samples: int
    """At `rate_hz`."""
    delay_samples: int
    """Of encoder and decoder together, at 16 kHz; measured."""
    lost: Callable[[bytes], bytes] | None = None
    """From a packet that did not arrive to one that makes the decoder conceal."""
    options: dict[str, str] = field(default_factory=dict)


OPUS = _Codec(
    encoder="libopus",
    decoder="libopus",
    rate_hz=SAMPLE_RATE_HZ,
    sample_format="s16",
    frame_samples=PACKET_SAMPLES,
    delay_samples=0,
    # A packet of its first byte alone carries no frame; libopus then conceals as for one that is missing.
    lost=lambda packet: packet[:1],
    options={"application": "voip", "compression_level": "0"},
)
MP3 = _Codec(
    encoder="libmp3lame",
    decoder="mp3float",
    rate_hz=SAMPLE_RATE_HZ,
    sample_format="s16p",
    frame_samples=576,
    delay_samples=1_105,
    options={"compression_level": "7"},
)
AAC = _Codec(
    encoder="aac",
    decoder="aac",
    rate_hz=SAMPLE_RATE_HZ,
    sample_format="fltp",
    frame_samples=1_024,
    delay_samples=1_024,
    options={"aac_coder": "fast"},
)
AMR_NB = _Codec(
    encoder="libopencore_amrnb",
    decoder="libopencore_amrnb",
    rate_hz=8_000,
    sample_format="s16",
    frame_samples=160,
    delay_samples=80,
    # Frame type 15 of 3GPP TS 26.101, "no data".
    lost=lambda packet: b"\x7c",
)
G722 = _Codec(
    encoder="g722",
    decoder="g722",
    rate_hz=SAMPLE_RATE_HZ,
    sample_format="s16",
    # Sample by sample, so that one packet may be long.
    frame_samples=8_000,
    delay_samples=22,
)


def opus(samples: Samples, bit_rate: int, lost: Flags | None = None) -> Samples:
    """Return speech after libopus in its telephony mode, same length and in step; lost packets are concealed by it.

    Args:
        samples: 16 kHz mono (S,).
        bit_rate: [bit/s], 6,000 and up.
        lost: Which packets of PACKET_SAMPLES do not arrive, from `lost_packets`.
    """
    return _through(samples, OPUS, bit_rate, lost)


def mp3(samples: Samples, bit_rate: int) -> Samples:
    """Return speech after MP3, as recordings of both classes often come to be; same length and in step.

    Args:
        samples: 16 kHz mono (S,).
        bit_rate: [bit/s], 16,000 and up.
    """
    return _through(samples, MP3, bit_rate)


def aac(samples: Samples, bit_rate: int) -> Samples:
    """Return speech after AAC, as videos and voice messages carry it; same length and in step.

    Args:
        samples: 16 kHz mono (S,).
        bit_rate: [bit/s], 16,000 to 64,000.
    """
    return _through(samples, AAC, bit_rate)


def amr_nb(samples: Samples, bit_rate: int, lost: Flags | None = None) -> Samples:
    """Return speech after a mobile telephone's 8 kHz codec, same length; lost packets are concealed by its decoder.

    Args:
        samples: 16 kHz mono (S,).
        bit_rate: [bit/s], of AMR_BIT_RATES.
        lost: As for `opus`.
    """
    return _through(samples, AMR_NB, bit_rate, lost)


def g722(samples: Samples) -> Samples:
    """Return speech after a desk telephone's wideband codec (ITU-T G.722, 64 kb/s), same length and in step."""
    return _through(samples, G722, 64_000)


def g711(samples: Samples, law: Literal["mu", "a"] = "mu", *, band: bool = False) -> Samples:
    """Return speech after a telephone line: 8 kHz, 8 bits by mu-law or A-law (ITU-T G.711), same length.

    Args:
        samples: 16 kHz mono (S,).
        law: `mu` of North America and Japan or `a` of the rest of the world.
        band: Whether the line also cuts at TELEPHONE_BAND_HZ.
    """
    narrow = resample(samples, SAMPLE_RATE_HZ, 8_000)
    if band:
        narrow = _telephone_band(narrow)
    expand, compress = (_mu_expand, _mu_compress) if law == "mu" else (_a_expand, _a_compress)
    code = np.round((compress(np.clip(narrow, -1.0, 1.0)) + 1.0) * 127.5) / 127.5 - 1.0
    line = expand(code.astype(np.float32)).astype(np.float32)
    return fit(resample(line, 8_000, SAMPLE_RATE_HZ), samples.size)


def lost_packets(n_samples: int, share: float, rng: np.random.Generator, burst: float = 1.0) -> Flags:
    """Return which packets of so much speech are lost, `burst` in a row on average."""
    draws = rng.random(-(-n_samples // PACKET_SAMPLES))
    enter, stay = share / max(share, burst * (1.0 - share)), 1.0 - 1.0 / burst
    if burst == 1.0:
        return np.asarray(draws < share)
    lost = np.zeros(draws.size, dtype=np.bool_)
    for number in range(1, draws.size):
        lost[number] = draws[number] < (stay if lost[number - 1] else enter)
    return lost


def drop_packets(samples: Samples, share: float, rng: np.random.Generator) -> Samples:
    """Return speech with whole packets zero, as the windower leaves them."""
    lost = lost_packets(samples.size, share, rng)
    return np.where(np.repeat(lost, PACKET_SAMPLES)[: samples.size], np.float32(0.0), samples)


def conceal(samples: Samples, lost: Flags) -> Samples:
    """Return speech whose lost packets say the last pitch period again, silent after 60 ms.

    An approximation of ITU-T G.711 Appendix I for codecs whose decoder keeps nothing of the past.
    """
    sound = samples.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost, [0]]))) * PACKET_SAMPLES
    for start, end in edges.reshape(-1, 2).tolist():
        if start < PAST_SAMPLES:
            sound[start:end] = 0.0
            continue
        past = sound[start - PAST_SAMPLES : start]
        until = min(end + BLEND_SAMPLES, sound.size)
        said = np.resize(past[-_period(past) :], until - start)
        said *= np.clip(1.0 - (np.arange(said.size) - 160) / 800, 0.0, 1.0)
        share = np.clip((np.arange(said.size) - (end - start) + 1) / BLEND_SAMPLES, 0.0, 1.0)
        sound[start:until] = said * (1.0 - share) + sound[start:until] * share
    return sound


def resample(samples: Samples, from_hz: int, to_hz: int, *, back: bool = False) -> Samples:
    """Return speech at another rate, or, with `back`, at its own again with the band of the other."""
    sound = torchaudio.functional.resample(torch.from_numpy(samples), from_hz, to_hz)
    if back:
        sound = torchaudio.functional.resample(sound, to_hz, from_hz)
    resampled: Samples = sound.numpy()
    return resampled


def fit(samples: Samples, size: int) -> Samples:
    """Return the start of the sound, filled up with silence."""
    return np.pad(samples, (0, max(0, size - samples.size)))[:size].astype(np.float32)


def _through(samples: Samples, codec: _Codec, bit_rate: int, lost: Flags | None = None) -> Samples:
    packets, extradata = _encoded(np.pad(samples, (0, codec.delay_samples)), codec, bit_rate)
    if lost is not None and codec.lost is not None:
        gone = np.pad(lost, (0, max(0, len(packets) - lost.size)))
        packets = [codec.lost(packet) if is_lost else packet for packet, is_lost in zip(packets, gone, strict=False)]
    return fit(_decoded(packets, extradata, codec)[codec.delay_samples :], samples.size)


def _encoded(samples: Samples, codec: _Codec, bit_rate: int) -> tuple[list[bytes], bytes | None]:
    """Return the packets of the speech, and what the decoder must know before the first."""
    encoder = av.CodecContext.create(codec.encoder, "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate, encoder.layout, encoder.format = codec.rate_hz, "mono", codec.sample_format
    encoder.time_base = Fraction(1, codec.rate_hz)
    encoder.bit_rate = bit_rate
    encoder.options = codec.options
    if codec.rate_hz != SAMPLE_RATE_HZ:
        samples = resample(samples, SAMPLE_RATE_HZ, codec.rate_hz)
    pcm = np.clip(np.pad(samples, (0, -samples.size % codec.frame_samples)), -1.0, 1.0)
    pcm = pcm if codec.sample_format == "fltp" else (pcm * 32767.0).astype(np.int16)
    packets: list[bytes] = []
    for start in range(0, pcm.size, codec.frame_samples):
        piece = pcm[None, start : start + codec.frame_samples]
        frame = av.AudioFrame.from_ndarray(piece, format=codec.sample_format, layout="mono")
        frame.sample_rate, frame.pts = codec.rate_hz, start
        packets += map(bytes, encoder.encode(frame))
    packets += map(bytes, encoder.encode(None))
    return packets, encoder.extradata


def _decoded(packets: list[bytes], extradata: bytes | None, codec: _Codec) -> Samples:
    decoder = av.CodecContext.create(codec.decoder, "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.sample_rate, decoder.layout = codec.rate_hz, "mono"
    if extradata:
        decoder.extradata = extradata
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    frames = []
    for packet in [*map(av.Packet, packets), None]:
        for frame in decoder.decode(packet):
            frame.pts = None
            frames += resampler.resample(frame)
    frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def _telephone_band(narrow: Samples) -> Samples:
    """Return sound at 8 kHz that falls by 0.1 dB/Hz below and above TELEPHONE_BAND_HZ."""
    spectrum = np.fft.rfft(narrow)
    at_hz = np.linspace(0.0, 4_000.0, spectrum.size)
    beyond_hz = np.maximum(TELEPHONE_BAND_HZ[0] - at_hz, 0.0) + np.maximum(at_hz - TELEPHONE_BAND_HZ[1], 0.0)
    return np.fft.irfft(spectrum * 10 ** (-0.1 * beyond_hz / 20), narrow.size).astype(np.float32)


def _mu_compress(linear: Samples) -> Samples:
    return np.asarray(np.sign(linear) * np.log1p(MU * np.abs(linear)) / np.log1p(MU))


def _mu_expand(code: Samples) -> Samples:
    return np.asarray(np.sign(code) * np.expm1(np.abs(code) * np.log1p(MU)) / MU)


def _a_compress(linear: Samples) -> Samples:
    loud = A * np.abs(linear)
    return np.asarray(
        np.sign(linear) * np.where(loud < 1.0, loud, 1.0 + np.log(np.maximum(loud, 1.0))) / (1 + np.log(A))
    )


def _a_expand(code: Samples) -> Samples:
    loud = np.abs(code) * (1 + np.log(A))
    return np.asarray(np.sign(code) * np.where(loud < 1.0, loud, np.exp(loud - 1.0)) / A)


def _period(past: Samples) -> int:
    """Return the lag, 2.5 to 15 ms, at which the past is most like its end."""
    last = past[-PACKET_SAMPLES:]
    likeness = np.correlate(past[-PACKET_SAMPLES - 240 : -40], last, mode="valid")  # lags 240 down to 40
    return 240 - int(np.argmax(likeness))
