"""What waits for a reviewer in each event of the walk: a case, a proposal, an appeal."""

from dataclasses import dataclass
from datetime import datetime

from arena.desk.carrying import plan_exclusion
from arena.events.decision_record import Ruling
from arena.events.lifecycle.decisions import propose
from arena.events.models import Enrollment, Event, Proposal
from arena.judging.models import Appeal, Case, Exclusion
from arena.judging.review.cases import Question, open_cases
from arena.people.models import User

WORDS = ("case-model", "proposal-note", "appeal-text")
"""What is in their texts, after the event's slug, and in no other."""


@dataclass(frozen=True)
class Waiting:
    """One of each."""

    case: Case
    proposal: Proposal
    appeal: Appeal


def make_waiting(contributor: Enrollment, organizer: User, now: datetime) -> Waiting:
    """A case and a proposal about this contributor, and an appeal of the other one's."""
    return Waiting(
        make_case(contributor, now),
        propose_exclusion(contributor, organizer, now),
        make_appeal(contributor.event, now),
    )


def make_case(contributor: Enrollment, now: datetime) -> Case:
    """An open question about somebody."""
    model = f"{contributor.event.slug}-case-model"
    (case,) = open_cases(
        contributor.event,
        [
            Question(
                contributor.pk,
                Case.Reason.RIGGING,
                {"rig_evidence": 9.0, "model": model, "lifts": True},
                30,
            )
        ],
        now,
    )
    return case


def make_appeal(event: Event, now: datetime) -> Appeal:
    """An open appeal of the other contributor's."""
    other = event.enrollments.get(user__username=f"{event.slug}-another-username")
    text = f"{event.slug}-appeal-text"
    return Appeal.objects.create(event=event, enrollment=other, text=text, opened_at=now)


def propose_exclusion(contributor: Enrollment, organizer: User, now: datetime) -> Proposal:
    """An exclusion that waits for a second person."""
    plan = plan_exclusion(contributor, Exclusion.Reason.UNRELIABLE)
    note = f"{contributor.event.slug}-proposal-note"
    return propose(contributor.event, plan, Ruling(organizer, now, note))
