"""An event that registers, and what the command says of it later."""

import io
from datetime import datetime, timedelta
from typing import Any

from django.core.management import CommandError, call_command

from arena.events.decision_record import Ruling
from arena.events.lifecycle.event_settings import (
    recorded_settings,
)
from arena.events.lifecycle.registration.writing import register
from arena.events.lifecycle.transitions import open_event
from arena.events.models import (
    Control,
    Event,
    LedgerEntry,
    Membership,
    Registration,
    Terms,
)
from arena.people.models import User
from tests.factories import (
    NOW,
    make_competitors,
    make_control,
    make_event,
    make_matchups,
    make_membership,
    make_user,
)

HOUR = timedelta(hours=1)


def make_draft(olga: User) -> Event:
    """Everything that can be registered, before its opening: two organizers, terms, controls."""
    event = make_event(
        "fair", organizer=olga, state=Event.State.DRAFT, closes_at=NOW + 48 * HOUR, publish_batch=20
    )
    make_membership(event, make_user("otto"), Membership.Role.ORGANIZER)
    make_matchups(event, make_competitors(event, 2), 12)
    for sign in (1, 1, -1):
        make_control(event, sign)
    Terms.objects.create(event=event, version=1, licence="CC-BY-4.0", prize_rules="One each.")
    return event


def make_registered(olga: User) -> Event:
    """The same, opened."""
    event = make_draft(olga)
    open_event(event, NOW)
    return event


def verify(slug: str = "fair") -> str:
    """What the command says: "true", or the names of what was changed."""
    out = io.StringIO()
    try:
        call_command("registration", slug, "--verify", stdout=out)
    except CommandError as error:
        assert out.getvalue() == "false\n"
        return str(error)
    return out.getvalue().strip()


def ruling(olga: User) -> Ruling:
    """Who decides in these tests, and why."""
    return Ruling(olga, NOW, "It was asked for.")


def register_anew(event: Event) -> None:
    """As if it had been opened as it is now."""
    Registration.objects.all().delete()
    LedgerEntry.objects.all().delete()
    register(event, NOW)


def register_and_change(event: Event, organizer: User, now: datetime) -> None:
    """Register an event that is open, and change a line and a text of it with a record."""
    register(event, now)
    text = "Which of two answers helps more.\n\nBoth are written by machines."
    with recorded_settings(event, Ruling(organizer, now, "Said more plainly.")):
        Event.objects.filter(pk=event.pk).update(description=text, overlap=4)
    event.refresh_from_db()


def save(event: Event, olga: User, **settings: Any) -> None:
    """Change settings with a record."""
    with recorded_settings(event, ruling(olga)):
        Event.objects.filter(pk=event.pk).update(**settings)


def turn_key(_event: Event) -> None:
    """Another key by hand, of a control that has one in force."""
    first = Control.objects.filter(retired_at=None).earliest("pk")
    sign = 0 if first.key["sign"] else 1
    Control.objects.filter(pk=first.pk).update(key={"sign": sign})
