"""Finding records by their words, their flags and how far people agree on them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import (
    Count,
    Exists,
    F,
    FloatField,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Greatest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.desk.queries.health import leases_of, open_flags
from arena.events.lifecycle.phases import phase_of
from arena.events.models import Event, Record, Response
from arena.judging.models import Answer, Exclusion, Judgment
from arena.questions.preference import DEGREES

# What a list can be narrowed to; disputed ones come in the order of how much they are.
LIST_FILTERS = [
    ("", _("All")),
    ("flagged", _("Flagged")),
    ("disputed", _("Least agreed on first")),
    ("judging", _("Being judged now")),
]


class PromptText(Func):
    """The texts of a prompt's turns, one a line, as they read: no keys, no escapes."""

    output_field = TextField()
    template = (
        "(SELECT string_agg(turn.value ->> 'content', chr(10))"
        " FROM jsonb_array_elements(%(expressions)s) AS turn)"
    )
    sqlite: ClassVar = (
        "(SELECT group_concat(json_extract(turn.value, '$.content'), char(10))"
        " FROM json_each(%(expressions)s) AS turn)"
    )

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """The expression in SQLite's dialect."""
        return self.as_sql(compiler, connection, template=self.sqlite, **extra)


def search_records(records: QuerySet[Record], query: str) -> QuerySet[Record]:
    """Records with these words in their identifier, their prompt or a response."""
    answers = Response.objects.filter(record=OuterRef("pk"), text__icontains=query)
    return records.alias(words=PromptText("prompt")).filter(
        Q(external_id__icontains=query) | Q(words__icontains=query) | Exists(answers)
    )


def list_filters(event: Event, now: datetime) -> list[tuple[str, Any]]:
    """The filters to offer now: “being judged” only while answers are taken."""
    judging = phase_of(event, now).is_taking_answers
    return [(value, label) for value, label in LIST_FILTERS if judging or value != "judging"]


def filter_records(event: Event, show: str, now: datetime) -> QuerySet[Record]:
    """The event's records with `judged`, narrowed to one of `LIST_FILTERS`.

    Disputed ones have `agreement`: the share on the side of the majority, of their matchup where
    it is smallest.
    """
    standing = Q(matchups__judgments__standing=True)
    found = event.records.exclude(imported_at=None).prefetch_related("categories")
    found = found.annotate(judged=Count("matchups__judgments", standing))
    found = found.order_by("sort_key", "external_id")
    if show == "flagged":
        flags = open_flags(event).filter(assignment__matchup__record=OuterRef("pk"))
        return found.filter(Exists(flags))
    if show == "judging":
        held = leases_of(event, now).filter(matchup__record=OuterRef("pk"))
        return found.filter(Exists(held))
    if show == "disputed":
        found = found.annotate(agreement=least_agreement())
        return found.exclude(agreement=None).order_by("agreement", "sort_key", "external_id")
    return found


def least_agreement() -> Subquery:
    """The smallest agreement among a record's matchups with two or more counted judgments."""
    counted = Answer.objects.filter(
        judgment__in=Judgment.objects.counted(),
        judgment__matchup__record=OuterRef("pk"),
        outcome__isnull=False,
    )
    sides = (
        counted.order_by()
        .values("judgment__matchup")
        .annotate(
            n=Count("pk"),
            first_won=Count("pk", Q(outcome__gt=0)),
            tied=Count("pk", Q(outcome=0)),
            second_won=Count("pk", Q(outcome__lt=0)),
        )
    )
    majority = Cast(Greatest("first_won", "tied", "second_won"), FloatField())
    shares = sides.filter(n__gte=2).annotate(share=Value(100.0) * majority / F("n"))
    return Subquery(shares.order_by("share").values("share")[:1], output_field=FloatField())


@dataclass(frozen=True)
class JudgmentSummary:
    """One person's judgment of a matchup in words. `uncounted` says why it does not count; empty
    where it does."""

    pseudonym: str
    public_id: UUID
    answer: str
    judged_at: datetime | None
    uncounted: str


def judgments_of(record: Record) -> QuerySet[Judgment]:
    """The standing judgments of a record, the latest first."""
    standing = Judgment.objects.standing().filter(matchup__record=record)
    return (
        standing.select_related("enrollment")
        .prefetch_related("answers", "exclusions", "enrollment__exclusions")
        .order_by("-pk")
    )


def summarize_judgment(judgment: Judgment, event: Event, sides: list[str]) -> JudgmentSummary:
    """One of these judgments in words; `sides` are the names of the matchup's responses."""
    enrollment = judgment.enrollment
    preferences = (answer for answer in judgment.answers.all() if answer.outcome is not None)
    answer = next(preferences, None)
    return JudgmentSummary(
        enrollment.pseudonym,
        enrollment.public_id,
        describe_outcome(answer, event.scale, sides) if answer else "",
        judgment.judged_at,
        explain_uncounted(judgment, event),
    )


def describe_outcome(answer: Answer, scale: int, sides: list[str]) -> str:
    """A preference in words that name what was preferred."""
    if not answer.outcome:
        return gettext("Both are bad") if answer.both_bad else gettext("Tie")
    # Imported votes may say more than this event's scale.
    degree = DEGREES[scale].get(abs(answer.outcome), "better")
    preferred = sides[0] if answer.outcome > 0 else sides[1]
    return gettext("%(preferred)s – %(degree)s") % {"preferred": preferred, "degree": degree}


def explain_uncounted(judgment: Judgment, event: Event) -> str:
    """Why a standing judgment does not count; empty where it does."""
    exclusions = [*judgment.exclusions.all(), *judgment.enrollment.exclusions.all()]
    in_force = next((each for each in exclusions if each.lifted_at is None), None)
    if in_force is not None:
        return str(Exclusion.Reason(in_force.reason).label)
    if judgment.origin not in event.counted_origins():
        return gettext("Its origin does not count in this event")
    return ""
