"""What the JSON of imports looks like, for its description at /docs. As in shapes.py, nothing is validated."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from heliograph.api.shapes import LIST_ID, Shape

IMPORT_ID = "im-6f1c1b0e-3a4b-4b52-8a4e-5d5f0a0c0001"


class FileForm(Shape):
    """What a file turned out to be."""

    kind: Literal["csv", "workbook"]
    encoding: str | None
    separator: str | None
    sheet: str | None = Field(description="Of a workbook: the first sheet that is shown and has something on it.")
    packed: bool = Field(description="It was gzipped.")


class Import(Shape):
    """A file for a list, and what became of it. `rows = added + updated + duplicates + rejected`."""

    id_: str = Field(alias="_id", examples=[IMPORT_ID])
    contactListId: str = Field(examples=[LIST_ID])
    fileName: str
    size: int = Field(description="Bytes that have come.")
    state: Literal["receiving", "waiting", "running", "done", "failed", "cancelled"]
    dryRun: bool
    onDuplicate: Literal["skip", "update", "add"] | None = Field(description="null: as the list's setting says.")
    region: str | None
    mapping: dict[str, Any] | None = Field(description="The mapping that it was, or is, read by.")
    mappingFrom: Literal["given", "saved", "guessed"] | None
    columns: list[str] | None = Field(description="The file's columns.")
    form: FileForm | None
    rows: int = Field(description="Rows read so far; of one that has ended: all of them.")
    added: int
    updated: int
    duplicates: int
    rejected: int
    noted: int = Field(description="Rows that were taken in with a cell that means nothing.")
    bytesRead: int
    percent: int = Field(description="How far it is, by the bytes of the file.")
    error: str | None = Field(description="Why it failed.")
    tries: int
    createdAt: str
    startedAt: str | None
    endedAt: str | None


class ImportJobAnswer(Shape):
    """An import in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Import of people.csv into contact list Leads is in progress"])
    data: Import


class ImportPage(Shape):
    """Some of a list's imports, the newest first."""

    results: list[Import]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class ImportsAnswer(Shape):
    """Imports in the common envelope."""

    status: Literal["success"]
    message: str
    data: ImportPage
