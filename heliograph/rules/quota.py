"""How much one account may keep.

What the vendor counts as part of its product (how many lists) has the vendor's value. What only says how much
a server can carry has ours, far above the vendor's: 1 million contacts in a list, 5 million in an account, and
2 million numbers on do-not-contact lists.
"""

from __future__ import annotations

from dataclasses import dataclass

from heliograph.errors import Conflict


@dataclass(frozen=True, slots=True)
class Quota:
    """The most of each kind. Operators set them; see docs/operations.md."""

    lists: int = 1_000  # of an account, over all its apps
    dnc_lists: int = 1_000  # of an account
    list_contacts: int = 20_000_000  # of one list
    contacts: int = 100_000_000  # of an account
    dnc_entries: int = 100_000_000  # of an account


DEFAULT = Quota()


def check(have: int, more: int, most: int, what: str) -> None:
    """Refuse ``more`` where ``have`` and ``more`` together are over ``most``; ``what`` is it, as in "contact lists".

    Raises :class:`~heliograph.errors.Conflict`.
    """
    if more > 0 and have + more > most:
        raise Conflict(f"There are {have} {what} already, and {more} more would be over the limit of {most}")
