"""The waiting list of an event whose open seats are all taken: a visitor's place in line."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from arena.events.access import event_for
from arena.events.joining.enrolling import check_takes_contributors, get_seat_pool
from arena.events.models import Event
from arena.people.limits import DAY_SECONDS, Rate, count_network_use, limit_requests
from arena.people.seats.claiming import SeatAvailability, find_room
from arena.people.seats.waiting import count_ahead, join_line, keep_place, leave_line

# A whole lecture hall waits behind one address, as it joins.
LINE_RATE = Rate(1000, 60)
SESSION_KEY = "line"


@dataclass(frozen=True)
class PlaceInLine:
    """What a waiting visitor reads: their number, and how long a free seat is kept for them."""

    number: int
    until: datetime | None
    minutes: int


def get_place_token(request: HttpRequest, event: Event) -> str:
    """The token of this session's place in the event's line; empty without one."""
    places: dict[str, str] = request.session.get(SESSION_KEY, {})
    return "" if request.user.is_authenticated else places.get(str(event.seats_id), "")


def describe_place(request: HttpRequest, event: Event, now: datetime) -> PlaceInLine | None:
    """The place of this visitor, who keeps it by looking; None without one."""
    token = get_place_token(request, event)
    if not token or event.seats is None:
        return None
    place = keep_place(event.seats, token, now)
    if place is None:
        return None
    until = place.offered_until
    minutes = ceil((until - now).total_seconds() / 60) if until else 0
    return PlaceInLine(count_ahead(place, now) + 1, until, minutes)


def forget_place(request: HttpRequest, event: Event) -> None:
    """Drop this session's token for the event's line."""
    places: dict[str, str] = request.session.get(SESSION_KEY, {})
    if places.pop(str(event.seats_id), None):
        request.session[SESSION_KEY] = places


@require_POST
@login_not_required
@never_cache
@limit_requests("line", network=LINE_RATE)
def line(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a place in line where all open seats are taken, or leave it."""
    event, now = event_for(request.user, slug), timezone.now()
    token = get_place_token(request, event)
    if request.POST.get("act") == "leave":
        leave_line(token)
        forget_place(request, event)
    elif not request.user.is_authenticated and describe_place(request, event, now) is None:
        check_takes_contributors(event, now)
        pool = get_seat_pool(event)
        if find_room(pool, now) is SeatAvailability.TAKEN:
            # Places are as scarce as seats: whoever may not claim more may not wait for more.
            message = gettext("Many people from your network are waiting already. Try again later.")
            quota = Rate(pool.claims_per_network, DAY_SECONDS)
            count_network_use(f"line-{pool.pk}", request, quota, now, message)
            places = request.session.get(SESSION_KEY, {})
            request.session[SESSION_KEY] = places | {str(pool.pk): join_line(pool, now)}
    return redirect("events:join", slug)
