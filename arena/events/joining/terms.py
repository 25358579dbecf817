"""What contributors agree to: versioned, accepted on joining, recorded with the enrollment."""

from typing import Any

from django.db import transaction

from arena.errors import ConflictError
from arena.events.models import Enrollment, Event, Terms

TERMS_FIELDS = (
    "licence",
    "public_release",
    "minimum_age",
    "content_warning",
    "assistance",
    "keeps_behaviour",
    "prize",
    "prize_rules",
)


def current_terms(event: Event) -> Terms:
    """The terms in force; before an organizer has written any, unsaved ones with the defaults."""
    latest = event.terms.order_by("-version").first()
    return latest or Terms(event=event, version=1, **event.promises())


def publish_terms(event: Event, **fields: Any) -> Terms:
    """A further version of the terms, if anything in them has changed."""
    latest = current_terms(event)
    changed = any(getattr(latest, name) != value for name, value in fields.items())
    if latest.pk is not None and not changed:
        return latest
    same = {name: getattr(latest, name) for name in TERMS_FIELDS}
    version = latest.version + 1 if latest.pk else 1
    return Terms.objects.create(event=event, **(same | fields | {"version": version}))


def accept_terms_version(event: Event, version: int) -> Terms:
    """The terms that somebody has just agreed to; refused where they are no longer in force."""
    terms = current_terms(event)
    if terms.version != version:
        raise ConflictError("The terms have changed. Please read them again.", "terms_changed")
    if terms.pk is not None:
        return terms
    # Two first contributors at once: the unique constraint leaves one row, and both get it.
    with transaction.atomic():
        saved, _ = Terms.objects.get_or_create(event=event, version=1, defaults=event.promises())
    return saved


def has_consented(enrollment: Enrollment) -> bool:
    """Whether this contributor has accepted the terms in force."""
    terms = current_terms(enrollment.event)
    return terms.pk is not None and enrollment.terms_id == terms.pk
