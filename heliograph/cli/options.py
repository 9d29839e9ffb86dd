"""Options that several commands share, and the doors to the settings of :mod:`heliograph.config`.

Every option can also be given by the environment, and each command's help says under which name: a setting
and the app under one name for all commands, the others as HELIOGRAPH_<COMMAND>_<OPTION>.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from heliograph import config


def setting(name: str, default: str) -> Any:  # noqa: ANN401  # typer declares its options so
    """The option for a setting: its flag, its variable and its help are the setting's own."""
    found = next(item for item in fields(config.Settings) if item.name == name)
    return typer.Option(
        "--" + name.replace("_", "-"),
        envvar=config.PREFIX + name.upper(),
        help=str(found.metadata["help"]),
        show_default=default,
    )


Data = Annotated[Path | None, setting("data", "~/.heliograph")]
Host = Annotated[str | None, setting("host", "127.0.0.1")]
Port = Annotated[int | None, setting("port", "8080")]
Workers = Annotated[int | None, setting("workers", "1")]
LogLevel = Annotated[str | None, setting("log_level", "info")]

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")]
Numbers = Annotated[
    bool, typer.Option("--numbers", help="Show whole numbers; else their middles are masked, as in logs.")
]
App = Annotated[
    str | None,
    typer.Option(
        "--app",
        envvar=config.PREFIX + "APP",
        metavar="ST-ID|NAME",
        help="The app, by id or name. Not needed when there is only one.",
    ),
]
Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id (cd-...) or name.")]
