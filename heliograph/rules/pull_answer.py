"""What a customer's API answered: where in it the records are, and which contact each of them is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urljoin, urlsplit

from heliograph.errors import Invalid
from heliograph.rules import body, contact, json_text

if TYPE_CHECKING:
    from heliograph.rules.contact import Contact
    from heliograph.rules.pull import Pull

_NOTHING = object()
LONGEST_INDEX = 10  # digits


class Problem(NamedTuple):
    """Why a record was left out. Records are counted from 1, over all pages."""

    record: int
    field: str
    value: str
    problem: str


def read(answer: bytes, path: str) -> object:
    """The JSON value that was answered, read in small steps down to the records at ``path``. Raises Invalid."""
    try:
        return json_text.loads(answer.decode("utf-8-sig"), len(path.split(".")) + 1 if path else 1)
    except UnicodeDecodeError as error:
        raise Invalid(f"The answer is not UTF-8 text: byte {error.start} cannot be read") from error
    except RecursionError as error:
        raise Invalid("The answer is nested too deeply") from error
    except json.JSONDecodeError as error:
        start = answer[:60].decode("utf-8", "replace")
        text = f"The answer is not JSON: {error.msg} at line {error.lineno}, column {error.colno}. It begins {start!r}"
        raise Invalid(text) from error
    except ValueError as error:  # an integer of thousands of digits
        raise Invalid("The answer holds a number that is too long") from error


def records(answer: object, path: str) -> list[object]:
    """The list of records at ``path``. Raises Invalid saying what stands there, or how far the path leads."""
    found = at(answer, path)
    if isinstance(found, list):
        return cast("list[object]", found)
    if found is not _NOTHING:
        where = path or "its top"
        raise Invalid(f"The answer has {body.shown(found)} at {where}, where the list of records should be")
    walked: list[str] = []
    for name in path.split("."):
        if at(answer, ".".join([*walked, name])) is _NOTHING:
            break
        walked.append(name)
    reached = at(answer, ".".join(walked))
    there = (
        f"; there is {', '.join(list(cast('dict[str, object]', reached))[:20])}" if isinstance(reached, dict) else ""
    )
    raise Invalid(f"The answer has nothing at {path}: {'.'.join(walked) or 'its top'} leads no further{there}")


def contact_of(record: object, number: int, mapping: dict[str, str]) -> Contact | Problem:
    """The contact that a record is, or why it is none. A value that is missing or null leaves its column out."""
    fields: dict[str, object] = {}
    if not isinstance(record, dict | list):
        return Problem(number, "", body.shown(record)[:80], "The record is no object")
    for column, path in mapping.items():
        value = at(cast("object", record), path)
        if value is _NOTHING or value is None:
            continue
        if isinstance(value, dict | list):
            return Problem(number, path, body.shown(cast("object", value)), "A contact's column takes a single value")
        fields[column] = value
    try:
        body.storable(fields)
        return contact.read(fields)
    except Invalid as error:
        column = error.field or ""
        shown = body.shown(fields[column]) if column in fields else ""
        return Problem(number, mapping.get(column, column), shown, error.message)


def next_url(answer: object, pull: Pull, asked: str) -> str | None:
    """Where the next page is, None at the end. Raises Invalid for a link that leads to another server."""
    if pull.paging is None or pull.paging.next_link is None:
        return None
    path = pull.paging.next_link
    link = at(answer, path)
    if link is _NOTHING or link is None or link is False or link == "":
        return None
    if not isinstance(link, str):
        raise Invalid(f"The answer has {body.shown(link)} at {path}, where the link to the next page should be")
    found = urljoin(asked, link)
    if _server(found) != _server(asked):
        text = f"The link to the next page leads from {_server(asked)} to {_server(found)}, which is not asked: it"
        raise Invalid(f"{text} would be told this one's secrets")
    return found


def at(value: object, path: str) -> object:
    """What stands at a dotted path; a private mark when nothing does. A name with dots in it is found whole, too."""
    if not path:
        return value
    if isinstance(value, dict) and path in value:
        return cast("dict[str, object]", value)[path]
    found = cast("object", value)
    for name in path.split("."):
        if isinstance(found, dict):
            found = cast("dict[str, object]", found).get(name, _NOTHING)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and len(name) < LONGEST_INDEX:
            members = cast("list[object]", found)
            found = members[int(name)] if int(name) < len(members) else _NOTHING
        else:
            return _NOTHING
    return found


def _server(url: str) -> str:
    found = urlsplit(url)
    port = {"http": ":80", "https": ":443"}.get(found.scheme, "")
    netloc = found.netloc.lower()
    return f"{found.scheme}://{netloc.removesuffix(port) if port else netloc}"
