"""A contact list as each version of the API writes it, field by field in the vendor's order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.api.envelope import instant
from heliograph.errors import Invalid
from heliograph.rules import columns, pull_body

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.api.paths import Version
    from heliograph.store.apps import App
    from heliograph.store.list_sources import Source
    from heliograph.store.lists import ContactList

Users = list[tuple[str, str]]  # public id and name of each campaign that uses a list

SYSTEM_FIELDS = ("firstName", "lastName", "phoneNumber", "timeZone", "uniqueId", "contactPriority")


def created(made: ContactList, app: App, source: Source | None, version: Version) -> dict[str, object]:
    """The answer to creating a list: its id stands near the end."""
    shown = whole(made, app, [], source, version)
    only_v1 = ("orgId", "lname", "iId", "accountId")
    head = {key: value for key, value in shown.items() if key not in (*only_v1, "_id", "allowDuplicates")}
    return {**head, "_id": made.public_id, "allowDuplicates": made.allow_duplicates}


def whole(found: ContactList, app: App, users: Users, source: Source | None, version: Version) -> dict[str, object]:
    """One list in full."""
    one = version == 1
    parts: list[dict[str, object]] = [
        {"_id": found.public_id, "isActive": True},
        {"orgId": app.org_id} if one else {},
        {"name": found.name},
        {"lname": found.lname} if one else {},
        {"description": found.description, "totalRecordCount": found.contact_count, "status": _status(found)},
        {"createdBy": app.owner_id, "updatedBy": app.owner_id, "mapping": _mapping(found.columns, version)},
        {"isListInUse": bool(users)},
        {"iId": app.public_id} if one else {},
        {"listType": found.kind},
        {} if one else {"isGlobalDNC": found.is_global_dnc, "isDefault": found.is_default},
        {"campaignInUse": _users(users)},
        {"accountId": app.account_id} if one else {},
        {"source": found.source, "apiConfigurations": _configurations(found, source)},
        {} if one else {"columns": found.columns},
        {"files": found.files, "createdAt": instant(found.created_at), "updatedAt": instant(found.updated_at)},
        {} if one else {"allowDuplicates": found.allow_duplicates},
    ]
    return {key: value for part in parts for key, value in part.items()}


def row(found: ContactList, users: Users, source: Source | None, version: Version) -> dict[str, object]:
    """A list among all the lists."""
    return {
        "_id": found.public_id,
        "name": found.name,
        "description": found.description,
        "totalRecordCount": found.contact_count,
        "status": _status(found),
        "mapping": _mapping(found.columns, version),
        "isListInUse": bool(users),
        "listType": found.kind,
        "campaignInUse": _users(users),
        "source": found.source,
        "apiConfigurations": _configurations(found, source),
        **({} if version == 1 else {"columns": found.columns}),
        "files": found.files,
        "updatedAt": instant(found.updated_at),
    }


def _users(users: Users) -> list[dict[str, str]]:
    return [{"id": public_id, "name": name} for public_id, name in users]


def _status(found: ContactList) -> str:
    """Files are validated when they are read; what is pushed is ready at once."""
    return "Validated" if found.files else "Ready"


def _configurations(found: ContactList, source: Source | None) -> dict[str, object]:
    own: dict[str, object] = {} if source is None else source.config
    return own | {"dataSyncMode": pull_body.mode(allow_duplicates=found.allow_duplicates)}


def _mapping(names: Sequence[str], version: Version) -> dict[str, str]:
    """Which column holds which system field; a field that no column holds is mapped to its own name."""
    try:
        guessed = columns.guess(names) if names else {}
    except Invalid:  # pushed contacts may name one column twice, in two spellings
        guessed = {}
    fields = SYSTEM_FIELDS if version != 1 else SYSTEM_FIELDS[:-1]
    return {field: guessed.get(field, field) for field in fields}
