"""Where one person stands in a flow: all of it, as JSON that outlives every process."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """What a session waits for."""

    NEW = "new"  # not begun
    ANSWER = "answer"  # the person's
    TIME = "time"  # a delay's end
    CALL = "call"  # a webhook's answer
    HANDED = "handed"  # over to a person
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Frame:
    """A flow that another was entered from, and the node to come back to."""

    flow: str
    version: int
    node: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What the person wrote while nobody waited for it, for the next wait. ``until``: so long it is answered at once.

    ``ref``: by what whoever carries the conversation on knows it.
    """

    text: str
    until: datetime | None = None
    ref: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One person's way through a flow, at ``version`` from its beginning to its end.

    ``acts`` counts what has been asked for so far: with the session's id it names each act for good, so that doing it
    again after a crash can be told from doing it twice. ``seed`` decides at splits. ``visits`` counts how often each
    branch found no case. ``deadline``: when silence is an answer. ``answering``: the step that asked a service answered
    what the person wrote, so that what is said of the service's answer does, too. ``kept``: the last they wrote while a
    service was asked or during a delay.
    """

    id: str
    flow: str
    version: int
    state: State = State.NEW
    node: str | None = None
    deadline: datetime | None = None
    results: Mapping[str, str] = field(default_factory=dict["str", "str"])
    changed: Mapping[str, str] = field(default_factory=dict["str", "str"])
    visits: Mapping[str, int] = field(default_factory=dict["str", "int"])
    stack: tuple[Frame, ...] = ()
    acts: int = 0
    answer: str = ""
    result: str | None = None
    answering: bool = False
    kept: Kept | None = None

    @property
    def over(self) -> bool:
        """Whether nothing can happen in it any more."""
        return self.state in {State.ENDED, State.HANDED}

    def with_(self, **changes: Any) -> Session:  # noqa: ANN401  # fields of the class, checked by replace
        """A copy with some fields changed."""
        return replace(self, **changes)

    def to_json(self) -> dict[str, object]:
        """The session as JSON can hold it."""
        told: dict[str, Any] = asdict(self)
        told["deadline"] = None if self.deadline is None else self.deadline.isoformat()
        if self.kept is None:
            del told["kept"]
        elif self.kept.until is not None:
            told["kept"]["until"] = self.kept.until.isoformat()
        return told

    @classmethod
    def from_json(cls, told: Mapping[str, object]) -> Session:
        """The session that :meth:`to_json` told."""
        kept = dict(told)
        deadline = kept["deadline"]
        kept["deadline"] = None if deadline is None else datetime.fromisoformat(str(deadline))
        if "kept" in kept:
            said = cast("dict[str, Any]", kept["kept"])
            until = None if said["until"] is None else datetime.fromisoformat(said["until"])
            kept["kept"] = Kept(said["text"], until, said["ref"])
        kept["state"] = State(str(kept["state"]))
        kept["stack"] = tuple(Frame(**frame) for frame in cast("list[dict[str, Any]]", kept["stack"]))
        return cls(**cast("dict[str, Any]", kept))
