"""What makes the body of a campaign or of a contact list usable, and what it then says.

Rules and readings are those of the vendor's create pages; where the pages disagree the tolerant reading
is taken. Fields that only concern voice are let pass and ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from heliograph.errors import Invalid
from heliograph.rules import body as reading
from heliograph.rules import filters as filters_
from heliograph.rules import hold_out, parts, pull_body, sender_body, template, timing
from heliograph.rules import hours as hours_
from heliograph.rules.pull import SOURCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from heliograph.rules.pull import Pull

Format = Literal["simple", "advanced"]

LONGEST_NAME = 48
LONGEST_DESCRIPTION = 256
LONGEST_MESSAGE = 200_000  # as sent, encodings included: far more than fits a message, little enough to read
MOST_LISTS = 10
DEFAULT_PRIORITY = 5
SOURCES = ("passiveApi", "passiveApiIntegration", "apiIntegration", "localDrive")

_FORMATS: dict[str, Format] = {"simple": "simple", "basic": "simple", "template": "simple", "advanced": "advanced"}
_PRIORITIES = range(1, 6)
_CALLER = "dialingStrategy.callerId.phoneNumber"
_HOURS = "dialingStrategy.callingHours"


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign as somebody wants it, checked. Names of lists, templates and flows are not looked up yet."""

    name: str
    lname: str
    description: str | None
    list_names: tuple[str, ...]
    dnc_name: str | None
    dnc_sent: bool  # whether the body spoke of a DNC list at all
    priority: int
    format: Format
    caller_id: str
    dialing: dict[str, object]  # as sent
    hours: hours_.CallingHours
    message: dict[str, object] | None  # as sent, without an empty templateId
    template_name: str | None
    template_id: str | None
    text: str | None  # decoded and normalised, placeholders still in it; None when a template gives it
    missing: template.Missing
    flow_name: str | None
    schedule: dict[str, object]
    filters: dict[str, object] | None  # as sent; None: everybody
    zone_rule: timing.ZoneRule
    transactional: bool  # exempt from quiet hours and frequency caps
    exclude: tuple[str, ...]  # names or ids of campaigns whose readers are left out
    hold_out: int  # percent


@dataclass(frozen=True, slots=True)
class ListDraft:
    """A contact list as somebody wants it."""

    name: str
    lname: str
    description: str
    source: str
    allow_duplicates: bool
    pull: Pull | None = None


@dataclass(frozen=True, slots=True)
class ListChanges:
    """What is to change of a contact list; None stays as it is. ``sent`` is what was sent of it, to be echoed."""

    name: str | None
    lname: str | None
    description: str | None
    allow_duplicates: bool | None
    sent: dict[str, object]
    pull: Pull | None = None


def parse(body: object) -> CampaignDraft:
    """The campaign that the vendor's create or update ``body`` (any JSON value) asks for.

    Raises :class:`Invalid` naming the field, its value and what it takes.
    """
    sent = _object(body)
    name = reading.name(sent.get("name"), "name", longest=LONGEST_NAME)
    _check_kind(sent.get("campaignType"))
    form = _format(sent)
    dialing = dict(reading.mapping(sent.get("dialingStrategy"), "dialingStrategy"))
    caller = reading.mapping(dialing.get("callerId"), "dialingStrategy.callerId")
    message = _message(sent.get("message"), form)
    template_name = _optional_name(message, "template_name")
    template_id = _optional_name(message, "templateId")
    flow = sent.get("experienceFlowName")
    return CampaignDraft(
        name=name,
        lname=name.lower(),
        description=_description(sent.get("description")),
        list_names=_list_names(sent.get("contactLists")),
        dnc_name=_dnc_name(sent.get("dncLists")),
        dnc_sent="dncLists" in sent,
        priority=_priority(sent.get("priority")),
        format=form,
        caller_id=sender_body.caller_id(caller.get("phoneNumber"), field=_CALLER),
        dialing=dialing,
        hours=hours_.parse(dialing.get("callingHours"), field=_HOURS),
        message=message,
        template_name=template_name,
        template_id=template_id,
        text=_text(message, form, templated=bool(template_name or template_id)),
        missing=template.parse_missing((message or {}).get("onMissing")),
        flow_name=reading.name(flow, "experienceFlowName", longest=256) if form == "advanced" else None,
        schedule=_schedule(sent.get("schedule")),
        filters=filters(sent),
        zone_rule=_zone_rule(sent.get("zoneRule")),
        transactional=transactional(sent),
        exclude=hold_out.excluded(sent.get("exclude")),
        hold_out=hold_out.percent(sent.get("holdOut")),
    )


def unscheduled(draft: CampaignDraft) -> None:
    """Refuse a draft that says it has a schedule, where there is none: it is set by a call of its own.

    Raises :class:`Invalid`. Of a campaign that is scheduled, an edit may send back what was answered.
    """
    field = "schedule.isSchedulingEnabled"
    if draft.schedule["isSchedulingEnabled"]:
        text = (
            f"{field} is true. Here it takes false; a schedule is set with the schedule call, once the campaign exists"
        )
        raise Invalid(text, field=field)


def filters(sent: Mapping[str, object]) -> dict[str, object] | None:
    """The ``filters`` in a body, as sent, or None when there are none or ``isFiltersEnabled`` is false.

    Raises :class:`Invalid`, also for filters that are there and not to be used.
    """
    raw, enabled = sent.get("filters"), sent.get("isFiltersEnabled")
    on = raw is not None if enabled is None else reading.flag(enabled, "isFiltersEnabled")
    if raw is not None:
        filters_.parse(raw)
    elif on:
        text = "isFiltersEnabled is true, and filters is missing or null. It takes an object with op and conditions"
        raise Invalid(text, field="filters")
    return dict(reading.mapping(raw, "filters")) if on else None


def transactional(sent: Mapping[str, object]) -> bool:
    """Whether a body says that it is no promotion, so that quiet hours do not count. Raises :class:`Invalid`."""
    raw = sent.get("transactional")
    return raw is not None and reading.flag(raw, "transactional")


def _zone_rule(raw: object) -> timing.ZoneRule:
    if raw is None:
        return timing.ZoneRule.VENDOR
    if not isinstance(raw, str) or raw not in tuple(timing.ZoneRule):
        text = f"zoneRule is {reading.shown(raw)}. It takes vendor (the contact's own zone, else the campaign's) or "
        raise Invalid(text + "recipient (the contact's own, else those of the number)", field="zoneRule")
    return timing.ZoneRule(raw)


def message_text(message: Mapping[str, object] | None) -> str | None:
    """The words of a campaign's stored ``message``, decoded and normalised, placeholders still in it."""
    raw = (message or {}).get("message")
    return parts.normalise(template.decode(raw)) if isinstance(raw, str) else None


def list_draft(body: object) -> ListDraft:
    """The contact list that the vendor's create ``body`` asks for. Raises :class:`Invalid` as :func:`parse` does."""
    sent = _object(body)
    # A published sample misprints the key; the rule is the same.
    name = reading.name(sent.get("name") or sent.get("name1"), "name", longest=LONGEST_NAME)
    source = sent.get("source")
    if source is None or source == "":
        source = SOURCES[0]
    if not isinstance(source, str) or source not in SOURCES:
        raise Invalid(f"source is {reading.shown(source)}. It takes one of: {', '.join(SOURCES)}", field="source")
    pull = _pull(sent)
    if pull is not None:
        pulls_only(source)
    return ListDraft(
        name=name,
        lname=name.lower(),
        description=_description(sent.get("description")) or "",
        source=source,
        allow_duplicates=_duplicates(sent) or False,
        pull=pull,
    )


def pulls_only(source: str) -> None:
    """Refuse what a list is to pull from where its source is another. Raises :class:`Invalid`."""
    if source != SOURCE:
        text = f"{pull_body.FIELD} says whom to pull from. It goes with source {SOURCE}, and source is {source}"
        raise Invalid(text, field=pull_body.FIELD)


def list_changes(body: object) -> ListChanges:
    """What the vendor's update ``body`` changes of a contact list. Raises :class:`Invalid` as :func:`parse` does."""
    given = _object(body)
    keys = ("name", "description", "allowDuplicates", pull_body.FIELD)
    sent = {key: given[key] for key in keys if given.get(key) is not None}
    if not sent:
        raise Invalid(f"There is nothing to change. The body takes any of: {', '.join(keys)}")
    name = reading.name(sent["name"], "name", longest=LONGEST_NAME) if "name" in sent else None
    return ListChanges(
        name=name,
        lname=None if name is None else name.lower(),
        description=_description(sent.get("description")),
        allow_duplicates=_duplicates(sent),
        sent=sent,
        pull=_pull(sent),
    )


def _pull(sent: Mapping[str, object]) -> Pull | None:
    """Whom the list pulls from, when the body says so. An answered mode alone may be sent back for any list."""
    value = sent.get(pull_body.FIELD)
    return pull_body.parse(value) if pull_body.is_set(value) else None


def _duplicates(sent: Mapping[str, object]) -> bool | None:
    """Whether numbers that are on the list already are kept: ``allowDuplicates``, else the mode, as pulls call it."""
    flag = sent.get("allowDuplicates")
    wanted = None if flag is None else reading.flag(flag, "allowDuplicates")
    mode = pull_body.allows_duplicates(sent.get(pull_body.FIELD))
    return mode if wanted is None else wanted


def _object(body: object) -> Mapping[str, object]:
    sent = reading.mapping(body, "")
    reading.storable(body)
    return sent


def _check_kind(raw: object) -> None:
    if raw is not None and not (isinstance(raw, str) and raw.lower() == "sms"):
        raise Invalid(f"campaignType is {reading.shown(raw)}. Here it takes sms", field="campaignType")


def _description(raw: object) -> str | None:
    return None if raw is None else reading.text(raw, "description", longest=LONGEST_DESCRIPTION)


def _format(sent: Mapping[str, object]) -> Format:
    """From ``format``, or ``direction`` as the field was first called."""
    raw = sent.get("format")
    if raw is None:
        raw = sent.get("direction")
    found = _FORMATS.get(raw.lower()) if isinstance(raw, str) else None
    if found is None:
        raise Invalid(f"format is {reading.shown(raw)}. It takes simple or advanced", field="format")
    return found


def _priority(raw: object) -> int:
    if raw is None or raw == "":
        return DEFAULT_PRIORITY
    for known in _PRIORITIES:
        if not isinstance(raw, bool) and (raw == known or raw == str(known)):
            return known
    raise Invalid(f"priority is {reading.shown(raw)}. It takes 1 to 5, where 5 is the most important", field="priority")


def _list_names(raw: object) -> tuple[str, ...]:
    """The names in the order sent, each once without regard to case."""
    names = cast("list[object]", raw) if isinstance(raw, list) else []
    if not 1 <= len(names) <= MOST_LISTS:
        what = f"{len(names)} entries" if isinstance(raw, list) else reading.shown(raw)
        raise Invalid(
            f"contactLists is {what}. It takes a list of 1 to {MOST_LISTS} names of contact lists", field="contactLists"
        )
    found: dict[str, str] = {}
    for place, entry in enumerate(names):
        name = reading.name(entry, f"contactLists[{place}]", longest=LONGEST_NAME)
        found.setdefault(name.lower(), name)
    return tuple(found.values())


def _dnc_name(raw: object) -> str | None:
    """The one DNC list's name, from any of the shapes in use. Nothing sent, or an empty value: no list.

    An object that names no list is refused: whoever sent it wanted people left out.
    """
    if raw is None or raw in ("", [], {}):
        return None
    if isinstance(raw, list):
        entries = cast("list[object]", raw)
        if len(entries) != 1:
            raise Invalid(f"dncLists has {len(entries)} entries. It takes only one DNC list", field="dncLists")
        raw = entries[0]
    if isinstance(raw, str):
        return reading.name(raw, "dncLists", longest=LONGEST_NAME)
    if not isinstance(raw, dict):
        raise Invalid(
            f'dncLists is {reading.shown(raw)}. It takes an object such as {{"name": "Do not text"}}', field="dncLists"
        )
    return reading.name(cast("dict[str, object]", raw).get("name"), "dncLists.name", longest=LONGEST_NAME)


def _message(raw: object, form: Format) -> dict[str, object] | None:
    if raw is None and form == "advanced":
        return None
    sent = reading.mapping(raw, "message")
    return {key: value for key, value in sent.items() if not (key == "templateId" and value in ("", None))}


def _optional_name(message: dict[str, object] | None, key: str) -> str | None:
    value = (message or {}).get(key)
    return None if value is None or value == "" else reading.name(value, f"message.{key}", longest=256)


def _text(message: dict[str, object] | None, form: Format, *, templated: bool) -> str | None:
    """The words to send, checked to be sendable. A template's words win over sent ones, so those are not read."""
    if message is None:
        return None
    raw = message.get("message")
    if raw is None and (templated or form == "advanced"):
        return None
    reading.text(raw, "message.message", longest=LONGEST_MESSAGE)
    if templated:
        return None
    found = message_text(message) or ""
    if not found.strip():
        if form == "advanced":
            return None
        raise Invalid(
            f"message.message is {reading.shown(raw)}. It takes the text to send, plain or in Base64",
            field="message.message",
        )
    check_words(found, "message.message")
    return found


def check_words(words: str, field: str) -> None:
    """Refuse words that no text can be made of: too many for one message, or with half a placeholder in them."""
    needed = parts.measure(words).parts
    if needed > parts.MOST_PARTS:
        raise Invalid(f"{field} makes {needed} parts. One message has at most {parts.MOST_PARTS}", field=field)
    template.compile_text(words, field=field)


def _schedule(raw: object) -> dict[str, object]:
    """Whether the body says that the campaign starts by itself. It cannot bring that about: see :func:`unscheduled`."""
    enabled = None if raw is None else reading.mapping(raw, "schedule").get("isSchedulingEnabled")
    on = enabled is not None and reading.flag(enabled, "schedule.isSchedulingEnabled")
    return {"isSchedulingEnabled": on}
