"""Rows a second from a CSV file into a contact list. Run as a module, it is the process that imports."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

from heliograph import config
from heliograph.actions import contacts as actions
from heliograph.actions import csv_rows
from heliograph.rules import phone
from heliograph.store import apps
from heliograph.store.database import Database
from tests.bench import floors, machine
from tests.bench import rig as rigs
from tests.bench.report import Floor, Section, times

if TYPE_CHECKING:
    from collections.abc import Callable

    from heliograph.store.contacts import NewContact
    from tests.bench.rig import Rig

TITLE = "Import"
ABOUT = """\
A CSV file of {people:,} rows and 8 columns (names, number, time zone, id, priority, two more) into a new contact list,
in one transaction, by a process of its own: cells read, numbers and zones checked and normalised, duplicates looked
for, every column kept. *Reading and checking* is the same without a database. *Memory at most* is the importing
process's, all of it.

The floors: **bare COPY** is PostgreSQL taking the same rows, ready-made, into a copy of the table with its indexes.
**Parsing the numbers** is the numbers' library reading, checking and writing the same cells; **bare csv** is Python's
`csv.reader` over the same file, doing nothing with it.
"""
HEADER = ("firstName", "lastName", "phoneNumber", "timezone", "uniqueId", "Priority", "city", "plan")
ZONES = ("America/New_York", "Asia/Kolkata", "Australia/Sydney", "", "Europe/London", "America/Denver")
MAKE = "CREATE TABLE floor_contact (LIKE contact INCLUDING ALL)"
COPY: LiteralString = """
COPY floor_contact (app_id, list_id, seq, number, time_zone, priority, fields, created_at, updated_at) FROM STDIN
"""


async def measure(rig: Rig) -> Section:
    people = rig.scale.people
    section = Section("import", TITLE, ABOUT.format(people=people))
    file, tenth = rig.settings.data / "people.csv", rig.settings.data / "tenth.csv"
    write(file, people)
    write(tenth, people // 10)
    rows = _read(file)
    bare_copy = await _bare_copy(rig, rows)
    parsing, reading = _seconds(lambda: _parse(file)), _seconds(lambda: _cells(file))
    checking = _seconds(lambda: _read(file))
    await rig.execute("CHECKPOINT")
    small = await _import(rig, tenth, "Imported tenth")
    large = await _import(rig, file, "Imported")
    section.add("imported", people / large["seconds"], "rows/s", Floor(people / bare_copy, "bare COPY"))
    section.add("reading and checking", people / checking, "rows/s", Floor(people / parsing, "parsing the numbers"))
    section.add("reading and checking", people / checking, "rows/s", Floor(people / reading, "bare csv"))
    section.add("memory at most", large["peak"], "MiB", Floor(large["before"], "the process before it began"))
    section.add("memory at most", large["peak"], "MiB", Floor(small["peak"], f"a file of {people // 10:,} rows"))
    section.headlines.append(
        f"{people:,} rows of CSV imported at **{people / large['seconds']:,.0f} rows/s**, "
        f"**{times(large['seconds'] / bare_copy)}** the time of a bare COPY; the process grew by "
        f"{large['peak'] - large['before']:.1f} MiB."
    )
    if large["imported"] != people:
        section.faults.append(f"{people} rows, and {large['imported']:.0f} were imported")
    await rig.execute("DROP TABLE floor_contact")
    for path in (file, tenth):
        path.unlink()
    return section


def write(path: Path, people: int) -> None:
    """A file as a spreadsheet would leave it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for n in range(people):
            known, raw = rigs.columns(n), rigs.number(n)
            shown = f"{raw[:2]} {raw[2:5]}-{raw[5:8]}-{raw[8:]}" if n % 3 else raw
            zone = ZONES[n % len(ZONES)]
            out.writerow((known["First Name"], "Ivanova", shown, zone, f"C-{n:06d}", n % 5 + 1, known["city"], "Basic"))


def _read(path: Path) -> list[NewContact]:
    with path.open("rb") as file:
        reader = csv_rows.Reader(file)
        rows: list[NewContact] = []
        while (page := reader.page(actions.PAGE)) is not None:
            rows += page.contacts
        reader.detach()
    return rows


def _cells(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        for _ in csv.reader(file):
            pass


def _parse(path: Path) -> None:
    with path.open(newline="", encoding="utf-8") as file:
        raws = [row[2] for row in csv.reader(file)][1:]
    library = phone.fast
    for raw in raws:
        number = library.parse(raw, None)
        library.is_possible_number(number)
        library.format_number(number, library.PhoneNumberFormat.E164)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


async def _bare_copy(rig: Rig, rows: list[NewContact]) -> float:
    now = "2026-03-02 06:00:00.123456+00"
    lines = (
        f"1\t1\t{seq}\t{row.number}\t{row.time_zone or chr(92) + 'N'}\t{row.priority}\t"
        f"{row.fields.replace(chr(92), chr(92) * 2)}\t{now}\t{now}\n"
        for seq, row in enumerate(rows, 1)
    )
    blocks = list(floors.blocks(lines))
    await rig.execute(MAKE)
    await rig.execute("CHECKPOINT")
    began = time.monotonic()
    await floors.copy_in(rig, COPY, blocks)
    return time.monotonic() - began


async def _import(rig: Rig, file: Path, name: str) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.importing", str(rig.settings.data), rig.app.public_id]
    child = await asyncio.create_subprocess_exec(*command, str(file), name, stdout=subprocess.PIPE)
    said, _ = await child.communicate()
    if child.returncode != 0:
        raise RuntimeError(f"The import of {file.name} ended with {child.returncode}")
    return json.loads(said)


async def _child(data: str, app_id: str, path: str, name: str) -> dict[str, float]:
    db = await Database.open(config.Settings(data=Path(data)), size=2)
    try:
        async with db.connection() as conn:
            app = await apps.get(conn, app_id)
        now = config.utc_now()
        warm = io.BytesIO(b"name,phone\nAda,+12025550143\n")  # loads what is loaded once, whatever the file
        await actions.import_csv(db, app, f"{name} warm", warm, file_name="warm.csv", now=now, create=True)
        before, began = machine.own_peak_mib(), time.monotonic()
        with Path(path).open("rb") as file:
            done = await actions.import_csv(db, app, name, file, file_name="people.csv", now=now, create=True)
        return {
            "seconds": time.monotonic() - began,
            "before": before,
            "peak": machine.own_peak_mib(),
            "imported": done.imported,
        }
    finally:
        await db.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_child(*sys.argv[1:]))))
