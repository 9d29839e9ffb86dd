"""Infobip: the SMS API v3, delivery reports, inbound messages.

Each text of a request has a status with a group and an id ("Response status and error codes").

| Infobip says | ours |
|---|---|
| group 1 PENDING, 3 DELIVERED | Accepted; the ref is the messageId we gave it |
| 5/23 REJECTED_DUPLICATE_MESSAGE_ID | Accepted: it has had this very text from us before |
| 5/12 no credits, 5/17 package expired, 5/18 trial account, 5/19 no route | the account is shut |
| 5/11 source, 5/13 sender, 5/21 system error | refused for now |
| 5/14 destination on the blocklist, of the operator or of the account | refused for good: the person opted out |
| 5/20 flooding filter | refused for good: this person had too many texts within the hour |
| other ids of group 5; groups 2 and 4 | refused for good |
| HTTP 400 | refused for good; 401 403 404: the account is shut; 429: Deferred; 5xx, nothing: Lost |
| report group 1 | receipt: accepted |
| report group 3 | receipt: delivered |
| report groups 2 4 5 | receipt: failed, by the error's name |

**A repeat cannot text twice.** Infobip refuses a messageId that it has seen, so ours is made of our message id and the
time, by steps of 16 seconds: shorter than any wait before another try, so that a text refused for now may come again,
and known again to whoever asks, from the time of submission. Unknown texts are looked up by it ("Get outbound SMS
message logs", 48 hours). Calls are verified by HTTP Basic, as a notification profile sets it, or by the token in
their address. A request carries several texts; when its answer is lost, all of them are unknown.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from heliograph.carriers import http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Deferred, Heard, Lost, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.http import SHUT_PAUSE, Errand, Reading
from heliograph.carriers.http_settings import Field
from heliograph.carriers.http_wire import Request
from heliograph.carriers.kind import Setting
from heliograph.config import utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.carriers.base import Call, Finding, Outcome, Sought, Text
    from heliograph.carriers.http_settings import Values
    from heliograph.carriers.http_wire import Answer

TAKEN = frozenset({1, 3})
DUPLICATE = 23
BLOCKLISTED, BLOCKED = 14, "REJECTED_DESTINATION_BLOCKLISTED"  # under whatever name, which has changed
OPTED_OUT = frozenset({BLOCKED})  # of a refusal and of a report alike
SHUT = {
    12: "the account has no credit",
    17: "the account's package has expired",
    18: "the account may only text one number",
    19: "the account has no route",
}
FOR_NOW = frozenset({11, 13, 21})
STEP = 16  # seconds; rules.retry never tries again sooner than after 30
STATES = {1: ReceiptState.ACCEPTED, 3: ReceiptState.DELIVERED} | dict.fromkeys((2, 4, 5), ReceiptState.FAILED)

FIELDS = (
    http_settings.secret(
        "api_key", "An API key with the scope sms:message:send (and sms:logs, to settle unknowns).", required=True
    ),
    Field(
        Setting("texts_per_request", "a whole number from 1 to 100", "How many texts one request carries.", default=20),
        http_settings.whole(1, 100),
    ),
    http_settings.word(
        "webhook_user", "1 to 100 characters without a colon", "The user of Infobip's calls.", r"[^:\s]{1,100}"
    ),
    http_settings.secret("webhook_password", "That user's password."),
    http_settings.token(),
    *http_settings.line(None),
)


class Infobip:
    """The API. See :class:`heliograph.carriers.http.AskedVendor`."""

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        self.per_request = values.whole("texts_per_request")
        self._path = f"{http_settings.path(values)}/sms/3"
        self._headers = (("Authorization", f"App {values.text('api_key')}"), ("Accept", "application/json"))
        self._callback = http_calls.with_token(webhook_url, values.text("webhook_token"))

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A POST of JSON for so many texts each."""
        groups = [texts[start : start + self.per_request] for start in range(0, len(texts), self.per_request)]
        return [Errand(self._request(group), group) for group in groups]

    def _request(self, texts: Sequence[Text]) -> Request:
        step = _step(utc_now())
        messages = [self._message(text, step) for text in texts]
        headers = (*self._headers, ("Content-Type", "application/json"))
        return Request("POST", f"{self._path}/messages", headers, json.dumps({"messages": messages}).encode())

    def _message(self, text: Text, step: int) -> dict[str, object]:
        destination = {"to": text.to.removeprefix("+"), "messageId": f"{text.message_id}.{step:x}"}
        message: dict[str, object] = {
            "sender": text.sender.removeprefix("+"),
            "destinations": [destination],
            "content": {"text": text.text},
        }
        if self._callback is not None:
            message["webhooks"] = {"delivery": {"url": self._callback}, "contentType": "application/json"}
        return message

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:
        """See the table above."""
        if answer.status not in http_answers.SUCCESS:
            return http_answers.by_status(len(texts), answer, utc_now())
        said: dict[str, tuple[str, dict[str, object]]] = {}
        for each in http_calls.items(http_answers.mapping(answer).get("messages")):
            ref = http_calls.text(each.get("messageId"))
            said[ref.rpartition(".")[0]] = (ref, http_calls.mapping(each.get("status")))
        outcomes: list[Outcome] = []
        shut = ""
        for text in texts:
            ref, status = said.get(text.message_id, ("", {}))
            if status.get("groupId") == 5 and status.get("id") in SHUT:  # noqa: PLR2004  # REJECTED
                shut = f"{SHUT[_whole(status['id'])]} ({http_calls.text(status.get('name'))})"
                outcomes.append(Deferred(http_calls.text(status.get("name")) or "shut", SHUT_PAUSE))
            else:
                outcomes.append(_outcome(ref, status))
        return Reading(outcomes, shut)

    def question(self, sought: Sought) -> Request:
        """The log of the ids that the text can have had."""
        ids = [sought.ref] if sought.ref is not None else _ids(sought)
        return Request("GET", f"{self._path}/logs?{urlencode([('messageId', each) for each in ids])}", self._headers)

    def finding(self, sought: Sought, answer: Answer) -> Finding:
        """How the text stands; a log without it settles nothing, as logs come late."""
        ids = [sought.ref] if sought.ref is not None else _ids(sought)
        for each in http_calls.items(http_answers.mapping(answer).get("results")):
            if http_calls.text(each.get("messageId")) in ids:
                return _receipt(each, sought.submitted_at)
        return None


def _step(at: datetime) -> int:
    return int(at.timestamp()) // STEP


def _ids(sought: Sought) -> list[str]:
    """The ids that a text submitted then was given: our clock and the moment of writing may be a step apart."""
    step = _step(sought.submitted_at)
    return [f"{sought.message_id}.{each:x}" for each in (step - 1, step, step + 1)]


def _outcome(ref: str, status: Mapping[str, object]) -> Outcome:
    group, number = status.get("groupId"), status.get("id")
    if not ref or group is None:
        return Lost("the answer does not say what became of the text")
    if group in TAKEN or number == DUPLICATE:
        return Accepted(ref)
    code = BLOCKED if number == BLOCKLISTED else http_calls.text(status.get("name")) or http_calls.text(number)
    return Refused(code or "rejected", permanent=number not in FOR_NOW)


def _receipt(report: Mapping[str, object], otherwise: datetime) -> Receipt | None:
    ref, status = http_calls.text(report.get("messageId")), http_calls.mapping(report.get("status"))
    group = status.get("groupId")
    state = STATES.get(group) if isinstance(group, int) else None
    if not ref or state is None:
        return None
    code = ""
    if state is ReceiptState.FAILED:
        code = http_calls.text(http_calls.mapping(report.get("error")).get("name"))
        code = code if code not in ("", "NO_ERROR") else http_calls.text(status.get("name")) or "failed"
        code = BLOCKED if status.get("id") == BLOCKLISTED else code
    return Receipt(ref, state, http_calls.moment(report.get("doneAt"), otherwise), code)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


class InfobipCalls:
    """Delivery reports and inbound messages. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By HTTP Basic when the account has a user for it; else by the token."""
        user = http_calls.text(settings.get("webhook_user"))
        if user:
            return http_calls.is_basic(call, user, http_calls.text(settings.get("webhook_password")))
        return http_calls.has_token(call, settings.get("webhook_token"))

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """Reports and replies, up to a hundred."""
        del settings
        receipts: list[Receipt] = []
        replies: list[Reply] = []
        for each in http_calls.items(http_calls.mapping(http_calls.document(call.body)).get("results")):
            if "status" in each:
                found = _receipt(each, call.at)
                receipts += [found] if found is not None else []
            elif "text" in each or "cleanText" in each:
                number, to = (
                    http_calls.plus(http_calls.need(each, "from")),
                    http_calls.plus(http_calls.need(each, "to")),
                )
                words = http_calls.text(each.get("text")) or http_calls.text(each.get("cleanText"))
                at = http_calls.moment(each.get("receivedAt"), call.at)
                replies.append(Reply(number, to, words, at, http_calls.text(each.get("messageId"))))
        return Heard(receipts, replies)


KIND = http.kind("infobip", "Infobip's SMS API", FIELDS, Infobip, InfobipCalls(), opted_out=OPTED_OUT)
