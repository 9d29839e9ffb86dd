"""What the JSON of SMS templates looks like, for its description at /docs. As in shapes.py, nothing is validated."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from heliograph.api.shapes import CampaignName, Shape

TEMPLATE_ID = "cmt-3aefda80-f98e-4f4f-ad41-92803abb0000"

Name = Annotated[str, Field(min_length=1, max_length=48, examples=["Spring Greeting"])]
Description = Annotated[str, Field(max_length=256)]
Body = Annotated[
    str,
    Field(
        min_length=1,
        examples=["Hello <First Name>, spring is here."],
        description='Plain or Base64, with placeholders such as `<First Name>` or `{{city|default:"your town"}}`.',
    ),
]


class TemplateDraft(Shape):
    """A template to create."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Spring Greeting",
        "description": "For the first days of March",
        "body": "Hello <First Name>, spring is here.",
    }

    name: Name
    description: Description | None = ""
    body: Body


class TemplateChanges(Shape):
    """What to change of a template; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"body": "Hello <First Name>, spring is here at last."}

    name: Name | None = None
    description: Description | None = None
    body: Body | None = None


class CopyName(Shape):
    """What to call the copy; may be absent."""

    needed = False
    example: ClassVar[dict[str, Any]] = {}

    name: Name | None = None


class OnMissing(Shape):
    """What to do where somebody has no value: leave a gap, say ``default``, or do not text this person."""

    rule: Literal["empty", "default", "skip"]
    default: Annotated[str, Field(max_length=256)] | None = Field(default=None, description="With `default` only.")


class TemplateSample(Shape):
    """Whom to show a template with; may be absent."""

    needed = False
    example: ClassVar[dict[str, Any]] = {"fields": {"First Name": "Ada"}}

    fields: dict[str, Any] | None = Field(default=None, description="Columns and their values.")
    contactId: str | None = Field(default=None, description="A contact of a list, `cc-…`.")
    onMissing: OnMissing | None = None


class TemplateRecord(Shape):
    """A template."""

    id: str = Field(alias="_id", examples=[TEMPLATE_ID])
    name: str
    description: str
    body: str = Field(description="Decoded, placeholders still in it.")
    isSystem: bool = Field(description="Whether every app has it; such a one cannot be edited or deleted.")
    isTemplateInUse: bool
    campaignInUse: list[CampaignName]
    createdAt: str
    updatedAt: str


class TemplateAnswer(Shape):
    """A template in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["SMS template Spring Greeting created successfully"])
    data: TemplateRecord


class TemplatePage(Shape):
    """Some of the app's templates."""

    results: list[TemplateRecord]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class TemplatesAnswer(Shape):
    """Templates in the common envelope."""

    status: Literal["success"]
    message: str
    data: TemplatePage


class TemplatePreview(Shape):
    """What one person would get."""

    text: str | None = Field(description="Null when this person would not be texted.")
    encoding: Literal["GSM-7", "UCS-2"] | None
    units: int = Field(description="Septets or UTF-16 code units.")
    parts: int
    missing: list[str] = Field(description="Placeholders without a value, in lower case and without blanks.")


class TemplatePreviewAnswer(Shape):
    """A preview in the common envelope."""

    status: Literal["success"]
    message: str
    data: TemplatePreview
