"""Commands about carrier accounts: which there are, how they do, one text through one, and letting one in again."""

from __future__ import annotations

from typing import Annotated

import typer

from heliograph.actions import carrier_accounts as editing
from heliograph.actions import carrier_health, trials
from heliograph.actions.carrier_health import Health
from heliograph.actions.trials import Trial
from heliograph.cli import desk, options, show
from heliograph.store import carrier_accounts, webhook_calls
from heliograph.store.carrier_accounts import CarrierAccount
from heliograph.store.webhook_calls import Aside

commands = typer.Typer(no_args_is_help=True, help="Carrier accounts: how texts reach networks.")

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The carrier account's id (ca-...) or name.")]
SHOWN = 20  # unread calls


@commands.command("list")
def list_all(app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show every carrier account and how its line stands."""
    found = desk.run(_health(None, app, data))[0]
    if json:
        show.as_json([_told(one) for one in found])
        return
    rows = [
        (one.account.name, one.account.kind, one.state, show.when(one.since) or "", f"{one.rate:.1f}", one.words)
        for one in found
    ]
    show.out().print(show.table(("name", "kind", "state", "since", "texts/s#", "last words"), rows))


@commands.command("health")
def health(account: Account, app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Show how a carrier account does: lines, rate, what was refused in the last hour, how late receipts are."""
    (one,), unread = desk.run(_health(account, app, data))
    if json:
        show.as_json(_told(one) | {"unread": [{"at": show.when(a.received_at), "reason": a.reason} for a in unread]})
        return
    lag = "no receipt yet" if one.lag is None else f"{one.lag[0]:.1f} s for half, {one.lag[1]:.1f} s for 95 in 100"
    limit = "no limit" if one.limit is None else f"{one.limit:g} parts/s allowed"
    hour = ", ".join(f"{n} {what}" for what, n in sorted(one.last_hour.items())) or "nothing"
    facts = [
        ("account", f"{one.account.name} ({one.account.public_id}, {one.account.kind})"),
        ("state", one.state + ("" if one.since is None else f" since {show.when(one.since)}")),
        ("last words", one.words or "none"),
        *(("line", f"{line.worker} {line.state} since {show.when(line.since)} {line.words}") for line in one.lines),
        ("rate now", f"{one.rate:.1f} texts/s; {limit}"),
        ("last hour", hour),
        ("receipts after", lag),
        ("unread calls", one.unread),
        *(("unread", f"{show.when(call.received_at)} {call.size} bytes: {call.reason}") for call in unread),
    ]
    show.facts(facts)


async def _health(ref: str | None, app: str | None, data: options.Data) -> tuple[list[Health], list[Aside]]:
    async with desk.opened(data) as here, here.db.connection() as conn:
        owner = await desk.find_app(conn, app)
        if ref is None:
            known = await carrier_accounts.list_all(conn, owner.app_id)
        else:
            known = [await carrier_accounts.get_named(conn, owner.app_id, ref)]
        found = await carrier_health.read(conn, owner.app_id, known, now=here.clock())
        aside = await webhook_calls.list_aside(conn, owner.app_id, limit=1000)
        return found, [call for call in aside if call.account_id == known[0].account_id][:SHOWN] if known else []


def _told(one: Health) -> dict[str, object]:
    return {
        "carrierAccountId": one.account.public_id,
        "name": one.account.name,
        "kind": one.account.kind,
        "state": one.state,
        "since": show.when(one.since),
        "lastWords": one.words,
        "textsPerSecond": round(one.rate, 2),
        "partsPerSecondLimit": one.limit,
        "lastHour": dict(sorted(one.last_hour.items())),
        "receiptSeconds": None if one.lag is None else {"p50": one.lag[0], "p95": one.lag[1]},
        "unreadCalls": one.unread,
    }


@commands.command("resume")
def resume(account: Account, app: options.App = None, data: options.Data = None, json: options.Json = False) -> None:
    """Let texts go through a paused carrier account again."""
    done = desk.run(_resume(account, app, data))
    if json:
        show.as_json({"carrierAccountId": done.public_id, "name": done.name})
    else:
        typer.echo(f"Carrier account {done.name} resumed. If its carrier refuses us again, it is paused again.")


async def _resume(ref: str, app: str | None, data: options.Data) -> CarrierAccount:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
        return await editing.resume(here.db, owner, ref)


@commands.command("test")
def follow(
    *,
    account: Account,
    to: Annotated[str, typer.Option("--to", metavar="NUMBER", help="Whom to text; with the country code.")],
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="From which address; unset: the account's first.")
    ] = None,
    wait: Annotated[float, typer.Option("--wait", min=0, max=600, help="Seconds to wait for the receipt.")] = 60,
    app: options.App = None,
    data: options.Data = None,
    json: options.Json = False,
) -> None:
    """Send one text through a carrier account and follow it to its receipt.

    It costs what a text costs, and belongs to no campaign. Ends with 1 when the carrier did not take it.
    """
    tried = desk.run(_follow(account, to, sender, wait, app, data))
    if json:
        keys = ("outcome", "reference", "code", "detail", "receipt", "sender", "to")
        show.as_json({key: getattr(tried, key) for key in keys})
    else:
        pairs = [("outcome", tried.outcome), ("reference", tried.reference), ("receipt", tried.receipt)]
        pairs += [("code", tried.code), ("detail", tried.detail or None)]
        if tried.outcome == "accepted" and tried.receipt is None:
            pairs.append(("receipt", f"none within {wait:g} seconds"))
        show.facts((name, value) for name, value in pairs if value is not None)
    if tried.outcome != "accepted":
        raise typer.Exit(1)


async def _follow(ref: str, to: str, sender: str | None, wait: float, app: str | None, data: options.Data) -> Trial:
    async with desk.opened(data) as here:
        async with here.db.connection() as conn:
            owner = await desk.find_app(conn, app)
            found = await carrier_accounts.get_named(conn, owner.app_id, ref)
        return await trials.of_account(
            here.db,
            here.seal,
            owner,
            ref,
            {"to": to} | ({} if sender is None else {"from": sender}),
            transcript=here.settings.transcript,
            networks=here.settings.carrier_private_networks,
            now=here.clock(),
            webhook_url=here.settings.webhook_url(found.public_id),
            follow=wait,
        )
