"""Erasing a contributor: their identity is deleted, their judgments stay under the pseudonym.

The ledger's chain covers neither free text nor how answers were given, and boards count pseudonyms:
nothing of it changes.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from arena.errors import ConflictError
from arena.events.models import Enrollment, Event, Membership, Proposal
from arena.judging.models import (
    Answer,
    Appeal,
    Assignment,
    Case,
    Exclusion,
    Flag,
    ReviewWarning,
)
from arena.judging.serving.leases import end_live_assignments
from arena.people.account_deletion import delete_account, empty_write_ahead_log
from arena.people.erasures import note_erasure, take_back_note
from arena.people.models import User

# Kinds of questions answered with free text.
FREE_TEXT_KINDS = ("text",)
# Requests in progress during an erasure have ended long before this.
LATE_TEXT_PERIOD = timedelta(hours=1)


def erase_contributor(user: User, now: datetime) -> None:
    """Delete the account and the texts its owner wrote; keep the judgments.

    Raises `ConflictError` ("sole_organizer") for the only organizer of an event.
    """
    event = find_sole_organizer_event(user)
    if event is not None:
        raise ConflictError(
            f"You are the only organizer of “{event.title}”. Invite another one first.",
            "sole_organizer",
        )
    erase_account(user, now)


def erase_account(user: User, now: datetime) -> None:
    """Erase whoever it is, and note it outside of the database for restores of older dumps.

    The note comes first: whoever is noted has asked to be erased, also where the process ends here.
    """
    note = note_erasure(user)
    try:
        # All or nothing: no account without its erased texts, no texts of a deleted account.
        with transaction.atomic():
            # An answer under way shares the row's key: neither waits for the other in a circle.
            mine = Enrollment.objects.filter(user=user).order_by("pk")
            enrollments = list(mine.select_for_update(no_key=True))
            erase_traces(enrollments)
            end_live_assignments(enrollments, now)
            Enrollment.objects.filter(user=user).update(user=None, left_at=now)
            delete_account(user)
            transaction.on_commit(empty_write_ahead_log)
    except BaseException:
        take_back_note(note)
        raise


def find_sole_organizer_event(user: User) -> Event | None:
    """An event of which this user is the only organizer, if any."""
    organizers = Membership.objects.filter(role=Membership.Role.ORGANIZER)
    for own in organizers.filter(user=user).select_related("event"):
        if not organizers.filter(event=own.event).exclude(user=user).exists():
            return own.event
    return None


def erase_traces(enrollments: QuerySet[Enrollment] | list[Enrollment]) -> int:
    """Empty all that these contributors wrote, in every revision, all that was written to them or
    about them, and how they gave their answers; returns how many texts were emptied.

    The record of decisions stays as it is: it names them by pseudonym.
    """
    given = Assignment.objects.filter(enrollment__in=enrollments)
    given.exclude(behaviour=None).update(behaviour=None)
    comments = Answer.objects.filter(
        judgment__enrollment__in=enrollments, question__kind__in=FREE_TEXT_KINDS
    )
    emptied = comments.exclude(value={"text": ""}).update(value={"text": ""})
    return emptied + sum(
        rows.exclude(**{field: ""}).update(**{field: ""}) for rows, field in list_texts(enrollments)
    )


def list_texts(
    enrollments: QuerySet[Enrollment] | list[Enrollment],
) -> list[tuple[QuerySet[Any], str]]:
    """Rows with a text by or about these contributors, beside their answers, and its column."""
    of_theirs = {"enrollment__in": enrollments}
    appeals = Appeal.objects.filter(**of_theirs)
    # What waits for a second person is needed until it is answered.
    answered = Proposal.objects.exclude(state=Proposal.State.WAITING)
    named = [f"contributor {one.pk}" for one in enrollments]
    return [
        (Flag.objects.filter(assignment__enrollment__in=enrollments), "note"),
        (appeals, "text"),
        (appeals, "answer"),
        (ReviewWarning.objects.filter(**of_theirs), "text"),
        (Case.objects.filter(**of_theirs), "note"),
        (Exclusion.objects.filter(**of_theirs), "note"),
        (Exclusion.objects.filter(judgment__enrollment__in=enrollments), "note"),
        (answered.filter(target__in=named), "note"),
    ]


def finish_erasures(now: datetime) -> int:
    """Erase traces that arrived during an erasure, such as an answer sent from another tab;
    returns how many texts there were.

    Also truncates SQLite's write-ahead log, if a reader prevented that at the time.
    """
    transaction.on_commit(empty_write_ahead_log)
    return erase_traces(Enrollment.objects.filter(left_at__gte=now - LATE_TEXT_PERIOD))
