"""Looking a flow over before it is published, and what a version of it keeps for ever."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import template
from heliograph.rules.flow import document, lint, nodes
from heliograph.store import lists, templates

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from heliograph.actions.flow_book import Book
    from heliograph.rules.flow.document import Flow
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
    own = {flow.name.lower(), itself}
    named = _names(flow)
    known = lint.Known(
        fields=columns,
        flows=[each for each in named[nodes.Go] if each.lower() in own or book.public_id(each) is not None],
        lists=[each for each in named[nodes.ListChange] if await lists.find(conn, app.app_id, each) is not None],
        templates=[each for each in named[nodes.Send] if await templates.find(conn, app, each) is not None],
        others=_others(book, flow.name, itself) if named[nodes.Go] else {},
    )
    return lint.lint(flow, known=known)


def _names(flow: Flow) -> dict[type, set[str]]:
    """What a flow names outside itself, as it writes it: flows, lists and templates."""
    found: dict[type, set[str]] = {nodes.Go: set(), nodes.ListChange: set(), nodes.Send: set()}
    for node in flow.nodes.values():
        match node:
            case nodes.Go():
                found[nodes.Go].add(node.flow)
            case nodes.ListChange():
                found[nodes.ListChange].add(node.list)
            case nodes.Send() if node.named is not None:
                found[nodes.Send].add(node.named)
            case _:
                pass
    return found


def _others(book: Book, name: str, itself: str | None) -> dict[str, Flow]:
    """The published flows by name, going to each other by name as well: versions know flows by their ids."""
    names = {public_id: called for public_id, called, _ in book.newest} | ({itself: name} if itself else {})
    found: dict[str, Flow] = {}
    for public_id, called, flow in book.newest:
        changed = {
            key: replace(node, flow=names.get(node.flow, node.flow)) if isinstance(node, nodes.Go) else node
            for key, node in flow.nodes.items()
        }
        if public_id != itself:
            found[called] = replace(flow, nodes=changed)
    return found


def told(found: Finding) -> dict[str, object]:
    """A finding as JSON."""
    return {
        "code": found.kind,
        "level": found.level,
        "node": found.node or None,
        "path": found.path,
        "message": found.words,
    }


def alone(draft: Mapping[str, object]) -> list[Finding]:
    """What the linter finds in a draft when nothing is known of the app that it is for."""
    return lint.lint(document.read(draft))


def refuse_faults(name: str, found: Sequence[Finding]) -> None:
    """Raise Invalid that tells every fault there is; advice is none."""
    faults = [each for each in found if each.fault]
    if faults:
        shown = "; ".join(each.words for each in faults[:SHOWN])
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        text = f"Experience flow {name} cannot be published: {shown}{more}"
        raise Invalid(text, field=".".join(each for each in ("document", faults[0].path) if each))


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
