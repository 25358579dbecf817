"""Watching over an event: its health, its life, its flags and contributors."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.decorators.vary import vary_on_headers

from arena.confirming import ask_first
from arena.desk.access import get_desk_event, get_reviewer
from arena.desk.consequences import describe_state_change
from arena.desk.forms.event import DeadlineForm
from arena.desk.page_context import render_desk
from arena.desk.queries.forecast import forecast_leader
from arena.desk.queries.health import (
    measure_health,
)
from arena.errors import ArenaError
from arena.events.access import Role
from arena.events.decision_record import Ruling
from arena.events.lifecycle.notes import current_note, publish_note
from arena.events.lifecycle.transitions import (
    check_open_seats,
    close_event,
    extend_event,
    open_event,
)
from arena.events.models import Event
from arena.exports.tasks import queue_bundle
from arena.judging.models import LedgerCheck
from leaderboard.models import Board
from leaderboard.results.rounds import awaits_correction, publish_event, seal_round

PER_PAGE = 50


@require_GET
@vary_on_headers("HX-Request")
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    """The health of the event on one screen; to htmx its figures alone."""
    event, now = get_desk_event(request, slug, Role.REVIEWER), timezone.now()
    # Those who look after an event see what the public will see with the next batch.
    board = Board.objects.filter(event=event).select_related("current_snapshot").first()
    shown = board.current_snapshot if board else None
    snapshot = event.snapshots.order_by("-id").first() if event.is_running() else shown
    health = measure_health(event, now)
    figures = {
        "health": health,
        "snapshot": snapshot,
        "outlook": forecast_leader(event, snapshot, health.last_day, now),
    }
    if request.headers.get("HX-Request"):
        return render_desk(request, "_figures", event, figures)
    context = figures | {
        "is_closing": not event.takes_contributors(now),
        "rounds": event.snapshots.exclude(sealed_at=None).order_by("-sealed_at"),
        "awaits_correction": awaits_correction(event),
        "note": current_note(event),
        "failed_check": LedgerCheck.objects.filter(event=event, failed_at__isnull=False).first(),
        "deadline_form": DeadlineForm(event),
        "event_link": request.build_absolute_uri(reverse("events:event", args=[slug])),
        "closed_doors": check_open_seats(event) if event.takes_contributors(now) else [],
    }
    return render_desk(request, "overview", event, context)


@require_POST
def state(request: HttpRequest, slug: str) -> HttpResponse:
    """Open, extend, close or publish the event, or seal a round of it."""
    event, now = get_desk_event(request, slug), timezone.now()
    back = reverse("desk:overview", args=[slug])
    if question := ask_first(request, describe_state_change(event, request.POST, now), back):
        return question
    try:
        change_state(request, event, now)
    except ArenaError as error:
        messages.error(request, error.message)
    else:
        event.refresh_from_db()
        messages.success(request, describe_new_state(event, request.POST.get("to", ""), now))
    return redirect("desk:overview", slug)


def describe_new_state(event: Event, to: str, now: datetime) -> str:
    """The message after a change of state."""
    if to == "open":
        if event.is_open(now):
            return _("The event is open.")
        return _("People can join now, and judge from the opening on.")
    if to == "closed":
        return _("The event is closing.") if event.is_running() else _("The event is closed.")
    if to == "sealed":
        is_correction = event.state == Event.State.PUBLISHED
        return _("The correction is published.") if is_correction else _("The round is sealed.")
    return {
        "published": _("The result is published."),
        "extended": _("The deadline was changed."),
        "noted": _("The note is published.") if current_note(event) else _("The note was removed."),
    }[to]


def change_state(request: HttpRequest, event: Event, now: datetime) -> None:
    """Take the step that was asked for. Raises `ArenaError` where it cannot be taken."""
    to = request.POST.get("to")
    if to == "open":
        open_event(event, now)
    elif to == "closed":
        close_event(event, Ruling(get_reviewer(request), now))
    elif to == "published":
        queue_bundle(publish_event(event, now))
    elif to == "sealed":
        name = request.POST.get("name", "").strip()[:80]
        if not name:
            raise ArenaError(_("Give the round a name."), "name_missing")
        queue_bundle(seal_round(event, name, now))
    elif to == "noted":
        publish_note(
            event, request.POST.get("text", "").strip()[:500], by=get_reviewer(request), now=now
        )
    elif to == "extended":
        form = DeadlineForm(event, request.POST)
        if not form.is_valid():
            raise ArenaError(_("Give the new deadline, and say why."), "deadline_invalid")
        ruling = Ruling(get_reviewer(request), now, form.cleaned_data["why"])
        extend_event(event, form.cleaned_data["closes_at"], ruling)
    else:
        raise ArenaError(_("This action does not exist."), "unknown_step")
