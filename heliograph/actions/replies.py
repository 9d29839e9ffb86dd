"""What people write to us."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from heliograph.actions import opt_outs
from heliograph.store import bell, replies

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from heliograph.carriers.base import Reply
    from heliograph.store.database import Conn


async def keep(conn: Conn, app_id: int, account_id: int, said: Sequence[Reply], *, now: datetime) -> int:
    """Keep what one carrier account brought, in its order, within the caller's transaction; answers what was new.

    Bringing the same again keeps nothing twice: not by the carrier's id, nor, where it gives none, by what it says.
    Whoever says no in one of them is not texted any more once that transaction is committed.
    """
    rows = [
        replies.NewReply(_storable(r.ref) or _made_of(r), _storable(r.number), _storable(r.to), _storable(r.text), r.at)
        for r in said
    ]
    new = await replies.add(conn, app_id, account_id, rows, now=now)
    if new:
        await opt_outs.heed(conn, app_id, new, now=now)
        await bell.ring(conn, bell.REPLIES)
    return len(new)


def _made_of(reply: Reply) -> str:
    """A ref for a reply whose carrier gives none: the same person's same words of the same moment are the same."""
    told = repr((reply.number, reply.to, reply.text, reply.at.isoformat()))
    return "made-" + blake2b(told.encode(errors="replace"), digest_size=16).hexdigest()


def _storable(text: str) -> str:
    """The text without what PostgreSQL cannot hold: NUL and halves of surrogate pairs."""
    return text.replace("\0", "").encode(errors="replace").decode()
