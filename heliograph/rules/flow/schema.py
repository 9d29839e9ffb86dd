"""The JSON Schema of a flow's document (draft 2020-12): its structure, as the reader has it.

What a schema cannot say the reader still checks: that a way leads to a node that is there, that a placeholder and an
expression can be read, that a time is not longer than :data:`values.LONGEST_TIME`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from heliograph.rules import hours
from heliograph.rules.flow import conditions, document, values

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAMED = {"type": "string", "minLength": 1, "maxLength": values.LONGEST_NAME, "pattern": r"\S"}
_TEXT = {"type": "string", "maxLength": values.LONGEST_TEXT}
_TEXTS = {"type": "object", "additionalProperties": _TEXT}
_ID = {"type": "string", "pattern": r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}$"}
_TIME = {"type": "string", "pattern": r"^\s*0*[1-9][0-9]{0,5} ?[smhd]\s*$", "description": "Such as 30m, 24h or 3d"}
_LIMIT = {"type": "number", "minimum": -conditions.HIGHEST, "maximum": conditions.HIGHEST}
_WORD = {"type": ["string", "number"], "pattern": r"\S", "maxLength": values.LONGEST_NAME}
_WORDS = {"anyOf": [_WORD, {"type": "array", "minItems": 1, "items": _WORD}]}
_SCALAR = {"type": ["string", "number", "boolean"]}


@cache
def schema() -> Schema:
    """The schema, made once. Not to be changed."""
    return {
        "$schema": DIALECT,
        "$id": "urn:heliograph:flow:1",
        "title": "A Heliograph experience flow",
        "type": "object",
        "required": ["name", "nodes"],
        "properties": {
            "flow": {"const": document.FORMAT, "description": "The number of this format"},
            "name": _NAMED,
            "description": {},
            "language": {"type": "string", "maxLength": values.LONGEST_NAME},
            "expires": _TIME | {"description": "How long a conversation waits for an answer, if a wait says nothing"},
            "start": {"type": "string", "description": "The node it begins at; else the first"},
            "nodes": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": document.MOST_NODES,
                "propertyNames": _ID,
                "additionalProperties": {"$ref": "#/$defs/node"},
            },
        },
        "patternProperties": {"^x_": {}},
        "additionalProperties": False,
        "$defs": {"node": _node(), "case": _case(), "hours": _hours()},
    }


def _node() -> Schema:
    return {
        "type": "object",
        "required": ["type"],
        "properties": {"type": {"enum": list(document.KINDS)}},
        "allOf": [
            {"if": {"required": ["type"], "properties": {"type": {"const": kind}}}, "then": each}
            for kind, each in _nodes().items()
        ],
    }


def _of(required: list[str], **its: Schema) -> Schema:
    shown: Schema = {key: {} for key in document.SHOWN}
    return {"required": required, "properties": shown | its, "additionalProperties": False}


def _or_null(each: Schema) -> Schema:
    return {"anyOf": [{"type": "null"}, each]}


def _nodes() -> dict[str, Schema]:
    to, named, save = _or_null(_ID), _or_null(_NAMED), _or_null(_NAMED)
    listed = _of(["list"], list=_NAMED, next=to)
    opt = _of([], next=to)
    text = _or_null(_NAMED) | {"description": "The name of an SMS template"}
    return {
        "send": _of([], text=_TEXT, template=text, next=to)
        | {"anyOf": [_has(template=_NAMED), _has(text=_TEXT | {"pattern": r"\S"})]},
        "wait": _of(["next"], next=_ID, save=save, timeout=_or_null(_TIME), on_timeout=to)
        | {"if": _has(on_timeout=_ID), "then": _has(timeout=_TIME)},
        "branch": _of(
            ["cases"],
            cases={"type": "array", "minItems": 1, "maxItems": document.MOST_CASES, "items": {"$ref": "#/$defs/case"}},
            otherwise=to,
            on=_or_null(_TEXT),
            max=_or_null({"type": "integer", "minimum": 1, "maximum": document.MOST_CASES}),
            then=to,
            save=save,
        ),
        "split": _of(["ways"], ways={"type": "array", "minItems": 2, "items": _way(to)}),
        "set": _of(["field", "value"], field=_NAMED, value=_TEXT, next=to),
        "webhook": _of(
            ["url"],
            url=_TEXT,
            method={"enum": [each for method in document.METHODS for each in (method, method.lower())]},
            headers=_TEXTS,
            body=_or_null(_TEXTS),
            save=save,
            timeout_s={"type": "number", "minimum": 1, "maximum": document.LONGEST_CALL_S},
            retries={"type": "number", "minimum": 0, "maximum": document.MOST_RETRIES},
            next=to,
            failed=to,
        ),
        "list_add": listed,
        "list_remove": listed,
        "opt_out": opt,
        "opt_in": opt,
        "handoff": _of([], note=_TEXT, team=named),
        "flow": _of(["flow"], flow=_NAMED, next=to),
        "delay": _of(["for"], **{"for": _TIME}, next=to),
        "end": _of([], result=_NAMED),
    }


def _has(**its: Schema) -> Schema:
    return {"required": list(its), "properties": its}


def _way(to: Schema) -> Schema:
    weight = {"type": "number", "exclusiveMinimum": 0, "maximum": 1_000_000}
    return {"type": "object", "properties": {"next": to, "weight": weight}}


def _case() -> Schema:
    ends = {"type": "array", "minItems": 2, "maxItems": 2, "items": {"anyOf": [{"type": "null"}, _LIMIT]}}
    scalars = {"anyOf": [{"type": "null"}, _SCALAR, {"type": "array", "items": _SCALAR}]}
    tests: dict[str, Schema] = {
        "any_word": _WORDS,
        "all_words": _WORDS,
        "only": _WORDS,
        "pattern": {"type": "string", "maxLength": values.LONGEST_TEXT // 10},
        "number": ends,
        "field": _NAMED,
        "open": {"$ref": "#/$defs/hours"},
    }
    shown = {"next": _or_null(_ID), "label": _or_null(_NAMED)}
    return {
        "type": "object",
        "oneOf": [
            {
                "required": [key],
                "properties": {key: each, **shown} | ({"is": scalars} if key == "field" else {}),
                "additionalProperties": False,
            }
            for key, each in tests.items()
        ],
    }


def _hours() -> Schema:
    """The hours of campaigns; what their words may be the reader says."""
    return {
        "type": "object",
        "required": ["frequency", "timezone", "days"],
        "properties": {
            "frequency": {"type": "string"},
            "timezone": {"type": "string"},
            "days": {"type": "array", "minItems": 1, "maxItems": hours.MOST_WINDOWS, "items": {"type": "object"}},
        },
    }
