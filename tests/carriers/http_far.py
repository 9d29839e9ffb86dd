"""The far sides of the HTTP carriers, as data: what each takes for a text, and how it says what.

Every entry stands for a vendor's API as its documents have it: which request hands a text over, which answers mean
what, which look-up finds it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from heliograph.carriers.http_calls import basic
from tests.carriers import http_hooks as hooks
from tests.carriers import http_said
from tests.carriers.contract import SECRET, Can

UUID = "0d2a1b6e-6c5f-4f0e-9a53-1b2c3d4e5f60"
AC, SK = "AC" + "0" * 32, "SK" + "1" * 32
Body = Any


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that came to the far side."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def params(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Handed:
    """A text as the far side got it. ``ours``: our id of it, where the API takes one."""

    number: str
    sender: str
    text: str
    ours: str = ""


@dataclass(frozen=True, slots=True)
class Far:
    """``takes``: the answer to a text it took, and the ref by which it speaks of it later. ``found``: look-ups."""

    name: str
    settings: Mapping[str, object]
    path: str
    authorization: str
    reads: Callable[[Asked], Handed]
    takes: Callable[[Handed, str], tuple[int, Body, str]]
    refuses: tuple[int, Body]
    refuses_for_now: tuple[int, Body] | None
    throttles: tuple[int, Body]
    shuts: tuple[int, Body]
    hooks: str
    found: Callable[[Asked, Mapping[str, Handed]], Body] | None = None
    lacks: Mapping[Can, str] = field(default_factory=dict[Can, str])

    @property
    def kind(self) -> str:
        return self.name.split(" ")[0]

    @property
    def hook(self) -> hooks.Hooks:
        return next(each for each in hooks.HTTP_HOOKS if each.name == self.hooks)


def plus(number: str) -> str:
    return f"+{number}"


def twilio_found(asked: Asked, known: Mapping[str, Handed]) -> Body:
    ref = asked.path.rpartition("/")[2].removesuffix(".json")
    if ref in known:
        return {"sid": ref, "status": "delivered", "date_updated": "Mon, 02 Mar 2026 12:00:05 +0000"}
    to = asked.params["To"]
    mine = [
        {"sid": ref, "status": "sent", "direction": "outbound-api", "date_created": "Mon, 02 Mar 2026 12:00:01 +0000"}
        for ref, handed in known.items()
        if handed.number == to
    ]
    return {"messages": mine}


def infobip_reads(asked: Asked) -> Handed:
    (message,) = asked.json["messages"]
    (destination,) = message["destinations"]
    return Handed(
        plus(destination["to"]), plus(message["sender"]), message["content"]["text"], destination["messageId"]
    )


def infobip_says(handed: Handed | None, group: int, number: int, name: str) -> Body:
    status = {"groupId": group, "id": number, "name": name}
    return {"messages": [{"messageId": handed.ours if handed else "", "status": status}]}


def infobip_found(asked: Asked, known: Mapping[str, Handed]) -> Body:
    wanted = parse_qs(asked.query)["messageId"]
    status = {"groupId": 3, "id": 5, "name": "DELIVERED_TO_HANDSET"}
    return {
        "results": [
            {"messageId": ref, "status": status, "doneAt": "2026-03-02T12:00:05.000+0000"}
            for ref in known
            if ref in wanted
        ]
    }


def plivo_found(asked: Asked, known: Mapping[str, Handed]) -> Body:
    ref = asked.path.rstrip("/").rpartition("/")[2]
    if ref in known:
        return {"message_uuid": ref, "message_state": "delivered", "message_time": "2026-03-02 12:00:01+00:00"}
    to = asked.params["to_number"]
    return {
        "objects": [{"message_uuid": ref, "message_state": "sent"} for ref, each in known.items() if each.number == to]
    }


def sinch_found(asked: Asked, known: Mapping[str, Handed]) -> Body:
    if asked.path.endswith("/delivery_report"):
        return {"batch_id": asked.path.split("/")[-2], "statuses": [{"code": 0, "status": "Delivered", "count": 1}]}
    wanted = asked.params["client_reference"]
    return {"batches": [{"id": ref, "client_reference": wanted} for ref, each in known.items() if each.ours == wanted]}


def bandwidth_found(asked: Asked, known: Mapping[str, Handed]) -> Body:
    wanted = asked.params
    found = [
        {"messageId": ref, "messageStatus": "DELIVERED", "receiveTime": "2026-03-02T12:00:01.000Z"}
        for ref, each in known.items()
        if wanted.get("messageId", ref) == ref and wanted.get("destinationTn", each.number) == each.number
    ]
    return {"totalCount": len(found), "messages": found}


def telnyx_found(asked: Asked, known: Mapping[str, Handed]) -> Body:
    ref = asked.path.rpartition("/")[2]
    assert ref in known
    return {
        "data": {
            "id": ref,
            "to": [{"phone_number": "+1", "status": "delivered"}],
            "completed_at": "2026-03-02T12:00:05Z",
        }
    }


def jasmin_reads(asked: Asked) -> Handed:
    form = asked.form
    words = form["content"] if form["coding"] == "0" else bytes.fromhex(form["hex-content"]).decode("utf-16-be")
    assert (form["username"], form["password"]) == ("us", SECRET)
    return Handed(plus(form["to"]), form["from"], words)


def kannel_reads(asked: Asked) -> Handed:
    said = asked.params
    assert (said["username"], said["password"], said["charset"]) == ("us", SECRET, "utf-8")
    assert said["coding"] == ("0" if said["text"].isascii() or "ñ" in said["text"] else "2")
    assert f"id={said['dlr-url'].partition('id=')[2].partition('&')[0]}" in said["dlr-url"]
    return Handed(said["to"], said["from"], said["text"], said["dlr-url"].partition("id=")[2].partition("&")[0])


KANNEL: dict[str, object] = {
    "method": "GET",
    "request": {
        "query": {
            "username": "{{user}}", "password": "{{password}}", "from": "{{from}}", "to": "{{to}}", "text": "{{text}}",
            "charset": "utf-8", "coding": "0", "dlr-mask": "31", "dlr-url": "{{callback}}&id={{id}}&status=%d",
        }
    },
    "unicode_request": {"query": {"coding": "2"}},
    "answer": {
        "code": {"before": ":"}, "accepted": ["0", "3"], "never_sent": True,
    },
    **hooks.KANNEL_TELLS,
    "user": "us",
}  # fmt: skip
"""As in docs/carriers/generic.md; a test holds the two together."""

JASMIN: dict[str, object] = {
    "method": "POST",
    "request": {
        "form": {
            "username": "{{user}}", "password": "{{password}}", "from": "{{from}}", "to": "{{to_digits}}",
            "coding": "0", "content": "{{text}}", "dlr": "yes", "dlr-level": "3", "dlr-method": "POST",
            "dlr-url": "{{callback}}",
        }
    },
    "unicode_request": {"form": {"coding": "8", "content": None, "hex-content": "{{text_utf16_hex}}"}},
    "answer": {"id": {"after": 'Success "', "before": '"'}},
    **hooks.JASMIN_TELLS,
    "call_answer": "ACK/Jasmin",
    "user": "us",
}  # fmt: skip

NO_STALE = {Can.ORDER: "its texts go over several connections at once"}
NO_ASK = {**NO_STALE, Can.ASK: "its API has no look-up"}
WORDS = {Can.LAST_WORDS: "it is heard through its webhook, not through the line"}

FARS: tuple[Far, ...] = (
    Far(
        "twilio",
        {"account_sid": AC, "auth_token": SECRET},
        f"/2010-04-01/Accounts/{AC}/Messages.json",
        basic(AC, SECRET),
        lambda asked: Handed(asked.form["To"], asked.form["From"], asked.form["Body"]),
        lambda _, ref: (201, {"sid": f"SM{ref}", "status": "queued", "error_code": None}, f"SM{ref}"),
        (400, {"code": 21610, "message": "unsubscribed", "status": 400}),
        (400, {"code": 21606, "message": "not a sender", "status": 400}),
        (429, {"code": 20429, "message": "Too Many Requests", "status": 429}),
        (401, {"code": 20003, "message": "Authenticate", "status": 401}),
        "twilio",
        twilio_found,
        {**NO_STALE, **WORDS},
    ),
    Far(
        "vonage",
        {"api_key": "abcd1234", "api_secret": SECRET, "signature_secret": SECRET, "signature_method": "sha256"},
        "/sms/json",
        "",
        lambda asked: Handed(
            plus(asked.form["to"]), plus(asked.form["from"]), asked.form["text"], asked.form["client-ref"]
        ),
        lambda handed, ref: (
            200,
            {"message-count": "1", "messages": [{"status": "0", "message-id": ref}]},
            handed.ours,
        ),
        (200, {"messages": [{"status": "7", "error-text": "Number barred"}]}),
        (200, {"messages": [{"status": "5", "error-text": "Internal"}]}),
        (200, {"messages": [{"status": "1", "error-text": "Throttled"}]}),
        (200, {"messages": [{"status": "4", "error-text": "Bad Credentials"}]}),
        "vonage sha256",
        None,
        {**NO_ASK, **WORDS},
    ),
    Far(
        "infobip",
        {"api_key": SECRET, "webhook_token": hooks.TOKEN, "texts_per_request": 1},
        "/sms/3/messages",
        f"App {SECRET}",
        infobip_reads,
        lambda handed, _: (200, infobip_says(handed, 1, 26, "PENDING_ACCEPTED"), handed.ours),
        (200, {"status": [5, 14, "REJECTED_DESTINATION"]}),
        (200, {"status": [5, 21, "REJECTED_SYSTEM_ERROR"]}),
        (429, {"requestError": {"serviceException": {"messageId": "TOO_MANY_REQUESTS"}}}),
        (401, {"requestError": {"serviceException": {"messageId": "UNAUTHORIZED"}}}),
        "infobip token",
        infobip_found,
        {**NO_STALE, **WORDS},
    ),
    Far(
        "plivo",
        {"auth_id": "MAXXXXXXXXXX", "auth_token": SECRET},
        "/v1/Account/MAXXXXXXXXXX/Message/",
        basic("MAXXXXXXXXXX", SECRET),
        lambda asked: Handed(asked.json["dst"], asked.json["src"], asked.json["text"]),
        lambda _, ref: (202, {"message": "message(s) queued", "message_uuid": [ref], "api_id": "a"}, ref),
        (400, {"api_id": "a", "error": "dst is invalid"}),
        None,
        (429, {"api_id": "a", "error": "too many requests"}),
        (401, {"api_id": "a", "error": "authentication failed"}),
        "plivo v3",
        plivo_found,
        {**NO_STALE, **WORDS, Can.REFUSE_FOR_NOW: "its API has no such answer"},
    ),
    Far(
        "telnyx",
        {"api_key": SECRET, "public_key": http_said.ED25519_OURS},
        "/v2/messages",
        f"Bearer {SECRET}",
        lambda asked: Handed(
            asked.json["to"], asked.json["from"], asked.json["text"], asked.headers["Idempotency-Key"]
        ),
        lambda _, ref: (200, {"data": {"id": ref, "to": [{"status": "queued"}]}}, ref),
        (403, {"errors": [{"code": "40300", "title": "Blocked due to STOP message"}]}),
        (400, {"errors": [{"code": "40305", "title": "Invalid 'from' address"}]}),
        (429, {"errors": [{"code": "10011", "title": "Too many requests"}]}),
        (401, {"errors": [{"code": "10009", "title": "Authentication failed"}]}),
        "telnyx",
        telnyx_found,
        {**NO_STALE, **WORDS},
    ),
    Far(
        "sinch",
        {"service_plan_id": "plan1", "api_token": SECRET, "webhook_secret": SECRET},
        "/xms/v1/plan1/batches",
        f"Bearer {SECRET}",
        lambda asked: Handed(
            plus(asked.json["to"][0]), plus(asked.json["from"]), asked.json["body"], asked.json["client_reference"]
        ),
        lambda handed, ref: (201, {"id": ref, "to": [handed.number], "canceled": False}, ref),
        (400, {"code": "syntax_invalid_parameter_format", "text": "bad number"}),
        None,
        (429, {"code": "too_many_requests", "text": "slow down"}),
        (401, {"code": "unauthorized", "text": "no"}),
        "sinch",
        sinch_found,
        {**NO_STALE, **WORDS, Can.REFUSE_FOR_NOW: "its API has no such answer"},
    ),
    Far(
        "bandwidth",
        {
            "account_id": "5500",
            "application_id": UUID,
            "user": "us",
            "password": SECRET,
            "webhook_user": "bw",
            "webhook_password": SECRET,
        },
        "/api/v2/users/5500/messages",
        basic("us", SECRET),
        lambda asked: Handed(asked.json["to"][0], asked.json["from"], asked.json["text"], asked.json["tag"]),
        lambda handed, ref: (202, {"id": ref, "segmentCount": 1, "tag": handed.ours}, ref),
        (400, {"type": "request-validation", "description": "no"}),
        (503, {"type": "unavailable", "description": "no"}),
        (429, {"type": "too-many-requests", "description": "no"}),
        (401, {"type": "unauthorized", "description": "Authentication Failed"}),
        "bandwidth",
        bandwidth_found,
        {**NO_STALE, **WORDS},
    ),
    Far(
        "aws",
        {
            "region": "eu-west-1",
            "access_key_id": "AKIDEXAMPLEEXAMPLE",
            "secret_access_key": SECRET,
            "webhook_token": hooks.TOKEN,
        },
        "/",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEEXAMPLE/",
        lambda asked: Handed(
            asked.json["DestinationPhoneNumber"],
            asked.json["OriginationIdentity"],
            asked.json["MessageBody"],
            asked.json["Context"]["messageId"],
        ),
        lambda _, ref: (200, {"MessageId": ref}, ref),
        (400, {"__type": "com.amazonaws#ConflictException", "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}),
        (400, {"__type": "ConflictException", "Reason": "NO_ORIGINATION_IDENTITIES_FOUND"}),
        (400, {"__type": "ThrottlingException", "Message": "Rate exceeded"}),
        (400, {"__type": "UnrecognizedClientException", "message": "invalid token"}),
        "aws token",
        None,
        {**NO_ASK, **WORDS},
    ),
    Far(
        "generic kannel",
        {**KANNEL, "password": SECRET, "webhook_token": hooks.TOKEN},
        "/cgi-bin/sendsms",
        "",
        kannel_reads,
        lambda handed, _: (202, "0: Accepted for delivery", handed.ours),
        (400, "Empty receiver number not allowed, rejected"),
        (503, "Temporal failure, try again later."),
        (429, "Too many requests"),
        (403, "Authorization failed for sendsms"),
        "generic kannel",
        None,
        {**NO_ASK, **WORDS},
    ),
    Far(
        "generic jasmin",
        {**JASMIN, "password": SECRET, "webhook_token": hooks.TOKEN},
        "/send",
        "",
        jasmin_reads,
        lambda _, ref: (200, f'Success "{ref}"', ref),
        (400, 'Error "Argument [to] has an invalid value"'),
        None,
        (429, 'Error "Throughput exceeded"'),
        (403, 'Error "Authentication failure for username:us"'),
        "generic jasmin",
        None,
        {**NO_ASK, **WORDS, Can.REFUSE_FOR_NOW: "its API has no such answer"},
    ),
)

IS_REF = re.compile(r"[\w.-]+")
