"""One text and one question to a mock that was made of a carrier's own description: docs/testing-carriers.md.

``python -m tests.carriers.against_mock KIND URL``: KIND is an entry of ``http_far.FARS``, URL where the mock listens.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from heliograph.carriers import registry
from heliograph.carriers.base import Accepted, Asks, Sought
from heliograph.carriers.http import HttpLine
from tests.carriers.contract import Ear, answers, texts
from tests.carriers.hooks import URL
from tests.carriers.http_far import FARS


async def main(name: str, url: str) -> None:
    far = next(far for far in FARS if far.name == name)
    told = {**far.settings, "url": url}
    line = await registry.open_carrier(far.kind, told, listener=Ear(), name="mock", transcript=Path(), webhook_url=URL)
    assert isinstance(line, HttpLine)
    handed = texts()
    outcomes = await answers(await line.submit(handed))
    for outcome in outcomes:
        sys.stdout.write(f"{outcome}\n")
    if isinstance(line, Asks):
        known = [outcome.ref if isinstance(outcome, Accepted) else None for outcome in outcomes]
        asked = [
            Sought(text.message_id, ref, text.sender, text.to, datetime.now(UTC))
            for text, ref in zip(handed, (known[0], None), strict=False)
        ]
        for finding in await line.ask(asked):
            sys.stdout.write(f"{finding}\n")
    await line.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
