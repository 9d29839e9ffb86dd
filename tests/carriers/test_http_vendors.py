"""What only one HTTP carrier has: its list of codes, its signature's own examples, its corners."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from heliograph.carriers import http_calls, plivo, registry, twilio, vonage
from heliograph.carriers.aws import AwsCalls
from heliograph.carriers.base import Accepted, Call, Deferred, Lost, ReceiptState, Refused, Sought
from heliograph.carriers.http import Reading, Vendor
from heliograph.carriers.http_wire import Answer
from heliograph.carriers.infobip import Infobip
from heliograph.errors import Invalid
from tests.carriers.contract import SECRET, texts
from tests.carriers.hooks import NOW
from tests.carriers.http_far import FARS, JASMIN, KANNEL, UUID
from tests.carriers.http_hooks import TOKEN

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"


def vendor(name: str, **over: object) -> Any:
    far = next(far for far in FARS if far.name == name)
    url = {} if far.kind not in ("infobip", "generic") else {"url": f"https://api.example.com{far.path}"}
    return registry.get(far.kind).read({**far.settings, **url, **over})


def outcome(reading: Reading) -> str:
    (found,) = reading.outcomes
    if reading.shut:
        assert isinstance(found, Deferred)
        return "shut"
    match found:
        case Accepted():
            return "accepted"
        case Refused(permanent=True):
            return "refused"
        case Refused():
            return "for now"
        case Deferred():
            return "deferred"
        case Lost():
            return "lost"


def twilio_error(code: int) -> dict[str, object]:
    return {"code": code, "message": "The 'To' number +15555550101 is not valid", "status": 400}


def infobip_status(group: int, number: int, name: str) -> dict[str, object]:
    return {"messages": [{"messageId": "msg-1.6a", "status": {"groupId": group, "id": number, "name": name}}]}


ANSWERS: list[tuple[str, int, object, str]] = [
    ("twilio", 400, twilio_error(21610), "refused"),
    ("twilio", 403, twilio_error(21408), "refused"),
    ("twilio", 400, twilio_error(21611), "deferred"),
    ("twilio", 400, twilio_error(21660), "for now"),
    ("twilio", 400, twilio_error(99999), "refused"),
    ("twilio", 403, twilio_error(20005), "shut"),
    ("twilio", 403, {}, "shut"),
    ("twilio", 404, {"code": 20404}, "shut"),
    ("twilio", 500, twilio_error(20500), "lost"),
    ("twilio", 201, {}, "lost"),
    ("twilio", 201, {"sid": "SM1", "status": "failed", "error_code": 30034}, "refused"),
    ("vonage", 200, {"messages": []}, "lost"),
    ("vonage", 200, {"messages": [{"status": "0"}, {"status": "1"}]}, "lost"),
    ("vonage", 200, {"messages": [{"status": "0"}, {"status": "0"}]}, "accepted"),
    ("vonage", 200, {"messages": [{"status": "10"}]}, "deferred"),
    ("vonage", 200, {"messages": [{"status": "9"}]}, "shut"),
    ("vonage", 200, {"messages": [{"status": "15"}]}, "for now"),
    ("vonage", 200, "no json", "lost"),
    ("infobip", 200, infobip_status(1, 26, "PENDING_ACCEPTED"), "accepted"),
    ("infobip", 200, infobip_status(5, 23, "REJECTED_DUPLICATE_MESSAGE_ID"), "accepted"),
    ("infobip", 200, infobip_status(5, 12, "REJECTED_NOT_ENOUGH_CREDITS"), "shut"),
    ("infobip", 200, infobip_status(5, 20, "REJECTED_FLOODING_FILTER"), "refused"),
    ("infobip", 200, {"messages": [{"messageId": "other.1", "status": {"groupId": 1}}]}, "lost"),
    ("infobip", 503, {}, "lost"),
    ("plivo", 202, {"message_uuid": []}, "lost"),
    ("plivo", 402, {"error": "no credit"}, "shut"),
    ("plivo", 500, {}, "lost"),
    ("telnyx", 403, {"errors": [{"code": "20100"}]}, "shut"),
    ("telnyx", 429, {"errors": [{"code": "40318"}]}, "deferred"),
    ("telnyx", 409, {"errors": [{"code": "10015"}]}, "lost"),
    ("telnyx", 422, {"errors": [{"code": "10015"}]}, "refused"),
    ("telnyx", 403, {"errors": [{"code": "10010"}]}, "shut"),
    ("sinch", 403, {"code": "blocked_account"}, "shut"),
    ("sinch", 403, {"code": "illegal_number_type"}, "refused"),
    ("sinch", 500, {}, "lost"),
    ("bandwidth", 500, {}, "for now"),
    ("bandwidth", 415, {}, "refused"),
    ("aws", 400, {"__type": "ServiceQuotaExceededException", "Reason": "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"}, "shut"),
    ("aws", 400, {"__type": "ExpiredTokenException"}, "shut"),
    ("aws", 400, {"__type": "ValidationException", "Reason": "INVALID_PARAMETER"}, "refused"),
    ("aws", 500, {"__type": "InternalServerException"}, "lost"),
    ("generic kannel", 202, "3: Queued for later delivery", "accepted"),
    ("generic kannel", 202, "something new", "lost"),
    ("generic kannel", 503, "Temporal failure, try again later.", "for now"),
    ("generic jasmin", 200, 'Success "', "lost"),
    ("generic jasmin", 403, 'Error "Cannot charge submit_sm"', "shut"),
]


@pytest.mark.parametrize(("name", "status", "body", "expected"), ANSWERS)
def test_a_code_means_one_thing(name: str, status: int, body: object, expected: str) -> None:
    octets = (body if isinstance(body, str) else json.dumps(body)).encode()
    found: Vendor = vendor(name)
    assert outcome(found.read(texts()[:1], Answer(status, {}, octets))) == expected


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("twilio", 400, twilio_error(21610)),
        ("telnyx", 403, {"errors": [{"code": "40300"}]}),
        ("infobip", 200, infobip_status(5, 14, "REJECTED_DESTINATION_BLOCKLISTED")),
        ("infobip", 200, infobip_status(5, 14, "REJECTED_DESTINATION")),  # as it was called once
        ("aws", 400, {"__type": "ConflictException", "Reason": "DESTINATION_PHONE_NUMBER_OPTED_OUT"}),
    ],
)
def test_a_refusal_says_that_somebody_opted_out(name: str, status: int, body: object) -> None:
    found = vendor(name).read(texts()[:1], Answer(status, {}, json.dumps(body).encode())).outcomes[0]
    assert isinstance(found, Refused)
    assert found.permanent
    assert found.code in registry.opted_out(name)


def infobip_report(number: int, name: str, error: str) -> dict[str, object]:
    status = {"groupId": 5, "id": number, "name": name}
    return {"results": [{"messageId": "m.1", "status": status, "error": {"name": error}}]}


@pytest.mark.parametrize(
    ("name", "body", "opted_out"),
    [
        ("bandwidth", [{"type": "message-failed", "errorCode": 4775, "message": {"id": "b1"}}], True),
        ("bandwidth", [{"type": "message-failed", "errorCode": 4770, "message": {"id": "b1"}}], False),
        ("infobip", infobip_report(14, "REJECTED_DESTINATION", "EC_DEST_ADDRESS_BLACKLISTED"), True),
        ("infobip", infobip_report(14, "REJECTED_DESTINATION_BLOCKLISTED", "NO_ERROR"), True),
        ("infobip", infobip_report(10, "REJECTED_DND", "NO_ERROR"), False),  # a register of all who sell, not of ours
        ("infobip", infobip_report(52, "REJECTED_DESTINATION", "NO_ERROR"), False),
        ("sinch", {"type": "recipient_delivery_report_sms", "batch_id": "s1", "status": "Deleted", "code": 310}, False),
    ],
)
def test_a_receipt_says_that_somebody_opted_out(name: str, body: object, opted_out: bool) -> None:
    webhook = registry.webhook(name)
    assert webhook is not None
    (receipt,) = webhook.read({}, call(URL, json.dumps(body).encode())).receipts
    assert receipt.state is ReceiptState.FAILED
    assert (receipt.code in registry.opted_out(name)) is opted_out


@pytest.mark.parametrize("far", FARS, ids=lambda far: far.name)
def test_what_a_carrier_says_of_a_number_is_not_repeated(far: Any) -> None:
    for status in (200, 400, 401, 403, 404, 429, 500):
        said = {"message": "+15555550101", "error": "+15555550101", "errors": [{"detail": "+15555550101"}], "code": 1}
        reading = vendor(far.name).read(texts()[:1], Answer(status, {}, json.dumps(said).encode()))
        assert "5550101" not in f"{reading}"


def call(url: str, body: bytes = b"", **headers: str) -> Call:
    query = parse_qsl(url.partition("?")[2], keep_blank_values=True)
    return Call("POST", url, query, {name.replace("_", "-"): value for name, value in headers.items()}, body, NOW)


def test_twilios_example_of_a_signature() -> None:
    """As in "Webhooks security", with numbers of nobody's. Their own example, too, gave their signature here."""
    body = b"CallSid=CA1234567890ABCDE&Caller=%2B12025550123&Digits=1234&From=%2B12025550123&To=%2B12025550199"
    webhook, token = twilio.TwilioCalls(), {"auth_token": "12345"}
    for url in (URL, URL.replace("mycompany.com", "mycompany.com:443")):
        assert webhook.verify(token, call(url, body, x_twilio_signature="3OCc9hwXGOSTml8cLSKsMhd7smo="))
    assert not webhook.verify(token, call(URL + "3", body, x_twilio_signature="3OCc9hwXGOSTml8cLSKsMhd7smo="))
    strong = {"x_twilio_signature": "galRaW2FosB8Hp+YFQcnmfs62UJ/UCeCW7Tn+EUFvXM="}
    named = {"x_twilio_webhooks_signature_settings": "key=SK1,algorithm=HMAC_SHA256"}
    assert webhook.verify({"signing_key": "12345"}, call(URL, body, **strong, **named))
    assert not webhook.verify(token, call(URL, body, **strong, **named)), "the weaker secret is not taken for it"


def test_twilio_signs_json_by_its_hash() -> None:
    body = b'{"a": 1}'
    url = f"{URL}&bodySHA256={http_calls.sha256(body)}"
    signature = http_calls.based(http_calls.mac("12345", url.encode(), "sha1"))
    webhook, token = twilio.TwilioCalls(), {"auth_token": "12345"}
    assert webhook.verify(token, call(url, body, x_twilio_signature=signature))
    assert not webhook.verify(token, call(url, b'{"a": 2}', x_twilio_signature=signature))


def test_plivos_signatures_as_its_own_library_makes_them() -> None:
    """Computed with the SDK plivo 4.63.0."""
    assert plivo.sign_v2("tok", call("https://example.com/sms/dlr?a=1"), "12345") == (
        "MUKhbGQw31/Eslpiu0MSASp1GjkBzOxqXfh8zDUI0Tw="
    )
    form = call("https://example.com/sms/dlr?b=2&a=1", b"To=1&From=2&Text=hi+there")
    assert plivo.sign_v3("tok", form, "12345") == PLIVO_V3
    assert plivo.sign_v3("tok", call("https://example.com/sms/dlr", b"To=1"), "12345") == PLIVO_V3_BARE


PLIVO_V3 = "roCGNxOpJLzZ/JhdIvO3lAoniU7DPwHnTYKx6YNG2Gs="
PLIVO_V3_BARE = "eCpXFyK+3nPP92VBt4y/hvEwTR6Ml+CyaVRQD7e37AM="


def test_sinchs_signature() -> None:
    headers = {
        "x_sinch_webhook_signature": "6zmzuUZXdK1YJvgUamsse9iuJ1HGsTxpC4U8t3H0VXA=",
        "x_sinch_webhook_signature_nonce": "nonce1",
        "x_sinch_webhook_signature_timestamp": "1700000000",
    }
    webhook = registry.webhook("sinch")
    assert webhook is not None
    assert webhook.verify({"webhook_secret": "secret"}, call("https://x.example/", b'{"a":1}', **headers))


@pytest.mark.parametrize("method", ["md5hash", "md5", "sha1", "sha256", "sha512"])
def test_vonage_signs_what_is_posted_too(method: str) -> None:
    said: dict[str, object] = {"a": "1&2=3", "text": "hé", "timestamp": "1772452800"}
    settings = {"signature_secret": SECRET, "signature_method": method}
    signed = said | {"sig": vonage.sign(said, SECRET, method).upper()}
    webhook = vonage.VonageCalls()
    assert webhook.verify(settings, call(URL, json.dumps(signed).encode()))
    assert not webhook.verify(settings, call(URL, json.dumps(signed | {"a": "2"}).encode()))
    assert not webhook.verify(settings, call(URL, json.dumps(said).encode()))


@pytest.mark.parametrize(
    ("total", "number", "part"), [("3", "2", ("7", 3, 2)), ("2", "3", None), ("0", "0", None), ("x", "1", None)]
)
def test_vonage_tells_which_part_of_a_reply_it_brings(
    total: str, number: str, part: tuple[str, int, int] | None
) -> None:
    said = {"msisdn": "15555550123", "to": "15555550100", "text": "a", "messageId": "m", "concat": "true"}
    said |= {"concat-ref": "7", "concat-total": total, "concat-part": number}
    (reply,) = vonage.VonageCalls().read({}, call(URL, json.dumps(said).encode())).replies
    assert reply.part == part


def test_aws_requests_are_signed_as_aws_says() -> None:
    """docs/testing-carriers.md tells how the signature itself was compared with botocore's."""
    (errand,) = vendor("aws").errands(texts()[:1])
    headers = dict(errand.request.headers)
    assert headers["X-Amz-Target"] == "PinpointSMSVoiceV2.SendTextMessage"
    signed = headers["Authorization"]
    assert signed.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLEEXAMPLE/")
    assert "/eu-west-1/sms-voice/aws4_request, " in signed
    assert "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target" in signed


def test_a_topic_that_waits_for_its_confirmation_says_so() -> None:
    body = json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?x"})
    with pytest.raises(Invalid, match="SubscribeURL"):
        AwsCalls().read({}, call(URL, body.encode()))


def test_infobips_ids_are_known_again_from_the_time_of_submission() -> None:
    found = Infobip(vendor_values("infobip"), None)
    for text in texts():
        (errand,) = found.errands([text])
        (message,) = json.loads(errand.request.body)["messages"]
        sought = Sought(text.message_id, None, text.sender, text.to, datetime.now(UTC))
        asked = [value for _, value in parse_qsl(found.question(sought).target.partition("?")[2])]
        assert message["destinations"][0]["messageId"] in asked
    many = Infobip(vendor_values("infobip", texts_per_request=3), None).errands(texts())
    assert [len(errand.texts) for errand in many] == [3, 1]


def vendor_values(name: str, **over: object) -> Any:
    from heliograph.carriers import http_settings, infobip  # noqa: PLC0415  # only here

    far = next(far for far in FARS if far.name == name)
    told = {**far.settings, "url": "https://api.example.com", **over}
    return http_settings.read(name, infobip.FIELDS, told)


@pytest.mark.parametrize(
    ("kind", "told", "field"),
    [
        ("twilio", {}, "account_sid"),
        ("twilio", {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "url": "http://api.example.com"}, "url"),
        (
            "twilio",
            {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "api_key_sid": "SK" + "0" * 32},
            "api_key_sid",
        ),
        ("twilio", {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "connections": 0}, "connections"),
        ("twilio", {"account_sid": "AC" + "0" * 32, "auth_token": SECRET, "colour": "red"}, "colour"),
        ("infobip", {"api_key": SECRET}, "url"),
        ("telnyx", {"api_key": SECRET, "public_key": "c2hvcnQ="}, "public_key"),
        ("sinch", {"service_plan_id": "a", "api_token": SECRET, "webhook_token": "short"}, "webhook_token"),
        ("bandwidth", {"account_id": "1", "application_id": UUID, "user": "a:b", "password": SECRET}, "user"),
        ("aws", {"region": "nowhere", "access_key_id": "A" * 20, "secret_access_key": SECRET}, "region"),
        ("generic", {"url": "ftp://x.example", "request": {}}, "url"),
        ("generic", {"url": "http://x.example"}, "request"),
        ("generic", {"url": "http://x.example", "request": {"query": {"a": "{{nobody}}"}}}, "request"),
        ("generic", {"url": "http://x.example", "request": {"form": {}, "json": {}}}, "request"),
        ("generic", {"url": "http://x.example", "request": {}, "answer": {"accepted": ["0"]}}, "answer"),
        ("generic", {"url": "http://x.example", "request": {}, "signature": {"header": "X-S"}}, "webhook_secret"),
    ],
)
def test_settings_that_cannot_be_used_are_named(kind: str, told: dict[str, object], field: str) -> None:
    with pytest.raises(Invalid) as found:
        registry.check(kind, told)
    assert found.value.field == field
    assert SECRET not in found.value.message


def test_the_examples_in_the_documents_are_those_that_are_tested() -> None:
    page = (Path(__file__).parents[2] / "docs" / "carriers" / "generic.md").read_text()
    shown = [json.loads(block.partition("```")[0]) for block in page.split("```json\n")[1:]]
    for example in (KANNEL, JASMIN):
        wanted = {**example, "password": "…", "webhook_token": "…"}
        wanted["url"] = next(one["url"] for one in shown if one.get("method") == example["method"] and "url" in one)
        assert wanted in shown
        registry.check("generic", {**wanted, "password": SECRET, "webhook_token": TOKEN})


def test_xml_is_escaped_and_json_is_filled_deep() -> None:
    told: dict[str, object] = {"url": "http://x.example/a?k=1"}
    xml: Any = registry.get("generic").read({**told, "request": {"xml": "<m to='{{to}}'>{{text}}</m>"}})
    (text,) = texts()[:1]
    tricky = type(text)(text.message_id, text.sender, text.to, "a<b & {{password}}", 1)
    assert xml.errands([tricky])[0].request.body == b"<m to='+15555550101'>a&lt;b &amp; {{password}}</m>"
    filled: Any = registry.get("generic").read({**told, "request": {"json": {"a": [{"to": "{{to_digits}}", "n": 1}]}}})
    request = filled.errands([tricky])[0].request
    assert json.loads(request.body) == {"a": [{"to": "15555550101", "n": 1}]}
    assert request.target == "/a?k=1"


@pytest.mark.parametrize("far", FARS, ids=lambda far: far.name)
def test_every_setting_is_in_the_documents(far: Any) -> None:
    pages = Path(__file__).parents[2] / "docs" / "carriers"
    page = (pages / "http.md").read_text()
    shared = page.partition("## What all of them have\n")[2].partition("\n## ")[0]
    own = page.partition(f": `{far.kind}`\n")[2].partition("\n## ")[0]
    if far.kind == "generic":
        own = (pages / "generic.md").read_text().partition("## Settings\n")[2]
    for setting in registry.get(far.kind).settings:
        name = f"`{setting.name}`{' (secret)' if setting.secret else ''}"
        assert f"| {name} | {setting.takes} |" in own + shared
