"""Hashing passwords with Argon2id, slowly and beside the event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from heliograph.rules import password as rules

if TYPE_CHECKING:
    from heliograph.config import Settings

PASSES = 3  # RFC 9106, the second recommended choice: 3 passes over 64 MiB in 4 lanes
LANES = 4


class Passwords:
    """Makes and checks hashes. ``memory_kib``: what each takes while it is made, and whoever guesses too."""

    def __init__(self, memory_kib: int) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=PASSES, memory_cost=memory_kib, parallelism=LANES)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """The hash of a password that :func:`heliograph.rules.password.check` took."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def check(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; where none is kept, the same work is done, so that the time tells nothing."""
        return await asyncio.to_thread(self._check, kept, rules.normal(password[: rules.LONGEST]))

    def stale(self, kept: str) -> bool:
        """Whether a hash was made with less than is asked for now."""
        return self._hasher.check_needs_rehash(kept)

    def _check(self, kept: str | None, password: str) -> bool:
        if self._nobodys is None:  # made whoever comes first, so that the first time tells nothing either
            self._nobodys = self._hasher.hash("the password of nobody")
        try:
            self._hasher.verify(kept or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None


def from_settings(settings: Settings) -> Passwords:
    """As this installation hashes."""
    return Passwords(settings.password_memory_kib)
