"""Webhooks call the address that was checked, whatever their host's name resolves to before or after."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stream.alerts.targets import GuardedBackend, TargetError, check_url

NAME = "hook.example"
PUBLIC = "93.184.215.14"

Resolve = Callable[..., list[list[str]]]


class Connected(httpcore.AsyncMockBackend):
    """Connects to nothing, and remembers to where."""

    def __init__(self) -> None:
        super().__init__([])
        self.to: list[str] = []

    async def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        self.to.append(host)
        return await super().connect_tcp(host, port, *args, **options)


@pytest.fixture
async def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Return a function that lets every name resolve to addresses, other ones each time; it returns those not asked."""

    def answer(*answers: Iterable[str]) -> list[list[str]]:
        left = [list(addresses) for addresses in answers]

        async def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
            return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in left.pop(0)]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
        return left

    return answer


def guarded(*, allow_private: bool = False) -> tuple[GuardedBackend, Connected]:
    backend, plain = GuardedBackend(allow_private=allow_private), Connected()
    backend._plain = plain  # type: ignore[assignment]  # nothing is sent into the open internet by a test
    return backend, plain


async def test_a_name_that_becomes_private_after_the_check_is_not_asked_again(resolve: Resolve) -> None:
    backend, plain = guarded()
    left = resolve([PUBLIC], ["127.0.0.1"])
    await backend.connect_tcp(NAME, 443, 5.0)
    assert plain.to == [PUBLIC], "the checked address, not the name"
    assert left == [["127.0.0.1"]]
    with pytest.raises(TargetError, match=r"hook\.example is 127\.0\.0\.1"):
        await backend.connect_tcp(NAME, 443, 5.0)


@pytest.mark.parametrize(
    "private",
    [
        *("127.0.0.1", "10.0.0.7", "172.31.0.1", "192.168.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("::1", "::", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "fe80::1", "fd00:ec2::254"),
        *("::10.0.0.7", "64:ff9b:1::a00:7", "fec0::1", "::ffff:0:a00:7", "3fff::1", "5f00::1", "192.88.99.1"),
    ],
)
async def test_a_name_of_a_private_address_is_refused_also_beside_a_public_one(resolve: Resolve, private: str) -> None:
    for addresses in ([private], [PUBLIC, private], [private, PUBLIC]):
        backend, plain = guarded()
        resolve(addresses)
        with pytest.raises(TargetError) as caught:
            await backend.connect_tcp(NAME, 443, 5.0)
        said = f"{NAME} is {ipaddress.ip_address(private)}, an address of a private network"
        assert str(caught.value) == f"{said}; KUA_WEBHOOK_PRIVATE allows it"
        assert plain.to == []


@pytest.mark.parametrize("host", ["localhost", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "::1", "0"])
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    backend, plain = guarded()
    with pytest.raises(TargetError, match="an address of a private network"):
        await backend.connect_tcp(host, 443, 5.0)
    assert plain.to == []


async def test_private_addresses_are_called_where_the_operator_allows_it(resolve: Resolve) -> None:
    backend, plain = guarded(allow_private=True)
    resolve(["10.0.0.7"])
    await backend.connect_tcp(NAME, 443, 5.0)
    assert plain.to == ["10.0.0.7"]


async def test_the_next_address_of_a_name_is_tried_where_the_first_does_not_answer(resolve: Resolve) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    resolve(["::1", "127.0.0.1"])
    backend = GuardedBackend(allow_private=True)
    stream = await backend.connect_tcp(NAME, server.sockets[0].getsockname()[1], 5.0)
    assert stream.get_extra_info("server_addr")[0] == "127.0.0.1"
    await stream.aclose()
    server.close()
    await server.wait_closed()


async def test_a_name_that_is_not_found_or_not_in_time_cannot_be_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async def slow(*_: object, **__: object) -> list[tuple[Any, ...]]:
        await asyncio.sleep(60)
        return []

    backend, _ = guarded()
    for resolver in (missing, slow):
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver)
        with pytest.raises(httpcore.ConnectError, match=r"^hook\.example cannot be found"):
            await backend.connect_tcp(NAME, 443, 0.05)


async def test_the_certificate_must_be_of_the_name_although_the_address_is_called(
    resolve: Resolve, tmp_path: Path
) -> None:
    async with serving_tls(tmp_path) as (port, names, trusting):
        resolve(*(["127.0.0.1"] for _ in range(3)))
        assert await _post(f"https://{NAME}:{port}/", trusting) == 204
        assert names == [NAME]
        with pytest.raises(httpcore.ConnectError, match="Hostname mismatch"):
            await _post(f"https://other.example:{port}/", trusting)
        with pytest.raises(httpcore.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await _post(f"https://{NAME}:{port}/", None)


async def _post(url: str, context: ssl.SSLContext | None) -> int:
    backend = GuardedBackend(allow_private=True)
    async with httpcore.AsyncConnectionPool(ssl_context=context, network_backend=backend) as pool:
        return (await pool.request("POST", url, content=b"{}")).status


@asynccontextmanager
async def serving_tls(folder: Path) -> AsyncIterator[tuple[int, list[str | None], ssl.SSLContext]]:
    """Serve with a certificate of `NAME`; yield the port, the names that callers asked for, and who trusts it."""
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(folder))
    context.sni_callback = lambda _, name, __: names.append(name)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    try:
        trusting = ssl.create_default_context(cafile=str(folder / "hook.pem"))
        yield server.sockets[0].getsockname()[1], names, trusting
    finally:
        server.close()
        await server.wait_closed()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    today = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "hook.pem"
    path.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://a.example/", "got 'http://a.example/', expected https://HOST/PATH"),
        ("https:///hook", "got 'https:///hook', expected https://HOST/PATH"),
        ("https://me:pw@a.example/", "got an address with a user name, expected none: messages are signed"),
        ("https://a.example/\tb", "got 'https://a.example/\\tb', expected https://HOST/PATH"),
        ("https://a.example/" + "x" * 2000, "got an address of 2018 characters, expected at most 2000"),
    ],
)
def test_what_is_no_address_is_refused_with_what_is_expected(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^got ") as caught:
        check_url(url, allow_private=False)
    assert str(caught.value) == said


def test_an_address_without_tls_is_taken_only_where_private_networks_are_allowed() -> None:
    assert check_url("http://10.0.0.7:8080/hook", allow_private=True) == "http://10.0.0.7:8080/hook"
    with pytest.raises(ValueError, match=r"expected https or http://HOST/PATH"):
        check_url("ftp://10.0.0.7/hook", allow_private=True)
