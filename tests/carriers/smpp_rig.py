"""SMPP under the carrier contract: its far side is our simulator, in the same process. And what its own tests share."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from heliograph.carriers import registry
from heliograph.carriers.base import Carrier, Outcome, Text
from heliograph.carriers.kind import Opening
from heliograph.carriers.smpp import line as smpp
from heliograph.carriers.smpp import pdu
from heliograph.carriers.smpp.line import Line
from heliograph.carriers.smpp.pdu import Command
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from heliograph.rules import parts
from tests.carriers.contract import GUARD, SECRET, Answer, Can, DeafEar, Ear, Later, Script, answers
from tests.carriers.sandbox_rig import ANSWERS, LATER

HOST = "127.0.0.1"
SETTINGS: dict[str, object] = {
    "host": HOST,
    "system_id": "heliograph",
    "password": SECRET,
    "answer_timeout_s": 0.4,
    "connect_timeout_s": 30,
    "reconnect_s": [0.02, 0.1],
}


def taken(path: Path) -> list[tuple[str, str]]:
    """What the simulator took, as its transcript at ``path`` has it: (number, text)."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    # The contract speaks of texts that reached the far side: refused ones did, throttled ones did not.
    return [(line["to"], line["text"]) for line in lines if line["status"] != 0x58]


class SmppRig:
    name = "smpp"
    lacks: Mapping[Can, str] = {}

    def __init__(self) -> None:
        self._record = Path()
        self._centres: list[Centre] = []

    async def open(self, script: Script, listener: Ear | DeafEar, folder: Path) -> Carrier:
        self._record = folder / "smsc.jsonl"
        numbers = {**script.answers, **script.later}
        behaviour: dict[str, object] = {
            "receipt_ms": [10, 60],
            "receipt_lost": 1,
            "throttle_per_second": script.parts_per_second,
            "patterns": [
                {
                    "match": number,
                    "receipt_lost": 0,
                    **ANSWERS[script.answers.get(number, Answer.TAKES)],
                    **LATER[script.later.get(number, Later.NOTHING)],
                }
                for number in numbers
            ],
        }
        cuts = [number for number, answer in script.answers.items() if answer is Answer.CUTS]
        wanted = "another" if script.refuses_us else SECRET
        centre = Centre(scripts.read({"password": wanted, "behaviour": behaviour, "cuts": cuts}), self._record)
        self._centres.append(centre)
        port = await centre.listen(HOST, 0)
        if script.down:
            await centre.close()
        settings = SETTINGS | {"port": port}
        return await registry.open_carrier("smpp", settings, listener=listener, name="rig", transcript=self._record)

    def record(self) -> list[tuple[str, str]]:
        return taken(self._record)

    async def close(self) -> None:
        for centre in self._centres:
            await centre.close()


QUICK: dict[str, object] = {"receipt_ms": [5, 20], "latency_ms": [1, 5]}


def text(n: int = 1, words: str = "Hello", sender: str = "+15555550100") -> Text:
    return Text(f"msg-{n}", sender, f"+155555501{n:02d}", words, parts.measure(words).parts)


@asynccontextmanager
async def centre(
    record: Path | None = None, secured: ssl.SSLContext | None = None, **script: Any
) -> AsyncIterator[Any]:
    """A message centre and its port."""
    behaviour = QUICK | script.pop("behaviour", {})
    made = Centre(scripts.read(script | {"behaviour": behaviour}), record)
    port = await made.listen(HOST, 0, secured)
    try:
        yield made, port
    finally:
        await made.close()


@asynccontextmanager
async def opened(port: int, ear: Ear | None = None, **more: object) -> AsyncIterator[Line]:
    account = SETTINGS | {"port": port, "answer_timeout_s": 30} | more
    line = await smpp.open_line(account, Opening(ear or Ear(), "test", Path("none")))
    try:
        yield line
    finally:
        await line.close()


async def outcomes(line: Line, *texts: Text) -> list[Outcome]:
    return await answers(await line.submit(texts))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(GUARD):
        while not true():
            await asyncio.sleep(0.005)


@asynccontextmanager
async def hesitant(lets_in: int) -> AsyncIterator[int]:
    """A far side that answers the first so many binds, and never the others."""
    bound = [0]
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        frames = pdu.Frames()
        while data := await reader.read(65536):
            for each in frames.feed(data):
                bound[0] += each.command == Command.BIND_TRANSCEIVER
                if each.command != Command.BIND_TRANSCEIVER or bound[0] <= lets_in:
                    writer.write(pdu.frame(each.command | pdu.RESPONSE, each.sequence, b"id\0"))
        writer.close()

    server = await asyncio.start_server(serve, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)


@asynccontextmanager
async def mute(rubbish: bytes | None = None) -> AsyncIterator[int]:
    """A far side that lets everybody in. Then it says nothing; or rubbish to the first, and takes texts after that."""
    waiting = [rubbish]
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        frames, said = pdu.Frames(), waiting.pop() if waiting else b""
        while data := await reader.read(65536):
            for each in frames.feed(data):
                if each.command == Command.BIND_TRANSCEIVER:
                    writer.write(pdu.frame(each.command | pdu.RESPONSE, each.sequence, b"x\0") + (said or b""))
                elif rubbish is not None and not each.command & pdu.RESPONSE:
                    writer.write(pdu.frame(each.command | pdu.RESPONSE, each.sequence, b"id\0"))

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (OSError, pdu.Malformed):
            pass  # it went away
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, HOST, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0.01)
