"""How an SMPP account is reached and spoken to: its settings, read and checked.

``docs/carriers/smpp.md`` explains every key to people, and a test holds the two together.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

from heliograph.carriers.kind import Setting
from heliograph.carriers.smpp import codes, reading
from heliograph.carriers.smpp.coding import Alphabet
from heliograph.carriers.smpp.matching import Ids
from heliograph.carriers.smpp.pdu import Bind
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.carriers.smpp.reading import Reader

SECRETS = frozenset({"password"})
_REQUIRED = ("host", "system_id")


class Binding(StrEnum):
    """Which binds a connection is made for."""

    TRANSCEIVER = "transceiver"
    PAIR = "pair"  # a transmitter and a receiver


class LongText(StrEnum):
    """How a text of several parts is sent."""

    UDH8 = "udh8"
    UDH16 = "udh16"
    SAR = "sar"
    PAYLOAD = "payload"  # whole; the message centre cuts it


_TonNpi = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Settings:
    """All of an SMPP account. Build it with :func:`read`."""

    host: str
    system_id: str
    password: str = ""
    port: int = 2775
    system_type: str = ""
    bind: Binding = Binding.TRANSCEIVER
    binds: int = 1
    bind_ton_npi: _TonNpi = (0, 0)
    address_range: str = ""
    tls: bool = False
    tls_ca: str | None = None
    tls_name: str | None = None
    window: int = 50
    answer_timeout_s: float = 60.0
    connect_timeout_s: float = 10.0
    enquire_link_s: float = 30.0
    reconnect_s: tuple[float, float] = (1.0, 60.0)
    throttle_s: float = 1.0
    queue_full_s: float = 5.0
    statuses: dict[int, str] = field(default_factory=dict[int, str])
    default_alphabet: Alphabet = Alphabet.GSM
    latin1: bool = False
    long_text: LongText = LongText.UDH8
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    validity_s: int | None = None
    registered_delivery: int = 1
    name_ton_npi: _TonNpi = (5, 0)
    number_ton_npi: _TonNpi = (1, 1)
    short_ton_npi: _TonNpi = (3, 0)
    dest_ton_npi: _TonNpi = (1, 1)
    plus: bool = False
    tlvs: bytes = b""
    message_ids: Ids = Ids.AUTO
    message_id_ends_at: str = ""
    reply_parts_s: float = 300.0
    international_replies: bool = True

    @property
    def who(self) -> Bind:
        """What a bind says."""
        return Bind(self.system_id, self.password, self.system_type)

    def security(self) -> ssl.SSLContext | None:
        """What the connection is secured with; None for none."""
        if not self.tls:
            return None
        context = ssl.create_default_context(cadata=self.tls_ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context


def _plain(value: object) -> object:
    """A default as JSON has it."""
    if isinstance(value, tuple):
        return list(cast("tuple[object, ...]", value))
    if isinstance(value, bytes):  # the only one is the empty set of optional parameters
        return {}
    return value


_TON_NPI: Reader = (reading.two(reading.whole(0, 255, "")), "[type of number, numbering plan], each from 0 to 255")
_FLAG: Reader = (reading.flag, "true or false")
_SPAN = "[first, most] in seconds from 0.01 to 3600, first not above most"
_STATUSES = f'an object such as {{"0x0400": "temporary"}}: {", ".join(codes.VERDICTS)}'
_TLVS = 'an object such as {"0x1400": "1101000000000012345", "0x1401": "hex:0a"}'

_TABLE: dict[str, tuple[Reader, str]] = {
    "host": ((reading.host, "a host name or an address"), "Where the message centre listens."),
    "port": (reading.whole(1, 65_535, "a port"), "... and on which port."),
    "system_id": (reading.word(15, least=1), "The account's name at the message centre."),
    # The standard says 8 characters; message centres take more.
    "password": (reading.word(64), "... and its password."),
    "system_type": (reading.word(12), "Few message centres want one."),
    "bind": (reading.choice(Binding), "One connection for both ways, or one for each."),
    "binds": (reading.whole(1, 32, "a number"), "Connections (or pairs) at the same time, in each worker."),
    "bind_ton_npi": (_TON_NPI, "What a bind says of the addresses it serves."),
    "address_range": (reading.word(40), "Addresses whose replies are wanted; few message centres want it."),
    "tls": (_FLAG, "Secure the connection; the certificate is checked."),
    "tls_ca": (
        reading.or_none((reading.pem, "certificates in PEM")),
        "Who may sign it; null: as the system trusts.",
    ),
    "tls_name": (
        reading.or_none((reading.host, "a host name")),
        "The name in the certificate; null: the host.",
    ),
    "window": (reading.whole(1, 10_000, "a number of submissions"), "Unanswered submissions on one connection."),
    "answer_timeout_s": (reading.seconds(0.05, 600), "After this a submission without an answer is unknown."),
    "connect_timeout_s": (reading.seconds(0.05, 120), "For a connection and its bind."),
    "enquire_link_s": (reading.seconds(0.05, 3600), "Silence after which the other side is asked whether it is there."),
    "reconnect_s": ((reading.span, _SPAN), "Wait before a broken connection is made anew: doubling, with jitter."),
    "throttle_s": (reading.seconds(0.01, 3600), "A throttled text waits so long."),
    "queue_full_s": (reading.seconds(0.01, 3600), "A text that met a full queue waits so long."),
    "statuses": ((reading.statuses, _STATUSES), "What statuses mean here that mean something else by the standard."),
    "default_alphabet": (reading.choice(Alphabet), "What data_coding 0 means here."),
    "latin1": (_FLAG, "Prefer data_coding 3 to UCS-2 for texts outside GSM 03.38 that Latin-1 can say."),
    "long_text": (reading.choice(LongText), "How a text of several parts is sent."),
    "service_type": (reading.word(5), "Sent with each text."),
    "protocol_id": (reading.whole(0, 255, "a number"), "Sent with each text."),
    "priority": (reading.whole(0, 3, "a number"), "Sent with each text."),
    "validity_s": (
        reading.or_none(reading.whole(60, 60 * 86_400, "whole seconds")),
        "How long the message centre may try; null: as it likes.",
    ),
    "registered_delivery": (
        reading.whole(0, 31, "a number"),
        "Receipts asked for: 1 all, 2 failures, 0 none.",
    ),
    "name_ton_npi": (_TON_NPI, "Of a sender that is a name."),
    "number_ton_npi": (_TON_NPI, "Of a sender that is a number with its country code."),
    "short_ton_npi": (_TON_NPI, "Of a sender that is a short code."),
    "dest_ton_npi": (_TON_NPI, "Of the person's number."),
    "plus": (_FLAG, "Whether numbers are sent with their plus."),
    "tlvs": ((reading.tlvs, _TLVS), "Optional parameters sent with each text, such as a registration's ids."),
    "message_ids": (reading.choice(Ids), "How the ids of answers are written in receipts."),
    "message_id_ends_at": (
        (reading.separators, "up to 10 characters that are neither letters nor digits"),
        "An id ends before the first of these.",
    ),
    "reply_parts_s": (reading.seconds(0.05, 86_400), "A reply whose parts do not all come is given without them then."),
    "international_replies": (_FLAG, "Whether long numbers of unknown type have their country code."),
}

_DEFAULTS = Settings(host="", system_id="")

SETTINGS = tuple(
    Setting(
        name,
        takes,
        help_,
        required=name in _REQUIRED,
        secret=name in SECRETS,
        default=None if name in _REQUIRED else _plain(getattr(_DEFAULTS, name)),
    )
    for name, ((_, takes), help_) in _TABLE.items()
)
"""Every setting there is, as people are told of it."""


def read(settings: Mapping[str, object]) -> Settings:
    """Settings as stored (JSON), checked. Raises :class:`Invalid` naming the key and what it takes."""
    for key in settings:
        if key not in _TABLE:
            raise Invalid(f"An SMPP account has no setting {key}; it has: {', '.join(sorted(_TABLE))}", field=key)
    for key in _REQUIRED:
        if key not in settings:
            raise Invalid(f"An SMPP account needs the setting {key}: {_TABLE[key][0][1]}", field=key)
    made = Settings(**{key: _value(settings, key) for key in settings})
    if made.tls_ca is not None:
        try:
            ssl.create_default_context(cadata=made.tls_ca)
        except ssl.SSLError:
            raise _invalid("tls_ca", "…", "certificates in PEM") from None
    return made


def _value(settings: Mapping[str, object], key: str) -> Any:  # noqa: ANN401  # each key has its own type
    reader, accepted = _TABLE[key][0]
    try:
        return reader(settings[key])
    except reading.Unusable:
        raise _invalid(key, settings[key], accepted) from None


def _invalid(key: str, value: object, accepted: str) -> Invalid:
    if key in SECRETS:
        return Invalid(f"The SMPP setting {key} is not what it takes: {accepted}", field=key)
    return Invalid(f"The SMPP setting {key} is {value!r}; it takes {accepted}", field=key)
