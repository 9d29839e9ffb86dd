"""What a copy is called."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def copies(name: str, *, longest: int) -> Iterator[str]:
    """Names for a copy of what is called ``name``, without end, the nicest first, none over ``longest`` characters.

    ``Copy of Sale``, ``Copy of Sale (2)``, ``Copy of Sale (3)``, …
    """
    for number in count(1):
        after = "" if number == 1 else f" ({number})"
        yield f"Copy of {name}"[: longest - len(after)].rstrip() + after
