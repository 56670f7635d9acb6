"""Which addresses of a caller are tried, and how ICE servers are written."""

import pytest

from stream.errors import SettingsError
from stream.ingest.ice import IceServer, parse_candidate, parse_server


@pytest.mark.parametrize(
    "address", ["192.168.1.7", "10.0.0.7", "172.16.3.4", "8.8.8.8", "2a00:1450:4001::1", "fd12::7"]
)
def test_addresses_that_calls_come_from_are_kept(address: str) -> None:
    candidate = parse_candidate(f"1 1 udp 2122260223 {address} 50000 typ host generation 0")
    assert candidate is not None
    assert (candidate.ip, candidate.port) == (address, 50_000)


@pytest.mark.parametrize(
    "value",
    [
        "1 1 udp 1 127.0.0.1 5000 typ host",
        "1 1 udp 1 ::1 5000 typ host",
        "1 1 udp 1 0.0.0.0 5000 typ host",
        "1 1 udp 1 224.0.0.1 5000 typ host",
        "1 1 udp 1 ff02::1 5000 typ host",
        "1 1 udp 1 169.254.169.254 80 typ host",
        "1 1 udp 1 fe80::1 5000 typ host",
        "1 1 udp 1 255.255.255.255 5000 typ host",
        "1 1 udp 1 0f3b0c52-6b5c-4f39-9a4b-1c2d3e4f5a6b.local 5000 typ host",
        "1 1 tcp 1 192.168.1.7 9 typ host tcptype active",
        "1 2 udp 1 192.168.1.7 5000 typ host",
        "1 1 udp 1 192.168.1.7 0 typ host",
        "1 1 udp 1 192.168.1.7 70000 typ host",
        "1 1 udp one 192.168.1.7 5000 typ host",
        "1 1 udp",
        "",
    ],
)
def test_everything_else_is_left_out(value: str) -> None:
    assert parse_candidate(value) is None


def test_a_stun_server_has_a_plain_link() -> None:
    assert parse_server("stun:stun.example.org:3478").to_link() == '<stun:stun.example.org:3478>; rel="ice-server"'


def test_a_turn_server_carries_its_credentials_beside_its_url() -> None:
    server = parse_server("turn:kua:s3cret@turn.example.org:3478?transport=udp")
    assert server == IceServer(url="turn:turn.example.org:3478?transport=udp", username="kua", credential="s3cret")
    assert server.to_link() == (
        '<turn:turn.example.org:3478?transport=udp>; rel="ice-server"; username="kua"; credential="s3cret"; '
        'credential-type="password"'
    )
    assert server.to_rtc().urls == "turn:turn.example.org:3478?transport=udp"
    assert (server.to_rtc().username, server.to_rtc().credential) == ("kua", "s3cret")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("https://stun.example.org", "expected stun:HOST[:PORT] or turn:NAME:SECRET@HOST[:PORT]"),
        ("stun:bad host", "expected stun:HOST[:PORT] or turn:NAME:SECRET@HOST[:PORT]"),
        ("turn:turn.example.org", "TURN needs NAME:SECRET@, STUN takes none"),
        ("stun:kua:s3cret@stun.example.org", "TURN needs NAME:SECRET@, STUN takes none"),
        ("stun:stun.example.org?transport=udp", "?transport= is for TURN only"),
        ("turn:kua:s3cret@", "expected stun:HOST[:PORT] or turn:NAME:SECRET@HOST[:PORT]"),
    ],
)
def test_other_urls_are_refused_without_repeating_a_secret(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as refused:
        parse_server(text)
    assert message in str(refused.value)
    assert "s3cret" not in str(refused.value)
