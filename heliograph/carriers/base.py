"""What every carrier is: a line that takes texts and, later, says what became of them.

A carrier has two methods. :meth:`Carrier.submit` hands texts over; :meth:`Carrier.close` ends the line.
What comes back on its own (receipts) goes to the :class:`Listener` it was opened with.

The rules every carrier keeps, and one contract suite checks:

* ``submit`` returns when the last byte has left (the engine calls it inside a campaign's gate, so that
  a stop has to wait only for bytes, never for answers). Each text's answer is a future beside it.
* An outcome is a value: :class:`Accepted`, :class:`Refused` or :class:`Deferred`. What follows is not the
  carrier's to decide.
* A broken line is :class:`heliograph.errors.CarrierDown`, raised by ``submit`` only when *no byte* of the
  call has left. Once a byte may have left, a lost answer is a future that ends in :class:`Lost`.
* ``close`` may be called twice and leaves no future pending; ``submit`` after it raises CarrierDown.
* Neither numbers nor texts nor secrets appear in logs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Text:
    """One text to hand over. ``labels`` are opaque words of the sender's that a carrier may echo or log."""

    message_id: str
    sender: str
    to: str  # E.164, with its plus
    text: str
    parts: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier took it. ``ref`` is the carrier's own id, by which receipts will name it."""

    ref: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The carrier did not take it. ``permanent``: asking again with the same text cannot help."""

    code: str
    permanent: bool
    detail: str = ""


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


class Listener(Protocol):
    """Who hears what a carrier says on its own."""

    def receipts(self, receipts: Sequence[Receipt], /) -> None:
        """Take receipts, in the order the carrier gave them. Must return at once."""
        ...


class Carrier(Protocol):
    """An open line to a carrier account."""

    async def submit(self, texts: Sequence[Text]) -> list[Future[Outcome]]:
        """Hand ``texts`` over, none or more; a future each, in order. Raises CarrierDown when no byte has left."""
        ...

    async def close(self) -> None:
        """Stop taking texts, let answers already due arrive (bounded, a few seconds), end the line."""
        ...
