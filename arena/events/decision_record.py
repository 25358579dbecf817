"""The record of decisions: who decided what about an event, when and why.

Whatever a person decides that moves a result, or says about a contributor, leaves one row, in the
transaction that carries it out. It names people by pseudonym: whom it is about by theirs, and those
who decide by one that is made from the event's secret. Which decisions take two people:
arena/events/lifecycle/decisions.py.
"""

import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from arena.errors import ArenaError
from arena.events.ledger import DECISION_KIND, append_entries
from arena.events.models import Decision, Event, Matchup
from arena.people.models import User

MAX_NOTE = 1_000
ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")


@dataclass(frozen=True)
class Ruling:
    """Who decides, when, and why.

    by: None for an event's own rule; confirmed_by: the second person; seen: SHA-256 of the evidence
    that was on the page, or "".
    """

    by: User | None
    now: datetime
    note: str = ""
    confirmed_by: User | None = None
    seen: str = ""


def record_decision(event: Event, act: str, ruling: Ruling, **said: Any) -> Decision:
    """Write down a decision, and that in the ledger, in the transaction that carries it out; said:
    further fields of it.

    Raises `ArenaError` where a person gives no reason, or one with an e-mail address in it.
    """
    note = ruling.note.strip()[:MAX_NOTE]
    if ruling.by is not None:
        check_note(note)
    decision = Decision.objects.create(
        event=event,
        act=act,
        made_at=ruling.now,
        by=name_staff(event, ruling.by),
        confirmed_by=name_staff(event, ruling.confirmed_by),
        note=note,
        seen=ruling.seen,
        **said,
    )
    append_entries(event.pk, DECISION_KIND, [decision.pk])
    return decision


def check_note(note: str) -> None:
    """Raises `ArenaError` for a reason that says nothing, or that may not be kept for ever."""
    if not note.strip():
        raise ArenaError(_("Say why."), "reason_missing")
    if ADDRESS.search(note):
        words = _("Leave e-mail addresses out of the reason: it is kept permanently.")
        raise ArenaError(words, "reason_has_address")


def hold_state(event: Event) -> str:
    """The event's state, which stays until the caller's transaction ends.

    Closes the race with its opening: what is done to a draft is there before it registers, and all
    else leaves a decision.
    """
    held = Event.objects.select_for_update(no_key=True).values_list("state", flat=True)
    return held.get(pk=event.pk)


def name_staff(event: Event, user: User | None) -> str:
    """The pseudonym of a member of staff in this event; "" for nobody."""
    if user is None:
        return ""
    digest = hmac.digest(event.secret.encode(), f"staff|{user.pk}".encode(), "sha256")
    return f"Staff {digest.hex()[:6].upper()}"


def name_matchup(matchup: Matchup) -> str:
    """What a decision calls a matchup."""
    return f"{matchup.record.external_id}: {matchup.key}"
