"""Looking a flow over before it is published, and what a version of it keeps for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import template
from heliograph.rules.flow import document, lint, nodes
from heliograph.rules.flow.foreign import UNSUPPORTED
from heliograph.store import lists, templates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from heliograph.actions.flow_book import Book
    from heliograph.rules.flow.lint import Finding
    from heliograph.store.apps import App
    from heliograph.store.database import Conn

SHOWN = 10  # faults told in one error


async def findings(
    conn: Conn,
    app: App,
    draft: Mapping[str, object],
    book: Book,
    *,
    itself: str | None = None,
    columns: Collection[str] | None = None,
) -> list[Finding]:
    """What the linter finds in a draft, with all that the app has at hand.

    ``itself``: the flow's own id. ``columns``: those that contacts have; None: all that the app's lists have, if any.
    """
    flow = document.read(draft)
    if columns is None:
        columns = [column for each in await lists.list_all(conn, app.app_id) for column in each.columns] or None
    # As they are written here: in any case, or by id.
    goes = [node.flow for node in flow.nodes.values() if isinstance(node, nodes.Go)]
    own = {flow.name.lower(), itself}
    known = [each for each in goes if each.lower() in own or book.public_id(each) is not None]
    return lint.lint(flow, fields=columns, flows=known)


def told(found: Finding) -> dict[str, object]:
    """A finding as JSON."""
    return {
        "code": found.kind,
        "level": "error" if found.fault else "warning",
        "node": found.node,
        "message": found.words,
    }


def alone(draft: Mapping[str, object]) -> list[Finding]:
    """What the linter finds in a draft when nothing is known of the app that it is for."""
    return lint.lint(document.read(draft))


def refuse_faults(name: str, draft: Mapping[str, object], found: Sequence[Finding]) -> None:
    """Raise Invalid that tells every fault there is; advice is none."""
    foreign = draft.get(UNSUPPORTED)
    if foreign:
        things = (
            ", ".join(map(str, cast("list[object]", foreign)[:SHOWN])) if isinstance(foreign, list) else "something"
        )
        text = (
            f"Experience flow {name} cannot be published: what came with it cannot be done here: {things}. See to it, "
        )
        raise Invalid(f"{text}and take {UNSUPPORTED} out of the document", field=f"document.{UNSUPPORTED}")
    faults = [each for each in found if each.fault]
    if faults:
        shown = "; ".join(each.words for each in faults[:SHOWN])
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise Invalid(
            f"Experience flow {name} cannot be published: {shown}{more}", field=f"document.nodes.{faults[0].node}"
        )


async def frozen(conn: Conn, app: App, draft: Mapping[str, object], book: Book, *, itself: str) -> dict[str, object]:
    """The document of a version: templates' words in place of their names, flows by their ids.

    Raises Invalid for a template or a flow that there is not.
    """
    name = str(draft.get("name", "")).lower()
    written = cast("Mapping[str, Mapping[str, object]]", draft["nodes"])
    kept: dict[str, object] = {}
    for key, node in written.items():
        if node["type"] == "send" and node.get("template") is not None:
            kept[key] = await _with_words(conn, app, key, node)
        elif node["type"] == "flow":
            to = str(node["flow"]).strip()
            public_id = itself if to.lower() in {name, itself} else book.public_id(to)
            if public_id is None:
                text = f"Node {key} goes to the flow {to}, which this app does not have published"
                raise Invalid(text, field=f"document.nodes.{key}.flow")
            kept[key] = {**node, "flow": public_id}
        else:
            kept[key] = node
    version = {**draft, "nodes": kept}
    document.read(version)
    return version


async def _with_words(conn: Conn, app: App, key: str, node: Mapping[str, object]) -> dict[str, object]:
    wanted = str(node["template"]).strip()
    found = await templates.find(conn, app, wanted)
    if found is None:
        text = f"Node {key} says the SMS template {wanted}, and there is no such template in this app"
        raise Invalid(text, field=f"document.nodes.{key}.template")
    template.compile_text(found.body)
    rest = {name: value for name, value in node.items() if name not in {"template", "text"}}
    return {"label": f"SMS template {found.name}"} | rest | {"text": found.body}
