import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream.events import Gap, Medium
from stream.ingest import wire
from stream.ingest.timeline import Timeline
from stream.ingest.wire import (
    AudioCodec,
    AudioFormat,
    Bye,
    CloseCode,
    Hello,
    Packet,
    Refusal,
    VideoCodec,
    VideoFormat,
    Welcome,
    WireError,
)

printable = st.text(max_size=80).filter(str.isprintable)
audio_formats = st.builds(
    AudioFormat, codec=st.sampled_from(AudioCodec), rate_hz=st.integers(8_000, 48_000), channels=st.integers(1, 2)
)
sides = st.none() | st.integers(1, 1920)
video_formats = st.builds(VideoFormat, codec=st.sampled_from(VideoCodec), width=sides, height=sides)
hellos = st.builds(Hello, name=printable, audio=st.none() | audio_formats, video=st.none() | video_formats).filter(
    lambda hello: hello.audio or hello.video
)
gaps = st.builds(
    lambda medium, start_s, length_s: Gap(medium=medium, start_s=start_s, end_s=start_s + length_s),
    st.sampled_from(Medium),
    st.floats(0, 1e6),
    st.floats(0.001, 59),
)
packets = st.builds(
    Packet,
    medium=st.sampled_from(Medium),
    time_us=st.integers(0, 2**64 - 1),
    payload=st.binary(min_size=1, max_size=200),
    is_key=st.booleans(),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
HELLO = {"type": "hello", "version": 1, "audio": {"codec": "opus", "rate_hz": 48000, "channels": 2}}


def refusal(decode: Callable[[Any], object], message: str | bytes) -> str | None:
    """Return what a message is refused with; any other error than a `WireError` fails the test."""
    try:
        decode(message)
    except WireError as error:
        return str(error)
    return None


@given(hellos | gaps | st.just(Bye()))
def test_a_control_message_comes_back_as_it_was(control: wire.Control) -> None:
    assert wire.decode_control(wire.encode_control(control)) == control


@given(packets)
def test_a_packet_comes_back_as_it_was(packet: Packet) -> None:
    assert wire.decode_packet(wire.encode_packet(packet)) == packet


@given(st.builds(Welcome, session=printable) | st.builds(Refusal, error=printable))
def test_a_reply_comes_back_as_it_was(reply: wire.Reply) -> None:
    assert wire.decode_reply(wire.encode_reply(reply)) == reply


@given(st.binary(max_size=64))
def test_any_bytes_are_a_packet_or_a_wire_error(message: bytes) -> None:
    error = refusal(wire.decode_packet, message)
    assert error is None or ", expected " in error
    assert error or wire.encode_packet(wire.decode_packet(message)) == message


@given(st.text() | json_values.map(json.dumps))
def test_any_text_is_a_wire_error(text: str) -> None:
    with pytest.raises(WireError) as refused:
        wire.decode_control(text)
    assert str(refused.value).isprintable()


@given(st.sampled_from(["hello", "gap", "bye", "welcome", "error"]), st.data())
def test_a_message_with_one_field_replaced_is_read_or_a_wire_error(kind: str, data: st.DataObject) -> None:
    message = {
        "hello": {**HELLO, "name": "Anna", "video": {"codec": "vp8", "width": 640, "height": 480}},
        "gap": {"type": "gap", "medium": "audio", "start_s": 1.0, "end_s": 2.0},
        "bye": {"type": "bye"},
        "welcome": {"type": "welcome", "session": "s", "max_message_bytes": 1},
        "error": {"type": "error", "error": "e"},
    }[kind]
    where = data.draw(st.sampled_from([message, *(value for value in message.values() if isinstance(value, dict))]))
    changed = json.loads(json.dumps(message))
    target = changed if where is message else next(changed[key] for key in message if message[key] is where)
    target[data.draw(st.sampled_from([*where, "more"]))] = data.draw(json_values)
    for decode in (wire.decode_control, wire.decode_reply):
        assert len(refusal(decode, json.dumps(changed)) or "") < 300


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "got '{', expected JSON"),
        ("[" * 10_000, f"got '{'[' * 56}..., expected JSON"),
        ("[1]", "got a list, expected an object"),
        ('{"type":"verdict"}', "got the type 'verdict', expected hello or gap or bye"),
        ('{"type":"bye","now":1}', "bye: got the unknown field 'now'"),
        ('{"type":"hello","version":2}', "hello.version: got 2, expected a whole number from 1 to 1"),
        ('{"type":"hello","version":1}', "hello: got neither audio nor video, expected at least one"),
        (
            '{"type":"hello","version":1,"audio":{"codec":"mp3"}}',
            "hello.audio.codec: got 'mp3', expected pcm_s16le or opus",
        ),
        (
            '{"type":"hello","version":1,"audio":{"codec":"opus","rate_hz":4000}}',
            "hello.audio.rate_hz: got 4000, expected a whole number from 8000 to 48000",
        ),
        (
            '{"type":"hello","version":1,"audio":{"codec":"opus","rate_hz":48000,"channels":true}}',
            "hello.audio.channels: got True, expected a whole number from 1 to 2",
        ),
        (
            '{"type":"hello","version":1,"name":"a\\u202eb"}',
            "hello.name: got 'a\\u202eb', expected at most 80 printable characters",
        ),
        (
            '{"type":"gap","medium":"audio","start_s":NaN,"end_s":1}',
            "gap.start_s: got nan, expected a number of at least 0",
        ),
        ('{"type":"gap","medium":"audio","start_s":2,"end_s":1}', "gap: got 2 to 1 s, expected 0 to 60 s of length"),
    ],
)
def test_a_malformed_message_is_named_with_what_was_expected(text: str, error: str) -> None:
    with pytest.raises(WireError) as refused:
        wire.decode_control(text)
    assert (str(refused.value), refused.value.code) == (error, CloseCode.MALFORMED)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"", "got a binary message of 0 bytes, expected 12 of header and a payload"),
        (bytes(12), "got a binary message of 12 bytes, expected 12 of header and a payload"),
        (bytes(13), "got kind 0, expected 1 (audio) or 2 (video)"),
        (b"\x01\x02" + bytes(11), "got flags 0x02 and reserved 0x0000, expected flags 0 or 1 and reserved 0"),
        (b"\x01\x00\x00\x01" + bytes(9), "got flags 0x00 and reserved 0x0001, expected flags 0 or 1 and reserved 0"),
    ],
)
def test_a_malformed_packet_is_named_with_what_was_expected(message: bytes, error: str) -> None:
    with pytest.raises(WireError) as refused:
        wire.decode_packet(message)
    assert (str(refused.value), refused.value.code) == (error, CloseCode.MALFORMED)


@pytest.mark.parametrize(("medium", "limit"), [(Medium.AUDIO, 65_536), (Medium.VIDEO, 262_144)])
def test_a_packet_may_be_as_large_as_its_limit_and_no_larger(medium: Medium, limit: int) -> None:
    message = wire.encode_packet(Packet(medium=medium, time_us=0, payload=bytes(limit)))
    assert len(wire.decode_packet(message).payload) == limit
    with pytest.raises(WireError) as refused:
        wire.decode_packet(message + b"\x00")
    assert str(refused.value) == f"got {limit + 1} bytes of {medium}, expected at most {limit}"
    assert refused.value.code is CloseCode.TOO_LARGE


def test_a_text_over_its_limit_is_too_large() -> None:
    with pytest.raises(WireError) as refused:
        wire.decode_control('"' + "\N{GREEK SMALL LETTER ALPHA}" * 10_000 + '"')
    assert str(refused.value) == "got 20002 bytes of text, expected at most 16384"
    assert refused.value.code is CloseCode.TOO_LARGE


def test_the_header_is_the_one_that_the_protocol_shows() -> None:
    packet = Packet(medium=Medium.VIDEO, time_us=1_200_000, payload=b"\xff\xd8\xff\xdb", is_key=True)
    assert wire.encode_packet(packet).hex(" ") == "02 01 00 00 00 00 00 00 00 12 4f 80 ff d8 ff db"


def test_a_close_reason_is_cut_at_a_whole_character() -> None:
    reason = wire.close_reason("\N{CYRILLIC SMALL LETTER A}" * 100)
    assert reason == "\N{CYRILLIC SMALL LETTER A}" * 61


def test_session_time_starts_at_the_first_media_of_either_kind() -> None:
    timeline = Timeline(now_s=100.0)
    assert timeline.place(Medium.VIDEO, 7_000_000, 100.0) == 0.0
    assert timeline.place(Medium.AUDIO, 6_900_000, 100.0) == pytest.approx(-0.1)
    assert timeline.place(Medium.VIDEO, 7_200_000, 100.2) == pytest.approx(0.2)
    gap = timeline.place_gap(Gap(medium=Medium.AUDIO, start_s=7.0, end_s=7.5), 100.5)
    assert gap == Gap(medium=Medium.AUDIO, start_s=0.0, end_s=0.5)


def test_a_gap_before_all_media_says_nothing() -> None:
    assert Timeline(0.0).place_gap(Gap(medium=Medium.AUDIO, start_s=7.0, end_s=7.5), 0.0) is None


@pytest.mark.parametrize(
    ("medium", "time_us", "error"),
    [
        (Medium.AUDIO, 8_999_999, "1.0 s back"),
        (Medium.VIDEO, 8_900_000, "1.1 s back"),
        (Medium.AUDIO, 70_100_000, "60.1 s ahead"),
        (Medium.VIDEO, 70_100_000, "60.1 s ahead"),
    ],
)
def test_timestamps_run_back_and_jump_only_so_far(medium: Medium, time_us: int, error: str) -> None:
    timeline = Timeline(0.0)
    timeline.place(Medium.AUDIO, 10_000_000, 0.0)
    with pytest.raises(WireError) as refused:
        timeline.place(medium, time_us, 100.0)
    assert str(refused.value) == (f"{medium}: got a timestamp {error}, expected at most 1 s back or 60 s ahead")
    assert refused.value.code is CloseCode.OUT_OF_ORDER


def test_a_call_may_be_ten_seconds_ahead_of_the_clock_and_any_time_behind() -> None:
    timeline = Timeline(0.0)
    timeline.place(Medium.AUDIO, 0, 5.0)
    timeline.place(Medium.AUDIO, 10_000_000, 5.0)
    timeline.place(Medium.AUDIO, 11_000_000, 500.0)
    timeline.place(Medium.AUDIO, 70_000_000, 500.0)
    with pytest.raises(WireError) as refused:
        Timeline.place(timeline, Medium.AUDIO, 71_000_000, 65.9)
    assert str(refused.value) == "got media 10.1 s ahead of the clock, expected at most 10 s"
    assert refused.value.code is CloseCode.TOO_FAST


def test_sound_cannot_hide_its_amount_behind_equal_timestamps() -> None:
    timeline = Timeline(0.0)
    timeline.place(Medium.AUDIO, 0, 0.0)
    timeline.count_sound(9.0, 0.0)
    with pytest.raises(WireError, match=r"got media 12\.0 s ahead"):
        timeline.count_sound(4.0, 1.0)


def test_messages_are_bounded_over_the_whole_call() -> None:
    timeline = Timeline(0.0)
    for _ in range(5_000):
        timeline.count_message(0.0)
    with pytest.raises(WireError, match="got more than 500 messages a second"):
        timeline.count_message(0.0)


def test_the_example_of_the_protocol_is_accepted_as_it_stands() -> None:
    lines = Path(wire.__file__).with_name("PROTOCOL.md").read_text("utf-8").splitlines()
    sent = [line.removeprefix("    -> ") for line in lines if line.startswith("    -> ")]
    controls = [wire.decode_control(line) for line in sent if line.startswith("{")]
    packets = [wire.decode_packet(bytes.fromhex(line[: 15 * 3])) for line in sent if not line.startswith("{")]

    assert [type(control) for control in controls] == [Hello, Gap, Bye]
    assert [(packet.medium, packet.time_us) for packet in packets] == [
        (Medium.VIDEO, 1_200_000),
        (Medium.AUDIO, 1_200_000),
        (Medium.AUDIO, 1_220_000),
        (Medium.AUDIO, 1_300_000),
    ]
    (welcome,) = (line.removeprefix("    <- ") for line in lines if line.startswith("    <- {"))
    assert wire.decode_reply(welcome) == Welcome(session="8YWw2JrJ4m2k")


def test_the_protocol_names_every_close_code() -> None:
    text = Path(wire.__file__).with_name("PROTOCOL.md").read_text("utf-8")
    assert [code for code in CloseCode if f"| {code.value} |" not in text] == []
