"""What the method page says of an event, from its settings and its judgments."""

from typing import Any

from django.db.models import Count

from arena.events.joining.terms import current_terms
from arena.events.models import Event, Question
from arena.events.records.controls import has_controls
from arena.judging.models import Exclusion, Origin
from arena.questions import KINDS
from leaderboard.contributors.answers import CATEGORIES
from leaderboard.contributors.positions import STEP
from leaderboard.contributors.scores import first_look
from leaderboard.models import ReliabilityFit, Snapshot
from leaderboard.pages.uncertainty import list_covariates
from leaderboard.ratings import MIN_VOTES, WEIGHT_UNIT, scale
from leaderboard.snapshots.publishing import MAX_WAIT, MIN_PEOPLE
from leaderboard.trust import quality
from leaderboard.trust.classes import make_classes
from leaderboard.votes.matchup_contents import MAX_VOTES_SCANNED


def method_context(event: Event) -> dict[str, Any]:
    """The settings that decide the numbers, and what they left out so far."""
    counted = event.counted_origins()
    in_force = Exclusion.objects.in_force().filter(event=event)
    reasons = dict(Exclusion.Reason.choices)
    excluded = in_force.values_list("reason").annotate(
        judgments=Count("judgment"), people=Count("enrollment")
    )
    return {
        "questions": [
            describe_question(question) for question in event.questions.filter(kind="preference")
        ],
        "counted": [label for value, label in Origin.choices if value in counted],
        "not_counted": [label for value, label in Origin.choices if value not in counted],
        "excluded": [
            {"reason": reasons[reason], "judgments": judgments, "people": people}
            for reason, judgments, people in excluded.order_by("reason")
        ],
        "snapshot": Snapshot.objects.filter(board__event=event).defer("details").first(),
        "has_controls": has_controls(event),
        "terms": current_terms(event),
        "average": scale.AVERAGE,
        "fewest_votes": int(MIN_VOTES),
        "fewest_people": MIN_PEOPLE,
        "newcomer": describe_newcomer(event),
        "kinds": len(make_classes(CATEGORIES[event.scale]).reads),
        "patience_hours": int(MAX_WAIT.total_seconds() // 3600),
        "fewest_rated": quality.MIN_CONTROLS_FOR_QUALITY,
        "bands": quality.BANDS,
        "step": STEP,
        "first_look": first_look(event),
        "look": quality.JUDGMENTS_BETWEEN_LOOKS,
        "most_votes": MAX_VOTES_SCANNED,
        "covariates": list_covariates(),
    }


def describe_newcomer(event: Event) -> float | None:
    """P(reads) of somebody of whom nothing is known; None before it has been computed."""
    fit = ReliabilityFit.objects.filter(event=event, ledger_seq__gt=0).first()
    return fit.newcomer / WEIGHT_UNIT if fit else None


def describe_question(question: Question) -> dict[str, Any]:
    """A question and the answers it takes, as they stand on the scale."""
    choices = KINDS[question.kind].choices(question.all_settings())
    return {"title": question.title, "answers": [choice.label for choice in choices]}
