"""Every path of the API, a line each.

A path stands below a version's prefix and the app's id (see paths.py). ``{x:ref}`` takes an id or a name, but
none of the API's own words. A handler's docstring is its entry at /docs: first line the title, the rest the text.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.responses import JSONResponse
from starlette.responses import Response as Plain

from heliograph.api import (
    app_secrets,
    audience,
    campaigns,
    carrier_accounts,
    contacts,
    dnc_entries,
    dnc_lists,
    envelope,
    explain,
    files,
    flow_files,
    flows,
    imports,
    inbox_routes,
    lists,
    opt_outs,
    panics,
    pools,
    previews,
    pulls,
    repeats,
    schedules,
    senders,
    sending,
    settings,
    shapes,
    talks,
    templates,
    unknowns,
    why,
)
from heliograph.api import campaign_shapes as forms
from heliograph.api import dnc_shapes as no
from heliograph.api import filter_shapes as whom
from heliograph.api import flow_shapes as talk
from heliograph.api import import_shapes as taken
from heliograph.api import opt_out_shapes as refusal
from heliograph.api import panic_shapes as halt
from heliograph.api import preview_shapes as ahead
from heliograph.api import pull_shapes as whence
from heliograph.api import schedule_shapes as times
from heliograph.api import sender_shapes as through
from heliograph.api import sending_shapes as texts
from heliograph.api import talk_shapes as spoken
from heliograph.api import template_shapes as said
from heliograph.api import unknown_shapes as lost
from heliograph.api import why_shapes as reasons
from heliograph.api.paths import V1, V1_ADD, V1_SMS, V1_START, V2
from heliograph.api.route import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from fastapi import FastAPI
    from starlette.responses import Response
    from starlette.routing import BaseRoute


ALL = "/campaign"
ONE = "/campaign/{campaignId:ref}"
LIST = "/campaign/contactList"
VAULT = "/secrets/{secretName:ref}"
SAID = "/templates"
PERSON = LIST + "/{listId:ref}/contacts/{contactId:ref}"
IMPORTS = "/contactLists/{listId:ref}/imports"
IMPORT = IMPORTS + "/{importId:ref}"
DNC = "/dncLists"
DNC_ONE = DNC + "/{dncListId:ref}"
ENTRIES = DNC_ONE + "/entries"
ENTRY = ENTRIES + "/{phoneNumber:ref}"
NO = "/optOuts"
NO_ONE = NO + "/numbers/{phoneNumber:ref}"
ACCOUNTS = "/carrierAccounts"
ACCOUNT = ACCOUNTS + "/{carrierAccountId:ref}"
SENDERS = "/senders"
SENDER = SENDERS + "/{senderId:ref}"
FLOWS = "/experienceFlows"
FLOW = FLOWS + "/{experienceFlowId:ref}"
UNKNOWN = "/unknownMessages"
POOLS = "/senderPools"
POOL = POOLS + "/{senderPoolId:ref}"

ROUTES = (
    # campaigns
    Route("POST", ALL, campaigns.create, forms.CampaignAnswer, forms.CampaignDraft, makes="campaignId"),
    Route("POST", ALL + "/getAllCampaignDetails", campaigns.list_all, forms.CampaignsAnswer, forms.CampaignQuery),
    Route("GET", ONE, campaigns.get, forms.CampaignAnswer),
    Route("PUT", ONE, campaigns.update, forms.CampaignAnswer, forms.CampaignDraft),
    Route("DELETE", ONE, campaigns.delete, forms.CampaignAnswer),
    Route("POST", ONE + "/clone", campaigns.clone, forms.CampaignAnswer, said.CopyName, shown=(V2,)),
    Route("POST", ONE + "/audience", audience.count, whom.AudienceAnswer, whom.AudienceQuery, shown=(V2,)),
    Route("POST", ONE, campaigns.start_or_stop, forms.TriggerAnswer, shapes.Empty, shown=(V1_START, V2)),
    Route("POST", ALL + "/trigger/{campaignId:ref}", campaigns.start_or_stop_2, forms.TriggerAnswer, shapes.Empty),
    Route("GET", ONE + "/status", campaigns.status, forms.CampaignStatusAnswer),
    Route("POST", ONE + "/status", campaigns.status, forms.CampaignStatusAnswer, forms.PeopleQuery),
    Route("GET", ONE + "/preview", previews.get, ahead.PreviewAnswer, shown=(V2,)),
    Route("GET", ONE + "/conversations", talks.numbers, spoken.RunTalksAnswer, shown=(V2,)),
    Route("GET", ONE + "/conversations/sessions", talks.sessions, spoken.SessionsAnswer, shown=(V2,)),
    Route(
        "GET",
        ONE + "/conversations/sessions/{sessionId:ref}",
        talks.transcript,
        spoken.TranscriptAnswer,
        shown=(V2,),
    ),
    Route("GET", ONE + "/why", why.get, reasons.WhyAnswer, shown=(V2,)),
    Route("GET", "/explain", explain.get, reasons.StoryAnswer, shown=(V2,)),
    # schedules
    Route("POST", ALL + "/schedule", schedules.switch, times.ScheduleAnswer, times.ScheduleDraft, shown=(V2,)),
    Route("GET", ONE + "/schedule", schedules.get, times.ScheduleRecordAnswer, shown=(V2,)),
    # texts out of turn
    Route("POST", "/outboundsms", sending.outbound_sms, texts.OutboundSmsAnswer, texts.OutboundSms, shown=(V1_SMS,)),
    Route(
        "POST",
        ALL + "/{campaignInstanceId:ref}/callContactAt",
        sending.call_contact_at,
        texts.RetimesAnswer,
        texts.Retimes,
        shown=(V2,),
    ),
    Route("POST", ONE + "/retry", sending.retry, texts.RetryAnswer, texts.Retry, shown=(V2,)),
    # SMS templates
    Route("POST", SAID, templates.create, said.TemplateAnswer, said.TemplateDraft, shown=(V2,), makes="templateId"),
    Route("GET", SAID, templates.list_page, said.TemplatesAnswer, shown=(V2,)),
    Route("GET", SAID + "/{templateId:ref}", templates.get, said.TemplateAnswer, shown=(V2,)),
    Route("PUT", SAID + "/{templateId:ref}", templates.update, said.TemplateAnswer, said.TemplateChanges, shown=(V2,)),
    Route("DELETE", SAID + "/{templateId:ref}", templates.delete, said.TemplateAnswer, shown=(V2,)),
    Route(
        "POST",
        SAID + "/{templateId:ref}/preview",
        templates.preview,
        said.TemplatePreviewAnswer,
        said.TemplateSample,
        shown=(V2,),
    ),
    Route(
        "POST",
        SAID + "/{templateId:ref}/clone",
        templates.clone,
        said.TemplateAnswer,
        said.CopyName,
        shown=(V2,),
        makes="templateId",
    ),
    # contact lists
    Route("POST", LIST + "/createContactList", lists.create, shapes.ListAnswer, shapes.ListDraft, makes="listId"),
    Route("GET", LIST + "/getAllListDetails", lists.list_all, shapes.ListsAnswer),
    Route("POST", LIST + "/getAllListDetails", lists.list_all, shapes.ListsAnswer, shapes.Empty),
    Route("GET", LIST + "/{listId:ref}", lists.get, shapes.ListAnswer),
    Route("PUT", LIST + "/{listId:ref}", lists.update, shapes.ListUpdateAnswer, shapes.ListChanges),
    Route("DELETE", LIST + "/{listId:ref}", lists.delete, shapes.ListAnswer),
    # lists that pull
    Route("POST", LIST + "/{listId:ref}/sync", pulls.sync, whence.SyncAskedAnswer, shapes.Empty, shown=(V2,)),
    Route("GET", LIST + "/{listId:ref}/syncLogs", pulls.logs, whence.SyncLogsAnswer, shown=(V2,)),
    Route("GET", LIST + "/{listId:ref}/syncLogs/export", pulls.export, whence.SyncLogFile, shown=(V2,)),
    Route("POST", LIST + "/{listId:ref}/testPull", pulls.try_out, whence.PullTrialAnswer, whence.PullTest, shown=(V2,)),
    Route("GET", "/secrets", app_secrets.list_all, whence.SecretsAnswer, shown=(V2,)),
    Route("PUT", VAULT, app_secrets.put, whence.SecretAnswer, whence.SecretDraft, shown=(V2,)),
    Route("DELETE", VAULT, app_secrets.delete, whence.SecretAnswer, shown=(V2,)),
    # contacts of a list
    Route("POST", LIST + "/addContacts", contacts.add, shapes.MessageAnswer, shapes.ContactsDraft, shown=(V1_ADD, V2)),
    Route("GET", LIST + "/{listId:ref}/getAllContacts", contacts.list_page, shapes.ContactsAnswer),
    Route("GET", PERSON, contacts.get, shapes.ContactAnswer, shown=(V2,)),
    Route("PUT", PERSON, contacts.update, shapes.ContactAnswer, shapes.ContactChanges, shown=(V2,)),
    Route("DELETE", PERSON, contacts.remove, shapes.ContactAnswer, shown=(V2,)),
    Route("GET", LIST + "/{listId:ref}/export", contacts.export, shapes.CsvAnswer, shown=(V2,)),
    Route("POST", "/contactLists/{listId:ref}/file", contacts.upload, shapes.ImportAnswer, shapes.CsvFile, shown=(V2,)),
    # files that a worker takes in
    Route("POST", IMPORTS, imports.begin, taken.ImportJobAnswer, shapes.CsvFile, (V2,), 202),
    Route("GET", IMPORTS, imports.list_page, taken.ImportsAnswer, shown=(V2,)),
    Route("GET", IMPORT, imports.get, taken.ImportJobAnswer, shown=(V2,)),
    Route("DELETE", IMPORT, imports.cancel, taken.ImportJobAnswer, shown=(V2,)),
    Route("GET", IMPORT + "/verdicts", imports.verdicts, shapes.CsvAnswer, shown=(V2,)),
    Route("POST", IMPORT + "/run", imports.run, taken.ImportJobAnswer, shapes.Empty, (V2,), 202),
    # people who are not to be texted
    Route("POST", DNC, dnc_lists.create, no.DncListAnswer, no.DncListDraft, shown=(V2,), makes="dncListId"),
    Route("GET", DNC, dnc_lists.list_all, no.DncListsAnswer, shown=(V2,)),
    Route("GET", DNC_ONE, dnc_lists.get, no.DncListAnswer, shown=(V2,)),
    Route("PUT", DNC_ONE, dnc_lists.update, no.DncListAnswer, no.DncListChanges, shown=(V2,)),
    Route("DELETE", DNC_ONE, dnc_lists.delete, no.DncListAnswer, shown=(V2,)),
    Route("POST", ENTRIES, dnc_entries.add, no.DncAddedAnswer, no.DncEntriesDraft, shown=(V2,)),
    Route("GET", ENTRIES, dnc_entries.list_page, no.DncEntriesAnswer, shown=(V2,)),
    Route("POST", ENTRIES + "/remove", dnc_entries.remove_many, no.DncRemovedAnswer, no.DncNumbers, shown=(V2,)),
    Route("GET", ENTRY, dnc_entries.get, no.DncEntryAnswer, shown=(V2,)),
    Route("PUT", ENTRY, dnc_entries.update, no.DncEntryAnswer, no.DncEntryChanges, shown=(V2,)),
    Route("DELETE", ENTRY, dnc_entries.remove, no.DncEntryAnswer, shown=(V2,)),
    Route("POST", DNC_ONE + "/file", dnc_entries.upload, shapes.ImportAnswer, no.DncCsvFile, shown=(V2,)),
    Route("GET", DNC_ONE + "/export", dnc_entries.export, shapes.CsvAnswer, shown=(V2,)),
    # who said no, and the evidence
    Route("GET", NO, opt_outs.list_page, refusal.OptOutsAnswer, shown=(V2,)),
    Route("POST", NO, opt_outs.record, refusal.RecordedAnswer, refusal.ConsentEvents, shown=(V2,)),
    Route("POST", NO + "/file", opt_outs.upload, refusal.RecordedFileAnswer, refusal.ConsentFile, shown=(V2,)),
    Route("GET", NO + "/export", opt_outs.export, shapes.CsvAnswer, shown=(V2,)),
    Route("GET", NO_ONE, opt_outs.get, refusal.OptOutAnswer, shown=(V2,)),
    Route("DELETE", NO_ONE, opt_outs.remove, refusal.OptOutAnswer, shown=(V2,)),
    Route("POST", NO_ONE + "/review", opt_outs.decide, refusal.OptOutAnswer, refusal.ReviewDecision, shown=(V2,)),
    # through whom texts leave
    Route(
        "POST",
        ACCOUNTS,
        carrier_accounts.create,
        through.CarrierAccountAnswer,
        through.CarrierAccountDraft,
        shown=(V2,),
        makes="carrierAccountId",
    ),
    Route("GET", ACCOUNTS, carrier_accounts.list_all, through.CarrierAccountsAnswer, shown=(V2,)),
    Route("GET", ACCOUNT, carrier_accounts.get, through.CarrierAccountAnswer, shown=(V2,)),
    Route(
        "PUT",
        ACCOUNT,
        carrier_accounts.update,
        through.CarrierAccountAnswer,
        through.CarrierAccountChanges,
        shown=(V2,),
    ),
    Route("DELETE", ACCOUNT, carrier_accounts.delete, through.CarrierAccountAnswer, shown=(V2,)),
    Route("GET", ACCOUNT + "/health", carrier_accounts.health, through.HealthAnswer, shown=(V2,)),
    Route("POST", ACCOUNT + "/resume", carrier_accounts.resume, through.CarrierAccountAnswer, shown=(V2,)),
    Route("POST", ACCOUNT + "/test", carrier_accounts.test, through.TestAnswer, through.TestText, shown=(V2,)),
    Route("POST", SENDERS, senders.create, through.SenderAnswer, through.SenderDraft, shown=(V2,), makes="senderId"),
    Route("GET", SENDERS, senders.list_all, through.SendersAnswer, shown=(V2,)),
    Route("GET", SENDER, senders.get, through.SenderAnswer, shown=(V2,)),
    Route("PUT", SENDER, senders.update, through.SenderAnswer, through.SenderChanges, shown=(V2,)),
    Route("DELETE", SENDER, senders.delete, through.SenderAnswer, shown=(V2,)),
    Route("POST", SENDER + "/test", senders.test, through.TestAnswer, through.TestText, shown=(V2,)),
    Route("POST", POOLS, pools.create, through.PoolAnswer, through.PoolDraft, shown=(V2,), makes="senderPoolId"),
    Route("GET", POOLS, pools.list_all, through.PoolsAnswer, shown=(V2,)),
    Route("GET", POOL, pools.get, through.PoolAnswer, shown=(V2,)),
    Route("PUT", POOL, pools.update, through.PoolAnswer, through.PoolChanges, shown=(V2,)),
    Route("DELETE", POOL, pools.delete, through.PoolAnswer, shown=(V2,)),
    # messages of unknown fate
    Route("GET", UNKNOWN, unknowns.list_page, lost.UnknownAnswer, shown=(V2,)),
    Route("POST", UNKNOWN + "/ask", unknowns.ask, lost.AskedAnswer, lost.UnknownChoice, shown=(V2,)),
    Route("POST", UNKNOWN + "/wait", unknowns.wait, lost.DecidedAnswer, lost.UnknownWait, shown=(V2,)),
    Route("POST", UNKNOWN + "/accept", unknowns.accept, lost.DecidedAnswer, lost.UnknownChoice, shown=(V2,)),
    Route("POST", UNKNOWN + "/resend", unknowns.resend, lost.ResentAnswer, lost.UnknownChoice, shown=(V2,)),
    # the panic button
    Route("GET", "/panic", panics.list_all, halt.PanicsAnswer, shown=(V2,)),
    Route("POST", "/panic", panics.press, halt.PanicAnswer, halt.PanicDraft, shown=(V2,)),
    Route("DELETE", "/panic", panics.release, halt.PanicAnswer, shown=(V2,)),
    Route("POST", SENDER + "/panic", panics.press_sender, halt.PanicAnswer, halt.PanicDraft, shown=(V2,)),
    Route("DELETE", SENDER + "/panic", panics.release_sender, halt.PanicAnswer, shown=(V2,)),
    # experience flows
    Route("POST", FLOWS, flows.create, talk.FlowAnswer, talk.FlowDraft, shown=(V2,), makes="experienceFlowId"),
    Route("GET", FLOWS, flows.list_all, talk.FlowsAnswer, shown=(V2,)),
    Route("GET", FLOW, flows.get, talk.FlowAnswer, shown=(V2,)),
    Route("PUT", FLOW, flows.update, talk.FlowAnswer, talk.FlowChanges, shown=(V2,)),
    Route("DELETE", FLOW, flows.delete, talk.FlowAnswer, shown=(V2,)),
    Route("POST", FLOW + "/publish", flows.publish, talk.FlowAnswer, shapes.Empty, shown=(V2,)),
    Route("POST", FLOW + "/clone", flows.clone, talk.FlowAnswer, said.CopyName, shown=(V2,), makes="experienceFlowId"),
    Route("POST", FLOW + "/lint", flows.lint, talk.FlowLintAnswer, talk.FlowLint, shown=(V2,)),
    Route("POST", FLOW + "/simulate", flows.simulate, talk.FlowTranscriptAnswer, talk.FlowScript, shown=(V2,)),
    Route("GET", FLOW + "/export", flow_files.export, talk.FlowExportAnswer, shown=(V2,)),
    Route("GET", "/experienceFlowSchema", flow_files.schema, talk.FlowSchemaAnswer, shown=(V2,)),
    Route("POST", "/experienceFlowFile", flow_files.take, talk.FlowImportAnswer, talk.FlowFile, shown=(V2,)),
    Route("GET", FLOW + "/versions", flows.versions, talk.FlowVersionsAnswer, shown=(V2,)),
    Route("GET", FLOW + "/versions/{flowVersion:ref}", flows.version, talk.FlowVersionAnswer, shown=(V2,)),
    Route("GET", FLOW + "/conversations", talks.of_flow, spoken.FlowTalksAnswer, shown=(V2,)),
    Route("POST", FLOW + "/attach", flows.attach, talk.FlowAnswer, talk.FlowPlace, shown=(V2,)),
    Route("POST", FLOW + "/detach", flows.detach, talk.FlowAnswer, talk.FlowPlace, shown=(V2,)),
    *inbox_routes.ROUTES,
    # what an app decides for all its campaigns
    Route("GET", "/settings", settings.get, no.SettingsAnswer, shown=(V2,)),
    Route("PUT", "/settings", settings.update, no.SettingsAnswer, no.SettingsChanges, shown=(V2,)),
)

REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": shapes.Problem, "description": "What was sent cannot be used."},
    401: {"model": shapes.Problem, "description": "The token does not prove who is asking."},
    403: {"model": shapes.Problem, "description": "Not allowed: the scope, the app or the account."},
    404: {"model": shapes.Problem, "description": "There is no such thing."},
    405: {"model": shapes.Problem, "description": "Method Not Allowed"},
    409: {"model": shapes.Problem, "description": "Its state, or a name already taken, does not allow it."},
    413: {"model": shapes.Problem, "description": "More than may be sent at once."},
    429: {"model": shapes.Problem, "description": "Too often; Retry-After says when to come back."},
    503: {"model": shapes.Problem, "description": "Not possible at this moment; Retry-After says when to come back."},
}


def mount(api: FastAPI) -> None:
    """Serve every route under both versions, and list it at /docs under the prefixes it is printed with."""
    api.router.routes.extend(_drawn_up())


@functools.cache
def _drawn_up() -> Sequence[BaseRoute]:
    """The framework's routes. They know nothing of the app they stand in, and take a second to make: once is enough."""
    router = APIRouter()
    for route in ROUTES:
        for prefix in (V1, V2):
            _add(router, route, prefix)
    return tuple(router.routes)


def _add(router: APIRouter, route: Route, prefix: str) -> None:
    shown = route.printed(prefix)
    title, _, text = (route.handler.__doc__ or "").partition("\n")
    is_json = route.answer.media == shapes.Shape.media
    shape = {"model": route.answer} if is_json else {"content": {route.answer.media: {"schema": {"type": "string"}}}}
    done: dict[str, Any] = {"description": "Done.", **shape}
    if route.makes is not None:
        done["links"] = _links(route.makes, prefix)
    router.add_api_route(
        f"{prefix}/{{appId}}{route.path}",
        _once(route),
        methods=[route.verb],
        response_model=None,
        response_class=JSONResponse if is_json else Plain,  # only for the description: a handler makes its own
        responses={} if shown is None else {route.status: done, **REFUSALS},  # models cost time, shown or not
        status_code=route.status,
        summary=title.rstrip("."),
        description="\n".join(line.strip() for line in text.splitlines()).strip(),
        tags=[route.area],
        operation_id=route.operation_id(prefix),
        include_in_schema=shown is not None,
        openapi_extra={"x-shown": shown, "x-takes": None if route.takes is None else route.takes.__name__},
    )


def _once(route: Route) -> Callable[..., Awaitable[Response]]:
    """The handler; that of a POST heeds an Idempotency-Key."""
    if route.verb != "POST":
        return route.handler
    is_file = route.takes is not None and route.takes.media != shapes.Shape.media
    return repeats.once(route.handler, limit=files.FILE_LIMIT if is_file else envelope.JSON_LIMIT)


def _links(parameter: str, prefix: str) -> dict[str, Any]:
    """OpenAPI links from an answer with an ``_id`` to every operation in whose path it may stand."""
    given = {"appId": "$request.path.appId", parameter: "$response.body#/data/_id"}
    names = [
        route.operation_id(prefix)
        for route in ROUTES
        if f"{{{parameter}:ref}}" in route.path and route.printed(prefix) is not None
    ]
    return {name: {"operationId": name, "parameters": given} for name in names}
