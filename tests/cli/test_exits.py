from __future__ import annotations

import re
from pathlib import Path

import pytest

from heliograph import errors
from heliograph.cli import exits

ROOT = Path(__file__).resolve().parents[2]


def classes(root: type = errors.HeliographError) -> list[type]:
    return [each for below in root.__subclasses__() for each in (below, *classes(below))]


def test_every_deliberate_error_has_an_exit_code_of_its_family() -> None:
    for each in classes():
        error = each("no", retry_after=1) if each is errors.RateLimited else each("no")
        assert exits.code_of(error) not in {exits.OK, exits.UNEXPECTED}, each


def test_every_exit_code_is_documented_and_no_other() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    part = text[text.index("## Exit codes") :].split("\n## ")[0]
    told = {int(code) for code in re.findall(r"^\| ([0-9]+) \|", part, re.MULTILINE)}
    assert told == {exits.OK, exits.UNEXPECTED, *exits.CODES.values(), exits.INTERRUPTED, exits.TERMINATED}


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (errors.DataTooNew("The data is\nnewer."), 6, "heliograph: The data is newer.\n"),
        (errors.IllegalMove("Not now"), 4, "heliograph: Not now\n"),
        (KeyError("x"), 1, "heliograph: Unexpected KeyError: 'x' (HELIOGRAPH_LOG_LEVEL=debug shows where)\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_ends_as_one_sentence_and_its_code(
    error: BaseException, code: int, sentence: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as end:
        exits.end_with(fail)
    assert (end.value.code, capfd.readouterr().err) == (code, sentence)
