"""Telnyx: the Messages API v2, webhooks.

| Telnyx says | ours | evidence |
|---|---|---|
| 200 with ``data.id`` | Accepted | "Send a message" |
| 10009 10010 20100 20013, HTTP 401 403 404 | the account is shut | "API error codes" |
| 10011 40011 40318, HTTP 429 | Deferred, by Retry-After; a minute for a full queue, 40318 | "Messaging error codes" |
| 40013 40305 40306 40312 40313 40315 40316 | refused for now: the sender or its profile is wrong | same |
| 40300 (the person sent STOP), another code with 4xx | refused for good | same |
| 409 | Lost: the same text is being worked on | "Idempotency" |
| 5xx, nothing | Lost | |
| message.sent | receipt: accepted | "Receiving webhooks" |
| message.finalized: delivered | receipt: delivered | same |
| message.finalized: sending_failed delivery_failed expired | receipt: failed, by the first error's code | same |
| message.finalized: delivery_unconfirmed, any other | receipt: accepted | no receipt came |

Every text carries its message id as ``Idempotency-Key``: within 24 hours Telnyx answers a repeat with the first answer.
Unknown texts are looked up by id ("Retrieve a message"); one whose id was lost waits for its receipt. Calls are
verified by their Ed25519 signature with the account's public key, not older than five minutes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Deferred, Heard, Lost, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_settings import Field, Unusable
from heliograph.carriers.http_wire import Request
from heliograph.carriers.kind import Setting
from heliograph.config import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.carriers.base import Call, Finding, Sought, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

SHUT = {
    "10009": "it does not accept our credentials",
    "10010": "our credentials may not send",
    "20013": "the account is not active",
    "20100": "the account has no credit",
}
THROTTLED = frozenset({"10011", "40011"})
FULL = frozenset({"40318"})
FULL_PAUSE = 60.0
FOR_NOW = frozenset({"40013", "40305", "40306", "40312", "40313", "40315", "40316"})
CONFLICT = 409
FAILED = frozenset({"sending_failed", "delivery_failed", "expired"})


def _public_key(value: object) -> str:
    if not isinstance(value, str) or len(http_calls.unbased(value)) != 32:  # noqa: PLR2004  # RFC 8032
        raise Unusable
    return value


OPTED_OUT = frozenset({"40300"})

FIELDS = (
    http_settings.secret("api_key", "An API key of the account.", required=True),
    Field(
        Setting("public_key", "32 octets in Base64", "The account's public key. Calls are verified by it."), _public_key
    ),
    http_settings.word(
        "messaging_profile_id", "a UUID", "The messaging profile, which sender names need.", r"[0-9a-fA-F-]{36}"
    ),
    *http_settings.line("https://api.telnyx.com"),
)


class Telnyx:
    """The API. See :class:`heliograph.carriers.http.AskedVendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        self._messages = f"{http_settings.path(values)}/v2/messages"
        self._auth = ("Authorization", f"Bearer {values.text('api_key')}")
        self._profile = values.text("messaging_profile_id")
        self._callback = webhook_url

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of JSON for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        body = {"from": text.sender, "to": text.to, "text": text.text, "type": "SMS"}
        if self._profile:
            body["messaging_profile_id"] = self._profile
        if self._callback is not None:
            body["webhook_url"] = self._callback
        headers = (self._auth, ("Content-Type", "application/json"), ("Idempotency-Key", text.message_id))
        return Request("POST", self._messages, headers, json.dumps(body).encode())

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:  # noqa: PLR0911  # a return for each row of the table
        """See the table above."""
        said, count, now = http_answers.mapping(answer), len(texts), utc_now()
        ref = http_calls.text(http_calls.mapping(said.get("data")).get("id"))
        if answer.status in http_answers.SUCCESS and ref:
            return http_answers.each(count, Accepted(ref))
        code = _first_code(said)
        if code in SHUT:
            return http_answers.shut(count, code, f"{SHUT[code]} ({code})")
        if code in FULL:
            return http_answers.each(count, Deferred(code, http_calls.pause(answer.headers, now, FULL_PAUSE)))
        if code in THROTTLED:
            return http_answers.each(count, Deferred(code, http_calls.pause(answer.headers, now)))
        if answer.status == CONFLICT:
            return http_answers.each(count, Lost("the carrier is working on the same text"))
        if code in FOR_NOW:
            return http_answers.each(count, Refused(code, permanent=False))
        if code.startswith("403"):  # about this text, though some come with the status 403, which else is the account's
            return http_answers.each(count, Refused(code, permanent=True))
        return http_answers.by_status(count, answer, now, code=code)

    def question(self, sought: Sought) -> Request | None:
        """The message by its id."""
        return None if sought.ref is None else Request("GET", f"{self._messages}/{sought.ref}", (self._auth,))

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """How the message stands."""
        return _receipt(http_calls.mapping(http_answers.mapping(answer).get("data")), sought.submitted_at)


def _first_code(said: Mapping[str, object]) -> str:
    errors = http_calls.items(said.get("errors"))
    return http_calls.text(errors[0].get("code")) if errors else ""


def _receipt(message: Mapping[str, object], otherwise: datetime) -> Receipt | None:
    ref, people = http_calls.text(message.get("id")), http_calls.items(message.get("to"))
    if not ref or not people:
        return None
    status, at = http_calls.text(people[0].get("status")), http_calls.moment(message.get("completed_at"), otherwise)
    if status == "delivered":
        return Receipt(ref, ReceiptState.DELIVERED, at)
    if status in FAILED:
        return Receipt(ref, ReceiptState.FAILED, at, _first_code(message) or status)
    return Receipt(ref, ReceiptState.ACCEPTED, at)


class TelnyxCalls:
    """Webhooks. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By the signature over time and body; an old one is somebody's recording."""
        key = http_calls.unbased(http_calls.text(settings.get("public_key")))
        given, at = call.headers.get("telnyx-signature-ed25519", ""), call.headers.get("telnyx-timestamp", "")
        if not key or not http_calls.is_recent(at, call.at):
            return False
        try:
            signed = f"{at}|".encode("utf-8", "replace") + call.body
            Ed25519PublicKey.from_public_bytes(key).verify(http_calls.unbased(given), signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """A receipt or a reply."""
        del settings
        event = http_calls.mapping(http_calls.mapping(http_calls.document(call.body)).get("data"))
        payload, kind = http_calls.mapping(event.get("payload")), event.get("event_type")
        at = http_calls.moment(event.get("occurred_at"), call.at)
        if kind == "message.received":
            people = http_calls.items(payload.get("to"))
            number = http_calls.need(http_calls.mapping(payload.get("from")), "phone_number")
            to = http_calls.need(people[0] if people else {}, "phone_number")
            ref = http_calls.text(payload.get("id"))
            return Heard(
                replies=[
                    Reply(http_calls.plus(number), http_calls.plus(to), http_calls.text(payload.get("text")), at, ref)
                ]
            )
        if kind == "message.sent":
            return Heard(receipts=[Receipt(http_calls.need(payload, "id"), ReceiptState.ACCEPTED, at)])
        found = _receipt(payload, at) if kind == "message.finalized" else None
        return Heard(receipts=[found] if found is not None else ())


KIND = http.kind("telnyx", "Telnyx's Messages API", FIELDS, Telnyx, TelnyxCalls(), opted_out=OPTED_OUT)
