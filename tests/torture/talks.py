"""Conversations under a storm: processes killed while people answer, judged by a message centre of our own."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter, defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from heliograph import config
from heliograph.actions import campaigns, carrier_accounts, flows, senders
from heliograph.actions import seal as seals
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from heliograph.errors import StoreUnavailable
from heliograph.rules import demo_support
from tests.bench import rig as rigs
from tests.torture import house, judge
from tests.torture.judge import Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from heliograph.store.campaigns import Campaign
    from tests.bench.rig import Rig

PATIENCE = 60.0  # seconds for processes to find each other again, before a kill comes without any progress
SENDING = 1.2  # seconds of sending for each kill
QUIET = 1.5  # seconds without anything to do, after which it is over
SILENT = 5  # one in so many never answers
TEXTS = ("1: first?", "2: second?", "3: third?", "4: found", "5: later?", "6: goodbye")
NUDGED = (TEXTS[0], "9: nobody there")
"""What somebody who answers is told, in this order; and somebody who does not."""

NODES: dict[str, Any] = {
    "who": {"type": "branch", "on": "{{silent}}", "cases": [{"any_word": ["yes"], "next": "ask"}], "otherwise": "one"},
    "ask": {"type": "send", "text": NUDGED[0], "next": "hope"},
    "hope": {"type": "wait", "timeout": "3s", "on_timeout": "nudge", "next": "done"},
    "nudge": {"type": "send", "text": NUDGED[1], "next": "done"},
    "one": {"type": "send", "text": TEXTS[0], "next": "first"},
    "first": {"type": "wait", "timeout": "1h", "next": "two"},
    "two": {"type": "send", "text": TEXTS[1], "next": "second"},
    "second": {"type": "wait", "timeout": "1h", "next": "three"},
    "three": {"type": "send", "text": TEXTS[2], "next": "third"},
    "third": {"type": "wait", "timeout": "1h", "next": "desk"},
    "desk": {"type": "webhook", "url": demo_support.URL, "body": {"ask": "order", "text": "1002"}, "save": "desk",
             "next": "four", "failed": "done"},
    "four": {"type": "send", "text": TEXTS[3], "next": "while"},
    "while": {"type": "delay", "for": "1s", "next": "five"},
    "five": {"type": "send", "text": TEXTS[4], "next": "fifth"},
    "fifth": {"type": "wait", "timeout": "1h", "next": "six"},
    "six": {"type": "send", "text": TEXTS[5], "next": "done"},
    "done": {"type": "end", "result": "through"},
}  # fmt: skip

SILENCE = """UPDATE contact SET fields = '{"silent": "yes"}' WHERE (seq - 1) %% %(every)s = 0"""
# What dead workers had in hand is free for others when their lease is over, in five minutes: it is now.
LEASES_END = "UPDATE session SET due = now() WHERE state = 'call' AND due > now()"
LEFT_TO_DO = """
SELECT (SELECT count(*) FROM message m LEFT JOIN outcome o USING (app_id, run_id, seq) WHERE o.seq IS NULL),
       (SELECT count(*) FROM reply WHERE handled_at IS NULL),
       (SELECT count(*) FROM session)
"""
TOLD = """
SELECT s.number, coalesce(m.text, r.template), o.status::text, s.ended_at IS NOT NULL, s.result
FROM session s JOIN message m ON m.app_id = s.app_id AND m.number = s.number
JOIN run r ON r.app_id = m.app_id AND r.run_id = m.run_id
LEFT JOIN outcome o ON o.app_id = m.app_id AND o.run_id = m.run_id AND o.seq = m.seq
ORDER BY s.number, m.run_id, m.seq
"""


class Crowd:
    """People who answer each question they get, with other words each time."""

    def __init__(self, silent: set[str]) -> None:
        self._silent = silent
        self.got: defaultdict[str, list[str]] = defaultdict(list)
        self._count = 0

    async def more(self, texts: float) -> None:
        """Wait until they have got so many more texts; not for ever."""
        until, end = self._count + texts, time.monotonic() + PATIENCE
        while self._count < until and time.monotonic() < end:
            await asyncio.sleep(0.02)

    def __call__(self, to: str, text: str) -> tuple[float, str] | None:
        self.got[to].append(text)
        self._count += 1
        if to in self._silent or not text.endswith("?"):
            return None
        return 0.05, f"answer {len(self.got[to])}"


class Story:
    """What our rows say of one person's texts and session."""

    def __init__(self) -> None:
        self.texts: dict[str, str | None] = {}
        self.twice: list[str] = []
        self.over = False
        self.result: str | None = None

    def unheard(self, got: list[str]) -> bool:
        """Whether a text is on record as unknown that never was there: its person waits for nothing."""
        return any(status == "unknown" and text not in got for text, status in self.texts.items())


async def storm(rig: Rig, people: int, number: int, seed: int) -> Verdict:
    """Kill -9 workers, the server and PostgreSQL while people talk. Judged by what the message centre took."""
    verdict, moments, began = Verdict("conversations"), random.Random(seed), time.monotonic()
    everybody = [rigs.number(n) for n in range(people)]
    silent = set(everybody[::SILENT])
    record = rig.settings.data / "smsc.jsonl"
    done: Counter[str] = Counter()
    async with _centre(rig, record, Crowd(silent)) as crowd:
        await _begin(rig, people, number)
        work = [*house.PROGRAM, "serve", "--workers", "1", "--port", str(house.free_port())]
        served = house.Seat("server", [*work, "--data", str(rig.settings.data)], rig.settings.data / "serve.log")
        seats = [*house.workers(rig.settings.data, 1), served]
        async with house.House(rig.settings.data, seats) as home:
            while done.total() < number:
                # Told by texts, not by seconds: on a busy machine a process needs some to come up.
                await crowd.more(moments.uniform(0.2, 1.6) * people * len(TEXTS) / (number + 2))
                await asyncio.sleep(moments.uniform(0, 0.3))
                what = moments.choice([*seats, seats[0], None])
                if what is None:
                    if killed := home.kill_postgres(moments):
                        done[killed] += 1
                elif home.kill(what):
                    done[what.name] += 1
            await _until_quiet(rig, crowd, people, silent, 90 + people / 20)
    verdict.kills, verdict.people = dict(sorted(done.items())), people
    verdict.bound = 2 * judge.IN_HAND * done.total()
    _judge(verdict, await _stories(rig) or {}, judge.texts(record), everybody, silent)
    verdict.seconds = time.monotonic() - began
    return verdict


@asynccontextmanager
async def _centre(rig: Rig, record: Path, crowd: Crowd) -> AsyncIterator[Crowd]:
    """A message centre in this process, which nobody kills, with people behind it; the app sends through it."""
    centre = Centre(scripts.read({"behaviour": {"latency_ms": [5, 60]}}), record)
    centre.people = crowd
    port, now = await centre.listen("127.0.0.1", 0), config.utc_now()
    settings = {"host": "127.0.0.1", "port": port, "system_id": "storm", "reconnect_s": [0.02, 0.5]}
    body = {"name": "SMSC", "kind": "smpp", "settings": settings}
    await carrier_accounts.create(rig.db, seals.from_settings(rig.settings), rig.app, body, now=now)
    await senders.update(rig.db, rig.app, "*", {"carrierAccountId": "SMSC"}, now=now)
    try:
        yield crowd
    finally:
        await centre.close()


async def _begin(rig: Rig, people: int, kills: int) -> Campaign:
    """Play the campaign, rated so that it lasts as long as the kills."""
    now = config.utc_now()
    made = await flows.create(
        rig.db, rig.app, {"name": "Storm", "document": {"nodes": NODES}, "publish": True}, by="test", now=now
    )
    name = await rig.add_list(people)
    await rig.execute(SILENCE, {"every": SILENT})
    rate = max(20, people * len(TEXTS) / max(5.0, kills * SENDING))
    await rig.execute("UPDATE sender SET parts_per_second = %(rate)s", {"rate": rate})
    draft = rig.draft(name, "") | {"format": "advanced", "experienceFlowName": made.flow.public_id}
    del draft["message"]
    return await rig.play(await campaigns.create(rig.db, rig.app, draft, now=now))


async def _until_quiet(rig: Rig, crowd: Crowd, people: int, silent: set[str], seconds: float) -> None:
    """Wait until nobody has anything to say or to hear, for a while; at most so long, as then it is stuck."""
    end, since = time.monotonic() + seconds, None
    while time.monotonic() < end:
        if not await _quiet(rig, crowd, people, silent):
            since = None
        elif since is None:
            since = time.monotonic()
        elif time.monotonic() - since > QUIET:
            return
        await asyncio.sleep(0.2)


async def _quiet(rig: Rig, crowd: Crowd, people: int, silent: set[str]) -> bool:
    try:
        async with rig.db.connection() as conn:
            row = await (await conn.execute(LEFT_TO_DO)).fetchone()
            if row == (0, 0, people):
                await conn.execute(LEASES_END)
    except StoreUnavailable:
        return False
    if row != (0, 0, people):
        return False
    told = await _stories(rig)
    return told is not None and all(
        one.over or (number not in silent and one.unheard(crowd.got[number])) for number, one in told.items()
    )


async def _stories(rig: Rig) -> dict[str, Story] | None:
    """What our rows say, by number; None while there is no database."""
    found: defaultdict[str, Story] = defaultdict(Story)
    try:
        async with rig.db.connection() as conn:
            rows = await (await conn.execute(TOLD)).fetchall()
    except StoreUnavailable:
        return None
    for number, text, status, over, result in rows:
        one = found[number]
        if text in one.texts:
            one.twice.append(text)
        one.texts[text], one.over, one.result = status, over, result
    return found


def _judge(
    verdict: Verdict, told: dict[str, Story], taken: dict[str, list[str]], everybody: list[str], silent: set[str]
) -> None:
    """Add every promise that was broken to somebody."""
    for number in everybody:
        got, one = taken.get(number, []), told.get(number, Story())
        said = NUDGED if number in silent else TEXTS
        verdict.taken += len(got)
        verdict.unknown += sum(status == "unknown" for status in one.texts.values())
        if len(set(got)) < len(got) or one.twice:
            verdict.faults.append(f"{number} was told something twice: {got} {one.twice}")
        if [text for text in said if text in got] != got:
            verdict.faults.append(f"{number} was told {got}, which the flow does not say")
        if list(one.texts) != list(said[: len(one.texts)]) and set(one.texts) != set(said[: len(one.texts)]):
            verdict.faults.append(f"{number} has {list(one.texts)} on record, which the flow does not say")
        wrong = {text: status for text, status in one.texts.items() if status not in _may_be(text in got)}
        if wrong or not set(got) <= set(one.texts):
            verdict.faults.append(f"{number} was told {got}, and on record is {one.texts}")
        if not (one.over and one.result == "through") and not one.unheard(got):
            verdict.faults.append(f"{number} was left standing ({one.result}) after {one.texts}")
    if verdict.unknown > verdict.bound:
        verdict.faults.append(f"{verdict.unknown} are unknown: more than the {verdict.bound} in hand at the kills")


def _may_be(there: bool) -> set[str]:
    """The statuses that a text may have which was, or was not, taken by the message centre."""
    return {"accepted", "delivered", "unknown"} if there else {"unknown"}
