"""What the API's JSON looks like, for its description at /docs.

These models describe; they do not validate. Bodies are read by ``heliograph.rules.draft``, whose messages
say what would be accepted, and answers are written field by field in the vendor's order.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from heliograph.rules import pull_body

CAMPAIGN_ID = "cd-3aefda80-f98e-4f4f-ad41-92803abb0000"
LIST_ID = "cl-3aefda80-f98e-4f4f-ad41-92803abb0000"
CONTACT_ID = "cc-3aefda80-f98e-4f4f-ad41-92803abb000000000001"

# An address that is nobody's: it stands for a customer's API in examples, which tests send as they stand.
PULL_URL = "https://192.0.2.10/v1/contacts"
SECRET_NAME = "CRM_TOKEN"  # noqa: S105  # a name


class Shape(BaseModel):
    """Base of every described body.

    ``media`` is the Content-Type it is described with, ``needed`` whether a request has to have one, ``example``
    one that the API takes as it stands.
    """

    media: ClassVar[str] = "application/json"
    needed: ClassVar[bool] = True
    example: ClassVar[dict[str, Any]] = {}

    model_config = ConfigDict(extra="allow")


class ErrorItem(Shape):
    """One thing that is wrong."""

    msg: str = Field(examples=["Invalid SDK credentials"])
    code: int = Field(examples=[4002])
    field: str | None = Field(default=None, description="The input at fault, as a dotted path.")


class Problem(Shape):
    """The body of every error."""

    status: Literal["error"]
    message: str = Field(examples=["Invalid SDK credentials"])
    errors: list[ErrorItem]


def _anything(schema: dict[str, Any]) -> None:
    """Where nothing is read, anything may stand."""
    schema.pop("type", None)


class Empty(Shape):
    """Nothing is read from this body; it may be absent."""

    needed = False

    model_config = ConfigDict(json_schema_extra=_anything)


SecretName = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]{0,63}$", examples=[SECRET_NAME])]
DottedPath = Annotated[str, Field(pattern=r"^[^.]+(\.[^.]+)*$", max_length=pull_body.LONGEST_PATH)]
Digits = Annotated[str, Field(pattern="^[0-9]{0,7}$")]


class PullHeader(Shape):
    """A header of each request. ``{{env:NAME}}`` in its value stands for the secret of that name."""

    key: str = Field(min_length=1, max_length=100, pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", examples=["X-Region"])
    value: str = Field(max_length=pull_body.LONGEST_VALUE, examples=["emea"])


class PullAuth(Shape):
    """How the API is told who we are. A secret stands in it by its name; its value is stored with `/secrets`."""

    authorizationType: Literal["none", "basic", "bearer", "apiKey", ""] | None = "none"
    username: str | None = Field(default=None, description="With `basic`.")
    in_: Literal["header", "query", ""] | None = Field(default=None, alias="in", description="With `apiKey`.")
    name: str | None = Field(default=None, description="With `apiKey`: the header's or query value's name.")
    secret: SecretName | None = Field(default=None, description="The name of the password, token or key.")


class PullPaging(Shape):
    """How the answer goes on: by a page number in the query, or by a link in the answer; one of them."""

    pageParameter: str | None = Field(default=None, max_length=pull_body.LONGEST_PARAMETER, examples=["page"])
    firstPage: Annotated[int, Field(ge=0, le=pull_body.HIGHEST_FIRST_PAGE)] | Digits | None = 1
    nextLink: DottedPath | Literal[""] | None = Field(default=None, description="The path of the link in the answer.")
    mostPages: Annotated[int, Field(ge=1, le=pull_body.MOST_PAGES)] | Digits | None = pull_body.MOST_PAGES


class PullDraft(Shape):
    """What a list of source `apiIntegration` pulls its contacts from.

    ``method``, ``url``, ``auth``, ``headers``, ``dataSyncInterval`` and ``dataSyncMode`` are the vendor's names.
    Addresses inside the operator's network are refused when they are asked, unless the operator allows them.
    """

    method: Literal["GET", "POST", ""] | None = "GET"
    url: str = Field(pattern="^[Hh][Tt][Tt][Pp][Ss]?://", max_length=2000, examples=[PULL_URL])
    auth: PullAuth | None = None
    headers: Annotated[list[PullHeader], Field(max_length=pull_body.MOST_HEADERS)] | dict[str, str] | None = None
    payload: dict[str, Any] | list[Any] | None = Field(default=None, description="With `POST`: its JSON body.")
    recordsPath: DottedPath | Literal[""] | None = Field(
        default="", description="Where in the answer the list of records is: `data.items`. Empty: the answer is it."
    )
    mapping: dict[str, DottedPath | Literal[""] | None] = Field(
        description="Which column of a contact stands where in a record, by dotted path. One has to be phoneNumber.",
        examples=[{"phoneNumber": "contact.phone", "firstName": "name.first"}],
    )
    paging: PullPaging | None = None
    dataSyncInterval: Annotated[int, Field(ge=1, le=pull_body.MOST_MINUTES)] | Digits | None = Field(
        default=None, description="Minutes from sync to sync; null: only when asked for."
    )
    dataSyncMode: Literal["allowDuplicates", "dontAllowDuplicates", ""] | None = Field(
        default=None, description="The same as the list's `allowDuplicates`, which wins where both are sent."
    )


class ListMode(Shape):
    """What is answered for lists that do not pull, and may be sent back for them."""

    dataSyncMode: Literal["allowDuplicates", "dontAllowDuplicates", ""] | None = None


class PullRecord(Shape):
    """What a list pulls from; of other lists, only the mode."""

    method: Literal["GET", "POST"] | None = None
    url: str | None = None
    auth: PullAuth | None = None
    headers: list[PullHeader] | None = None
    payload: dict[str, Any] | list[Any] | None = None
    recordsPath: str | None = None
    mapping: dict[str, str] | None = None
    paging: PullPaging | None = None
    dataSyncInterval: int | None = None
    dataSyncMode: Literal["allowDuplicates", "dontAllowDuplicates"]


class ListDraft(Shape):
    """A contact list to create."""

    example: ClassVar[dict[str, Any]] = {
        "name": "Leads",
        "description": "People who asked to hear from us",
        "source": "passiveApi",
        "allowDuplicates": False,
    }

    name: str = Field(min_length=1, max_length=48, examples=["Leads"])
    description: Annotated[str, Field(max_length=256)] | None = Field(
        default="", examples=["People who asked to hear from us"]
    )
    source: Literal["passiveApi", "passiveApiIntegration", "apiIntegration", "localDrive", ""] | None = "passiveApi"
    allowDuplicates: bool | None = False
    apiConfigurations: PullDraft | ListMode | None = Field(
        default=None, description="With source `apiIntegration`: what it pulls from. It may be set later."
    )


class ListChanges(Shape):
    """What to change of a contact list; what is left out stays."""

    example: ClassVar[dict[str, Any]] = {"name": "Leads 2", "allowDuplicates": True}

    name: str | None = Field(default=None, min_length=1, max_length=48, examples=["Leads 2"])
    description: str | None = Field(default=None, max_length=256)
    allowDuplicates: bool | None = None
    apiConfigurations: PullDraft | ListMode | None = Field(
        default=None, description="In place of what there is; at once, the list is synced, if it has an interval."
    )


class CampaignName(Shape):
    """A campaign that uses a list."""

    id: str = Field(examples=[CAMPAIGN_ID])
    name: str


class FileName(Shape):
    """A file that was imported into a list."""

    fileId: str = Field(examples=["64b7f0c2a1d3e4f5a6b7c8d9"])
    fileName: str = Field(examples=["leads.csv"])


class ListRecord(Shape):
    """A contact list."""

    id: str | None = Field(default=None, alias="_id", examples=[LIST_ID])
    isActive: bool | None = None
    orgId: str | None = Field(default=None, description="Version 1 only.")
    name: str
    lname: str | None = Field(default=None, description="Version 1 only.")
    description: str
    totalRecordCount: int
    status: Literal["Ready", "Validated"]
    createdBy: str | None = None
    updatedBy: str | None = None
    mapping: dict[str, str]
    isListInUse: bool
    iId: str | None = Field(default=None, description="Version 1 only.")
    listType: Literal["call", "dnc"]
    isGlobalDNC: bool | None = Field(default=None, description="Version 2 only.")
    isDefault: bool | None = Field(default=None, description="Version 2 only.")
    campaignInUse: list[CampaignName]
    accountId: str | None = Field(default=None, description="Version 1 only.")
    source: str
    apiConfigurations: PullRecord
    columns: list[str] | None = Field(default=None, description="Version 2 only.")
    files: list[FileName]
    createdAt: str | None = None
    updatedAt: str
    allowDuplicates: bool | None = None


class ListAnswer(Shape):
    """A contact list in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Contact list Leads created successfully"])
    data: ListRecord


class ListsAnswer(Shape):
    """Every contact list of the app."""

    status: Literal["success"]
    message: str
    data: list[ListRecord]


class ListUpdate(Shape):
    """What was changed, and by whom."""

    contactListId: str
    body: dict[str, Any]


class ListUpdateAnswer(Shape):
    """The answer to an update of a contact list."""

    status: Literal["success"]
    message: str = Field(examples=["Contact list Leads updated successfully"])
    data: ListUpdate


class NewContact(Shape):
    """A contact. Every further field is kept and can be used as a placeholder in a text."""

    phoneNumber: str = Field(examples=["+14155550100"], description="With its country code.")


class ContactsDraft(Shape):
    """Contacts to add to a list, named by ``contact_list_name`` or by ``contactListId``."""

    example: ClassVar[dict[str, Any]] = {
        "contact_list_name": "Leads",
        "data": [{"phoneNumber": "+14155550100", "first name": "Ada", "last name": "Example"}],
    }

    contact_list_name: str | None = Field(default=None, examples=["Leads"])
    contactListId: str | None = Field(default=None, examples=[LIST_ID])
    data: list[NewContact] = Field(min_length=1, max_length=100)


class MessageAnswer(Shape):
    """Only a text."""

    message: str = Field(examples=["Adding contacts to public list is in progress"])


class ContactRecord(Shape):
    """A contact of a list: its own fields stand beside these, as they were sent."""

    id: str = Field(alias="_id", examples=[CONTACT_ID])
    createdAt: str
    updatedAt: str


class ContactPage(Shape):
    """Some of the contacts of a list."""

    results: list[ContactRecord]
    skip: int
    limit: int
    hasMore: bool
    totalPages: int
    totalResults: int


class ContactsAnswer(Shape):
    """Contacts in the common envelope."""

    status: Literal["success"]
    message: str
    data: ContactPage


class ContactAnswer(Shape):
    """A contact in the common envelope."""

    status: Literal["success"]
    message: str = Field(examples=["Contact retrieved successfully"])
    data: ContactRecord


class ContactChanges(Shape):
    """Columns to put in the place of a contact's own; those that are left out stay.

    A column is known by its name without regard to case, spaces, underscores and dashes; one that holds a system
    field also by that field's name, `phoneNumber` for instance. A new name is a new column.
    """

    example: ClassVar[dict[str, Any]] = {"phoneNumber": "+14155550101", "last name": "Sample"}

    phoneNumber: str | None = Field(default=None, examples=["+14155550101"], description="With its country code.")

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})


class CsvAnswer(Shape):
    """A CSV file: UTF-8 with a byte order mark, every cell in quotes."""

    media = "text/csv"


class CsvFile(Shape):
    """A file of contacts. The same bytes are also taken as they are, with Content-Type ``text/csv``."""

    media = "multipart/form-data"

    example: ClassVar[dict[str, Any]] = {"file": "firstName,lastName,phoneNumber\nAda,Example,+14155550100\n"}

    file: bytes = Field(json_schema_extra={"format": "binary"})


class RowProblem(Shape):
    """Why a row of a file was left out. Rows are counted as a spreadsheet does: the header is row 1."""

    row: int
    column: str
    value: str
    problem: str


class ImportReport(Shape):
    """What became of the rows of a file."""

    fileId: str
    fileName: str
    rows: int
    imported: int
    duplicates: int
    rejected: int
    problems: list[RowProblem] = Field(description="The first 100.")
    problemsTotal: int


class ImportAnswer(Shape):
    """The report of an import in the common envelope."""

    status: Literal["success"]
    message: str
    data: ImportReport
