"""SMPP under the carrier contract: its far side is our simulator, in the same process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from heliograph.carriers import registry
from heliograph.carriers.base import Carrier
from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from tests.carriers.contract import SECRET, Answer, Can, DeafEar, Ear, Later, Script
from tests.carriers.sandbox_rig import ANSWERS, LATER

HOST = "127.0.0.1"
SETTINGS: dict[str, object] = {
    "host": HOST,
    "system_id": "heliograph",
    "password": SECRET,
    "answer_timeout_s": 0.4,
    "connect_timeout_s": 30,
    "reconnect_s": [0.02, 0.1],
}


def taken(path: Path) -> list[tuple[str, str]]:
    """What the simulator took, as its transcript at ``path`` has it: (number, text)."""
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    # The contract speaks of texts that reached the far side: refused ones did, throttled ones did not.
    return [(line["to"], line["text"]) for line in lines if line["status"] != 0x58]


class SmppRig:
    name = "smpp"
    lacks: Mapping[Can, str] = {}

    def __init__(self) -> None:
        self._record = Path()
        self._centres: list[Centre] = []

    async def open(self, script: Script, listener: Ear | DeafEar, folder: Path) -> Carrier:
        self._record = folder / "smsc.jsonl"
        numbers = {**script.answers, **script.later}
        behaviour: dict[str, object] = {
            "receipt_ms": [10, 60],
            "receipt_lost": 1,
            "throttle_per_second": script.parts_per_second,
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
        cuts = [number for number, answer in script.answers.items() if answer is Answer.CUTS]
        wanted = "another" if script.refuses_us else SECRET
        centre = Centre(scripts.read({"password": wanted, "behaviour": behaviour, "cuts": cuts}), self._record)
        self._centres.append(centre)
        port = await centre.listen(HOST, 0)
        if script.down:
            await centre.close()
        settings = SETTINGS | {"port": port}
        return await registry.open_carrier("smpp", settings, listener=listener, name="rig", transcript=self._record)

    def record(self) -> list[tuple[str, str]]:
        return taken(self._record)

    async def close(self) -> None:
        for centre in self._centres:
            await centre.close()
