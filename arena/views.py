"""Home, the event page with its registration, and the contributor's own page, which draw on every
app."""

from datetime import date, datetime
from enum import Enum
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from arena.errors import ArenaError, NotFoundError
from arena.events.access import (
    MEMBERSHIPS_BY_ROLE,
    Role,
    Viewer,
    enrollment_of,
    event_for,
    has_role,
)
from arena.events.joining.terms import current_terms
from arena.events.lifecycle.creation import can_create_events
from arena.events.lifecycle.notes import current_note
from arena.events.lifecycle.phases import phase_of
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
from arena.events.models import Act, Decision, Enrollment, Event, Membership, Registration
from arena.events.organizer_texts import render_organizer_text
from arena.judging.models import Case, Exclusion, LedgerCheck
from arena.judging.presenting import lacks_identity
from arena.judging.receipts import build_receipts_page
from arena.judging.recording import has_answerable_assignment
from arena.judging.review.appeals import find_own_decision, open_appeal
from arena.judging.review.own_exclusions import build_exclusions_context
from arena.people.accounts.first_account import needs_first_account
from arena.people.accounts.identity import has_verified_identity
from arena.people.models import Seat, User
from arena.people.seats.claiming import SeatAvailability, find_room
from leaderboard.boards.snapshot_details import SnapshotDetails
from leaderboard.contributors.places import place_of
from leaderboard.contributors.public_head import select_holding_back
from leaderboard.models import Rating, Snapshot
from leaderboard.results.notices import find_unread
from leaderboard.results.rounds import published_rounds
from leaderboard.results.winner import SHORTLIST_SIZE

State = Event.State
MAX_EVENTS_SHOWN = 100
MAX_CHANGES_SHOWN = 200
"""Changes and decisions of a kind on the page of a registration; the bundle has all of them."""
REASONS = dict(Case.Reason.choices) | dict(Exclusion.Reason.choices)


@require_GET
@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Open and coming events as cards, finished ones with their winner below."""
    user, now = request.user, timezone.now()
    known = Event.objects.known_to(user.pk)
    running = known.running().order_by("closes_at", "-created_at")[:MAX_EVENTS_SHOWN]
    finished = known.over().order_by("-closes_at")[:MAX_EVENTS_SHOWN]
    begun = annotate_figures(annotate_phase([*running, *finished], now))
    annotate_joinable(user, begun)
    context = {
        "open_events": [event for event in begun if event.phase.is_serving],
        "coming_events": [event for event in begun if event.phase.is_ahead],
        "finished_events": [
            event for event in begun if not (event.phase.is_serving or event.phase.is_ahead)
        ],
        "is_new_site": not begun and needs_first_account(),
        "own_events": annotate_phase(list_own_events(user), now) if isinstance(user, User) else [],
        "notices": find_unread(user) if isinstance(user, User) else [],
        "may_create": isinstance(user, User) and can_create_events(user),
    }
    return render(request, "home.html", context)


def annotate_phase(events: list[Event], now: datetime) -> list[Any]:
    """Set `phase` on the events: their state in words."""
    for event in events:
        event.phase = phase_of(event, now)  # type: ignore[attr-defined]
    return events


def annotate_joinable(user: Viewer, events: list[Any]) -> None:
    """Set `is_joinable` on the events: whether this user can judge there, now or after joining."""
    joined = Enrollment.objects.filter(user=user.pk, user__isnull=False, event__in=events)
    blocked = dict(joined.values_list("event", "blocked_at"))
    office = {"user": user.pk, "role__in": MEMBERSHIPS_BY_ROLE[Role.REVIEWER], "event__in": events}
    looked_after = set(Membership.objects.filter(**office).values_list("event", flat=True))
    pools = [event.seats_id for event in events]
    seats = Seat.objects.open_unclaimed().filter(pool__in=pools)
    with_seats = set(seats.values_list("pool", flat=True).distinct())
    for event in events:
        if event.pk in looked_after:
            event.is_joinable = False
        elif event.pk in blocked:
            event.is_joinable = event.phase.is_serving and blocked[event.pk] is None
        else:
            has_place = user.is_authenticated or event.seats_id in with_seats
            event.is_joinable = event.phase.is_joinable and has_place


def list_own_events(user: User) -> list[Event]:
    """The events of which this user is an organizer or reviewer."""
    office = {
        "memberships__user": user,
        "memberships__role__in": MEMBERSHIPS_BY_ROLE[Role.REVIEWER],
    }
    return list(Event.objects.filter(**office).order_by("-created_at")[:MAX_EVENTS_SHOWN])


def annotate_figures(events: list[Any]) -> list[Any]:
    """The events with `judged`, `contributors`, `simulated` and `winners` of their public board,
    `round`, the name of their result once it is published, and `earlier`, those before it.

    The same numbers as on the board, from the same snapshot: no two pages differ.
    """
    shown = {
        snapshot.event_id: snapshot for snapshot in Snapshot.objects.filter(board__event__in=events)
    }
    overall = Rating.objects.filter(
        snapshot__in=shown.values(), category=None, weighting=Rating.Weighting.RAW, rank=1
    ).select_related("competitor", "snapshot")
    # Their exact ranks would tell single judgments.
    overall = overall.exclude(snapshot__event__in=select_holding_back(events))
    rounds = published_rounds(events)
    for event in events:
        snapshot = shown.get(event.pk)
        origins = SnapshotDetails.from_json(snapshot.details).origins if snapshot else {}
        event.judged = snapshot.judgments if snapshot else 0
        event.contributors = snapshot.contributors if snapshot else 0
        event.simulated = origins.get("simulated", 0)
        names = rounds[event.pk]
        event.round = names[0] if names else None
        event.earlier = names[1:]
        event.winners = [
            rating.competitor.name for rating in overall if rating.snapshot.event_id == event.pk
        ]
    return events


@require_GET
@login_not_required
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The event page: what is compared and why, until when, and one button."""
    event, now = event_for(request.user, slug), timezone.now()
    annotate_figures([event])
    guidelines = event.guidelines.order_by("-version").first()
    enrollment = enrollment_of(request.user, event)
    context = {
        "event": event,
        "offer": get_event_action(request.user, event, enrollment, now).value,
        "room": find_room(event.seats, now).value,
        "enrollment": enrollment,
        "is_staff_member": has_role(request.user, event, Role.REVIEWER),
        "terms": current_terms(event),
        "note": current_note(event),
        "guidelines_html": render_organizer_text(guidelines.text) if guidelines else "",
        "description_html": render_organizer_text(event.description),
        "prize_html": render_organizer_text(event.prize) if event.prize else "",
        "competitors": event.competitors.count(),
        "ledger": LedgerCheck.objects.filter(event=event).first(),
        "registration": Registration.objects.filter(event=event).first(),
        "reminder": get_reminder(event, enrollment),
        "notices": find_unread(request.user, event) if isinstance(request.user, User) else [],
    }
    return render(request, "events/event.html", context)


def get_reminder(event: Event, enrollment: Enrollment | None) -> str:
    """ "place" for somebody among the first ten, by the places that pages show, who could not be
    given the prize as things stand; else nothing."""
    if enrollment is None or not event.prize or not lacks_identity(enrollment):
        return ""
    place = place_of(event, enrollment)
    return (
        "place"
        if place is not None and place.rank is not None and place.rank <= SHORTLIST_SIZE
        else ""
    )


class EventAction(Enum):
    """What a user can do in an event: the one button of its page."""

    OWN = "own"  # looks after it, so does not judge
    GO_ON = "go_on"  # has joined, and there is something to answer
    WAIT = "wait"  # has joined before it opens
    ACCEPT = "accept"  # a visitor, for whom there is a seat
    START = "start"  # somebody with an account
    FULL = "full"  # a visitor, and no seat is free
    NOTHING = "nothing"


def get_event_action(
    user: Viewer, event: Event, enrollment: Enrollment | None, now: datetime
) -> EventAction:
    """What this user can do in the event now."""
    phase = phase_of(event, now)
    if has_role(user, event, Role.REVIEWER):
        return EventAction.OWN if phase.is_joinable else EventAction.NOTHING
    if enrollment is not None:
        is_blocked = enrollment.blocked_at is not None
        if not is_blocked and (phase.is_serving or has_answerable_assignment(enrollment, now)):
            return EventAction.GO_ON
        is_waiting = phase.is_joinable and not is_blocked
        return EventAction.WAIT if is_waiting else EventAction.NOTHING
    if not phase.is_joinable:
        return EventAction.NOTHING
    if user.is_authenticated:
        return EventAction.START
    return (
        EventAction.ACCEPT
        if find_room(event.seats, now) is SeatAvailability.FREE
        else EventAction.FULL
    )


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
    changes = list_setting_changes(event).reverse()[:MAX_CHANGES_SHOWN]
    said: dict[str, Any] = {
        "changes": [describe_changes(each, event.zone()) for each in changes],
        "alone": [describe_alone(each) for each in list_decided_alone(event)[:MAX_CHANGES_SHOWN]],
    }
    if are_keys_public(event):
        keys = list_key_decisions(event).reverse()[:MAX_CHANGES_SHOWN]
        return said | {"key_changes": [describe_key_change(each) for each in keys]}
    labels = dict(Act.choices)
    counts = [
        each | {"label": labels[each["act"]], "day": date.fromisoformat(each["day"])}
        for each in count_key_changes(event)
    ]
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


@require_GET
@never_cache
def my_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The contributor's own page: their judgments, their place, their settings."""
    event = event_for(request.user, slug)
    enrollment = enrollment_of(request.user, event)
    if enrollment is None:
        return redirect("events:join", slug)
    return render_my_page(request, event, enrollment, timezone.now())


@require_POST
@never_cache
def appeal(request: HttpRequest, slug: str) -> HttpResponse:
    """Appeal against an exclusion of one's own; refused, the page comes back as it was typed."""
    event, now = event_for(request.user, slug, Role.CONTRIBUTOR), timezone.now()
    enrollment = enrollment_of(request.user, event)
    assert enrollment is not None
    named, text = request.POST.get("decision", ""), request.POST.get("text", "")
    try:
        open_appeal(enrollment, find_own_decision(enrollment, named), text, now)
    except NotFoundError:
        raise
    except ArenaError as error:
        typed = {
            "appeal_error": error.message,
            "appeal_text": text,
            "appeal_decision": named,
        }
        status = 422 if error.status == 400 else error.status
        return render_my_page(request, event, enrollment, now, typed, status=status)
    messages.success(request, gettext("Your appeal is sent. The answer will be on this page."))
    return redirect("judging:me", slug)


def render_my_page(
    request: HttpRequest,
    event: Event,
    enrollment: Enrollment,
    now: datetime,
    typed: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """The contributor's own page; typed: an appeal that was refused, and why."""
    user = request.user
    assert isinstance(user, User)
    context = {
        "event": event,
        "enrollment": enrollment,
        "can_go_on": get_event_action(user, event, enrollment, now) is EventAction.GO_ON,
        "standing": place_of(event, enrollment),
        "display_name": user.display_name,
        "name_url": reverse("events:name"),
        "leave_url": reverse("judging:leave"),
        "notices": find_unread(user, event),
        "has_identity": has_verified_identity(user),
        "reminder": get_reminder(event, enrollment),
    }
    context |= build_receipts_page(enrollment, request.GET)
    context |= build_exclusions_context(enrollment, now)
    return render(request, "judging/me.html", context | (typed or {}), status=status)
