"""The command ``smsc``: a message centre that texts nobody, to try SMPP accounts against."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from heliograph.carriers.smpp.simulator import script as scripts
from heliograph.carriers.smpp.simulator.centre import Centre
from heliograph.cli import logs
from heliograph.cli.stopping import Stop, Stopped
from heliograph.errors import Invalid


def smsc(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port; 0 takes any free one.")] = 2775,
    script: Annotated[
        Path | None, typer.Option(help="A JSON file: how it behaves, see docs/smsc.md. Else it takes everything.")
    ] = None,
    transcript: Annotated[
        Path | None, typer.Option(help="A file to which a JSON line for each submission is added, before its answer.")
    ] = None,
) -> None:
    """Run a message centre (SMSC) that takes texts over SMPP 3.4 and sends them to nobody.

    Prints `listening HOST PORT` once it does. Ends when told to (SIGTERM, Ctrl-C).
    """
    found = scripts.read(_read(script)) if script is not None else scripts.Script()
    logs.start("smsc", "info")
    asyncio.run(_serve(found, host, port, transcript))


def _read(path: Path) -> dict[str, object]:
    try:
        found: object = json.loads(path.read_text())
    except OSError as error:
        raise Invalid(f"The script {path} cannot be read: {error.strerror}", field="script") from error
    except ValueError as error:
        raise Invalid(f"The script {path} is no JSON: {error}", field="script") from error
    if not isinstance(found, dict):
        raise Invalid(f"The script {path} is no JSON object, such as {{}}", field="script")
    return cast("dict[str, object]", found)


async def _serve(script: scripts.Script, host: str, port: int, transcript: Path | None) -> None:
    stop = Stop()
    with stop.listening():
        centre = Centre(script, transcript)
        try:
            try:
                found = await centre.listen(host, port)
            except OSError as error:
                message = f"The message centre cannot listen at {host} port {port}: {error.strerror}"
                raise Invalid(message, field="port") from error
            sys.stdout.write(f"listening {host} {found}\n")
            sys.stdout.flush()
            await stop.unless(asyncio.Event().wait())
        except Stopped:
            pass  # what was asked for
        finally:
            await centre.close()
            sys.stdout.write(f"taken {centre.taken}\n")
