"""Where an HTTP request of ours may go when a customer chose the address: to the public internet, nowhere else.

A server inside somebody's network can be talked into asking its neighbours: a database, a router, the cloud's
metadata service that hands out credentials. So whatever is not for everybody's use (IANA's special-purpose
registries, RFC 6890 and what was added since) is refused unless the operator allows its network. The table is our
own: which ranges the standard library calls global has changed from one Python to the next.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from heliograph.errors import Invalid
from heliograph.rules import body

if TYPE_CHECKING:
    from collections.abc import Sequence

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2000
SCHEMES = ("http", "https")

# The first match counts, so what is narrower stands above what is wider.
_REFUSED: tuple[tuple[str, str], ...] = (
    ("0.0.0.0/8", "this host"),
    ("10.0.0.0/8", "private"),
    ("100.100.100.200/32", "a cloud's metadata service"),
    ("100.64.0.0/10", "a carrier's inner network"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's metadata service"),  # public by its digits, inside by its route
    ("169.254.169.254/32", "a cloud's metadata service"),
    ("169.254.0.0/16", "link-local"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "for documentation"),
    ("192.31.196.0/24", "reserved"),
    ("192.52.193.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("192.175.48.0/24", "reserved"),
    ("198.18.0.0/15", "for benchmarks"),
    ("198.51.100.0/24", "for documentation"),
    ("203.0.113.0/24", "for documentation"),
    ("224.0.0.0/4", "multicast"),
    ("255.255.255.255/32", "broadcast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "this host"),
    ("::1/128", "loopback"),
    ("fd00:ec2::254/128", "a cloud's metadata service"),
    ("fd20:ce::254/128", "a cloud's metadata service"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
    ("2001::/23", "reserved"),  # Teredo, which carries an IPv4 address, among them
    ("2001:db8::/32", "for documentation"),
    ("2002::/16", "reserved"),  # 6to4, as Teredo
    ("2620:4f:8000::/48", "reserved"),
    ("3fff::/20", "for documentation"),
)
_TABLE = tuple((ip_network(text), why) for text, why in _REFUSED)
_GLOBAL = IPv6Network("2000::/3")  # all of IPv6 that was ever given out; the rest is not anybody's to use
_NAT64 = IPv6Network("64:ff9b::/96")

# What the oldest function that reads an address takes beyond four decimal numbers: one number, two or three, octal,
# hexadecimal. A name never ends in a number (RFC 3696), so a host that does is an address or a trick.
_NUMBER = re.compile(r"[0-9]+|0[xX][0-9a-fA-F]*")
_NAME = re.compile(r"[\w.-]+")
_NOT_IN_URLS = re.compile(r"[\x00-\x20\x7f\\]")


def refusal(address: Address, allowed: Sequence[Network]) -> str | None:
    """Why a request may not go to this address ("loopback"), None when it may."""
    inner = _inner(address)
    if any(each in network for network in allowed for each in (address, inner)):
        return None
    for network, why in _TABLE:
        if inner in network:
            return why
    return "reserved" if isinstance(inner, IPv6Address) and inner not in _GLOBAL else None


PRIVATE = tuple(
    ip_network(text)
    for text in ("10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)
"""Where gateways stand that are nobody else's: this machine and networks of one's own."""

_NEVER = frozenset({"a cloud's metadata service", "link-local"})


def carrier_refusal(address: Address, allowed: Sequence[Network]) -> str | None:
    """Why a carrier account's line may not go to this address, None when it may.

    As :func:`refusal`, but what hands out a machine's own credentials is refused whatever is allowed.
    """
    why = refusal(address, ())
    return why if why is None or why in _NEVER else refusal(address, allowed)


def networks(text: str) -> tuple[Network, ...]:
    """A list of networks such as ``10.0.0.0/8, fd00::/8``. Raises ValueError that says what is wrong."""
    return tuple(ip_network(each.strip()) for each in text.split(",") if each.strip())


def read_url(value: object, field: str) -> SplitResult:
    """A URL that a customer may have us ask. Raises Invalid for any other scheme, a password in it, an odd host.

    Whether its host leads where it may is seen when it is asked, not before: names move.
    """
    text = body.text(value, field, longest=LONGEST_URL)
    try:
        url = urlsplit(text)
        host, port = url.hostname, url.port
    except ValueError as error:
        raise Invalid(f"{field} is {body.shown(text)}, which is no URL: {error}", field=field) from error
    if url.scheme not in SCHEMES or not host or port == 0 or _NOT_IN_URLS.search(text):
        raise Invalid(
            f"{field} is {body.shown(text)}. It takes an address such as https://api.example.com/contacts", field=field
        )
    if url.username is not None or url.password is not None:
        text = f"{field} has a user name or a password in it. They go into auth, the password as a secret's name"
        raise Invalid(text, field=field)
    if not _is_plain(host) and (not _NAME.fullmatch(host) or _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2])):
        text = f"{field} has the host {body.shown(host)}. It takes a name, or an address as four decimal numbers"
        raise Invalid(text, field=field)
    return url


def _inner(address: Address) -> Address:
    """The IPv4 address that is reached by way of an IPv6 one: mapped (RFC 4291), or translated (RFC 6052)."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_plain(host: str) -> bool:
    """Whether it is an address as it is usually written, and of no particular network card (``%eth0``)."""
    if "%" in host:
        return False
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
