"""What the demonstration says."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from heliograph.cli import standing
from heliograph.cli.demo import cast
from heliograph.cli.demo.client import Client
from heliograph.cli.demo.server import Server
from heliograph.cli.standing import Standing
from heliograph.config import Settings


def welcome(out: Console, running: Server, settings: Settings, link: str) -> None:
    """Where everything is."""
    out.print(f"Heliograph is up. Console: [bold]{running.url}/[/]   API: [bold]{running.url}/docs[/]")
    _line(out, f"This link signs you in to the console, once: {link}")
    _line(out, f"Everything it keeps is in {settings.data}; its log is {running.log.name} there.")
    out.print()


def conclude(out: Console, settings: Settings, client: Client, found: Sequence[Standing], link: str) -> None:
    """The final ledger, what is behind it, and what to try next."""
    if not out.is_terminal:
        out.print(standing.table(found, out.width))
    out.print()
    for one in found:
        _line(out, f"{one.campaign.name}: {_sum(one)}")
    out.print()
    for sentence in _why(found):
        _line(out, sentence)
    _line(out, f"Every text, at the moment it left, is a line in {settings.transcript}")
    out.print()
    seed = _seed(found)
    out.print(f"Delete {seed.campaign.name}, which is {seed.campaign.status.value}. Not one more text of it leaves:")
    out.print()
    _line(out, client.curl_delete(seed.campaign.public_id))
    out.print()
    _line(out, f"Or do it in the console. This link signs you in, once: {link}")
    _line(out, f"Another one: heliograph user sign-in --data {settings.data} --console-url {client.url}")
    out.print()


def facts(settings: Settings, client: Client, found: Sequence[Standing], link: str) -> dict[str, object]:
    """The same, for programs."""
    return {
        "url": client.url,
        "signIn": link,
        "accountId": client.account_id,
        "appId": client.app_id,
        "token": client.token,
        "transcript": str(settings.transcript),
        "curl": client.curl_delete(_seed(found).campaign.public_id),
        "campaigns": [one.facts() for one in found],
    }


def stays(out: Console, running: Server) -> None:
    """That the server is left up, and how to end it."""
    pid = running.process.pid
    _line(out, f"The server stays up in the background: kill {pid} ends it, and so does the next demonstration.")


def _sum(one: Standing) -> str:
    counts = one.counts()
    total = counts.pop("total")
    parts = " + ".join(f"{number:,} {word}" for word, number in counts.items() if number) or "0"
    return f"{total:,} = {parts}" if total == sum(counts.values()) else f"{total:,} DOES NOT ADD UP: {parts}"


def _why(found: Sequence[Standing]) -> list[str]:
    """A sentence for each number that somebody may wonder about."""
    counts = [one.counts() for one in found]
    sentences: list[str] = []
    if held := _seed(found).counts()["held"]:
        text = f"{held:,} held: {cast.SEED['name']} texts Monday to Friday, 9 AM to 6 PM in each one's own time zone."
        sentences.append(f"{text} They get theirs when it is time there.")
    sentences.append("Quiet hours, the law's own, are off in this app, so that it sends at whatever hour you try it.")
    if sum(each["suppressed"] for each in counts):
        sentences.append("suppressed: on the do-not-contact list. They are never texted.")
    if sum(each["failed"] for each in counts):
        sentences.append("failed: refused by the sandbox carrier, or its receipt said so.")
    if sum(each["accepted"] for each in counts):
        sentences.append("accepted: taken by the carrier; the receipt was lost on its way.")
    if sum(each["unknown"] for each in counts):
        sentences.append("unknown: the carrier's answer was lost. Listed, and never sent again blindly.")
    return sentences


def _seed(found: Sequence[Standing]) -> Standing:
    return next(one for one in found if one.campaign.name == cast.SEED["name"])


def _line(out: Console, text: str) -> None:
    """Print as it is: whole, so that it can be copied, and without markup."""
    out.print(text, soft_wrap=True, markup=False)
