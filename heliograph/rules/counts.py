"""How many of something, in a sentence."""

from __future__ import annotations


def of(number: int, one: str, many: str) -> str:
    """``1 entry``, ``2 entries``, ``0 entries``."""
    return f"{number} {one if number == 1 else many}"


def them(number: int) -> str:
    """The word that stands for what was counted: ``it`` for one, ``them`` for any other number."""
    return "it" if number == 1 else "them"
