"""The form of each kind of node: what it asks for, what a node says in it, and the node that a form makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules.flow import text as written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from heliograph.web.door import Form

END = ""  # what a way is chosen as that ends the conversation
MORE_CASES = 2  # empty rows that a branch's form has at its end


@dataclass(frozen=True, slots=True)
class Asked:
    """A field of a form. ``kind``: text, area, way (a node), number, yaml; ``hint`` says what it takes."""

    name: str
    label: str
    kind: str = "text"
    hint: str = ""
    required: bool = False


_NEXT = Asked("next", "Then", "way")
_TIME = "Such as 90s, 30m, 24h or 3d."

FIELDS: Mapping[str, tuple[Asked, ...]] = {
    "send": (
        Asked("text", "Text", "area", "Placeholders such as {{first name}} or {{answer}} are filled in."),
        Asked("template", "Or the template", hint="Its name. Its words are taken in when the flow is published."),
        _NEXT,
    ),
    "wait": (
        Asked("save", "Keep the answer as", hint="A name for it, such as size."),
        Asked("timeout", "For how long", hint=f"{_TIME} Empty: until the conversation expires."),
        Asked("next", "When they answer", "way", required=True),
        Asked("on_timeout", "When they do not", "way"),
    ),
    "branch": (
        Asked("on", "What is asked about", hint="Empty: the last answer. Or a placeholder such as {{plan}}."),
        Asked("otherwise", "Otherwise", "way"),
        Asked("max", "At most so many times", "number", "After that it goes another way, so nobody goes in circles."),
        Asked("then", "After that", "way"),
        Asked("save", "Keep which case it was as"),
    ),
    "split": (Asked("ways", "Ways", "yaml", "A list, such as: - {next: a, weight: 2}", required=True),),
    "set": (Asked("field", "Field", required=True), Asked("value", "Value", required=True), _NEXT),
    "webhook": (
        Asked("url", "Address", hint="https://…", required=True),
        Asked("method", "Method", hint="GET, POST, PUT or PATCH."),
        Asked("headers", "Headers", "yaml", "Such as: Accept-Language: en"),
        Asked("body", "Body", "yaml", "Such as: order: '{{answer}}'"),
        Asked("save", "Keep what it answers as", hint="Then {{name.path}} is known."),
        Asked("timeout_s", "Seconds to wait", "number"),
        Asked("retries", "Tries more", "number"),
        Asked("next", "When it answers", "way"),
        Asked("failed", "When it does not", "way"),
    ),
    "list_add": (Asked("list", "List", required=True), _NEXT),
    "list_remove": (Asked("list", "List", required=True), _NEXT),
    "opt_out": (_NEXT,),
    "opt_in": (_NEXT,),
    "handoff": (
        Asked("note", "Note for whoever takes it", "area"),
        Asked("team", "Team"),
    ),
    "flow": (Asked("flow", "Flow", required=True), Asked("next", "And back to", "way")),
    "delay": (Asked("for", "How long", hint=_TIME, required=True), _NEXT),
    "end": (Asked("result", "Result", hint="What is counted, such as booked."),),
}

CASES = ("any_word", "only", "all_words", "number", "pattern", "field", "open")
"""The conditions a case can have that the form knows; others are edited as text."""

CASE_WORDS = {
    "any_word": "has one of the words",
    "only": "is only",
    "all_words": "has all the words",
    "number": "is a number from, to",
    "pattern": "matches the pattern",
    "field": "field has the value",
    "open": "hours are open",
}


@dataclass(frozen=True, slots=True)
class Case:
    """A row of a branch's form."""

    test: str
    value: str
    label: str
    next: str


def shown(node: Mapping[str, object]) -> dict[str, str]:
    """What a node says, by the fields of its form."""
    found: dict[str, str] = {}
    for asked in FIELDS.get(str(node.get("type")), ()):
        value = node.get(asked.name)
        if value is None:
            found[asked.name] = ""
        elif asked.kind == "yaml":
            found[asked.name] = written.to_yaml(cast("Mapping[str, object]", value)).strip()
        else:
            found[asked.name] = str(value)
    return found


def cases(node: Mapping[str, object]) -> list[Case]:
    """The rows of a branch, with some empty ones."""
    listed = cast("Sequence[Mapping[str, object]]", node.get("cases") or [])
    found = [_case(each) for each in listed]
    return found + [Case("any_word", "", "", "")] * MORE_CASES


def _case(raw: Mapping[str, object]) -> Case:
    test = next((each for each in raw if each not in {"next", "label", "is"}), "any_word")
    value = raw.get(test)
    if test == "field":
        wanted = raw.get("is")
        told = f"{value} = {', '.join(map(str, cast('list[object]', wanted))) if isinstance(wanted, list) else wanted}"
        text = told if wanted is not None else str(value)
    elif isinstance(value, list):
        text = ", ".join("" if each is None else str(each) for each in cast("list[object]", value))
    elif isinstance(value, str):
        text = value
    else:
        text = written.to_yaml({"": value}).strip()
    return Case(test, text, str(raw.get("label") or ""), str(raw.get("next") or ""))


def read(kind: str, form: Form, before: Mapping[str, object]) -> dict[str, object]:
    """The node that a form makes. What the form does not ask about (its place on the drawing) stays. Raises Invalid."""
    names = {asked.name for asked in FIELDS[kind]} | {"cases"}
    node: dict[str, object] = {"type": kind}
    node |= {key: value for key, value in before.items() if key not in names and key != "type"}
    for asked in FIELDS[kind]:
        text = form.text(f"f-{asked.name}")
        if text:
            node[asked.name] = _value(asked, text)
    if kind == "branch":
        node["cases"] = _cases(form, before)
    return node


def _value(asked: Asked, text: str) -> object:
    if asked.kind == "yaml":
        return written.parse(text)
    if asked.kind == "number":
        try:
            return int(text)
        except ValueError:
            raise Invalid(f"{asked.label} is {text[:40]!r}. It takes a whole number", field=asked.name) from None
    return text


def _cases(form: Form, before: Mapping[str, object]) -> list[dict[str, object]]:
    rows = zip(form.all("test"), form.all("value"), form.all("label"), form.all("to"), strict=True)
    earlier = cast("Sequence[dict[str, object]]", before.get("cases") or [])
    found: list[dict[str, object]] = []
    for place, (test, value, label, to) in enumerate(rows):
        value = value.strip()  # noqa: PLW2901  # as it was meant
        if test not in CASES:
            if place < len(earlier):  # of a kind that the form does not know: it stays, but for its way
                found.append({**earlier[place], "next": to} if to else dict(earlier[place]))
            continue
        if not value:
            continue
        row = _condition(test, value)
        if place < len(earlier) and (_case(earlier[place]).test, _case(earlier[place]).value) == (test, value):
            row = {name: each for name, each in earlier[place].items() if name in {test, "is"}}  # as it was written
        row |= ({"label": label.strip()} if label.strip() else {}) | ({"next": to} if to else {})
        found.append(row)
    return found


def _condition(test: str, value: str) -> dict[str, object]:
    found: dict[str, object] = {test: value}
    if test in {"any_word", "all_words", "only"}:
        return {test: [each.strip() for each in value.split(",") if each.strip()]}
    if test == "number":
        ends = [each.strip() for each in value.split(",")]
        return {test: [_end(each) for each in ends]}
    if test == "field":
        name, _, wanted = value.partition("=")
        listed = [each.strip() for each in wanted.split(",") if each.strip()]
        found[test] = name.strip()
        if listed:
            found["is"] = listed
    if test == "open":
        return {test: written.parse(value)}
    return found


def _end(text: str) -> float | int | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        raise Invalid(f"{text[:40]!r} is no number. A range takes two, such as 1, 20", field="number") from None
    return int(number) if number.is_integer() else number


# ---------------------------------------------------------------- what is new

STARTER = {
    "flow": 1,
    "start": "hello",
    "nodes": {
        "hello": {"type": "send", "text": "Hello {{first name}}, shall we call you? Reply YES or NO.", "next": "heard"},
        "heard": {"type": "wait", "timeout": "24h", "save": "wish", "next": "which", "on_timeout": "silent"},
        "which": {"type": "branch", "cases": [{"any_word": ["yes"], "next": "thanks"}], "otherwise": "bye"},
        "thanks": {"type": "send", "text": "Thank you, we will call you.", "next": "yes"},
        "yes": {"type": "end", "result": "yes"},
        "bye": {"type": "end", "result": "no"},
        "silent": {"type": "end", "result": "silent"},
    },
}
"""A flow to begin with."""


def free(draft: Mapping[str, object], kind: str) -> str:
    """A name for a new node that no other has."""
    taken = cast("Mapping[str, object]", draft["nodes"])
    return next(name for place in range(1, 2000) if (name := f"{kind}_{place}") not in taken)


def fresh(draft: Mapping[str, object], kind: str) -> dict[str, object]:
    """A node of a kind, as empty as it may be."""
    first = next(iter(cast("Mapping[str, object]", draft["nodes"])))
    fresh: dict[str, dict[str, object]] = {
        "send": {"text": "Write here what they read."},
        "wait": {"next": first, "timeout": "24h"},
        "branch": {"cases": [{"any_word": ["yes"]}]},
        "split": {"ways": [{"weight": 1}, {"weight": 1}]},
        "set": {"field": "field", "value": "{{answer}}"},
        "webhook": {"url": "https://example.com/"},
        "list_add": {"list": "List"},
        "list_remove": {"list": "List"},
        "flow": {"flow": draft.get("name", "")},
        "delay": {"for": "1h"},
    }
    if kind not in FIELDS:
        raise Invalid(f"There is no kind of node called {kind[:40]!r}", field="kind")
    return {"type": kind} | fresh.get(kind, {})
