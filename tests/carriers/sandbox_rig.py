"""The sandbox under the carrier contract: its far side is its own settings, its record the transcript."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from heliograph.carriers import registry
from heliograph.carriers.base import Carrier
from tests.carriers.contract import SECRET, WRITTEN, Answer, Can, DeafEar, Ear, Later, Script

ANSWERS: dict[Answer, dict[str, object]] = {
    Answer.TAKES: {},
    Answer.REFUSES: {"refuse": 1},
    Answer.REFUSES_FOR_NOW: {"temporary": 1},
    Answer.IS_SILENT: {"lost_answer": 1},
    Answer.CUTS: {"lost_answer": 1},
}

LATER: dict[Later, dict[str, object]] = {
    Later.NOTHING: {"receipt_lost": 1},
    Later.DELIVERED: {},
    Later.FAILED: {"receipt_failed": 1},
    Later.TWICE: {"receipt_duplicate": 1},
    Later.STALE: {"receipt_out_of_order": 1},
    Later.EARLY: {"receipt_early": 1, "latency_ms": [60, 60]},
    Later.REPLIES: {"receipt_lost": 1, "reply": 1, "reply_text": WRITTEN, "reply_ms": [10, 60]},
}


def lines(path: Path) -> list[dict[str, object]]:
    """The transcript at ``path``, read."""
    return [json.loads(line) for line in path.read_text().split("\n") if line] if path.exists() else []


class SandboxRig:
    name = "sandbox"
    lacks: Mapping[Can, str] = {Can.ASK: "the sandbox forgets a text with its answer"}

    def __init__(self) -> None:
        self._transcript = Path()

    async def open(self, script: Script, listener: Ear | DeafEar, folder: Path) -> Carrier:
        numbers = {**script.answers, **script.later}
        settings: dict[str, object] = {
            "answer_timeout_s": 0.1,
            "receipt_ms": [10, 60],
            "receipt_lost": 1,
            "throttle_per_second": script.parts_per_second,
            "down": int(script.down),
            "lets_in": not script.refuses_us,
            "password": SECRET,
            "patterns": [
                {
                    "match": number,
                    "receipt_lost": 0,
                    **ANSWERS[script.answers.get(number, Answer.TAKES)],
                    **LATER[script.later.get(number, Later.NOTHING)],
                }
                for number in numbers
            ],
        }
        self._transcript = folder / "sandbox" / "transcript.jsonl"
        return await registry.open_carrier(
            "sandbox", settings, listener=listener, name="rig", transcript=self._transcript
        )

    def record(self) -> list[tuple[str, str]]:
        return [(str(line["to"]), str(line["text"])) for line in lines(self._transcript)]

    async def close(self) -> None:
        """The sandbox has no far side of its own to end."""
