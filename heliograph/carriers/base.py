"""What every carrier is: a line that takes texts and, later, says what became of them.

A carrier has two methods. :meth:`Carrier.submit` hands texts over; :meth:`Carrier.close` ends the line.
What comes back on its own (receipts, replies, news of the line) goes to the :class:`Listener` it was opened with,
or, from carriers that call us, through a :class:`Webhook`. One that can be asked what became of a text is an
:class:`Asks` too.

The rules every carrier keeps, and one contract suite checks:

* ``submit`` returns when the last byte has left (the engine calls it inside a campaign's gate, so that
  a stop has to wait only for bytes, never for answers). Each text's answer is a future beside it.
* An outcome is a value: :class:`Accepted`, :class:`Refused` or :class:`Deferred`. What follows is not the
  carrier's to decide.
* A broken line is :class:`heliograph.errors.CarrierDown`, raised by ``submit`` only when *no byte* of the
  call has left. Once a byte may have left, a lost answer is a future that ends in :class:`Lost`.
* A line is up from its opening unless it says otherwise through :meth:`Listener.line`; it says so only when that
  changes. Refused credentials are :data:`LineState.REFUSED`, never the fault of a text: its answer is Deferred, or
  ``submit`` raises CarrierDown.
* ``close`` may be called twice and leaves no future pending; ``submit`` after it raises CarrierDown.
* No byte of a text leaves after its ``until``: a carrier looks at the clock once more right before it writes, after
  whatever it had to wait for. What is too late by then is CarrierDown when nothing of the call has left, else Deferred.
* Neither numbers nor texts nor secrets appear in logs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Text:
    """One text to hand over. ``labels`` are opaque words of the sender's that a carrier may echo or log.

    ``until``: by :func:`heliograph.config.boot_seconds`, when nobody can vouch any more that it may still leave.
    """

    message_id: str
    sender: str
    to: str  # E.164, with its plus
    text: str
    parts: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    until: float = math.inf


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took it. ``ref`` is the carrier's own id, by which receipts will name it.

    ``parts``: of a text of several parts whose receipts name the parts, the id of each, in order; the last is ``ref``.
    """

    ref: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier did not take it. ``permanent``: asking again with the same text cannot help."""

    code: str
    permanent: bool
    detail: str = ""


FULL = "window"
"""The code of a Deferred whose text never left, for want of room on our side: it says nothing of the carrier."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """The carrier did not take it *now* (throttled, queue full): ask again after ``seconds``."""

    code: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Lost:
    """Bytes left and no answer will come: the fate of the text is unknown."""

    why: str


Outcome = Accepted | Refused | Deferred | Lost


class ReceiptState(StrEnum):
    """What a receipt can say, in the field's common words."""

    ACCEPTED = "accepted"  # the network has it; not final
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A carrier's later word on a text it accepted. ``code`` is the carrier's reason, empty when delivered."""

    ref: str
    state: ReceiptState
    at: datetime
    code: str = ""


MISSING = "[…]"
"""Stands in a reply where parts never came."""


class Part(NamedTuple):
    """Which part of how many a carrier has brought. ``reference``: what the parts of one reply have in common."""

    reference: str
    total: int
    number: int  # from 1


@dataclass(frozen=True, slots=True)
class Reply:
    """A text that a person sent to one of our addresses; or a ``part`` of it, from carriers that do not join them.

    ``ref`` is the carrier's own id for it, by which a repetition is known; empty when it gives none.
    """

    number: str  # E.164 with its plus where the carrier tells one; else as it was told
    to: str
    text: str
    at: datetime
    ref: str = ""
    part: Part | None = None  # None: it is whole


class LineState(StrEnum):
    """How a line stands."""

    UP = "up"
    DOWN = "down"  # broken; the carrier tries again by itself
    REFUSED = "refused"  # the carrier does not let us in (wrong credentials, account closed): a person must act


class Listener(Protocol):
    """Who hears what a carrier says on its own. Each method must return at once."""

    def receipts(self, receipts: Sequence[Receipt], /) -> None:
        """Take receipts, in the order the carrier gave them."""
        ...

    def replies(self, replies: Sequence[Reply], /) -> Future[None] | None:
        """Take what people wrote, in the order the carrier gave it.

        What is returned is done when they are kept for good: a carrier that delivers until it is acknowledged is
        acknowledged then. None: there is nothing to wait for.
        """
        ...

    def line(self, state: LineState, words: str, /) -> None:
        """Hear that the line stands so from now on. ``words``: why, for people; no numbers, texts or secrets."""
        ...


class Carrier(Protocol):
    """An open line to a carrier account."""

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """Hand ``texts`` over, none or more; a future each, in order. Raises CarrierDown when no byte has left."""
        ...

    async def close(self) -> None:
        """Stop taking texts, let answers already due arrive (bounded, a few seconds), end the line."""
        ...


@dataclass(frozen=True, slots=True)
class Sought:
    """A text whose fate is unknown: ours by ``message_id``; ``ref`` None when the carrier never told its own id."""

    message_id: str
    ref: str | None
    sender: str
    to: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class NotThere:
    """The carrier says for certain that it never got the text: it may be sent again."""


Finding = Receipt | NotThere | None
"""What a carrier knows of a text: how it stands, that it never came, or nothing that settles it."""


@runtime_checkable
class Asks(Protocol):
    """A :class:`Carrier` that can be asked what became of a text."""

    async def ask(self, sought: Sequence[Sought]) -> list[Finding]:
        """What became of each, in order. Raises CarrierDown when it cannot be asked now."""
        ...


@runtime_checkable
class Windowed(Protocol):
    """A :class:`Carrier` that takes only so many texts before it wants answers."""

    def room(self, parts: int) -> int | None:
        """How many parts may be handed over now, the next text having ``parts`` of them.

        0: not even that one, answers must come first. None: it says nothing now; ``submit`` will.
        """
        ...


@dataclass(frozen=True, slots=True)
class Call:
    """A request that a carrier made to our webhook. Header names are in lower case; ``url`` is the one it called."""

    method: str
    url: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call said. Empty: nothing that concerns us (a ping, a kind of event we have no use for)."""

    receipts: Sequence[Receipt] = ()
    replies: Sequence[Reply] = ()


class Webhook(Protocol):
    """How a carrier's calls are checked and read. Pure; ``settings`` are the account's, secrets opened."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """Whether the call is the carrier's. Constant time; False when the account has nothing to verify with."""
        ...

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """What a verified call says. Raises :class:`heliograph.errors.Invalid` for what cannot be read."""
        ...


@runtime_checkable
class Answering(Protocol):
    """A :class:`Webhook` whose carrier calls again and again until it is answered with certain words."""

    def answer(self, settings: Mapping[str, object], /) -> str:
        """The words for a call that was stored; "" for none."""
        ...
