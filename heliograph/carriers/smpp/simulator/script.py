"""How the simulator behaves: a JSON object, read and checked. ``docs/smsc.md`` explains every key to people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import translate
from typing import TYPE_CHECKING, Any, cast

from heliograph.carriers import sandbox_behaviour
from heliograph.carriers.smpp import codes, reading
from heliograph.carriers.smpp.settings import LongText
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from heliograph.carriers.smpp.reading import Reader


class Digits(StrEnum):
    """How an id is written."""

    DECIMAL = "decimal"
    HEX = "hex"
    UPPER_HEX = "HEX"
    PADDED = "padded"

    def write(self, number: int) -> str:
        """``number`` so."""
        return _WRITE[self](number)


_WRITE: dict[Digits, Callable[[int], str]] = {
    Digits.DECIMAL: str,
    Digits.HEX: "{:x}".format,
    Digits.UPPER_HEX: "{:X}".format,
    Digits.PADDED: "{:020d}".format,
}


class Says(StrEnum):
    """Where a receipt says what it says."""

    TEXT = "text"
    TLV = "tlv"
    BOTH = "both"


_USUAL = sandbox_behaviour.Settings()
RECEIPT = "id:{id} sub:001 dlvrd:{dlvrd} submit date:{date} done date:{date} stat:{stat} err:{err} text:{text}"


@dataclass(frozen=True, slots=True)
class Script:
    """All of a message centre. Build it with :func:`read`."""

    system_id: str | None = None
    password: str | None = None
    refuse_binds: int = 0
    window: int | None = None
    answer_ids: Digits = Digits.DECIMAL
    receipt_ids: Digits = Digits.DECIMAL
    receipts: Says = Says.BOTH
    receipt_text: str = RECEIPT
    answer_duplicate: float = 0.0
    cut: float = 0.0
    cuts: tuple[re.Pattern[str], ...] = ()
    reply_long: LongText = LongText.UDH8
    reply_reversed: bool = False
    reply_missing: int = 0
    behaviour: sandbox_behaviour.Settings = _USUAL

    def cuts_for(self, number: str) -> bool:
        """Whether a text to ``number`` has the connection cut instead of an answer."""
        return any(pattern.match(number) for pattern in self.cuts)


def read(script: Mapping[str, object]) -> Script:
    """A script as its file has it, checked. Raises :class:`Invalid` naming the key and what it takes."""
    for key in script:
        if key not in TABLE:
            raise Invalid(f"A message centre's script has no key {key}; it has: {', '.join(sorted(TABLE))}", field=key)
    return Script(**{key: _value(script, key) for key in script})


def _value(script: Mapping[str, object], key: str) -> Any:  # noqa: ANN401  # each key has its own type
    reader, accepted = TABLE[key]
    try:
        return reader(script[key])
    except reading.Unusable:
        raise Invalid(f"The script's {key} is {script[key]!r}; it takes {accepted}", field=key) from None
    except Invalid as error:
        raise Invalid(error.message, field=f"{key}.{error.field}") from None


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise reading.Unusable
    return float(value)


def _status(value: object) -> int:
    found = codes.BY_NAME.get(value) if isinstance(value, str) else None
    return found if found is not None else reading.number(value, 0xFFFFFFFF)


def _patterns(value: object) -> tuple[re.Pattern[str], ...]:
    if not isinstance(value, list):
        raise reading.Unusable
    items = cast("list[object]", value)
    if not all(isinstance(item, str) for item in items):
        raise reading.Unusable
    return tuple(re.compile(translate(str(item))) for item in items)


def _format(value: object) -> str:
    if not isinstance(value, str) or not set(re.findall(r"\{(.*?)\}", value)) <= {*re.findall(r"\{(\w+)\}", RECEIPT)}:
        raise reading.Unusable
    return value


def _behaviour(value: object) -> sandbox_behaviour.Settings:
    if not isinstance(value, dict):
        raise reading.Unusable
    return sandbox_behaviour.read(cast("Mapping[str, object]", value))


_A_SHARE: Reader = (_share, "a share from 0 to 1")

TABLE: dict[str, Reader] = {
    "system_id": reading.or_none(reading.word(15, least=1)),
    "password": reading.or_none(reading.word(64)),
    "refuse_binds": (_status, "a status such as bind_failed or 0x0d"),
    "window": reading.or_none(reading.whole(1, 100_000, "a number")),
    "answer_ids": reading.choice(Digits),
    "receipt_ids": reading.choice(Digits),
    "receipts": reading.choice(Says),
    "receipt_text": (_format, "a text with some of {id} {dlvrd} {date} {stat} {err} {text}"),
    "answer_duplicate": _A_SHARE,
    "cut": _A_SHARE,
    "cuts": (_patterns, 'a list of patterns over numbers, such as ["+1555*"]'),
    "reply_long": reading.choice(LongText),
    "reply_reversed": (reading.flag, "true or false"),
    "reply_missing": reading.whole(0, 255, "a number"),
    "behaviour": (_behaviour, "settings of a sandbox account, as docs/sandbox.md lists them"),
}
"""Every key of a script, and what it takes."""
