"""How many offers one address may make."""

import pytest

from stream.api.rate import MAX_ADDRESSES, Rate


def test_a_minutes_worth_may_come_at_once_and_then_one_by_one() -> None:
    rate = Rate(6)
    assert [rate.take("192.0.2.7", 100.0) for _ in range(6)] == [0.0] * 6
    assert rate.take("192.0.2.7", 100.0) == pytest.approx(10)
    assert rate.take("192.0.2.7", 104.0) == pytest.approx(6)
    assert rate.take("192.0.2.7", 110.0) == 0.0
    assert rate.take("192.0.2.7", 110.0) == pytest.approx(10)


def test_a_long_silence_earns_no_more_than_a_minutes_worth() -> None:
    rate = Rate(2)
    rate.take("192.0.2.7", 0.0)
    assert [bool(rate.take("192.0.2.7", 1e6)) for _ in range(3)] == [False, False, True]


def test_addresses_are_counted_apart_and_of_ipv6_the_network() -> None:
    rate = Rate(1)
    assert [rate.take(address, 0.0) for address in ("192.0.2.7", "192.0.2.8", "2001:db8::1", "testclient")] == [0] * 4
    assert rate.take("2001:db8::ffff:2", 0.0) > 0
    assert rate.take("2001:db8:0:1::1", 0.0) == 0


def test_memory_is_bounded_and_the_longest_silent_is_forgotten() -> None:
    rate = Rate(1)
    for n in range(MAX_ADDRESSES + 100):
        rate.take(f"192.0.{n // 256}.{n % 256}", 0.0)
    assert len(rate) == MAX_ADDRESSES
    assert rate.take("192.0.0.0", 0.0) == 0
    assert rate.take(f"192.0.{(MAX_ADDRESSES + 99) // 256}.{(MAX_ADDRESSES + 99) % 256}", 0.0) > 0
