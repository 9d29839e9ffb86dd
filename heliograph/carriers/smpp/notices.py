"""What a deliver_sm is: a receipt, someone's reply, or of no concern to us (SMPP 3.4, 5.2.12 and Appendix B)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from heliograph.carriers.smpp import codes
from heliograph.carriers.smpp.pdu import KIND, Tag

if TYPE_CHECKING:
    from heliograph.carriers.base import ReceiptState
    from heliograph.carriers.smpp.pdu import Address, Message

RECEIPT, HANDSET_ACK, MANUAL_ACK, INTERMEDIATE = 0x04, 0x08, 0x10, 0x20

INTERNATIONAL = 1  # type of number
_LEAST_INTERNATIONAL = 10  # digits: shorter numbers of unknown type may be short codes or national

# Fields stand in any order, dates hold blanks, and whatever the person was sent may follow "text:": so each field is
# looked for by itself, and only before that.
_TEXT = re.compile(r"(?:^|\s)text:", re.IGNORECASE)
_ID = re.compile(r"\bid:\s*([^\s]{1,65})", re.IGNORECASE)
_STATE = re.compile(r"\bstat(?:us)?:\s*([A-Za-z_]+|\d{1,2})", re.IGNORECASE)
_ERROR = re.compile(r"\berr(?:or)?:\s*([0-9A-Za-z]{1,10})", re.IGNORECASE)
_ITS_OWN = re.compile(r"\b(?:sub|dlvrd|submit[ _]?date|done[ _]?date):", re.IGNORECASE)


class Receipt(NamedTuple):
    """What a receipt says. ``ids``: the message's id, as the optional parameter and the text have it."""

    ids: tuple[str, ...]
    state: ReceiptState
    code: str


def receipt(message: Message) -> Receipt | None:
    """The receipt that ``message`` is, if it is one that can be read."""
    kind = message.esm_class & KIND
    by_tlv = Tag.RECEIPTED_MESSAGE_ID in message.tlvs
    if kind not in (0, RECEIPT, INTERMEDIATE):
        return None
    words = message.octets.replace(b"\0", b"").decode("latin-1")  # also what UCS-2 makes of ASCII
    text = _TEXT.split(words, maxsplit=1)[0]
    if not kind and not by_tlv and not _is_text_of_receipt(text):
        return None
    ids = tuple(found for found in (_tlv_id(message), _first(_ID, text)) if found)
    state = _state(message, text)
    if not ids or state is None:
        return None
    said, code = codes.STATES[state]
    error = _error(message, text)
    return Receipt(ids, said, f"{code}:{error}" if code and error else code)


def is_reply(message: Message) -> bool:
    """Whether a person wrote it."""
    return not message.esm_class & KIND


def number(address: Address, *, international: bool) -> str:
    """Who wrote, in E.164 where that can be told; else as the message centre has it."""
    digits = address.digits.removeprefix("+")
    if not digits.isdecimal():
        return address.digits
    if address.digits.startswith("+") or address.ton == INTERNATIONAL:
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits.lstrip("0")
    unknown = address.ton == 0 and international
    return "+" + digits if unknown and len(digits) >= _LEAST_INTERNATIONAL and digits[0] != "0" else digits


def _is_text_of_receipt(text: str) -> bool:
    """Some message centres do not mark their receipts."""
    return bool(_ID.match(text.lstrip()) and _STATE.search(text) and _ITS_OWN.search(text))


def _tlv_id(message: Message) -> str:
    return message.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b"").split(b"\0")[0].decode("latin-1").strip()


def _state(message: Message, text: str) -> int | None:
    """message_state, of the optional parameter or else of the words."""
    by_tlv = message.tlvs.get(Tag.MESSAGE_STATE, b"")
    if len(by_tlv) == 1 and by_tlv[0] in codes.STATES:
        return by_tlv[0]
    word = _first(_STATE, text).upper()
    if word.isdecimal():
        return int(word) if int(word) in codes.STATES else None
    return codes.STATE_WORDS.get(word)


def _error(message: Message, text: str) -> str:
    """The network's own code, when it says more than nought."""
    by_tlv = message.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    error = str(int.from_bytes(by_tlv[1:], "big")) if len(by_tlv) == 3 else _first(_ERROR, text)  # noqa: PLR2004
    return error if error.strip("0") else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1) if found else ""
