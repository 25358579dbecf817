"""The doors into an event for contributors: its join page and the link on a printed seat."""

from dataclasses import dataclass
from datetime import datetime

from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from arena.errors import ArenaError, ConflictError
from arena.events.access import Role, enrollment_of, event_for, has_role
from arena.events.joining.enrolling import (
    JoinResult,
    check_is_not_staff,
    check_may_join,
    check_takes_contributors,
    get_seat_pool,
    join_event,
    join_with_open_seat,
    join_with_printed_seat,
)
from arena.events.joining.terms import current_terms, has_consented
from arena.events.joining.views.waiting import describe_place, get_place_token
from arena.events.models import Event, Invitation
from arena.people.accounts.session_secrets import store_access_code
from arena.people.guesses import limit_guesses
from arena.people.limits import (
    DAY_SECONDS,
    Rate,
    count_network_use,
    limit_requests,
    undo_network_use,
)
from arena.people.models import Seat, User
from arena.people.seats.claiming import SeatAvailability, find_room, get_printed_seat

# A lecture hall behind one address presses the button within a minute.
LECTURE_HALL_RATE = Rate(1000, 60)
PERSON_RATE = Rate(30, 60)


class JoinForm(forms.Form):
    """Consent to one version of the terms: an act of its own, never given beforehand."""

    accept = forms.BooleanField(label=_("I have read this and agree"))
    version = forms.IntegerField(widget=forms.HiddenInput)


@dataclass(frozen=True)
class Entrance:
    """How somebody comes in: the event's own page, a printed seat's link, or an invitation."""

    event: Event
    seat: Seat | None = None
    token: str = ""
    invitation: Invitation | None = None


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
@limit_requests("join", network=LECTURE_HALL_RATE, user=PERSON_RATE)
def join(request: HttpRequest, slug: str) -> HttpResponse:
    """Accept the terms and become a contributor; a visitor gets an open seat with it."""
    event = event_for(request.user, slug)
    enrollment = enrollment_of(request.user, event)
    if enrollment is not None and has_consented(enrollment):
        return redirect("judging:next", slug)
    return handle_entrance(request, Entrance(event))


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
@limit_guesses("claim", LECTURE_HALL_RATE)
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """The link on a printed seat: accept the terms, take the seat, begin."""
    seat = get_printed_seat(token)
    event = Event.objects.filter(seats=seat.pool_id).first()
    if event is None:
        return redirect("home")
    if request.user == seat.user:
        return redirect("judging:next", event.slug)
    return handle_entrance(request, Entrance(event, seat=seat, token=token))


def handle_entrance(request: HttpRequest, door: Entrance) -> HttpResponse:
    """Show the terms, or act on a consent to them."""
    form, error, now = JoinForm(request.POST or None), "", timezone.now()
    place = describe_place(request, door.event, now) if door.seat is None else None
    refusal = find_refusal(request, door, now)
    status = refusal.status if refusal and request.method == "POST" else 200
    if request.method == "POST" and refusal is None:
        if form.is_valid():
            try:
                arrival = join_through(request, door, form.cleaned_data["version"], now)
                return welcome_newcomer(request, arrival, now)
            except ArenaError as failure:
                error, status = failure.message, failure.status
        else:
            error, status = gettext("To join, please accept the terms."), 422
    context = {
        "event": door.event,
        "terms": current_terms(door.event),
        "form": form,
        "error": error,
        "refusal": refusal.message if refusal else "",
        "seat": door.seat,
        "room": room_at(request, door, now).value,
        "place": place,
        "has_lapsed": place is None and get_place_token(request, door.event) != "",
        "can_wait": not door.event.is_private and not request.user.is_authenticated,
        "is_staff_member": has_role(request.user, door.event, Role.REVIEWER),
        "is_back": door.seat is None and enrollment_of(request.user, door.event) is not None,
    }
    return render(request, "events/join.html", context, status=status)


def room_at(request: HttpRequest, door: Entrance, now: datetime) -> SeatAvailability:
    """Whether there is a place for this person: with an account or a printed seat always."""
    if door.seat is not None or request.user.is_authenticated:
        return SeatAvailability.FREE
    return find_room(door.event.seats, now, get_place_token(request, door.event))


def find_refusal(request: HttpRequest, door: Entrance, now: datetime) -> ArenaError | None:
    """The reason why this person cannot join now, for the page to say; None where they can."""
    try:
        if isinstance(request.user, User):
            check_is_not_staff(request.user, door.event)
            if door.seat is None:
                check_may_join(request.user, door.event, now)
        check_takes_contributors(door.event, now)
    except ArenaError as refusal:
        return refusal
    if door.seat is not None and door.seat.claimed_at is not None:
        return ConflictError(
            "This link has already been used. Sign in with the username and access code printed "
            "beside it.",
            "seat_taken",
        )
    return None


def join_through(request: HttpRequest, door: Entrance, terms: int, now: datetime) -> JoinResult:
    """Join through a printed seat, an account of one's own, or an open seat."""
    if door.token:
        return join_with_printed_seat(door.token, door.event, now, terms=terms)
    if isinstance(request.user, User) and enrollment_of(request.user, door.event) is not None:
        # Somebody who agrees to changed terms is no newcomer, and takes up no quota.
        return JoinResult(request.user, join_event(request.user, door.event, now, terms=terms))
    # A quota of joins per network and day, whether by a click or with a fresh account of one's
    # own: hundreds of accounts from one place need the organizer's consent.
    pool = get_seat_pool(door.event)
    quota = Rate(pool.claims_per_network, DAY_SECONDS)
    action = f"claim-{pool.pk}"
    message = gettext(
        "Many people have joined from your network today. If you are in a class or at a meeting, "
        "ask the organizer to raise the limit."
    )
    count_network_use(action, request, quota, now, message)
    try:
        if isinstance(request.user, User):
            enrollment = join_event(request.user, door.event, now, terms=terms)
            return JoinResult(request.user, enrollment)
        return join_with_open_seat(
            door.event,
            now,
            terms=terms,
            invitation=door.invitation,
            place=get_place_token(request, door.event),
        )
    except ArenaError:
        undo_network_use(action, request, quota, now)
        raise


def welcome_newcomer(request: HttpRequest, arrival: JoinResult, now: datetime) -> HttpResponse:
    """Sign the newcomer in, under a new session key; a new seat's code is shown on its page."""
    event = arrival.enrollment.event
    onward = reverse("judging:next", args=[event.slug])
    if request.user != arrival.user:
        get_adapter(request).login(request, arrival.user)
    if not arrival.code:
        return redirect(onward)
    store_access_code(
        request.session, arrival.user, arrival.code, now, onward=onward, place=event.title
    )
    return redirect("people:code")
