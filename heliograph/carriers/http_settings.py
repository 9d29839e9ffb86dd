"""Settings of carriers that are reached by HTTP: what all of them take, and how each value is checked."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from heliograph.carriers.http_wire import Origin
from heliograph.carriers.kind import Setting
from heliograph.errors import Invalid
from heliograph.rules import address

Reader = Callable[[object], object]


class Unusable(Exception):
    """A reader was given what it does not take; :func:`read` says what that is."""


@dataclass(frozen=True, slots=True)
class Field:
    """A setting and the function that checks its value."""

    setting: Setting
    read: Reader


@dataclass(frozen=True, slots=True)
class Values:
    """Checked settings by name; defaults stand for those that were not given."""

    by_name: Mapping[str, object]

    def text(self, name: str) -> str:
        """A text; "" for one that was not given."""
        return cast("str", self.by_name[name] or "")

    def number(self, name: str) -> float:
        """A number."""
        return cast("float", self.by_name[name])

    def whole(self, name: str) -> int:
        """A whole number."""
        return cast("int", self.by_name[name])

    def yes(self, name: str) -> bool:
        """A yes or no."""
        return self.by_name[name] is True

    def pick(self, name: str) -> object:
        """Whatever its reader made of it."""
        return self.by_name[name]


def read(kind: str, fields: tuple[Field, ...], settings: Mapping[str, object]) -> Values:
    """Settings as stored, checked. Raises :class:`Invalid` naming the key and what it takes, never a secret's value."""
    known = {field.setting.name: field for field in fields}
    for name in settings:
        if name not in known:
            raise Invalid(
                f"A carrier of kind {kind} has no setting {name}; it has: {', '.join(sorted(known))}", field=name
            )
    found: dict[str, object] = {}
    for name, field in known.items():
        value = settings.get(name)
        if value is None:
            if field.setting.required:
                raise Invalid(f"A carrier of kind {kind} needs the setting {name}: {field.setting.takes}", field=name)
            value = field.setting.default
            if value is None:
                found[name] = None
                continue
        try:
            found[name] = field.read(value)
        except Unusable:
            shown = "" if field.setting.secret else f" is {str(value)[:80]!r}; it"
            raise Invalid(f"The {kind} setting {name}{shown} takes {field.setting.takes}", field=name) from None
    return Values(found)


def line(url: str | None, *, insecure: bool = False) -> tuple[Field, ...]:
    """What every HTTP line takes.

    ``url``: of the carrier's API; None when it has to be told, "" when the carrier finds it out.
    ``insecure``: may be http.
    """
    takes = "an address that begins with " + ("http:// or https://" if insecure else "https://")
    tells = "Where the carrier's API is." if url is None else "Where the API is, for a region or a proxy of your own."
    return (
        Field(
            Setting("url", takes, tells, required=url is None, default=url or None), any_url if insecure else secure_url
        ),
        Field(
            Setting(
                "connections",
                "a whole number from 1 to 200",
                "How many requests may be on their way at once; connections are opened as they are needed.",
                default=20,
            ),
            whole(1, 200),
        ),
        Field(
            Setting(
                "answer_timeout_s",
                "seconds from 0.1 to 120",
                "How long an answer is waited for. The fate of a text without one is unknown.",
                default=30,
            ),
            number(0.1, 120),
        ),
    )


def secret(name: str, tells: str, *, required: bool = False) -> Field:
    """A secret text."""
    return Field(Setting(name, "1 to 500 characters", tells, required=required, secret=True), text())


def token() -> Field:
    """The secret in the address that a carrier calls, where its calls are not signed, or their bodies are not."""
    return Field(
        Setting(
            "webhook_token",
            "16 to 200 letters, digits, dashes, dots and underscores",
            "A secret of your own: calls are believed that carry it as ?token= in their address.",
            secret=True,
        ),
        _token,
    )


def _token(value: object) -> str:
    if not isinstance(value, str) or re.fullmatch(r"[A-Za-z0-9._-]{16,200}", value) is None:
        raise Unusable
    return value


def word(
    name: str, takes: str, tells: str, pattern: str, *, required: bool = False, default: str | None = None
) -> Field:
    """A text that fits a pattern as a whole."""
    shape = re.compile(pattern)

    def check(value: object) -> str:
        if not isinstance(value, str) or shape.fullmatch(value) is None:
            raise Unusable
        return value

    return Field(Setting(name, takes, tells, required=required, default=default), check)


def flag(name: str, tells: str, *, default: bool) -> Field:
    """True or false."""

    def check(value: object) -> bool:
        if not isinstance(value, bool):
            raise Unusable
        return value

    return Field(Setting(name, "true or false", tells, default=default), check)


def text(longest: int = 500) -> Reader:
    """Reads a text that has something in it and fits on a line."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
            raise Unusable
        return value

    return check


def number(low: float, high: float) -> Reader:
    """Reads a number within bounds."""

    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise Unusable
        return float(value)

    return check


def whole(low: int, high: int) -> Reader:
    """Reads a whole number within bounds."""

    def check(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise Unusable
        return value

    return check


def any_url(value: object) -> str:
    """Reads an address, with http or https, without user and password. Raises :class:`Unusable`."""
    try:
        found = address.read_url(value, "url")
    except Invalid as error:
        raise Unusable from error
    if found.fragment:
        raise Unusable
    return cast("str", value).rstrip("/")


def secure_url(value: object) -> str:
    """Reads an address with https; http is for this machine only: credentials and texts travel on it."""
    found = any_url(value)
    parts = urlsplit(found)
    if (parts.scheme != "https" and not _is_loopback(parts.hostname or "")) or parts.query:
        raise Unusable
    return found


def origin(values: Values) -> Origin:
    """The server of the setting ``url``."""
    return Origin.of(values.text("url"))


def path(values: Values) -> str:
    """The path of the setting ``url``, without a slash at its end."""
    return urlsplit(values.text("url")).path.rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
