"""Pages of senders and the carriers they go through: how they do, their rates, a text for a test, the panic button."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from heliograph.actions import carrier_health, flow_book, panics, trials
from heliograph.actions import senders as editing
from heliograph.errors import HeliographError, Invalid
from heliograph.rules import daily
from heliograph.store import carrier_accounts, flow_users, sender_pace, senders
from heliograph.store import panics as pressed
from heliograph.web import carrier_form, door, panic
from heliograph.web.kit import Sure, is_partial

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.database import Conn
    from heliograph.store.panics import Panic
    from heliograph.store.senders import Sender
    from heliograph.web.kit import Kit

SECTION = "senders"
PANIC = "/console/{app}/senders/panic/{word}"


def routes(kit: Kit) -> list[Route]:
    """The addresses of senders, and of carrier accounts."""
    page = Senders(kit)
    at = "/console/{app}/senders"
    return [
        kit.route(at, page.front, right=SECTION),
        kit.route(f"{at}/live", page.live, right=SECTION),
        kit.route(f"{at}/new", page.new, right=SECTION, act=True),
        kit.route(f"{at}/new", page.create, right=SECTION, methods=["POST"]),
        # One rule for the button wherever it stands: whoever may stop campaigns may press it.
        kit.route(PANIC, page.ask_panic, right="campaigns"),
        kit.route(PANIC, page.panic, right="campaigns", methods=["POST"]),
        *carrier_form.routes(kit),
        kit.route(f"{at}/{{sender}}", page.one, right=SECTION),
        kit.route(f"{at}/{{sender}}", page.change, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{sender}}/test", page.test, right=SECTION, methods=["POST"]),
        kit.route(f"{at}/{{sender}}/delete", page.ask_delete, right=SECTION),
        kit.route(f"{at}/{{sender}}/delete", page.delete, right=SECTION, methods=["POST"]),
    ]


@dataclass(frozen=True, slots=True)
class Row:
    """A sender as it is shown."""

    sender: Sender
    used: int
    learned: float | None
    held_until: datetime | None
    panic: Panic | None
    flow: tuple[str, str] | None  # attached to the address: its id and its name


class Senders:
    """The handlers, with what they need."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit

    async def front(self, request: Request) -> Response:
        """Every carrier account with its senders, live."""
        app = await self.kit.app(request)
        values = {"may_hold": self.kit.may_post(request, PANIC), **await self._standing(app)}
        return await self.kit.page(request, "senders.html", values, section=SECTION, app=app)

    async def live(self, request: Request) -> Response:
        """The part of that page that changes."""
        app = await self.kit.app(request)
        shown: dict[str, object] = {
            "app": app,
            "token": door.token(request),
            "may_act": self.kit.may_act(request),
            "may_hold": self.kit.may_post(request, PANIC),
        }

        async def piece() -> str:
            return self.kit.text("senders_live.html", shown | await self._standing(app))

        return await self.kit.live(request, piece)

    async def new(self, request: Request) -> Response:
        """The form of a new sender."""
        typed = {"account": request.query_params.get("account", "")}
        return await self._form(request, await self.kit.app(request), typed, {})

    async def create(self, request: Request) -> Response:
        """Make it."""
        form, app = await door.check_form(request), await self.kit.app(request)
        typed = {name: form.text(name) for name in ("address", "account", "rate", "day", "zone")}
        try:
            body = {"address": typed["address"], "carrierAccountId": typed["account"], **_limits(typed)}
            made = await editing.create(self.kit.db, app, body, now=self.kit.now)
        except HeliographError as error:
            return await self._form(request, app, typed, _beside(error), status=400)
        return self.kit.done(request, _at(app), f"Texts can be sent from {made.address} now.")

    async def one(self, request: Request) -> Response:
        """A sender: its limits, and a text for a test."""
        app = await self.kit.app(request)
        return await self._page_of(request, app, {}, {})

    async def change(self, request: Request) -> Response:
        """Change its limits, or what it goes through. Workers go by it within a second."""
        form, app = await door.check_form(request), await self.kit.app(request)
        typed = {name: form.text(name) for name in ("account", "rate", "day", "zone")}
        try:
            body = {"carrierAccountId": typed["account"], **_limits(typed)}
            changed = await editing.update(self.kit.db, app, request.path_params["sender"], body, now=self.kit.now)
        except Invalid as error:
            return await self._page_of(request, app, typed, _beside(error), status=400)
        return self.kit.done(request, _at(app), f"{changed.address} goes by this from now on, running campaigns too.")

    async def test(self, request: Request) -> Response:
        """Send one text for a test, and tell what became of it."""
        form, app = await door.check_form(request), await self.kit.app(request)
        body = {"to": form.text("to")} | ({"from": form.text("from")} if form.text("from") else {})
        settings = self.kit.settings
        try:
            tried = await trials.of_sender(
                self.kit.db,
                self.kit.sealing,
                app,
                request.path_params["sender"],
                body,
                transcript=settings.transcript,
                networks=settings.carrier_private_networks,
                now=self.kit.now,
            )
        except HeliographError as error:
            if is_partial(request):
                return self.kit.said(error.message, trouble=True)
            return await self._page_of(request, app, {"to": form.text("to")}, _beside(error), status=400)
        told = _outcome(tried)
        if is_partial(request):
            return self.kit.said(told, trouble=tried.outcome != "accepted")
        return self.kit.done(request, f"{_at(app)}/{request.path_params['sender']}", told)

    async def ask_delete(self, request: Request) -> Response:
        """What deleting it means."""
        app = await self.kit.app(request)
        async with self.kit.db.connection() as conn:
            found = await senders.get_named(conn, app.app_id, request.path_params["sender"])
        sentences = (
            f"No campaign can be sent from {found.address} any more until there is a sender for it again.",
            "What left through it stays in the ledger, and receipts for it still count.",
        )
        title, at = f"Delete {found.address}?", f"{_at(app)}/{found.public_id}/delete"
        asked = Sure(title, sentences, "Delete", at, _at(app))
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def delete(self, request: Request) -> Response:
        """Delete it."""
        await door.check_form(request)
        app = await self.kit.app(request)
        gone = await editing.delete(self.kit.db, app, request.path_params["sender"], now=self.kit.now)
        return self.kit.done(request, _at(app), f"Deleted {gone.address}.")

    async def ask_panic(self, request: Request) -> Response:
        """What the panic button does, or letting it go."""
        app = await self.kit.app(request)
        word, sender = _word(request), request.query_params.get("sender", "")
        whole = sender or f"everything {app.name} sends"
        if word == "press":
            sentences = (
                f"Not one more text leaves from {whole} once this has answered, of campaigns or of conversations.",
                "Campaigns stay as they are and wait.",
                "It stays so until somebody lets it go.",
            )
            title, button = f"Hold {whole}?", "Hold everything now"
        else:
            sentences = ("Campaigns that are Active carry on with those not yet texted; nobody is texted again.",)
            title, button = f"Let {whole} go again?", "Let it go"
        asked = Sure(
            title,
            sentences,
            button,
            f"{_at(app)}/panic/{word}",
            _at(app),
            dangerous=word == "press",
            hidden={"sender": sender},
        )
        return await self.kit.sure(request, asked, section=SECTION, app=app)

    async def panic(self, request: Request) -> Response:
        """Press it, or let it go."""
        form, app = await door.check_form(request), await self.kit.app(request)
        sender = form.text("sender") or None
        who = panic.who(request)
        if _word(request) == "press":
            body: dict[str, object] = {"reason": "Pressed in the console"}
            await panics.press(self.kit.db, app, sender, body, who=who, now=self.kit.now)
            return self.kit.done(request, _at(app), f"Held. Not one more text leaves from {sender or app.name}.")
        await panics.release(self.kit.db, app, sender, who=who, now=self.kit.now)
        return self.kit.done(request, _at(app), f"Let go: texts leave from {sender or app.name} again.")

    # ------------------------------------------------------------ what is shown

    async def _standing(self, app: App) -> dict[str, object]:
        now = self.kit.now
        async with self.kit.db.connection() as conn:
            accounts = await carrier_accounts.list_all(conn, app.app_id)
            health = await carrier_health.read(conn, app.app_id, accounts, now=now)
            rows = await _rows(conn, app, now)
            whole = [one for one in await pressed.list_in_force(conn, app.app_id) if one.sender_id is None]
        by_account: defaultdict[int, list[Row]] = defaultdict(list)
        for row in rows:
            by_account[row.sender.account_id].append(row)
        return {"health": health, "rows": by_account, "held": whole[0] if whole else None, "senders": len(rows)}

    async def _form(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        async with self.kit.db.connection() as conn:
            accounts = await carrier_accounts.list_all(conn, app.app_id)
        values = {"accounts": accounts, "typed": defaultdict(str, typed), "errors": defaultdict(str, errors)}
        return await self.kit.page(request, "sender_new.html", values, section=SECTION, app=app, status=status)

    async def _page_of(
        self, request: Request, app: App, typed: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
    ) -> Response:
        async with self.kit.db.connection() as conn:
            found = await senders.get_named(conn, app.app_id, request.path_params["sender"])
            accounts = await carrier_accounts.list_all(conn, app.app_id)
            (row,) = [one for one in await _rows(conn, app, self.kit.now) if one.sender.public_id == found.public_id]
        account = next(one for one in accounts if one.account_id == found.account_id)
        before = {
            "account": account.public_id,
            "rate": _shown(found.parts_per_second),
            "day": _shown(found.parts_per_day),
            "zone": found.day_zone,
        }
        values = {
            "row": row,
            "account": account,
            "accounts": accounts,
            "typed": defaultdict(str, before | dict(typed)),
            "errors": defaultdict(str, errors),
        }
        return await self.kit.page(request, "sender.html", values, section=SECTION, app=app, status=status)


async def _rows(conn: Conn, app: App, now: datetime) -> list[Row]:
    there = await senders.list_all(conn, app.app_id)
    used = await senders.parts_of_days(conn, app.app_id, {s.sender_id: daily.day_of(now, s.day_zone) for s in there})
    learned = await sender_pace.learned(conn, app.app_id, [s.sender_id for s in there])
    held = {one.sender_id: one for one in await pressed.list_in_force(conn, app.app_id)}
    attached = await flow_users.of_addresses(conn, app.app_id)
    book = await flow_book.load(conn, app.app_id) if attached else None
    names = {each: (book and book.name(each)) or each for each in attached.values()}
    return [
        Row(
            one,
            used.get(one.sender_id, 0),
            learned.get(one.sender_id),
            one.held_until if one.held_until is not None and one.held_until > now else None,
            held.get(one.sender_id),
            (attached[one.address], names[attached[one.address]]) if one.address in attached else None,
        )
        for one in there
    ]


def _at(app: App) -> str:
    return f"/console/{app.public_id}/{SECTION}"


def _word(request: Request) -> str:
    word = str(request.path_params["word"])
    if word not in {"press", "release"}:
        raise Invalid(f"The panic button is pressed or released, not {word[:40]!r}")
    return word


def _limits(typed: Mapping[str, str]) -> dict[str, object]:
    """The limits as the body of a call has them. Raises Invalid for what is no number."""
    return {
        "partsPerSecond": _number(typed["rate"], "partsPerSecond"),
        "partsPerDay": _number(typed["day"], "partsPerDay", whole=True),
        "dayTimezone": typed["zone"] or "UTC",
    }


def _number(text: str, field: str, *, whole: bool = False) -> float | None:
    if not text:
        return None
    try:
        return int(text.replace(",", "")) if whole else float(text.replace(",", ""))
    except ValueError:
        raise Invalid(f"{text[:40]!r} is no number; leave it empty for no limit", field=field) from None


def _beside(error: HeliographError) -> dict[str, str]:
    """Where on the form an error belongs."""
    fields = {"address": "address", "carrierAccountId": "account", "partsPerSecond": "rate", "partsPerDay": "day"}
    fields |= {"dayTimezone": "zone", "to": "to", "from": "from"}
    return {fields.get(error.field or "", "form"): error.message}


def _shown(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}" if isinstance(limit, float) else str(limit)


def _outcome(tried: trials.Trial) -> str:
    if tried.outcome == "accepted":
        return f"The carrier took the test text to {tried.to}; it calls it {tried.reference}."
    told = wording_of(tried)
    return f"The test text to {tried.to} {told}"


def wording_of(tried: trials.Trial) -> str:
    """What became of a test text that was not accepted."""
    if tried.outcome == "down":
        return f"could not be sent, as the line is down: {tried.detail or 'no reason was given'}."
    code = f" with code {tried.code}" if tried.code else ""
    return f"was {tried.outcome}{code}: {tried.detail or 'no reason was given'}."
