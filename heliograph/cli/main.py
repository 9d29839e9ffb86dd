"""The command ``heliograph``: its table of commands, and how each ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Annotated

import typer

import heliograph
from heliograph.cli import (
    access,
    campaigns,
    carriers,
    desk,
    dnc,
    doctor,
    exits,
    explain,
    flow_files,
    flow_prompt,
    flows,
    inbox,
    intake,
    lists,
    optout,
    panic,
    preview,
    serve,
    settings,
    smsc,
    status,
    unknown,
    users,
    webhook,
    why,
    work,
)
from heliograph.cli.demo import command as demo
from heliograph.config import PREFIX

app = typer.Typer(
    name="heliograph",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"auto_envvar_prefix": PREFIX.rstrip("_"), "help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("work")(work.work)
app.command("intake", hidden=True)(intake.intake)
app.command("demo")(demo.demo)
app.command("smsc")(smsc.smsc)
app.command("token")(access.token)
app.command("status")(status.status)
app.command("panic")(panic.panic)
app.command("why")(why.why)
app.command("explain")(explain.explain)
app.command("doctor")(doctor.doctor)
app.command("settings")(settings.settings)
app.add_typer(access.app_commands, name="app")
app.add_typer(access.client_commands, name="client")
app.add_typer(lists.commands, name="list")
app.add_typer(unknown.commands, name="unknown")
app.add_typer(carriers.commands, name="carrier")
app.add_typer(dnc.commands, name="dnc")
app.add_typer(optout.commands, name="optout")
app.add_typer(inbox.commands, name="inbox")
app.add_typer(webhook.commands, name="webhook")
app.add_typer(users.commands, name="user")
flows.commands.command("create")(flow_files.create)
flows.commands.command("update")(flow_files.update)
flows.commands.command("lint")(flow_files.lint)
flows.commands.command("import")(flow_files.import_)
flows.commands.command("export")(flow_files.export)
flows.commands.command("simulate")(flow_prompt.simulate)
app.add_typer(flows.commands, name="flow")
campaigns.commands.command("preview")(preview.preview)
app.add_typer(campaigns.commands, name="campaign")


def _name(group: typer.Typer, path: str) -> None:
    """Have every command know what it is called, for the audit."""
    for command in group.registered_commands:
        if command.callback is not None:
            command.callback = _named(command.callback, f"{path} {command.name}")
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            _name(inner.typer_instance, f"{path} {inner.name}")


def _named(callback: Callable[..., object], path: str) -> Callable[..., object]:
    @wraps(callback)
    def run(*args: object, **options: object) -> object:
        desk.COMMAND.set(path)
        return callback(*args, **options)

    return run


_name(app, "heliograph")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"heliograph {heliograph.__version__}")
        raise typer.Exit


@app.callback()
def about(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, allow_from_autoenv=False, help="Say which.")
    ] = False,
) -> None:
    """Self-hosted SMS campaigns: a stop that is a barrier, a ledger that adds up, an answer to every why.

    Begin with `heliograph demo`, or with `heliograph serve`. Exit codes are listed in docs/operations.md.
    """


def main() -> None:
    """Run the command line; end with its exit code."""
    exits.end_with(lambda: app(prog_name="heliograph"))
