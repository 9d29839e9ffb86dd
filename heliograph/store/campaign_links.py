"""Which contact lists and which DNC list a campaign stands on, and the other way round."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from heliograph.store.database import Conn

LINK_LISTS = """
WITH unlinked AS (
    DELETE FROM campaign_list
    WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s AND position > cardinality(%(list_ids)s::int[])
)
INSERT INTO campaign_list (app_id, campaign_id, position, list_id)
SELECT %(app_id)s, %(campaign_id)s, l.position, l.list_id
FROM unnest(%(list_ids)s::int[]) WITH ORDINALITY AS l (list_id, position)
ON CONFLICT (app_id, campaign_id, position) DO UPDATE SET list_id = excluded.list_id
"""


async def link_lists(conn: Conn, app_id: int, campaign_id: int, list_ids: Sequence[int]) -> None:
    """Make these the campaign's contact lists, in this order, in place of any it had."""
    await conn.execute(LINK_LISTS, {"app_id": app_id, "campaign_id": campaign_id, "list_ids": list(list_ids)})


# KEY SHARE is the weakest lock that whoever deletes a list (FOR UPDATE) has to wait for, and that whoever
# adds contacts to it does not: a list cannot vanish between being found here and being linked.
LISTS_TO_LINK = """
SELECT lname, list_id FROM contact_list
WHERE app_id = %(app_id)s AND kind = %(kind)s AND lname = ANY(%(lnames)s) AND deleted_at IS NULL
ORDER BY list_id
FOR KEY SHARE
"""


async def lists_to_link(conn: Conn, app_id: int, kind: str, lnames: Sequence[str]) -> dict[str, int]:
    """Internal ids by lower-case name of those lists that exist; they stay until this transaction ends.

    ``kind`` is ``call`` (people to text) or ``dnc`` (people never to text).
    """
    values = {"app_id": app_id, "kind": kind, "lnames": list(lnames)}
    rows = await (await conn.execute(LISTS_TO_LINK, values)).fetchall()
    return {str(row[0]): int(row[1]) for row in rows}


USING = """
SELECT u.list_id, c.public_id, c.name
FROM campaign c JOIN (
    SELECT x.campaign_id, x.list_id FROM campaign_list x
    WHERE x.app_id = %(app_id)s AND x.list_id = ANY(%(list_ids)s)
    UNION
    SELECT k.campaign_id, k.dnc_list_id FROM campaign k
    WHERE k.app_id = %(app_id)s AND k.dnc_list_id = ANY(%(list_ids)s)
) u ON u.campaign_id = c.campaign_id
WHERE c.app_id = %(app_id)s AND c.deleted_at IS NULL
ORDER BY c.campaign_id
"""


async def using(conn: Conn, app_id: int, list_ids: Sequence[int]) -> dict[int, list[tuple[str, str]]]:
    """Which campaigns use which of these lists, as audience or as DNC list: public id and name of each."""
    rows = await (await conn.execute(USING, {"app_id": app_id, "list_ids": list(list_ids)})).fetchall()
    found: dict[int, list[tuple[str, str]]] = {}
    for list_id, public_id, name in rows:
        found.setdefault(int(list_id), []).append((str(public_id), str(name)))
    return found
