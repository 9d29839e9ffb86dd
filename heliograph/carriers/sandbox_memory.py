"""What the sandbox can say of a text when it is asked: the transcript is its memory, so it outlives every process.

Whoever has a whole line in it was taken, and met the fate that was drawn for it. Whoever has none was certainly never
taken: the line is written before the text counts. Of whoever may have half a line, nobody can say.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from heliograph.carriers import sandbox_fate
from heliograph.carriers.base import NotThere, Receipt, ReceiptState, Refused
from heliograph.errors import CarrierDown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path

    from heliograph.carriers.base import Finding, Sought
    from heliograph.carriers.sandbox_behaviour import Settings

_ID = re.compile(r'"messageId": "([^"]*)"')
_RUN = re.compile(r'"runId": "([^"]*)"')
_MESSAGE = re.compile(r"msg-(.+)-[0-9]+")


@dataclass(slots=True)
class _Found:
    """What a transcript has of some texts: the last whole line of each, and halves of lines that may be anybody's."""

    lines: dict[str, dict[str, Any]]
    halves: list[str]


def recall(settings: Settings, transcript: Path, sought: Sequence[Sought]) -> list[Finding]:
    """What became of each text, in order. Reads the whole transcript: call it in a thread.

    Raises CarrierDown when it cannot be read; one that is not there has no line of anybody.
    """
    try:
        found = _read(transcript, {one.message_id for one in sought})
    except OSError as error:
        raise CarrierDown(f"The sandbox cannot read its transcript {transcript}: {error.strerror}") from error
    now = datetime.now(UTC)
    return [_finding(settings, one, found, now) for one in sought]


def _read(transcript: Path, ids: Collection[str]) -> _Found:
    found = _Found({}, [])
    if not transcript.exists():
        return found
    with transcript.open(encoding="ascii", errors="replace") as file:
        for line in file:
            named = _ID.search(line)
            if not line.endswith("}\n"):
                found.halves.append(line)
            elif named is not None and named[1] in ids:
                found.lines[named[1]] = json.loads(line)
    return found


def _finding(settings: Settings, one: Sought, found: _Found, now: datetime) -> Finding:
    line = found.lines.get(one.message_id)
    if line is not None:
        return _told(settings, one, line, now)
    return None if any(_may_be_of(half, one.message_id) for half in found.halves) else NotThere()


def _may_be_of(half: str, message_id: str) -> bool:
    """Whether a line that was not written to its end may be this message's."""
    named, run, own = _ID.search(half), _RUN.search(half), _MESSAGE.fullmatch(message_id)
    if named is not None:
        return named[1] == message_id
    return run is None or own is None or run[1] == f"cid-{own[1]}"


def _told(settings: Settings, one: Sought, line: dict[str, Any], now: datetime) -> Finding:
    """The state of a text that was taken, as its receipts have told or will tell it."""
    at, ref = datetime.fromtimestamp(line["at"], UTC), str(line.get("ref", ""))
    fate = sandbox_fate.of(settings, one.to, one.message_id)
    if isinstance(fate.answer, Refused):
        # One that is refused for now is taken another time: which time this was, no transcript tells.
        return Receipt(ref, ReceiptState.FAILED, at, fate.answer.code) if fate.answer.permanent else None
    told = [(state, code) for after, state, code in fate.receipts if (now - at).total_seconds() >= after]
    state, code = next((each for each in told if each[0] is not ReceiptState.ACCEPTED), (ReceiptState.ACCEPTED, ""))
    return Receipt(ref, state, at, code)
