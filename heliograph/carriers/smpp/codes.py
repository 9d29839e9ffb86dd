"""What a message centre's command_status means for a text, and what its message_state does.

| status | name in SMPP 3.4, 5.1.3 | outcome | evidence |
|---|---|---|---|
| 0x58 | ESME_RTHROTTLED | Deferred `throttled` | Kannel pauses 1 s, Jasmin asks 20 times, Vumi slows down |
| 0x14 | ESME_RMSGQFUL | Deferred `queue_full` | Kannel: temporary; Jasmin: 180 s twice; Vumi as throttling |
| 0x08 | ESME_RSYSERR | Refused for now `system_error` | Kannel: temporary; Jasmin: 30 s twice |
| 0x64 | ESME_RX_T_APPN | Refused for now `application_error` | its name: temporary application error; Kannel |
| 0xFE | ESME_RDELIVERYFAILURE | Refused for now `delivery_failure` | only used on data_sm's answer by the standard |
| 0xFF | ESME_RUNKNOWNERR | Refused for now `unknown_error` | says nothing; five tries bound it |
| 0x45 | ESME_RSUBMITFAIL | Refused for now `submit_failed` | providers differ; five tries bound it |
| 0x04 | ESME_RINVBNDSTS | Refused for now `not_bound` | the bind is at fault, not the text |
| 0x05 | ESME_RALYBND | Refused for now `already_bound` | as 0x04 |
| others in the table below | | Refused for good | the text, an address or a field is at fault |
| any other | reserved, or the provider's own (0x400 …) | Refused for good `status_0x…` | Kannel does the same |

A text that is refused for good is not asked again; the account's setting ``statuses`` overrules any of these.
"""

from __future__ import annotations

from heliograph.carriers.base import Deferred, Outcome, ReceiptState, Refused

THROTTLED, QUEUE_FULL = 0x58, 0x14
ALREADY_BOUND, BIND_FAILED, INVALID_PASSWORD, INVALID_SYSTEM_ID, INVALID_SYSTEM_TYPE = 0x05, 0x0D, 0x0E, 0x0F, 0x53
INVALID_MESSAGE_ID, QUERY_FAILED = 0x0C, 0x67

DEFERRED = {THROTTLED: "throttled", QUEUE_FULL: "queue_full"}
FOR_NOW = {
    0x04: "not_bound",
    0x05: "already_bound",
    0x08: "system_error",
    0x45: "submit_failed",
    0x64: "application_error",
    0xFE: "delivery_failure",
    0xFF: "unknown_error",
}
FOR_GOOD = {
    0x01: "invalid_message_length",
    0x02: "invalid_command_length",
    0x03: "invalid_command",
    0x06: "invalid_priority",
    0x07: "invalid_registered_delivery",
    0x0A: "invalid_sender",
    0x0B: "invalid_destination",
    0x0C: "invalid_message_id",
    0x0D: "bind_failed",
    0x0E: "invalid_password",
    0x0F: "invalid_system_id",
    0x11: "cancel_failed",
    0x13: "replace_failed",
    0x15: "invalid_service_type",
    0x33: "invalid_number_of_destinations",
    0x34: "invalid_distribution_list",
    0x40: "invalid_destination_flag",
    0x42: "invalid_submit_with_replace",
    0x43: "invalid_esm_class",
    0x44: "cannot_submit_to_list",
    0x48: "invalid_sender_ton",
    0x49: "invalid_sender_npi",
    0x50: "invalid_destination_ton",
    0x51: "invalid_destination_npi",
    0x53: "invalid_system_type",
    0x54: "invalid_replace_flag",
    0x55: "invalid_number_of_messages",
    0x61: "invalid_schedule",
    0x62: "invalid_validity",
    0x63: "invalid_default_message",
    0x65: "rejected_by_application",
    0x66: "refused_by_application",
    0x67: "query_failed",
    0xC0: "invalid_optional_part",
    0xC1: "optional_parameter_not_allowed",
    0xC2: "invalid_parameter_length",
    0xC3: "missing_optional_parameter",
    0xC4: "invalid_optional_parameter",
}
NAMES = DEFERRED | FOR_NOW | FOR_GOOD
BY_NAME = {name: status for status, name in NAMES.items()}

REFUSED_BINDS = {BIND_FAILED, INVALID_PASSWORD, INVALID_SYSTEM_ID, INVALID_SYSTEM_TYPE}
"""A bind that ends so needs a person."""

HOPELESS_BINDS = {INVALID_PASSWORD, INVALID_SYSTEM_ID, INVALID_SYSTEM_TYPE}
"""... and trying it again with the same words can only get an account locked."""

VERDICTS = ("throttled", "temporary", "permanent")
"""What an account's ``statuses`` may call a status."""


def name(status: int) -> str:
    """A word for a status, for people and for reasons."""
    return NAMES.get(status) or f"status_0x{status:08x}"


def outcome(status: int, own: dict[int, str], *, throttle_s: float, queue_full_s: float) -> Outcome:
    """What a status other than 0 means; ``own`` are the account's verdicts."""
    verdict = own.get(status)
    if verdict == "throttled" or (verdict is None and status in DEFERRED):
        return Deferred(name(status), queue_full_s if status == QUEUE_FULL else throttle_s)
    permanent = verdict == "permanent" or (verdict is None and status not in FOR_NOW)
    return Refused(name(status), permanent=permanent, detail=f"command_status 0x{status:08x}")


STATES: dict[int, tuple[ReceiptState, str]] = {
    1: (ReceiptState.ACCEPTED, ""),  # ENROUTE
    2: (ReceiptState.DELIVERED, ""),
    3: (ReceiptState.FAILED, "expired"),
    4: (ReceiptState.FAILED, "deleted"),
    5: (ReceiptState.FAILED, "undeliverable"),
    6: (ReceiptState.ACCEPTED, ""),  # ACCEPTED: read by hand on behalf of the subscriber; no handset confirmed it
    7: (ReceiptState.FAILED, "unknown_state"),  # the standard: "in invalid state", final; a later DELIVRD still counts
    8: (ReceiptState.FAILED, "rejected"),
}
"""message_state (5.2.28)."""

STATE_WORDS = {
    "ENROUTE": 1, "ENROUTED": 1, "DELIVRD": 2, "DELIVERED": 2, "DELIVERD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5,
    "UNDELIVERED": 5, "UNDELIVERABLE": 5, "FAILED": 5, "ACCEPTD": 6, "ACCEPTED": 6, "UNKNOWN": 7, "UNKNOWND": 7,
    "REJECTD": 8, "REJECTED": 8, "BUFFERED": 1, "BUFFRED": 1, "SENT": 1,
}  # fmt: skip
"""What receipts say after ``stat:`` (Appendix B, and as message centres spell it)."""
