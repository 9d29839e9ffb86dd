"""What is certain about a text that goes by HTTP, against servers that do what no client wishes for."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.carriers import http, http_pool, registry
from heliograph.carriers.base import Accepted, Deferred, LineState, Lost, Outcome, Refused
from heliograph.carriers.http import HttpLine
from heliograph.config import boot_seconds
from heliograph.errors import CarrierDown
from tests.carriers.contract import GUARD, NUMBERS, A, Ear, answers, texts

pytestmark = pytest.mark.anyio

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Serve = Callable[["Server", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """Reads requests and does with each connection what the test wants."""

    serve: Serve
    asked: list[bytes] = field(default_factory=list)
    opened: int = 0
    answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await reader.readexactly(int(length[0].split(b":")[1])) if length else b""
        self.asked.append(head + body)
        return head

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        try:
            await self.serve(self, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()


async def answers_all(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        await server.read(reader)
        writer.write(OK)


async def waits(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await server.read(reader)
    await server.answered.wait()
    writer.write(OK)
    await answers_all(server, reader, writer)


def says(octets: bytes) -> Serve:
    async def serve(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        writer.write(octets)
        await writer.drain()
        writer.write_eof()
        await asyncio.sleep(0.05)

    return serve


@asynccontextmanager
async def line_to(
    serve: Serve, ear: Ear | None = None, *, security: ssl.SSLContext | None = None, **over: object
) -> AsyncIterator[tuple[HttpLine, Server]]:
    server = Server(serve)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0, ssl=security)
    port = listening.sockets[0].getsockname()[1]
    told: dict[str, object] = {"method": "POST", "request": {"json": {"to": "{{to}}", "text": "{{text}}"}}, **over}
    told.setdefault("url", f"{'https' if security else 'http'}://127.0.0.1:{port}/send")
    line = await registry.open_carrier("generic", told, listener=ear or Ear(), name="line", transcript=Path())
    assert isinstance(line, HttpLine)
    try:
        yield line, server
    finally:
        await line.close()
        listening.close()


async def one(line: HttpLine) -> Outcome:
    return (await answers(await line.submit(texts((A,)))))[0]


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(GUARD):
        while not true():
            await asyncio.sleep(0.005)


async def test_what_finds_no_free_connection_is_deferred_and_no_byte_of_it_leaves() -> None:
    async with line_to(waits, connections=2) as (line, server):
        assert line.room(1) == 2
        assert line.room(3) == 3, "a connection takes a text of any length"
        futures = await line.submit(texts())
        assert [future.done() for future in futures] == [False, False, True, True]
        assert line.room(1) == 0
        server.answered.set()
        assert [type(outcome) for outcome in await answers(futures)] == [Accepted, Accepted, Deferred, Deferred]
        assert len(server.asked) == 2
        await until(lambda: line.room(1) == 2)
        assert isinstance(await one(line), Accepted)


async def test_connections_are_opened_ahead_as_they_are_wanted_up_to_the_limit() -> None:
    async with line_to(waits, connections=9) as (line, server):
        assert server.opened <= http_pool.FIRST
        many = [replace(text, message_id=f"m-{place}") for place, text in enumerate(texts() * 3)]
        taken: list[asyncio.Future[Outcome]] = []
        while len(taken) < 9:
            await until(lambda: line.room(1))
            room = line.room(1)
            assert room is not None
            taken += await line.submit(many[len(taken) : len(taken) + room])
        assert line.room(1) == 0
        server.answered.set()
        assert {type(outcome) for outcome in await answers(taken)} == {Accepted}
        assert server.opened == 9


async def test_a_request_is_never_repeated_when_a_kept_connection_breaks() -> None:
    async def breaks(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await server.read(reader)
        writer.write(OK)
        await server.read(reader)  # the second one is taken and never answered

    request = {"query": {"to": "{{to}}"}}
    async with line_to(breaks, method="GET", request=request, connections=1) as (line, server):
        assert isinstance(await one(line), Accepted)
        await until(lambda: line.room(1))
        assert isinstance(await one(line), Lost)
        assert len(server.asked) == 2
        assert all(asked.startswith(b"GET /send?to=%2B15555550101 HTTP/1.1\r\n") for asked in server.asked)


async def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    async with line_to(says(closing), connections=1) as (line, server):
        for _ in range(3):
            await until(lambda: line.room(1))
            assert isinstance(await one(line), Accepted)
        assert server.opened >= 3


async def test_nothing_leaves_after_its_time() -> None:
    async with line_to(answers_all) as (line, server):
        late, early = (replace(text, until=at) for text, at in zip(texts(), (0.0, boot_seconds() + 60), strict=False))
        found = await answers(await line.submit([late, early]))
        assert [type(outcome) for outcome in found] == [Deferred, Accepted]
        assert len(server.asked) == 1


async def test_bytes_that_do_not_get_out_are_given_up_and_the_text_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def deaf(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        getattr(writer.transport, "pause_reading")()  # noqa: B009  # typed as if it could only write; the buffers fill
        await server.answered.wait()

    monkeypatch.setattr(http, "FLUSH_LIMIT", 0.1)
    async with line_to(deaf, connections=1) as (line, server):
        long = replace(texts((A,))[0], text="x" * 20_000_000)
        (future,) = await line.submit([long])
        assert future.done(), "when submit returns, nothing more of it can leave"
        assert isinstance(future.result(), Lost)
        server.answered.set()


async def test_an_account_that_is_shut_is_left_alone_for_a_while() -> None:
    ear = Ear()
    async with line_to(says(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"), ear) as (line, server):
        assert isinstance(await one(line), Deferred)
        assert "credentials" in await ear.stands(LineState.REFUSED)
        with pytest.raises(CarrierDown, match="not let in"):
            await line.submit(texts())
        assert line.room(1) is None
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("octets", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", Accepted),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, Accepted),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", Accepted),
        (b"HTTP/1.1 202 Accepted\r\n\r\n", Accepted),
        (b"HTTP/1.1 204 No Content\r\n\r\n", Accepted),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n", Deferred),
        (b"HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n", Deferred),
        (b"HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n", Refused),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Lost),
        (b"HTTP/1.1 503 Oh\r\nContent-Length: 0\r\n\r\n", Lost),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", Lost),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Lost),
        (b"SSH-2.0-OpenSSH_9.6\r\n", Lost),
        (b"", Lost),
        (b"\x00" * 70_000, Lost),
    ],
)
async def test_whatever_is_answered_has_one_meaning(octets: bytes, outcome: type[Outcome]) -> None:
    async with line_to(says(octets)) as (line, server):
        assert type(await one(line)) is outcome
        assert len(server.asked) == 1


@settings(max_examples=25)
@given(octets=st.one_of(st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: OK[:40] + tail)))
def test_no_answer_breaks_the_line(octets: bytes) -> None:
    async def play() -> None:
        async with line_to(says(octets), connections=1) as (line, server):
            assert await one(line) is not None
            assert len(server.asked) == 1

    asyncio.run(play())


async def test_a_value_that_has_no_place_in_http_is_refused_and_the_line_goes_on() -> None:
    request = {"headers": {"X-To": "{{to}}", "X-Text": "{{text}}"}}
    async with line_to(answers_all, request=request, connections=1) as (line, server):
        bad = replace(texts((A,))[0], text="a\r\nX-Evil: 1")
        (found,) = await answers(await line.submit([bad]))
        assert isinstance(found, Refused)
        assert found.permanent
        assert server.asked == []
        await until(lambda: line.room(1))
        good = replace(texts((A,))[0], text="plain")
        assert isinstance((await answers(await line.submit([good])))[0], Accepted)


async def test_a_server_that_comes_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_pool, "BACK_OFF_FIRST", 0.05)
    ear = Ear()
    server = Server(answers_all)
    listening = await asyncio.start_server(server.connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    told: dict[str, object] = {"url": f"http://127.0.0.1:{port}/", "request": {"json": {}}}
    line = await registry.open_carrier("generic", told, listener=ear, name="line", transcript=Path())
    assert isinstance(line, HttpLine)
    assert "cannot be reached" in await ear.stands(LineState.DOWN)
    with pytest.raises(CarrierDown, match="is down"):
        await line.submit(texts())
    again = await asyncio.start_server(server.connected, "127.0.0.1", port)
    await ear.stands(LineState.UP)
    assert isinstance(await one(line), Accepted)
    await line.close()
    again.close()


async def test_a_certificate_is_checked_and_one_that_is_trusted_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted, security = certificate(tmp_path)
    ear = Ear()
    async with line_to(answers_all, ear, security=security) as (line, server):
        assert "cannot prove who it is" in await ear.stands(LineState.DOWN)
        with pytest.raises(CarrierDown):
            await line.submit(texts())
        assert server.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    async with line_to(answers_all, security=security) as (line, server):
        found = await answers(await line.submit(texts()))
        assert {type(outcome) for outcome in found} == {Accepted}
        assert len(server.asked) == len(NUMBERS)


async def test_no_carrier_lives_where_a_cloud_keeps_its_secrets() -> None:
    ear = Ear()
    async with line_to(answers_all, ear, url="http://169.254.169.254/latest/api/token") as (line, _):
        assert "one that carriers may not have" in await ear.stands(LineState.DOWN)
        with pytest.raises(CarrierDown):
            await line.submit(texts())


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for this machine, as a file to trust and as what a server shows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "carrier.example.com")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(names, critical=False).add_extension(x509.BasicConstraints(True, None), critical=True)
    pem = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(pem)
    (folder / "key.pem").write_bytes(private)
    security = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    security.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return folder / "cert.pem", security
