"""Which carriers there are, and how a line to each is opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from heliograph.carriers import sandbox, sandbox_behaviour
from heliograph.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from heliograph.carriers.base import Carrier, Listener


class _Opener(Protocol):
    async def __call__(
        self, settings: Mapping[str, object], /, *, listener: Listener, name: str, transcript: Path
    ) -> Carrier: ...


@dataclass(frozen=True, slots=True)
class _Kind:
    read: Callable[[Mapping[str, object]], object]  # raises Invalid
    open: _Opener
    secrets: frozenset[str]  # settings that nobody may read again


_BY_NAME: dict[str, _Kind] = {
    "sandbox": _Kind(sandbox_behaviour.read, sandbox.open_line, sandbox_behaviour.SECRETS),
}

KINDS: tuple[str, ...] = tuple(sorted(_BY_NAME))
"""What a carrier account's ``kind`` can be."""


def check(kind: str, settings: Mapping[str, object]) -> None:
    """Raise :class:`Invalid`, naming the key and what is accepted, unless a line could be opened with these."""
    _kind(kind).read(settings)


def secrets(kind: str) -> frozenset[str]:
    """Which settings of a kind are secret: to be sealed at rest and never told. Raises :class:`Invalid`."""
    return _kind(kind).secrets


async def open_carrier(
    kind: str, settings: Mapping[str, object], *, listener: Listener, name: str, transcript: Path
) -> Carrier:
    """An open line. ``name`` is what logs and errors call it; ``transcript`` is where the sandbox keeps its record.

    Raises :class:`Invalid` for a wrong kind or wrong settings, :class:`heliograph.errors.CarrierDown` when
    the line cannot be opened.
    """
    return await _kind(kind).open(settings, listener=listener, name=name, transcript=transcript)


def _kind(kind: str) -> _Kind:
    found = _BY_NAME.get(kind)
    if found is None:
        message = f"There is no carrier of kind {kind!r}; there is: {', '.join(KINDS)}"
        raise Invalid(message, field="kind")
    return found
