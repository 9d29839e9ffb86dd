"""What the copy of something is called."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from heliograph.rules import body as reading
from heliograph.rules import draft, names

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

CANDIDATES = 50  # names that are looked up at once


def wanted_name(body: object) -> str | None:
    """The name that a clone's ``body`` gives the copy; None when it is left to us. Raises Invalid."""
    name = reading.mapping(body, "").get("name")
    return None if name is None else reading.name(name, "name", longest=draft.LONGEST_NAME)


async def free_name(name: str, find_taken: Callable[[Sequence[str]], Awaitable[set[str]]]) -> str:
    """The nicest name for a copy of what is called ``name`` that is not among those ``find_taken`` answers."""
    candidates = names.copies(name, longest=draft.LONGEST_NAME)
    while True:
        some = list(islice(candidates, CANDIDATES))
        taken = await find_taken(some)
        free = next((one for one in some if one.lower() not in taken), None)
        if free is not None:
            return free
