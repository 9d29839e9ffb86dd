"""A text as the bodies of its submit_sm, one for each part (SMPP 3.4, 4.4; 3GPP TS 23.040, 9.2.3.24)."""

from __future__ import annotations

import secrets
from functools import lru_cache
from struct import pack
from typing import TYPE_CHECKING

from heliograph.carriers.base import Refused
from heliograph.carriers.smpp import coding
from heliograph.carriers.smpp.pdu import UDH, Address, Tag, c_string, tlv
from heliograph.carriers.smpp.settings import LongText
from heliograph.rules import parts

if TYPE_CHECKING:
    from collections.abc import Callable

    from heliograph.carriers.base import Text
    from heliograph.carriers.smpp.settings import Settings

SHORT_CODE = 8  # digits of the longest short code; a number with its country code is longer
LONGEST_ADDRESS = 20
LONGEST_OCTETS = 254  # of short_message
MOST_PARTS = parts.MOST_PARTS

Pieces = tuple[int, tuple[bytes, ...]]
"""data_coding, and the octets of each part (unpacked septets, where they are septets)."""


class Wording:
    """Makes bodies by an account's settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._reference = secrets.randbelow(0x10000)  # workers of one account begin apart
        self._source = lru_cache(maxsize=256)(self._source_octets)
        self._pieces: Callable[[str], Pieces] = lru_cache(maxsize=256)(self._cut)
        fixed = settings
        self._before = bytes((fixed.protocol_id, fixed.priority)) + b"\0" + _validity(fixed.validity_s)
        self._before += bytes((fixed.registered_delivery, 0))
        self._service = c_string(fixed.service_type)
        self._dest = bytes(fixed.dest_ton_npi)

    def bodies(self, text: Text) -> list[bytes] | Refused:
        """A body for each part; or why no message centre could take the text."""
        try:
            to = text.to if self._settings.plus else text.to.removeprefix("+")
            head = self._service + self._source(text.sender) + self._dest + to.encode("ascii") + b"\0"
        except ValueError:
            detail = "An address is 1 to 20 ASCII characters"
            return Refused("invalid_address", permanent=True, detail=detail)
        data_coding, pieces = self._pieces(text.text)
        if len(pieces) == 1:
            return [self._body(head, 0, data_coding, self._packed(pieces[0], data_coding), self._settings.tlvs)]
        if len(pieces) > MOST_PARTS:
            return Refused("too_many_parts", permanent=True, detail=f"{len(pieces)} parts, of at most {MOST_PARTS}")
        self._reference = (self._reference + 1) & 0xFFFF
        return [self._part(head, data_coding, pieces, number) for number in range(1, len(pieces) + 1)]

    def source(self, sender: str) -> Address:
        """A sender as an address. Raises ValueError for what no address can hold."""
        settings = self._settings
        digits = sender.removeprefix("+")
        if not sender.isascii() or not 1 <= len(sender) <= LONGEST_ADDRESS or "\0" in sender:
            raise ValueError
        if not digits.isdecimal():
            return Address(*settings.name_ton_npi, sender)
        if sender == digits and len(digits) <= SHORT_CODE:
            return Address(*settings.short_ton_npi, digits)
        return Address(*settings.number_ton_npi, "+" + digits if settings.plus else digits)

    def _source_octets(self, sender: str) -> bytes:
        return self.source(sender).octets()

    def _cut(self, text: str) -> Pieces:
        settings = self._settings
        alphabet = settings.default_alphabet
        # Once for the whole text: a piece alone might fit another alphabet.
        data_coding = coding.choose(text, alphabet, latin_1=settings.latin1)
        whole = settings.long_text is LongText.PAYLOAD or parts.measure(text).parts == 1
        pieces = [text] if whole else parts.split(text, wide_reference=settings.long_text is LongText.UDH16)
        return data_coding, tuple(coding.encode(piece, data_coding, alphabet) for piece in pieces)

    def _part(self, head: bytes, data_coding: int, pieces: tuple[bytes, ...], number: int) -> bytes:
        total, reference, octets = len(pieces), self._reference, pieces[number - 1]
        if self._settings.long_text is LongText.SAR:
            sar = tlv(Tag.SAR_REFERENCE, pack(">H", reference)) + tlv(Tag.SAR_TOTAL, bytes((total,)))
            sar += tlv(Tag.SAR_NUMBER, bytes((number,)))
            return self._body(head, 0, data_coding, self._packed(octets, data_coding), sar + self._settings.tlvs)
        if self._settings.long_text is LongText.UDH16:
            header = pack(">BBBHBB", 6, 8, 4, reference, total, number)
        else:
            header = bytes((5, 0, 3, reference & 0xFF, total, number))
        said = header + self._packed(octets, data_coding, len(header))
        return self._body(head, UDH, data_coding, said, self._settings.tlvs)

    def _packed(self, octets: bytes, data_coding: int, header: int = 0) -> bytes:
        if data_coding == coding.DEFAULT and self._settings.default_alphabet is coding.Alphabet.PACKED:
            return coding.pack(octets, header)
        return octets

    def _body(self, head: bytes, esm_class: int, data_coding: int, octets: bytes, tlvs: bytes) -> bytes:
        if len(octets) > LONGEST_OCTETS:
            tlvs = tlv(Tag.MESSAGE_PAYLOAD, octets) + tlvs
            octets = b""
        return b"%b%c%b%c\0%c%b%b" % (head, esm_class, self._before, data_coding, len(octets), octets, tlvs)


def _validity(seconds: int | None) -> bytes:
    """validity_period: relative (7.1.1), or empty."""
    if seconds is None:
        return b"\0"
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"00{days // 30:02d}{days % 30:02d}{hour:02d}{minute:02d}{second:02d}000R".encode() + b"\0"
