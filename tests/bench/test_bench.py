"""The benches run, and nothing they try breaks a promise. Their times are nobody's business here.

Those that take long even when quick are left to ``make bench``: imports, previews, replies, memory, pacing, ten
millions and the race of STOPs, each of which has tests of its own.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("rules", "sending", "receipts", "delete", "smpp", "webhooks", "barrier", "workers", "purge")


def test_a_quick_bench_runs_and_finds_no_violation() -> None:
    command = [sys.executable, "-m", "tests.bench", *SHORT, "--quick"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The barrier: 0 violations" in done.stdout
