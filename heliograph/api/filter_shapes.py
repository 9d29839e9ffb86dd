"""What the JSON of a campaign's filters looks like, and of counting whom it reaches, for its description at /docs."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from heliograph.api.shapes import Shape
from heliograph.rules import filters

EXAMPLE: dict[str, Any] = {
    "op": "and",
    "conditions": [
        {"column": "city", "is": "in", "value": ["Pune", "Delhi"]},
        {
            "op": "or",
            "conditions": [
                {"column": "visits", "is": "greaterOrEqual", "value": 3},
                {"column": "joined", "is": "less", "value": "2026-01-01"},
            ],
        },
    ],
}


class FilterCondition(Shape):
    """What one column has to be.

    Columns are found as placeholders find them. Texts are compared whatever their case; numbers and dates (ISO 8601)
    as such, when both sides are.
    """

    column: str = Field(min_length=1, max_length=filters.LONGEST_COLUMN, examples=["city"])
    is_: Literal[
        "equals",
        "notEquals",
        "contains",
        "startsWith",
        "greater",
        "greaterOrEqual",
        "less",
        "lessOrEqual",
        "between",
        "in",
        "notIn",
        "empty",
        "notEmpty",
    ] = Field(alias="is")
    value: Any = Field(
        default=None,
        description="A text, a number, true or false; for `between` a list of two, for `in` and `notIn` of up to 1000.",
    )


class FilterGroup(Shape):
    """Conditions, and groups of them: up to 5 levels, 50 conditions in all."""

    op: Literal["and", "or"] = "and"
    conditions: list[FilterCondition | FilterGroup] = Field(min_length=1)


class AudienceQuery(Shape):
    """Filters to try in place of the campaign's; may be absent."""

    needed = False
    example: ClassVar[dict[str, Any]] = {"filters": EXAMPLE}

    isFiltersEnabled: bool | None = None
    filters: FilterGroup | None = None


Counted = Annotated[int, Field(ge=0)]


class LeftOutCounts(Shape):
    """How many contacts would not be texted, by the first reason that holds."""

    duplicate: Counted = Field(description="A contact before it has the same number.")
    do_not_contact: Counted
    filter_excluded: Counted
    missing_value: Counted
    empty_text: Counted
    by_flow: Counted = Field(description="Their flow asks a service or waits before it says anything.")
    too_long: Counted
    frequency_cap: Counted
    got_campaign: Counted
    held_out: Counted
    never_open: Counted


class AudienceCount(Shape):
    """Whom a campaign would reach. ``contacts`` is the sum of all the others."""

    contacts: Counted
    reached: Counted
    leftOut: LeftOutCounts


class AudienceAnswer(Shape):
    """A count in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Audience of campaign Spring Sale counted successfully"])
    data: AudienceCount
