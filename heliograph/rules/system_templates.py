"""The SMS templates that every app has from the start. They can be used and copied, not edited or deleted.

"Welcome" is the vendor's; each of the others is a text that many campaigns begin with. All fit in one part with
ordinary names in them.
"""

from __future__ import annotations

from typing import NamedTuple

from heliograph.rules import ids


class SystemTemplate(NamedTuple):
    """A text under a name, its placeholders still in it."""

    name: str
    description: str
    body: str

    def id_in(self, app_id: str) -> str:
        """Its ``cmt-`` id in the app ``app_id`` (``st-…``), the same each time."""
        return ids.named("cmt", app_id, f"system/{self.name}")


ALL = (
    SystemTemplate(
        "Welcome",
        "Greets somebody who is new",
        "Hello <First Name>, welcome! We are glad to have you with us.",
    ),
    SystemTemplate(
        "Appointment Reminder",
        "Reminds of a day and an hour",
        "Hello <First Name>, this is a reminder of your appointment on <Date> at <Time>.",
    ),
    SystemTemplate(
        "Order Shipped",
        "Says that an order is on its way",
        "Hello <First Name>, your order <Order Number> is on its way to you.",
    ),
    SystemTemplate(
        "Payment Reminder",
        "Reminds of an amount and when it is due",
        "Hello <First Name>, your payment of <Amount> is due on <Due Date>.",
    ),
    SystemTemplate(
        "Thank You",
        "Thanks a customer",
        "Hello <First Name>, thank you for choosing us.",
    ),
)


def named(name: str) -> SystemTemplate | None:
    """The one of this name, without regard to case, or None."""
    return next((one for one in ALL if one.name.lower() == name.lower()), None)
