"""Reading what a carrier sent us, in an answer or in a call: never more is believed than is there.

Everything here is pure. Whatever cannot be read raises :class:`heliograph.errors.Invalid`; nothing else is raised,
whatever the bytes are.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlencode

from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.carriers.base import Call

MOST_FIELDS = 200  # of a form; the largest form of the carriers we know has some forty
CLOCK_SKEW = 300.0  # seconds that a signed time may be off
LONGEST_PAUSE = 3600.0


def document(body: bytes) -> object:
    """A body as JSON. Raises Invalid."""
    try:
        return cast("object", json.loads(body))
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not JSON") from error


def mapping(value: object) -> dict[str, object]:
    """``value`` as an object; an empty one when it is none."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> list[dict[str, object]]:
    """The objects in ``value``, a list or a single one; whatever else is in it is left out."""
    if isinstance(value, dict):
        return [cast("dict[str, object]", value)]
    if not isinstance(value, list):
        return []
    return [cast("dict[str, object]", each) for each in cast("list[object]", value) if isinstance(each, dict)]


def text(value: object) -> str:
    """A text or a number as a text; "" for anything else. Half characters, which no database takes, are left out."""
    if isinstance(value, str):
        return value.encode("utf-8", "ignore").decode().replace("\x00", "")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**30:  # printable
        return str(value)
    return ""


def need(values: Mapping[str, object], *names: str) -> str:
    """The first of ``names`` that has a text. Raises Invalid naming them."""
    for name in names:
        if found := text(values.get(name)):
            return found
    raise Invalid(f"The call has no {' or '.join(names)}")


def form(call: Call) -> dict[str, str]:
    """A call's form fields, those of the query where it has no body; the first of each name. Raises Invalid."""
    return dict(reversed(pairs(call)))


def pairs(call: Call) -> list[tuple[str, str]]:
    """A call's form fields in order. Raises Invalid."""
    if not call.body:
        return list(call.query)
    try:
        return parse_qsl(
            call.body.decode("utf-8"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="replace"
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise Invalid("The body is not a form") from error


def fields(call: Call) -> dict[str, object]:
    """A call's fields, whether it is a JSON object, a form or a query. Raises Invalid."""
    if call.body and call.body.lstrip()[:1] in (b"{", b"["):
        return mapping(document(call.body))
    return cast("dict[str, object]", form(call))


def plus(number: object) -> str:
    """A number with its plus where the carrier left it out; a short code or a name as it is."""
    found = text(number).strip()
    digits = found.lstrip("+")
    if digits.isascii() and digits.isdigit() and len(digits) > 6 and not digits.startswith("0"):  # noqa: PLR2004  # E.164 has 7 or more
        return f"+{digits}"
    return found


def moment(value: object, otherwise: datetime) -> datetime:
    """A time as carriers write it (ISO 8601, an e-mail date, seconds or milliseconds since 1970), in UTC.

    One without a zone is UTC. What cannot be read is ``otherwise``: when something happened is never a reason to lose
    that it did.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_1970(float(value), otherwise)
    if not isinstance(value, str) or not value:
        return otherwise
    found: datetime | None = None
    try:
        found = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            found = parsedate_to_datetime(value)
        except (ValueError, OverflowError, IndexError):
            if value.strip().isascii() and value.strip().isdigit():
                return _since_1970(float(value.strip()[:20]), otherwise)
    if found is None:
        return otherwise
    try:
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return otherwise


def pause(headers: Mapping[str, str], now: datetime, least: float = 1.0) -> float:
    """Seconds that a Retry-After header asks to wait, ``least`` without one."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return least
    try:
        seconds = float(value)
    except ValueError:
        seconds = (moment(value, now) - now).total_seconds()
    if not math.isfinite(seconds):
        return least
    return min(max(seconds, least), LONGEST_PAUSE)


def same(given: str, wanted: str) -> bool:
    """Whether two texts are the same, in a time that does not tell where they differ. An empty one never is."""
    return bool(given and wanted) and hmac.compare_digest(
        given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace")
    )


def mac(secret: str, message: bytes, method: str = "sha256") -> bytes:
    """The HMAC of a message."""
    return hmac.new(secret.encode(), message, method).digest()


def based(digest: bytes) -> str:
    """Bytes in Base64."""
    return base64.b64encode(digest).decode()


def unbased(value: str) -> bytes:
    """Bytes from Base64, b"" when it is none."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return b""


def sha256(body: bytes) -> str:
    """A body's hash, in hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def basic(user: str, password: str) -> str:
    """An Authorization header for HTTP Basic."""
    return "Basic " + based(f"{user}:{password}".encode())


def is_basic(call: Call, user: str, password: str) -> bool:
    """Whether a call carries this user and password; False when they are not set."""
    return bool(user and password) and same(call.headers.get("authorization", ""), basic(user, password))


def with_token(url: str | None, token: str) -> str | None:
    """The address that a carrier is to call us at, with the secret by which its calls are known."""
    return f"{url}?{urlencode({'token': token})}" if url is not None and token else url


def has_token(call: Call, token: object) -> bool:
    """Whether a call's address has the secret ``?token=`` that we gave it; False when there is none."""
    given = [value for name, value in call.query if name == "token"]
    return isinstance(token, str) and len(given) == 1 and same(given[0], token)


def is_recent(value: str, now: datetime) -> bool:
    """Whether a signed time, in seconds since 1970, is near ``now``."""
    try:
        return abs(float(value) - now.timestamp()) <= CLOCK_SKEW
    except ValueError:
        return False


def _since_1970(number: float, otherwise: datetime) -> datetime:
    seconds = number / 1000 if number > 1e11 else number  # noqa: PLR2004  # milliseconds, unless it is the year 5138
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return otherwise
