"""Confirming the winner among the contributors, after review."""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.decision_record import Ruling, record_decision
from arena.events.lifecycle.decisions import require_second
from arena.events.models import Act, Enrollment, Event
from arena.judging.models import Case
from arena.people.accounts.identity import find_earlier_owners, has_verified_identity
from arena.people.models import User
from leaderboard.contributors.places import Place, build_places, standings_of
from leaderboard.models import Winner
from leaderboard.results.rounds import require_fresh_snapshot

SHORTLIST_SIZE = 10
"""How many contributors are reviewed before a prize."""


@dataclass(frozen=True)
class Candidate:
    """A contributor at the top of the board; obstacle: why they cannot win, or ""."""

    place: Place
    obstacle: str


def find_candidates(event: Event) -> list[Candidate]:
    """The top contributors by exact score, each with what keeps them from winning."""
    rated = standings_of(event).filter(score__gt=0)[:SHORTLIST_SIZE]
    return [
        Candidate(place, find_obstacle(event, place)) for place in build_places(event, list(rated))
    ]


def find_obstacle(event: Event, place: Place) -> str:
    """Why this contributor cannot be the winner; empty where they can."""
    if place.enrollment.kind != Enrollment.Kind.HUMAN or place.simulated:
        return _("Not a person.")
    user = place.enrollment.user
    if user is None:
        return _("Unknown person: imported, or has left.")
    if Case.objects.waiting().filter(enrollment=place.enrollment).exists():
        return _("A case about them is open. Decide it first.")
    if event.prize and not has_verified_identity(user):
        return _("No confirmed address or linked account of their own, which a prize requires.")
    if event.prize and has_other_account(event, user):
        return _("Another contributor here confirmed the same address first: one account a person.")
    return ""


def has_other_account(event: Event, user: User) -> bool:
    """Whether this user has another account in the event, to which the prize would go."""
    return event.enrollments.filter(user__in=find_earlier_owners(user)).exists()


def confirm_winner(event: Event, enrollment: Enrollment, ruling: Ruling) -> Winner:
    """Make this contributor the winner of an event that is over.

    Raises `ConflictError` where the event still runs, its boards are not computed yet, there is a
    winner already, or this contributor cannot be one; `SecondPersonError` where one person alone
    asks for it, and the event has more.
    """
    if not event.is_over():
        raise ConflictError(_("The event is still running."), "not_over")
    require_fresh_snapshot(event)
    for candidate in find_candidates(event):
        if candidate.place.enrollment == enrollment:
            if candidate.obstacle:
                raise ConflictError(candidate.obstacle, "cannot_win")
            break
    else:
        raise ConflictError(_("Not among the top of the board."), "not_on_top")
    try:
        # Closes the race of two organizers: an event has one winner.
        with transaction.atomic():
            record_winner(event, Act.WINNER_CONFIRMED, enrollment, ruling)
            return Winner.objects.create(
                event=event,
                enrollment=enrollment,
                confirmed_at=ruling.now,
                confirmed_by=ruling.by,
            )
    except IntegrityError as error:
        raise ConflictError(_("There is already a winner."), "already_confirmed") from error


def withdraw_winner(event: Event, ruling: Ruling) -> bool:
    """Withdraw the confirmed winner; whether there was one.

    Raises `SecondPersonError` where one person alone asks for it, and the event has more.
    """
    # The row that goes and the record of it come together; of two who ask, one finds the row.
    with transaction.atomic():
        won = Winner.objects.select_for_update().filter(event=event).first()
        if won is None:
            return False
        record_winner(event, Act.WINNER_WITHDRAWN, won.enrollment, ruling)
        won.delete()
    return True


def record_winner(event: Event, act: str, enrollment: Enrollment, ruling: Ruling) -> None:
    """Write down who becomes the winner, or is no longer."""
    is_alone = require_second(event, ruling)
    record_decision(event, act, ruling, contributor=enrollment.pseudonym, is_alone=is_alone)


def is_on_top(event: Event, enrollment: Enrollment) -> bool:
    """Whether this contributor is among the shortlisted, or the winner, so that excluding them is
    grave."""
    top = standings_of(event).filter(score__gt=0)[:SHORTLIST_SIZE]
    won = Winner.objects.filter(event=event, enrollment=enrollment)
    return any(one.enrollment_id == enrollment.pk for one in top) or won.exists()


def winner_of(event: Event) -> Winner | None:
    """The confirmed winner, or None."""
    return Winner.objects.filter(event=event).select_related("enrollment__user").first()
