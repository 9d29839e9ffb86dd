"""An app after years of use: rows in every table that pages read, in the shape the product writes, made by SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, LiteralString

from heliograph import config
from heliograph.actions import dnc, flows, webhooks
from heliograph.actions import seal as seals
from heliograph.store import lists
from heliograph.web.flow_forms import STARTER
from tests.bench import rig as rigs

if TYPE_CHECKING:
    from tests.bench.rig import Rig

OTHERS = 100  # campaigns besides the two large ones
SHARE = 50  # one of so many people has written
_NUMBER = """'+1' || lpad((n / 100 %% 1000)::text, 3, '0') || '55501' || lpad((n %% 100)::text, 2, '0')
             || CASE WHEN n >= 100000 THEN (n / 100000)::text ELSE '' END"""  # as rig.number

CONTACTS: LiteralString = f"""
INSERT INTO contact (app_id, list_id, seq, number, time_zone, priority, fields, created_at, updated_at)
SELECT %(app_id)s, %(list_id)s, n, {_NUMBER}, NULL, NULL,
       json_build_object('phoneNumber', {_NUMBER}, 'firstName', (ARRAY['Ada','Bo','Chidi','Dilnoza'])[n %% 4 + 1],
                         'lastName', 'Person ' || n, 'city', (ARRAY['Pune','Graz','Lima','Leeds'])[n %% 4 + 1]),
       %(now)s, %(now)s
FROM generate_series(1, %(people)s::int) AS n
"""
GROW = """
UPDATE contact_list SET contact_count = %(people)s, last_seq = %(people)s,
       columns = '{phoneNumber,firstName,lastName,city}'
WHERE app_id = %(app_id)s AND list_id = %(list_id)s
"""
MESSAGES: LiteralString = f"""
INSERT INTO message (app_id, run_id, seq, list_id, contact_seq, number, text, parts)
SELECT %(app_id)s, %(run_id)s, n, %(list_id)s, n, {_NUMBER}, NULL, 1 FROM generate_series(1, %(people)s::int) AS n
"""
CHUNKS = """
INSERT INTO chunk (app_id, run_id, chunk_no, sender_id, zone, due_at, first_seq, last_seq, next_seq, done)
SELECT %(app_id)s, %(run_id)s, n + 1, %(sender_id)s, 'UTC',
       CASE WHEN n * 500 < %(sent)s THEN %(now)s ELSE %(later)s::timestamptz END, n * 500 + 1,
       least(n * 500 + 500, %(people)s::int),
       CASE WHEN n * 500 < %(sent)s THEN least(n * 500 + 500, %(people)s::int) ELSE n * 500 END + 1, n * 500 < %(sent)s
FROM generate_series(0, (%(people)s::int - 1) / 500) AS n
"""
# Of a hundred: 91 delivered, 5 accepted, 2 failed, 2 suppressed; of a thousand of the accepted, a few unknown.
OUTCOMES = """
INSERT INTO outcome (app_id, run_id, seq, status, reason, account_id, carrier_ref, submitted_at, settled_at)
SELECT %(app_id)s, %(run_id)s, n, s::message_status,
       CASE s WHEN 'failed' THEN (ARRAY['EC_ABSENT_SUBSCRIBER', 'EC_UNKNOWN_SUBSCRIBER'])[n %% 2 + 1]
              WHEN 'suppressed' THEN 'dnc_list' WHEN 'unknown' THEN 'worker_gone' END,
       CASE WHEN s <> 'suppressed' THEN %(account_id)s::int END,
       CASE WHEN s NOT IN ('suppressed', 'unknown') THEN 'sb-' || %(run_id)s || '-' || n END,
       CASE WHEN s <> 'suppressed' THEN %(began)s::timestamptz + n * interval '1 ms' END,
       %(began)s::timestamptz + n * interval '1 ms'
FROM generate_series(1, %(sent)s::int) AS n
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 5000 = 95 THEN 'unknown' WHEN n %% 100 < 91 THEN 'delivered'
                                WHEN n %% 100 < 96 THEN 'accepted' WHEN n %% 100 < 98 THEN 'failed'
                                ELSE 'suppressed' END AS s) AS x
"""
PAGES = """
INSERT INTO run_page (app_id, run_id, before, first_seq)
SELECT %(app_id)s, %(run_id)s, n * 5000, n * 5000 + 1 FROM generate_series(0, (%(people)s::int - 1) / 5000) AS n
"""
TALLY = """
UPDATE tally t SET total = %(people)s, waiting = %(people)s - %(sent)s, unknown = o.unknown, accepted = o.accepted,
                   failed = o.failed, delivered = o.delivered, suppressed = o.suppressed
FROM (SELECT count(*) FILTER (WHERE status = 'unknown') AS unknown,
             count(*) FILTER (WHERE status = 'accepted') AS accepted,
             count(*) FILTER (WHERE status = 'failed') AS failed,
             count(*) FILTER (WHERE status = 'delivered') AS delivered,
             count(*) FILTER (WHERE status = 'suppressed') AS suppressed
      FROM outcome WHERE app_id = %(app_id)s AND run_id = %(run_id)s) AS o
WHERE t.app_id = %(app_id)s AND t.run_id = %(run_id)s AND t.sender_id = %(sender_id)s
"""
RUN = """
UPDATE run SET planned_at = %(began)s, started_at = %(began)s, last_seq = %(people)s, audience = %(people)s,
               last_chunk = (%(people)s::int - 1) / 500 + 1,
               ended_at = CASE WHEN %(sent)s = %(people)s THEN %(began)s::timestamptz + interval '1 hour' END,
               end_reason = CASE WHEN %(sent)s = %(people)s THEN 'completed' END
WHERE app_id = %(app_id)s AND run_id = %(run_id)s
"""
CAMPAIGN = """
UPDATE campaign SET status = CASE WHEN %(sent)s = %(people)s THEN 'Completed'::campaign_status ELSE status END,
                    created_at = %(began)s
WHERE app_id = %(app_id)s AND campaign_id = %(campaign_id)s
"""

EXTRAS: tuple[LiteralString, ...] = (
    f"""INSERT INTO session (app_id, run_id, seq, number, address, address_key, list_id, contact_seq, flow, version,
                             state, node, data, opened, asked_at, said_run, said_seq, texts, answers, started_at,
                             left_at, first_answer_at, ended_at, result)
        SELECT %(app_id)s, %(run_id)s, n, {_NUMBER}, '+12025550100', '+12025550100', %(list_id)s, n, %(flow)s, 1,
               CASE WHEN n %% 10 = 0 THEN 'answer' ELSE 'ended' END, 'start', '{{}}', true, %(began)s, %(run_id)s, n, 1,
               1, %(began)s, %(began)s, %(began)s::timestamptz + n * interval '1 ms',
               CASE WHEN n %% 10 > 0 THEN %(began)s::timestamptz + interval '1 hour' END,
               CASE WHEN n %% 10 > 0 THEN 'done' END
        FROM generate_series(1, %(some)s::int) AS n""",
    f"""INSERT INTO reply (app_id, account_id, carrier_ref, number, address, text, written_at, received_at, handled_at,
                           became)
        SELECT %(app_id)s, %(account_id)s, 'mo-' || n, {_NUMBER}, '+12025550100', 'Where is my parcel?', %(began)s,
               %(began)s, %(began)s, 'inbox' FROM generate_series(1, %(some)s::int) AS n""",
    f"""INSERT INTO conversation (app_id, public_id, number, address, sent_from, open, why_open, unread, preview,
                                  last_in_at, last_at, opened_at, closed_at, created_at, updated_at)
        SELECT %(app_id)s, 'cv-' || gen_random_uuid(), {_NUMBER}, '+12025550100', '+12025550100', n %% 3 = 0,
               CASE WHEN n %% 3 = 0 THEN 'reply' END, CASE WHEN n %% 6 = 0 THEN 1 ELSE 0 END, 'Where is my parcel?',
               %(began)s, %(began)s::timestamptz + n * interval '1 ms', %(began)s,
               CASE WHEN n %% 3 > 0 THEN %(began)s::timestamptz END, %(began)s, %(began)s
        FROM generate_series(1, %(some)s::int) AS n""",
    f"""INSERT INTO opt_out (app_id, number, address, kind, source, reason, created_at)
        SELECT %(app_id)s, {_NUMBER}, '', CASE WHEN n %% 20 = 0 THEN 'review' ELSE 'no' END, 'reply', 'STOP', %(began)s
        FROM generate_series(1, %(some)s::int) AS n""",
    f"""INSERT INTO consent (app_id, number, what, how, word, text, source, address, at, recorded_at)
        SELECT %(app_id)s, {_NUMBER}, 'opt_out', 'keyword', 'stop', 'STOP', 'reply', '+12025550100', %(began)s,
               %(began)s FROM generate_series(1, %(some)s::int) AS n""",
    f"""INSERT INTO dnc_entry (app_id, list_id, number, reason, source, created_at)
        SELECT %(app_id)s, %(dnc_id)s, {_NUMBER}, 'asked not to be called', 'import', %(began)s
        FROM generate_series(1, %(some)s::int) AS n""",
    """UPDATE contact_list SET contact_count = %(some)s WHERE app_id = %(app_id)s AND list_id = %(dnc_id)s""",
    """INSERT INTO audit (app_id, at, kind, actor, name, address, verb, object, what, outcome)
       SELECT CASE WHEN n %% 20 > 0 THEN %(app_id)s::int END, %(began)s::timestamptz + n * interval '1 s', 'client',
              'cs-' || n %% 9, 'Client ' || n %% 9, '198.51.100.7', 'POST campaigns', '', 'Created a campaign', 'done'
       FROM generate_series(1, %(some)s::int) AS n""",
    """INSERT INTO webhook_delivery (app_id, webhook_id, event_id, event, data, state, tries, created_at)
       SELECT %(app_id)s, %(webhook_id)s, 'ev-' || gen_random_uuid(), 'campaign.completed', '{}',
              CASE WHEN n %% 50 = 0 THEN 'failed' ELSE 'delivered' END, 1, %(began)s
       FROM generate_series(1, %(some)s::int) AS n""",
    """INSERT INTO webhook_try (app_id, webhook_id, delivery_id, try_no, at, ms, status)
       SELECT app_id, webhook_id, delivery_id, 1, created_at, 30, 200 FROM webhook_delivery
       WHERE app_id = %(app_id)s""",
    """INSERT INTO import_job (app_id, public_id, list_id, file_name, size, state, dry_run, rows, added, created_at,
                               touched_at, started_at, ended_at)
       SELECT %(app_id)s, 'im-' || gen_random_uuid(), %(list_id)s, 'people ' || n || '.csv', 1000000, 'done', false,
              10000, 10000, %(began)s, %(began)s, %(began)s, %(began)s FROM generate_series(1, 300) AS n""",
    """INSERT INTO template (app_id, public_id, name, lname, body, created_at, updated_at)
       SELECT %(app_id)s, 'cmt-' || gen_random_uuid(), 'Template ' || n, 'template ' || n, 'Hello {{name}}', %(began)s,
              %(began)s FROM generate_series(1, 300) AS n""",
    """INSERT INTO sender_day (app_id, sender_id, day, parts)
       SELECT %(app_id)s, %(sender_id)s, %(now)s::date - n, 10000 FROM generate_series(1, 365) AS n""",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Crowd:
    """What was made: the public ids of the campaign that runs and of the list of everybody, and where to look deep."""

    app: str
    running: str
    messages: int
    everybody: str
    people: int
    webhook: str


async def gather(rig: Rig, messages: int) -> Crowd:
    """So many messages: half of them of a campaign half way, a quarter of one that is over, the others of a hundred.

    Half as many people on one list; one of fifty has written and is in every table of those who did.
    """
    now = config.utc_now()
    people = messages // 2
    few = await rig.add_list(10)
    async with rig.db.transaction() as conn:
        everybody = await lists.create(
            conn, rig.app.app_id, kind="call", name="Everybody", description="", source="passiveApi",
            allow_duplicates=True, now=now,
        )  # fmt: skip
    values: dict[str, object] = {
        "app_id": rig.app.app_id, "list_id": everybody.list_id, "people": people, "now": now,
        "later": now + timedelta(days=2), "account_id": await rig.account_id(),
    }  # fmt: skip
    await rig.execute(CONTACTS, values)
    await rig.execute(GROW, values)
    for n in range(OTHERS):
        part = max(100, messages // 4 // OTHERS)
        await _run(rig, few, values, part, part, timedelta(days=2 + n))
    await _run(rig, few, values, messages // 4, messages // 4, timedelta(days=1))
    running, values = await _run(rig, few, values, people, people // 1000 * 500, timedelta(hours=1))
    webhook = await _extras(rig, values, people * 2 // SHARE)
    await rig.execute("VACUUM ANALYZE")
    return Crowd(rig.app.public_id, running, messages, everybody.public_id, people, webhook)


async def _run(
    rig: Rig, few: str, values: dict[str, object], people: int, sent: int, ago: timedelta
) -> tuple[str, dict[str, object]]:
    """A campaign that began so long ago, to the first so many people; its public id, and what tells of it."""
    campaign = await rig.play(await rig.create(few, rigs.PLAIN))
    values = values | {
        "run_id": campaign.run_id, "campaign_id": campaign.campaign_id, "people": people, "sent": sent,
        "began": config.utc_now() - ago, "sender_id": await _sender(rig, campaign.run_id or 0),
    }  # fmt: skip
    for statement in (MESSAGES, CHUNKS, OUTCOMES, PAGES, TALLY, RUN, CAMPAIGN):
        await rig.execute(statement, values)
    return campaign.public_id, values


async def _sender(rig: Rig, run_id: int) -> int:
    async with rig.db.connection() as conn:
        row = await (await conn.execute("SELECT sender_id FROM run WHERE run_id = %s", (run_id,))).fetchone()
    return int(row[0]) if row else 0


async def _extras(rig: Rig, values: dict[str, object], some: int) -> str:
    """What people wrote, who said no, what was done and told; the webhook's public id."""
    now = config.utc_now()
    body = {"name": "Call back", "document": STARTER | {"name": "Call back"}, "publish": True}
    flow = (await flows.create(rig.db, rig.app, body, by="bench", now=now)).flow
    kept = await dnc.create(rig.db, rig.app, name="Not these", now=now)
    seal = seals.from_settings(rig.settings)
    told = {"url": "https://hooks.example.com/sms", "events": ["campaign.completed"]}
    webhook, _ = await webhooks.create(rig.db, seal, rig.app, told, now=now)
    values = values | {"some": some, "flow": flow.public_id, "dnc_id": kept.list_id, "webhook_id": webhook.webhook_id}
    for statement in EXTRAS:
        await rig.execute(statement, values)
    return webhook.public_id
