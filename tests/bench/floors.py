"""The floors of sending: the same texts and the same rows without an engine around them."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, LiteralString, NamedTuple

from heliograph.carriers import sandbox
from heliograph.carriers.base import Text
from heliograph.carriers.kind import Opening
from heliograph.rules import ids, parts
from tests.bench import machine
from tests.bench import rig as rigs

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Iterable, Mapping, Sequence

    from heliograph.carriers.base import LineState, Outcome, Receipt, Reply
    from tests.bench.rig import Rig

BATCH = 100
WINDOW = 2_000  # texts without an answer, as the engine allows itself
BLOCK = 1 << 16


class Alone(NamedTuple):
    """The carrier without an engine: texts a second, CPU seconds a text."""

    rate: float
    cpu: float


class Copied(NamedTuple):
    """PostgreSQL without an engine: texts a second; CPU seconds, WAL bytes and database bytes a text."""

    rate: float
    cpu: float
    wal: float
    size: float


class _Ear:
    def __init__(self) -> None:
        self.heard = 0

    def receipts(self, receipts: Sequence[Receipt], /) -> None:
        self.heard += len(receipts)

    def replies(self, replies: Sequence[Reply], /) -> None:
        """The sandbox of a measurement writes none."""

    def line(self, state: LineState, words: str, /) -> None:
        """It is up."""


async def carrier(rig: Rig, behaviour: Mapping[str, object], *, personal: bool) -> Alone:
    """The same texts through a bare sandbox line, transcript and answers included."""
    run, labels = ids.new("cid"), {"campaignId": ids.new("cd"), "runId": ids.new("cid")}
    said = [rigs.words(n) if personal else rigs.PLAIN for n in range(rig.scale.people)]
    texts = [
        Text(ids.message_id(run, n + 1), rigs.CALLER, rigs.number(n), text, parts.measure(text).parts, labels)
        for n, text in enumerate(said)
    ]
    path = rig.settings.data / "floor.jsonl"
    line = await sandbox.open_line(behaviour, Opening(_Ear(), "floor", path))
    answered = 0
    moved = asyncio.Event()

    def count(_: Future[Outcome]) -> None:
        nonlocal answered
        answered += 1
        moved.set()

    began, cpu = time.monotonic(), time.process_time()
    for place in range(0, len(texts), BATCH):
        while place - answered >= WINDOW:
            moved.clear()
            await moved.wait()
        for answer in await line.submit(texts[place : place + BATCH]):
            answer.add_done_callback(count)
        await asyncio.sleep(0)
    while answered < len(texts):
        moved.clear()
        await moved.wait()
    took = time.monotonic() - began
    await line.close()
    used = time.process_time() - cpu
    path.unlink()
    return Alone(len(texts) / took, used / len(texts))


MAKE: tuple[LiteralString, ...] = (
    "DROP TABLE IF EXISTS floor_message, floor_outcome",
    "CREATE TABLE floor_message (LIKE message INCLUDING ALL)",
    "CREATE TABLE floor_outcome (LIKE outcome INCLUDING ALL)",
)
COPY_MESSAGES = "COPY floor_message (app_id, run_id, seq, list_id, contact_seq, number, text, parts) FROM STDIN"
COPY_OUTCOMES = """
COPY floor_outcome (app_id, run_id, seq, status, account_id, carrier_ref, submitted_at, settled_at) FROM STDIN
"""
NULL = "\\N"  # as COPY writes it
SIZE = "SELECT pg_database_size(current_database())"
WAL = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"


async def copy(rig: Rig, *, personal: bool) -> Copied:
    """Bare PostgreSQL taking the same rows, indexes and all, in two COPYs."""
    people = rig.scale.people
    for statement in MAKE:
        await rig.execute(statement)
    planned, done = list(blocks(_messages(people, personal=personal))), list(blocks(_outcomes(people)))
    await rig.execute("CHECKPOINT")
    server = machine.server_pid(rig.settings.data)
    cpu, wal, size = machine.cpu_seconds(server), await rig.value(WAL), await rig.value(SIZE)
    began = time.monotonic()
    await copy_in(rig, COPY_MESSAGES, planned)
    await copy_in(rig, COPY_OUTCOMES, done)
    took = time.monotonic() - began
    used = machine.cpu_seconds(server) - cpu, await rig.value(WAL) - wal, await rig.value(SIZE) - size
    await rig.execute("DROP TABLE floor_message, floor_outcome")
    return Copied(people / took, *(each / people for each in used))


def _messages(people: int, *, personal: bool) -> Iterable[str]:
    for n in range(people):
        text = rigs.words(n) if personal else NULL
        yield f"1\t1\t{n + 1}\t1\t{n + 1}\t{rigs.number(n)}\t{text}\t1\n"


def _outcomes(people: int) -> Iterable[str]:
    now = "2026-03-02 06:00:00.123456+00"
    for n in range(1, people + 1):
        yield f"1\t1\t{n}\taccepted\t1\tsb-019cad5c8e7-0badcafe-{n:06x}\t{now}\t{now}\n"


async def copy_in(rig: Rig, statement: LiteralString, data: Iterable[bytes]) -> None:
    """COPY ready-made blocks in one transaction."""
    async with rig.db.connection() as conn, conn.cursor() as cursor, cursor.copy(statement) as copying:
        for block in data:
            await copying.write(block)


def blocks(lines: Iterable[str]) -> Iterable[bytes]:
    """Lines put together to blocks of a size that a socket likes."""
    held: list[str] = []
    size = 0
    for line in lines:
        held.append(line)
        size += len(line)
        if size >= BLOCK:
            yield "".join(held).encode()
            held, size = [], 0
    yield "".join(held).encode()
