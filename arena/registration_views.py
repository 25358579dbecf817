"""What an event registered before it opened, and what was changed since: page and file."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from arena.errors import NotFoundError
from arena.events.access import Role, enrollment_of, event_for, has_role
from arena.events.lifecycle.registration.changes import (
    count_key_changes,
    list_decided_alone,
    list_key_decisions,
    list_setting_changes,
)
from arena.events.lifecycle.registration.diffs import describe_changes, describe_key_change
from arena.events.lifecycle.registration.sections import build_sections
from arena.events.lifecycle.registration.writing import describe_event
from arena.events.lifecycle.shared_keys import are_keys_public
from arena.events.models import Act, Decision, Event, Registration
from arena.judging.models import Case, Exclusion

MAX_SHOWN = 200
"""Changes and decisions of a kind that the page lists; the bundle has all of them."""
REASONS = dict(Case.Reason.choices) | dict(Exclusion.Reason.choices)


@require_GET
@login_not_required
def registration(request: HttpRequest, slug: str) -> HttpResponse:
    """The registered rules in words, and later changes; of a draft, what it would register."""
    event = event_for(request.user, slug)
    is_staff_member = has_role(request.user, event, Role.REVIEWER)
    registered = Registration.objects.filter(event=event).first()
    is_draft = event.state == Event.State.DRAFT
    if is_draft and not is_staff_member:
        raise NotFoundError
    context: dict[str, Any] = {
        "event": event,
        "enrollment": enrollment_of(request.user, event),
        "is_staff_member": is_staff_member,
        "registration": registered,
        "is_draft": is_draft,
        **describe_later(event),
    }
    if registered or is_draft:
        content = registered.read_content() if registered else describe_event(event)
        context |= {
            "sections": build_sections(content),
            "controls": content["controls"],
            "staff": content["staff"],
            "method_version": content["method"]["version"],
        }
    return render(request, "events/registration.html", context)


def describe_later(event: Event) -> dict[str, Any]:
    """What was decided since the opening, as far as everybody may know it."""
    changes = list_setting_changes(event).reverse()[:MAX_SHOWN]
    said: dict[str, Any] = {
        "changes": [describe_changes(each, event.zone()) for each in changes],
        "alone": [describe_alone(each) for each in list_decided_alone(event)[:MAX_SHOWN]],
    }
    if are_keys_public(event):
        keys = list_key_decisions(event).reverse()[:MAX_SHOWN]
        return said | {"key_changes": [describe_key_change(each) for each in keys]}
    labels = dict(Act.choices)
    counts = [each | {"label": labels[each["act"]]} for each in count_key_changes(event)]
    return said | {"key_counts": counts}


def describe_alone(decision: Decision) -> dict[str, Any]:
    """A decision that one person made: when, what kind, and the class of its reason alone."""
    return {
        "made_at": decision.made_at,
        "act": decision.get_act_display(),
        "reason": REASONS.get(decision.reason, ""),
    }


@require_GET
@login_not_required
def registration_json(request: HttpRequest, slug: str) -> HttpResponse:
    """What was registered, to the letter: its SHA-256 is the digest on the event page."""
    event = event_for(request.user, slug)
    registered = Registration.objects.filter(event=event).first()
    if registered is None:
        raise NotFoundError
    response = HttpResponse(registered.content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{slug}-registration.json"'
    return response
