from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from pyotp.totp import TOTP

from heliograph.actions import second_factor, sign_in, users
from heliograph.actions.passwords import Passwords
from heliograph.actions.seal import Seal
from heliograph.actions.sign_in import Came
from heliograph.errors import Conflict, DuplicateName, Invalid, NotFound, RateLimited, Unauthenticated
from heliograph.rules.roles import Grant, Grants, Role
from heliograph.store import users as rows

if TYPE_CHECKING:
    from heliograph.store.database import Database
    from heliograph.store.users import User
    from tests.conftest import FrozenClock

pytestmark = pytest.mark.anyio

CHEAP = Passwords(32)
SEAL = Seal(bytes(32))
HERE = Came("203.0.113.7", "a browser")
PHRASE = "seven quiet lighthouses"
OWNER = Grants(Grant(Role.OWNER))


async def owner(db: Database, clock: FrozenClock, *, email: str = "Ada@example.com") -> User:
    token = await users.owner_link(db, made_by="the terminal", now=clock())
    assert token
    opened = await users.accept(
        db, CHEAP, token, given=PHRASE, came=HERE, now=clock(), name="Ada Lovelace", email=email
    )
    return opened.user


async def enter(db: Database, clock: FrozenClock, phrase: str = PHRASE, email: str = "ada@example.com") -> str:
    return (await sign_in.by_password(db, CHEAP, email, phrase, HERE, now=clock())).token


async def test_the_first_link_makes_an_owner_once(db: Database, clock: FrozenClock) -> None:
    old = await users.owner_link(db, made_by="the terminal", now=clock())
    token = await users.owner_link(db, made_by="the terminal", now=clock())
    assert old
    assert token
    for each in (old, "", "x\0"):
        with pytest.raises(NotFound, match="does not open"):
            await sign_in.find_link(db, each, now=clock())
    made = await users.accept(db, CHEAP, token, given=PHRASE, came=HERE, now=clock(), name="Ada", email="a@example.com")
    assert made.user.grants == OWNER
    assert not made.half
    assert await sign_in.find(db, made.token, HERE, now=clock())
    with pytest.raises(NotFound):
        await users.accept(db, CHEAP, token, given=PHRASE, came=HERE, now=clock(), name="Eve", email="e@example.com")
    assert await users.owner_link(db, made_by="the terminal", now=clock()) is None


async def test_a_password_lets_in_however_the_address_is_written_and_nothing_else_does(
    db: Database, clock: FrozenClock
) -> None:
    await owner(db, clock)
    assert await enter(db, clock, email=" ADA@example.com")
    said = set()
    for email, phrase in (("ada@example.com", "wrong"), ("eve@example.com", PHRASE), ("\0", "\0"), ("", "")):
        with pytest.raises(Unauthenticated) as refused:
            await enter(db, clock, phrase, email)
        said.add(refused.value.message)
    assert said == {sign_in.WRONG}


async def test_guessing_takes_longer_and_longer_and_forgetting_costs_nothing(db: Database, clock: FrozenClock) -> None:
    await owner(db, clock)
    waits: list[float] = []
    for _ in range(12):
        with pytest.raises((Unauthenticated, RateLimited)) as refused:
            await enter(db, clock, "wrong", "Ada@example.com")
        if isinstance(refused.value, RateLimited):
            waits.append(refused.value.retry_after)
            with pytest.raises(RateLimited):  # not even the right one, so nothing is learned by trying
                await enter(db, clock)
            clock.advance(refused.value.retry_after)
    assert waits == sorted(waits)
    assert waits[0] == 5
    assert len(waits) >= 4
    clock.advance(900)
    assert await enter(db, clock)
    for _ in range(4):
        with pytest.raises(Unauthenticated):
            await enter(db, clock, "wrong")
    assert await enter(db, clock)


async def test_one_address_may_not_try_users_in_turn(db: Database, clock: FrozenClock) -> None:
    for tried in range(20):
        with pytest.raises(Unauthenticated):
            await enter(db, clock, "wrong", f"user{tried}@example.com")
    with pytest.raises(RateLimited):
        await enter(db, clock, "wrong", "another@example.com")


async def test_a_session_ends_by_silence_by_age_and_by_hand(db: Database, clock: FrozenClock) -> None:
    user = await owner(db, clock)
    token = await enter(db, clock)
    clock.advance(12 * 3600 + 1)
    assert await sign_in.find(db, token, HERE, now=clock()) is None
    token = await enter(db, clock)
    for _ in range(27):  # seven days less a quarter
        clock.advance(6 * 3600 - 1)
        assert await sign_in.find(db, token, HERE, now=clock())
    clock.advance(6 * 3600 + 60)
    assert await sign_in.find(db, token, HERE, now=clock()) is None
    one, other = await enter(db, clock), await enter(db, clock)
    found = await sign_in.list_sessions(db, user.user_id, now=clock())
    assert len(found) == 2
    here = await sign_in.find(db, one, HERE, now=clock())
    assert here
    assert await sign_in.end_others(db, user.user_id, but=here[1].public_id) == 1
    assert await sign_in.find(db, other, HERE, now=clock()) is None
    await sign_in.end_session(db, user.user_id, here[1].public_id)
    assert await sign_in.find(db, one, HERE, now=clock()) is None
    with pytest.raises(NotFound):
        await sign_in.end_session(db, user.user_id, here[1].public_id)


async def test_whoever_is_invited_chooses_a_password_and_is_what_they_were_invited_as(
    db: Database, clock: FrozenClock
) -> None:
    await owner(db, clock)
    grants = Grants(Grant(Role.SUPERVISOR))
    made = await users.invite(
        db, email="grace@example.com", name="Grace Hopper", grants=grants, made_by="Ada", now=clock()
    )
    with pytest.raises(DuplicateName):
        await users.invite(db, email="GRACE@example.com", name="G", grants=grants, made_by="Ada", now=clock())
    with pytest.raises(Unauthenticated):  # no password yet
        await enter(db, clock, "", "grace@example.com")
    for weak in ("short", "password1234", "graceHopper12", "grace@example.com", "aaaaaaaaaaaaaa", "abcdefghijklmno"):
        with pytest.raises(Invalid) as refused:
            await users.accept(db, CHEAP, made.token, given=weak, came=HERE, now=clock())
        assert weak not in refused.value.message
    opened = await users.accept(db, CHEAP, made.token, given="a harbour at dawn", came=HERE, now=clock())
    found = await sign_in.find(db, opened.token, HERE, now=clock())
    assert found
    assert found[0].grants == grants


async def test_a_reset_ends_every_session_and_the_old_password(db: Database, clock: FrozenClock) -> None:
    user = await owner(db, clock)
    token = await enter(db, clock)
    link = await users.reset(db, user, made_by="the terminal", now=clock())
    assert await sign_in.find(db, token, HERE, now=clock())
    clock.advance(24 * 3600)
    with pytest.raises(NotFound):
        await users.accept(db, CHEAP, link, given="a harbour at dawn", came=HERE, now=clock())
    token = await enter(db, clock)
    link = await users.reset(db, user, made_by="the terminal", now=clock())
    await users.accept(db, CHEAP, link, given="a harbour at dawn", came=HERE, now=clock())
    assert await sign_in.find(db, token, HERE, now=clock()) is None
    with pytest.raises(Unauthenticated):
        await enter(db, clock)
    assert await enter(db, clock, "a harbour at dawn")


async def test_somebody_changes_their_password_and_stays_signed_in_here_only(db: Database, clock: FrozenClock) -> None:
    user = await owner(db, clock)
    here, there = await enter(db, clock), await enter(db, clock)
    found = await sign_in.find(db, here, HERE, now=clock())
    assert found
    session = found[1].public_id
    with pytest.raises(Unauthenticated):
        await users.change_password(db, CHEAP, user, old="wrong", new="a harbour at dawn", session=session, now=clock())
    user = found[0]
    await users.change_password(db, CHEAP, user, old=PHRASE, new="a harbour at dawn", session=session, now=clock())
    assert await sign_in.find(db, here, HERE, now=clock())
    assert await sign_in.find(db, there, HERE, now=clock()) is None


async def test_there_is_always_an_owner_who_can_sign_in(db: Database, clock: FrozenClock) -> None:
    ada = await owner(db, clock)
    await users.invite(db, email="g@example.com", name="Grace", grants=OWNER, made_by="Ada", now=clock())
    for attempt in (users.disable(db, ada, now=clock()), users.set_grants(db, ada, Grants(Grant(Role.AGENT)))):
        with pytest.raises(Conflict, match="only Owner"):
            await attempt


async def test_whoever_is_disabled_is_out_at_once(db: Database, clock: FrozenClock) -> None:
    await owner(db, clock)
    made = await users.invite(
        db, email="g@example.com", name="Grace", grants=Grants(Grant(Role.AGENT)), made_by="Ada", now=clock()
    )
    token = (await users.accept(db, CHEAP, made.token, given="a harbour at dawn", came=HERE, now=clock())).token
    await users.disable(db, made.user, now=clock())
    assert await sign_in.find(db, token, HERE, now=clock()) is None
    with pytest.raises(Unauthenticated):
        await enter(db, clock, "a harbour at dawn", "g@example.com")
    await users.enable(db, made.user)
    assert await enter(db, clock, "a harbour at dawn", "g@example.com")


async def fresh(db: Database, user: User) -> User:
    async with db.connection() as conn:
        return await rows.get(conn, user.public_id)


async def test_a_second_factor_is_asked_for_and_each_code_works_once(db: Database, clock: FrozenClock) -> None:
    user = await owner(db, clock)
    offer = await second_factor.offer(db, SEAL, user)
    assert offer.picture.startswith("<svg")
    user = await fresh(db, user)
    assert (await second_factor.offer(db, SEAL, user)).secret == offer.secret
    totp = TOTP(offer.secret)
    with pytest.raises(Invalid):
        await second_factor.confirm(db, SEAL, user, "000000", now=clock())
    assert (await fresh(db, user)).totp_at is None
    codes = await second_factor.confirm(db, SEAL, user, totp.at(clock()), now=clock())
    assert len(set(codes)) == 10

    opened = await sign_in.by_password(db, CHEAP, user.email, PHRASE, HERE, now=clock())
    assert opened.half
    assert await sign_in.find(db, opened.token, HERE, now=clock()) is None
    with pytest.raises(Unauthenticated):  # it was used to confirm
        await sign_in.by_code(db, SEAL, opened.token, totp.at(clock()), HERE, now=clock())
    clock.advance(30)
    whole = await sign_in.by_code(db, SEAL, opened.token, totp.at(clock()), HERE, now=clock())
    assert await sign_in.find(db, whole.token, HERE, now=clock())
    with pytest.raises(NotFound):
        await sign_in.by_code(db, SEAL, opened.token, totp.at(clock()), HERE, now=clock())

    opened = await sign_in.by_password(db, CHEAP, user.email, PHRASE, HERE, now=clock())
    assert (await sign_in.by_code(db, SEAL, opened.token, codes[0].upper(), HERE, now=clock())).token
    opened = await sign_in.by_password(db, CHEAP, user.email, PHRASE, HERE, now=clock())
    with pytest.raises(Unauthenticated):
        await sign_in.by_code(db, SEAL, opened.token, codes[0], HERE, now=clock())
    clock.advance(601)
    with pytest.raises(NotFound):
        await sign_in.by_code(db, SEAL, opened.token, codes[1], HERE, now=clock())

    await second_factor.switch_off(db, await fresh(db, user))
    assert not (await sign_in.by_password(db, CHEAP, user.email, PHRASE, HERE, now=clock())).half


async def test_a_link_of_the_terminal_signs_in_once_and_soon(db: Database, clock: FrozenClock) -> None:
    user = await owner(db, clock)
    token = await users.sign_in_link(db, user, made_by="the terminal", now=clock())
    opened = await sign_in.by_link(db, token, HERE, now=clock())
    assert opened.user.user_id == user.user_id
    with pytest.raises(NotFound):
        await sign_in.by_link(db, token, HERE, now=clock())
    token = await users.sign_in_link(db, user, made_by="the terminal", now=clock())
    clock.advance(3601)
    with pytest.raises(NotFound):
        await sign_in.by_link(db, token, HERE, now=clock())
