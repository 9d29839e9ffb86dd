"""What the JSON of lists that pull looks like, for its description at /docs. As in shapes.py, nothing is validated."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from heliograph.api.shapes import LIST_ID, PULL_URL, PullDraft, SecretName, Shape
from heliograph.rules import pull_body


class PullTest(Shape):
    """A configuration to try before it is saved; without one, the list's own is tried."""

    needed = False
    example: ClassVar[dict[str, Any]] = {
        "apiConfigurations": {
            "method": "GET",
            "url": PULL_URL,
            "headers": [{"key": "X-Region", "value": "emea"}],
            "recordsPath": "data.items",
            "mapping": {"phoneNumber": "contact.phone", "firstName": "name.first"},
            "dataSyncInterval": 60,
        }
    }

    apiConfigurations: PullDraft | None = None


class PullProblem(Shape):
    """Why a record was left out. Records are counted from 1, over all pages."""

    record: int
    field: str
    value: str
    problem: str


class PullTrial(Shape):
    """What came of trying: the first page as contacts. Nothing was stored."""

    outcome: Literal["completed", "failed"]
    reason: str | None = Field(description="Why nothing could be read.")
    fetched: int = Field(description="Records on the first page.")
    records: list[dict[str, Any]] = Field(description="The first five that are contacts.")
    rejected: int
    problems: list[PullProblem] = Field(description="The first five that are none.")


class PullTrialAnswer(Shape):
    """A trial in the common envelope."""

    status: Literal["success"]
    message: str
    data: PullTrial


class SyncAsked(Shape):
    """A list that is about to be synced."""

    contactListId: str = Field(examples=[LIST_ID])
    nextSyncAt: str


class SyncAskedAnswer(Shape):
    """That a sync was asked for, in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Sync of contact list Leads is in progress"])
    data: SyncAsked


class SyncLog(Shape):
    """One sync. When it was completed, `fetched = added + duplicates + rejected`."""

    number: int = Field(description="1, 2, … in its list.")
    outcome: Literal["running", "completed", "failed", "interrupted"]
    trigger: Literal["interval", "hand"]
    startedAt: str
    endedAt: str | None
    pages: int
    fetched: int
    added: int
    duplicates: int
    rejected: int
    problems: list[PullProblem] = Field(description="The first 20.")
    reason: str | None = Field(description="Why it failed; what else there is to say of it.")


class SyncLogPage(Shape):
    """Some of a list's syncs, the newest first."""

    results: list[SyncLog]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int
    nextSyncAt: str | None = Field(description="When the next one is due; null: when somebody asks.")


class SyncLogsAnswer(Shape):
    """Syncs in the common envelope."""

    status: Literal["success"]
    message: str
    data: SyncLogPage


class SyncLogFile(Shape):
    """The syncs of a list as a file."""

    contactListId: str = Field(examples=[LIST_ID])
    name: str
    exportedAt: str
    syncLogs: list[SyncLog] = Field(description="The newest first.")


class SecretDraft(Shape):
    """What to keep secret. It is sealed, sent where its name stands, and never shown again."""

    example: ClassVar[dict[str, Any]] = {"value": "not-the-real-one"}

    value: str = Field(min_length=1, max_length=pull_body.LONGEST_VALUE, json_schema_extra={"writeOnly": True})


class SecretRecord(Shape):
    """A secret, without what is secret."""

    name: SecretName
    createdAt: str
    updatedAt: str


class SecretAnswer(Shape):
    """A secret in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Secret CRM_TOKEN stored successfully"])
    data: SecretRecord


class SecretsAnswer(Shape):
    """Every secret of the app, by name."""

    status: Literal["success"]
    message: str
    data: list[SecretRecord]
