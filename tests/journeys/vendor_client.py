"""A client as customers of the vendor have them: addresses copied from the printed pages, nothing known of us.

``python vendor_client.py HOST APP ACCOUNT CLIENT_ID CLIENT_SECRET VERSION`` makes a list, adds contacts, makes a
campaign, schedules it and takes the schedule off, starts it, asks for its status, stops it, updates it, runs it to its
end and deletes everything. It signs its own tokens, needs nothing but Python, and prints one JSON object: what it saw.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.parse
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

# As printed, version by version: double slashes, prefixes that differ from call to call, ids in queries.
PRINTED = {
    "v1": {
        "create list": "POST /agentassist/api/v1/public/{app}/campaign/contactList/createContactList",
        "add contacts": "POST /api/1.1/public/{app}/campaign/contactList/addContacts",
        "get list": "GET /agentassist/api/v1/public/{app}/campaign/contactList/{list}",
        "contacts": "GET /agentassist/api/v1/public/{app}/campaign/contactList/{list}/getAllContacts",
        "create": "POST /agentassist/api/v1/public/{app}/campaign?campaignType=sms",
        "get": "GET /agentassist/api/v1/public/{app}/campaign/{campaign}/?accountId={account}",
        "list": "POST /agentassist/api/v1/public/{app}/campaign//getAllCampaignDetails?accountId={account}",
        "schedule": "POST /campaign/api/v2/public/{app}/campaign/schedule?enableSchedule={on}&campaignName={name}",
        "start": "POST /campaign/api/v1/public/{app}/campaign/{campaign}?campaignType=sms&trigger=play",
        "status": "POST /agentassist/api/v1/public/{app}/campaign/{campaign}/status?view={view}",
        "stop": "POST /campaign/api/v1/public/{app}/campaign/{campaign}?campaignType=sms&trigger=stop",
        "update": "PUT /agentassist/api/v1/public/{app}/campaign/{campaign}?campaignType=sms",
        "delete": "DELETE /agentassist/api/v1/public/{app}/campaign/{campaign}?campaignType=sms",
        "delete list": "DELETE /agentassist/api/v1/public/{app}/campaign/contactList/{list}",
    },
    "v2": {
        "create list": "POST /campaign/api/v2/public/{app}/campaign/contactList/createContactList?accountId={account}",
        "add contacts": "POST /api/1.1/public/{app}/campaign/contactList/addContacts",
        "get list": "GET /campaign/api/v2/public/{app}/campaign/contactList/{list}?accountId={account}",
        "contacts": "GET /campaign/api/v2/public/{app}/campaign/contactList/{list}/getAllContacts?accountId={account}",
        "create": "POST /campaign/api/v2/public/{app}/campaign?accountId={account}\\&campaignType=sms",
        "get": "GET /campaign/api/v2/public/{app}/campaign/{campaign}?accountId={account}",
        "list": "POST /campaign/api/v2/public/{app}/campaign/getAllCampaignDetails?accountId={account}",
        "schedule": "POST /campaign/api/v2/public/{app}/campaign/schedule?enableSchedule={on}&campaignName={name}",
        "start": "POST /campaign/api/v2/public/{app}/campaign/{campaign}?campaignType=sms&trigger=play",
        "status": "POST /campaign/api/v2/public/{app}/campaign/{campaign}/status?view={view}&accountId={account}",
        "stop": (
            "POST /campaign/api/v2/public/{app}/campaign//trigger/{campaign}"
            "?accountId={account}&campaignType=sms&trigger=stop"
        ),
        "update": "PUT /campaign/api/v2/public/{app}/campaign/{campaign}?accountId={account}&campaignType=sms",
        "delete": "DELETE /campaign/api/v2/public/{app}/campaign/{campaign}?accountId={account}&campaignType=sms",
        "delete list": "DELETE /campaign/api/v2/public/{app}/campaign/contactList/{list}?accountId={account}",
    },
}
PEOPLE = [{"phoneNumber": f"+120255501{n:02}", "first name": f"Person {n}", "tier": "gold"} for n in range(30)]
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def token(client_id: str, secret: str) -> str:
    """A JWT as the vendor's pages show it: HS256, the client in ``appId``, no end."""

    def packed(raw: bytes) -> bytes:
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    head = packed(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    claims = packed(json.dumps({"appId": client_id, "sub": "1234567890"}).encode())
    signature = hmac.new(secret.encode(), head + b"." + claims, hashlib.sha256).digest()
    return b".".join((head, claims, packed(signature))).decode()


class Client:
    """Calls by the printed addresses of one version."""

    def __init__(self, host: str, version: str, jwt: str, **ids: str) -> None:
        self.host, self.printed, self.jwt = host, PRINTED[version], jwt
        self.ids = ids

    def call(self, name: str, body: Any = None, **values: str) -> Any:
        """The JSON answered; anything but a 2xx ends the script."""
        verb, _, url = self.printed[name].partition(" ")
        quoted = {key: urllib.parse.quote(value) for key, value in (self.ids | values).items()}
        data = None if body is None else json.dumps(body).encode()
        headers = {"auth": self.jwt, "iid": self.ids["app"], "accountId": self.ids["account"]}
        request = urllib.request.Request(self.host + url.format(**quoted), data, headers, method=verb)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.loads(answer.read())

    def status(self) -> str:
        """The campaign's status in a word."""
        found: str = self.call("status", view="status")["data"]["status"]
        return found


def draft(name: str, contacts: str, hours: list[dict[str, str]]) -> dict[str, Any]:
    """A create body, as the pages show it."""
    return {
        "name": name,
        "description": "From a client of the vendor",
        "contactLists": [contacts],
        "campaignType": "sms",
        "priority": "5",
        "format": "simple",
        "message": {"message": "Hello <first name>, welcome", "templateId": ""},
        "dialingStrategy": {
            "callerId": {"phoneNumber": "+12025550199"},
            "callingHours": {"frequency": "WEEKLY", "timezone": "UTC", "days": hours},
        },
        "schedule": {"isSchedulingEnabled": False},
    }


def run(client: Client, version: str) -> dict[str, Any]:
    """The whole life of a list and a campaign; what was seen on the way."""
    seen: dict[str, Any] = {}
    contacts, name = f"Leads {version}", f"Spring Sale {version}"
    made = client.call("create list", {"name": contacts, "description": "d", "source": "passiveApi"})
    client.ids["list"] = made["data"]["_id"]
    seen["added"] = client.call("add contacts", {"contact_list_name": contacts, "data": PEOPLE})["message"]
    seen["records"] = client.call("get list")["data"]["totalRecordCount"]
    seen["contacts"] = client.call("contacts")["data"]["totalResults"]

    # Open in three days' time only: whoever is to be texted has to wait, so that there is something to stop.
    later = datetime.now(UTC) + timedelta(days=3)
    closed = [{"day": DAYS[later.weekday()], "start": "9:00 AM", "end": "6:00 PM"}]
    always = [{"day": day, "start": "12:00 AM", "end": "12:00 AM"} for day in DAYS]
    created = client.call("create", draft(name, contacts, closed))
    client.ids["campaign"], client.ids["name"] = created["data"]["_id"], name
    seen["created"] = created["data"]["status"]
    seen["listed"] = [one["name"] for one in client.call("list", {"type": "sms"})["data"]["results"]]

    start, end = (f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d} 9:00:00" for days in (30, 60))
    daily = {"recurType": "Daily", "dailyDetails": {"onceEveryNdays": 2}}
    body = {"startDateTime": start, "endDateTime": end, "recurrenceObject": daily}
    client.call("schedule", body, on="true")
    seen["scheduled"] = client.status()
    client.call("schedule", {}, on="false")
    seen["unscheduled"] = client.status()

    seen["started"] = client.call("start", {})["status"]
    seen["running"] = client.status()
    seen["stopped"] = client.call("stop", {})["status"]
    updated = client.call("update", draft(name, contacts, always) | {"priority": 3})
    seen["updated"] = updated["data"]["priority"]
    seen["instance"] = client.call("get")["data"]["campaignInstanceId"][:4]

    client.call("start", {})
    for _ in range(200):
        if client.status() == "Completed":
            break
        time.sleep(0.1)
    seen["finished"] = client.status()
    people = client.call("status", {"page": 1, "limit": 100}, view="contacts")["data"]
    seen["texted"] = sorted({one["phoneNumber"] for one in people["results"]})
    seen["deleted"] = client.call("delete")["data"]["status"]
    seen["deleted list"] = client.call("delete list")["message"]
    seen["left"] = client.call("list", {"type": "sms"})["data"]["totalResults"]
    return seen


def main() -> None:
    """Run it as the command line says."""
    host, app, account, client_id, secret, version = sys.argv[1:]
    client = Client(host, version, token(client_id, secret), app=app, account=account)
    print(json.dumps(run(client, version)))  # noqa: T201


if __name__ == "__main__":
    main()
