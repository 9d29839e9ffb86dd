"""What every carrier promises, as data. A carrier joins by adding a Rig to ``test_contract.RIGS``.

A case says how the far side behaves (a Script), which texts are handed over, and what must come back.
The same cases run against every rig: a rig's whole work is to make its far side follow the script.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from heliograph.carriers.base import Accepted, Carrier, Deferred, Lost, Outcome, Receipt, ReceiptState, Refused, Text

SENDER = "+15555550100"
SECRET = "correct-horse-battery-staple"
"""What a rig uses wherever its carrier takes a password or a key."""


class Answer(StrEnum):
    """What the far side says to a text."""

    TAKES = "takes"
    REFUSES = "refuses for good"
    REFUSES_FOR_NOW = "refuses for now"
    IS_SILENT = "takes it and never answers"


class Later(StrEnum):
    """What the far side says on its own about a text it took."""

    NOTHING = "nothing"
    DELIVERED = "delivered"
    FAILED = "failed"
    TWICE = "delivered, twice"
    STALE = "delivered, then an older word"
    EARLY = "delivered, before the answer"


@dataclass(frozen=True, slots=True)
class Script:
    """How the far side behaves: by number, and the line as a whole."""

    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])  # TAKES for the others
    later: dict[str, Later] = field(default_factory=dict[str, Later])  # NOTHING for the others
    parts_per_second: int | None = None
    down: bool = False


class Ear:
    """A listener that remembers, and says when it has heard enough."""

    def __init__(self) -> None:
        self.heard: list[Receipt] = []
        self._news = asyncio.Event()

    def receipts(self, receipts: Sequence[Receipt]) -> None:
        self.heard.extend(receipts)
        self._news.set()

    async def hear(self, least: int, seconds: float = 3.0) -> list[Receipt]:
        async with asyncio.timeout(seconds):
            while len(self.heard) < least:
                self._news.clear()
                await self._news.wait()
        return self.heard


class DeafEar:
    """A listener with a fault whose message holds what no log may."""

    def __init__(self) -> None:
        self.calls = 0

    def receipts(self, receipts: Sequence[Receipt]) -> None:
        self.calls += 1
        raise RuntimeError(f"cannot take {receipts} for {SENDER}, {SECRET}")


class Rig(Protocol):
    """A carrier with a far side that follows a script. ``folder`` is the test's own."""

    name: str

    async def open(self, script: Script, listener: Ear | DeafEar, folder: Path) -> Carrier: ...

    def record(self) -> list[tuple[str, str]]:
        """What the far side took, in order: (number, text)."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Case:
    """``outcomes``: by number, what must come back; ``receipts``: by number, what must be heard, in order."""

    name: str
    script: Script
    outcomes: dict[str, type[Outcome]]
    taken: tuple[str, ...]
    permanent: bool | None = None
    receipts: dict[str, tuple[ReceiptState, ...]] = field(default_factory=dict[str, tuple[ReceiptState, ...]])


A, B, C, D = "+15555550101", "+447700900102", "+61491570156", "+33639980104"
NUMBERS = (A, B, C, D)
_DELIVERED, _FAILED, _OLDER = ReceiptState.DELIVERED, ReceiptState.FAILED, ReceiptState.ACCEPTED


def _all(outcome: type[Outcome], **others: type[Outcome]) -> dict[str, type[Outcome]]:
    return dict.fromkeys(NUMBERS, outcome) | {globals()[name]: other for name, other in others.items()}


CASES = (
    Case("takes every text", Script(), _all(Accepted), NUMBERS),
    Case(
        "refuses one number for good",
        Script(answers={B: Answer.REFUSES}),
        _all(Accepted, B=Refused),
        NUMBERS,
        permanent=True,
    ),
    Case(
        "refuses one number for now",
        Script(answers={C: Answer.REFUSES_FOR_NOW}),
        _all(Accepted, C=Refused),
        NUMBERS,
        permanent=False,
    ),
    Case("never answers one text", Script(answers={A: Answer.IS_SILENT}), _all(Accepted, A=Lost), NUMBERS),
    Case(
        "answers each text by itself",
        Script(answers={A: Answer.REFUSES, C: Answer.IS_SILENT, D: Answer.REFUSES}),
        {A: Refused, B: Accepted, C: Lost, D: Refused},
        NUMBERS,
        permanent=True,
    ),
    Case(
        "throttles what is too much for a second",
        Script(parts_per_second=2),
        {A: Accepted, B: Accepted, C: Deferred, D: Deferred},
        (A, B),
    ),
    Case(
        "tells what became of a text",
        Script(later={A: Later.DELIVERED, B: Later.FAILED}),
        _all(Accepted),
        NUMBERS,
        receipts={A: (_DELIVERED,), B: (_FAILED,)},
    ),
    Case(
        "passes on what comes twice, late or early as it came",
        Script(later={A: Later.TWICE, B: Later.STALE, C: Later.EARLY}),
        _all(Accepted),
        NUMBERS,
        receipts={A: (_DELIVERED, _DELIVERED), B: (_DELIVERED, _OLDER), C: (_DELIVERED,)},
    ),
)


def texts(numbers: Sequence[str] = NUMBERS, *, parts: int = 1) -> list[Text]:
    """A text for each number, with words of its own."""
    labels = {"campaignId": "cd-1", "runId": "cid-1"}
    return [
        Text(f"msg-{place}", SENDER, number, f"Your code is {number[-4:]}, señora", parts, labels)
        for place, number in enumerate(numbers, 1)
    ]


async def answers(futures: Sequence[asyncio.Future[Outcome]], seconds: float = 3.0) -> list[Outcome]:
    """What the futures end in, in their order."""
    async with asyncio.timeout(seconds):
        return [await future for future in futures]
