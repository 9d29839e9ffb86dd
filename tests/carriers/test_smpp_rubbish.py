"""No octets take an SMPP line or the simulator down: what cannot be read is answered so, or the link is made anew."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.carriers.base import Accepted
from heliograph.carriers.smpp import pdu
from heliograph.carriers.smpp.pdu import Command
from heliograph.errors import CarrierDown
from tests.carriers.contract import GUARD
from tests.carriers.smpp_rig import HOST, centre, mute, opened, outcomes, text

COMMANDS = st.one_of(st.sampled_from([*Command, *(each | pdu.RESPONSE for each in Command)]), st.integers(0, 2**32 - 1))
FRAME = st.builds(
    pdu.frame, COMMANDS, st.integers(0, 2**32 - 1), st.binary(max_size=80), st.sampled_from([0, 0, 8, 0xFFFFFFFF])
)
RUBBISH = st.lists(st.one_of(FRAME, st.binary(max_size=40)), max_size=6).map(b"".join)


@settings(max_examples=40)
@given(RUBBISH)
def test_no_octets_take_a_line_down(rubbish: bytes) -> None:
    faults: list[object] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        quick: dict[str, Any] = {"answer_timeout_s": 0.2, "enquire_link_s": 0.2, "reconnect_s": [0.01, 0.01]}
        async with mute(rubbish) as port, opened(port, None, **quick) as line, asyncio.timeout(GUARD):
            while True:
                try:
                    (found,) = await outcomes(line, text())
                except CarrierDown:
                    found = None
                if isinstance(found, Accepted):
                    return
                await asyncio.sleep(0.01)

    anyio.run(run)
    assert faults == []


@settings(max_examples=40)
@given(RUBBISH, st.booleans())
def test_no_octets_take_the_simulator_down(rubbish: bytes, bound: bool) -> None:
    faults: list[object] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        async with centre() as (made, port):
            reader, writer = await asyncio.open_connection(HOST, port)
            asked = pdu.bind(pdu.Bind("x", "", ""), ton=0, npi=0, address_range="")
            writer.write((pdu.frame(Command.BIND_TRANSCEIVER, 1, asked) if bound else b"") + rubbish)
            writer.write_eof()
            async with asyncio.timeout(GUARD):
                await reader.read()
            writer.close()
            async with opened(port) as line:
                assert [type(each) for each in await outcomes(line, text())] == [Accepted]
            assert made.taken >= 1

    anyio.run(run)
    assert faults == []
