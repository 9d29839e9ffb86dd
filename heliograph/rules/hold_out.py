"""Who of a campaign's people is kept from it by the campaign itself: readers of others, and hold-outs.

Hold-outs are a share of the people of a campaign that is texted in none of its runs, to compare the others with.

Who is held out is drawn from the campaign and the number alone: the same in every run, in a preview, in a retry; and
another campaign draws others. They are drawn among those who would have been texted, so that the two groups differ
in nothing but the text.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading

if TYPE_CHECKING:
    from collections.abc import Callable

MOST = 50  # percent
MOST_CAMPAIGNS = 20
LONGEST_REF = 48
_LOTS = 1 << 64


def percent(raw: object, *, field: str = "holdOut") -> int:
    """The percents in a body; None is 0. Raises :class:`Invalid`."""
    if raw is None:
        return 0
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MOST:
        text = f"{field} is {reading.shown(raw)}. It takes a whole number of percents from 0 to {MOST}"
        raise Invalid(text, field=field)
    return raw


def excluded(raw: object, *, field: str = "exclude") -> tuple[str, ...]:
    """The campaigns in ``{"campaigns": [names or ids]}``, each once; None is none. Raises :class:`Invalid`."""
    if raw is None:
        return ()
    sent = reading.mapping(raw, field)
    names = sent.get("campaigns")
    if set(sent) - {"campaigns"} or not isinstance(names, list) or len(cast("list[object]", names)) > MOST_CAMPAIGNS:
        text = f"{field} is {reading.shown(raw)}. It takes campaigns, up to {MOST_CAMPAIGNS} names or ids"
        raise Invalid(text, field=field)
    found = [
        reading.name(entry, f"{field}.campaigns[{place}]", longest=LONGEST_REF)
        for place, entry in enumerate(cast("list[object]", names))
    ]
    return tuple(dict.fromkeys(found))


def is_held(campaign_id: str, number: str, share: int) -> bool:
    """Whether ``number`` is among the ``share`` percent of campaign ``campaign_id`` (``cd-``) that is held out."""
    return drawn(campaign_id, share)(number)


def drawn(campaign_id: str, share: int) -> Callable[[str], bool]:
    """What :func:`is_held` says of each number: for many of one campaign, at half the cost."""
    begun = blake2b(f"{campaign_id} ".encode(), digest_size=8)
    bound = (-(-share * _LOTS // 100)).to_bytes(8)  # of lots in the order of their octets, the first so many

    def is_held(number: str) -> bool:
        lot = begun.copy()
        lot.update(number.encode())
        return lot.digest() < bound

    return is_held
