"""What people write to us."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from itertools import groupby
from typing import TYPE_CHECKING

from heliograph.actions import opt_outs
from heliograph.carriers.base import MISSING
from heliograph.store import bell, replies, reply_parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.carriers.base import Reply
    from heliograph.store.database import Conn
    from heliograph.store.reply_parts import Joined

PATIENCE = timedelta(minutes=3)  # for the rest of a reply in parts, from the first of them that came


async def keep(conn: Conn, app_id: int, account_id: int, said: Sequence[Reply], *, now: datetime) -> int:
    """Keep what one carrier account brought, in its order, within the caller's transaction; answers what was new.

    Bringing the same again keeps nothing twice: not by the carrier's id, nor, where it gives none, by what it says.
    Whoever says no in one of them is not texted any more once that transaction is committed. Parts wait for
    :func:`join`.
    """
    parts = [
        reply_parts.NewPart(
            *_named(r), _storable(r.part.reference), r.part.total, r.part.number, _storable(r.text), r.at
        )
        for r in said
        if r.part is not None
    ]
    if parts:
        await reply_parts.add(conn, app_id, account_id, parts, now=now)
    whole = [replies.NewReply(*_named(r), _storable(r.text), r.at) for r in said if r.part is None]
    return await _add(conn, app_id, account_id, whole, now=now)


async def join(conn: Conn, app_id: int, account_id: int, *, now: datetime) -> int:
    """Keep the replies of an account whose parts are all there, or were waited for long enough; how many are new."""
    joined = await reply_parts.join(conn, app_id, account_id, before=now - PATIENCE, now=now)
    whole = [
        replies.NewReply(each.carrier_ref, each.number, each.address, _text(each), each.written_at) for each in joined
    ]
    return await _add(conn, app_id, account_id, whole, now=now)


async def _add(conn: Conn, app_id: int, account_id: int, rows: Sequence[replies.NewReply], *, now: datetime) -> int:
    if not rows:
        return 0
    new = await replies.add(conn, app_id, account_id, rows, now=now)
    if new:
        await opt_outs.heed(conn, app_id, new, now=now)
        await bell.ring(conn, bell.REPLIES)
    return len(new)


def _text(joined: Joined) -> str:
    """The parts in order, with a mark where some never came."""
    texts = dict(zip(reversed(joined.parts), reversed(joined.texts), strict=True))  # of a part that came twice, one
    runs = groupby(range(1, joined.total + 1), key=lambda part: part in texts)
    return "".join("".join(texts[part] for part in several) if there else MISSING for there, several in runs)


def _named(reply: Reply) -> tuple[str, str, str]:
    """Its ref, the person's number, and the address of ours."""
    return _storable(reply.ref) or _made_of(reply), _storable(reply.number), _storable(reply.to)


def _made_of(reply: Reply) -> str:
    """A ref for a reply whose carrier gives none: the same person's same words of the same moment are the same."""
    told = repr((reply.number, reply.to, reply.text, reply.at.isoformat(), *(reply.part or ())))
    return "made-" + blake2b(told.encode(errors="replace"), digest_size=16).hexdigest()


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="replace").decode()
