"""Any gateway that takes a text by one HTTP request, described as data: see ``docs/carriers/generic.md``.

| the gateway says | ours |
|---|---|
| a code that the settings name | as they name it: accepted, deferred, for_now, for_good, shut |
| another code, where codes are named | by the HTTP status; 2xx is Lost |
| 2xx with an id, or none to look for | Accepted |
| 2xx without the id | Lost |
| any other status, nothing | as every HTTP carrier; 5xx is refused for now with ``never_sent`` |
| a call whose status the settings name | receipt: as they name it |
| a call with a text | a reply |

The gateway is one that its users run or pay: how it behaves is their knowledge, so nothing is guessed.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, cast
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape

from heliograph.carriers import generic_shape, http, http_answers, http_calls, http_settings
from heliograph.carriers.base import Accepted, Deferred, Heard, Receipt, ReceiptState, Refused, Reply
from heliograph.carriers.generic_shape import Answering, Asking, Place, Signing, Telling, Writing
from heliograph.carriers.http import Errand, Reading
from heliograph.carriers.http_settings import Field
from heliograph.carriers.http_wire import Request
from heliograph.carriers.kind import Setting
from heliograph.config import utc_now
from heliograph.errors import Invalid
from heliograph.rules import parts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from heliograph.carriers.base import Call, Text
    from heliograph.carriers.http_settings import Reader, Values
    from heliograph.carriers.http_wire import Answer

LONGEST_LOOK = 4_000  # characters of a plain answer in which markers are looked for


def _described(
    name: str, takes: str, tells: str, reader: Reader, *, required: bool = False, default: object = None
) -> Field:
    return Field(Setting(name, takes, tells, required=required, default=default), reader)


FIELDS = (
    _described("method", "GET, POST or PUT", "The method of the request.", generic_shape.method, default="POST"),
    _described(
        "request",
        "an object with query, headers and one of form, json and xml, whose {{...}} are known names",
        "How a text is handed over.",
        generic_shape.asking,
        required=True,
    ),
    _described(
        "unicode_request",
        "an object as for request",
        "What is different for a text outside GSM 03.38; null leaves a name out.",
        generic_shape.asking,
    ),
    _described(
        "answer",
        "an object with id, code, accepted, deferred, for_now, for_good, shut and never_sent",
        "How the answer is read. Without it, any 2xx is accepted, and the ref is our own id.",
        generic_shape.answering,
        default={},
    ),
    _described(
        "receipt",
        "an object with id, status, code, at, items and lists accepted, delivered and failed",
        "How a call with a receipt is read.",
        generic_shape.telling,
    ),
    _described(
        "reply",
        "an object with number, to, text, id, at and items",
        "How a call with a reply is read.",
        generic_shape.writing,
    ),
    _described(
        "signature",
        "an object with header, method (sha1, sha256, sha512), form (hex, base64) and prefix",
        "How calls are signed: an HMAC of the body with webhook_secret.",
        generic_shape.signing,
    ),
    _described(
        "call_answer",
        "up to 200 plain characters",
        "What a call is answered with, where the gateway insists.",
        generic_shape.words,
    ),
    http_settings.word("user", "1 to 200 characters", "Stands where {{user}} is.", r"[^\r\n]{1,200}"),
    http_settings.secret("password", "Stands where {{password}} is."),
    http_settings.secret("api_key", "Stands where {{api_key}} is."),
    http_settings.secret("webhook_secret", "What calls are signed with."),
    http_settings.token(),
    *http_settings.line(None, insecure=True),
)


class Generic:
    """The API that the settings describe. See :class:`heliograph.carriers.http.Vendor`."""

    per_request = 1

    def __init__(self, values: Values, webhook_url: str | None) -> None:
        self.origin = http_settings.origin(values)
        self.connections = values.whole("connections")
        self.answer_timeout = values.number("answer_timeout_s")
        if values.pick("signature") is not None and not values.text("webhook_secret"):
            raise Invalid("The generic setting signature needs webhook_secret", field="webhook_secret")
        parts_of_url = urlsplit(values.text("url"))
        self._path, self._query = parts_of_url.path or "/", parts_of_url.query
        self._method = values.text("method")
        usual = cast("Mapping[str, object]", values.pick("request"))
        over = cast("Mapping[str, object]", values.pick("unicode_request") or {})
        self._gsm, self._unicode = generic_shape.combine(usual, {}), generic_shape.combine(usual, over)
        self._answer = cast("Answering", values.pick("answer"))
        self._fixed = {name: values.text(name) for name in ("user", "password", "api_key")}
        self._fixed["callback"] = http_calls.with_token(webhook_url, values.text("webhook_token")) or ""

    def errands(self, texts: Sequence[Text]) -> list[Errand]:
        """A request for each text."""
        return [Errand(self._request(text), [text]) for text in texts]

    def _request(self, text: Text) -> Request:
        asking = self._gsm if parts.measure(text.text).encoding == "GSM-7" else self._unicode
        fill = partial(_fill, values=self._fixed | _values(text))
        query = urlencode({name: fill(value) for name, value in asking.query.items()}, quote_via=quote)
        target = self._path + "?".join(["", "&".join(each for each in (self._query, query) if each)]).rstrip("?")
        headers = [(name, fill(value)) for name, value in asking.headers.items()]
        kind, body = _body(asking, fill)
        if kind and not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("Content-Type", kind))
        return Request(self._method, target, tuple(headers), body)

    def read(self, texts: Sequence[Text], answer: Answer) -> Reading:
        """See the table above."""
        told, count, now = self._answer, len(texts), utc_now()
        code = _find(told.code, answer) if told.code is not None else ""
        meaning = told.codes.get(code)
        if meaning == "shut":
            return http_answers.shut(count, code, f"it does not let us in (its code is {code[:40]})")
        if meaning == "deferred":
            return http_answers.each(count, Deferred(code, http_calls.pause(answer.headers, now)))
        if meaning in ("for_now", "for_good"):
            return http_answers.each(count, Refused(code[:80], permanent=meaning == "for_good"))
        if answer.status in http_answers.SUCCESS and (meaning == "accepted" or not told.codes):
            ref = _find(told.id, answer) if told.id is not None else texts[0].message_id
            if ref:
                return http_answers.each(count, Accepted(ref))
        return http_answers.by_status(count, answer, now, never_sent=told.never_sent)


def _values(text: Text) -> dict[str, str]:
    return {
        "to": text.to,
        "to_digits": text.to.removeprefix("+"),
        "from": text.sender,
        "from_digits": text.sender.removeprefix("+"),
        "text": text.text,
        "text_utf16_hex": text.text.encode("utf-16-be", "replace").hex(),
        "id": text.message_id,
        "parts": str(text.parts),
    }


def _fill(template: str, values: Mapping[str, str]) -> str:
    return generic_shape.PLACE.sub(lambda found: values.get(found[1], ""), template)


def _body(asking: Asking, fill: Callable[[str], str]) -> tuple[str, bytes]:
    if asking.body_kind == "form":
        pairs = {name: fill(value) for name, value in cast("Mapping[str, str]", asking.body).items()}
        return "application/x-www-form-urlencoded", urlencode(pairs).encode()
    if asking.body_kind == "json":
        return "application/json", json.dumps(_deep(asking.body, fill)).encode()
    if asking.body_kind == "xml":
        # Markup stands in the template only: what is filled in is words.
        escaped = generic_shape.PLACE.sub(
            lambda found: escape(fill(found[0]), {'"': "&quot;"}), cast("str", asking.body)
        )
        return "text/xml; charset=utf-8", escaped.encode()
    return "", b""


def _deep(value: object, fill: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return fill(value)
    if isinstance(value, dict):
        return {name: _deep(each, fill) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_deep(each, fill) for each in cast("list[object]", value)]
    return value


def _find(place: Place, answer: Answer) -> str:
    """What stands at a place of an answer; "" when nothing does."""
    if not place.in_text:
        return http_calls.text(_at(http_answers.document(answer), place.path))
    found = answer.body.decode("utf-8", "replace")[:LONGEST_LOOK]
    _, mark, behind = found.partition(place.after) if place.after else ("", "-", found)
    if not mark:
        return ""
    inner, end, _ = behind.partition(place.before) if place.before else (behind, "-", "")
    return inner.strip() if end else ""


def _at(value: object, path: str) -> object:
    """What stands at a dotted path; None when nothing does. A name with dots in it is found whole, too."""
    if isinstance(value, dict) and path in value:
        return cast("dict[str, object]", value)[path]
    found = cast("object", value)
    for name in path.split("."):
        if isinstance(found, dict):
            found = cast("dict[str, object]", found).get(name)
        elif isinstance(found, list) and name.isascii() and name.isdigit() and len(name) < 6:  # noqa: PLR2004  # an index
            members = cast("list[object]", found)
            found = members[int(name)] if int(name) < len(members) else None
        else:
            return None
    return found


class GenericCalls:
    """Calls as the settings describe them. See :class:`heliograph.carriers.base.Webhook`."""

    def verify(self, settings: Mapping[str, object], call: Call) -> bool:
        """By the signature where the settings describe one; else by the token."""
        described = settings.get("signature")
        if described is None:
            return http_calls.has_token(call, settings.get("webhook_token"))
        secret, signing = http_calls.text(settings.get("webhook_secret")), _read(generic_shape.signing, described)
        if not secret or not isinstance(signing, Signing):
            return False
        digest = http_calls.mac(secret, call.body, signing.method)
        wanted = signing.prefix + (digest.hex() if signing.form == "hex" else http_calls.based(digest))
        given = call.headers.get(signing.header, "")
        return http_calls.same(
            given.lower() if signing.form == "hex" else given, wanted.lower() if signing.form == "hex" else wanted
        )

    def read(self, settings: Mapping[str, object], call: Call) -> Heard:
        """Receipts or replies, whichever is described and there."""
        said = _said(call)
        told = _read(generic_shape.telling, settings.get("receipt"))
        if isinstance(told, Telling):
            receipts = [found for each in _items(said, told.items) if (found := _receipt(told, each, call)) is not None]
            if receipts:
                return Heard(receipts=receipts)
        wrote = _read(generic_shape.writing, settings.get("reply"))
        if isinstance(wrote, Writing):
            replies = [found for each in _items(said, wrote.items) if (found := _reply(wrote, each, call)) is not None]
            return Heard(replies=replies)
        return Heard()

    def answer(self, settings: Mapping[str, object]) -> str:
        """What a call is answered with; some gateways call again and again without it."""
        return http_calls.text(settings.get("call_answer"))


def _read(reader: Callable[[object], object], value: object) -> object:
    try:
        return None if value is None else reader(value)
    except http_settings.Unusable:
        return None


def _said(call: Call) -> object:
    """What a call says: its query and its body's fields together, or its body's list."""
    query: dict[str, object] = dict(reversed(call.query))
    query.pop("token", None)
    if not call.body:
        return query
    if call.body.lstrip()[:1] in (b"{", b"["):
        found = http_calls.document(call.body)
        return query | cast("dict[str, object]", found) if isinstance(found, dict) else found
    return query | http_calls.form(call)


def _items(said: object, path: str) -> list[dict[str, object]]:
    return http_calls.items(_at(said, path) if path else said)


def _receipt(told: Telling, said: Mapping[str, object], call: Call) -> Receipt | None:
    status, ref = http_calls.text(_at(said, told.status)), http_calls.text(_at(said, told.id))
    state = told.states.get(status)
    if state is None or not ref:
        return None
    code = ""
    if state == "failed":
        code = http_calls.text(_at(said, told.code)) if told.code else ""
    at = http_calls.moment(_at(said, told.at), call.at) if told.at else call.at
    return Receipt(ref, ReceiptState(state), at, code or (status if state == "failed" else ""))


def _reply(wrote: Writing, said: Mapping[str, object], call: Call) -> Reply | None:
    number, words = http_calls.plus(_at(said, wrote.number)), _at(said, wrote.text)
    if not number or words is None:
        return None
    ref = http_calls.text(_at(said, wrote.id)) if wrote.id else ""
    at = http_calls.moment(_at(said, wrote.at), call.at) if wrote.at else call.at
    return Reply(number, http_calls.plus(_at(said, wrote.to)), http_calls.text(words), at, ref)


KIND = http.kind("generic", "Any gateway that takes a text by HTTP, described as data", FIELDS, Generic, GenericCalls())
