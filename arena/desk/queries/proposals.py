"""Decisions that wait for a second person, in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from arena.events.decision_record import name_matchup
from arena.events.lifecycle.decisions import works_alone
from arena.events.models import Act, Enrollment, Event, Matchup, Proposal
from arena.events.records.controls import ANSWER_BY_SIGN, describe_sides
from arena.judging.models import Case, Exclusion
from arena.judging.review.cases import EXCLUSION_REASONS
from leaderboard.results.winner import winner_of

# What each proposal would have done.
TITLES = {
    Act.KEY_SET: lazy("Set a key"),
    Act.KEY_CHANGED: lazy("Change a key"),
    Act.KEY_WITHDRAWN: lazy("Withdraw a key"),
    Act.WINNER_CONFIRMED: lazy("Confirm the winner"),
    Act.WINNER_WITHDRAWN: lazy("Withdraw the winner"),
    Act.EXCLUDED: lazy("Exclude"),
}


@dataclass(frozen=True)
class ProposalDetails:
    """What a proposal would do; whatever it is not about is None or "". old and new: a key in
    words; since: the moment from which on judgments would be excluded."""

    title: str
    about: str
    contributor: Enrollment | None = None
    case: Case | None = None
    matchup: Matchup | None = None
    old: str = ""
    new: str = ""
    reason: str = ""
    judgments: int | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class SecondPerson:
    """is_needed: a grave decision here takes two people now; is_alone: it would, were there two."""

    is_needed: bool
    is_alone: bool


def describe_rule(event: Event) -> SecondPerson:
    """The rule of two as it stands for this event now."""
    is_alone = event.is_over() and works_alone(event)
    return SecondPerson(event.is_over() and not is_alone, is_alone)


def select_proposals(event: Event) -> QuerySet[Proposal]:
    """The proposals that nobody has answered, the oldest first."""
    return Proposal.objects.waiting().filter(event=event).order_by("proposed_at", "pk")


def find_proposals(event: Event, *targets: str) -> dict[str, Proposal]:
    """What waits for a second person about these, by target."""
    waiting = select_proposals(event).filter(target__in=targets).select_related("proposed_by")
    return {proposal.target: proposal for proposal in waiting}


def summarize_proposals(
    event: Event, proposals: Iterable[Proposal]
) -> Iterator[tuple[Proposal, str, str]]:
    """Each of these with what it would do, and whom or what it is about."""
    listed = list(proposals)
    people, matchups = (
        {one.payload[name] for one in listed if one.payload.get(name)}
        for name in ("contributor", "matchup")
    )
    names = dict(event.enrollments.filter(pk__in=people).values_list("pk", "pseudonym"))
    found = event.matchups.filter(pk__in=matchups).select_related("record")
    records = {matchup.pk: name_matchup(matchup) for matchup in found}
    for proposal in listed:
        who = names.get(proposal.payload.get("contributor"), "")
        what = records.get(proposal.payload.get("matchup"), "")
        yield proposal, str(TITLES[Act(proposal.act)]), who or what


def describe_proposal(proposal: Proposal) -> ProposalDetails:
    """Everything that a proposal would do."""
    event, payload = proposal.event, proposal.payload
    title = str(TITLES[Act(proposal.act)])
    if "matchup" in payload:
        return describe_key(event, title, payload)
    if proposal.act == Act.EXCLUDED:
        return describe_exclusion(event, title, payload)
    won = winner_of(event) if proposal.act == Act.WINNER_WITHDRAWN else None
    who = won.enrollment if won else find_contributor(event, payload)
    return ProposalDetails(title, who.pseudonym if who else "", who)


def describe_key(event: Event, title: str, payload: dict[str, Any]) -> ProposalDetails:
    """A key before and after."""
    named = event.matchups.filter(pk=payload["matchup"]).select_related("record", "control")
    matchup = named.first()
    if matchup is None:
        return ProposalDetails(title, "")
    sides, control = describe_sides(matchup), getattr(matchup, "control", None)
    old = name_side(sides, ANSWER_BY_SIGN[control.key["sign"]]) if control else ""
    if control and control.retired_at:
        old = _("%(key)s (withdrawn)") % {"key": old}
    return ProposalDetails(
        title,
        matchup.record.external_id,
        matchup=matchup,
        old=old,
        new=name_side(sides, payload.get("expected", "")),
        reason=payload.get("reason", ""),
    )


def name_side(sides: list[str], expected: str) -> str:
    """An expected answer in words; empty without one."""
    if expected == "tie":
        return _("A tie")
    return sides["ab".index(expected)] if expected else ""


def describe_exclusion(event: Event, title: str, payload: dict[str, Any]) -> ProposalDetails:
    """Who would be excluded, why and how far."""
    who = find_contributor(event, payload)
    case = Case.objects.filter(event=event, pk=payload.get("case") or 0).first()
    code = payload["reason"]
    if case is not None:
        code = EXCLUSION_REASONS.get(Case.Reason(case.reason), Exclusion.Reason.ORGANIZER)
    chosen, since = payload.get("judgments"), payload.get("since")
    return ProposalDetails(
        title,
        who.pseudonym if who else "",
        who,
        case,
        reason=str(Exclusion.Reason(code).label),
        judgments=None if chosen is None else len(chosen),
        since=datetime.fromisoformat(since) if since else None,
    )


def find_contributor(event: Event, payload: dict[str, Any]) -> Enrollment | None:
    """The contributor whom a payload names."""
    return event.enrollments.filter(pk=payload.get("contributor") or 0).first()
