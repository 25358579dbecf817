"""Hiding an event's controls better, each by one button: anchors, and controls that are ties."""

from random import SystemRandom

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from arena.confirming import ask_first
from arena.desk.access import get_desk_event
from arena.desk.consequences import describe_anchors, describe_ties
from arena.desk.queries.hiding import report_hiding
from arena.errors import ArenaError
from arena.events.records.anchors import make_anchors
from arena.events.records.ties import make_tie_controls


@require_POST
def anchors(request: HttpRequest, slug: str) -> HttpResponse:
    """Make two ordinary matchups anchors for each control."""
    event = get_desk_event(request, slug)
    report = report_hiding(event, timezone.now())
    back = reverse("desk:controls", args=[slug])
    if question := ask_first(request, describe_anchors(report), back):
        return question
    try:
        made = make_anchors(event, SystemRandom())
    except ArenaError as error:
        messages.error(request, error.message)
    else:
        words = ngettext("%(count)s anchor was made.", "%(count)s anchors were made.", made)
        messages.success(request, words % {"count": made})
    return redirect("desk:controls", slug)


@require_POST
def ties(request: HttpRequest, slug: str) -> HttpResponse:
    """Put tie controls in the places of ordinary matchups."""
    event, now = get_desk_event(request, slug), timezone.now()
    back = reverse("desk:controls", args=[slug])
    if question := ask_first(request, describe_ties(report_hiding(event, now)), back):
        return question
    try:
        made = make_tie_controls(event, now, SystemRandom())
    except ArenaError as error:
        messages.error(request, error.message)
    else:
        words = ngettext(
            "%(count)s tie control was made.", "%(count)s tie controls were made.", made
        )
        messages.success(request, words % {"count": made})
    return redirect("desk:controls", slug)
