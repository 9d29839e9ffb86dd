"""What the JSON of the panic button looks like, for its description at /docs. As in shapes.py, nothing is checked."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from heliograph.actions.panics import LONGEST_REASON
from heliograph.api.sender_shapes import ADDRESS, SENDER_ID
from heliograph.api.shapes import Shape


class PanicDraft(Shape):
    """Why it is pressed, for whoever asks later."""

    needed = False
    example: ClassVar[dict[str, Any]] = {"reason": "A wrong link in today's text"}

    reason: str | None = Field(default=None, max_length=LONGEST_REASON)


class PanicRecord(Shape):
    """One time that the panic button was pressed."""

    senderId: str | None = Field(description="Null: the whole app.", examples=[SENDER_ID])
    address: str | None = Field(examples=[ADDRESS])
    pressedAt: str
    pressedBy: str = Field(description="A client of the API, or a person at the server's terminal.")
    reason: str
    releasedAt: str | None = Field(description="Null: it is in force.")
    releasedBy: str | None


class PanicAnswer(Shape):
    """The panic in the common envelope."""

    status: Literal["success"]
    message: str
    data: PanicRecord


class PanicsAnswer(Shape):
    """Those in force, and those that were."""

    status: Literal["success"]
    message: str
    data: list[PanicRecord]
