"""What SMPP 3.4 looks like in octets: frames, the bodies we use, and their reading back.

Reading is lenient where message centres in use are (missing fields at the end, unknown TLVs), and total: any octets
give a value or :class:`Malformed`. Section numbers are those of the SMPP 3.4 specification, issue 1.2.
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

HEAD = Struct(">IIII")  # length, command, status, sequence (3.2)
_HEAD = HEAD.size
TLV = Struct(">HH")  # tag, length (3.2.4.1)
LONGEST = 128 * 1024  # octets of a frame that may be honest: a payload of 64 KiB and its fields
LAST_SEQUENCE = 0x7FFFFFFF
RESPONSE = 0x80000000  # the bit of an answer


class Command(IntEnum):
    """command_id (5.1.2.1)."""

    BIND_RECEIVER = 0x01
    BIND_TRANSMITTER = 0x02
    QUERY_SM = 0x03
    SUBMIT_SM = 0x04
    DELIVER_SM = 0x05
    UNBIND = 0x06
    BIND_TRANSCEIVER = 0x09
    OUTBIND = 0x0B
    ENQUIRE_LINK = 0x15
    ALERT_NOTIFICATION = 0x102
    DATA_SM = 0x103
    GENERIC_NACK = 0x80000000


class Tag(IntEnum):
    """Optional parameters that we write or read (5.3.2)."""

    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_REFERENCE = 0x020C
    SAR_TOTAL = 0x020E
    SAR_NUMBER = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


OK = 0x00
INVALID_LENGTH = 0x02  # ESME_RINVCMDLEN
INVALID_COMMAND = 0x03  # ESME_RINVCMDID
LATER = 0x64  # ESME_RX_T_APPN: could not be taken now, deliver it again

UDH = 0x40  # in esm_class: the message begins with a user data header (5.2.12)
KIND = 0x3C  # in esm_class: what kind of message is delivered


class Malformed(Exception):
    """These octets are no SMPP; ``status`` is what to tell whoever sent them."""

    def __init__(self, status: int = INVALID_LENGTH) -> None:
        super().__init__(f"not SMPP 3.4: 0x{status:02x}")
        self.status = status


class Frame(NamedTuple):
    """One PDU, its body unread."""

    command: int
    status: int
    sequence: int
    body: bytes


class Address(NamedTuple):
    """Type of number, numbering plan, digits or name (5.2.5 to 5.2.9)."""

    ton: int
    npi: int
    digits: str

    def octets(self) -> bytes:
        """As it stands in a body. Raises UnicodeEncodeError for what no address can hold."""
        return bytes((self.ton, self.npi)) + self.digits.encode("ascii") + b"\0"


class Message(NamedTuple):
    """A submit_sm, deliver_sm or data_sm (4.4, 4.6, 4.7). ``octets``: short_message, or the payload."""

    source: Address
    dest: Address
    esm_class: int
    registered: int
    coding: int
    octets: bytes
    tlvs: Mapping[int, bytes]


class Bind(NamedTuple):
    """What a bind asks for (4.1)."""

    system_id: str
    password: str
    system_type: str


def frame(command: int, sequence: int, body: bytes = b"", status: int = OK) -> bytes:
    """One PDU."""
    return HEAD.pack(_HEAD + len(body), command, status, sequence) + body


class Frames:
    """Cuts a stream into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole by now. Raises :class:`Malformed` when the stream cannot be followed any more."""
        data = self._rest + data if self._rest else data
        found: list[Frame] = []
        at, end = 0, len(data)
        while end - at >= _HEAD:
            length, command, status, sequence = HEAD.unpack_from(data, at)
            if not _HEAD <= length <= LONGEST:
                if found:  # those before it are honest: the next feed will say it
                    break
                raise Malformed
            if end - at < length:
                break
            found.append(Frame(command, status, sequence, data[at + _HEAD : at + length]))
            at += length
        self._rest = data[at:]
        return found


def text(body: bytes, at: int = 0) -> tuple[str, int]:
    """The C string that begins at ``at``, and where the next field begins. Its end may be missing at a body's end."""
    end = body.find(b"\0", at)
    if end < 0:
        return body[at:].decode("latin-1"), len(body)
    return body[at:end].decode("latin-1"), end + 1


def c_string(value: str) -> bytes:
    """A C string. Raises UnicodeEncodeError for what is not ASCII."""
    return value.encode("ascii") + b"\0"


def tlv(tag: int, value: bytes) -> bytes:
    """One optional parameter."""
    return TLV.pack(tag, len(value)) + value


def bind(asked: Bind, *, ton: int, npi: int, address_range: str) -> bytes:
    """The body of a bind; interface_version is 3.4."""
    names = c_string(asked.system_id) + c_string(asked.password) + c_string(asked.system_type)
    return names + bytes((0x34, ton, npi)) + c_string(address_range)


def read_bind(body: bytes) -> Bind:
    """What a bind asks for."""
    system_id, at = text(body)
    password, at = text(body, at)
    return Bind(system_id, password, text(body, at)[0])


def read_message(body: bytes) -> Message:
    """A submit_sm or deliver_sm. Raises :class:`Malformed`."""
    try:
        _, at = text(body)  # service_type
        source, at = _address(body, at)
        dest, at = _address(body, at)
        esm_class = body[at]
        _, at = text(body, at + 3)  # schedule_delivery_time, behind protocol_id and priority_flag
        _, at = text(body, at)  # validity_period
        registered, _, coding, _, length = body[at : at + 5]
    except (IndexError, ValueError):
        raise Malformed from None
    at += 5
    octets = body[at : at + length]
    if len(octets) < length:
        raise Malformed
    tlvs = _tlvs(body, at + length)
    return Message(source, dest, esm_class, registered, coding, octets or tlvs.get(Tag.MESSAGE_PAYLOAD, b""), tlvs)


def read_data(body: bytes) -> Message:
    """A data_sm (4.7), by which some message centres deliver. Raises :class:`Malformed`."""
    try:
        _, at = text(body)
        source, at = _address(body, at)
        dest, at = _address(body, at)
        esm_class, registered, coding = body[at : at + 3]
    except (IndexError, ValueError):
        raise Malformed from None
    tlvs = _tlvs(body, at + 3)
    return Message(source, dest, esm_class, registered, coding, tlvs.get(Tag.MESSAGE_PAYLOAD, b""), tlvs)


def message(said: Message) -> bytes:
    """The body of a deliver_sm, fields that we never use left empty. A submit_sm is made by :mod:`wording`, faster."""
    octets = b"" if Tag.MESSAGE_PAYLOAD in said.tlvs else said.octets
    fields = bytes((said.esm_class, 0, 0, 0, 0, said.registered, 0, said.coding, 0, len(octets)))
    tlvs = b"".join(tlv(tag, value) for tag, value in said.tlvs.items())
    return b"\0" + said.source.octets() + said.dest.octets() + fields + octets + tlvs


class Queried(NamedTuple):
    """The answer to a query_sm (4.8.2)."""

    message_id: str
    state: int
    error: int


def query(message_id: str, source: Address) -> bytes:
    """The body of a query_sm (4.8.1)."""
    return c_string(message_id) + source.octets()


def read_query(body: bytes) -> tuple[str, str]:
    """The message id and the source's digits that a query_sm names. Raises :class:`Malformed`."""
    message_id, at = text(body)
    try:
        return message_id, _address(body, at)[0].digits
    except IndexError:
        raise Malformed from None


def queried(found: Queried) -> bytes:
    """The body of a query_sm's answer, without a final date."""
    return c_string(found.message_id) + b"\0" + bytes((found.state, found.error))


def read_queried(body: bytes) -> Queried:
    """The answer to a query_sm. Raises :class:`Malformed`."""
    message_id, at = text(body)
    _, at = text(body, at)  # final_date: in the message centre's own zone
    if at >= len(body):
        raise Malformed
    return Queried(message_id, body[at], body[at + 1] if at + 1 < len(body) else 0)


def _address(body: bytes, at: int) -> tuple[Address, int]:
    ton, npi = body[at], body[at + 1]
    digits, at = text(body, at + 2)
    return Address(ton, npi, digits), at


def _tlvs(body: bytes, at: int) -> dict[int, bytes]:
    """Optional parameters from ``at`` on; what is cut off at the end is left out."""
    found: dict[int, bytes] = {}
    end = len(body)
    while end - at >= 4:  # noqa: PLR2004  # tag and length
        tag, length = TLV.unpack_from(body, at)
        at += 4
        if end - at < length:
            break
        found[tag] = body[at : at + length]
        at += length
    return found
