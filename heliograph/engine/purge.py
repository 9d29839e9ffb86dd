"""Clearing up: after deleted campaigns, a sweep over what is not yet cleared, in small steps; and answers kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.store import answers, purges, sessions

if TYPE_CHECKING:
    from heliograph.config import Clock
    from heliograph.store.database import Database


async def purge(db: Database, clock: Clock) -> int:
    """Remove the unsent rows of every deleted campaign, and answers of yesterday; how many people were removed.

    Safe to cut off anywhere and to begin again: what is left to do is read from the tables.
    """
    removed = 0
    async with db.connection() as conn:
        while await sessions.close_ended(conn):
            pass
        await answers.discard(conn, before=clock() - answers.KEPT)
        waiting = await purges.list_deleted(conn)
        for campaign in waiting:
            await purges.unmark(conn, campaign.app_id, campaign.campaign_id)
            while True:
                closed, people = await purges.purge_step(conn, campaign.app_id, campaign.campaign_id)
                removed += people
                if not closed:
                    break
            await purges.mark_purged(conn, campaign.app_id, campaign.campaign_id, now=clock())
    return removed
