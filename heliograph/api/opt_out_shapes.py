"""What the JSON of opt-outs looks like, for its description at /docs. Nothing is checked."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from heliograph.api.shapes import Shape
from heliograph.rules import consent as law

NUMBER = "+14155550100"

Text = Annotated[str, Field(max_length=law.LONGEST_TEXT)]
Number = Annotated[str | int, Field(examples=[NUMBER])]
At = Annotated[str, Field(description="When it was said: an ISO 8601 time that is past.")]


class OptOutRecord(Shape):
    """Somebody who is not to be texted."""

    phoneNumber: str = Field(examples=[NUMBER])
    address: str | None = Field(description="The address of ours that they said no to; null: whatever it is sent from.")
    kind: Literal["no", "review"] = Field(description="`review`: only promotional texts wait, until it is decided.")
    source: Literal["reply", "carrier", "person", "api", "import"]
    reason: str
    createdAt: str


class ConsentRecord(Shape):
    """Evidence: something that was said about being texted."""

    what: Literal["opt_out", "opt_in", "review", "decided"]
    how: str = Field(description="By which step it was understood, such as `keyword`; `code`: a carrier's.")
    word: str
    text: str = Field(description="What was written, word for word.")
    source: str
    address: str
    by: str
    at: str
    recordedAt: str


class OptOutPage(Shape):
    """Some of those who said no."""

    results: list[OptOutRecord]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class OptOutsAnswer(Shape):
    """Those who said no in the common envelope."""

    status: Literal["success"]
    message: str
    data: OptOutPage


class OptOutStory(Shape):
    """One number: what keeps it from being texted, and all that was said, the first first."""

    phoneNumber: str = Field(examples=[NUMBER])
    optedOut: bool
    entries: list[OptOutRecord]
    evidence: list[ConsentRecord]


class OptOutAnswer(Shape):
    """One number in the common envelope."""

    status: Literal["success"]
    message: str
    data: OptOutStory


class ConsentEvent(Shape):
    """Somebody said no, or yes."""

    phoneNumber: Number
    what: Literal["optOut", "optIn", ""] | None = Field(default="optOut")
    at: At | None = None
    text: Text | None = None


class ConsentEvents(Shape):
    """Events to record: many in `events`, or one, whose fields stand in the body itself."""

    example: ClassVar[dict[str, Any]] = {
        "events": [{"phoneNumber": NUMBER, "what": "optOut", "at": "2026-01-05T09:00:00Z", "text": "By letter"}]
    }

    events: Annotated[list[ConsentEvent], Field(min_length=1, max_length=law.MOST_AT_ONCE)] | None = None
    phoneNumber: str | int | None = None
    what: Literal["optOut", "optIn", ""] | None = None
    at: At | None = None
    text: Text | None = None


class Recorded(Shape):
    """What events changed."""

    optedOut: int
    optedIn: int
    older: int = Field(description="Recorded too; something newer was known of these people.")


class RecordedAnswer(Shape):
    """What events changed in the common envelope."""

    status: Literal["success"]
    message: str
    data: Recorded


class ConsentFile(Shape):
    """A CSV file with a header. Also taken as it is, with Content-Type ``text/csv``."""

    media = "multipart/form-data"

    example: ClassVar[dict[str, Any]] = {"file": "phoneNumber,what,at,text\n+14155550100,optOut,2026-01-05,By letter\n"}

    file: bytes = Field(json_schema_extra={"format": "binary"})


class RowProblem(Shape):
    """Why a row was left out."""

    row: int
    column: str
    value: str
    problem: str


class RecordedFile(Recorded):
    """What the rows of a file changed."""

    rows: int
    rejected: int
    problems: list[RowProblem]
    problemsTotal: int


class RecordedFileAnswer(Shape):
    """What a file changed in the common envelope."""

    status: Literal["success"]
    message: str
    data: RecordedFile


class ReviewDecision(Shape):
    """What somebody meant whose words were to be reviewed."""

    example: ClassVar[dict[str, Any]] = {"decision": "optOut", "note": "They mean it"}

    decision: Literal["optOut", "keep"]
    note: Text | None = None


class OptOutTexts(Shape):
    """The words of answers; null: those that are shipped, empty: no answer."""

    stop: Annotated[str, Field(max_length=306)] | None = None
    start: Annotated[str, Field(max_length=306)] | None = None
    help: Annotated[str, Field(max_length=306)] | None = None


class OptOutSettings(Shape):
    """What counts as a no, how far it reaches, and what is answered. What is left out stays."""

    scope: Literal["global", "sender"] | None = None
    confirm: bool | None = Field(default=None, description="Whether anybody is answered.")
    texts: OptOutTexts | None = None
    stop: list[str] | None = Field(default=None, description="Own words and phrases besides the shipped ones.")
    start: list[str] | None = None
    patterns: list[str] | None = Field(
        default=None, description="Phrases with stars between them, in this order anywhere: `no * more * texts`."
    )
    startLifts: list[Literal["reply", "carrier", "person", "api", "import"]] | None = Field(
        default=None, description="Whose entries a person's own START takes away."
    )
    answersPerHour: int | None = Field(default=None, ge=0, le=20, description="To one person, at most.")
