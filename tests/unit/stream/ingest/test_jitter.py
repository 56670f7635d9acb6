"""Sound packets under loss, reordering, repetition and new beginnings."""

import random

import pytest
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

from stream.ingest.jitter import WAIT_PACKETS, AudioJitterBuffer

N = 20_000


def packet(number: int) -> RtpPacket:
    made = RtpPacket(sequence_number=number % 65_536, timestamp=number * 960, payload_type=111)
    made._data = b"sound"  # type: ignore[attr-defined]
    return made


def give_all(buffer: AudioJitterBuffer | JitterBuffer, numbers: list[int]) -> list[int]:
    frames = [frame for number in numbers if (frame := buffer.add(packet(number))[1]) is not None]
    return [frame.timestamp // 960 for frame in frames]


def arrivals(loss: float, reordered: float = 0.0) -> list[int]:
    rnd = random.Random(1)
    times = [(i + (rnd.randint(1, 6) if rnd.random() < reordered else 0), i) for i in range(N) if rnd.random() >= loss]
    return [number for _, number in sorted(times)]


@pytest.mark.parametrize("loss", [0.0, 0.01, 0.02, 0.05, 0.1])
def test_every_packet_that_arrives_is_given_out_in_order(loss: float) -> None:
    numbers = arrivals(loss)
    given = give_all(AudioJitterBuffer(), numbers)
    assert given == numbers[: len(given)]
    assert len(numbers) - len(given) <= WAIT_PACKETS


def test_aiortcs_own_buffer_would_lose_a_quarter_at_5_percent_loss() -> None:
    numbers = arrivals(0.05)
    assert len(give_all(JitterBuffer(capacity=16, prefetch=4), numbers)) < 0.85 * len(numbers)


def test_packets_that_overtake_each_other_are_put_back_in_order() -> None:
    numbers = arrivals(0.0, reordered=0.05)
    given = give_all(AudioJitterBuffer(), numbers)
    assert given == sorted(given)
    assert len(given) > 0.999 * N


def test_a_lost_packet_is_waited_for_while_six_others_queue() -> None:
    buffer = AudioJitterBuffer()
    assert give_all(buffer, [0, 2, 3, 4, 5, 6, 7]) == [0]
    assert give_all(buffer, [8]) == [2]


def test_sequence_numbers_wrap() -> None:
    buffer = AudioJitterBuffer()
    given = [buffer.add(packet(number))[1] for number in range(65_500, 65_600)]
    assert [frame.timestamp // 960 for frame in given if frame] == list(range(65_500, 65_600))


def test_a_repeated_packet_is_given_once() -> None:
    assert give_all(AudioJitterBuffer(), [0, 0, 1, 3, 3, 2, 2, 4, 5]) == [0, 1, 2, 3, 4, 5]


def test_a_jump_ahead_costs_a_wait_and_no_packet() -> None:
    numbers = [0, 1, 2, *range(5_000, 5_020)]
    assert give_all(AudioJitterBuffer(), numbers) == numbers[:-WAIT_PACKETS]


def test_a_sender_that_begins_anew_is_followed() -> None:
    buffer = AudioJitterBuffer()
    give_all(buffer, list(range(30_000, 30_010)))
    assert give_all(buffer, list(range(10, 20))) == list(range(10, 20))


def test_a_packet_that_comes_too_late_is_let_go() -> None:
    assert give_all(AudioJitterBuffer(), [10, 11, 12, 5, 13]) == [10, 11, 12, 13]


def test_what_waits_is_bounded() -> None:
    buffer = AudioJitterBuffer()
    give_all(buffer, list(range(0, 200_000, 37)))
    assert len(buffer._waiting) <= WAIT_PACKETS
