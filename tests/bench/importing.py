"""Rows a second from a file into a contact list, as a worker has it done. Run as a module, it is the process."""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString, NamedTuple

from heliograph import config
from heliograph.actions import contacts as actions
from heliograph.actions import csv_rows, import_runs, imports, lists
from heliograph.errors import Conflict
from heliograph.rules import phone
from heliograph.rules.import_wish import Wish
from heliograph.store import apps
from heliograph.store.database import Database
from tests.bench import floors, machine, processes
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from heliograph.store.apps import App
    from tests.bench.rig import Rig

TITLE = "Import"
ABOUT = """\
CSV files of 8 columns (names, number, time zone, id, priority, two more), each into a new contact list, in one
transaction, by a process of its own as a worker starts it: the file put together from its pieces, cells read, numbers
and zones checked and normalised, duplicates looked for, every column kept, a verdict written for every row. *Reading
and checking* is the same without a database, in CPU time. *Memory at most* is the importing process's, all of it.

The floors: **bare COPY** is PostgreSQL taking the same rows, ready-made, into a copy of the table with its indexes;
**the numbers** is the numbers' library reading, checking and writing the same cells, in CPU time. *Sending beside it*
is a campaign at full speed while a worker has files taken in without a pause, beside the same campaign alone: both, one
after the other, three times.
"""
HEADER = ("firstName", "lastName", "phoneNumber", "timezone", "uniqueId", "Priority", "city", "plan")
ZONES = ("America/New_York", "Asia/Kolkata", "Australia/Sydney", "", "Europe/London", "America/Denver")
MAKE: tuple[LiteralString, ...] = (
    "DROP TABLE IF EXISTS floor_contact",
    "CREATE TABLE floor_contact (LIKE contact INCLUDING ALL)",
)
COPY: LiteralString = """
COPY floor_contact (app_id, list_id, seq, number, time_zone, priority, fields, created_at, updated_at) FROM STDIN
"""
NOW = "2026-03-02 06:00:00.123456+00"
SAMPLE = 100_000  # rows whose reading and checking is timed
BLOCK = 1 << 18
MOST_BESIDE = 1_000_000  # rows of each
BESIDE = 2  # files that wait while a campaign is sent
PAIRS = 3  # campaigns alone, and beside an import: one pair says little on a machine that others use too
TAKEN = "SELECT coalesce(sum(rows), 0) FROM import_job WHERE file_name = 'beside.csv'"


async def measure(rig: Rig) -> Section:
    section = Section("import", TITLE, ABOUT)
    sample = rig.settings.data / "sample.csv"
    count = min(SAMPLE, max(rig.scale.imports))
    write(sample, count)
    checking, parsing = _cpu(lambda: _read(sample)), _cpu(lambda: _parse(sample))
    section.add("reading and checking", count / checking, "rows/s", Floor(count / parsing, "the numbers"))
    sample.unlink()
    for rows in rig.scale.imports:
        await _size(rig, section, rows, parsing / count)
    await _beside(rig, section)
    return section


async def _size(rig: Rig, section: Section, rows: int, parsing: float) -> None:
    """A file of so many rows. ``parsing``: CPU seconds that the library takes for a number."""
    file = rig.settings.data / "people.csv"
    write(file, rows)
    bare = await _bare_copy(rig, file)
    await rig.execute("CHECKPOINT")
    server = machine.server_pid(rig.settings.data)
    before = machine.cpu_seconds(server)
    done = await _import(rig, file, f"Imported {rows}")
    served = machine.cpu_seconds(server) - before
    both = Floor(rows / (bare.seconds + parsing * rows), "bare COPY and the numbers, one after the other")
    group = f"{rows:,} rows"
    rate = rows / done["seconds"]
    section.add("imported", rate, "rows/s", both, group=group)
    section.add("imported", rate, "rows/s", Floor(rows / bare.seconds, "bare COPY"), group=group)
    section.add(
        "its process, CPU for 1,000", done["cpu"] / rows * 1000, "s", Floor(parsing * 1000, "the numbers"), group=group
    )
    section.add(
        "PostgreSQL, CPU for 1,000", served / rows * 1000, "s", Floor(bare.cpu / rows * 1000, "bare COPY"), group=group
    )
    section.add("memory at most", done["peak"], "MiB", Floor(done["before"], "before it began"), group=group)
    section.headlines.append(
        f"{rows:,} rows imported at **{rate:,.0f} rows/s**, **{times(both.value / rate)}** the time of a bare COPY and "
        f"the numbers' library; {done['peak']:.0f} MiB at most."
    )
    if done["imported"] != rows:
        section.faults.append(f"{rows} rows, and {done['imported']:.0f} were imported")
    file.unlink()


async def _beside(rig: Rig, section: Section) -> None:
    """Campaigns alone, and others while files are taken in."""
    everyone = await rig.add_list(rig.scale.people)
    rows = min(max(rig.scale.imports), MOST_BESIDE)
    file = rig.settings.data / "beside.csv"
    write(file, rows)
    alone = beside = taken = 0.0
    for pair in range(PAIRS):
        alone += await _send(rig, everyone)
        jobs = [await _begin(rig.db, rig.app, file, f"Beside {pair} {n}") for n in range(BESIDE)]
        before = await rig.value(TAKEN)
        beside += await _send(rig, everyone)
        taken += await rig.value(TAKEN) - before
        for name, job in jobs:
            with suppress(Conflict):
                await imports.cancel(rig.db, rig.app, name, job, now=config.utc_now())
    people = rig.scale.people * PAIRS
    floor = Floor(people / alone, "the same alone")
    section.add("sent", people / beside, "texts/s", floor, group="sending beside it")
    section.add("imported meanwhile", taken / beside, "rows/s", group="sending beside it")
    section.headlines.append(f"Beside an import, sending takes **{times(beside / alone)}** its time.")
    file.unlink()


async def _send(rig: Rig, everyone: str) -> float:
    """Seconds from play to Completed, with a worker that has come up."""
    rig.clear_transcript()
    await rig.behave(receipt_lost=1.0)
    campaign = await rig.create(everyone, rigs.PERSONAL)
    with processes.working(rig.settings.data):
        began = time.monotonic()
        await rig.finish(await rig.play(campaign))
        return time.monotonic() - began


def number(n: int) -> str:
    """A number for the ``n``-th of ten million: exchange 555 of every area code, of which almost none is in use."""
    return f"+1{n // 10_000 % 1000:03d}555{n % 10_000:04d}"


def write(path: Path, people: int) -> None:
    """A file as a spreadsheet would leave it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(people):
            known, raw = rigs.columns(n), number(n)
            shown = f"{raw[:2]} {raw[2:5]}-{raw[5:8]}-{raw[8:]}" if n % 3 else raw
            zone = ZONES[n % len(ZONES)]
            out.writerow((known["First Name"], "Ivanova", shown, zone, f"C-{n:06d}", n % 5 + 1, known["city"], "Basic"))


def _read(path: Path) -> None:
    with path.open("rb") as file:
        reader = csv_rows.Reader(file)
        while reader.page(actions.PAGE) is not None:
            pass
        reader.detach()


def _parse(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        raws = [row[2] for row in csv.reader(file)][1:]
    library = phone.fast
    for raw in raws:
        number = library.parse(raw, None)
        library.is_possible_number(number)
        library.format_number(number, library.PhoneNumberFormat.E164)


def _cpu(work: Callable[[], object]) -> float:
    """CPU seconds, the least of three."""
    took: list[float] = []
    for _ in range(3):
        began = time.process_time()
        work()
        took.append(time.process_time() - began)
    return min(took)


class _Copied(NamedTuple):
    """What a COPY took: seconds, and CPU seconds of PostgreSQL."""

    seconds: float
    cpu: float


async def _bare_copy(rig: Rig, file: Path) -> _Copied:
    """What it takes to COPY of the same rows, which have been made ready in a file."""
    ready = file.with_suffix(".copy")
    with file.open("rb") as source, ready.open("w", encoding="utf-8") as out:
        reader, seq = csv_rows.Reader(source), 0
        while (page := reader.page(actions.PAGE)) is not None:
            for row in page.contacts:
                seq += 1
                fields = row.fields.replace("\\", "\\\\")
                zone = row.time_zone or "\\N"
                out.write(f"1\t1\t{seq}\t{row.number}\t{zone}\t{row.priority}\t{fields}\t{NOW}\t{NOW}\n")
        reader.detach()
    for statement in MAKE:
        await rig.execute(statement)
    await rig.execute("CHECKPOINT")
    server = machine.server_pid(rig.settings.data)
    began, cpu = time.monotonic(), machine.cpu_seconds(server)
    await floors.copy_in(rig, COPY, _blocks(ready))
    took = _Copied(time.monotonic() - began, machine.cpu_seconds(server) - cpu)
    await rig.execute("DROP TABLE floor_contact")
    ready.unlink()
    return took


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


async def _import(rig: Rig, file: Path, name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.importing", str(rig.settings.data), rig.app.public_id]
    child = await asyncio.create_subprocess_exec(*command, str(file), name, stdout=subprocess.PIPE)
    said, _ = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError(f"The import of {file.name} ended with {child.returncode}")
    return json.loads(said)


async def _begin(db: Database, app: App, file: Path, name: str) -> tuple[str, str]:
    """Send a file for a new list; the list's name and the import's id."""
    await lists.create(db, app, {"name": name, "source": "localDrive"}, now=config.utc_now())

    async def pieces() -> AsyncIterator[bytes]:
        with file.open("rb") as opened:
            while piece := opened.read(imports.PIECE):
                yield piece

    job = await imports.begin(db, app, name, pieces(), file_name=file.name, wish=Wish(), clock=config.utc_now)
    return name, job.public_id


async def _child(data: str, app_id: str, path: str, name: str) -> dict[str, float]:
    settings = config.Settings(data=Path(data))
    db = await Database.open(settings, size=2)
    warm = Path(path).with_suffix(".warm.csv")
    warm.write_text("name,phone\nAda,+12025550143\n")
    try:
        async with db.connection() as conn:
            app = await apps.get(conn, app_id)
        await _begin(db, app, warm, f"{name} warm")  # loads what is loaded once, whatever the file
        await import_runs.take_next(db, config.utc_now, settings.quota)
        _, job_id = await _begin(db, app, Path(path), name)
        before, began, cpu = machine.own_peak_mib(), time.monotonic(), time.process_time()
        await import_runs.take_next(db, config.utc_now, settings.quota)
        took, used, peak = time.monotonic() - began, time.process_time() - cpu, machine.own_peak_mib()
        async with db.connection() as conn:
            job = await imports.find(conn, app, name, job_id)
        return {"seconds": took, "cpu": used, "before": before, "peak": peak, "imported": job.added}
    finally:
        await db.close()
        warm.unlink()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_child(*sys.argv[1:]))))
