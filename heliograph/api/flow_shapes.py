"""What the JSON of experience flows looks like, for its description at /docs. As in shapes.py, nothing is validated."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from heliograph.api.shapes import CampaignName, Shape

FLOW_ID = "cf-3aefda80-f98e-4f4f-ad41-92803abb0000"
SENDER_ID = "sn-3aefda80-f98e-4f4f-ad41-92803abb0000"
TOUR: dict[str, Any] = {
    "flow": 1,
    "name": "Tour",
    "expires": "3d",
    "start": "ask",
    "nodes": {
        "ask": {
            "type": "send",
            "text": "Hello <First Name>, do you want a tour? Reply YES or NO. STOP to end.",
            "next": "answer",
        },
        "answer": {"type": "wait", "timeout": "24h", "next": "which", "on_timeout": "silent"},
        "which": {
            "type": "branch",
            "cases": [{"any_word": ["yes", "ok", "sure"], "next": "booked"}],
            "otherwise": "bye",
        },
        "booked": {"type": "send", "text": "Great, we will call you.", "next": "done"},
        "bye": {"type": "send", "text": "Another time, then.", "next": "done"},
        "done": {"type": "end", "result": "answered"},
        "silent": {"type": "end", "result": "no answer"},
    },
}

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Tour"])]
Description = Annotated[str, Field(max_length=256)]
Document = Annotated[
    dict[str, Any],
    Field(description="The flow: its nodes and where each leads. `/experienceFlowSchema` has its form."),
]
Publish = Annotated[bool, Field(description="Have new conversations begin with it at once.")]


class FlowDraft(Shape):
    """A flow to create. The document may also be sent alone."""

    example: ClassVar[dict[str, Any]] = {"document": TOUR, "publish": True}

    name: Name | None = Field(default=None, description="The document's own when absent.")
    description: Description | None = None
    document: Document
    publish: Publish | None = None


class FlowChanges(Shape):
    """What to change of a flow; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"description": "Asks who wants a tour"}

    name: Name | None = None
    description: Description | None = None
    document: Document | None = None
    publish: Publish | None = None


class FlowPlace(Shape):
    """Where a flow is to answer by itself: one of the two."""

    example: ClassVar[dict[str, Any]] = {"default": True}

    senderId: str | None = Field(
        default=None, examples=[SENDER_ID], description="Whoever writes to this sender (`sn-…` or its address)."
    )
    default: bool | None = Field(default=None, description="Whoever writes without a conversation, wherever to.")


class FlowSender(Shape):
    """A sender that a flow is attached to."""

    id: str
    address: str


class FlowRecord(Shape):
    """A flow."""

    id: str = Field(alias="_id", examples=[FLOW_ID])
    name: str
    description: str
    isSystem: bool = Field(description="Whether every app has it; such a one cannot be edited or deleted.")
    publishedVersion: int | None = Field(description="What new conversations begin with; null: never published.")
    publishedAt: str | None
    hasUnpublishedChanges: bool = Field(description="Whether it has been edited since it was published.")
    isDefault: bool = Field(description="Whether whoever writes without a conversation gets it.")
    senders: list[FlowSender]
    campaignInUse: list[CampaignName]
    document: dict[str, Any] | None = Field(default=None, description="The draft, where one flow is read or written.")
    findings: list[FlowFinding] | None = Field(default=None, description="What the linter found in a draft just saved.")
    createdAt: str
    updatedAt: str


class FlowFinding(Shape):
    """Something to look at in a flow."""

    code: str = Field(examples=["unreachable"])
    level: Literal["error", "warning"] = Field(description="With an error a flow cannot be published.")
    node: str | None = Field(description="Null: the flow as a whole.")
    path: str = Field(description="Its place in the document.", examples=["nodes.ask.text"])
    message: str


class FlowAnswer(Shape):
    """A flow in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Experience flow Tour created successfully"])
    data: FlowRecord


class FlowsAnswer(Shape):
    """The app's flows, by name, in the common envelope."""

    status: Literal["success"]
    message: str
    data: list[FlowRecord]


class FlowVersion(Shape):
    """A published version: it never changes."""

    version: int
    publishedAt: str
    publishedBy: str = Field(description="The client's id; empty for a flow that every app has.")
    document: dict[str, Any] | None = Field(default=None, description="Of one version, not in a list of them.")


class FlowVersionAnswer(Shape):
    """A version in the common envelope."""

    status: Literal["success"]
    message: str
    data: FlowVersion


class FlowVersionsAnswer(Shape):
    """Versions, the newest first, in the common envelope."""

    status: Literal["success"]
    message: str
    data: list[FlowVersion]


class FlowLint(Shape):
    """What to look at: by default the flow's draft, with the columns of all the app's lists."""

    needed = False
    example: ClassVar[dict[str, Any]] = {}

    document: Document | None = None
    contactLists: list[str] | None = Field(default=None, description="Lists whose columns the flow may name.")


class FlowFindings(Shape):
    """What was found, in the order of the nodes."""

    publishable: bool
    findings: list[FlowFinding]


class FlowLintAnswer(Shape):
    """Findings in the common envelope."""

    status: Literal["success"]
    message: str
    data: FlowFindings


class FlowScript(Shape):
    """A conversation to try out; every part may be absent."""

    needed = False
    example: ClassVar[dict[str, Any]] = {"fields": {"First Name": "Ada"}, "steps": ["yes please"]}

    fields: dict[str, Any] | None = Field(default=None, description="The contact's columns.")
    number: str | None = Field(default=None, min_length=1, max_length=100, examples=["+14155550100"])
    zone: str | None = Field(default=None, description="The person's time zone; not known when absent.")
    now: str | None = Field(default=None, description="When it begins, with a zone; now when absent.")
    opening: str | None = Field(
        default=None, max_length=2000, description="What the person writes first. Without it we begin."
    )
    calls: dict[str, Any] | None = Field(
        default=None,
        description="What services answer, by the node: an object, null for a failure, or a list of those.",
    )
    steps: list[Any] | None = Field(
        default=None,
        max_length=500,
        description='`"text"` or `{"say": "text"}`, `{"wait": "2h"}`, `{"answer": {…}}` for a call.',
    )
    document: Document | None = Field(default=None, description="To try in place of the draft.")
    version: int | None = Field(default=None, description="A published version, to try in place of the draft.")


class FlowEntry(Shape):
    """Something that would happen; what else it has depends on its kind."""

    at: str
    kind: Literal["text", "heard", "waited", "call", "called", "field", "list", "consent", "handed", "finished"]
    text: str | None = Field(default=None, description="Of what is sent or heard.")
    parts: int | None = None


class FlowTranscript(Shape):
    """What would happen, in order, and where the conversation then stands."""

    version: int = Field(description="0: the draft.")
    state: Literal["new", "answer", "time", "call", "handed", "ended"] = Field(description="What it waits for now.")
    node: str | None
    deadline: str | None
    result: str | None
    results: dict[str, str] = Field(description="What answers and services gave.")
    changed: dict[str, str] = Field(description="Fields of the contact.")
    texts: int
    parts: int
    entries: list[FlowEntry]


class FlowTranscriptAnswer(Shape):
    """A conversation in the common envelope."""

    status: Literal["success"]
    message: str
    data: FlowTranscript


class FlowFile(Shape):
    """A file of flows, JSON or YAML: ours, RapidPro's or FLOIP's. Its bytes are also taken as they are."""

    media = "multipart/form-data"

    example: ClassVar[dict[str, Any]] = {
        "file": "name: Greeting\nnodes:\n  hello: {type: send, text: Hello, next: done}\n  done: {type: end}\n"
    }

    file: bytes = Field(json_schema_extra={"format": "binary"})


class FlowUnsupported(Shape):
    """Something in a file that cannot be done here."""

    node: str = Field(description="Its id where it came from.")
    kind: str
    place: str
    why: str


class FlowImported(Shape):
    """A flow of a file."""

    name: str
    unsupported: list[FlowUnsupported] = Field(description="Left out; such a flow cannot be published as it is.")
    notes: list[str] = Field(description="What is otherwise here, though it works.")
    flow: FlowRecord | None = Field(description="The draft that was made; null when it was a dry run.")


class FlowImportAnswer(Shape):
    """The flows of a file in the common envelope."""

    status: Literal["success"]
    message: str
    data: list[FlowImported]


class FlowSchemaAnswer(Shape):
    """A JSON Schema (draft 2020-12) of a flow's document."""


class FlowExported(Shape):
    """A flow's draft as a file."""

    format: Literal["yaml", "json", "rapidpro", "floip"]
    mediaType: str
    text: str
    lost: list[str] = Field(description="What of it this form cannot hold.")


class FlowExportAnswer(Shape):
    """A file in the common envelope."""

    status: Literal["success"]
    message: str
    data: FlowExported
