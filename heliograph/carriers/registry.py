"""Which kinds of carriers there are. A new kind is one line in ``_BY_NAME``: its name, and its module's ``KIND``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.carriers import aws, bandwidth, generic, infobip, plivo, sandbox, sinch, telnyx, twilio, vonage
from heliograph.carriers.kind import Kind, Opening
from heliograph.carriers.smpp import line as smpp
from heliograph.errors import Invalid
from heliograph.rules import address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from heliograph.carriers.base import Carrier, Listener, Webhook

_BY_NAME: dict[str, Kind] = {
    "aws": aws.KIND,
    "bandwidth": bandwidth.KIND,
    "generic": generic.KIND,
    "infobip": infobip.KIND,
    "plivo": plivo.KIND,
    "sandbox": sandbox.KIND,
    "sinch": sinch.KIND,
    "smpp": smpp.KIND,
    "telnyx": telnyx.KIND,
    "twilio": twilio.KIND,
    "vonage": vonage.KIND,
}

KINDS: tuple[str, ...] = tuple(sorted(_BY_NAME))
"""What a carrier account's ``kind`` can be."""


def check(kind: str, settings: Mapping[str, object]) -> None:
    """Raise :class:`Invalid`, naming the key and what is accepted, unless a line could be opened with these."""
    get(kind).read(settings)


def secrets(kind: str) -> frozenset[str]:
    """Which settings of a kind are secret: to be sealed at rest and never told. Raises :class:`Invalid`."""
    return get(kind).secrets


def webhook(kind: str) -> Webhook | None:
    """How the calls of a kind are checked and read; None for one that does not call us, or is not known here."""
    found = _BY_NAME.get(kind)
    return None if found is None else found.webhook


def opted_out(kind: str) -> frozenset[str]:
    """The codes by which a kind says that a person does not want to be texted; none of one that is not known here."""
    found = _BY_NAME.get(kind)
    return frozenset() if found is None else found.opted_out


def listening() -> list[str]:
    """The kinds whose lines are kept open though nothing is sent."""
    return [name for name, kind in _BY_NAME.items() if kind.listens]


async def open_carrier(  # noqa: PLR0913  # a line is opened with as much as it needs
    kind: str,
    settings: Mapping[str, object],
    *,
    listener: Listener,
    name: str,
    transcript: Path,
    webhook_url: str | None = None,
    networks: Sequence[address.Network] = address.PRIVATE,
) -> Carrier:
    """An open line. The last five are explained at :class:`heliograph.carriers.kind.Opening`.

    Raises :class:`Invalid` for a wrong kind or wrong settings, :class:`heliograph.errors.CarrierDown` when
    the line cannot be opened.
    """
    return await get(kind).open(settings, Opening(listener, name, transcript, webhook_url, networks))


def get(kind: str) -> Kind:
    """The kind of this name. Raises :class:`Invalid` naming those there are."""
    found = _BY_NAME.get(kind)
    if found is None:
        message = f"There is no carrier of kind {kind!r}; there is: {', '.join(KINDS)}"
        raise Invalid(message, field="kind")
    return found
