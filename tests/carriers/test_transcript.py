"""The transcript is evidence: whole lines, at once, whoever writes and whatever happens to the file."""

from __future__ import annotations

import fcntl
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heliograph.carriers import registry
from heliograph.carriers.base import Accepted, Carrier, Lost, Text
from heliograph.carriers.transcript import Transcript
from heliograph.errors import CarrierDown
from tests.carriers.contract import SENDER, Ear
from tests.carriers.sandbox_rig import lines

pytestmark = pytest.mark.anyio

TO = "+15555550123"
REF = "sb-1"
ODD = 'Señora "Ñ" \\ 🙂 tab\t line\n next\u2028 nel\x85 half \ud83d'

WRITER = """
import sys
from pathlib import Path
from heliograph.carriers.base import Text
from heliograph.carriers.transcript import Transcript
transcript = Transcript(Path(sys.argv[1]))
for call in range(200):
    who = f"{sys.argv[2]}-{call}"
    texts = [Text(f"{who}-{n}", "+15555550100", "+15555550123", who * 9, 1) for n in range(20)]
    transcript.append(texts, [text.message_id for text in texts])
"""


def text(message_id: str = "msg-1", words: str = "Hello", **labels: str) -> Text:
    return Text(message_id, SENDER, TO, words, 2, labels)


async def opened(path: Path) -> Carrier:
    return await registry.open_carrier("sandbox", {}, listener=Ear(), name="test", transcript=path)


async def test_a_line_has_these_keys_in_this_order_and_the_time_of_the_submission(tmp_path: Path) -> None:
    path = tmp_path / "not" / "there" / "yet.jsonl"
    carrier = await opened(path)
    before = time.time()
    answers = await carrier.submit([text(words=ODD, campaignId="cd-1", runId="cid-1"), text("msg-2")])
    after = time.time()
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    await carrier.close()
    at = first.pop("at")
    assert before - 1e-6 <= at <= after + 1e-6
    assert list(first) == ["campaignId", "runId", "messageId", "from", "to", "text", "parts", "ref"]
    assert list(first.values())[:-1] == ["cd-1", "cid-1", "msg-1", SENDER, TO, ODD, 2]
    assert [Accepted(first["ref"]), Accepted(second["ref"])] == [await answer for answer in answers]
    assert (second["at"], second["campaignId"], second["runId"]) == (at, "", "")
    assert path.stat().st_mode & 0o077 == 0, "numbers and texts are their owner's to read"


def test_lines_of_several_processes_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b", "c")]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert "\n\n" not in path.read_text()
    found = lines(path)
    expected = {f"{who}-{call}-{n}" for who in "abc" for call in range(200) for n in range(20)}
    assert len(found) == len(expected)
    assert {line["messageId"] for line in found} == expected


def test_a_file_that_was_removed_or_rotated_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    transcript = Transcript(path)
    transcript.append([text("msg-1")], [REF])
    path.rename(tmp_path / "transcript.1")
    transcript.append([text("msg-2")], [REF])
    path.unlink()
    transcript.append([text("msg-3")], [REF])
    transcript.close()
    assert [line["messageId"] for line in lines(tmp_path / "transcript.1")] == ["msg-1"]
    assert [line["messageId"] for line in lines(path)] == ["msg-3"]


def test_a_line_that_a_killed_process_left_unfinished_is_ended(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    unfinished = '{"at": 1.000000, "campaignId": "cd'
    path.write_text(unfinished)
    transcript = Transcript(path)
    transcript.append([text()], [REF])
    with path.open("a") as other:
        other.write(unfinished)
    transcript.append([text("msg-2")], [REF])
    transcript.append([text("msg-3")], [REF])
    transcript.close()
    found = path.read_text().splitlines()
    assert [line for line in found if line == unfinished] == [unfinished] * 2
    assert [json.loads(line)["messageId"] for line in found if line != unfinished] == ["msg-1", "msg-2", "msg-3"]


async def test_a_transcript_that_cannot_be_written_is_a_line_that_is_down(tmp_path: Path) -> None:
    for path in (Path("/dev/full"), tmp_path):
        carrier = await opened(path)
        with pytest.raises(CarrierDown, match=str(path)):
            await carrier.submit([text()])
        await carrier.close()


async def test_texts_of_a_call_that_was_cut_short_are_lost(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    carrier = await opened(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (400, hard))
    try:
        futures = await carrier.submit([text(f"msg-{n}") for n in range(5)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert all(isinstance(future.result(), Lost) for future in futures)
    assert path.stat().st_size == 400
    await carrier.submit([text("msg-after")])
    await carrier.close()
    assert json.loads(path.read_text().splitlines()[-1])["messageId"] == "msg-after"


def test_a_process_frozen_with_the_file_in_its_hands_stops_nobody(tmp_path: Path) -> None:
    path = tmp_path / "transcript.jsonl"
    with path.open("a") as frozen:
        fcntl.flock(frozen, fcntl.LOCK_EX)
        transcript = Transcript(path)
        transcript.append([text()], [REF])
        transcript.close()
    assert [line["messageId"] for line in lines(path)] == ["msg-1"]
