"""Traces of how a file was made, in what its container says of itself: facts, though anybody can write or delete them.

A path enters, traces leave. Read are the tags of the container and its tracks, the text parts of pictures, and XMP; of
a large file its first and last megabytes. Content credentials are `models.provenance`'s. Parses hostile input in a
native library: sandbox it.
"""

import contextlib
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import av
from av.container import InputContainer

ENDS_BYTES = 4_000_000
"""Of each end of a file that are searched for XMP."""
MAX_TEXT = 120
MAX_TRACES = 8
MAX_CHUNK_BYTES = 1_000_000

GENERATORS = {
    r"^sora\b|\bsora[ -]?[2-9]\b|openai sora|(?:with|by) sora\b": "Sora",
    r"openai|chatgpt|dall[·\-\s]?e": "OpenAI",
    r"made with google ai|^veo\b|\bveo[ -]?[2-9]|google (?:veo|gemini|imagen)": "Google AI",
    r"kling ?ai|^kling\b": "Kling AI",
    r"hailuo|^minimax\b": "Hailuo AI",
    r"runwayml|^runway\b|runway gen": "Runway",
    r"pika ?labs|^pika\b": "Pika",
    r"heygen": "HeyGen",
    r"synthesia": "Synthesia",
    r"midjourney": "Midjourney",
    r"stable[\s_-]?diffusion|automatic1111|\bsdxl\b": "Stable Diffusion",
    r"comfyui": "ComfyUI",
    r"adobe firefly": "Adobe Firefly",
    r"\bflux\.1\b|black forest labs": "FLUX",
    r"elevenlabs": "ElevenLabs",
    r"deepfacelive": "DeepFaceLive",
    r"deepfacelab": "DeepFaceLab",
    r"facefusion": "FaceFusion",
}
"""What a tag names, and whose program that is: Sora is a first name too, and `veo` a Spanish word."""
_OF_PROGRAMS = re.compile(
    r"encoder|encoded_by|software|tool|comment|description|copyright|creator|artist|source|producer|model|credit"
)
"""Tags that name what made a file; a title may name anything."""
_GENERATED = re.compile(rb"(trainedAlgorithmicMedia|compositeWithTrainedAlgorithmicMedia)\b")
_XMP = re.compile(rb"<x:xmpmeta.*?</x:xmpmeta>", re.DOTALL)
_TOOL = re.compile(rb"(?:CreatorTool|Credit)(?:=\"|>)([^\"<]{1,200})")
_CONVERTERS = re.compile(r"^(lavf|lavc|handbrake|x26[45]|whatsapp|telegram)", re.IGNORECASE)


class TraceKind(StrEnum):
    """What a trace is."""

    DECLARED = "declared"
    """The file says by a standard's word that a model made it: IPTC's digital source type, China's AIGC label."""
    PROGRAM = "program"
    """It names a generator as the program that made it."""
    RECIPE = "recipe"
    """It holds what a generator was told to draw."""
    CONVERTED = "converted"
    """A converter wrote it, as messengers and editors do: what was there before may be lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One trace."""

    kind: TraceKind
    generator: str
    """Whose program it names; empty where it names none."""
    text: str
    """What was read, cut and on one line."""


def read_traces(path: Path, options: Mapping[str, str]) -> tuple[Trace, ...]:
    """Return the traces of a file, the plainest first; none of one that cannot be read.

    Args:
        path: Of the file.
        options: With which FFmpeg opens it: which containers and protocols it may use.

    Source: IPTC NewsCodes digitalsourcetype; GB 45438-2025 (AIGC label); PNG 1.2 section 11.3.4; ISO 16684-1 (XMP).
    """
    found = [
        *_of_xmp(_ends(path)),
        *(t for name, text in _tags(path, options) if (t := _of_tag(name, text)) is not None),
    ]
    order = list(TraceKind)
    return tuple(sorted(dict.fromkeys(found), key=lambda trace: order.index(trace.kind))[:MAX_TRACES])


def _of_xmp(content: bytes) -> Iterator[Trace]:
    for packet in _XMP.findall(content):
        for source in _GENERATED.findall(packet):
            yield Trace(kind=TraceKind.DECLARED, generator="", text=source.decode())
        for tool in _TOOL.findall(packet):
            text = _plain(tool.decode("utf-8", "replace"))
            if generator := _generator_in(text):
                yield Trace(kind=TraceKind.PROGRAM, generator=generator, text=text)


def _of_tag(name: str, text: str) -> Trace | None:
    name, shown = name.lower(), _plain(f"{name}: {text}")
    if name == "aigc" or _is_aigc(text):
        return Trace(kind=TraceKind.DECLARED, generator=_generator_in(text), text=shown)
    if (name in ("prompt", "workflow") and '"class_type"' in text) or (name == "workflow" and '"nodes"' in text):
        return Trace(kind=TraceKind.RECIPE, generator="ComfyUI", text=shown)
    if name == "parameters" and "Steps:" in text and "Sampler:" in text:
        return Trace(kind=TraceKind.RECIPE, generator="Stable Diffusion", text=shown)
    if _OF_PROGRAMS.search(name):
        if generator := _generator_in(text):
            return Trace(kind=TraceKind.PROGRAM, generator=generator, text=shown)
        if "encoder" in name and _CONVERTERS.match(text.strip()):
            return Trace(kind=TraceKind.CONVERTED, generator="", text=shown)
    return None


def _is_aigc(text: str) -> bool:
    """Whether a tag's text is the label of the Chinese standard: JSON that names its producer."""
    if "AIGC" not in text:
        return False
    with contextlib.suppress(ValueError):
        label = json.loads(text[text.index("{") :]) if "{" in text else None
        return isinstance(label, dict) and isinstance(label.get("AIGC", label), Mapping)
    return False


def _generator_in(text: str) -> str:
    return next((name for pattern, name in GENERATORS.items() if re.search(pattern, text, re.IGNORECASE)), "")


def _tags(path: Path, options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the tags of a container and its tracks, and the text parts of a picture."""
    with contextlib.suppress(OSError):
        yield from _png_texts(path)
    with contextlib.suppress(av.FFmpegError, OSError, ValueError), _open(path, options) as container:
        yield from container.metadata.items()
        for stream in container.streams:
            yield from stream.metadata.items()


def _open(path: Path, options: Mapping[str, str]) -> InputContainer:
    return av.open(str(path), options=dict(options), metadata_errors="replace")


def _png_texts(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        if file.read(8) != b"\x89PNG\r\n\x1a\n":
            return
        while len(head := file.read(8)) == 8:
            length, kind = int.from_bytes(head[:4]), head[4:]
            if kind in (b"tEXt", b"iTXt", b"zTXt") and length <= MAX_CHUNK_BYTES:
                keyword, _, rest = file.read(length).partition(b"\0")
                yield keyword.decode("latin-1"), _png_text(kind, rest)
                file.seek(4, 1)
            else:
                file.seek(length + 4, 1)


def _png_text(kind: bytes, rest: bytes) -> str:
    packed = b""
    if kind == b"zTXt":
        packed = rest[1:]
    elif kind == b"iTXt":
        flags, rest = rest[:2], rest[2:]
        rest = rest.split(b"\0", 2)[-1]
        packed = rest if flags[:1] == b"\1" else b""
    if packed:
        with contextlib.suppress(zlib.error):
            rest = zlib.decompressobj().decompress(packed, MAX_CHUNK_BYTES)
    return rest.decode("utf-8", "replace")


def _ends(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(ENDS_BYTES)
            size = file.seek(0, 2)
            file.seek(max(size - ENDS_BYTES, len(head)))
            return head + file.read(ENDS_BYTES)
    except OSError:
        return b""


def _plain(text: str) -> str:
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return shown if len(shown) <= MAX_TEXT else shown[: MAX_TEXT - 1] + "…"
