"""Everything that can go wrong on purpose, drawn as a tree.

    HeliographError
    ├── Invalid              what was sent cannot be used: names the value and what would be accepted
    │   └── TooLarge         more than may be sent at once
    ├── Unauthenticated      who is asking could not be proven
    ├── Forbidden            proven, but not allowed (scope, tenant)
    ├── NotFound             no such thing here
    ├── Conflict             the thing exists, but not in a state that allows this
    │   ├── DuplicateName
    │   ├── IllegalMove      the campaign's lifecycle has no such step from its present status
    │   ├── InUse
    │   └── UnderWay         the very same request is still being worked on; ask again
    ├── RateLimited          try again after `retry_after` seconds
    ├── Stopping             the barrier could not be closed in time; nothing was changed, ask again
    ├── CarrierDown          the line to a carrier is broken; nothing of this call was sent
    ├── StoreUnavailable     PostgreSQL cannot be reached or started
    │   └── DataTooNew       the database was written by a newer Heliograph
    └── BadSetting           a setting has a value that cannot be used

Every class has a stable ``code`` (a short string) for machines; the message is a sentence for people.
Which HTTP status or exit code an error becomes is decided by the face that shows it, never here.
"""

from __future__ import annotations


class HeliographError(Exception):
    """Base of every deliberate error.

    ``message`` is one sentence a stranger can act on; ``field`` names the input at fault when there is
    one (a dotted path such as ``dialingStrategy.callingHours.timezone``).
    """

    code = "error"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(HeliographError):
    code = "invalid"


class TooLarge(Invalid):
    code = "too_large"


class Unauthenticated(HeliographError):
    code = "unauthenticated"


class Forbidden(HeliographError):
    code = "forbidden"


class NotFound(HeliographError):
    code = "not_found"


class Conflict(HeliographError):
    code = "conflict"


class DuplicateName(Conflict):
    code = "duplicate_name"


class IllegalMove(Conflict):
    code = "illegal_move"


class InUse(Conflict):
    code = "in_use"


class UnderWay(Conflict):
    code = "under_way"


class RateLimited(HeliographError):
    code = "rate_limited"

    def __init__(self, message: str, *, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Stopping(HeliographError):
    code = "stopping"


class CarrierDown(HeliographError):
    code = "carrier_down"


class StoreUnavailable(HeliographError):
    code = "store_unavailable"


class DataTooNew(StoreUnavailable):
    code = "data_too_new"


class BadSetting(HeliographError):
    code = "bad_setting"
