"""What the JSON of schedules looks like, for its description at /docs. As in shapes.py, nothing is validated here."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from heliograph.api.campaign_shapes import StatusWord
from heliograph.api.shapes import CAMPAIGN_ID, Shape
from heliograph.rules import schedule_body

WALL = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}[ T][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}$"

WallTime = Annotated[str, Field(pattern=WALL, examples=["2031-01-01 18:29:00"])]
Digits = Annotated[str, Field(pattern="^[0-9]{0,6}$")]
Every = Annotated[int, Field(ge=1, le=schedule_body.MOST_EVERY)] | Digits | None
Weekday = Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
OrLast = Annotated[str, Field(pattern="^([0-9]{1,6}|last)$")]
Month = Literal["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class DailyDetails(Shape):
    """Every so many days."""

    onceEveryNdays: Every = 1


class WeeklyDetails(Shape):
    """On these days, every so many weeks; a week begins on Monday."""

    onceEveryNweeks: Every = 1
    whichDays: list[Weekday] = Field(min_length=1)


class OnDate(Shape):
    """On a date. A month without it has no start."""

    dayOfMonth: Annotated[int, Field(ge=1, le=31)] | OrLast


class OnWeekday(Shape):
    """On the first to fourth of a weekday, or the last."""

    weekOfMonth: Annotated[int, Field(ge=1, le=4)] | OrLast
    dayOfWeek: Weekday


class MonthlyOnDate(OnDate):
    """On a date, every so many months."""

    onceEveryNmonths: Every = 1


class MonthlyOnWeekday(OnWeekday):
    """On a weekday, every so many months."""

    onceEveryNmonths: Every = 1


class YearlyOnDate(OnDate):
    """On a date, every so many years."""

    onceEveryNyears: Every = 1
    month: Annotated[int, Field(ge=1, le=12)] | Digits | Month


class YearlyOnWeekday(OnWeekday):
    """On a weekday, every so many years."""

    onceEveryNyears: Every = 1
    month: Annotated[int, Field(ge=1, le=12)] | Digits | Month


class Daily(Shape):
    """The vendor's."""

    recurType: Literal["Daily"]
    dailyDetails: DailyDetails


class Weekly(Shape):
    """The vendor's; its keys may also stand in ``dailyDetails``."""

    recurType: Literal["Weekly"]
    weeklyDetails: WeeklyDetails


class Monthly(Shape):
    """Our addition."""

    recurType: Literal["Monthly"]
    monthlyDetails: MonthlyOnDate | MonthlyOnWeekday


class Yearly(Shape):
    """Our addition."""

    recurType: Literal["Yearly"]
    yearlyDetails: YearlyOnDate | YearlyOnWeekday


class Misfire(Shape):
    """What becomes of a start at which no worker was running."""

    sendIfLateBy: Annotated[int, Field(ge=0, le=schedule_body.MOST_LATE_MINUTES)] | Digits | None = Field(
        default=schedule_body.LATE_MINUTES,
        description="It happens when it is at most so many minutes late; else it is held, and the next one comes.",
    )


class ScheduleDraft(Shape):
    """When a campaign starts by itself, by a wall clock in the zone of its calling hours.

    To switch a schedule off, nothing is needed; what is sent has to be right all the same.
    """

    needed = False
    example: ClassVar[dict[str, Any]] = {
        "startDateTime": "2031-01-01 18:29:00",
        "endDateTime": "2031-01-31 18:29:00",
        "recurrenceObject": {
            "recurType": "Weekly",
            "weeklyDetails": {"onceEveryNweeks": 1, "whichDays": ["Mon", "Wed"]},
        },
    }

    startDateTime: WallTime
    endDateTime: WallTime | Literal[""] | None = Field(
        default=None, description="No start at or after it; a run still under way then is completed."
    )
    recurrenceObject: Daily | Weekly | Monthly | Yearly | None = Field(default=None, description="None: once.")
    timezone: str | None = Field(
        default=None, examples=["Asia/Kolkata"], description="Ours: a zone in place of the calling hours'."
    )
    recurrencePrecedence: bool | None = Field(
        default=False,
        description="Ours: texts leave between the start's and the end's times of day, whatever the calling hours.",
    )
    misfire: Misfire | None = Field(default=None, description="Ours.")


class ScheduleAnswer(Shape):
    """What was switched."""

    status: Literal["success"]
    message: str = Field(examples=["Campaign Spring Sale scheduled successfully"])
    id: str = Field(examples=[CAMPAIGN_ID])


class ScheduleRecord(Shape):
    """A campaign's schedule. The times are instants, in UTC."""

    id: str = Field(examples=[CAMPAIGN_ID])
    name: str
    status: StatusWord
    isSchedulingEnabled: bool
    isRecurrenceEnabled: bool
    schedule: dict[str, Any] | None = Field(description="As it was sent; null when there never was one.")
    timezone: str | None
    nextStarts: list[str] = Field(description="The next five at most.")
    endsAt: str | None
    lastStart: str | None = Field(description="The start that came due last.")
    lastOutcome: Literal["started", "held", "skipped"] | None
    lastReason: str | None = Field(description="Why it was held or skipped, or what was missed before it.")


class ScheduleRecordAnswer(Shape):
    """A schedule in the common envelope."""

    status: Literal["success"]
    message: str
    data: ScheduleRecord
