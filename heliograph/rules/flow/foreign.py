"""Flows of other makers: what came of reading one, what of it Heliograph cannot do, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules.flow import document as documents

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSUPPORTED = "x_unsupported"
"""The key of a document under which what was not understood is listed. No flow with it can be published."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something that cannot be done here. ``node`` is its id where it came from, ``kind`` its type there."""

    node: str
    kind: str
    place: str
    why: str

    def __str__(self) -> str:
        where = f"node {self.node}, " if self.node else ""
        return f"{where}{self.place}: {self.kind} {self.why}"


@dataclass(frozen=True, slots=True)
class Imported:
    """One flow that came in.

    ``document`` is ours, with what is unsupported left out (and listed in it under ``x_unsupported``); ``notes`` say
    what is done otherwise here, or lost, though the flow works without it.
    """

    name: str
    document: Mapping[str, object]
    unsupported: tuple[Unsupported, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """Flows that went out: the other maker's document, and what of ours it cannot hold."""

    document: Mapping[str, object]
    lost: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """Where a reader of foreign flows collects what it cannot take, all of it rather than the first."""

    unsupported: list[Unsupported] = field(default_factory=list[Unsupported])
    notes: list[str] = field(default_factory=list[str])
    node: str = ""
    place: str = ""

    def refuse(self, kind: str, why: str = "is not supported", *, at: str = "") -> None:
        """Note that something cannot be done here."""
        found = Unsupported(self.node, kind, f"{self.place}{at}", why)
        if found not in self.unsupported:
            self.unsupported.append(found)

    def note(self, words: str) -> None:
        """Note that something is otherwise here."""
        said = f"{self.place}: {words}" if self.place else words
        if said not in self.notes:
            self.notes.append(said)


def finish(name: str, document: dict[str, object], findings: Findings) -> Imported:
    """What came of reading a flow, once its document can be read.

    Raises :class:`Invalid` for one that cannot, such as one with a text longer than any here, with the place in ours.
    """
    found = tuple(findings.unsupported)
    if found:
        document[UNSUPPORTED] = [str(each) for each in found]
    try:
        documents.read(document)
    except Invalid as error:
        raise Invalid(f"The flow {name} cannot come in: {error}", field=error.field) from error
    return Imported(name, document, found, tuple(findings.notes))
