"""What a container says of how it was made: generators' tags are read, ordinary ones are not taken for them."""

import json
import struct
import zlib
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from models.file_traces import MAX_TEXT, Trace, TraceKind, read_traces

OPTIONS = {"protocol_whitelist": "file"}
AIGC = json.dumps({"AIGC": {"Label": "1", "ContentProducer": "001191310000MA1 Kling AI", "ProduceID": "1"}})
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description Iptc4xmpExt:DigitalSourceType='
    '"http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia" photoshop:Credit="Made with Google AI"/>'
    "</x:xmpmeta>"
)


def read_traces_of(path: Path) -> tuple[Trace, ...]:
    return read_traces(path, OPTIONS)


def film(path: Path, **tags: str) -> Path:
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as out:
        out.metadata.update(tags)
        stream = out.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    return path


def png(path: Path, *chunks: tuple[bytes, bytes]) -> Path:
    done, data = cv2.imencode(".png", np.zeros((8, 8, 3), np.uint8))
    assert done
    head, rest = data.tobytes()[:33], data.tobytes()[33:]
    made = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    path.write_bytes(head + made + rest)
    return path


def kinds(path: Path) -> list[tuple[TraceKind, str]]:
    return [(trace.kind, trace.generator) for trace in read_traces_of(path)]


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        ({"comment": "Made with Google AI"}, (TraceKind.PROGRAM, "Google AI")),
        ({"software": "Kling 2.1"}, (TraceKind.PROGRAM, "Kling AI")),
        ({"AIGC": AIGC}, (TraceKind.DECLARED, "Kling AI")),
        ({"description": AIGC}, (TraceKind.DECLARED, "Kling AI")),
        ({"prompt": '{"3": {"class_type": "KSampler"}}'}, (TraceKind.RECIPE, "ComfyUI")),
    ],
)
def test_tags_of_generators_are_read(tmp_path: Path, tags: dict[str, str], found: tuple[TraceKind, str]) -> None:
    assert found in kinds(film(tmp_path / "clip.mp4", **tags))


def test_a_file_that_a_converter_wrote_says_no_more_than_that(tmp_path: Path) -> None:
    assert kinds(film(tmp_path / "clip.mp4")) == [(TraceKind.CONVERTED, "")]


@pytest.mark.parametrize(
    "tags",
    [
        {"title": "Sora and I in Tokyo"},
        {"comment": "pikachu dances"},
        {"artist": "Tanaka Sora"},
        {"comment": "te veo en la pasarela (runway)"},
        {"artist": "Veolia choir"},
        {"comment": "a film about AIGC {"},
        {"prompt": "come to the stage, please"},
    ],
)
def test_what_merely_sounds_like_a_generator_is_none(tmp_path: Path, tags: dict[str, str]) -> None:
    assert [kind for kind, _ in kinds(film(tmp_path / "clip.mp4", **tags))] == [TraceKind.CONVERTED]


def test_text_parts_of_pictures_are_read_packed_or_plain(tmp_path: Path) -> None:
    recipe = b"a minister, photo\nSteps: 20, Sampler: Euler a, CFG scale: 7"
    wanted = (TraceKind.RECIPE, "Stable Diffusion")
    for kind, content in (
        (b"tEXt", b"parameters\0" + recipe),
        (b"zTXt", b"parameters\0\0" + zlib.compress(recipe)),
        (b"iTXt", b"parameters\0\1\0en\0\0" + zlib.compress(recipe)),
        (b"iTXt", b"parameters\0\0\0\0\0" + recipe),
    ):
        assert wanted in kinds(png(tmp_path / "a.png", (kind, content)))


def test_what_a_standard_says_is_read_from_xmp_alone(tmp_path: Path) -> None:
    path = png(tmp_path / "a.png", (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP.encode()))
    assert read_traces_of(path)[:2] == (
        Trace(kind=TraceKind.DECLARED, generator="", text="trainedAlgorithmicMedia"),
        Trace(kind=TraceKind.PROGRAM, generator="Google AI", text="Made with Google AI"),
    )
    assert kinds(png(tmp_path / "b.png", (b"tEXt", b"Title\0trainedAlgorithmicMedia"))) == []


def test_hostile_text_is_cut_and_bombs_stay_small(tmp_path: Path) -> None:
    bomb = b"parameters\0\0" + zlib.compress(b"Steps: Sampler: " + b"\0" * 50_000_000)
    (trace,) = read_traces_of(png(tmp_path / "a.png", (b"zTXt", bomb)))
    assert len(trace.text) <= MAX_TEXT
    assert "\n" not in trace.text
    broken = tmp_path / "b.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt")
    assert read_traces_of(broken) == ()
    assert read_traces_of(tmp_path / "nothing") == ()
