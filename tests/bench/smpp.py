"""SMPP: submissions a second through one bind, receipts on, beside a bare client loop and beside Kannel."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple, cast

from heliograph.carriers.base import Text
from heliograph.carriers.kind import Opening
from heliograph.carriers.smpp import line as smpp
from heliograph.carriers.smpp import pdu
from heliograph.carriers.smpp import settings as accounts
from heliograph.carriers.smpp.pdu import Command
from heliograph.carriers.smpp.wording import Wording
from tests.bench import kannel, machine
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from heliograph.carriers.base import LineState, Outcome, Receipt, Reply
    from tests.bench.rig import Rig

TITLE = "SMPP"
ABOUT = """\
{people:,} texts through one transceiver bind with a window of {window}, every one answered and receipted, against our
own message centre (`heliograph smsc`) as a process of its own that answers at once and sends receipts 5 to 20 ms later.
What is measured is the line alone, without campaigns and without a database.

The floor, **a bare client loop**, writes ready-made submissions into the same window and reads nothing but lengths and
sequence numbers: no time-outs, no texts, no ids, no outcomes, receipts acknowledged unread. **Kannel** (Debian's
package), where it is installed, is its bearerbox with the same message centre and window, fed by its own `fakesmsc` and
without receipts, for texts that it routes on ask for none; so ours stands beside it without receipts too. {kannel}
"""

WINDOW = 50
WORTH_IT = 50_000  # texts below which Kannel is left out: a quick bench is part of the tests
BATCH = 50
HOST = "127.0.0.1"
SCRIPT = {"behaviour": {"latency_ms": [0, 0], "receipt_ms": [5, 20]}}
ACCOUNT: dict[str, object] = {"host": HOST, "system_id": "bench", "window": WINDOW}


class Cost(NamedTuple):
    """Texts a second; CPU seconds a text, of the client and of the message centre."""

    rate: float
    client: float
    centre: float


class Centre(NamedTuple):
    """A message centre of its own process."""

    pid: int
    port: int
    transcript: Path


async def measure(rig: Rig) -> Section:
    people = rig.scale.people
    section = Section("smpp", TITLE, ABOUT.format(people=people, window=WINDOW, kannel=kannel.STANDING))
    async with _centre(rig.settings.data, "bare") as centre:
        bare = await _bare(centre, people)
    async with _centre(rig.settings.data, "ours") as centre:
        ours = await _ours(centre, people)
        section.faults += _faults(centre, people)
    floor = "a bare client loop"
    group = "one bind, receipts on"
    section.add("texts, answered", ours.rate, "/s", Floor(bare.rate, floor), group=group)
    section.add("CPU for 1,000 texts", ours.client * 1000, "s", Floor(bare.client * 1000, floor), group=group)
    section.add("the message centre's own, for 1,000", ours.centre * 1000, "s", group=group)
    if kannel.INSTALLED and people >= WORTH_IT:
        await _beside_kannel(rig, section)
    section.headlines.append(
        f"SMPP, one bind, receipts on: **{ours.rate:,.0f} texts/s** at {ours.client * 1e6:,.0f} µs of CPU each "
        f"(a bare client loop: {bare.rate:,.0f}/s, {bare.client * 1e6:,.0f} µs)."
    )
    return section


async def _beside_kannel(rig: Rig, section: Section) -> None:
    people = rig.scale.people // 5  # fakesmsc is slow to feed it
    async with _centre(rig.settings.data, "kannel") as centre:
        theirs = await kannel.send(rig.settings.data, centre.port, people, WINDOW, lambda: _times(centre))
    async with _centre(rig.settings.data, "beside") as centre:
        ours = await _ours(centre, people, registered_delivery=0)
    group = "one bind, without receipts"
    section.add("texts", ours.rate, "/s", Floor(theirs.rate, "Kannel"), group=group)
    section.add("CPU for 1,000 texts", ours.client * 1000, "s", Floor(theirs.cpu * 1000, "Kannel"), group=group)


def _times(centre: Centre) -> list[float]:
    with centre.transcript.open() as lines:
        return [json.loads(line)["at"] for line in lines if line.endswith("\n")]


def _faults(centre: Centre, people: int) -> list[str]:
    taken = len(_times(centre))
    return [] if taken == people else [f"the message centre took {taken} texts, not {people}"]


@asynccontextmanager
async def _centre(folder: Path, name: str) -> AsyncIterator[Centre]:
    script, transcript = folder / "smsc.json", folder / f"smsc-{name}.jsonl"
    script.write_text(json.dumps(SCRIPT))
    command = [
        sys.executable,
        "-m",
        "heliograph",
        "smsc",
        "--port",
        "0",
        "--script",
        script,
        "--transcript",
        transcript,
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        said = process.stdout.readline().split()
        yield Centre(process.pid, int(said[2]), transcript)
    finally:
        process.terminate()
        process.wait()
        transcript.unlink(missing_ok=True)


def _texts(people: int) -> list[Text]:
    return [Text(f"m{n}", rigs.CALLER, rigs.number(n), rigs.words(n), 1) for n in range(people)]


class _Ear:
    def __init__(self) -> None:
        self.heard = 0

    def receipts(self, receipts: Sequence[Receipt], /) -> None:
        self.heard += len(receipts)

    def replies(self, replies: Sequence[Reply], /) -> None:
        raise AssertionError

    def line(self, state: LineState, words: str, /) -> None:
        """Of no interest here."""


async def _ours(centre: Centre, people: int, **more: object) -> Cost:
    texts, ear = _texts(people), _Ear()
    line = await smpp.open_line(ACCOUNT | {"port": centre.port} | more, Opening(ear, "bench", centre.transcript))
    answered, moved = 0, asyncio.Event()

    def count(_: Future[Outcome]) -> None:
        nonlocal answered
        answered += 1
        moved.set()

    began, cpu, theirs = time.monotonic(), time.process_time(), machine.cpu_seconds(centre.pid)
    place = 0
    while place < people:
        moved.clear()
        room = line.room(1) or 0
        for answer in await line.submit(texts[place : place + room]) if room else ():
            answer.add_done_callback(count)
        place += room
        await moved.wait()
    while answered < people:
        moved.clear()
        await moved.wait()
    took = time.monotonic() - began
    if not more:
        await _until(lambda: ear.heard, people)
    used = (time.process_time() - cpu) / people, (machine.cpu_seconds(centre.pid) - theirs) / people
    await line.close()
    return Cost(people / took, *used)


async def _until(heard: Callable[[], int], people: int) -> None:
    while heard() < people:
        await asyncio.sleep(0.01)


class _Bare(asyncio.Protocol):
    """Writes ready-made submissions into a window."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies
        self._rest = b""
        self._next = self.answered = self.heard = 0
        self.done = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = pdu.bind(pdu.Bind("bench", "", ""), ton=0, npi=0, address_range="")
        self._transport.write(pdu.frame(Command.BIND_TRANSCEIVER, 0, body))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        at, out, bound = 0, [], False
        while len(data) - at >= 16:
            length, command, _, sequence = pdu.HEAD.unpack_from(data, at)
            if len(data) - at < length:
                break
            at += length
            if command == Command.SUBMIT_SM | pdu.RESPONSE:
                self.answered += 1
            elif command == Command.DELIVER_SM:
                self.heard += 1
                out.append(pdu.frame(command | pdu.RESPONSE, sequence, b"\0"))
            else:
                bound = True
        self._rest = data[at:]
        free = WINDOW - (self._next - self.answered)
        # In batches too, as anybody would: a write for each answer costs as much as all the rest.
        if bound or free >= WINDOW // 3:
            for body in self._bodies[self._next : self._next + free]:
                self._next += 1
                out.append(pdu.frame(Command.SUBMIT_SM, self._next, body))
        assert self._transport is not None
        self._transport.write(b"".join(out))
        if self.answered == len(self._bodies) and not self.done.done():
            self.done.set_result(None)


async def _bare(centre: Centre, people: int) -> Cost:
    wording = Wording(accounts.read(ACCOUNT))
    bodies = [cast("list[bytes]", wording.bodies(text))[0] for text in _texts(people)]
    began, cpu, theirs = time.monotonic(), time.process_time(), machine.cpu_seconds(centre.pid)
    transport, bare = await asyncio.get_running_loop().create_connection(lambda: _Bare(bodies), HOST, centre.port)
    await bare.done
    took = time.monotonic() - began
    await _until(lambda: bare.heard, people)
    used = (time.process_time() - cpu) / people, (machine.cpu_seconds(centre.pid) - theirs) / people
    transport.close()
    return Cost(people / took, *used)
