"""What sessions do besides talking: columns of contacts, lists, a no or a yes, a conversation handed to a person."""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from typing import TYPE_CHECKING

from heliograph.actions import contacts as adding
from heliograph.actions import inbox, webhooks
from heliograph.errors import HeliographError, StoreUnavailable
from heliograph.rules import optout_settings, template
from heliograph.rules.flow import acts
from heliograph.store import app_settings, apps, consents, contact_fields, contacts, lists, locks, opt_outs
from heliograph.store.consents import NewConsent
from heliograph.store.contacts import NewContact
from heliograph.store.opt_outs import OptOut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from heliograph.actions.talks import Talk
    from heliograph.store.apps import App
    from heliograph.store.database import Conn

log = logging.getLogger(__name__)

Fields = dict[contact_fields.Place, dict[str, object]]
"""The columns of contacts, by contact; changed in place."""


async def change(
    conn: Conn, app_id: int, talks: Sequence[Talk], fields: Fields, *, lists_too: bool, now: datetime
) -> None:
    """Change columns, lists and consent as the acts of ``talks`` ask; who is kept from a list has it as ``todo``.

    ``lists_too``: False leaves all lists to the next look at the session, as somebody waits for an answer now.
    """
    changed: dict[contact_fields.Place, set[str]] = defaultdict(set)
    consenting: list[tuple[Talk, acts.ChangeConsent]] = []
    for talk in talks:
        place = talk.list_id, talk.contact_seq
        for act in talk.acts:
            if isinstance(act, acts.SetField) and place in fields:
                changed[place].add(_set(fields[place], act.name, act.value))
            elif isinstance(act, acts.ChangeConsent):
                consenting.append((talk, act))
    await _put_fields(conn, app_id, fields, changed, now=now)
    if consenting:
        await _consent(conn, app_id, consenting, now=now)
    for talk in talks:
        for act in [act for act in talk.acts if isinstance(act, acts.ChangeList)]:
            known = fields.get((talk.list_id, talk.contact_seq), {})
            if not lists_too or not await _change_list(conn, app_id, talk, act, known, now=now):
                talk.todo.append(act)
                talk.changed = True


async def hand_over(conn: Conn, app_id: int, talks: Sequence[Talk], *, now: datetime) -> None:
    """Give to people what the acts of ``talks``, which have rows, give them."""
    handed = [
        inbox.HandOver(talk.number, talk.address, talk.session_id, act.note, act.team)
        for talk in talks
        for act in talk.acts
        if isinstance(act, acts.Hand)
    ]
    await inbox.hand_over(conn, app_id, handed, now=now)


async def _put_fields(
    conn: Conn, app_id: int, fields: Fields, changed: Mapping[contact_fields.Place, set[str]], *, now: datetime
) -> None:
    if not changed:
        return
    put = {place: json.dumps(fields[place], ensure_ascii=False) for place in changed}
    await contact_fields.put(conn, app_id, put, now=now)
    names: dict[int, set[str]] = defaultdict(set)
    for (list_id, _), new in changed.items():
        names[list_id] |= new
    for list_id, new in sorted(names.items()):
        await contact_fields.add_columns(conn, app_id, list_id, sorted(new))


def _set(columns: dict[str, object], name: str, value: str) -> str:
    """Set a column, by whichever of its names it has; that name."""
    wanted = template.key(name)
    found = next((column for column in columns if template.key(column) == wanted), name)
    columns[found] = value
    return found


async def _consent(conn: Conn, app_id: int, given: Sequence[tuple[Talk, acts.ChangeConsent]], *, now: datetime) -> None:
    """Take a no or a yes that a flow has made out, with what the person wrote as its evidence."""
    settings = optout_settings.read((await app_settings.get(conn, app_id)).opt_out)
    evidence = [
        NewConsent(
            talk.number, "opt_out" if act.out else "opt_in", "reply", now,
            how="flow", word=talk.session.node or "", text=talk.session.answer, address=talk.address,
        )
        for talk, act in given
    ]  # fmt: skip
    await consents.add(conn, app_id, evidence, now=now)
    scope = [(talk.number, talk.address_key if settings.per_sender else "", act.out) for talk, act in given]
    yes = sorted({(number, key) for number, key, out in scope if not out})
    if yes:
        await opt_outs.lift(conn, app_id, yes, sources=settings.lifts)
    no = [OptOut(number, key, "no", "reply", "flow", now) for number, key, out in scope if out]
    if no:
        await opt_outs.put(conn, app_id, no)
        await webhooks.opted_out(conn, app_id, no, now=now)


async def _change_list(
    conn: Conn, app_id: int, talk: Talk, act: acts.ChangeList, fields: Mapping[str, object], *, now: datetime
) -> bool:
    """Put a person on a list or take them off it; False while somebody else fills that list.

    A list that there is not is nothing to wait for: the log says so.
    """
    target = await lists.find(conn, app_id, act.list)
    if target is None:
        log.warning("no_list app=%s list=%r", app_id, act.list)
        return True
    if not await locks.try_hold(conn, locks.Kind.LIST_WRITER, target.list_id):
        return False
    app: App = await apps.of_id(conn, app_id)
    try:
        if act.add:
            kept = dict(fields) or {"phoneNumber": talk.number}
            person = NewContact(talk.number, None, None, json.dumps(kept, ensure_ascii=False))
            if not await contacts.find_numbers(conn, app_id, target.list_id, [talk.number]):
                await adding.append(conn, app, target.public_id, [person], list(kept), now=now)
        else:
            while (seq := await contacts.find_other(conn, app_id, target.list_id, talk.number, seq=0)) is not None:
                await contacts.remove(conn, app_id, target.list_id, seq)
                await lists.shrink(conn, app_id, target.list_id, removed=1, now=now)
    except StoreUnavailable:
        raise
    except HeliographError as error:  # the account keeps as many contacts as it may
        log.warning("list_not_changed app=%s list=%s error=%s", app_id, target.public_id, error)
    return True
