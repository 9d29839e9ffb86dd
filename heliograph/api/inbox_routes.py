"""The paths of the inbox and of webhooks, a line each, as in routes.py."""

from __future__ import annotations

from heliograph.api import inbox, shapes, webhooks
from heliograph.api import inbox_shapes as people
from heliograph.api import webhook_shapes as tell
from heliograph.api.paths import V2
from heliograph.api.route import Route

TALKS = "/conversations"
TALK = TALKS + "/{conversationId:ref}"
HOOKS = "/webhooks"
HOOK = HOOKS + "/{webhookId:ref}"
AGAIN = HOOK + "/deliveries/{eventId:ref}/redeliver"

ROUTES = (
    # the inbox
    Route(
        "POST", TALKS, inbox.start, people.ConversationAnswer, people.ConversationDraft, (V2,), makes="conversationId"
    ),
    Route("GET", TALKS, inbox.list_page, people.ConversationsAnswer, shown=(V2,)),
    Route("GET", "/conversationCounts", inbox.count, people.ConversationCountsAnswer, shown=(V2,)),
    Route("GET", TALK, inbox.get, people.ConversationAnswer, shown=(V2,)),
    Route("PUT", TALK, inbox.change, people.ConversationAnswer, people.ConversationChanges, shown=(V2,)),
    Route("GET", TALK + "/messages", inbox.messages, people.ConversationThreadAnswer, shown=(V2,)),
    Route("POST", TALK + "/answers", inbox.answer, people.AnswerAnswer, people.AnswerDraft, shown=(V2,)),
    Route("POST", TALK + "/notes", inbox.note, people.ConversationAnswer, people.NoteDraft, shown=(V2,)),
    # telling other systems
    Route("GET", "/webhookEvents", webhooks.events, tell.EventsAnswer, shown=(V2,)),
    Route("POST", HOOKS, webhooks.create, tell.NewWebhookAnswer, tell.WebhookDraft, shown=(V2,), makes="webhookId"),
    Route("GET", HOOKS, webhooks.list_all, tell.WebhooksAnswer, shown=(V2,)),
    Route("GET", HOOK, webhooks.get, tell.WebhookAnswer, shown=(V2,)),
    Route("PUT", HOOK, webhooks.update, tell.WebhookAnswer, tell.WebhookChanges, shown=(V2,)),
    Route("DELETE", HOOK, webhooks.delete, tell.WebhookAnswer, shown=(V2,)),
    Route("POST", HOOK + "/secret", webhooks.new_secret, tell.NewWebhookAnswer, shapes.Empty, shown=(V2,)),
    Route("POST", HOOK + "/test", webhooks.test, tell.WebhookTestAnswer, shapes.Empty, shown=(V2,)),
    Route("GET", HOOK + "/deliveries", webhooks.log, tell.DeliveriesAnswer, shown=(V2,)),
    Route("POST", AGAIN, webhooks.redeliver, tell.WebhookTestAnswer, shapes.Empty, shown=(V2,)),
)
