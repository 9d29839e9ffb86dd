"""Through whom texts from a caller id go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.actions import panics
from heliograph.errors import Conflict
from heliograph.rules import pool as pool_law
from heliograph.rules import sender_body
from heliograph.store import pools, senders
from heliograph.store.runs import Route

if TYPE_CHECKING:
    from heliograph.store.database import Conn


async def find(conn: Conn, app_id: int, caller_id: str, *, field: str) -> Route:
    """The route of a caller id; none of its senders goes away before this transaction ends.

    ``pool:<name>`` goes through all of that pool, anything else through the sender with that address or, if there
    is none, the one with the address ``*``. Raises Conflict, naming ``field``, when there is neither, and when the
    panic button holds all of them.
    """
    name = sender_body.pool_name(caller_id)
    if name is None:
        sender = await senders.resolve(conn, app_id, caller_id)
        if sender is None:
            text = (
                f"No sender of this app serves the caller id {caller_id}: "
                "add a sender with that address, or one with the address *"
            )
            raise Conflict(text, field=field)
        await panics.check(conn, app_id, [sender.sender_id], field=field)
        return Route((sender.sender_id,))
    pool = await pools.keep(conn, app_id, name)
    if pool is None:
        text = f"There is no sender pool {name} in this app, which the caller id {caller_id} asks for"
        raise Conflict(text, field=field)
    await panics.check(conn, app_id, pool.sender_ids, field=field)
    return Route(tuple(pool.sender_ids), tuple(pool.weights), pool.pool_id)


async def look(conn: Conn, app_id: int, caller_id: str) -> tuple[int, ...]:
    """The senders that a run with this caller id would go through now; none where nothing serves it."""
    name = sender_body.pool_name(caller_id)
    if name is None:
        sender = await senders.resolve(conn, app_id, caller_id)
        return () if sender is None else (sender.sender_id,)
    pool = await pools.find(conn, app_id, name)
    return () if pool is None else tuple(pool.sender_ids)


async def narrow(conn: Conn, app_id: int, route: Route, number: str) -> Route:
    """The one sender of a route for ``number``: of a pool, the one that this person has had, or has from now on.

    Raises Conflict when the panic button holds that one.
    """
    if route.pool_id is None:
        return route
    chosen = pool_law.pick(route.pool_id, dict(zip(route.sender_ids, route.weights, strict=True)), number)
    kept = await pools.stick(conn, app_id, route.pool_id, {number: chosen}, route.sender_ids)
    await panics.check(conn, app_id, [kept[number]])
    return Route((kept[number],))
