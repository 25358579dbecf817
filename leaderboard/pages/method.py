"""What the method page says of an event, from its settings and its judgments."""

from datetime import datetime
from typing import Any

from arena.events.joining.terms import current_terms
from arena.events.lifecycle.phases import describe_updates, phase_of
from arena.events.models import Event, Question
from arena.events.records.controls import has_controls
from arena.judging.models import Origin
from arena.judging.review.appeals import APPEAL_PERIOD
from arena.questions import KINDS
from leaderboard.boards.coarse import COUNT_GRAIN, MIN_SHOWN_VOTES, VOTES_PER_GRAIN
from leaderboard.contributors.answers import CATEGORIES
from leaderboard.contributors.positions import STEP
from leaderboard.contributors.public_head import holds_back
from leaderboard.contributors.scores import first_look
from leaderboard.models import ReliabilityFit, Snapshot
from leaderboard.pages.uncertainty import list_covariates
from leaderboard.ratings import MIN_VOTES, WEIGHT_UNIT, scale
from leaderboard.trust import quality
from leaderboard.trust.classes import make_classes
from leaderboard.votes.matchup_contents import MAX_VOTES_SCANNED


def method_context(event: Event, now: datetime) -> dict[str, Any]:
    """The settings that decide the numbers."""
    counted, measures = event.counted_origins(), has_controls(event)
    return {
        "questions": [
            describe_question(question) for question in event.questions.filter(kind="preference")
        ],
        "counted": [label for value, label in Origin.choices if value in counted],
        "not_counted": [label for value, label in Origin.choices if value not in counted],
        "appeal_days": APPEAL_PERIOD.days,
        "snapshot": Snapshot.objects.filter(board__event=event).defer("details").first(),
        "has_controls": measures,
        "terms": current_terms(event),
        "board_updates": describe_updates(event, phase_of(event, now), has_controls=measures),
        "is_rounded": holds_back(event),
        "average": scale.AVERAGE,
        "fewest_votes": int(MIN_VOTES),
        "newcomer": describe_newcomer(event),
        "kinds": len(make_classes(CATEGORIES[event.scale]).reads),
        "count_grain": COUNT_GRAIN,
        "votes_per_grain": VOTES_PER_GRAIN,
        "fewest_rounded": MIN_SHOWN_VOTES,
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
