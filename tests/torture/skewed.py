"""``heliograph work`` with a clock that is wrong by as many seconds as a file says, read anew each time.

What PostgreSQL's clock shows is untouched: so this worker is at odds with it, with the API and with other workers.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from heliograph import config
from heliograph.cli import logs
from heliograph.engine.worker import Worker
from heliograph.store.database import Database

if TYPE_CHECKING:
    from datetime import datetime


async def work(skew: Path, data: Path) -> None:
    """Work until killed."""

    def clock() -> datetime:
        return config.utc_now() + timedelta(seconds=float(skew.read_text()))

    settings = config.read(data=data)
    db = await Database.open(settings)
    try:
        await Worker(settings, db, clock).run()
    finally:
        await db.close()


if __name__ == "__main__":
    logs.start("worker", "warning")
    asyncio.run(work(Path(sys.argv[1]), Path(sys.argv[3])))
