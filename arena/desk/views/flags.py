"""The flag queue: what contributors reported, looked at, resolved, and taken up again."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from arena.desk.access import get_desk_event, get_reviewer, parse_uuid
from arena.desk.page_context import render_desk
from arena.desk.queries.health import open_flags
from arena.desk.queries.pairs import prefetch_texts, view_sides
from arena.errors import ArenaError
from arena.events.access import Role
from arena.events.decision_record import Ruling
from arena.events.models import Event
from arena.events.records.controls import restore_matchup, retire_matchup
from arena.judging.models import Flag
from arena.people.models import User

# Each with three texts.
PER_PAGE = 10
RESOLVED = "resolved"


@require_http_methods(["GET", "POST"])
def flags(request: HttpRequest, slug: str) -> HttpResponse:
    """The open flags, the oldest first, or the resolved ones."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    if request.method == "POST":
        return handle_flag(request, event)
    show = RESOLVED if request.GET.get("show") == RESOLVED else ""
    found = resolved_flags(event) if show else open_flags(event)
    page = Paginator(select_with_pairs(found), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "query": f"show={show}&" if show else "",
        "rows": [view_flag(flag) for flag in page],
        "show": show,
        "waiting": open_flags(event).count(),
        "resolved": resolved_flags(event).count(),
        "undoable": find_just_resolved(event, request),
    }
    return render_desk(request, "flags", event, context)


def all_flags(event: Event) -> QuerySet[Flag]:
    """Every flag of the event."""
    return Flag.objects.filter(assignment__enrollment__event=event)


def resolved_flags(event: Event) -> QuerySet[Flag]:
    """Flags that were resolved, or withdrawn by their author, the latest first."""
    over = all_flags(event).exclude(resolved_at=None, withdrawn_at=None)
    return over.order_by(F("resolved_at").desc(nulls_last=True), "-withdrawn_at", "-pk")


def select_with_pairs(flags: QuerySet[Flag]) -> QuerySet[Flag]:
    """The flags with everything that their page shows, in a fixed number of statements."""
    return flags.select_related(
        "assignment__matchup__record", "assignment__enrollment", "resolved_by"
    ).prefetch_related(prefetch_texts("assignment__matchup"))


def view_flag(flag: Flag) -> dict[str, Any]:
    """A flag with its pair as its author saw it."""
    matchup = flag.assignment.matchup
    return {
        "flag": flag,
        "record": matchup.record,
        "sides": view_sides(matchup, flag.assignment.order),
        "is_retired": matchup.retired_at is not None,
    }


def find_just_resolved(event: Event, request: HttpRequest) -> Flag | None:
    """The flag that this person has just resolved, so that the page offers to reopen it."""
    if "done" not in request.GET:
        return None
    named = all_flags(event).filter(assignment__uuid=parse_uuid(request.GET, "done"))
    mine = named.filter(resolved_by=get_reviewer(request), resolved_at__isnull=False)
    return mine.select_related("assignment__matchup__record").first()


def handle_flag(request: HttpRequest, event: Event) -> HttpResponse:
    """Resolve the flag that the form names, retire its pair with it, or take it up again."""
    uuid, act, now = parse_uuid(request.POST, "assignment"), request.POST.get("act"), timezone.now()
    page = {"show": RESOLVED} if request.POST.get("show") == RESOLVED else {}
    for flag in select_with_pairs(all_flags(event)).filter(assignment__uuid=uuid):
        try:
            if act == "reopen":
                reopen_flag(flag, by=get_reviewer(request), now=now)
            else:
                resolve_flag(flag, by=get_reviewer(request), now=now, retires=act == "retire")
                page["done"] = str(uuid)
        except ArenaError as error:
            messages.error(request, error.message)
    query = f"?{urlencode(page)}" if page else ""
    return redirect(reverse("desk:flags", args=[event.slug]) + query)


def resolve_flag(flag: Flag, *, by: User, now: datetime, retires: bool = False) -> None:
    """Resolve a flag, and retire its matchup if `retires`; doing it twice changes nothing.

    Raises `ArenaError` where the matchup cannot be retired.
    """
    # Closes the race of two reviewers: one of them resolves it, and the pair goes with it.
    with transaction.atomic():
        waiting = Flag.objects.waiting().filter(pk=flag.pk)
        if waiting.update(resolved_at=now, resolved_by=by) and retires:
            note = _("Reported: %(reason)s.") % {"reason": flag.get_reason_display()}
            retire_matchup(flag.assignment.matchup, Ruling(by, now, note))


def reopen_flag(flag: Flag, *, by: User, now: datetime) -> None:
    """Reopen a resolved flag; a matchup that was retired with it is served again.

    Raises `ArenaError` where that cannot be.
    """
    # Closes the race of two reviewers: one of them takes it up.
    with transaction.atomic():
        resolved = Flag.objects.filter(pk=flag.pk, resolved_at=flag.resolved_at)
        if flag.resolved_at is None or not resolved.update(resolved_at=None, resolved_by=None):
            return
        # The same moment to the microsecond: it was retired with the flag, and by nobody since.
        if flag.assignment.matchup.retired_at == flag.resolved_at:
            note = _("The report was reopened.")
            restore_matchup(flag.assignment.matchup, Ruling(by, now, note))
