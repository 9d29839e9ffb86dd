"""A pull reaches whom it may and nobody else, however the place is written, named, linked or redirected to."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from heliograph.actions import fetch
from heliograph.errors import Invalid
from heliograph.rules import address
from heliograph.rules.pull import Question
from tests import customer
from tests.customer import CustomerApi

# A second address of this machine stands for a second server; pytest-socket stops whatever gets past us.
pytestmark = [pytest.mark.anyio, pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.9", "::ffff:7f00:1"])]

SECRET = ("X-Api-Key", "s3cret")


@pytest.fixture
async def there() -> AsyncIterator[CustomerApi]:
    async with customer.serve() as api:
        api.answers["/contacts"] = [1, 2, 3]
        yield api


async def ask(url: str, allowed: str = customer.HERE, *, limits: fetch.Limits | None = None, **more: Any) -> bytes:
    question = Question(more.get("method", "GET"), url, (SECRET,), more.get("body"))
    async with fetch.open_line(address.networks(allowed), limits) as line:
        return await line.ask(question)


async def refused(url: str, allowed: str = customer.HERE, **more: Any) -> str:
    with pytest.raises(Invalid) as caught:
        await ask(url, allowed, **more)
    assert caught.value.field == "apiConfigurations.url"
    assert "s3cret" not in caught.value.message
    return caught.value.message


async def test_an_answer_is_read(there: CustomerApi) -> None:
    assert await ask(there.url("/contacts?a=b%20c")) == b"[1, 2, 3]"
    (asked,) = there.asked
    assert (asked.method, asked.place, asked.headers["X-Api-Key"]) == ("GET", "/contacts?a=b%20c", "s3cret")


async def test_a_body_is_posted(there: CustomerApi) -> None:
    await ask(there.url(), method="POST", body=b'{"a": 1}')
    assert (there.asked[0].method, there.asked[0].body) == ("POST", b'{"a": 1}')


# Every way that is known to write an address of this machine, of its neighbours or of a cloud's metadata service.
INSIDE = (
    "127.0.0.1 localhost LOCALHOST localhost. 127.1 127.0.1 2130706433 017700000001 0177.0.0.1 0x7f.0.0.1 0x7f000001 "
    "0x7f.1 127.0.0.1. 0 0.0.0.0 127.0.0.2 [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [0:0:0:0:0:ffff:7f00:0001] "
    "[::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [2001:0:7f00:1::] [::ffff:0:7f00:1] 10.0.0.1 172.16.0.1 "
    "192.168.0.1 169.254.169.254 [::ffff:169.254.169.254] [fe80::1] [fd00:ec2::254] [fc00::1] 100.64.0.1 "
    "100.100.100.200 168.63.129.16 192.0.0.192 198.18.0.1 224.0.0.1 [ff02::1] 255.255.255.255 240.0.0.1 "
    "203.0.113.5 [2001:db8::1] １２７.0.0.1 127。0。0。1 ①②⑦.0.0.1 ⑫7.0.0.1 [fe80::1%25lo]"  # noqa: RUF001  # look-alikes are the point
).split()


@pytest.mark.parametrize("host", INSIDE)
async def test_without_leave_nothing_inside_is_reached(there: CustomerApi, host: str) -> None:
    assert await refused(f"http://{host}:{there.port}/contacts", allowed="")
    assert there.asked == []


@pytest.mark.parametrize("host", INSIDE)
async def test_leave_for_one_network_is_leave_for_no_other(there: CustomerApi, host: str) -> None:
    assert await refused(f"http://{host}:{there.port}/contacts", allowed="10.99.0.0/16")
    assert there.asked == []


@pytest.mark.parametrize("host", "127.0.0.1 localhost [::ffff:127.0.0.1]".split())
async def test_what_is_allowed_is_reached_by_every_plain_name(there: CustomerApi, host: str) -> None:
    assert await ask(f"http://{host}:{there.port}/contacts") == b"[1, 2, 3]"


async def test_a_refusal_says_what_to_do_and_not_how_names_resolve_in_here(there: CustomerApi) -> None:
    told = await refused(there.url(host="localhost"), allowed="")
    assert told == (
        "localhost leads to an address that pulls may not reach (loopback). The operator can allow its network with "
        "HELIOGRAPH_PULL_PRIVATE_NETWORKS"
    )


class Names:
    """What names resolve to, one answer a question; whatever is no name of ours resolves as ever."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.real = socket.getaddrinfo

    def __call__(self, host: Any, port: Any, *rest: Any, **more: Any) -> list[Any]:
        name = host.decode() if isinstance(host, bytes) else host
        key = str(name).partition(".")[0]
        if key not in self.answers:
            return self.real(host, port, *rest, **more)
        self.asked.append(name)
        found = self.answers[key].pop(0)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        kinds = [socket.AF_INET6 if ":" in each else socket.AF_INET for each in found]
        ends: list[Any] = [(each, port, 0, 0) if ":" in each else (each, port) for each in found]
        return [(kind, socket.SOCK_STREAM, 6, "", end) for kind, end in zip(kinds, ends, strict=True)]


@pytest.mark.parametrize(
    "inside", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:10.0.0.5", "fd00:ec2::254", "64:ff9b::a00:5"]
)
async def test_a_name_that_leads_inside_is_not_followed(
    there: CustomerApi, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(crm=[[inside]]))
    assert "may not reach" in await refused(there.url(host="crm.example"), allowed="")
    assert there.asked == []


async def test_a_name_is_resolved_once_and_the_address_that_was_looked_at_is_the_one_connected_to(
    there: CustomerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes between the look and the connection (DNS rebinding) gains nothing: there is one question."""
    names = Names(crm=[["127.0.0.1"], ["10.0.0.5"], ["10.0.0.5"]])
    monkeypatch.setattr(socket, "getaddrinfo", names)
    assert await ask(there.url(host="crm.example")) == b"[1, 2, 3]"
    assert names.asked == ["crm.example"]
    assert "may not reach" in await refused(there.url(host="crm.example"))
    assert len(there.asked) == 1


async def test_of_several_addresses_only_those_outside_are_tried(
    there: CustomerApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(crm=[["10.0.0.5", "169.254.169.254", "127.0.0.1"]]))
    assert await ask(there.url(host="crm.example")) == b"[1, 2, 3]"


async def test_a_name_that_there_is_not_is_told(there: CustomerApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(nobody=[[]]))
    assert await refused(there.url(host="nobody.example")) == "There is no host named nobody.example"
    for odd in ("a..example", "x" * 64 + ".example", "xn--a.example", "-.example"):
        monkeypatch.setattr(socket, "getaddrinfo", Names(**{odd.partition(".")[0]: [[]]}))
        assert await refused(there.url(host=odd))


# ---------------------------------------------------------------- redirects


def redirect(location: str, status: int = 302) -> web.Response:
    return web.Response(status=status, headers={"Location": location})


async def test_three_redirects_are_followed_and_no_more(there: CustomerApi) -> None:
    for n in range(4):
        there.answers[f"/{n}"] = redirect("/contacts" if n == 3 else f"/{n + 1}")
    assert await ask(there.url("/1")) == b"[1, 2, 3]"
    assert [each.headers.get("X-Api-Key") for each in there.asked] == ["s3cret"] * 4
    assert "more than 3 times" in await refused(there.url("/0"))


@pytest.mark.parametrize("host", INSIDE)
async def test_no_redirect_leads_inside(there: CustomerApi, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """The first server is outside as far as the pull knows: only its one address is allowed."""
    async with customer.serve("127.0.0.9") as outside:
        outside.answers["/"] = redirect(f"http://{host}:{there.port}/contacts")
        assert await refused(f"http://127.0.0.9:{outside.port}/", allowed="127.0.0.9/32")
        assert there.asked == []


@pytest.mark.parametrize(
    "location", ["", "ftp://127.0.0.1/", "file:///etc/passwd", "http:///", "http://u:p@127.0.0.1/", "gopher://x", "//"]
)
async def test_no_redirect_leads_astray(there: CustomerApi, location: str) -> None:
    there.answers["/"] = redirect(location)
    assert await refused(there.url("/"))
    assert {each.place for each in there.asked} == {"/"}


async def test_another_server_is_told_no_secrets(there: CustomerApi) -> None:
    async with customer.serve("127.0.0.9") as other:
        other.answers["/contacts"] = []
        there.answers["/"] = redirect(f"http://127.0.0.9:{other.port}/contacts")
        assert await ask(there.url("/")) == b"[]"
        assert "X-Api-Key" in there.asked[0].headers
        assert "X-Api-Key" not in other.asked[0].headers
        there.answers["/"] = redirect(f"http://127.0.0.9:{other.port}/contacts", status=307)
        assert "to another server" in await refused(there.url("/"), method="POST", body=b"{}")
        assert len(other.asked) == 1


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"{}"), (308, "POST", b"{}")],
)
async def test_a_post_is_redirected_as_browsers_do(there: CustomerApi, status: int, method: str, body: bytes) -> None:
    there.answers["/"] = redirect("/contacts", status)
    await ask(there.url("/"), method="POST", body=b"{}")
    assert (there.asked[1].method, there.asked[1].body) == (method, body)


# ---------------------------------------------------------------- bounds


@pytest.mark.parametrize("packed", [False, True])
async def test_an_answer_is_not_read_beyond_its_bound_packed_or_not(there: CustomerApi, packed: bool) -> None:
    big = b"[" + b" " * 3_000_000 + b"]"

    async def answer(_request: web.Request) -> web.Response:
        if packed:
            return web.Response(body=gzip.compress(big), headers={"Content-Encoding": "gzip"})
        return web.Response(body=big)

    there.answers["/"] = answer
    assert await ask(there.url("/")) == big
    told = await refused(there.url("/"), limits=fetch.Limits(answer_bytes=2 * 1024 * 1024))
    assert "more than the 2 MB" in told


async def test_the_bound_is_for_all_answers_of_a_sync_together(there: CustomerApi) -> None:
    question = Question("GET", there.url(), (), None)
    async with fetch.open_line(address.networks(customer.HERE), fetch.Limits(answer_bytes=20)) as line:
        assert await line.ask(question) == b"[1, 2, 3]"
        assert await line.ask(question) == b"[1, 2, 3]"
        with pytest.raises(Invalid, match="answers more than"):
            await line.ask(question)


async def test_a_silent_or_endless_api_is_given_up(there: CustomerApi) -> None:
    async def mute(_request: web.Request) -> web.Response:
        await asyncio.sleep(30)
        return web.Response()

    async def drip(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        for _ in range(600):
            await answer.write(b" ")
            await asyncio.sleep(0.05)
        return answer

    there.answers |= {"/mute": mute, "/drip": drip}
    assert "did not answer in time" in await refused(there.url("/mute"), limits=fetch.Limits(silence=0.2))
    assert "longer than the 0.3 s" in await refused(there.url("/drip"), limits=fetch.Limits(total=0.3))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (web.Response(status=500), "answered 500 Internal Server Error"),
        (web.Response(status=401), "answered 401 Unauthorized"),
        (web.Response(status=304), "answered 304"),
        (web.Response(body=b"no gzip", headers={"Content-Encoding": "gzip"}), "broke off"),
    ],
)
async def test_what_is_no_answer_is_told(there: CustomerApi, answer: web.Response, told: str) -> None:
    there.answers["/"] = answer
    assert told in await refused(there.url("/?key=s3cret"))


async def test_a_server_that_is_not_there_or_speaks_something_else_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        assert "cannot be reached: Connect" in await refused(url)

    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert "does not speak HTTP" in await refused(f"http://127.0.0.1:{port}/")
        assert "https://127.0.0.1" in await refused(f"https://127.0.0.1:{port}/")


async def test_no_proxy_and_no_cookies(there: CustomerApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    there.answers["/"] = web.Response(status=302, headers={"Location": "/contacts", "Set-Cookie": "a=b"})
    assert await ask(there.url("/")) == b"[1, 2, 3]"
    assert "Cookie" not in there.asked[1].headers
