"""How commands print: JSON for programs, text and tables for people.

What is asked for goes to stdout, the rest (progress, problems) to stderr: a pipe gets only what it wants.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table


def as_json(value: object) -> None:
    """Print one JSON value on a line of its own."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


WIDE = 1000  # columns of a file or a pipe: what reads it should not meet a cell on three lines


def out() -> Console:
    """Where answers go."""
    return _console(stderr=False)


def err() -> Console:
    """Where progress and problems go."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made.width = WIDE
    return made


def facts(pairs: Iterable[tuple[str, object]]) -> None:
    """Print name and value a line, aligned."""
    kept = [(name, str(value)) for name, value in pairs]
    width = max(len(name) for name, _ in kept)
    for name, value in kept:
        sys.stdout.write(f"{name:<{width}}  {value}\n")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None) -> Table:
    """A table for people. A column whose name ends in # is of numbers."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        made.add_column(name.removesuffix("#"), justify="right" if name.endswith("#") else "left", overflow="fold")
    for row in rows:
        made.add_row(*(str(cell) for cell in row))
    return made


def when(moment: datetime | None) -> str | None:
    """An instant as the API writes it."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
