"""Creating an event with everything it cannot be without."""

from dataclasses import dataclass, field
from itertools import count
from string import ascii_lowercase, digits
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.crypto import get_random_string
from django.utils.text import slugify

from arena.events.models import Event, Guidelines, Membership, Question
from arena.people.models import Seat, SeatPool, User

# With a number behind it, an address is still short enough.
MAX_SLUG_BASE = 50
SLUG_CHARACTERS = ascii_lowercase + digits


@dataclass(frozen=True)
class NewEvent:
    """What an organizer says about a new event; `settings` are fields of `Event`."""

    slug: str
    title: str
    guidelines: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


def free_event_slug(title: str) -> str:
    """An address made from the title that no event has; from chance where no letter is left.

    Letters with accents lose them; titles in other scripts and of signs alone have none.
    """
    base = (
        slugify(title)[:MAX_SLUG_BASE].strip("-_")
        or f"event-{get_random_string(6, SLUG_CHARACTERS)}"
    )
    names = (base if number == 1 else f"{base}-{number}" for number in count(1))
    return next(name for name in names if not is_slug_taken(name))


def is_slug_taken(slug: str) -> bool:
    """Whether an event, or the seats of one, have this name."""
    return Event.objects.filter(slug=slug).exists() or SeatPool.objects.filter(name=slug).exists()


def can_organize(user: User) -> bool:
    """Whether this account may look after events: people do, seats made for contributors do not."""
    return not Seat.objects.filter(user=user).exists()


def can_create_events(user: User) -> bool:
    """Whether this account may open events by itself: the setting EVENT_CREATORS says who may."""
    if not can_organize(user):
        return False
    if settings.EVENT_CREATORS == "anybody" or user.is_staff or user.has_perm("events.add_event"):
        return True
    is_organizer = user.memberships.filter(role=Membership.Role.ORGANIZER)
    return settings.EVENT_CREATORS == "invited" and is_organizer.exists()


def create_event(plan: NewEvent, *, organizer: User | None) -> Event:
    """A draft with guidelines version 1, a preference question, an optional comment and seats."""
    event = Event(slug=plan.slug, title=plan.title, **plan.settings)
    event.full_clean(exclude=["seats"])
    # An event without its seats or questions is none.
    with transaction.atomic():
        event.seats = SeatPool.objects.create(name=plan.slug)
        event.save(force_insert=True)
        if plan.guidelines:
            publish_guidelines(event, plan.guidelines)
        Question.objects.bulk_create(default_questions(event))
        if organizer is not None:
            Membership.objects.create(event=event, user=organizer, role=Membership.Role.ORGANIZER)
    return event


def default_questions(event: Event) -> list[Question]:
    """The questions every event begins with."""
    return [
        Question(
            event=event,
            position=1,
            name="preference",
            kind="preference",
            title="Which response is better?",
        ),
        Question(
            event=event,
            position=2,
            name="comment",
            kind="text",
            title="Comment",
            help="What decided it? Optional.",
            required=False,
        ),
    ]


def publish_guidelines(event: Event, text: str) -> Guidelines:
    """A further version of the guidelines; contributors read it before their next matchup."""
    latest = event.guidelines.order_by("-version").first()
    if latest is not None and latest.text == text:
        return latest
    return Guidelines.objects.create(
        event=event, version=latest.version + 1 if latest else 1, text=text
    )
