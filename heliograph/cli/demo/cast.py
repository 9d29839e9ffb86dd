"""Who plays in the demonstration: a list, campaigns, and how the sandbox behaves."""

from __future__ import annotations

from typing import Any

LIST = "Renewal Due - May/June 2025"
SAID_NO = 12  # of the list's people are on the do-not-contact list
OWNER = ("Demo owner", "owner@example.com")  # who is signed in to its console
CALLER = "+12025550142"  # reserved for fiction, like every number here but the vendor's own sample below
PARTS_PER_SECOND = 500.0  # of that caller: fast enough to watch, slow enough to see priorities share it

# Everyday weather, and three or four texts whose answer is lost: they end as unknown.
SANDBOX: dict[str, Any] = {
    "latency_ms": [5, 60],
    "receipt_ms": [100, 1500],
    "refuse": 0.01,
    "receipt_failed": 0.03,
    "receipt_lost": 0.01,
    "receipt_duplicate": 0.01,
    "lost_answer": 0.0006,
    "answer_timeout_s": 3,
}

ALL_DAY = {"frequency": "DAILY", "timezone": "UTC", "days": [{"start": "12:00 AM", "end": "12:00 AM"}]}

# The campaign of the vendor's own page on deleting one, word for word.
SEED: dict[str, Any] = {
    "name": "Interactive Support SMS Campaign",
    "description": (
        "This campaign sends an SMS with a link or instructions to interact with a Kore.ai bot. Customers can check"
        " order status, raise tickets, or get help—all via chat-enabled SMS."
    ),
    "campaignType": "sms",
    "priority": "5",
    "format": "advanced",
    "experienceFlowName": "SMS Support Flow",
    "contactLists": [LIST],
    "dialingStrategy": {
        "callerId": {"phoneNumber": "+91987654321"},
        "callingHours": {
            "frequency": "WEEKLY",
            "timezone": "Asia/Kolkata",
            "days": [{"day": day, "start": "9:00 AM", "end": "6:00 PM"} for day in ("MO", "TU", "WE", "TH", "FR")],
        },
    },
    "schedule": {"isSchedulingEnabled": False},
}


def _simple(name: str, description: str, priority: int, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "campaignType": "sms",
        "priority": str(priority),
        "format": "simple",
        "message": {"message": text},
        "contactLists": [LIST],
        "dialingStrategy": {"callerId": {"phoneNumber": CALLER}, "callingHours": ALL_DAY},
        "schedule": {"isSchedulingEnabled": False},
    }


# What people write by themselves, line by line: the support flow answers the first ones; the rest waits in the inbox.
CALLERS = (
    ("Where is my order?", "1002", "Tomorrow is no good. Can I talk to a person?", "I am away until Thursday."),
    ("Can somebody call me about my renewal?", "The price is higher than last year."),
)

CAMPAIGNS = [
    SEED,
    _simple(
        "Renewal reminder",
        "Tells people that their plan is due.",
        5,
        "Hello {{first name}}, your {{plan}} plan renews on {{renewal date}}. Reply STOP to opt out.",
    ),
    _simple(
        "Spring sale",
        "Shares the line with the reminder, five to three.",
        3,
        "Hi <First Name>! Spring sale in {{city}}: 20% off every plan until Sunday. Reply STOP to opt out.",
    ),
]
