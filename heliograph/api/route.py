"""What a line of the table of paths says. The tables are in routes.py and beside what they lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.api import paths, shapes
from heliograph.api.paths import V1, V2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table.

    ``shown``: under which printed prefixes /docs lists it; every prefix works. ``makes``: where in other paths the
    ``_id`` that it answers may stand, so that /docs can say what to do with it.
    """

    verb: str
    path: str
    handler: Callable[..., Awaitable[Response]]
    answer: type[shapes.Shape]
    takes: type[shapes.Shape] | None = None
    shown: tuple[str, ...] = (V1, V2)
    status: int = 200
    makes: str | None = None

    def printed(self, prefix: str) -> str | None:
        """The prefix it is shown under in the version of ``prefix``, if it is shown there."""
        return next((at for at in self.shown if paths.SAME_AS.get(at, at) == prefix), None)

    def operation_id(self, prefix: str) -> str:
        """Its name in the description, in the version of ``prefix``."""
        name = f"{self.area}_{self.handler.__name__}_{self.verb.lower()}"
        return f"{name}_v{paths.version(prefix + '/')}"

    @property
    def area(self) -> str:
        """What it is about: the module of its handler."""
        return self.handler.__module__.rpartition(".")[2]
