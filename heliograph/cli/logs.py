"""What a long-running process says about itself: one event a line on stderr, key=value."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from typing import Any

from heliograph.errors import BadSetting

LEVELS = ("debug", "info", "warning", "error")
LOUD = ("uvicorn", "asyncio", "psycopg.pool", "python_multipart")  # below warning they tell what nobody asked


class OneLine(logging.Formatter):
    """``2026-03-02T06:00:00.123Z level=info process=worker pid=42 from=engine.worker store_unavailable error=...``."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever is in the message; a traceback is kept as one quoted value."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        head = f"{at}.{int(record.msecs):03d}Z level={record.levelname.lower()} process={self._process}"
        name = record.name.removeprefix("heliograph.")
        line = f"{head} pid={os.getpid()} from={name} {' '.join(record.getMessage().split())}"
        if record.exc_info:
            line += f" trace={json.dumps(self.formatException(record.exc_info), ensure_ascii=False)}"
        return line


def start(process: str, level: str) -> None:
    """Log to stderr from now on. Raises :class:`BadSetting` for a level there is not."""
    if level.lower() not in LEVELS:
        text = f"HELIOGRAPH_LOG_LEVEL is {level!r}. It takes one of: {', '.join(LEVELS)}"
        raise BadSetting(text, field="HELIOGRAPH_LOG_LEVEL")
    handler: logging.StreamHandler[Any] = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in LOUD:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
