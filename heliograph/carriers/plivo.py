"""Plivo: the Message API, status callbacks, inbound messages.

| Plivo says | ours | evidence |
|---|---|---|
| 202 with a message_uuid | Accepted | "Send a message" |
| 200 or 202 without one | Lost | |
| 400 | refused for good | "API response": a parameter is missing or is invalid |
| 401 403 404 405, 402 | the account is shut | same; 402 is no credit |
| 429 | Deferred | same |
| 5xx, nothing | Lost | the API has no idempotency key |
| callback queued sent | receipt: accepted | "Message status callbacks" |
| callback delivered read | receipt: delivered | same |
| callback failed undelivered rejected | receipt: failed, by ErrorCode | same |
| ErrorCode 200 | the person opted out | "Can I reply to customers who have opted out?" |

Unknown texts are looked up by message_uuid, else by number, sender and time ("List all messages", 20 requests a
minute): what was queued within two minutes of ours counts when it is the only one. Calls are verified by
``X-Plivo-Signature-V3`` when it is there, which is over the body; else by ``X-Plivo-Signature-V2`` ("Signature
validation"), which is not, and by the token in the address, when the account has one.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Heard, Receipt, ReceiptState, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_wire import Request
from heliograph.config import utc_now
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.carriers.base import Call, Finding, Sought, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

NEAR = timedelta(minutes=2)
OPTED_OUT = frozenset({"200"})  # of a callback
STATES = {
    **dict.fromkeys(("queued", "sent"), ReceiptState.ACCEPTED),
    **dict.fromkeys(("delivered", "read"), ReceiptState.DELIVERED),
    **dict.fromkeys(("failed", "undelivered", "rejected"), ReceiptState.FAILED),
}

FIELDS = (
    http_settings.word(
        "auth_id", "1 to 40 letters and digits", "The account, or a subaccount.", r"[A-Za-z0-9]{1,40}", required=True
    ),
    http_settings.secret("auth_token", "Its auth token. Calls are verified by it.", required=True),
    http_settings.word(
        "powerpack_uuid",
        "a UUID",
        "A powerpack to send through; it then chooses the sender, not the campaign.",
        r"[0-9a-fA-F-]{36}",
    ),
    http_settings.token(),
    *http_settings.line("https://api.plivo.com"),
)


class Plivo:
    """The API. See :class:`heliograph.carriers.http.AskedVendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        self._messages = f"{http_settings.path(values)}/v1/Account/{values.text('auth_id')}/Message/"
        self._auth = ("Authorization", http_calls.basic(values.text("auth_id"), values.text("auth_token")))
        self._powerpack = values.text("powerpack_uuid")
        self._callback = http_calls.with_token(webhook_url, values.text("webhook_token"))

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of JSON for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        body = {"dst": text.to, "text": text.text, "type": "sms"}
        body |= {"powerpack_uuid": self._powerpack} if self._powerpack else {"src": text.sender}
        if self._callback is not None:
            body |= {"url": self._callback, "method": "POST"}
        return Request(
            "POST", self._messages, (self._auth, ("Content-Type", "application/json")), json.dumps(body).encode()
        )

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:
        """See the table above."""
        uuids = http_answers.mapping(answer).get("message_uuid")
        many = cast("list[object]", uuids) if isinstance(uuids, list) else [uuids]
        ref = http_calls.text(many[0]) if many else ""
        if answer.status in http_answers.SUCCESS and ref:
            return http_answers.each(len(texts), Accepted(ref))
        return http_answers.by_status(len(texts), answer, utc_now())

    def question(self, sought: Sought) -> Request:
        """The message by its uuid; else those to this number, around that time."""
        if sought.ref is not None:
            return Request("GET", f"{self._messages}{sought.ref}/", (self._auth,))
        at = sought.submitted_at.astimezone(UTC)
        query = {
            "message_direction": "outbound",
            "to_number": sought.to,
            "message_time__gte": f"{at - NEAR:%Y-%m-%d %H:%M:%S}",
            "message_time__lte": f"{at + NEAR:%Y-%m-%d %H:%M:%S}",
        }
        if not self._powerpack:
            query["from_number"] = sought.sender
        return Request("GET", f"{self._messages}?{urlencode(query)}", (self._auth,))

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """How the message stands. A list settles only with one message in it; silence settles nothing."""
        said = http_answers.mapping(answer)
        if sought.ref is None:
            near = http_calls.items(said.get("objects"))
            if len(near) != 1:
                return None
            said = near[0]
        ref = sought.ref or http_calls.text(said.get("message_uuid"))
        status = http_calls.text(said.get("message_state"))
        state = STATES.get(status)
        if not ref or state is None:
            return None
        code = (http_calls.text(said.get("error_code")) or status) if state is ReceiptState.FAILED else ""
        return Receipt(ref, state, http_calls.moment(said.get("message_time"), sought.submitted_at), code)


class PlivoCalls:
    """Status callbacks and inbound messages. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By the signature over everything where there is one; else by the older one and the token."""
        token = http_calls.text(settings.get("auth_token"))
        expected = http_calls.text(settings.get("webhook_token"))
        if not token:
            return False
        newer = call.headers.get("x-plivo-signature-v3", "")
        if newer:
            wanted = sign_v3(token, call, call.headers.get("x-plivo-signature-v3-nonce", ""))
            return any([http_calls.same(each.strip(), wanted) for each in newer.split(",")])  # noqa: C419  # compare all
        wanted = sign_v2(token, call, call.headers.get("x-plivo-signature-v2-nonce", ""))
        given = (call.headers.get("x-plivo-signature-v2", ""), call.headers.get("x-plivo-signature-ma-v2", ""))
        signed = any([http_calls.same(each, wanted) for each in given])  # noqa: C419  # compare all
        return signed and (not expected or http_calls.has_token(call, expected))

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """A receipt or a reply."""
        del settings
        said = http_calls.fields(call)
        status = http_calls.text(said.get("Status")).lower()
        ref = http_calls.need(said, "MessageUUID")
        if not status and "Text" in said:
            number, to = http_calls.plus(http_calls.need(said, "From")), http_calls.plus(http_calls.need(said, "To"))
            return Heard(replies=[Reply(number, to, http_calls.text(said["Text"]), call.at, ref)])
        state = STATES.get(status)
        if state is None:
            return Heard()
        code = (http_calls.text(said.get("ErrorCode")) or status) if state is ReceiptState.FAILED else ""
        return Heard(receipts=[Receipt(ref, state, call.at, code)])


def sign_v2(auth_token: str, call: Call, nonce: str) -> str:
    """The signature over the address without its query."""
    address = urlunsplit(urlsplit(call.url)._replace(query="", fragment=""))
    return http_calls.based(http_calls.mac(auth_token, (address + nonce).encode("utf-8", "replace")))


def sign_v3(auth_token: str, call: Call, nonce: str) -> str:
    """The signature over the address, its query and the form (as Plivo's own library makes it); "" for no form."""
    parts = urlsplit(call.url)
    address = urlunsplit(parts._replace(query="", fragment=""))
    query = "&".join(f"{name}={value}" for name, value in sorted(parse_qsl(parts.query, keep_blank_values=True)))
    try:
        form = sorted(http_calls.pairs(call)) if call.body else []
    except Invalid:
        return ""
    message = f"{address}?{query}" if query or form else address
    if form:
        message += ("." if query else "") + "".join(name + value for name, value in form)
    return http_calls.based(http_calls.mac(auth_token, f"{message}.{nonce}".encode("utf-8", "replace")))


KIND = http.kind("plivo", "Plivo's Message API", FIELDS, Plivo, PlivoCalls(), opted_out=OPTED_OUT)
