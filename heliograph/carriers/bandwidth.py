"""Bandwidth: the Messaging API v2, webhooks.

| Bandwidth says | ours | evidence |
|---|---|---|
| 202 with an ``id`` | Accepted | "Create message" |
| 400 415 and any other 4xx | refused for good | "Errors": HTTP status codes |
| 401 403 404 | the account is shut | same |
| 429 | Deferred | same |
| 5xx | refused for now | same: "any 4xx or 5xx ... will not be billed nor will the message be sent" |
| nothing | Lost | |
| message-sending | receipt: accepted | "Webhooks" |
| message-delivered | receipt: delivered | same |
| message-failed | receipt: failed, by errorCode | same; "Error code schema" |
| errorCode 4775 | the person opted out | same: destination-rejected-due-to-user-opt-out |

Our message id goes along as ``tag``. Unknown texts are looked up by id, else by sender, number and time ("List
messages"): what was sent within two minutes of ours counts when it is the only one. Calls are not signed: they are
verified by the HTTP Basic user of the application's callback, or by the token in their address.
"""

from __future__ import annotations

import json
from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Heard, Receipt, ReceiptState, Reply
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_wire import Request
from heliograph.config import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.carriers.base import Call, Finding, Sought, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

NEAR = timedelta(minutes=2)
EVENTS = {
    "message-sending": ReceiptState.ACCEPTED,
    "message-delivered": ReceiptState.DELIVERED,
    "message-failed": ReceiptState.FAILED,
}
OPTED_OUT = frozenset({"4775"})  # of a callback
LISTED = {
    **dict.fromkeys(("QUEUED", "SENDING", "SENT", "ACCEPTED"), ReceiptState.ACCEPTED),
    "DELIVERED": ReceiptState.DELIVERED,
    **dict.fromkeys(("FAILED", "UNDELIVERED"), ReceiptState.FAILED),
}

FIELDS = (
    http_settings.word("account_id", "1 to 20 digits", "The account.", r"[0-9]{1,20}", required=True),
    http_settings.word(
        "application_id",
        "a UUID",
        "The messaging application, which has the sender and the address of the calls.",
        r"[0-9a-fA-F-]{36}",
        required=True,
    ),
    http_settings.word("user", "1 to 100 characters without a colon", "The API user.", r"[^:\s]{1,100}", required=True),
    http_settings.secret("password", "That user's password.", required=True),
    http_settings.word(
        "webhook_user", "1 to 100 characters without a colon", "The user of Bandwidth's calls.", r"[^:\s]{1,100}"
    ),
    http_settings.secret("webhook_password", "That user's password."),
    http_settings.token(),
    *http_settings.line("https://messaging.bandwidth.com"),
)


class Bandwidth:
    """The API. See :class:`heliograph.carriers.http.AskedVendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        del webhook_url  # it stands in the application
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        self._messages = f"{http_settings.path(values)}/api/v2/users/{values.text('account_id')}/messages"
        self._auth = ("Authorization", http_calls.basic(values.text("user"), values.text("password")))
        self._application = values.text("application_id")

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of JSON for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        body: dict[str, object] = {
            "applicationId": self._application,
            "from": text.sender,
            "to": [text.to],
            "text": text.text,
            "tag": text.message_id,
        }
        headers = (self._auth, ("Content-Type", "application/json; charset=utf-8"))
        return Request("POST", self._messages, headers, json.dumps(body).encode())

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:
        """See the table above."""
        said = http_answers.mapping(answer)
        ref = http_calls.text(said.get("id"))
        if answer.status in http_answers.SUCCESS and ref:
            return http_answers.each(len(texts), Accepted(ref))
        code = http_calls.text(said.get("type"))
        return http_answers.by_status(len(texts), answer, utc_now(), code=code, never_sent=True)

    def question(self, sought: Sought) -> Request:
        """The message by its id; else those from this sender to this number, around that time."""
        at = sought.submitted_at.astimezone(UTC)
        query = {"messageId": sought.ref} if sought.ref is not None else {
            "sourceTn": sought.sender,
            "destinationTn": sought.to,
            "fromDateTime": f"{at - NEAR:%Y-%m-%dT%H:%M:%S.000Z}",
            "toDateTime": f"{at + NEAR:%Y-%m-%dT%H:%M:%S.000Z}",
        }  # fmt: skip
        return Request("GET", f"{self._messages}?{urlencode(query)}", (self._auth,))

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """How the message stands. A list settles only with one message in it; silence settles nothing."""
        found = http_calls.items(http_answers.mapping(answer).get("messages"))
        found = [each for each in found if sought.ref is None or each.get("messageId") == sought.ref]
        if len(found) != 1:
            return None
        ref = http_calls.text(found[0].get("messageId"))
        state = LISTED.get(http_calls.text(found[0].get("messageStatus")))
        if not ref or state is None:
            return None
        code = http_calls.text(found[0].get("errorCode")) or "failed"
        at = http_calls.moment(found[0].get("receiveTime"), sought.submitted_at)
        return Receipt(ref, state, at, code if state is ReceiptState.FAILED else "")


class BandwidthCalls:
    """Webhooks. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By HTTP Basic when the account has a user for it; else by the token."""
        user = http_calls.text(settings.get("webhook_user"))
        if user:
            return http_calls.is_basic(call, user, http_calls.text(settings.get("webhook_password")))
        return http_calls.has_token(call, settings.get("webhook_token"))

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """Receipts and replies: a call is a list of events."""
        del settings
        receipts: list[Receipt] = []
        replies: list[Reply] = []
        for event in http_calls.items(http_calls.document(call.body)):
            message, kind = http_calls.mapping(event.get("message")), http_calls.text(event.get("type"))
            at = http_calls.moment(event.get("time"), call.at)
            if kind == "message-received":
                to = http_calls.text(event.get("to")) or http_calls.need(message, "owner")
                number, ref = http_calls.need(message, "from"), http_calls.text(message.get("id"))
                words = http_calls.text(message.get("text"))
                replies.append(Reply(http_calls.plus(number), http_calls.plus(to), words, at, ref))
            elif kind in EVENTS:
                state = EVENTS[kind]
                code = (http_calls.text(event.get("errorCode")) or "failed") if state is ReceiptState.FAILED else ""
                receipts.append(Receipt(http_calls.need(message, "id"), state, at, code))
        return Heard(receipts, replies)


KIND = http.kind("bandwidth", "Bandwidth's Messaging API", FIELDS, Bandwidth, BandwidthCalls(), opted_out=OPTED_OUT)
