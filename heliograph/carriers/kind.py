"""What a kind of carrier tells of itself, so that accounts of it can be made, kept, described and opened.

A kind's module ends in one ``KIND = Kind(...)``, and the registry has one line that names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from heliograph.rules import address

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from heliograph.carriers.base import Carrier, Listener, Webhook


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a kind, as people are told of it.

    ``takes``: its values in a few words, such as "seconds from 1 to 300". ``help``: what it is for. ``secret``: sealed
    at rest, never told again, and in no message. ``default``: what holds when it is not given; nothing does for a
    ``required`` one.
    """

    name: str
    takes: str
    help: str = ""
    required: bool = False
    secret: bool = False
    default: object = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What a line is opened with besides its settings."""

    listener: Listener
    name: str
    """What logs and errors call the line: the account's public id."""

    transcript: Path
    """Where the sandbox keeps its record; of no concern to others."""

    webhook_url: str | None = None
    """Where the carrier reaches us, for those that are told with each text; None when nobody outside can."""

    networks: Sequence[address.Network] = address.PRIVATE
    """Where a line may go besides the public internet."""


class Opener(Protocol):
    """Opens a line. Raises :class:`heliograph.errors.Invalid` for wrong settings, CarrierDown when it cannot be."""

    async def __call__(self, settings: Mapping[str, object], opening: Opening, /) -> Carrier:
        """An open line with the account's settings, secrets among them."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of carrier.

    ``words``: what it is, in a line. ``read``: raises :class:`heliograph.errors.Invalid`, naming the key and what it
    takes (never the value of a secret), unless a line could be opened with these settings; what it answers is the
    kind's own. ``webhook``: for carriers that call us. ``opted_out``: the codes of its refusals and of its receipts by
    which it says that the person does not want to be texted. ``listens``: what comes back comes on its line alone, so
    that one is kept open even while nothing is sent.
    """

    words: str
    settings: tuple[Setting, ...]
    read: Callable[[Mapping[str, object]], object]
    open: Opener
    webhook: Webhook | None = None
    opted_out: frozenset[str] = frozenset()
    listens: bool = False

    @property
    def secrets(self) -> frozenset[str]:
        """The names of the settings that nobody may read again."""
        return frozenset(setting.name for setting in self.settings if setting.secret)
