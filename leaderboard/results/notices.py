"""Telling contributors: that a result is published, with their own place, and organizers' notes.

Notices are shown on the site at the next visit, and mailed once to confirmed addresses. A periodic
task writes and mails them, so that nothing is lost with the message broker.
"""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from arena.events.access import enrollment_of
from arena.events.models import Enrollment, Event
from arena.mail import sends_mail
from arena.people.models import User
from leaderboard.contributors.places import place_of
from leaderboard.models import Notice
from leaderboard.results.winner import find_candidates

# What is older is not told any more: nobody wants last year's news after an upgrade.
MAX_NOTICE_AGE = timedelta(days=2)
MAX_MAILS = 500
"""Messages sent per run of the task; the next run continues."""


def find_shortlisted(event: Event) -> list[User]:
    """Users among the winner's candidates, best first."""
    people = [candidate.place.enrollment for candidate in find_candidates(event)]
    return [
        enrollment.user
        for enrollment in people
        if enrollment.user is not None and enrollment.kind == Enrollment.Kind.HUMAN
    ]


def confirmed_addresses(users: list[User]) -> dict[int, str]:
    """The address under which each of these users can be reached, by primary key."""
    verified = EmailAddress.objects.filter(user__in=users, verified=True)
    return dict(verified.order_by("primary", "-pk").values_list("user", "email"))


def write_to_shortlisted(event: Event, text: str, *, by: User, now: datetime) -> list[Notice]:
    """Write a note to each shortlisted contributor."""
    return Notice.objects.bulk_create(
        Notice(
            event=event,
            user=user,
            kind=Notice.Kind.NOTE,
            text=text,
            created_at=now,
            created_by=by,
        )
        for user in find_shortlisted(event)
    )


def announce_results(now: datetime) -> int:
    """Notify everybody who judged in an event whose result was published recently.

    Returns how many are new: each person has one, however often this runs.
    """
    published = Event.objects.filter(
        state=Event.State.PUBLISHED, board__current_snapshot__published_at__gte=now - MAX_NOTICE_AGE
    )
    told = Notice.objects.filter(
        event=OuterRef("event"), user=OuterRef("user"), kind=Notice.Kind.RESULT
    )
    due = Enrollment.objects.filter(
        ~Exists(told), event__in=published, user__isnull=False, judgments__standing=True
    )
    notices = [
        Notice(event_id=event, user_id=user, kind=Notice.Kind.RESULT, created_at=now)
        for event, user in due.order_by("pk").values_list("event", "user").distinct()
    ]
    # Two runs at once: the unique constraint lets one notice of each through.
    Notice.objects.bulk_create(notices, batch_size=1_000, ignore_conflicts=True)
    return len(notices)


def mail_notices(now: datetime) -> int:
    """Hand due notices to the outbox; returns how many there were."""
    if not sends_mail():
        return 0
    reachable = EmailAddress.objects.filter(user=OuterRef("user"), verified=True)
    due = Notice.objects.filter(
        Exists(reachable), mailed_at=None, created_at__gte=now - MAX_NOTICE_AGE
    ).select_related("event", "user")
    return sum(mail_notice(notice, now) for notice in due.order_by("pk")[:MAX_MAILS])


def mail_notice(notice: Notice, now: datetime) -> bool:
    """Hand one notice to the outbox, unless another run has."""
    address = confirmed_addresses([notice.user]).get(notice.user_id)
    own = Notice.objects.filter(pk=notice.pk)
    if address is None:
        return False
    # Two runs at once: whoever changes the row writes the message, and both are there or neither.
    with transaction.atomic():
        if not own.filter(mailed_at=None).update(mailed_at=now):
            return False
        send_mail(subject_of(notice), words_of(notice), settings.DEFAULT_FROM_EMAIL, [address])
    return True


def subject_of(notice: Notice) -> str:
    """The message's subject, on one line."""
    words = _("The result of “%(title)s” is published")
    if notice.kind == Notice.Kind.NOTE:
        words = _("A note from the organizers of “%(title)s”")
    return settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + words % {
        "title": " ".join(notice.event.title.split())
    }


def words_of(notice: Notice) -> str:
    """The message as plain text, with the recipient's own place where it tells of a result."""
    context = {
        "notice": notice,
        "place": place_of(notice.event, enrollment_of(notice.user, notice.event)),
        "url": settings.SITE_URL + reverse("events:event", args=[notice.event.slug]),
    }
    return render_to_string("leaderboard/notice.txt", context)


def find_unread(user: User, event: Event | None = None) -> list[Notice]:
    """A user's unread notices; those of a result carry the user's `place`."""
    notices = Notice.objects.filter(user=user, read_at=None).select_related("event")
    found = list(notices.filter(event=event) if event is not None else notices)
    for notice in found:
        if notice.kind == Notice.Kind.RESULT:
            enrollment = enrollment_of(user, notice.event)
            notice.place = place_of(notice.event, enrollment)  # type: ignore[attr-defined]
    return found
