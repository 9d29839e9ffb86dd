"""What the tests of wrong requests have in common: complaints gathered over routes, and turns at many cases."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import httpx

from tests.api.world import complaint

NEVER_A_FAULT = (200, 202, 400, 403, 404, 405, 409, 413)


class Complaints:
    """What was wrong with answers, gathered so that one run tells of every route."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, answer: httpx.Response, *statuses: int, about: object = "") -> None:
        """Note what is wrong with an answer that should be an error of one of these statuses."""
        found = complaint(answer, *statuses)
        if found is not None:
            request = answer.request
            self.found.append(f"{request.method} {request.url.raw_path[:200]!r} {about}: {found}")

    def tolerate(self, answer: httpx.Response, *, about: object = "") -> None:
        """Note a fault of ours, or an error that is not in the house's shape."""
        if answer.status_code not in (200, 202):
            self.look(answer, *NEVER_A_FAULT, about=about)

    def none(self) -> bool:
        assert not self.found, f"{len(self.found)} complaints\n" + "\n".join(self.found[:40])
        return True


class Turns:
    """Some of many, and at the next call the next: every route gets a few, and all have their turn."""

    def __init__(self, many: Iterable[Any]) -> None:
        self._many = itertools.cycle(many)

    def take(self, some: int) -> list[Any]:
        return list(itertools.islice(self._many, some))
