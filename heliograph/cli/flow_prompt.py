"""The command that tries a flow out: whoever is at the keyboard is the person who is texted."""

from __future__ import annotations

import asyncio
import json as reading
import sys
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast

import typer

from heliograph import config
from heliograph.actions import flow_calls, flow_trials
from heliograph.actions.flow_trials import Answered, Caller, Tried
from heliograph.cli import desk, options, show
from heliograph.cli.desk import Desk
from heliograph.cli.flow_files import file_of, one_of
from heliograph.cli.flows import at
from heliograph.errors import Invalid
from heliograph.rules.flow import acts, transcript
from heliograph.rules.flow.session import State
from heliograph.rules.flow.transcript import Entry, Talk
from heliograph.store.apps import App

TIMEOUT_S = 10.0
DEMO, REAL, ASK = WAYS = ("demo", "real", "ask")
HELP = """Write what the person writes, a line each.
/wait 24h      let time pass
/answer {...}  answer the service's call with this JSON; /answer null: it failed
/end           end it here"""


def simulate(
    flow: Annotated[str, typer.Argument(metavar="FLOW|FILE", help="A flow's id or name, or a file.")],
    *,
    say: Annotated[
        list[str] | None,
        typer.Option("--say", metavar="TEXT", help="What the person writes; the next one too, and so on."),
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="A column of the person's.")
    ] = None,
    opening: Annotated[
        str | None, typer.Option("--opening", metavar="TEXT", help="What the person writes before we do.")
    ] = None,
    call: Annotated[
        str,
        typer.Option(
            "--call",
            metavar="|".join((*WAYS, "FILE")),
            help="Who answers calls of services: the demo desk its own; they themselves; you; or a JSON file, by node.",
        ),
    ] = DEMO,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Try a flow's draft out at a prompt. Nothing is sent or changed; with `--call real` services are asked.

    A file is tried by itself, without any installation, unless an app is named. Without a terminal, what the person
    writes is read from standard input.
    """
    script: dict[str, object] = {"fields": _fields(field or [])}
    if opening is not None:
        script["opening"] = opening
    caller, calls = _caller(call, config.read(data=data))
    if calls is not None:
        script["calls"] = calls
    talk, _ = transcript.begin(*_tried(flow, app, data), script, now=datetime.now(UTC))
    prompt = Prompt(talk, caller, quiet=json)
    desk.run(prompt.go(_said(say) if say is not None else _typed))
    if json:
        show.as_json(transcript.told(talk))


class Prompt:
    """A conversation that is being tried out, told as it goes."""

    def __init__(self, talk: Talk, caller: Caller | None, *, quiet: bool) -> None:
        self._talk = talk
        self._caller = caller
        self._quiet = quiet
        self._told = 0

    async def go(self, lines: Callable[[], Awaitable[str | None]]) -> None:
        """Carry it on with what the person writes, until it is over or they have no more to say."""
        await self._answer()
        if not self._quiet and sys.stdin.isatty():
            typer.echo(HELP, err=True)
        while not self._talk.session.over:
            line = await lines()
            if line is None or line.strip() == "/end":
                break
            try:
                self._step(line.strip())
            except Invalid as error:
                typer.echo(error.message, err=True)
            await self._answer()
        if not self._quiet:
            self._end()

    def _step(self, line: str) -> None:
        word, _, rest = line.partition(" ")
        if word == "/wait":
            transcript.step(self._talk, {"wait": rest.strip()})
        elif word == "/answer":
            transcript.step(self._talk, {"answer": _json(rest)})
        elif line:
            transcript.step(self._talk, line)

    async def _answer(self) -> None:
        if self._caller is not None:
            await flow_trials.answer_calls(self._talk, self._caller)
        entries = self._talk.entries[self._told :]
        self._told = len(self._talk.entries)
        if not self._quiet:
            for entry in entries:
                words = _words(entry)
                if words is not None:
                    typer.echo(words)

    def _end(self) -> None:
        told = transcript.told(self._talk)
        result = f", result {told['result']}" if told["result"] else ""
        node = f" at {told['node']}" if told["node"] and not self._talk.session.over else ""
        typer.echo(
            f"-- {_STANDS[self._talk.session.state]}{node}{result}; texts: {told['texts']}, parts: {told['parts']}"
        )


_STANDS = {
    State.NEW: "not begun",
    State.ANSWER: "waits for an answer",
    State.TIME: "waits for time to pass",
    State.CALL: "waits for a service's answer",
    State.HANDED: "handed over",
    State.ENDED: "over",
}


def _words(entry: Entry) -> str | None:
    """An entry of the transcript as a line; None for what whoever is at the keyboard has just written."""
    kind = entry["kind"]
    if kind == "heard":
        return "  (changes nothing)" if "changes" in entry else None
    if kind == "text":
        return f"< {entry['text']}" + ("" if entry["parts"] == 1 else f"  ({entry['parts']} parts)")
    if kind == "call":
        return f"  calls {entry['method']} {entry['url']} {_shown(entry['body'])}"
    rest = {key: value for key, value in entry.items() if key not in {"at", "kind"}}
    return f"  {kind} {_shown(rest)}"


def _shown(value: object) -> str:
    return reading.dumps(value, ensure_ascii=False)


async def _typed() -> str | None:
    """The next line at the keyboard or of standard input; None at its end."""
    if sys.stdin.isatty():
        typer.echo("> ", nl=False)
    line = await asyncio.to_thread(sys.stdin.readline)
    if line and not sys.stdin.isatty():
        typer.echo(f"> {line.rstrip()}")
    return line or None


def _said(texts: list[str]) -> Callable[[], Awaitable[str | None]]:
    left = iter(texts)

    async def following() -> str | None:
        return next(left, None)

    return following


def _tried(flow: str, app: str | None, data: Path | None) -> tuple[Tried, str]:
    """The flow to try out, with the flows that it may go to, and what it is called there."""
    file = file_of(flow)
    draft = None if file is None else one_of(file).document
    if draft is not None and app is None:
        tried = flow_trials.alone(draft)
    else:
        tried = at(app, data, lambda here, owner: _find(here, owner, flow, draft))
    return tried, tried.public_id


async def _find(here: Desk, owner: App, flow: str, draft: Mapping[str, object] | None) -> Tried:
    async with here.db.connection() as conn:
        if draft is None:
            return await flow_trials.of_app(conn, owner, flow)
        return await flow_trials.of_file(conn, owner, draft)


def _fields(given: list[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise Invalid(
                f"--field is {each!r}. It takes a name and a value, such as 'first name=Ada'", field="--field"
            )
        found[name.strip()] = value
    return found


def _caller(call: str, settings: config.Settings) -> tuple[Caller | None, dict[str, object] | None]:
    """Who answers calls, and the answers that a file has for them."""
    if call == DEMO:
        return flow_trials.demo, None
    if call == ASK:
        return None, None
    if call == REAL:
        return _real(settings), None
    file = Path(call)
    if not file.is_file():
        text = f"--call is {call!r}. It takes {', '.join(WAYS)}, or a JSON file with an answer by each node's name"
        raise Invalid(text, field="--call")
    told = _json(file.read_text("utf-8"))
    if not isinstance(told, dict):
        raise Invalid(f"{call} has no JSON object in it. It takes an answer by each node's name", field="--call")
    return flow_trials.demo, cast("dict[str, object]", told)


def _real(settings: config.Settings) -> Caller:
    """Asks the services that a flow asks, as a worker would, but once and without a signature."""

    async def asked(call: Mapping[str, object]) -> Answered | None:
        made = acts.Call(
            0,
            str(call["node"]),
            str(call["url"]),
            str(call["method"]),
            cast("Mapping[str, str]", call["headers"]),
            cast("Mapping[str, str] | None", call["body"]),
            TIMEOUT_S,
            0,
        )
        return Answered(await flow_calls.ask(settings, config.utc_now, made, "simulated/0", None))

    return asked


def _json(text: str) -> object:
    try:
        return reading.loads(text)
    except ValueError as error:
        raise Invalid(f"{text.strip()[:40]!r} is no JSON: {error}") from error
