"""What the simulator delivers: bodies of deliver_sm that are receipts and replies."""

from __future__ import annotations

from datetime import UTC, datetime
from struct import pack
from typing import TYPE_CHECKING, NamedTuple

from heliograph.carriers.base import ReceiptState
from heliograph.carriers.smpp import coding, notices, pdu
from heliograph.carriers.smpp.pdu import UDH, Address, Message, Tag
from heliograph.carriers.smpp.settings import LongText
from heliograph.carriers.smpp.simulator.script import Says
from heliograph.rules import parts

if TYPE_CHECKING:
    from heliograph.carriers.smpp.simulator.script import Script

_WORDS = {
    "undeliverable": ("UNDELIV", 5, "027"),
    "expired": ("EXPIRED", 3, "000"),
    "rejected": ("REJECTD", 8, "008"),
    "unknown_subscriber": ("UNDELIV", 5, "001"),
    "absent_subscriber": ("UNDELIV", 5, "006"),
    "blocked": ("REJECTD", 8, "013"),
}
_STATES = {
    ReceiptState.ACCEPTED: ("ACCEPTD", 6, "000"),
    ReceiptState.DELIVERED: ("DELIVRD", 2, "000"),
    ReceiptState.FAILED: ("UNDELIV", 5, "000"),
}


class Letter(NamedTuple):
    """What was submitted, as far as an answer to it needs it."""

    number: int  # the message centre's own, written in one way or another
    source: Address
    dest: Address
    text: str


def state(said: ReceiptState, code: str) -> tuple[str, int, str]:
    """A word, a message_state and an error for what a receipt says."""
    return _WORDS.get(code, _STATES[said])


def receipt(script: Script, about: Letter, said: ReceiptState, code: str) -> bytes:
    """The body of a receipt, from the person to the sender."""
    word, number, error = state(said, code)
    message_id = script.receipt_ids.write(about.number)
    octets, tlvs = b"", dict[int, bytes]()
    if script.receipts is not Says.TLV:
        fields = {
            "id": message_id,
            "dlvrd": "001" if said is ReceiptState.DELIVERED else "000",
            "date": f"{datetime.now(UTC):%y%m%d%H%M}",
            "stat": word,
            "err": error,
            "text": about.text[:20],
        }
        octets = script.receipt_text.format_map(fields).encode("latin-1", "replace")[:254]
    if script.receipts is not Says.TEXT:
        tlvs[Tag.RECEIPTED_MESSAGE_ID] = pdu.c_string(message_id)
        tlvs[Tag.MESSAGE_STATE] = bytes((number,))
        if int(error):
            tlvs[Tag.NETWORK_ERROR_CODE] = b"\3" + int(error).to_bytes(2, "big")
    return pdu.message(Message(about.dest, about.source, notices.RECEIPT, 0, 0, octets, tlvs))


def reply(script: Script, about: Letter, text: str, reference: int) -> list[bytes]:
    """The bodies of what the person writes back, one for each part, in the order the script wants."""
    data_coding = coding.choose(text, coding.Alphabet.GSM, latin_1=False)
    whole = script.reply_long is LongText.PAYLOAD
    pieces = [text] if whole else parts.split(text, wide_reference=script.reply_long is LongText.UDH16)
    made: list[bytes] = []
    for number, piece in enumerate(pieces, 1):
        if number == script.reply_missing:
            continue
        octets = coding.encode(piece, data_coding, coding.Alphabet.GSM)
        tlvs: dict[int, bytes] = {Tag.MESSAGE_PAYLOAD: octets} if whole else {}
        header = b""
        if len(pieces) > 1:
            header, more = _joined(script.reply_long, reference, len(pieces), number)
            tlvs |= more
        esm_class = UDH if header else 0
        message = Message(about.dest, about.source, esm_class, 0, data_coding, header + octets, tlvs)
        made.append(pdu.message(message))
    return made[::-1] if script.reply_reversed else made


def _joined(way: LongText, reference: int, total: int, number: int) -> tuple[bytes, dict[int, bytes]]:
    if way is LongText.SAR:
        return b"", {
            Tag.SAR_REFERENCE: pack(">H", reference & 0xFFFF),
            Tag.SAR_TOTAL: bytes((total,)),
            Tag.SAR_NUMBER: bytes((number,)),
        }
    if way is LongText.UDH16:
        return pack(">BBBHBB", 6, 8, 4, reference & 0xFFFF, total, number), {}
    return bytes((5, 0, 3, reference & 0xFF, total, number)), {}
