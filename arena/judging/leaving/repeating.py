"""Erasing once more whom a restored older dump has brought back."""

from dataclasses import dataclass
from datetime import datetime

from arena.judging.leaving.erasure import erase_account, find_sole_organizer_event
from arena.people.erasures import ErasureNotes, adopt_notes, list_erasures
from arena.people.models import User


@dataclass(frozen=True)
class RepeatedErasures:
    """How many accounts are gone again, and the events that have no organizer any more."""

    erased: int
    leaderless: list[str]


def repeat_erasures(notes: ErasureNotes, now: datetime) -> RepeatedErasures:
    """Erase every account that these notes or this site's own say was erased.

    Whoever had left is erased whatever they organize in the dump. Safe to repeat.
    """
    adopt_notes(notes)
    own, leaderless = list_erasures(), []
    accounts = User.objects.order_by("pk").values_list("pk", "date_joined")
    returned = [
        pk
        for pk, joined in accounts.iterator(chunk_size=10_000)
        if notes.has(pk, joined) or own.has(pk, joined)
    ]
    for pk in returned:
        user = User.objects.get(pk=pk)
        while event := find_sole_organizer_event(user):
            leaderless.append(event.slug)
            event.memberships.filter(user=user).delete()
        erase_account(user, now)
    return RepeatedErasures(len(returned), leaderless)
