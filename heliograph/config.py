"""Every setting: name, type, default, help, secret or not. Read once at start, passed on in pieces.

A setting is read from the environment variable ``HELIOGRAPH_<NAME>``; command options win over it.
``docs/operations.md`` lists them, and a test holds the two together.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from heliograph.errors import BadSetting, Invalid
from heliograph.rules import address, quota, roles

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "HELIOGRAPH_"

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The system's clock; tests pass a frozen one in its place."""
    return datetime.now(UTC)


def boot_seconds() -> float:
    """Seconds on the one clock that nobody sets and nothing stops: it runs on while the machine sleeps."""
    return time.clock_gettime(_BOOT)


_BOOT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # macOS has no such name: its monotonic clock is it


def _setting(default: object, help_text: str, read: Callable[[str], object], *, secret: bool = False) -> Any:  # noqa: ANN401  # a dataclass field takes the type of the attribute it is assigned to
    metadata = {"help": help_text, "read": read, "secret": secret}
    return field(default=cast("Any", default), metadata=metadata)


def _data_folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def _count(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("it is below 0")
    return value


def _memory(text: str) -> int:
    value = int(text)
    if value < _LEAST_MEMORY:
        raise ValueError(f"it is below {_LEAST_MEMORY}")
    return value


_LEAST_MEMORY = 32  # 8 for each lane


def _roles(text: str) -> str:
    try:
        roles.read_mapping(text)
    except Invalid as error:
        raise ValueError(error.message) from error
    return text


def _security(text: str) -> str:
    if text not in {"starttls", "tls", "none"}:
        raise ValueError("it is none of these")
    return text


def _address(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text or not all(text.rpartition("@")[::2]):
        raise ValueError("it is no e-mail address")
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("it is no http or https address such as https://texts.example.com")
    return text.rstrip("/")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one process. Build it with :func:`read`."""

    data: Path = _setting(
        Path("~/.heliograph").expanduser(),
        "Data folder: the embedded PostgreSQL, the sandbox transcript, the secret key.",
        _data_folder,
    )
    database_url: str | None = _setting(
        None,
        "An external PostgreSQL (16 or newer), e.g. postgresql://user:pass@host/heliograph. Unset: the embedded one.",
        str,
        secret=True,
    )
    secret_key: str | None = _setting(
        None,
        "Key that seals client secrets at rest (urlsafe base64 of 32 bytes). Unset: made once in the data folder.",
        str,
        secret=True,
    )
    host: str = _setting("127.0.0.1", "Address the server listens on.", str)
    port: int = _setting(8080, "Port the server listens on.", int)
    workers: int = _setting(1, "Worker processes that `serve` starts and supervises.", int)
    rate_limit_per_minute: int = _setting(
        6000,
        "Requests that an account may make in any 60 seconds, on each server process; 0: any number.",
        _count,
    )
    most_lists: int = _setting(quota.DEFAULT.lists, "Contact lists that an account may have.", _count)
    most_dnc_lists: int = _setting(quota.DEFAULT.dnc_lists, "Do-not-contact lists that an account may have.", _count)
    most_list_contacts: int = _setting(quota.DEFAULT.list_contacts, "Contacts that one list may have.", _count)
    most_contacts: int = _setting(quota.DEFAULT.contacts, "Contacts that an account may have.", _count)
    most_dnc_entries: int = _setting(
        quota.DEFAULT.dnc_entries, "Do-not-contact entries that an account may have.", _count
    )
    pull_private_networks: tuple[address.Network, ...] = _setting(
        (),
        "Networks, e.g. 10.1.0.0/16, fd00::/8, that lists may pull from although they are no part of the public "
        "internet. Unset: none.",
        address.networks,
    )
    carrier_private_networks: tuple[address.Network, ...] = _setting(
        address.PRIVATE,
        "Networks that lines of carrier accounts may go to although they are no part of the public internet. Unset: "
        "this machine and all private ones. Never a cloud's metadata service, nor link-local addresses.",
        address.networks,
    )
    webhook_private_networks: tuple[address.Network, ...] = _setting(
        (),
        "Networks, e.g. 10.1.0.0/16, that webhooks may reach although they are no part of the public internet. Unset: "
        "none.",
        address.networks,
    )
    public_url: str | None = _setting(
        None,
        "Where carriers reach this server, e.g. https://texts.example.com: their calls are signed for that address. "
        "Unset: carriers are told no address to call.",
        _public_url,
    )
    console_url: str | None = _setting(
        None,
        "Where people open the console, e.g. https://texts.example.com: it then answers from other machines, under "
        "that name alone. Unset: this machine only. With http:// passwords cross the network unprotected.",
        _public_url,
    )
    trusted_proxies: tuple[address.Network, ...] = _setting(
        (),
        "Networks, e.g. 127.0.0.1, 10.1.0.0/16, of the proxies in front of the server, whose X-Forwarded-For and "
        "X-Forwarded-Proto are believed. Unset: nobody's.",
        address.networks,
    )
    password_memory_kib: int = _setting(
        65536, "Memory in KiB that hashing one password takes (Argon2id), 32 or more.", _memory
    )
    oidc_issuer: str | None = _setting(
        None,
        "Single sign-on by OpenID Connect: the provider's issuer, e.g. https://login.example.com/realms/us. It needs "
        "the client's id too, and HELIOGRAPH_CONSOLE_URL where other machines open the console. Unset: none.",
        _public_url,
    )
    oidc_client_id: str | None = _setting(None, "What the provider calls us.", str)
    oidc_client_secret: str | None = _setting(
        None, "What we prove that with. Unset: we are a public client, held by PKCE alone.", str, secret=True
    )
    oidc_role_claim: str = _setting("groups", "The claim of an ID token that says what somebody is.", str)
    oidc_roles: str = _setting(
        "",
        "Roles by the values of that claim, the first that fits, e.g. sms-admins=Owner, marketing=Supervisor. Unset: "
        "roles are given here, and whoever was not invited is turned away.",
        _roles,
    )
    smtp_host: str | None = _setting(
        None, "The mail server that reports and invitations go by, e.g. smtp.example.com. Unset: none is sent.", str
    )
    smtp_port: int = _setting(587, "Its port: 587 with STARTTLS, 465 with TLS.", int)
    smtp_security: str = _setting(
        "starttls",
        "starttls, tls, or none: with none the letters and the password cross the network unprotected.",
        _security,
    )
    smtp_user: str | None = _setting(None, "The name that it knows us by. Unset: we do not say who we are.", str)
    smtp_password: str | None = _setting(None, "The password that goes with the name.", str, secret=True)
    smtp_from: str | None = _setting(None, "The address that letters come from, e.g. texts@example.com.", _address)
    log_level: str = _setting("info", "debug, info, warning or error.", str)

    @property
    def quota(self) -> quota.Quota:
        """How much one account may keep."""
        return quota.Quota(
            lists=self.most_lists,
            dnc_lists=self.most_dnc_lists,
            list_contacts=self.most_list_contacts,
            contacts=self.most_contacts,
            dnc_entries=self.most_dnc_entries,
        )

    @property
    def transcript(self) -> Path:
        """Where the sandbox carrier writes one JSON line per text it takes."""
        return self.data / "sandbox" / "transcript.jsonl"

    def webhook_url(self, account: str) -> str | None:
        """Where the carrier of an account (its public id) may call us; None when nobody outside can."""
        return None if self.public_url is None else f"{self.public_url}/carriers/{account}"


def read(environ: Mapping[str, str] | None = None, **options: object) -> Settings:
    """Settings from the environment, with command options (when not None) on top.

    Raises :class:`BadSetting` naming the variable, its value and what it takes.
    """
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    for item in fields(Settings):
        option = options.get(item.name)
        name = PREFIX + item.name.upper()
        raw = env.get(name) if option is None else str(option)
        if raw is None or raw == "":
            continue
        try:
            values[item.name] = item.metadata["read"](raw)
        except ValueError as error:
            shown = "(hidden)" if item.metadata["secret"] else repr(raw)
            text = f"{name} is {shown}, which cannot be read: {error}. It takes: {item.metadata['help']}"
            raise BadSetting(text, field=name) from error
    return Settings(**values)


def environment(settings: Settings) -> Mapping[str, str]:
    """Our environment with these settings in it, for a process of ours: secrets do not belong on a command line."""
    given = {item.name: getattr(settings, item.name) for item in fields(Settings)}
    return {**os.environ, **{PREFIX + name.upper(): _as_text(value) for name, value in given.items()}}


def _as_text(value: object) -> str:
    """A setting's value as :func:`read` reads it; empty: the default."""
    if value is None:
        return ""
    return ",".join(map(str, cast("tuple[object, ...]", value))) if isinstance(value, tuple) else str(value)
