"""Vonage: the SMS API, delivery receipts, inbound messages.

HTTP is 200 whatever happened; each part of a text has a status of its own. ("Troubleshooting SMS", "SMS API errors".)

| Vonage says | ours |
|---|---|
| every part 0 | Accepted. The ref is our client-ref, which every receipt of every part repeats ("Delivery receipts") |
| some parts 0, some not | Lost: the person has some of it |
| 1 throttled, 10 too many binds | Deferred, a second |
| 5 internal error, 15 the sender may not be used, 99 error | refused for now |
| 4 credentials, 8 account barred, 9 no credit, 11 not enabled, 14 signature, 32 | the account is shut |
| 2 3 6 7 12 22 23 29 33 and any other | refused for good: this number, or this text |
| HTTP 429; 4xx; 5xx, nothing | Deferred; as every HTTP carrier; Lost |
| receipt accepted buffered unknown | receipt: accepted |
| receipt delivered | receipt: delivered |
| receipt with err-code 9 | the person opted out ("Messaging opted-out numbers") |
| receipt expired failed rejected deleted undeliverable | receipt: failed, by err-code ("DLR error codes") |

There is neither an idempotency key nor a look-up by our reference, so unknown texts wait for a receipt. Calls are
verified by their ``sig`` ("Signing messages") when the account has a signature secret, else by the token in their
address. The parts of a long inbound text come one by one and are handed on one by one.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Deferred, Heard, Lost, Part, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_wire import Request
from heliograph.config import utc_now
from heliograph.errors import Invalid
from heliograph.rules import parts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.carriers.base import Call, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

# Of a receipt; as the status of an answer it means that there is no credit, which shuts the account.
OPTED_OUT = frozenset({"9"})
THROTTLED = frozenset({"1", "10"})
FOR_NOW = frozenset({"5", "15", "99"})
SHUT = {
    "4": "it does not accept our credentials",
    "8": "the account is suspended",
    "9": "the account has no credit",
    "11": "the account is not enabled for this API",
    "14": "it does not accept our signature",
    "32": "it does not accept our signature",
}
LONGEST_CALLBACK = 100  # characters, by the API reference

STATES = {
    **dict.fromkeys(("accepted", "buffered", "unknown"), ReceiptState.ACCEPTED),
    "delivered": ReceiptState.DELIVERED,
    **dict.fromkeys(("expired", "failed", "rejected", "deleted", "undeliverable"), ReceiptState.FAILED),
}

FIELDS = (
    http_settings.word(
        "api_key", "1 to 40 letters and digits", "The account's key.", r"[A-Za-z0-9]{1,40}", required=True
    ),
    http_settings.secret("api_secret", "The account's secret.", required=True),
    http_settings.secret("signature_secret", "What Vonage signs its calls with, where that is switched on."),
    http_settings.word(
        "signature_method",
        "md5hash, md5, sha1, sha256 or sha512",
        "How it signs them.",
        "md5hash|md5|sha1|sha256|sha512",
        default="sha256",
    ),
    http_settings.token(),
    *http_settings.line("https://rest.nexmo.com"),
)


class Vonage:
    """The API. See :class:`heliograph.carriers.http.Vendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        self._target = f"{http_settings.path(values)}/sms/json"
        self._who = {"api_key": values.text("api_key"), "api_secret": values.text("api_secret")}
        callback = http_calls.with_token(webhook_url, values.text("webhook_token"))
        # A longer one would be refused: the account's own address is called then.
        self._callback = callback if callback is not None and len(callback) <= LONGEST_CALLBACK else None

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of form fields for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        form = self._who | {
            "from": text.sender.removeprefix("+"),
            "to": text.to.removeprefix("+"),
            "text": text.text,
            "type": "text" if parts.measure(text.text).encoding == "GSM-7" else "unicode",
            "status-report-req": "true",
            "client-ref": text.message_id,
        }
        if self._callback is not None:
            form["callback"] = self._callback
        headers = (("Content-Type", "application/x-www-form-urlencoded"),)
        return Request("POST", self._target, headers, urlencode(form).encode())

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:  # noqa: PLR0911  # a return for each row of the table
        """See the table above."""
        count = len(texts)
        if answer.status not in http_answers.SUCCESS:
            return http_answers.by_status(count, answer, utc_now())
        found = http_calls.items(http_answers.mapping(answer).get("messages"))
        codes = [http_calls.text(each.get("status")) for each in found]
        wrong = [code for code in codes if code != "0"]
        if not codes or (wrong and len(wrong) < len(codes)):
            return http_answers.each(
                count, Lost("only some parts of the text were taken" if codes else "an empty answer")
            )
        if not wrong:
            return http_answers.each(count, Accepted(texts[0].message_id))
        code = wrong[0]
        if code in SHUT:
            return http_answers.shut(count, code, f"{SHUT[code]} ({code})")
        if code in THROTTLED:
            return http_answers.each(count, Deferred(code, http_calls.pause(answer.headers, utc_now())))
        if not code:
            return http_answers.each(count, Lost("the answer has no status"))
        return http_answers.each(count, Refused(code, permanent=code not in FOR_NOW))


class VonageCalls:
    """Delivery receipts and inbound messages. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By the signature when there is a secret for it; else by the token."""
        secret = http_calls.text(settings.get("signature_secret"))
        if not secret:
            return http_calls.has_token(call, settings.get("webhook_token"))
        try:
            said = http_calls.fields(call)
        except Invalid:
            return False
        given = http_calls.text(said.pop("sig", "")).lower()
        return http_calls.same(given, sign(said, secret, http_calls.text(settings.get("signature_method")) or "sha256"))

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """A receipt or a reply."""
        del settings
        said = http_calls.fields(call)
        at = http_calls.moment(said.get("message-timestamp"), call.at)
        status = http_calls.text(said.get("status")).lower()
        if not status:
            if "text" not in said:
                return Heard()
            number, to = http_calls.plus(http_calls.need(said, "msisdn")), http_calls.plus(http_calls.need(said, "to"))
            words = http_calls.text(said.get("text"))
            return Heard(replies=[Reply(number, to, words, at, http_calls.text(said.get("messageId")), _part(said))])
        state = STATES.get(status)
        if state is None:
            return Heard()
        ref = http_calls.need(said, "client-ref", "messageId")
        code = (http_calls.text(said.get("err-code")) or status) if state is ReceiptState.FAILED else ""
        return Heard(receipts=[Receipt(ref, state, at, code)])


def _part(said: Mapping[str, object]) -> Part | None:
    """Which part of a long reply it is (https://developer.vonage.com/messaging/sms/guides/inbound-sms)."""
    if http_calls.text(said.get("concat")).lower() != "true":
        return None
    reference, *counted = (http_calls.text(said.get(f"concat-{name}")) for name in ("ref", "total", "part"))
    if not all(re.fullmatch("[0-9]{1,3}", text) for text in counted):
        return None
    total, number = map(int, counted)
    return Part(reference, total, number) if 1 <= number <= total <= parts.MOST_PARTS else None


def sign(said: Mapping[str, object], secret: str, method: str) -> str:
    """The signature of a call's fields, in small letters ("Signing messages": manually generate a signature)."""
    cleaned = {name: _as_signed(value).replace("&", "_").replace("=", "_") for name, value in said.items()}
    message = "".join(f"&{name}={cleaned[name]}" for name in sorted(cleaned))
    if method == "md5hash":
        return hashlib.md5((message + secret).encode("utf-8", "replace")).hexdigest()  # noqa: S324  # Vonage's choice
    known = method if method in ("md5", "sha1", "sha256", "sha512") else "sha256"
    return http_calls.mac(secret, message.encode("utf-8", "replace"), known).hex()


def _as_signed(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


KIND = http.kind("vonage", "Vonage's SMS API", FIELDS, Vonage, VonageCalls(), opted_out=OPTED_OUT)
