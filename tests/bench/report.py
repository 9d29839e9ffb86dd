"""What was measured, as rows beside their floors: on the terminal, and as a page of the documents."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

PER_SECOND = "/s"  # a unit that ends so is a rate: more is better. All others are costs: less is better


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that the same work costs without us, measured in the same run."""

    value: float
    what: str


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. ``ratio`` is how many times the floor's time (or size) ours takes: 1.0 would be free."""

    what: str
    value: float
    unit: str
    floor: Floor | None = None
    group: str = ""  # rows of one group stand together under its name

    @property
    def ratio(self) -> float | None:
        if self.floor is None or not self.floor.value or not self.value:
            return None
        is_rate = self.unit.endswith(PER_SECOND)
        return self.floor.value / self.value if is_rate else self.value / self.floor.value


@dataclass(slots=True)
class Section:
    """One bench: what it does in a few sentences, its rows, and what it must never find."""

    name: str
    title: str
    about: str
    rows: list[Row] = field(default_factory=list[Row])
    headlines: list[str] = field(default_factory=list[str])
    faults: list[str] = field(default_factory=list[str])  # broken promises: the bench fails

    def add(self, what: str, value: float, unit: str, floor: Floor | None = None, *, group: str = "") -> None:
        self.rows.append(Row(what, value, unit, floor, group))

    def groups(self) -> list[tuple[str, list[Row]]]:
        """The rows, group by group, in the order they were added."""
        return [(name, list(rows)) for name, rows in groupby(self.rows, key=lambda row: row.group)]


def quantity(value: float, unit: str) -> str:
    """A figure with as many digits as it deserves."""
    if unit == "":
        return f"{value:,.0f}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 else 3
    space = "" if unit.startswith("/") else " "
    return f"{value:,.{digits}f}{space}{unit}"


def times(ratio: float) -> str:
    """A ratio, as people say it."""
    digits = 0 if ratio >= 100 else 1 if ratio >= 2 else 2
    return f"{ratio:,.{digits}f}x"


def table(section: Section) -> Table:
    """A section for the terminal."""
    shown = Table(title=section.title, title_justify="left", title_style="bold", expand=False)
    shown.add_column("")
    shown.add_column("measured", justify="right", no_wrap=True)
    shown.add_column("x floor", justify="right", style="bold", no_wrap=True)
    shown.add_column("floor", justify="right", no_wrap=True)
    shown.add_column("which is", style="dim")
    for name, rows in section.groups():
        if name:
            shown.add_section()
            shown.add_row(f"[bold]{name}[/bold]")
        for row in rows:
            shown.add_row(row.what, *_cells(row))
    return shown


def markdown(sections: Sequence[Section], machine: Sequence[tuple[str, str]]) -> str:
    """The whole page."""
    lines = [HEAD, "## In short", ""]
    lines += [line for section in sections for line in _headlines(section)]
    lines += ["", "## The machine", "", "| | |", "|---|---|"]
    lines += [f"| {what} | {value} |" for what, value in machine]
    for section in sections:
        lines += ["", *_part(section)]
    return "\n".join(lines) + "\n"


def replaced(page: str, section: Section, told: str) -> str:
    """A page with this section in place of the one of its title, or behind all others; ``told``: when, and on what."""
    head, *parts = re.split(r"(?m)^(?=## )", page.rstrip("\n") + "\n")
    new = "\n".join(_part(section, told)) + "\n"
    there = [part.partition("\n")[0] for part in parts]
    title = f"## {section.title}"
    if title in there:
        at = there.index(title)
        parts[at] = new + ("\n" if at + 1 < len(parts) else "")
    else:
        parts[-1:] = [parts[-1] + "\n", new]
    short = there.index("## In short")
    parts[short] = "".join(_shortened(parts[short].splitlines(keepends=True), section))
    return head + "".join(parts)


def _shortened(lines: Sequence[str], section: Section) -> list[str]:
    """The part "In short" with the headlines of a section where its old ones were, else behind the others."""
    mine = [f"{line}\n" for line in _headlines(section)]
    places = [n for n, line in enumerate(lines) if line.rstrip().endswith(_mark(section))]
    others = [n for n, line in enumerate(lines) if line.startswith("* ")]
    at = places[0] if places else others[-1] + 1 if others else len(lines)
    return [*lines[:at], *mine, *(line for n, line in enumerate(lines) if n >= at and n not in places)]


def _mark(section: Section) -> str:
    return f"<!-- {section.name} -->"


def _headlines(section: Section) -> list[str]:
    """The lines of "In short" that are this section's: by the mark, which is not seen, they are found again."""
    return [f"* {headline} {_mark(section)}" for headline in section.headlines]


def _part(section: Section, told: str = "") -> list[str]:
    lines = [f"## {section.title}", "", section.about.rstrip()]
    lines += ["", told] if told else []
    for name, rows in section.groups():
        lines += ["", f"### {name[0].upper()}{name[1:]}", ""] if name else [""]
        lines += ["| | measured | x floor | floor | which is |", "|---|--:|--:|--:|---|"]
        lines += [_line(row) for row in rows]
    return lines + [f"\n**Broken promise:** {fault}" for fault in section.faults]


def _line(row: Row) -> str:
    value, ratio, floor, which = _cells(row)
    return "| " + " | ".join([row.what, value, f"**{ratio}**" if ratio else "", floor, which]) + " |"


def _cells(row: Row) -> tuple[str, str, str, str]:
    value = quantity(row.value, row.unit)
    if row.floor is None:
        return value, "", "", ""
    ratio = "" if row.ratio is None else times(row.ratio)
    return value, ratio, quantity(row.floor.value, row.unit), row.floor.what


HEAD = """\
# Benchmarks

Written by `make bench`, which measures the machine it runs on: the figures are of that machine, and a busy neighbour
shows in them. `make bench ARGS="delete rules"` measures some of it and replaces only those sections here, each with a
line that tells when; `make bench ARGS=--quick` measures all of it at a twentieth of the size and writes nothing.

## How to read it

Absolute figures say as much about the machine as about Heliograph. So each stands beside its **floor**: the least that
the same work costs on the same machine in the same run, without us. The column **x floor** says how many times the
floor's time ours takes, for rates and for costs alike: 1x would mean that everything we promise is free, and less is
better everywhere. It travels between machines; the others do not.

Every figure was taken with durable commits: the embedded PostgreSQL with its defaults (`fsync` and
`synchronous_commit` on), each process on its own, everything on one machine, whose cores they share with the bench.
p50 is the median; p99 is the value that 99 of 100 did not exceed.
"""
