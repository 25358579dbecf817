"""Keys that several events hold: duplicating an event copies its controls.

What publishing one of them gives away, another may still be measuring people by.
"""

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Coalesce
from django.utils.translation import ngettext

from arena.events.models import Control, Event

RUNNING = (Event.State.OPEN, Event.State.FROZEN)


def relatives(event: Event) -> QuerySet[Control]:
    """Controls of other events that are copies of this one's keys in force, or what those were
    copied from, or copied from the same."""
    root = Coalesce(F("copied_from"), F("pk"))
    mine = Control.objects.filter(matchup__event=event, retired_at=None).annotate(root=root)
    others = Control.objects.exclude(matchup__event=event).annotate(root=root)
    return others.filter(root__in=mine.values("root"))


def are_keys_in_use_elsewhere(event: Event) -> bool:
    """Whether a running event measures people by keys that this one holds as well."""
    in_use = relatives(event).filter(retired_at=None, matchup__event__state__in=RUNNING)
    return in_use.exists()


def are_keys_public(event: Event) -> bool:
    """Whether nobody is measured by the event's keys any more, in a running copy of it either."""
    return event.state == Event.State.PUBLISHED and not are_keys_in_use_elsewhere(event)


def list_public_keys(event: Event) -> list[tuple[str, int]]:
    """Published events whose bundles hold keys that this one uses: titles, and how many keys."""
    public = relatives(event).filter(matchup__event__state=Event.State.PUBLISHED)
    by_event = public.order_by("matchup__event__title").values_list("matchup__event__title")
    return list(by_event.annotate(keys=Count("pk")))


def describe_public_keys(title: str, keys: int) -> str:
    """The warning to those who look after an event with such keys."""
    return ngettext(
        "The key of %(keys)s control is public in the bundle of “%(title)s”, which this event was "
        "duplicated with. Replace it.",
        "The keys of %(keys)s controls are public in the bundle of “%(title)s”, which this event "
        "was duplicated with. Replace them.",
        keys,
    ) % {"keys": keys, "title": title}
