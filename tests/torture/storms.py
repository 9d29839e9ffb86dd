"""The storms: what is done to a running campaign, and what it may cost."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.actions import carrier_accounts, senders
from heliograph.actions import seal as seals
from heliograph.errors import StoreUnavailable
from heliograph.store import campaigns
from tests.bench import rig as rigs
from tests.torture import house, judge, talks
from tests.torture.caller import Caller
from tests.torture.judge import IN_HAND, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

SLOWEST = 60.0  # seconds for processes to find each other again, before a storm is called stuck


class Storm:
    """A campaign of ``people`` with two workers, sent at a rate that leaves time for ``kills``."""

    def __init__(self, rig: Rig, people: int, kills: int, seed: int) -> None:
        self.rig, self.people, self.kills = rig, people, kills
        self.moments = random.Random(seed)
        self.everybody = {rigs.number(n) for n in range(people)}
        self.pause = 1.2  # seconds between kills, on average

    async def start(self) -> Campaign:
        """Play the campaign, rated so that it lasts as long as the kills."""
        name = await self.rig.add_list(self.people)
        rate = max(50, self.people / max(10.0, self.kills * self.pause * 0.9))
        await self.rig.execute("UPDATE sender SET parts_per_second = %(rate)s", {"rate": rate})
        self.rig.clear_transcript()
        return await self.rig.play(await self.rig.create(name, rigs.PERSONAL))

    async def finish(self, campaign: Campaign, seconds: float) -> None:
        """Wait for the end of the campaign, through lost connections."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self.status(campaign) != "Completed":
                    await asyncio.sleep(0.2)

    async def status(self, campaign: Campaign) -> str | None:
        try:
            async with self.rig.db.connection() as conn:
                found = await campaigns.get(conn, self.rig.app.app_id, campaign.public_id)
        except StoreUnavailable:
            return None
        return found.status.value


async def kills(rig: Rig, people: int, number: int, seed: int) -> Verdict:
    """Kill -9, again and again: a worker, the API's server, PostgreSQL, one of its backends. Judged by the sandbox."""
    storm, verdict = Storm(rig, people, number, seed), Verdict("kill -9")
    began = time.monotonic()
    campaign = await storm.start()
    port = house.free_port()
    seats = [*house.workers(rig.settings.data, 2), house.server(rig.settings.data, port)]
    done: Counter[str] = Counter()
    async with house.House(rig.settings.data, seats) as home:
        caller = Caller(rig, port)
        calling = asyncio.create_task(caller.call())
        while done.total() < number:
            await asyncio.sleep(storm.moments.uniform(0.1, 2 * storm.pause - 0.1))
            what = storm.moments.choice([*seats, *seats[:2], None])
            if what is None:
                if killed := home.kill_postgres(storm.moments):
                    done[killed] += 1
            elif home.kill(what):
                done[what.name] += 1
        await storm.finish(campaign, SLOWEST + people / 200)
        calling.cancel()
        await asyncio.wait([calling])
        await asyncio.sleep(2.0)  # the caller's last text
    verdict.kills = dict(sorted(done.items()))
    verdict.bound = 2 * IN_HAND * done.total()
    await judge.judge(rig, campaign, storm.everybody, verdict)
    _judge_caller(verdict, caller, judge.taken(rig.settings.transcript))
    verdict.seconds = time.monotonic() - began
    return verdict


def _judge_caller(verdict: Verdict, caller: Caller, taken: Counter[str]) -> None:
    twice = [number for number in caller.answered if taken[number] > 1]
    if twice:
        verdict.faults.append(f"{len(twice)} one-off texts were sent twice, such as to {twice[0]}")
    if caller.refused:
        verdict.faults.append(f"one-off texts were refused: {caller.refused[0]}")
    if not caller.answered:
        verdict.faults.append("no one-off text was ever answered")
    left = [number for number in caller.answered if not taken[number]]
    if len(left) > verdict.bound:
        verdict.faults.append(f"{len(left)} one-off texts were answered and never left")


async def carrier(rig: Rig, people: int, number: int, seed: int) -> Verdict:
    """Kill -9 the carrier's message centre, and the workers, again and again. Judged by the message centre's record."""
    storm, verdict = Storm(rig, people, number, seed), Verdict("the carrier dies")
    began = time.monotonic()
    port, record = house.free_port(), rig.settings.data / "smsc.jsonl"
    settings = {"host": "127.0.0.1", "port": port, "system_id": "storm", "reconnect_s": [0.02, 0.5]}
    body = {"name": "SMSC", "kind": "smpp", "settings": settings}
    now = config.utc_now()
    await carrier_accounts.create(rig.db, seals.from_settings(rig.settings), rig.app, body, now=now)
    await senders.update(rig.db, rig.app, "*", {"carrierAccountId": "SMSC"}, now=now)
    campaign = await storm.start()
    smsc = house.centre(rig.settings.data, port, record)
    seats = [*house.workers(rig.settings.data, 2), smsc]
    done: Counter[str] = Counter()
    async with house.House(rig.settings.data, seats) as home:
        while done.total() < number:
            await asyncio.sleep(storm.moments.uniform(0.1, 2 * storm.pause - 0.1))
            what = storm.moments.choice([*seats, smsc])
            if home.kill(what):
                done[what.name] += 1
        await storm.finish(campaign, SLOWEST + people / 200)
    verdict.kills = dict(sorted(done.items()))
    verdict.bound = 2 * IN_HAND * done.total()
    await judge.judge(rig, campaign, storm.everybody, verdict, transcript=record)
    verdict.seconds = time.monotonic() - began
    return verdict


async def disk(rig: Rig, people: int, number: int, seed: int) -> Verdict:
    """Fill the disk to its last byte while the campaign is sent, and free it again, some times over.

    The data folder must be on a small file system of its own: see :func:`small_disk`.
    """
    storm, verdict = Storm(rig, people, number, seed), Verdict("disk full")
    storm.pause = 6.0
    began = time.monotonic()
    campaign = await storm.start()
    ballast = rig.settings.data / "ballast"
    full = 0
    async with house.House(rig.settings.data, house.workers(rig.settings.data, 2)) as home:
        while full < number:
            await asyncio.sleep(storm.moments.uniform(1.0, 3.0))
            await asyncio.to_thread(_fill, ballast)
            await asyncio.sleep(storm.moments.uniform(1.0, 4.0))
            ballast.unlink()
            full += 1
        await storm.finish(campaign, SLOWEST + people / 100)
        ended = sum(seat.ends for seat in home.seats)
    verdict.kills = {"times full": full, "workers that ended by it": ended}
    verdict.bound = 2 * IN_HAND * full
    await judge.judge(rig, campaign, storm.everybody, verdict)
    verdict.seconds = time.monotonic() - began
    return verdict


async def clock(rig: Rig, people: int, number: int, seed: int) -> Verdict:
    """Let two workers' clocks jump by up to an hour, back and forth, each on its own, under their running work."""
    storm, verdict = Storm(rig, people, number, seed), Verdict("clock jumps")
    storm.pause = 1.0
    began = time.monotonic()
    skews = [rig.settings.data / f"skew{n}" for n in (1, 2)]
    for skew in skews:
        skew.write_text("0")
    campaign = await storm.start()
    seats = [house.workers(rig.settings.data, 1, skew=skew)[0] for skew in skews]
    async with house.House(rig.settings.data, seats):
        for _ in range(number):
            await asyncio.sleep(storm.moments.uniform(0.5, 1.5))
            jumping = storm.moments.choice(skews)
            new = jumping.with_suffix(".new")
            new.write_text(str(storm.moments.choice((-3600, -1800, -60, 0, 60, 1800, 3600))))
            new.rename(jumping)
        for skew in skews:
            skew.write_text("0")
        await storm.finish(campaign, SLOWEST + people / 200)
    verdict.kills = {"jumps": number}
    await judge.judge(rig, campaign, storm.everybody, verdict)
    verdict.seconds = time.monotonic() - began
    return verdict


STORMS: dict[str, Callable[[Rig, int, int, int], Awaitable[Verdict]]] = {
    "kills": kills,
    "carrier": carrier,
    "talks": talks.storm,
    "disk": disk,
    "clock": clock,
}


@contextlib.asynccontextmanager
async def small_disk(megabytes: int) -> AsyncIterator[Path | None]:
    """A file system of that size, in memory; None where this user may not mount one."""
    place = Path(os.environ.get("TMPDIR", "/tmp")) / f"heliograph-torture-{os.getpid()}"  # noqa: S108  # made here, 0700
    place.mkdir(mode=0o700)
    try:
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(place)]
        mounted = await asyncio.to_thread(subprocess.run, ["mount", *options], capture_output=True, check=False)
        if mounted.returncode != 0:
            yield None
            return
        try:
            yield place
        finally:
            await asyncio.to_thread(subprocess.run, ["umount", "-l", str(place)], check=False)
    finally:
        place.rmdir()


def _fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    block = bytes(1 << 20)
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with contextlib.suppress(OSError):
                while file.write(block[:size]):
                    pass
