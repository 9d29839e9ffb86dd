"""Receipts that come over HTTP: from a carrier's call to the message that is delivered."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import carrier_accounts as accounts
from heliograph.actions import seal as seals
from heliograph.carriers.sandbox_webhook import SIGNATURE, sign
from heliograph.store import carrier_accounts
from tests.bench import machine, processes
from tests.bench.report import Section

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.rig import Rig

TITLE = "Webhooks"
ABOUT = """\
{people:,} calls with a receipt each, signed, on {lines} kept-alive connections to `heliograph serve`, as fast as they
are answered; each is checked and committed before its answer, then applied by the worker. *CPU of the server* is the
process that answers, *all* the worker and PostgreSQL too, for 1,000 calls: on a machine of its own, a core does as
many thousand a second as this goes into one.
"""
LINES = 64
SECRET = "a secret for the bench"
RUN = 2_000_000_001  # no run has this id

FILL = """
INSERT INTO outcome (app_id, run_id, seq, status, account_id, carrier_ref, submitted_at, settled_at)
SELECT %(app_id)s, %(run_id)s, n, 'accepted', %(account_id)s, 'call-' || n, now(), now()
FROM generate_series(1, %(people)s::int) AS n
"""
DELIVERED = "SELECT coalesce(sum(delivered), 0) FROM tally WHERE run_id = 2000000001"
WAITING = "SELECT count(*) FROM webhook_call"
CLEAN = "DELETE FROM outcome WHERE app_id = %(app_id)s AND run_id = %(run_id)s"
CLEAN_TALLY = "DELETE FROM tally WHERE app_id = %(app_id)s AND run_id = %(run_id)s"


async def measure(rig: Rig) -> Section:
    people = rig.scale.people // 5
    section = Section("webhooks", TITLE, ABOUT.format(people=people, lines=LINES))
    body = {"name": "Called", "kind": "sandbox", "settings": {"webhook_secret": SECRET}}
    seal = seals.from_settings(rig.settings)
    account = await accounts.create(rig.db, seal, rig.app, body, now=config.utc_now())
    mine: dict[str, object] = {"app_id": rig.app.app_id, "run_id": RUN}
    await rig.execute(FILL, mine | {"account_id": account.account_id, "people": people})
    await rig.execute("ANALYZE outcome")
    calls = [_call(f"/carriers/{account.public_id}", n) for n in range(1, people + 1)]
    postgres = machine.server_pid(rig.settings.data)
    with processes.served(rig.settings.data) as (port, pid):
        await _ask(port, calls[:1])  # the account is known from here on
        server, whole = machine.own_cpu_seconds(pid), machine.cpu_seconds(pid) + machine.cpu_seconds(postgres)
        began = time.monotonic()
        refused = await _ask(port, calls[1:])
        answered = time.monotonic() - began
        server = machine.own_cpu_seconds(pid) - server
        async with asyncio.timeout(rig.scale.patience):
            while await rig.value(WAITING):
                await asyncio.sleep(0.02)
        applied = time.monotonic() - began
        whole = machine.cpu_seconds(pid) + machine.cpu_seconds(postgres) - whole
    section.add("answered", people / answered, "calls/s")
    section.add("applied", people / applied, "receipts/s")
    section.add("CPU of the server", server / people * 1e6, "ms per 1,000")
    section.add("CPU of all", whole / people * 1e6, "ms per 1,000")
    section.headlines.append(
        f"Receipts over HTTP: **{people / answered:,.0f} calls/s** answered on this machine; 1,000 cost the server "
        f"**{server / people * 1e3:.2f} s** of CPU, and everybody together {whole / people * 1e3:.2f} s."
    )
    if refused:
        section.faults.append(f"{refused} of {people} calls were not answered with 200")
    if await rig.value(DELIVERED) != people:
        section.faults.append(f"{people} receipts came over HTTP, and {await rig.value(DELIVERED):.0f} were applied")
    for statement in (CLEAN, CLEAN_TALLY):
        await rig.execute(statement, mine)
    async with rig.db.connection() as conn:
        await carrier_accounts.mark_deleted(conn, account.app_id, account.account_id, now=config.utc_now())
    return section


def _call(path: str, n: int) -> bytes:
    said = {"receipts": [{"ref": f"call-{n}", "state": "delivered", "at": "2026-03-02T12:00:00Z"}]}
    body = json.dumps(said).encode()
    lines = (
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "User-Agent: carrier/1.0",
        "Accept: */*",
        "Content-Type: application/json",
        f"{SIGNATURE}: {sign(SECRET, body)}",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _ask(port: int, calls: Sequence[bytes]) -> int:
    """Send calls over some connections; answers how many were not answered with 200."""
    left = iter(calls)
    refused = 0

    async def line() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for call in left:
            writer.write(call)
            answer = await reader.readuntil(b"\r\n\r\n")  # there is no body behind it
            refused += not answer.startswith(b"HTTP/1.1 200")
        writer.close()

    await asyncio.gather(*(line() for _ in range(min(LINES, len(calls)))))
    return refused
