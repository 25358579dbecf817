"""A contributor's receipts: what they judged, and whether it counts.

A control has a receipt like any other matchup, which never shows whether the answer was expected.
That an answer came late is told once the event is over: before, it would depend on free slots,
which controls never run out of.
It says that a judgment counts, that it is excluded and why, or, while an appeal against that is
open, that it is under review; nothing of a case shows. The words around it stand in
templates/judging/me.html; those of a reason are the labels of `Exclusion.Reason`
(arena/judging/models/exclusions.py).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Paginator
from django.http import QueryDict

from arena.events.models import Enrollment
from arena.judging.models import Appeal, Exclusion, Judgment
from arena.questions import KINDS

RECEIPTS_PER_PAGE = 50
EXCERPT_LENGTH = 120


@dataclass(frozen=True)
class Receipt:
    """One judgment as its author sees it."""

    judged_at: datetime | None
    prompt: str
    answer: str
    revised: bool
    # The reason for its exclusion, as far as its author is told; empty if it counts.
    excluded: str
    # Whether an appeal of theirs against that is open.
    is_under_review: bool


def build_receipts_page(
    enrollment: Enrollment, query: QueryDict, *, for_staff: bool = False
) -> dict[str, Any]:
    """One page of receipts, latest first, as a template context; for_staff: with what their author
    is told only once the event is over.

    `receipts`, `page`, `judged` (their number), and `none_counts` (whether the contributor as a
    whole is excluded).
    """
    judgments = (
        Judgment.objects.standing()
        .filter(enrollment=enrollment)
        .select_related("matchup__record", "assignment")
        .prefetch_related("answers__question__event", "exclusions")
        .order_by("-id")
    )
    page = Paginator(judgments, RECEIPTS_PER_PAGE).get_page(query.get("page"))
    everything = enrollment.exclusions.in_force().first()
    appeal = enrollment.appeals.waiting().first()
    tells_late = for_staff or enrollment.event.is_over()
    return {
        "receipts": [
            build_receipt(judgment, everything, appeal, tells_late=tells_late) for judgment in page
        ],
        "page": page,
        "judged": page.paginator.count,
        "none_counts": everything is not None,
    }


def build_receipt(
    judgment: Judgment, everything: Exclusion | None, appeal: Appeal | None, *, tells_late: bool
) -> Receipt:
    """One receipt; everything: the exclusion of the whole contributor, if any; appeal: the open
    one, if any; tells_late: whether it says that an answer came late."""
    in_force = (each for each in judgment.exclusions.all() if each.lifted_at is None)
    told = (each for each in in_force if tells_late or each.reason != Exclusion.Reason.LATE)
    own = next(told, None)
    exclusion = own or everything
    last_turn = judgment.matchup.record.prompt[-1]["content"]
    return Receipt(
        judged_at=judgment.judged_at,
        prompt=last_turn if len(last_turn) <= EXCERPT_LENGTH else f"{last_turn[:EXCERPT_LENGTH]}…",
        answer=format_answer(judgment),
        revised=judgment.revision > 0,
        excluded=str(Exclusion.Reason(exclusion.reason).label) if exclusion else "",
        is_under_review=bool(exclusion and appeal and appeal.is_about(exclusion)),
    )


def format_answer(judgment: Judgment) -> str:
    """The preference as the label that was chosen on screen."""
    order = judgment.assignment.order if judgment.assignment else [0, 1]
    for answer in judgment.answers.all():
        kind, settings = KINDS[answer.question.kind], answer.question.all_settings()
        shown = kind.to_form_value(answer.as_value(), order)
        for choice in kind.choices(settings):
            if choice.value == shown:
                return choice.label
        if answer.both_bad:
            return "Both are bad"
    return ""
