"""Kannel as a client of the same message centre: its bearerbox, fed by its own fakesmsc, both from Debian's packages.

The bearerbox takes texts from fakesmsc (its line protocol, one long-lived socket) and routes them straight to its SMPP
connection (``reroute-smsc-id``): there is no HTTP and no database in between. Rerouted texts ask for no receipts, so
ours is measured without them too.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.bench import machine
from tests.bench import rig as rigs

if TYPE_CHECKING:
    from collections.abc import Callable

BEARERBOX = shutil.which("bearerbox") or shutil.which("bearerbox", path="/usr/sbin")
FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
INSTALLED = BEARERBOX is not None and FAKESMSC.exists()
STANDING = (
    "" if INSTALLED else "It is not installed where this page was written: `apt-get install kannel kannel-extras`."
)
STUCK_S = 60.0
QUIET_S = 5.0  # seconds

CONFIG = """
group = core
admin-port = {admin}
admin-password = bench
admin-interface = 127.0.0.1
smsbox-port = {box}
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1
log-file = "{folder}/kannel.log"
log-level = 2
store-type = file
store-location = "{folder}/kannel.store"
sms-incoming-queue-limit = -1
sms-outgoing-queue-limit = -1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = 0

group = smsc
smsc = fake
smsc-id = feed
port = {feed}
host = 127.0.0.1
connect-allow-ip = 127.0.0.1
reroute-smsc-id = out

group = smsc
smsc = smpp
smsc-id = out
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = bench
smsc-password = "x"
system-type = ""
max-pending-submits = {window}
throughput = 0
"""


class Sent(NamedTuple):
    """Texts a second, from the first to the last that the message centre took; CPU seconds a text."""

    rate: float
    cpu: float


async def send(folder: Path, port: int, people: int, window: int, taken: Callable[[], list[float]]) -> Sent:
    """Have Kannel send so many texts; ``taken`` answers when the message centre took each."""
    feed, admin, box = (_free() for _ in range(3))
    config = folder / "kannel.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, window=window, feed=feed, admin=admin, box=box))
    kannel = subprocess.Popen([str(BEARERBOX), str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    feeder: subprocess.Popen[bytes] | None = None
    try:
        await _listening(feed)
        # It wants to be bound first: texts that come before are kept, and kept is not sent.
        await asyncio.sleep(2)
        used = machine.cpu_seconds(kannel.pid)
        text = f"{rigs.CALLER} {rigs.number(1)} text {rigs.words(1)}"
        command = [str(FAKESMSC), "-r", str(feed), "-i", "0.0001", "-m", str(people), text]
        feeder = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times, last = taken(), time.monotonic()
        # fakesmsc does not always get rid of all its texts: what has come when no more come is what is counted.
        while len(times) < people and time.monotonic() - last < QUIET_S:
            await asyncio.sleep(0.2)
            before, times = len(times), taken()
            last = time.monotonic() if len(times) > before else last
        used = machine.cpu_seconds(kannel.pid) - used
    finally:
        for process in (feeder, kannel):
            if process is not None:
                process.kill()
                process.wait()
    return Sent((len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0, used / max(len(times), 1))


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def _listening(port: int) -> None:
    async with asyncio.timeout(STUCK_S):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
