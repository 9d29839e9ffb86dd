"""What the JSON of conversations' numbers looks like, for its description at /docs. Nothing is checked by it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from heliograph.api.shapes import Shape


class TalkSettings(Shape):
    """How conversations are held. What is left out stays."""

    secondSession: Literal["newest", "queue"] | None = Field(
        default=None,
        description="Of one person on one address: the session whose first text left last counts (`newest`), or a "
        "campaign's first text waits until the session before is over (`queue`).",
    )
    answerMinutes: int | None = Field(
        default=None, ge=1, le=1440, description="For so long a text is an answer, for which no hours are kept."
    )
    answersPerHour: int | None = Field(
        default=None, ge=1, le=1000, description="What one person writes is answered so often in an hour."
    )
    webhookSecret: str | None = Field(
        default=None, description="The name of the app's secret that calls of services are signed with; empty: none."
    )


class NodeCount(Shape):
    """A node of the flow."""

    node: str = Field(examples=["menu"])
    now: int = Field(description="How many stand there.")
    ended: int = Field(description="How many conversations ended there.")


class TalkNumbers(Shape):
    """How conversations go. `planned = waiting + started`; `started = underWay +` all of `results`."""

    planned: int
    waiting: int = Field(description="Their first text has not left yet.")
    started: int
    underWay: int
    answered: int = Field(description="Who wrote anything that the flow heard.")
    medianSecondsToAnswer: float | None = Field(description="From our first text to their first answer.")
    results: dict[str, int] = Field(examples=[{"helped": 12, "handed over": 3, "opted out": 1}])
    nodes: list[NodeCount]


class RunTalkNumbers(TalkNumbers):
    """Of a run."""

    runId: str
    experienceFlow: str | None
    flowVersion: int | None


class FlowTalkNumbers(TalkNumbers):
    """Of a flow."""

    experienceFlow: str


class RunTalksAnswer(Shape):
    """Them, in the common envelope."""

    status: Literal["success"]
    message: str
    data: RunTalkNumbers


class FlowTalksAnswer(Shape):
    """Them, in the common envelope."""

    status: Literal["success"]
    message: str
    data: FlowTalkNumbers


class SessionRecord(Shape):
    """One person's way through the flow."""

    id: str = Field(examples=["ses-0000000000000001"])
    phoneNumber: str
    address: str = Field(description="Of ours, as the person sees it.")
    experienceFlow: str
    flowVersion: int
    state: Literal["opening", "new", "answer", "time", "call", "handed", "ended"] = Field(
        description="What it waits for: its first text to leave, the person's answer, a time, a service."
    )
    node: str = Field(description="Where it stands, or stood last.")
    answers: int
    startedAt: str
    firstTextAt: str | None
    nextLookAt: str | None = Field(description="When it is looked at without anything happening to it.")
    endedAt: str | None
    result: str | None


class SessionsPage(Shape):
    """Some of them."""

    results: list[SessionRecord]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class SessionsAnswer(Shape):
    """It, in the common envelope."""

    status: Literal["success"]
    message: str
    data: SessionsPage


class TalkLine(Shape):
    """Something said."""

    from_: Literal["us", "person"] = Field(alias="from")
    text: str
    at: str
    status: str | None = Field(description="Of a text of ours; of a reply, what became of it.")
    reason: str | None
    node: str | None
    messageId: str | None


class SessionTold(SessionRecord):
    """One, with all that was said."""

    transcript: list[TalkLine]


class TranscriptAnswer(Shape):
    """It, in the common envelope."""

    status: Literal["success"]
    message: str
    data: SessionTold
