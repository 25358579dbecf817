"""An event's controls: how each does, what hides them, and hiding them better by one button each:
anchors, and controls that are ties."""

from random import SystemRandom

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from arena.confirming import ask_first
from arena.desk.access import get_desk_event, get_reviewer
from arena.desk.consequences import describe_anchors, describe_ties
from arena.desk.page_context import render_desk
from arena.desk.queries.control_health import measure_controls
from arena.desk.queries.hiding import report_exposure, report_hiding
from arena.errors import ArenaError
from arena.events.access import Role
from arena.events.decision_record import Ruling
from arena.events.lifecycle.prizes import count_serving_matchups
from arena.events.lifecycle.shared_keys import describe_public_keys, list_public_keys
from arena.events.records.anchors import make_anchors
from arena.events.records.ties import make_tie_controls


@require_GET
@vary_on_headers("HX-Request")
def controls(request: HttpRequest, slug: str) -> HttpResponse:
    """The pool of controls, what hides them, and how each does; to htmx what colluding accounts
    could find out alone. Reviewers read it, organizers change it."""
    event, now = get_desk_event(request, slug, Role.REVIEWER), timezone.now()
    exposure = report_exposure(event)
    if request.headers.get("HX-Request"):
        return render_desk(request, "_exposure", event, {"exposure": exposure})
    ordinary, in_service = count_serving_matchups(event)
    context = {
        "pool": measure_controls(event),
        "ordinary": ordinary,
        "in_service": in_service,
        "hiding": report_hiding(event, now),
        "exposure": exposure,
        "public_keys": [describe_public_keys(*found) for found in list_public_keys(event)],
        "step": "controls",
    }
    return render_desk(request, "controls", event, context)


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
        ruling = Ruling(get_reviewer(request), now, _("Tie controls made on the page of controls."))
        made = make_tie_controls(event, ruling, SystemRandom())
    except ArenaError as error:
        messages.error(request, error.message)
    else:
        words = ngettext(
            "%(count)s tie control was made.", "%(count)s tie controls were made.", made
        )
        messages.success(request, words % {"count": made})
    return redirect("desk:controls", slug)
