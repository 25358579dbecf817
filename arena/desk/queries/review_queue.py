"""The review queue: appeals first, then what waits for a second person, then open cases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, QuerySet
from django.urls import reverse
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from arena.desk.queries.evidence import describe_claim
from arena.desk.queries.proposals import select_proposals, summarize_proposals
from arena.events.models import Event, Proposal
from arena.judging.models import Appeal, Case
from arena.judging.review.appeals import is_overdue
from arena.people.models import User
from leaderboard.models import CaseEffect

MINE, DECIDED = "mine", "decided"
MAX_EXCERPT = 140
APPEAL, PROPOSAL, CASE = "appeal", "proposal", "case"
Entry = tuple[str, int]
"""What a line of the queue is about: its kind, and its primary key."""


@dataclass(frozen=True)
class QueueLine:
    """A line of the queue. kind: appeal, proposal or case; about: whom or what, by pseudonym or
    record; title: what it is called; claim: one sentence; effect: what hangs on it, or ""; note:
    what has to be said of it, or ""; is_urgent: whether that is a warning."""

    kind: str
    href: str
    about: str
    title: str
    claim: str
    since: datetime
    note: str = ""
    is_urgent: bool = False
    effect: str = ""
    case: Case | None = None


@dataclass(frozen=True)
class QueueCounts:
    """How many lines each filter has; reasons: [(code, label, cases)]."""

    waiting: int
    mine: int
    decided: int
    reasons: list[tuple[str, str, int]]


def order_cases(cases: QuerySet[Case]) -> QuerySet[Case]:
    """Cases in the order of the queue: by evidence times what hangs on it; those that nobody has
    weighed yet come last (leaderboard/snapshots/case_effects.py)."""
    return cases.order_by(F("effect__priority").desc(nulls_last=True), "opened_at", "pk")


def list_open_cases(event: Event, reason: str = "") -> QuerySet[Case]:
    """The open cases in the order of the queue; reason: these alone."""
    waiting = order_cases(Case.objects.waiting().filter(event=event))
    return waiting.filter(reason=reason) if reason else waiting


def list_decided_cases(event: Event) -> QuerySet[Case]:
    """The decided cases, the latest first."""
    decided = Case.objects.filter(event=event).exclude(state=Case.State.OPEN)
    return decided.order_by("-decided_at", "-pk")


def list_appeals(event: Event) -> QuerySet[Appeal]:
    """The open appeals, the oldest first, so that overdue ones head the queue."""
    return Appeal.objects.waiting().filter(event=event).order_by("opened_at", "pk")


def list_entries(event: Event, user: User | None, show: str = "", reason: str = "") -> list[Entry]:
    """What the queue lists for this reviewer, in its order: all of it, or one filter of it; user:
    None for whoever has the console."""
    if show == DECIDED:
        return name_entries(CASE, list_decided_cases(event))
    cases = name_entries(CASE, list_open_cases(event, reason))
    if reason:
        return cases
    waiting = list(select_proposals(event).values_list("pk", "proposed_by"))
    mine = [(PROPOSAL, pk) for pk, by in waiting if user is None or by != user.pk]
    if show == MINE:
        return mine
    own = [entry for pk, _by in waiting if (entry := (PROPOSAL, pk)) not in mine]
    return [*name_entries(APPEAL, list_appeals(event)), *mine, *cases, *own]


def name_entries(kind: str, rows: QuerySet[Case] | QuerySet[Appeal]) -> list[Entry]:
    """These rows as entries."""
    return [(kind, pk) for pk in rows.values_list("pk", flat=True)]


def count_queue(event: Event, user: User) -> QueueCounts:
    """How much waits, for whom."""
    cases = Case.objects.filter(event=event).order_by()
    found = list(cases.values_list("state", "reason").annotate(n=Count("pk")))
    by_reason = {reason: n for state, reason, n in found if state == Case.State.OPEN}
    waiting = sum(by_reason.values())
    proposers = list(select_proposals(event).values_list("proposed_by", flat=True))
    return QueueCounts(
        waiting + list_appeals(event).count() + len(proposers),
        sum(by != user.pk for by in proposers),
        sum(n for state, _reason, n in found if state != Case.State.OPEN),
        [
            (value, str(label), by_reason[value])
            for value, label in Case.Reason.choices
            if value in by_reason
        ],
    )


def view_entries(
    event: Event, user: User | None, entries: Iterable[Entry], now: datetime
) -> list[QueueLine]:
    """These entries as lines, in their order, in a fixed number of statements; user: who reads, or
    None for whoever has the console."""
    listed = list(entries)
    keys = {kind: [pk for k, pk in listed if k == kind] for kind in (APPEAL, PROPOSAL, CASE)}
    lines: dict[Entry, QueueLine] = {}
    cases = Case.objects.filter(pk__in=keys[CASE]).select_related(
        "enrollment", "decided_by", "effect"
    )
    for case in cases:
        lines[CASE, case.pk] = line_of_case(event, case)
    proposals = Proposal.objects.filter(pk__in=keys[PROPOSAL])
    for proposal, title, about in summarize_proposals(event, proposals):
        lines[PROPOSAL, proposal.pk] = line_of_proposal(event, proposal, title, about, user)
    appeals = list(Appeal.objects.filter(pk__in=keys[APPEAL]).select_related("enrollment"))
    pages = find_pages(event, appeals)
    for appeal in appeals:
        lines[APPEAL, appeal.pk] = line_of_appeal(appeal, pages[appeal.pk], now)
    return [lines[entry] for entry in listed if entry in lines]


def line_of_case(event: Event, case: Case) -> QueueLine:
    """A case as a line."""
    return QueueLine(
        CASE,
        reverse("desk:case", args=[event.slug, case.uuid]),
        case.enrollment.pseudonym,
        case.get_reason_display(),
        describe_claim(case),
        case.opened_at,
        effect=describe_effect(case),
        case=case,
    )


def describe_effect(case: Case) -> str:
    """What hangs on a case, where that is the first place or the prize."""
    effect: CaseEffect | None = getattr(case, "effect", None)
    if effect is None:
        return ""
    said = []
    if effect.on_first == 1.0:
        said.append(_("Without them another model is first."))
    if effect.on_prize == 1.0:
        said.append(_("They lead the contributors."))
    return " ".join(said)


def line_of_proposal(
    event: Event, proposal: Proposal, title: str, about: str, user: User | None
) -> QueueLine:
    """A proposal as a line."""
    is_own = user is not None and proposal.proposed_by_id == user.pk
    return QueueLine(
        PROPOSAL,
        reverse("desk:proposal", args=[event.slug, proposal.uuid]),
        about,
        title,
        Truncator(proposal.note).chars(MAX_EXCERPT),
        proposal.proposed_at,
        _("Waits for somebody else") if is_own else _("Waits for a second person"),
    )


def line_of_appeal(appeal: Appeal, href: str, now: datetime) -> QueueLine:
    """An appeal as a line."""
    is_late, waited = is_overdue(appeal, now), now - appeal.opened_at
    return QueueLine(
        APPEAL,
        href,
        appeal.enrollment.pseudonym,
        _("Appeal against an exclusion"),
        Truncator(" ".join(appeal.text.split())).chars(MAX_EXCERPT),
        appeal.opened_at,
        _("Unanswered for %(days)s days") % {"days": waited.days} if is_late else "",
        is_late,
    )


def find_pages(event: Event, appeals: Sequence[Appeal]) -> dict[int, str]:
    """Where each appeal is answered: the case that ended in what it objects to, else the page of
    its contributor."""
    cases = find_appealed_cases(event, appeals)
    return {
        appeal.pk: reverse("desk:case", args=[event.slug, cases[appeal.pk]])
        if appeal.pk in cases
        else reverse("desk:contributor", args=[event.slug, appeal.enrollment.public_id])
        for appeal in appeals
    }


def find_appealed_cases(event: Event, appeals: Sequence[Appeal]) -> dict[int, UUID]:
    """The case that ended in what each appeal objects to, where there is one."""
    people = {appeal.enrollment_id for appeal in appeals}
    ended = Case.objects.filter(event=event, enrollment__in=people).exclude(state=Case.State.OPEN)
    rows = list(ended.order_by("decided_at", "pk").values_list("decision", "enrollment", "uuid"))
    by_decision = {decision: uuid for decision, _who, uuid in rows if decision is not None}
    whole = {who: uuid for decision, who, uuid in rows if decision is None}
    found = {
        appeal.pk: by_decision.get(appeal.decision_id)
        if appeal.decision_id is not None
        else whole.get(appeal.enrollment_id)
        for appeal in appeals
    }
    return {pk: uuid for pk, uuid in found.items() if uuid is not None}


@dataclass(frozen=True)
class Place:
    """Where a case stands in the queue. number: 1-based, 0 where it is not in it; previous and
    next: other cases, or None."""

    number: int
    total: int
    previous: UUID | None
    next: UUID | None


def find_place(event: Event, case: Case, reason: str = "") -> Place:
    """Where a case stands among those that can be walked through."""
    walk = list_walk(event, reason)
    if case.uuid not in walk:
        return Place(0, len(walk), None, walk[0] if walk else None)
    index = walk.index(case.uuid)
    before, after = walk[:index], walk[index + 1 :]
    return Place(
        index + 1,
        len(walk),
        before[-1] if before else None,
        after[0] if after else None,
    )


def list_walk(event: Event, reason: str = "") -> list[UUID]:
    """The cases in the order of the queue: those that an appeal is about, then the open ones."""
    walk = list(list_open_cases(event, reason).values_list("uuid", flat=True))
    if reason:
        return walk
    appeals = list(list_appeals(event))
    cases = find_appealed_cases(event, appeals)
    appealed = [cases[appeal.pk] for appeal in appeals if appeal.pk in cases]
    return list(dict.fromkeys([*appealed, *walk]))
