"""Where a pull may go: the public internet, and what the operator allows."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from heliograph.errors import Invalid
from heliograph.rules import address

INSIDE = {
    "loopback": "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::127.0.0.1",
    "private": "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 fc00::1 fdff:ffff::1 fec0::1 "
    "::ffff:10.1.2.3 ::ffff:c0a8:1 64:ff9b::a00:1",
    "link-local": "169.254.0.1 fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.1.1",
    "a cloud's metadata service": "169.254.169.254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 168.63.129.16 "
    "100.100.100.200 fd00:ec2::254 fd20:ce::254",
    "a carrier's inner network": "100.64.0.1 100.127.255.255",
    "multicast": "224.0.0.1 239.255.255.255 ff02::1 ff0e::1",
    "broadcast": "255.255.255.255",
    "this host": "0.0.0.0 0.1.2.3 ::",
    "for benchmarks": "198.18.0.1 198.19.255.255",
    "for documentation": "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    "reserved": "192.0.0.192 192.88.99.1 240.0.0.1 254.255.255.255 2001::1 2001:0:7f00:1:: 2002:7f00:1:: 64:ff9b:1::1 "
    "100::1 5f00::1 ::7f00:1 ::ffff:0:7f00:1 4000::1 fe00::1",
}
OUTSIDE = (
    "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 172.15.255.255 "
    "172.32.0.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2606:4700::1111 "
    "2a00:1450:4001::1 ::ffff:8.8.8.8 64:ff9b::808:808"
)


@pytest.mark.parametrize(("where", "why"), [(each, why) for why, some in INSIDE.items() for each in some.split()])
def test_what_is_not_for_everybody_is_refused(where: str, why: str) -> None:
    assert address.refusal(ip_address(where), ()) == why


@pytest.mark.parametrize("where", OUTSIDE.split())
def test_the_internet_is_not(where: str) -> None:
    assert address.refusal(ip_address(where), ()) is None


@pytest.mark.parametrize(
    ("networks", "opened", "shut"),
    [
        ("127.0.0.0/8", "127.0.0.1 ::ffff:127.0.0.1 64:ff9b::7f00:1", "::1 10.0.0.1 169.254.169.254"),
        ("10.1.0.0/16, fd00::/8", "10.1.2.3 fd12::1", "10.2.0.1 fc00::1 192.168.0.1"),
        (" ::1/128 ,", "::1", "127.0.0.1"),
        ("::ffff:0:0/96", "::ffff:10.0.0.1", "10.0.0.1"),
        ("0.0.0.0/0,::/0", "10.0.0.1 ::1 224.0.0.1", ""),
        ("", "", "10.0.0.1"),
    ],
)
def test_the_operator_allows_networks(networks: str, opened: str, shut: str) -> None:
    allowed = address.networks(networks)
    assert [address.refusal(ip_address(each), allowed) for each in opened.split()] == [None] * len(opened.split())
    assert all(address.refusal(ip_address(each), allowed) for each in shut.split())


@pytest.mark.parametrize("text", ["10.0.0.0/33", "10.0.0.1/8", "localhost", "10.0.0.0/8;fd00::/8"])
def test_a_network_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        address.networks(text)


@pytest.mark.parametrize(
    "url",
    "https://api.example.com/contacts?page=1 http://example.com:8080 https://192.0.2.1/x https://[2001:db8::1]:8443/ "
    "https://xn--bcher-kva.example/ https://bücher.example/ https://a_b.example./ https://10.example.com/ "
    "http://127.0.0.1/ http://[::ffff:127.0.0.1]/".split(),
)
def test_urls_are_read_whether_they_may_be_asked_or_not(url: str) -> None:
    assert address.read_url(url, "url").geturl() == url


HOSTILE = (
    "ftp://example.com/ file:///etc/passwd gopher://example.com/ //example.com/ example.com http:///x http:// "
    "javascript:alert(1) https://user:pw@example.com/ https://user@example.com/ http://example.com:0/ "
    "http://example.com:70000/ http://example.com:x/ http://[::1 http://a\\@127.0.0.1/ http://[fe80::1%25eth0]/ "
    "http://2130706433/ http://017700000001/ http://0177.0.0.1/ http://0x7f.0.0.1/ http://0x7f000001/ http://127.1/ "
    "http://127.0.1/ http://0/ http://127.0.0.1./ http://0x/ http://example.0x7f/ http://256.1.1.1/ "
    "http://１２７.0.0.1/ http://{{env:HOST}}/"  # noqa: RUF001  # look-alikes are the point
).split()


@pytest.mark.parametrize(
    "url", [*HOSTILE, "http://exa mple.com/", "http://example.com/\r\nX: y", "", 7, None, "x" * 2001]
)
def test_an_address_that_is_none_of_the_usual_kind_is_refused(url: object) -> None:
    with pytest.raises(Invalid) as caught:
        address.read_url(url, "apiConfigurations.url")
    assert caught.value.field == "apiConfigurations.url"
    assert "pw@" not in caught.value.message


@pytest.mark.parametrize(
    ("where", "allowed", "why"),
    [
        ("127.0.0.1", address.PRIVATE, None), ("10.1.2.3", address.PRIVATE, None), ("fd00::7", address.PRIVATE, None),
        ("93.184.216.34", (), None), ("10.1.2.3", (), "private"), ("127.0.0.1", (), "loopback"),
        ("169.254.169.254", address.PRIVATE, "a cloud's metadata service"),
        ("100.100.100.200", address.PRIVATE, "a cloud's metadata service"),
        ("fd00:ec2::254", address.networks("::/0"), "a cloud's metadata service"),
        ("::ffff:169.254.169.254", address.networks("0.0.0.0/0, ::/0"), "a cloud's metadata service"),
        ("169.254.7.7", address.networks("169.254.0.0/16"), "link-local"),
    ],
)  # fmt: skip
def test_where_a_carrier_s_line_may_go(where: str, allowed: tuple[address.Network, ...], why: str | None) -> None:
    assert address.carrier_refusal(ip_address(where), allowed) == why
