"""How things are named. Every id is opaque to callers; the prefix says what it names.

Contacts and messages number in the millions, so theirs are made from their owner's id and their
number in it: nothing more has to be stored or indexed to find them again.
"""

from __future__ import annotations

import re
import secrets
import uuid

_CONTACT = re.compile(r"cc-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})-([0-9a-f]{12})([0-9a-f]{8})")
_MESSAGE = re.compile(r"msg-([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})-([0-9]{1,10})")
_SESSION = re.compile(r"ses-([0-9a-f]{16})")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


def new(prefix: str) -> str:
    """A fresh id such as ``cd-3aefda80-f98e-4f4f-ad41-92803abb0000``."""
    return f"{prefix}-{uuid.uuid4()}"


def new_hex24() -> str:
    """A fresh id of 24 hex digits (accounts, files)."""
    return secrets.token_hex(12)


def named(prefix: str, owner: str, name: str) -> str:
    """The same id each time for the same ``name`` under the same ``owner``."""
    return f"{prefix}-{uuid.uuid5(uuid.NAMESPACE_URL, f'{owner}/{name}')}"


def looks_like(prefix: str, text: str) -> bool:
    """Whether ``text`` has the shape of an id with this prefix."""
    return re.fullmatch(rf"{prefix}-{_UUID}", text) is not None


def contact_id(list_id: str, seq: int) -> str:
    """The id of the ``seq``-th contact of list ``list_id`` (``cl-<uuid>``)."""
    return f"cc-{list_id.removeprefix('cl-')}{seq:08x}"


def parse_contact_id(text: str) -> tuple[str, int] | None:
    """The list's id and the number in it, or None when ``text`` names no contact."""
    found = _CONTACT.fullmatch(text)
    return (f"cl-{found[1]}-{found[2]}", int(found[3], 16)) if found else None


def message_id(run_id: str, seq: int) -> str:
    """The id of the ``seq``-th message of run ``run_id`` (``cid-<uuid>``)."""
    return f"msg-{run_id.removeprefix('cid-')}-{seq:07d}"


def parse_message_id(text: str) -> tuple[str, int] | None:
    """The run's id and the number in it, or None when ``text`` names no message."""
    found = _MESSAGE.fullmatch(text)
    return (f"cid-{found[1]}", int(found[2])) if found else None


def session_id(number: int) -> str:
    """The id of a session."""
    return f"ses-{number:016x}"


def parse_session_id(text: str) -> int | None:
    """The session's number, or None when ``text`` names none."""
    found = _SESSION.fullmatch(text)
    number = int(found[1], 16) if found else 0
    return number if 0 < number < 2**63 else None
