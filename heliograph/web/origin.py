"""Where a request really comes from, and under which name it asks for the console.

* From this machine under a loopback name, always. The name counts because a page of another site may have its own name
  resolve to 127.0.0.1 (DNS rebinding).
* From anywhere under the name of ``HELIOGRAPH_CONSOLE_URL``, by the way it says: https, or http if it is http.
* What a proxy says of the one before it (``X-Forwarded-For``, ``X-Forwarded-Proto``) counts when the proxy's address is
  in ``HELIOGRAPH_TRUSTED_PROXIES``; from anybody else it is a reason to turn away, for then a proxy stands there that
  hides who is asking.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from heliograph.errors import Forbidden

if TYPE_CHECKING:
    from starlette.requests import Request

    from heliograph.config import Settings
    from heliograph.rules.address import Address

PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_LOCAL_NAME = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?", re.IGNORECASE)
_SHOWN = 80


def place(request: Request, settings: Settings) -> None:
    """Have ``request`` say where it really comes from, and how. Raises Forbidden, saying what to set."""
    scope = request.scope
    near = "" if request.client is None else request.client.host
    address = _read(near)
    passed = next((header for header in PASSED_ON if header in request.headers), None)
    if passed is not None:
        if address is None or not _trusted(address, settings):
            raise Forbidden(
                f"The request was passed on by a proxy (it has a header {passed}), and {near or 'its address'} is none "
                "that HELIOGRAPH_TRUSTED_PROXIES names."
            )
        address = _furthest(request, settings) or address
        proto = request.headers.get("x-forwarded-proto", "").strip().lower()
        scope["scheme"] = proto if proto in {"http", "https"} else scope["scheme"]
    scope["client"] = (str(address) if address else near, 0)
    _check_name(request, address, settings, direct=passed is None)


def came_from(request: Request) -> str:
    """The address of who is asking, once :func:`place` has looked at it."""
    return "" if request.client is None else request.client.host


def base(request: Request) -> str:
    """The address of this server as the browser knows it: ``https://texts.example.com``."""
    return f"{request.scope['scheme']}://{request.headers['host']}"


def _check_name(request: Request, address: Address | None, settings: Settings, *, direct: bool) -> None:
    host = request.headers.get("host", "")
    if settings.console_url is not None:
        wanted = urlsplit(settings.console_url)
        if host.lower() == wanted.netloc.lower():
            if request.scope["scheme"] == wanted.scheme:
                return
            raise Forbidden(
                f"The request came by {request.scope['scheme']}, and HELIOGRAPH_CONSOLE_URL says {wanted.scheme}. A "
                "proxy that speaks https has to say so (X-Forwarded-Proto), and HELIOGRAPH_TRUSTED_PROXIES has to name "
                "it."
            )
    if not _LOCAL_NAME.fullmatch(host):
        raise Forbidden(f"The address asked for is {host[:_SHOWN]!r}, which is not a name of this machine for itself.")
    if not direct or address is None or not address.is_loopback:
        raise Forbidden(f"The request comes from {address or 'an unknown address'}, which is another machine.")


def _furthest(request: Request, settings: Settings) -> Address | None:
    """The last address in the chain that is no proxy of ours; None when the chain says nothing."""
    found: Address | None = None
    for text in reversed(",".join(request.headers.getlist("x-forwarded-for")).split(",")):
        address = _read(text.strip())
        if address is None:
            break
        found = address
        if not _trusted(address, settings):
            break
    return found


def _trusted(address: Address, settings: Settings) -> bool:
    return any(address in network for network in settings.trusted_proxies)


def _read(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found
