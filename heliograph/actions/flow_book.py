"""The book of an app's flows: what a name or an id stands for, in the version that is wanted."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from heliograph.errors import Invalid
from heliograph.rules.flow import document, nodes, system
from heliograph.store import flow_versions, flows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from heliograph.rules.flow.document import Flow
    from heliograph.store.database import Conn

KEPT = 500  # versions that a process keeps as they were read


class Book:
    """Every published flow of an app in its newest version, and older ones that were asked for.

    Called with a name (in any case) or a ``cf-`` id, and a version (None: the newest), it answers the version and the
    flow, or None when there is no such; so it is what :mod:`heliograph.rules.flow.machine` takes for its flows. A
    conversation is kept with the public id: names change.
    """

    def __init__(
        self, newest: Mapping[str, int], names: Mapping[str, str], read: Mapping[tuple[str, int], Flow]
    ) -> None:
        self._newest = newest
        self._ids = {name.lower(): public_id for public_id, name in names.items()}
        self._names = names
        self._read = read

    def __call__(self, wanted: str, version: int | None) -> tuple[int, Flow] | None:
        """The flow of this name or id, and its version."""
        public_id = wanted if wanted in self._names else self._ids.get(wanted.lower(), wanted)
        number = self._newest.get(public_id) if version is None else version
        flow = None if number is None else self._read.get((public_id, number))
        return None if number is None or flow is None else (number, flow)

    def public_id(self, wanted: str) -> str | None:
        """The id of the published flow of this name, or of this id, or None."""
        return wanted if wanted in self._names else self._ids.get(wanted.lower())

    def name(self, public_id: str) -> str | None:
        """The name of the published flow with this id, or None."""
        return self._names.get(public_id)

    @property
    def newest(self) -> list[tuple[str, str, Flow]]:
        """Each published flow's id, its name, and its newest version."""
        return [(each, self._names[each], self._read[each, version]) for each, version in self._newest.items()]

    def entering(self, public_id: str) -> list[str]:
        """The names of the published flows that go to this one."""
        found = [
            name
            for each, name, flow in self.newest
            if each != public_id
            and any(
                isinstance(node, nodes.Go) and self.public_id(node.flow) == public_id for node in flow.nodes.values()
            )
        ]
        return sorted(found, key=str.lower)

    @property
    def names(self) -> list[str]:
        """The names of all published flows, in order."""
        return sorted(self._names.values(), key=str.lower)


def shipped() -> Book:
    """The flows that every app has, for whoever has no app at hand: their names stand for their ids."""
    every = {each.name: each.newest for each in system.ALL}
    read = {(each.name, each.newest): flow for each in system.ALL if (flow := each.flow()) is not None}
    return Book(every, {name: name for name in every}, read)


async def load(conn: Conn, app_id: int, wanted: Iterable[tuple[str, int | None]] = ()) -> Book:
    """The book of an app.

    ``wanted``: flows by public id and the versions that conversations under way began with (None: the newest, which
    is in it anyway); also of flows that were deleted meanwhile. What a process has read once it does not read again:
    a version never changes.
    """
    names: dict[str, str] = {}
    newest: dict[str, int] = {}
    read: dict[tuple[str, int], Flow] = {}
    for shipped, each in zip(await flows.list_system(conn, app_id), system.ALL, strict=True):
        names[shipped.public_id], newest[shipped.public_id] = shipped.name, each.newest
        for version in range(1, each.newest + 1):
            flow = each.flow(version)
            if flow is not None:
                read[shipped.public_id, version] = flow
    needed = {(public_id, version) for public_id, version in wanted if version is not None}
    for one in await flow_versions.list_published(conn, app_id):
        names[one.public_id], newest[one.public_id] = one.name, one.published_version
        needed.add((one.public_id, one.published_version))
    read |= await _versions(conn, app_id, needed - set(read))
    good = {public_id for public_id, version in newest.items() if (public_id, version) in read}
    return Book(
        {each: newest[each] for each in newest if each in good},
        {each: names[each] for each in names if each in good},
        read,
    )


async def _versions(conn: Conn, app_id: int, needed: set[tuple[str, int]]) -> dict[tuple[str, int], Flow]:
    found = {key: _kept[app_id, *key] for key in needed if (app_id, *key) in _kept}
    unread = needed - set(found)
    if unread:
        for key, raw in (await flow_versions.documents(conn, app_id, sorted(unread))).items():
            try:
                found[key] = _kept[app_id, *key] = document.read(raw)
            except Invalid:  # one that only an older Heliograph could read: it is as if there were none
                continue
    for key in found:
        _kept.move_to_end((app_id, *key))
    while len(_kept) > KEPT:
        _kept.popitem(last=False)
    return found


# Public ids are unique in the world, so one process may serve several databases, as tests do.
_kept: OrderedDict[tuple[int, str, int], Flow] = OrderedDict()
