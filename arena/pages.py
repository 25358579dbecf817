"""Home, the event page and my page: they tell of everything, so they stand above every app."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from arena.events.access import STAFF, Role, enrollment_of, event_for, has_role
from arena.events.creating import may_create
from arena.events.models import Event
from arena.events.notes import current_note
from arena.events.terms import current_terms
from arena.judging.receipts import receipts_of
from arena.markup import render_markdown
from arena.people.models import Seat, User
from leaderboard.models import Rating, Snapshot
from leaderboard.placing import place_of
from leaderboard.sealing import published_rounds

State = Event.State
OVER = (State.CLOSED, State.PUBLISHED)
SHOWN = 100


@require_GET
@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Open events as cards, finished ones with their winner below; private ones of one's own."""
    user = request.user
    known = Event.objects.known_to(user.pk)
    running = known.running().order_by("closes_at", "-created_at")[:SHOWN]
    finished = known.filter(state__in=OVER).order_by("-closes_at")[:SHOWN]
    context = {
        "open_events": with_figures(list(running)),
        "finished_events": with_figures(list(finished)),
        "own_events": own_events(user) if isinstance(user, User) else [],
        "may_create": isinstance(user, User) and may_create(user),
    }
    return render(request, "home.html", context)


def own_events(user: User) -> list[Event]:
    """The events this person looks after."""
    office = {"memberships__user": user, "memberships__role__in": STAFF[Role.REVIEWER]}
    return list(Event.objects.filter(**office).order_by("-created_at")[:SHOWN])


def with_figures(events: list[Event]) -> list[Event]:
    """The events with `judged`, `simulated` and `winners` of their public board, `round`, the name
    of their result once it is published, and `earlier`, those of the rounds before it.

    The same numbers as on the board, from the same snapshot: no two pages differ.
    """
    shown = {
        snapshot.event_id: snapshot for snapshot in Snapshot.objects.filter(board__event__in=events)
    }
    overall = Rating.objects.filter(
        snapshot__in=shown.values(), category=None, weighting=Rating.Weighting.RAW, rank=1
    ).select_related("competitor", "snapshot")
    rounds = published_rounds(events)
    for event in events:
        snapshot = shown.get(event.pk)
        origins = snapshot.details.get("origins", {}) if snapshot else {}
        event.judged = snapshot.judgments if snapshot else 0  # type: ignore[attr-defined]
        event.simulated = origins.get("simulated", 0)  # type: ignore[attr-defined]
        names = rounds[event.pk]
        event.round = names[0] if names else None  # type: ignore[attr-defined]
        event.earlier = names[1:]  # type: ignore[attr-defined]
        event.winners = [  # type: ignore[attr-defined]
            rating.competitor.name for rating in overall if rating.snapshot.event_id == event.pk
        ]
    return events


@require_GET
@login_not_required
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is compared and why, until when, and one button."""
    event, now = event_for(request.user, slug), timezone.now()
    with_figures([event])
    guidelines = event.guidelines.order_by("-version").first()
    enrollment = enrollment_of(request.user, event)
    open_seats = Seat.objects.open_unclaimed().filter(pool=event.seats_id)
    context = {
        "event": event,
        "is_open": event.is_open(now),
        "can_join": event.takes_contributors(now),
        "enrollment": enrollment,
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
        "terms": current_terms(event),
        "note": current_note(event),
        "has_free_seats": not request.user.is_authenticated and open_seats.exists(),
        "guidelines_html": render_markdown(guidelines.text) if guidelines else "",
        "description_html": render_markdown(event.description),
        "prize_html": render_markdown(event.prize) if event.prize else "",
        "competitors": event.competitors.count(),
        "contributors": event.enrollments.filter(left_at=None).count(),
    }
    return render(request, "events/event.html", context)


@require_GET
@never_cache
def me(request: HttpRequest, slug: str) -> HttpResponse:
    """What I judged here, where I stand, and my settings."""
    event = event_for(request.user, slug)
    enrollment = enrollment_of(request.user, event)
    if enrollment is None:
        return redirect("events:join", slug)
    assert isinstance(request.user, User)
    context = {
        "event": event,
        "enrollment": enrollment,
        "standing": place_of(event, enrollment),
        "display_name": request.user.display_name,
        "name_url": reverse("people:name"),
        "leave_url": reverse("judging:leave"),
    }
    return render(request, "judging/me.html", context | receipts_of(enrollment, request.GET))
