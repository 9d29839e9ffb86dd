"""How a command ends: which exit code an error becomes. ``docs/operations.md`` lists them, held to it by a test."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from heliograph import errors
from heliograph.config import PREFIX

OK = 0
UNEXPECTED = 1
INTERRUPTED = 130
TERMINATED = 143

# Looked up along the class's ancestors, so that a new error has its parent's code until it gets a line.
CODES: dict[type, int] = {
    errors.Invalid: 2,
    errors.BadSetting: 2,
    errors.NotFound: 3,
    errors.Conflict: 4,
    errors.Unauthenticated: 5,
    errors.Forbidden: 5,
    errors.StoreUnavailable: 6,
    errors.CarrierDown: 7,
    errors.RateLimited: 8,
    errors.Stopping: 8,
}


def code_of(error: errors.HeliographError) -> int:
    """The exit code of a deliberate error."""
    return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), UNEXPECTED)


def end_with(command: Callable[[], object]) -> None:
    """Run a command to its exit code: a deliberate error is a sentence on stderr, and so is any other."""
    terminated = False

    def terminate(_signal: int, _frame: object) -> None:
        nonlocal terminated
        terminated = True
        signal.raise_signal(signal.SIGINT)  # which asyncio turns into an orderly cancellation

    signal.signal(signal.SIGTERM, terminate)
    try:
        command()
    except errors.HeliographError as error:
        _end(code_of(error), error.message)
    except KeyboardInterrupt:
        sys.exit(TERMINATED if terminated else INTERRUPTED)
    except SystemExit as end:
        if end.code == INTERRUPTED and terminated:
            sys.exit(TERMINATED)
        raise
    except Exception as error:  # noqa: BLE001  # the last resort: a sentence, never a traceback
        if os.environ.get(f"{PREFIX}LOG_LEVEL", "").lower() == "debug":
            traceback.print_exc()
        text = f"Unexpected {type(error).__name__}: {error}".rstrip(": ")
        _end(UNEXPECTED, f"{text} ({PREFIX}LOG_LEVEL=debug shows where)")


def _end(code: int, sentence: str) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.write(f"heliograph: {' '.join(sentence.split())}\n")
    sys.exit(code)
