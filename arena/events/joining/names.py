"""Names beside each other on a board: no contributor is called what another one is."""

import unicodedata

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from arena.errors import ConflictError
from arena.events.joining.pseudonyms import BIRDS, COLOURS
from arena.events.models import Enrollment, Event
from arena.people.display_names import get_skeleton
from arena.people.models import User

COLOUR_SKELETONS = frozenset(map(get_skeleton, COLOURS))
BIRD_SKELETONS = tuple(map(get_skeleton, BIRDS))


def check_name_free(user: User, name: str) -> None:
    """Refuse a public name that is somebody else's where this user takes part, or looks like it.

    Raises `ConflictError`.
    """
    if looks_like_pseudonym(name):
        message = _("This name looks like a pseudonym of this site. Choose another one.")
        raise ConflictError(message, "like_pseudonym")
    own_events = Event.objects.filter(enrollments__user=user)
    others = Enrollment.objects.filter(event__in=own_events).exclude(user=user)
    if name and get_skeleton(name) in collect_skeletons(others):
        message = _("Somebody in one of your events has this name, or one that looks like it.")
        raise ConflictError(message, "name_taken")


def check_name_free_in_event(user: User, event: Event) -> None:
    """Refuse to let somebody join under a name that another contributor of the event has."""
    name = user.display_name
    if name and get_skeleton(name) in collect_skeletons(event.enrollments.exclude(user=user)):
        message = _(
            "Somebody in this event is called “%(name)s” already. Choose another name under "
            "“My account”, then join."
        )
        raise ConflictError(message % {"name": name}, "name_taken")


def collect_skeletons(enrollments: QuerySet[Enrollment]) -> set[str]:
    """The skeletons of the names that these contributors have in public."""
    names = enrollments.values_list("pseudonym", "user__display_name")
    return {get_skeleton(name) for pair in names for name in pair if name}


def looks_like_pseudonym(name: str) -> bool:
    """Whether a name is made like a pseudonym: a colour, a bird and a number."""
    words = unicodedata.normalize("NFKC", name).rstrip()
    letters = words.rstrip("0123456789")
    if letters == words:
        return False
    found = get_skeleton(letters)
    return any(
        found.endswith(bird) and found.removesuffix(bird) in COLOUR_SKELETONS
        for bird in BIRD_SKELETONS
    )
