"""Setting the demonstration up: an app with a lively sandbox, people, and campaigns that are played."""

from __future__ import annotations

import csv
import io
import secrets
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from heliograph.actions import access, app_settings, dnc, passwords, users
from heliograph.actions.sign_in import Came
from heliograph.cli import show
from heliograph.cli.demo import callers, cast
from heliograph.cli.demo.client import Client
from heliograph.cli.desk import Desk
from heliograph.errors import Invalid
from heliograph.store import carrier_accounts, senders
from heliograph.store.apps import App

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


async def set_up(here: Desk, url: str, people: bytes) -> tuple[App, Client]:
    """An app with its list and its campaigns, all of them playing: what it takes, through the real API."""
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=show.err(), transient=True
    ) as bar:
        task = bar.add_task("Making an app with a sandbox carrier ...")
        app, client = await _app(here, url)
        bar.update(task, description="Importing contacts through the API ...")
        await _people(here, app, client, people)
        await callers.welcome(here, app)
        for body in cast.CAMPAIGNS:
            bar.update(task, description=f"Creating and playing {body['name']} ...")
            made = await client.post("/campaign?campaignType=sms", body)
            await client.post(f"/campaign/{made['data']['_id']}?campaignType=sms&trigger=play")
    return app, client


async def sign_in(here: Desk, url: str) -> str:
    """The address of a link that signs in the demonstration's owner, whom nobody knows a password of."""
    now = here.clock()
    link = await users.owner_link(here.db, made_by="heliograph demo", now=now)
    made = await users.accept(
        here.db,
        passwords.from_settings(here.settings),
        link or "",
        given=secrets.token_urlsafe(32),
        came=Came("", "heliograph demo"),
        now=now,
        name=cast.OWNER[0],
        email=cast.OWNER[1],
    )
    return users.link(url, await users.sign_in_link(here.db, made.user, made_by="heliograph demo", now=now))


async def _app(here: Desk, url: str) -> tuple[App, Client]:
    now = here.clock()
    made = await access.create_app(here.db, here.seal, name="Demonstration", now=now)
    # It is made up, and is to be seen sending at whatever hour somebody tries it.
    await app_settings.update(here.db, made.app, {"quietHours": {"enabled": False}}, now=now)
    async with here.db.transaction() as conn:
        sandbox = (await carrier_accounts.list_all(conn, made.app.app_id))[0]
        await carrier_accounts.set_settings(conn, made.app.app_id, sandbox.account_id, cast.SANDBOX)
        await senders.add(
            conn,
            made.app.app_id,
            address=cast.CALLER,
            account_id=sandbox.account_id,
            parts_per_second=cast.PARTS_PER_SECOND,
            now=now,
        )
    token = access.sign(made.client_id, made.client_secret, now=now)
    return made.app, Client(url, made.app.public_id, made.app.account_id, token)


async def _people(here: Desk, app: App, client: Client, people: bytes) -> None:
    wanted = {"name": cast.LIST, "description": "From examples/contacts.csv", "source": "passiveApi"}
    made = await client.post("/campaign/contactList/createContactList", wanted)
    await client.post(f"/contactLists/{made['data']['_id']}/file?fileName=contacts.csv", csv=people)
    rows = list(csv.DictReader(io.StringIO(people.decode())))
    said_no = [row["phoneNumber"] for row in rows[-min(cast.SAID_NO, len(rows) // 4) :]]
    if len(rows) >= 4:  # noqa: PLR2004  # else there would be nobody left to text
        await dnc.add(here.db, app, None, said_no, source="person", reason="Asked not to be texted", now=here.clock())


def read_people(file: Path | None, most: int | None) -> bytes:
    """The contacts to import: of the file given, else of the one that comes with Heliograph; the first ``most``.

    Raises :class:`Invalid` when there is no such file.
    """
    found = file or next((place for place in shipped() if place.is_file()), None)
    if found is None:
        text = f"The example contacts are not in {shipped()[0]}; name a CSV file with --contacts"
        raise Invalid(text, field="contacts")
    lines = found.read_bytes().splitlines(keepends=True)
    return b"".join(lines if most is None else lines[: most + 1])


def shipped(package: Traversable | None = None) -> tuple[Traversable, ...]:
    """Where the example contacts may be: in the package, into which a wheel puts them, or beside that of a checkout."""
    package = package or resources.files("heliograph")
    return package / "examples" / "contacts.csv", Path(str(package)).parent / "examples" / "contacts.csv"
