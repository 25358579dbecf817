"""Carrying decisions out: at once, or, where they take two people, once a second one confirms.

Each kind of decision that may be proposed has one function here, from what a form or a proposal
says to the verb that does it.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from arena.errors import ConflictError, NotFoundError
from arena.events.decision_record import Ruling
from arena.events.lifecycle.decisions import Plan, SecondPersonError, propose
from arena.events.models import Act, Enrollment, Event, Matchup, Proposal
from arena.events.records.controls import (
    ExpectedAnswer,
    change_key,
    mark_as_control,
    withdraw_key,
)
from arena.judging.models import Case, Judgment
from arena.judging.review import cases as review
from arena.judging.review.exclusions import exclude_judgments
from leaderboard.results.winner import confirm_winner, is_on_top, winner_of, withdraw_winner

Payload = dict[str, Any]
PROPOSED = lazy("Proposed. Somebody else has to confirm it: it waits in the review queue.")


def carry(event: Event, plan: Plan, ruling: Ruling) -> None:
    """Carry a decision out. Raises `SecondPersonError` where it takes another person, and
    `ArenaError` where it cannot be."""
    CARRIERS[plan.act](event, plan.payload, ruling)


def carry_or_propose(event: Event, plan: Plan, ruling: Ruling) -> Proposal | None:
    """Carry a decision out, or propose it where it takes two people; then the proposal."""
    try:
        carry(event, plan, ruling)
    except SecondPersonError:
        return propose(event, plan, ruling)
    return None


def plan_key(act: str, matchup: Matchup, said: ExpectedAnswer | None = None) -> Plan:
    """Set, change or withdraw the key of a matchup."""
    payload: Payload = {"matchup": matchup.pk}
    if said is not None:
        payload |= {"expected": said.expected, "reason": said.reason}
    return Plan(act, f"matchup {matchup.pk}", payload)


def plan_winner(act: str, contributor: Enrollment | None = None) -> Plan:
    """Confirm a winner, or take that back."""
    return Plan(act, "winner", {"contributor": contributor and contributor.pk})


def plan_exclusion(
    contributor: Enrollment,
    reason: str,
    *,
    case: Case | None = None,
    judgments: list[Judgment] | None = None,
    since: datetime | None = None,
) -> Plan:
    """Exclude a contributor, or some judgments of theirs; case: the one that ends by it; since: of
    a case, all that they judge from this moment on."""
    payload = {
        "contributor": contributor.pk,
        "reason": reason,
        "case": case and case.pk,
        "judgments": None if judgments is None else [one.pk for one in judgments],
        "since": since and since.isoformat(),
    }
    return Plan(Act.EXCLUDED, f"contributor {contributor.pk}", payload)


def carry_key_set(event: Event, payload: Payload, ruling: Ruling) -> None:
    """Give a matchup a key."""
    said = ExpectedAnswer(payload["expected"], payload["reason"])
    mark_as_control(find_matchup(event, payload), said, ruling)


def carry_key_change(event: Event, payload: Payload, ruling: Ruling) -> None:
    """Give a control another key."""
    said = ExpectedAnswer(payload["expected"], payload["reason"])
    change_key(find_matchup(event, payload).control, said, ruling)


def carry_key_withdrawal(event: Event, payload: Payload, ruling: Ruling) -> None:
    """Withdraw a control's key."""
    withdraw_key(find_matchup(event, payload).control, ruling.note.strip(), ruling)


def find_matchup(event: Event, payload: Payload) -> Matchup:
    """The matchup that a payload names."""
    named = event.matchups.filter(pk=payload["matchup"])
    found = named.select_related("event", "record", "control__matchup__record").first()
    if found is None:
        raise NotFoundError
    return found


def carry_winner(event: Event, payload: Payload, ruling: Ruling) -> None:
    """Confirm the winner."""
    confirm_winner(event, find_contributor(event, payload), ruling)


def carry_winner_back(event: Event, _payload: Payload, ruling: Ruling) -> None:
    """Take the winner back."""
    if not withdraw_winner(event, ruling):
        raise ConflictError(_("There is no winner to withdraw."), "no_winner")


def find_contributor(event: Event, payload: Payload) -> Enrollment:
    """The contributor whom a payload names."""
    found = event.enrollments.filter(pk=payload["contributor"]).select_related("event").first()
    if found is None:
        raise NotFoundError
    return found


def carry_exclusion(event: Event, payload: Payload, ruling: Ruling) -> None:
    """Exclude a contributor or judgments of theirs; a winner who is excluded is none any more."""
    contributor = find_contributor(event, payload)
    is_grave, chosen = is_on_top(event, contributor), payload["judgments"]
    since = payload.get("since")
    about = Case.objects.filter(event=event, pk=payload["case"] or 0)
    case = about.select_related("event", "enrollment").first()
    judgments = None
    if chosen is not None:
        standing = Judgment.objects.standing().not_excluded().filter(enrollment=contributor)
        judgments = list(standing.filter(pk__in=chosen).order_by("pk"))
    # Nobody is excluded and the winner at once.
    with transaction.atomic():
        if case is not None and since:
            moment = datetime.fromisoformat(since)
            review.exclude_since(case, moment, ruling, is_grave=is_grave)
        elif case is not None:
            review.exclude_for(case, ruling, judgments=judgments, is_grave=is_grave)
        elif judgments is not None:
            exclude_judgments(judgments, payload["reason"], ruling, is_grave=is_grave)
        else:
            reason = payload["reason"]
            review.exclude_on_review(contributor, reason, ruling, is_grave=is_grave)
        won = winner_of(event)
        if chosen is None and not since and won is not None and won.enrollment == contributor:
            withdraw_winner(event, ruling)


CARRIERS: dict[str, Callable[[Event, Payload, Ruling], None]] = {
    Act.KEY_SET: carry_key_set,
    Act.KEY_CHANGED: carry_key_change,
    Act.KEY_WITHDRAWN: carry_key_withdrawal,
    Act.WINNER_CONFIRMED: carry_winner,
    Act.WINNER_WITHDRAWN: carry_winner_back,
    Act.EXCLUDED: carry_exclusion,
}
