"""A flow as a file: JSON or YAML read into an object, each fault with its line; and written for people to read.

Of YAML only what JSON has is understood: objects, lists, text, numbers, true, false and null. A word is a number only
where it would be one in JSON, so ``yes``, ``no``, ``on``, ``09:00`` and ``+12025550100`` stay the words they are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import yaml

from heliograph.errors import Invalid
from heliograph.rules import body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LONGEST = 2_000_000  # characters
MOST_VALUES = 100_000  # values in it, those that an alias repeats counted each time
DEEPEST = 32
WIDTH = 110

_LIBRARY = cast("Any", yaml)  # it brings no types
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?([eE][-+]?[0-9]{1,3})?").fullmatch
_WORDS: dict[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}
_PLAIN_TAGS = {None, "!", *(f"tag:yaml.org,2002:{kind}" for kind in ("str", "map", "seq"))}


def parse(text: str) -> object:
    """The object that ``text`` describes: JSON when it begins with a brace or a bracket, else YAML.

    Raises :class:`Invalid` with the line and column of the first fault: no JSON or YAML, a key that is there twice,
    a tag, an alias of itself, more values, levels or characters than a flow needs.
    """
    if len(text) > LONGEST:
        raise Invalid(f"The text has {len(text)} characters. A flow takes at most {LONGEST}")
    text = text.removeprefix("\ufeff")
    return _json(text) if text.lstrip()[:1] in {"{", "["} else _yaml(text)


def to_json(document: object) -> str:
    """``document`` as JSON, two blanks a level, its keys in their order, ended by a line feed."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def to_yaml(document: Mapping[str, object]) -> str:
    """``document`` as YAML that :func:`parse` reads as the same again. Its keys stay in their order."""
    return _LIBRARY.dump(document, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=WIDTH)


# ---------------------------------------------------------------- JSON


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        raise Invalid(f"Line {error.lineno}, column {error.colno}: this is no JSON: {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise Invalid(f"This is nested deeper, or has a longer number, than a flow needs: {error}") from error


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise Invalid(f"The key {body.shown(key)} is there twice in one object. Each may be there once")
        found[key] = value
    return found


# ---------------------------------------------------------------- YAML


@dataclass(slots=True)
class _Open:
    """An object or a list whose end has not come yet. ``size``: the values in it so far, its own one with them."""

    value: dict[str, object] | list[object]
    anchor: str | None
    size: int = 1
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    """What has been read so far. Events are walked, not nodes: nothing recurses, so nothing is too deep to refuse."""

    open: list[_Open] = field(default_factory=list["_Open"])
    known: dict[str, tuple[object, int]] = field(default_factory=dict[str, tuple[object, int]])
    values: int = 0
    documents: int = 0
    result: object = None

    def begin(self, value: dict[str, object] | list[object], event: Any) -> None:  # noqa: ANN401  # one of PyYAML's
        """An object or a list begins."""
        _untagged(event)
        if len(self.open) >= DEEPEST:
            raise _fault(event, f"This is nested more than {DEEPEST} levels deep")
        self.open.append(_Open(value, event.anchor))

    def end(self, event: Any) -> None:  # noqa: ANN401  # as above
        """What began last has ended."""
        ended = self.open.pop()
        self.put(ended.value, ended.size, ended.anchor, event)

    def put(self, value: Any, size: int, anchor: str | None, event: Any) -> None:  # noqa: ANN401  # as above
        """``value`` where it belongs: into what is open around it, or as the whole."""
        if anchor is not None:
            self.known[anchor] = (value, size)
        self.values += size if isinstance(event, yaml.AliasEvent) else 1  # what is inside has counted itself
        if self.values > MOST_VALUES:
            raise _fault(event, f"There are more than {MOST_VALUES} values by here, which no flow needs")
        if not self.open:
            self.result = value
            return
        around = self.open[-1]
        inside = around.value
        around.size += size
        if isinstance(inside, list):
            inside.append(value)
        elif around.key is None:
            around.key = self._key(inside, value, event)
        else:
            inside[around.key] = value
            around.key = None

    def _key(self, inside: dict[str, object], key: object, event: Any) -> str:  # noqa: ANN401  # as above
        if not isinstance(key, str):
            raise _fault(event, "A key is a word, not a list or an object")
        if key == "<<":
            raise _fault(event, "Merging by << is not understood. Write the keys out")
        if key in inside:
            raise _fault(event, f"The key {body.shown(key)} is there twice in one object. Each may be there once")
        return key

    @property
    def wants_key(self) -> bool:
        """Whether what comes next is a key, which is a word whatever it looks like."""
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.open[-1].key is None


def _yaml(text: str) -> object:
    built = _Builder()
    try:
        for event in _events(text):
            _take(built, event)
    except yaml.MarkedYAMLError as error:
        mark = cast("Any", error).problem_mark
        place = f"Line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise Invalid(f"{place}this is no YAML: {cast('Any', error).problem or error}") from error
    except yaml.YAMLError as error:
        raise Invalid(f"This is no YAML: {error}") from error
    return built.result


def _events(text: str) -> Iterator[Any]:
    """What libyaml (where it was built in: the wheels have it) sees in the text, in order."""
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    return cast("Iterator[Any]", _LIBRARY.parse(text, Loader=loader))


def _take(built: _Builder, event: Any) -> None:  # noqa: ANN401  # as above
    match event:
        case yaml.DocumentStartEvent():
            built.documents += 1
            if built.documents > 1:
                raise _fault(event, "A second document begins here. A file has one flow, or flows in a list")
        case yaml.MappingStartEvent():
            built.begin({}, event)
        case yaml.SequenceStartEvent():
            built.begin([], event)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            built.end(event)
        case yaml.AliasEvent():
            anchored = cast("Any", event).anchor
            if anchored not in built.known:
                raise _fault(event, f"*{anchored} stands for nothing that ended before")
            value, size = built.known[anchored]
            built.put(value, size, None, event)
        case yaml.ScalarEvent():
            _untagged(event)
            said = cast("Any", event)
            plain = not said.style and not built.wants_key
            built.put(_scalar(said.value) if plain else said.value, 1, said.anchor, event)
        case _:
            pass


def _scalar(word: str) -> object:
    """What a word without quotes is."""
    if word in _WORDS:
        return _WORDS[word]
    number = _NUMBER(word)
    if number is None:
        return word
    return float(word) if number[1] or number[2] else int(word)


def _untagged(event: Any) -> None:  # noqa: ANN401  # as above
    if event.tag not in _PLAIN_TAGS:
        raise _fault(event, f"The tag {event.tag} is not understood. Write the value without a tag")


def _fault(event: Any, words: str) -> Invalid:  # noqa: ANN401  # as above
    mark = event.start_mark
    return Invalid(f"Line {mark.line + 1}, column {mark.column + 1}: {words}")


class _Writer(yaml.SafeDumper):
    """YAML without aliases, lists of short words in one line, texts of several lines as they are read."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002  # the library asks it so
        """Never point back: what is there twice is written twice."""
        return True


def _write_text(writer: _Writer, value: str) -> yaml.Node:
    style = "'" if _scalar(value) is not value else None  # a word that would be read as a number
    if "\n" in value and value.strip() == value:
        style = "|"
    return cast("Any", writer).represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _write_list(writer: _Writer, value: list[object]) -> yaml.Node:
    short = all(not isinstance(each, dict | list) for each in value) and len(str(value)) < WIDTH
    return writer.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=short)


_Writer.add_representer(str, _write_text)
_Writer.add_representer(list, _write_list)
