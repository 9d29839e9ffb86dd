"""One worker and two: how much more they send together, and what it costs."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import campaigns
from tests.bench import machine, processes
from tests.bench import rig as rigs
from tests.bench.barrier import POOL, pool
from tests.bench.report import Floor, Section

if TYPE_CHECKING:
    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

TITLE = "Workers together"
ABOUT = """\
{people:,} people through a pool of four senders without a rate, the sandbox answering at once, sent by one
`heliograph work` and by two, on this machine, with PostgreSQL on it too. Before it counts, a small campaign has had
every worker take its lanes. Read the CPU: where cores are left, workers add up; where there are none, they take turns.
"""


async def measure(rig: Rig) -> Section:
    section = Section("workers", TITLE, ABOUT.format(people=rig.scale.people))
    everyone, few = await rig.add_list(rig.scale.people), await rig.add_list(rig.scale.few)
    await pool(rig)
    await rig.behave()
    alone = Floor(0.0, "")
    for count in (1, 2):
        rig.clear_transcript()
        with ExitStack() as stack:
            pids = [stack.enter_context(processes.doomed(rig.settings.data, n)) for n in range(count)]
            await rig.finish(await _play(rig, few))
            pids.append(machine.server_pid(rig.settings.data))
            before, began = [machine.cpu_seconds(pid) for pid in pids], time.monotonic()
            campaign = await _play(rig, everyone)
            took = await rig.finish(campaign) - began
            used = [machine.cpu_seconds(pid) - was for pid, was in zip(pids, before, strict=True)]
        name, thousands = f"{count} worker{'s' * (count > 1)}", rig.scale.people / 1000
        rate = rig.scale.people / took
        section.add("from play to Completed", rate, "texts/s", alone if alone.value else None, group=name)
        alone = Floor(rate, "one worker")
        section.add("workers, CPU for 1,000", sum(used[:-1]) / thousands, "s", group=name)
        section.add("PostgreSQL, CPU for 1,000", used[-1] / thousands, "s", group=name)
        section.add("share of the busiest worker", 100 * max(used[:-1]) / sum(used[:-1]), "%", group=name)
        ledger = await rig.ledger(campaign)
        if (ledger.sent, ledger.unknown) != (rig.scale.people, 0):
            section.faults.append(f"{name}: the ledger says {ledger}")
    return section


async def _play(rig: Rig, list_name: str) -> Campaign:
    body = rig.draft(list_name, rigs.PLAIN)
    body["dialingStrategy"]["callerId"] = {"phoneNumber": f"pool:{POOL}"}
    return await rig.play(await campaigns.create(rig.db, rig.app, body, now=config.utc_now()))
