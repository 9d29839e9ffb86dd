"""The pages of campaigns, all together: lists, one campaign's, making one, and what can go wrong with sending."""

from __future__ import annotations

from typing import TYPE_CHECKING

from heliograph.web import (
    campaign_check,
    campaign_form,
    campaign_list,
    campaign_page,
    campaign_people,
    campaign_verbs,
    panic,
    unknowns,
)

if TYPE_CHECKING:
    from starlette.routing import Route

    from heliograph.web.kit import Kit


def routes(kit: Kit) -> list[Route]:
    """The addresses of this section. What has a name of its own goes before what takes any word."""
    return [
        *campaign_list.routes(kit),
        *campaign_form.routes(kit),
        *panic.routes(kit),
        *unknowns.routes(kit),
        *campaign_check.routes_of(kit),
        *campaign_people.routes(kit),
        *campaign_page.routes(kit),
        *campaign_verbs.routes(kit),
    ]
