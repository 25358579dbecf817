"""What an event has been set to, as a whole: what is registered at its opening, and what a record
of a later change compares.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import transaction

from arena.events.decision_record import Ruling, record_decision
from arena.events.models import Act, Event, Terms

# Of a row and its life, not of what was promised.
NOT_SETTINGS = frozenset(
    {"id", "state", "created_at", "published_at", "secret", "seats", "version", "batch_is_new"}
)
NOT_TERMS = frozenset({"id", "event", "version", "created_at"})
QUESTION_FIELDS = ("name", "kind", "title", "help", "required", "settings")


def describe_settings(event: Event) -> dict[str, Any]:
    """Every setting by name, as JSON: the event's own fields, guidelines, terms and questions.

    Terms that nobody has written are the default ones; the first to accept them makes a row of it.
    """
    fresh = Event.objects.get(pk=event.pk)
    said = read_fields(fresh, NOT_SETTINGS)
    guidelines = fresh.guidelines.order_by("-version").first()
    terms = fresh.terms.order_by("-version").first() or Terms(event=fresh, **fresh.promises())
    questions = fresh.questions.order_by("position").values(*QUESTION_FIELDS)
    said["guidelines"] = guidelines.text if guidelines else ""
    said["terms"] = read_fields(terms, NOT_TERMS)
    said["questions"] = list(questions)
    return said


def read_fields(row: Event | Terms, left_out: frozenset[str]) -> dict[str, Any]:
    """A row's columns by name, times as ISO 8601, but for those left out."""
    names = (field.name for field in row._meta.concrete_fields)
    named = {name: getattr(row, name) for name in names if name not in left_out}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in named.items()
    }


@contextmanager
def recorded_settings(event: Event, ruling: Ruling) -> Iterator[None]:
    """One decision about whatever settings the block changes, in one transaction with it.

    A draft's leave none: they are registered at its opening. Raises `ArenaError` where a person
    changes something and gives no reason.
    """
    # Closes the race of two organizers: each record compares what was there with what it made.
    with transaction.atomic():
        state = Event.objects.select_for_update().get(pk=event.pk).state
        before = describe_settings(event)
        yield
        after = describe_settings(event)
        changed = [name for name in after if before[name] != after[name]]
        if changed and state != Event.State.DRAFT:
            old, new = ({name: said[name] for name in changed} for said in (before, after))
            record_decision(event, Act.SETTING_CHANGED, ruling, old=old, new=new)
