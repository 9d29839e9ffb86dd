"""The text editor of the console: what a text says to one person, how many parts it takes, and which character costs.

A page that has the editor imports the macro of ``composer.html`` and hands it what :func:`compose` makes; while
somebody types, the script posts the form's text to ``/console/<app>/compose`` and puts the answer below the field.
Without the script the page shows what stood in the field when it was made.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules import draft, parts, plain, template
from heliograph.store import app_settings, contacts, lists
from heliograph.web import door

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from heliograph.store.apps import App
    from heliograph.store.database import Conn
    from heliograph.web.kit import Kit

MOST_BYTES = 4 * draft.LONGEST_MESSAGE
SHOWN_ODD = 6  # characters explained one by one before it says how many more there are
MOST_COLUMNS = 60  # placeholders offered
MOST_BARS = 8  # parts drawn one by one
ALPHABET = "".join(each for each in parts.GSM_BASIC + parts.GSM_EXTENSION if each.isprintable())

# Around what a placeholder became, so that it can be shown as such; no text has these (Unicode: noncharacters).
_OPEN, _CLOSE = "\ufdd0", "\ufdd1"
_NONE = template.Missing()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of a text as it is shown; ``kind``: ``odd`` for what is in no phone's alphabet, ``own`` for what stands for
    a placeholder, empty for the rest.
    """

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Odd:
    """A character outside the plain alphabet, in words; ``instead``: what it can be exchanged for."""

    character: str
    name: str
    instead: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """For whom a text is shown: somebody of the lists that were chosen, or nobody (then placeholders show names)."""

    columns: tuple[str, ...] = ()
    fields: Mapping[str, object] | None = None
    number: str = ""  # of the telephone
    place: int = 1  # which of ``of``
    of: int = 0
    lists: int = 0  # how many were chosen


NOBODY = Person()


@dataclass(frozen=True, slots=True)
class Composed:
    """What is known of a text: as the person shown gets it, and as it stands."""

    text: str = ""
    refused: str = ""
    said: tuple[Stretch, ...] = ()
    size: parts.Measure = field(default_factory=lambda: parts.measure(""))
    sizes: tuple[int, ...] = ()  # septets or code units of each part
    odd: tuple[Odd, ...] = ()
    plain: str = ""  # the text in plain characters, when that makes it cheaper
    plain_parts: int = 0
    exchanged: bool = False  # whether the app exchanges them by itself
    unknown: tuple[str, ...] = ()  # placeholders that no chosen list has a column for
    missing: tuple[str, ...] = ()  # those that the person shown has no value for
    skipped: bool = False
    varies: bool = False
    person: Person = NOBODY

    @property
    def most(self) -> int:
        """How much one part holds, of as many parts as there are."""
        alone, each = (160, 153) if self.size.encoding == "GSM-7" else (70, 67)
        return alone if self.size.parts == 1 else each

    @property
    def left(self) -> int:
        """How much more fits without another part."""
        return self.most - (self.sizes[-1] if self.sizes else 0)

    @property
    def bars(self) -> tuple[int, ...]:
        """The parts that are drawn."""
        return self.sizes[:MOST_BARS]

    @property
    def alphabet(self) -> str:
        """The characters that a part of 160 is made of, for the script that marks the others."""
        return ALPHABET


def compose(
    text: str,
    person: Person = NOBODY,
    *,
    missing: template.Missing = _NONE,
    setting: plain.Plain = plain.Plain.WARN,
) -> Composed:
    """What is known of ``text`` as it was typed: plain words, its placeholders in it. Never raises."""
    text = parts.normalise(text)
    if not text.strip():
        return Composed(text, person=person)
    try:
        draft.check_words(text, "The text")
        taken = template.compile_text(text)
    except Invalid as error:
        return Composed(text, refused=error.message, person=person)
    said = taken.render(_fields(taken, person), missing)
    columns = {template.key(name) for name in person.columns}
    names = tuple(dict.fromkeys(taken.names))
    marked = parts.normalise(plain.apply(said.text or "", setting))
    words = marked.replace(_OPEN, "").replace(_CLOSE, "")
    size = parts.measure(words)
    cheaper = plain.simplify(text)
    return Composed(
        text,
        said=tuple(_stretches(marked)),
        size=size,
        sizes=tuple(parts.measure(part).units for part in parts.split(words)) if words else (),
        odd=tuple(_odd(each) for each in plain.costly(words)),
        plain=cheaper.text if cheaper.exchanged else "",
        plain_parts=parts.measure(plain.simplify(words).text).parts,
        exchanged=setting is plain.Plain.ON,
        unknown=tuple(name for name in names if person.lists and name not in columns),
        missing=tuple(dict.fromkeys(said.missing)) if person.fields is not None else (),
        skipped=said.text is None,
        varies=not taken.is_plain,
        person=person,
    )


async def person_of(conn: Conn, app_id: int, refs: Sequence[str], place: int = 1) -> Person:
    """Somebody of the lists with these ids or names: the one at ``place``, counted from 1 through all of them.

    Lists that there are no more are passed over.
    """
    found = [one for ref in refs[: draft.MOST_LISTS] if (one := await lists.find(conn, app_id, ref)) is not None]
    columns = tuple(dict.fromkeys(name for one in found for name in one.columns))[:MOST_COLUMNS]
    whole = sum(one.contact_count for one in found)
    place = min(max(place, 1), max(whole, 1))
    skip = place - 1
    for one in found:
        if skip < one.contact_count:
            rows = await contacts.list_page(conn, app_id, one.list_id, skip=skip, limit=1)
            if rows:
                return Person(columns, rows[0].fields, rows[0].number, place, whole, len(found))
        skip = max(0, skip - one.contact_count)
    return Person(columns, of=whole, lists=len(found))


async def look(
    conn: Conn,
    app: App,
    text: str,
    refs: Sequence[str] = (),
    *,
    place: int = 1,
    missing: template.Missing = _NONE,
) -> Composed:
    """As :func:`compose`, for somebody of those lists, and as the app's settings have it."""
    person = await person_of(conn, app.app_id, refs, place) if refs else NOBODY
    setting = plain.Plain((await app_settings.get(conn, app.app_id)).plain_substitutes)
    return compose(text, person, missing=missing, setting=setting)


def routes(kit: Kit) -> list[Route]:
    """Where the editor asks about its text."""

    async def composed(request: Request) -> Response:
        form = await door.check_form(request, most=MOST_BYTES)
        app = await kit.app(request)
        name = form.text("field", "text")
        place = form.text("person", "1")
        async with kit.db.connection() as conn:
            found = await look(
                conn,
                app,
                (form.all(name) or [""])[-1],
                [ref for ref in form.all(form.text("lists", "list")) if ref],
                place=int(place) if place.isascii() and place.isdigit() and len(place) < 10 else 1,  # noqa: PLR2004
                missing=_missing(form),
            )
        at = f"/console/{app.public_id}/compose"
        return kit.piece("composed.html", {"composed": found, "name": name, "at": at})

    return [kit.route("/console/{app}/compose", composed, right="templates", methods=["POST"])]


def _missing(form: door.Form) -> template.Missing:
    """The campaign's rule for people without a value, where the form has one."""
    rule = form.text("missing")
    try:
        return template.parse_missing({"rule": rule, "default": form.text("missingDefault")}) if rule else _NONE
    except Invalid:
        return _NONE


def _fields(taken: template.Template, person: Person) -> dict[str, object]:
    """The person's values, or without a person the columns' names, between marks."""
    if person.fields is not None:
        known = template.canonical(person.fields)
        return {name: f"{_OPEN}{value}{_CLOSE}" for name in taken.names if (value := template.plain(known.get(name)))}
    columns = {template.key(name): name for name in person.columns}
    return {name: f"{_OPEN}{columns.get(name, name)}{_CLOSE}" for name in taken.names}


def _stretches(marked: str) -> list[Stretch]:
    found: list[Stretch] = []
    odd = frozenset(plain.costly(marked)) - {_OPEN, _CLOSE}
    kind, start = "", 0
    for place, character in enumerate(marked):
        if character in (_OPEN, _CLOSE) or character in odd:
            found.append(Stretch(marked[start:place], kind))
            start = place + 1
            if character in odd:
                found.append(Stretch(character, "odd"))
            else:
                kind = "own" if character == _OPEN else ""
    found.append(Stretch(marked[start:], kind))
    return [one for one in found if one.text]


def _odd(character: str) -> Odd:
    name = unicodedata.name(character, f"U+{ord(character):04X}").lower()
    instead = plain.substitute(character)
    return Odd(character, name, None if instead == character else instead)
