"""Whatever is wrong with the values of a request, on every route: the right error, and never a fault of ours.

The routes are the application's own, so a new one is tried by itself. What is particular to one route (which
texts, which fields) is in the tests of that route.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest

from heliograph.actions.seal import Seal
from heliograph.config import Settings
from heliograph.store.database import Database
from tests.api.complaints import Complaints, Turns
from tests.api.conftest import Tenant
from tests.api.world import STATE, World, opened
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture
async def world(
    db: Database, seal: Seal, settings: Settings, clock: FrozenClock, tenant: Tenant, second_tenant: Tenant
) -> AsyncIterator[World]:
    async with opened(db, seal, settings, clock, tenant) as (found,):
        yield found


# ---------------------------------------------------------------- values


def spots(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every place in a JSON value, with what stands there."""
    if at:
        yield at, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from spots(one, (*at, key))


def put(value: Any, at: tuple[str | int, ...], new: Any) -> Any:
    """A copy of a JSON value with something else in one place."""
    if not at:
        return new
    copy = value.copy()
    copy[at[0]] = put(value[at[0]], at[1:], new)
    return copy


WRONG_TYPES: dict[type, list[Any]] = {
    str: [True, [], {}, ["x"], {"x": "y"}, -1, 1.5],
    bool: ["yes", "true", 1, [], {}],
    int: [True, [], {}, "x", -1, 1.5, 10**30, 1e300],
    float: [True, [], {}, "x", -1, 10**30, 1e300],
    type(None): [],
    list: ["x", 5, True, {}],
    dict: ["x", 5, True],
}
UNREADABLE = ["a\0b", "\ud800", float("nan"), float("inf"), {"a\0": 1}, [["\udfff"]]]
ODD: list[Any] = [
    None, "", " ", "x" * 400, "\u202e\ufeff", "\U0001f600" * 100, "{{x}}<x>", "%00%ff", -0.0, 10**300, [[]], {"": 0},
]  # fmt: skip
LARGE: list[Any] = ["x" * 100_000, list(range(2000)), {str(n): n for n in range(2000)}]


async def test_values_of_the_wrong_type(world: World) -> None:
    """What the description does not allow is refused, with a word on where it stands."""
    tolerated = {(0, "timeToContact")}  # what is wrong with one person's time is answered beside that person
    complaints = Complaints()
    for operation in (one for one in world.handled if one.reads):
        example = world.named(operation.example)
        allowed = world.allowed(operation)
        for at, old in spots(example):
            for new in WRONG_TYPES[type(old)]:
                changed = put(example, at, new)
                answer = await world.send(operation, json=changed)
                if at in tolerated or allowed(changed):
                    complaints.tolerate(answer, about=(at, new))
                    continue
                complaints.look(answer, 400, *STATE, about=(at, new))
                field = answer.json()["errors"][0].get("field", "") if answer.status_code == 400 else str(at)
                if str(at[0]) not in field:
                    complaints.found.append(f"{operation}: {at} is {new!r}, and the fault was found in {field!r}")
    assert complaints.none()


async def test_values_that_nothing_can_hold(world: World) -> None:
    complaints, turns = Complaints(), Turns(UNREADABLE)
    for operation in (one for one in world.handled if one.reads):
        example = world.named(operation.example)
        for at, _ in spots(example):
            for new in turns.take(2):
                body = json.dumps(put(example, at, new)).encode()
                complaints.look(await world.send(operation, content=body), 400, about=(at, new))
    assert complaints.none()


async def test_odd_values(world: World) -> None:
    complaints, turns = Complaints(), Turns(ODD)
    for operation in (one for one in world.handled if one.reads):
        for at, _ in spots(operation.example):
            for new in [*turns.take(4), *(LARGE if len(at) == 1 else [])]:
                answer = await world.send(operation, json=put(world.named(operation.example), at, new))
                complaints.tolerate(answer, about=(at, str(new)[:50]))
    assert complaints.none()


async def test_what_is_missing(world: World) -> None:
    complaints = Complaints()
    for operation in (one for one in world.handled if one.reads):
        example = world.named(operation.example)
        for at, _ in spots(example):
            if isinstance(at[-1], str):
                inner: Any = example
                for key in at[:-1]:
                    inner = inner[key]
                less = {key: value for key, value in inner.items() if key != at[-1]}
                complaints.tolerate(await world.send(operation, json=put(example, at[:-1], less)), about=at)
    for operation in world.handled:
        for name in operation.needed:
            query = {key: value for key, value in world.query(operation).items() if key != name}
            answer = await world.send(operation, params=query)
            complaints.look(answer, 400, about=f"{name} missing")
            assert answer.json()["errors"][0]["field"] == name
    assert complaints.none()


# ---------------------------------------------------------------- queries and headers

NO_NUMBERS = (
    "-1", "99999999999", "9" * 400, "1e3", "1.0", "1.5", "NaN", "0x10", " 1", "1_0", "+1", "true", "[]", "\u0663",
    "\u00b2", "\u0661\u0662", "1;2", "null", "%", "\ufeff1", "\U0001f600",
)  # fmt: skip


async def test_numbers_and_words_in_queries(world: World) -> None:
    complaints = Complaints()
    tried, numbers = 0, Turns(NO_NUMBERS)
    for operation in world.handled:
        for parameter in operation.parameters("query"):
            name, schema = parameter["name"], parameter["schema"]
            if schema["type"] == "integer":
                wrong = [*numbers.take(8), str(schema["minimum"] - 1), str(schema["maximum"] + 1)]
            elif "enum" in schema:
                wrong = ["x", "a" * 400, "\u202e", f"{schema['enum'][0]}x", "%00"]
            else:
                continue
            for value in wrong:
                tried += 1
                answer = await world.send(operation, params=world.query(operation) | {name: value})
                complaints.look(answer, 400, about=(name, value))
                assert answer.json()["errors"][0]["field"] == name, answer.text
    assert tried > 100
    assert complaints.none()


async def test_odd_queries(world: World) -> None:
    complaints = Complaints()
    turns = Turns(["%FF=%FE", "=", "&&&&", "a" * 5000, "%", "a=%ED%A0%80", "__proto__=x", "x[]=1&x[]=2", ";;", "?"])
    for operation in world.handled:
        path = world.path(operation)
        good = str(httpx.QueryParams(world.query(operation)))
        for odd in turns.take(4):
            answer = await world.send(operation, path=f"{path}?{good}&{odd}", params=None)
            complaints.tolerate(answer, about=odd)
        answer = await world.send(operation, path=f"{path}?{good}&a=%00", params=None)
        complaints.look(answer, 400, about="NUL")
    assert complaints.none()


async def test_odd_headers(world: World) -> None:
    complaints = Complaints()
    token = world.tenant.token.encode()
    harmless = {
        b"accept": b"application/xml;q=x",
        b"accept-encoding": b"\xff",
        b"content-encoding": b"gzip",
        b"expect": b"200-maybe",
        b"host": b"\xff\xfe/..:x",
        b"cookie": b"=;=;\x80" * 100,
        b"x-odd": b"a" * 60_000,
        b"accountid": b"",
        b"range": b"bytes=9-1",
        b"authorization": b"\xff \xff",
    }
    odd: list[dict[bytes, bytes]] = [
        harmless,
        {b"content-length": b"-5"},
        {b"content-length": b"\xb2"},
        {b"accountid": b"\xff\xfe"},
        {b"iid": b"a" * 400},
        {b"idempotency-key": b"\xff" * 300},
    ]
    for operation in world.handled:
        for more in odd:
            answer = await world.send(operation, headers=[(b"auth", token), *more.items()])
            complaints.tolerate(answer, about=more)
            if answer.status_code == 200:
                await world.fresh(operation)
        for several in ([(b"auth", b"x"), (b"auth", token)], [(b"auth", b"x"), (b"authorization", b"Bearer " + token)]):
            complaints.look(await world.send(operation, headers=several), 401, about="two tokens")
    assert complaints.none()


async def test_what_is_deleted_is_gone_for_every_route(world: World) -> None:
    complaints = Complaints()
    tried = 0
    kept = "importId"  # an import that is cancelled is told of
    for doomed in (one for one in world.handled if one.verb == "DELETE" and one.places[-1:] != [kept]):
        if not doomed.path.endswith("Id}"):
            continue
        await world.fresh(doomed)
        answer = await world.send(doomed)
        assert answer.status_code in (200, 409), str(doomed)  # a thing that another one is made of is kept
        for operation in world.operations if answer.status_code == 200 else ():
            if doomed.places[-1] in operation.places and not operation.keeps:
                tried += 1
                complaints.look(await world.send(operation), 404, about=f"after {doomed}")
    assert tried > 20
    assert complaints.none()
