"""Whatever is wrong with a request, on every route: the right error, in the house's shape, and never a fault of ours.

The routes are the application's own, so a new one is tried by itself. What is particular to one route (which
texts, which fields) is in the tests of that route.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest

from heliograph.actions import access
from heliograph.actions.access import Scope
from heliograph.actions.seal import Seal
from heliograph.config import Settings
from heliograph.rules import ids
from heliograph.store.database import Database
from tests.api.complaints import Complaints, Turns
from tests.api.conftest import Tenant
from tests.api.world import MULTIPART, STATE, World, opened
from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

VERBS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "PROPFIND")


@pytest.fixture
async def world(
    db: Database, seal: Seal, settings: Settings, clock: FrozenClock, tenant: Tenant, second_tenant: Tenant
) -> AsyncIterator[World]:
    async with opened(db, seal, settings, clock, tenant) as (found,):
        yield found


# ---------------------------------------------------------------- who


async def test_everything_works_when_nothing_is_wrong(world: World) -> None:
    """What the tests below change is all that is wrong with their requests."""
    worked = 0
    for operation in world.operations:
        await world.fresh(operation)
        answer = await world.send(operation)
        assert answer.status_code in (200, 202, *STATE), (str(operation), answer.text)
        worked += answer.status_code in (200, 202)
    assert worked > 0.85 * len(world.operations), "or the tests below show little"


async def test_wrong_tokens(world: World, second_tenant: Tenant, clock: FrozenClock) -> None:
    tenant, complaints = world.tenant, Complaints()
    claims = {"appId": tenant.client_id}
    credentials = "Invalid SDK credentials"
    turns = Turns(
        [
            ("", credentials),
            ("nonsense", "Invalid JWT token"),
            (jwt.encode(claims, tenant.client_secret, algorithm="HS512"), credentials),
            (jwt.encode(claims, "", algorithm="none"), credentials),
            (tenant.sign(exp=clock().timestamp() - 1), credentials),
        ]
    )
    for operation in world.operations:
        for token, words in (
            (None, credentials),
            (jwt.encode(claims, "another secret, though as long as it is", algorithm="HS256"), credentials),
            (second_tenant.token, credentials),
            *turns.take(1),
        ):
            answer = await world.send(operation, headers={} if token is None else {"auth": token})
            complaints.look(answer, 401, about=token)
            assert answer.json()["message"].startswith(words)
            assert answer.json()["errors"][0]["code"] == 4002
    assert complaints.none()


async def test_wrong_scopes(world: World, seal: Seal, clock: FrozenClock) -> None:
    """Each scope alone: there is one that opens a route, and the others do not."""
    keys = {}
    for scope in Scope:
        made = await access.create_client(world.db, seal, world.app, name=scope, scopes=[scope], now=clock())
        keys[scope] = {"auth": access.sign(made.client_id, made.client_secret, now=clock())}
    complaints = Complaints()
    for operation in world.operations:
        await world.fresh(operation)
        answers = [await world.send(operation, headers=key) for key in keys.values()]
        refused = [answer for answer in answers if answer.status_code == 403]
        assert len(refused) == len(answers) - 1, str(operation)
        for answer in refused:
            complaints.look(answer, 403)
            assert answer.json()["message"] == "Permission denied. Scope is incorrect!"
            assert answer.json()["errors"][0]["code"] == 4002
    assert complaints.none()


async def test_wrong_apps_and_accounts(world: World, second_tenant: Tenant) -> None:
    complaints = Complaints()
    auth = {"auth": world.tenant.token}
    other = second_tenant.app
    for operation in world.operations:
        for app_id in (other.public_id, ids.new("st"), "sms"):
            complaints.look(await world.send(operation, path=world.path(operation, appId=app_id)), 401, about=app_id)
        query = world.query(operation)
        for more in (
            {"headers": auth | {"iid": other.public_id}},
            {"headers": auth | {"accountId": other.account_id}},
            {"headers": auth, "params": query | {"accountId": other.account_id}},
            {"headers": auth, "params": query | {"iid": "a" * 400}},
        ):
            complaints.look(await world.send(operation, **more), 403, about=more)
        complaints.look(await world.send(operation, params=query | {"campaignType": "voice"}), 400)
    assert complaints.none()


# ---------------------------------------------------------------- where


async def test_wrong_verbs(world: World) -> None:
    right: dict[str, set[str]] = defaultdict(set)
    for operation in world.operations:
        right[world.path(operation)].add(operation.verb)
    complaints = Complaints()
    for path, verbs in right.items():
        for verb in VERBS:
            if verb not in verbs:
                answer = await world.client.request(verb, path, headers=world.tenant.headers)
                complaints.look(answer, 405, about=verb)
                assert answer.headers["allow"] == ", ".join(sorted(verbs)), (verb, path)
    assert complaints.none()


async def test_wrong_paths(world: World) -> None:
    complaints = Complaints()
    for operation in (one for one in world.operations if not one.keeps):
        path = world.path(operation)
        parts = operation.path.split("/")
        fixed = [at for at, part in enumerate(parts) if part and not part.startswith("{")]
        wrong = {world.path(operation, path="/".join([*parts[:at], f"{parts[at]}x", *parts[at + 1 :]])) for at in fixed}
        wrong |= {f"{path}/more", path.replace("/v", "/v3", 1), path.upper()}
        for one in wrong:
            # What is left may be the path of something else, for another verb or with an odd name in it.
            complaints.look(await world.send(operation, path=one), 400, 404, 405)
    assert complaints.none()


async def test_ids_of_nothing(world: World) -> None:
    complaints = Complaints()
    odd = ("sms", "0", "a" * 400, "a" * 4000, "%ED%A0%80", "%FF%FE", "%F0%9F%98%80", "%27%3B--", "%25", "%0A", "x%20")
    turns = Turns([*odd, ids.new("xx")])
    for operation in (one for one in world.handled if not one.keeps):
        for place in operation.places:
            known = world.ids.get(place, "xx-")
            complaints.look(await world.send(operation, path=world.path(operation, **{place: "a%00b"})), 400)
            if not place.endswith("Id"):  # by its nature no id, such as a number or a name
                continue
            for value in (f"{known[:-12]}000000000000", f"{known}x", *turns.take(4)):
                answer = await world.send(operation, path=world.path(operation, **{place: value}))
                complaints.look(answer, 404, about=value)
    assert complaints.none()


# ---------------------------------------------------------------- bodies that are none

NO_JSON = {
    "broken": b"{",
    "cut off": b'{"name": "Spring',
    "words": b"nonsense",
    "broken UTF-8": b'{"name": "\xff\xfe"}',
    "cut-off UTF-8": b'{"name": "\xf0\x9f',
    "a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "UTF-32": '{"name": "x"}'.encode("utf-32"),
    "NaN": b'{"name": "x", "more": NaN}',
    "infinity": b'{"name": "x", "more": -Infinity}',
    "a float too large": b'{"name": "x", "more": 1e999}',
    "an integer of 5,000 digits": b'{"name": "x", "more": ' + b"9" * 5000 + b"}",
    "NUL": b'{"name": "a\\u0000b"}',
    "NUL in a key": b'{"a\\u0000b": 1}',
    "a bare NUL": b'{"name": "\0"}',
    "half a surrogate pair": b'{"more": ["\\ud800"]}',
    "half a surrogate pair in a key": b'{"\\udfff": 1}',
    "deep lists": b"[" * 100_000,
    "deep lists, closed": b'{"more": ' + b"[" * 500 + b"]" * 500 + b"}",
    "deep objects": b'{"a":' * 100_000,
    "deep objects, closed": b'{"a":' * 200 + b"1" + b"}" * 200,
    "a list": b"[]",
    "a list of objects": b"[{}]",
    "a number": b"5",
    "a text": b'"text"',
    "null": b"null",
    "true": b"true",
    "two values": b"{} {}",
    "a form": b"name=Spring+Sale&format=simple",
    "XML": b"<name>Spring Sale</name>",
}


async def test_bodies_that_are_no_json_object(world: World) -> None:
    complaints, turns = Complaints(), Turns(NO_JSON.items())
    for operation in world.handled:
        for about, body in turns.take(12 if operation.reads else 4):
            if about == "a list" and isinstance(operation.example, list):
                continue
            answer = await world.send(operation, content=body)
            if operation.reads:
                complaints.look(answer, 400, about=about)
            else:  # nothing of it is read; a file's bytes may be anything
                complaints.tolerate(answer, about=about)
                if answer.status_code == 200:
                    await world.fresh(operation)
    assert complaints.none()


async def test_bodies_that_are_too_large(world: World) -> None:
    complaints = Complaints()
    for operation in world.handled:
        if operation.media is not None and (operation.reads or operation.media == MULTIPART):
            headers = world.tenant.headers | {"content-length": str(10**18)}
            complaints.look(await world.send(operation, headers=headers), 413, about="announced")
        if operation.reads:
            for body in (b" " * 11_000_000, b'{"name": "' + b"a" * 11_000_000 + b'"}'):
                complaints.look(await world.send(operation, content=body), 413, about=len(body))
    assert complaints.none()


async def test_odd_content_types(world: World) -> None:
    """A body is JSON whatever its type says; only a file is told from another by it."""
    kinds = Turns(
        [None, b"", b"x", b"text/plain", b"application/json; charset=utf-16", b"multipart/form-data", b"\xff"]
    )
    token = (b"auth", world.tenant.token.encode())
    for operation in (one for one in world.handled if one.media != MULTIPART):
        for kind in kinds.take(3):
            await world.fresh(operation)
            example = json.dumps(world.named(operation.example)).encode()
            headers = [token, *([] if kind is None else [(b"content-type", kind)])]
            answer = await world.send(operation, content=example, headers=headers)
            assert answer.status_code in (200, 202, *STATE), (str(operation), kind, answer.text)


def odd_files(good: bytes) -> list[tuple[dict[str, Any], tuple[int, ...]]]:
    """Files that are none, and what each may be answered; ``good`` is one that the call takes."""
    return [
        ({"content": good, "type": "multipart/form-data"}, (400,)),
        ({"content": good, "type": "multipart/form-data; boundary="}, (400,)),
        ({"content": good, "type": "multipart/form-data; boundary=x"}, (400,)),
        ({"content": b"--x\r\n" * 1000, "type": "multipart/form-data; boundary=x"}, (400,)),
        (
            {"content": b"--x\r\nContent-Disposition: form-data\r\n\r\n", "type": "multipart/form-data; boundary=x"},
            (400,),
        ),
        ({"content": b"", "type": "text/csv"}, (400,)),
        ({"content": b"\0" * 1000, "type": "text/csv"}, (400,)),
        ({"content": good.decode().encode("utf-16"), "type": "text/csv"}, (200, 400)),  # as it is a file of people
        ({"content": b"PK\x03\x04" + b"\0" * 100, "type": "text/csv"}, (400,)),
        ({"content": b'"' * 10_001, "type": "text/csv"}, (400,)),
        ({"content": b"phoneNumber\n" + b"\xff\n", "type": "text/csv"}, (400,)),
        ({"content": b",".join([b"a"] * 500) + b"\n", "type": "text/csv"}, (400,)),
        ({"content": b"a" * 400_000, "type": "text/csv"}, (400,)),
        ({"content": b"phoneNumber\n" + b"9" * 400_000, "type": "text/csv"}, (400,)),
        ({"content": b"phoneNumber,phoneNumber\n1,2\n", "type": "text/csv"}, (400,)),
        ({"content": b"{}", "type": "application/json"}, (400,)),
        ({"files": {"other": ("a.csv", good)}}, (400,)),
        ({"files": [("file", ("a.csv", good)), ("file", ("b.csv", good))]}, (400,)),
        ({"files": {"file": ("", b"")}}, (400,)),
        ({"files": {"file": ("../\\..\0\u202e" + "a" * 400, good)}}, (200, 409)),  # there may be one of its name
        ({"files": {"file": ("a.csv", good)}, "data": {f"f{n}": "x" for n in range(50)}}, (400,)),
    ]


async def test_odd_files(world: World) -> None:
    complaints = Complaints()
    for operation in world.handled:
        if operation.media == MULTIPART:
            for body, statuses in odd_files(str(operation.example["file"]).encode()):
                sent = dict(body)
                kind = {"content-type": sent.pop("type")} if "type" in sent else {}
                answer = await world.send(operation, headers=world.tenant.headers | kind, **sent)
                if answer.status_code == 202:  # a worker looks into it later
                    continue
                if 200 not in statuses or answer.status_code != 200:
                    complaints.look(answer, *statuses, about=str(body)[:100])
    assert complaints.none()
