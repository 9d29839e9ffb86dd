"""What an HTTP answer says by its status alone, where the carrier's own words say no more.

| status | outcome | why |
|---|---|---|
| 429 | Deferred, by its Retry-After | RFC 6585: too many requests; this one was not taken |
| 401 402 403 404 405 410, 3xx | the account is shut, texts are Deferred | our credentials, credit or address is wrong |
| 408, 5xx | Lost | RFC 9110, 15.6: the server failed, which says nothing of how far it had come |
| 408, 5xx of a carrier that says it never sent then | refused for now | by that carrier's documentation |
| other 4xx | refused for good | RFC 9110, 15.5: the request as it is will not do |
| 2xx without what it should say | Lost | it may have been taken |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.carriers import http_calls
from heliograph.carriers.base import Deferred, Lost, Refused
from heliograph.carriers.http import SHUT_PAUSE, Reading
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from datetime import datetime

    from heliograph.carriers.base import Outcome
    from heliograph.carriers.http_wire import Answer

TOO_MANY = 429
SUCCESS = range(200, 300)
REDIRECTS = range(300, 400)
OUR_FAULT = {
    401: "it does not accept our credentials",
    402: "the account has no credit",
    403: "our credentials may not send",
    404: "there is no such account or address",
    405: "its address takes no texts",
    410: "its address is gone",
}
TIMED_OUT = 408
SERVER_FAILED = 500


def by_status(count: int, answer: Answer, now: datetime, *, code: str = "", never_sent: bool = False) -> Reading:  # noqa: PLR0911  # as told above
    """What ``answer`` says for each of ``count`` texts. ``code``: the carrier's own, instead of the status."""
    shown = code or str(answer.status)
    if answer.status in SUCCESS:
        return each(count, Lost("the answer does not say what became of the text"))
    if answer.status == TOO_MANY:
        return each(count, Deferred(shown, http_calls.pause(answer.headers, now)))
    if answer.status in REDIRECTS:
        return shut(count, shown, "its address is another: it answers with a redirect")
    if answer.status in OUR_FAULT:
        return shut(count, shown, f"{OUR_FAULT[answer.status]} ({shown})")
    if answer.status >= SERVER_FAILED or answer.status == TIMED_OUT or answer.status < SUCCESS.start:
        if never_sent:
            return each(count, Refused(shown, permanent=False))
        return each(count, Lost(f"the carrier failed ({shown})"))
    return each(count, Refused(shown, permanent=True))


def each(count: int, outcome: Outcome) -> Reading:
    """The same outcome for each text."""
    return Reading([outcome] * count)


def shut(count: int, code: str, why: str) -> Reading:
    """The carrier does not let us in: the account has to be looked at, and no text is at fault."""
    return Reading([Deferred(code, SHUT_PAUSE)] * count, shut=why)


def document(answer: Answer) -> object:
    """The answer's JSON; None when it is none."""
    try:
        return http_calls.document(answer.body)
    except Invalid:
        return None


def mapping(answer: Answer) -> dict[str, object]:
    """The answer's JSON object; an empty one when it is none."""
    return http_calls.mapping(document(answer))
