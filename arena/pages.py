"""Home and the event page: they tell of everything, so they stand above every app."""

from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from arena.events.access import enrollment_of, event_for, is_member
from arena.events.models import Event
from arena.markup import render_markdown

State = Event.State
OVER = (State.CLOSED, State.PUBLISHED)


@require_GET
@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Open events as cards, finished ones below."""
    events = Event.objects.listed().annotate(
        judged=Count("judgments", filter=Q(judgments__standing=True))
    )
    running = events.running().order_by("closes_at", "-created_at")
    finished = events.filter(state__in=OVER).order_by("-closes_at", "-created_at")
    return render(request, "home.html", {"open_events": running, "finished_events": finished})


@require_GET
@login_not_required
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    """What is compared and why, until when, and one button."""
    event, now = event_for(request.user, slug), timezone.now()
    guidelines = event.guidelines.order_by("-version").first()
    context = {
        "event": event,
        "now": now,
        "is_open": event.is_open(now),
        "enrollment": enrollment_of(request.user, event),
        "is_staff_member": is_member(request.user, event),
        "guidelines": guidelines,
        "guidelines_html": render_markdown(guidelines.text) if guidelines else "",
        "description_html": render_markdown(event.description),
        "prize_html": render_markdown(event.prize) if event.prize else "",
        "judged": event.judgments.standing().count(),
        "origins": dict(
            event.judgments.standing().values_list("origin").annotate(Count("id")).order_by()
        ),
        "competitors": event.competitors.count(),
        "contributors": event.enrollments.count(),
    }
    return render(request, "events/event.html", context)
