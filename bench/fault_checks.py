"""What the database holds after faults, compared with what contributors were told."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from arena.events.models import Event, Matchup
from arena.judging.ledger import seal_event, verify_ledger
from arena.judging.models import Answer, Assignment, Judgment


@dataclass(frozen=True)
class Comparison:
    """How the judgments of an event differ from those that were acknowledged."""

    # Acknowledged, and not there or with another answer.
    lost: int
    # Judgments beside the first of an assignment, revisions included: nobody revised anything.
    doubled: int
    # Stored, and never acknowledged.
    untold: set[str]


def compare(event: Event, acknowledged: Mapping[str, str]) -> Comparison:
    """Compare standing judgments and their comments with assignment → comment."""
    stored: Counter[str] = Counter()
    for uuid in Judgment.objects.filter(event=event).values_list("assignment__uuid", flat=True):
        stored[str(uuid)] += 1
    comments = Answer.objects.filter(
        judgment__event=event, judgment__standing=True, question__name="comment"
    )
    texts = {
        str(uuid): value
        for uuid, value in comments.values_list("judgment__assignment__uuid", "value")
    }
    lost = sum(texts.get(uuid) != {"text": comment} for uuid, comment in acknowledged.items())
    doubled = sum(count - 1 for count in stored.values())
    return Comparison(lost, doubled, stored.keys() - acknowledged.keys())


def count_repeats(event: Event) -> int:
    """Pairs of a person and a matchup with more than one standing judgment."""
    standing = Judgment.objects.standing().filter(event=event).order_by()
    pairs = standing.values("enrollment", "matchup").annotate(count=Count("pk"))
    return pairs.filter(count__gt=1).count()


def count_wrong_slots(event: Event) -> int:
    """Ordinary matchups whose open slots are not what their assignments leave."""
    holding = Assignment.objects.filter(matchup__event=event, holds_slot=True).order_by()
    held = dict(holding.values_list("matchup").annotate(Count("pk")))
    ordinary = Matchup.objects.filter(event=event, role=Matchup.Role.ORDINARY)
    return sum(
        open_slots != max(0, event.overlap - held.get(pk, 0))
        for pk, open_slots in ordinary.values_list("pk", "open_slots")
    )


def count_half_written(event: Event) -> int:
    """Judgments without an answer, and assignments that are done without a judgment or judged
    without being done."""
    judgments = Judgment.objects.filter(event=event)
    done = Assignment.objects.filter(enrollment__event=event, state=Assignment.State.DONE)
    unanswered = judgments.filter(answers=None).count()
    undone = judgments.exclude(assignment__state=Assignment.State.DONE).count()
    return unanswered + undone + done.filter(judgments=None).count()


def find_ledger_difference(event: Event, now: object) -> str:
    """Seal what is not sealed yet and verify the ledger; empty where it is as written."""
    seal_event(event.pk, now)
    return str(verify_ledger(event.pk) or "")


def list_counts(event: Event) -> Counter[int]:
    """How many ordinary matchups have how many counted judgments."""
    counted = Judgment.objects.counted().filter(event=event, matchup__role="ordinary").order_by()
    counts = dict(counted.values_list("matchup").annotate(Count("pk")))
    ordinary = Matchup.objects.filter(event=event, role="ordinary").values_list("pk", flat=True)
    return Counter(counts.get(pk, 0) for pk in ordinary)
