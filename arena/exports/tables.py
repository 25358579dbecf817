"""The tables of a bundle: which rows and which columns, and nothing that is not named here.

Primary keys are kept: the ledger's digests cover them, and so does a snapshot's fingerprint.
There is no free text by contributors, so that nobody who leaves has to be taken out of a bundle,
nothing that says who somebody is, and not the event's secret.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from arena.events.models import (
    Category,
    Competitor,
    Control,
    Enrollment,
    Event,
    Guidelines,
    Matchup,
    MatchupResponse,
    Question,
    Record,
    Response,
)
from arena.judging.models import Answer, Exclusion, Judgment, LedgerBatch
from leaderboard.models import Rating, Snapshot
from leaderboard.pages.columns import stored_fields

FETCHED = 1_000
"""Rows that are read, and restored, at a time."""
Filed = Record.categories.through


@dataclass(frozen=True)
class Scope:
    """What a bundle is about: a snapshot, with the controls and anchors or without them."""

    snapshot: Snapshot
    with_controls: bool

    @property
    def event(self) -> Event:
        return self.snapshot.event

    def role(self, path: str = "") -> Q:
        """Every matchup at this path, or ordinary ones alone."""
        return Q() if self.with_controls else Q(**{f"{path}role": Matchup.Role.ORDINARY})

    def judgments(self) -> QuerySet[Judgment]:
        """Everything up to the ledger's head, and what is named by an exclusion in force."""
        named = Exists(Exclusion.objects.in_force().filter(judgment=OuterRef("pk")))
        sealed = Q(ledger_seq__lte=self.snapshot.ledger_seq)
        judgments = Judgment.objects.landed().filter(sealed | named, event=self.event)
        return judgments.filter(self.role("matchup__"))

    def records(self) -> QuerySet[Record]:
        records = Record.objects.filter(event=self.event)
        matchups = Matchup.objects.filter(self.role(), record=OuterRef("pk"))
        return records if self.with_controls else records.filter(Exists(matchups))

    def contributors(self) -> QuerySet[Enrollment]:
        """Who has judged something of it, and who is excluded."""
        enrollments = Enrollment.objects.filter(event=self.event)
        judged = Exists(self.judgments().filter(enrollment=OuterRef("pk")))
        excluded = Exists(Exclusion.objects.in_force().filter(enrollment=OuterRef("pk")))
        return enrollments.filter(judged | excluded)

    def exclusions(self) -> QuerySet[Exclusion]:
        exclusions = Exclusion.objects.in_force().filter(event=self.event)
        return exclusions.filter(Q(judgment=None) | Q(judgment__in=self.judgments()))

    def controls(self) -> QuerySet[Control]:
        controls = Control.objects.filter(matchup__event=self.event)
        return controls if self.with_controls else controls.none()

    def ratings(self) -> QuerySet[Rating]:
        """The boards; without controls those alone on which every vote is equal."""
        ratings = Rating.objects.filter(snapshot=self.snapshot)
        raw = ratings.filter(weighting=Rating.Weighting.RAW)
        return ratings if self.with_controls else raw


@dataclass(frozen=True)
class Table:
    """One file of a bundle: rows of a model, each an object of these columns."""

    name: str
    about: str
    model: type[Model]
    columns: tuple[str, ...]
    chosen: Callable[[Scope], QuerySet[Any]]

    @property
    def file(self) -> str:
        return f"{self.name}.jsonl"

    def rows(self, scope: Scope) -> Iterator[dict[str, Any]]:
        """The rows in the order of their keys, a few at a time."""
        rows = self.chosen(scope).order_by("pk").values(*self.columns)
        return rows.iterator(chunk_size=FETCHED)


def columns(names: str) -> tuple[str, ...]:
    """Column names, separated by spaces."""
    return tuple(names.split())


EVENT = Table(
    "event",
    "the event with its registered settings",
    Event,
    columns(
        "id slug title summary description prize licence state timezone opens_at closes_at"
        " grace_minutes freeze_minutes scale both_bad overlap lease_minutes undo_seconds"
        " recurrence_gap control_interval matchups_per_record choosing publish_batch"
        " counts_imported counts_simulated counts_machine"
    ),
    lambda scope: Event.objects.filter(pk=scope.event.pk),
)
SNAPSHOT = Table(
    "snapshot",
    "the boards' snapshot: the ledger's head, counts, votes over time and between pairs",
    Snapshot,
    columns(
        "id event_id created_at ledger_seq fingerprint judgments contributors details"
        " name sealed_at"
    ),
    lambda scope: Snapshot.objects.filter(pk=scope.snapshot.pk),
)
KEYS = columns("id question_id category_id weighting competitor_id strength lower upper elo")
"""What stands first in the file of ratings; the other columns of a board follow."""
RATINGS = Table(
    "ratings",
    "the boards, one row per competitor; strengths are natural-log with mean 0",
    Rating,
    (*KEYS, *(field for field in stored_fields() if field not in KEYS)),
    lambda scope: scope.ratings(),
)
# In an order in which every row comes after what it points at.
SOURCES = (
    EVENT,
    Table(
        "guidelines",
        "every version of the guidelines",
        Guidelines,
        columns("id event_id version text"),
        lambda scope: Guidelines.objects.filter(event=scope.event),
    ),
    Table(
        "questions",
        "what was asked about every matchup",
        Question,
        columns("id event_id position name kind title help required settings"),
        lambda scope: Question.objects.filter(event=scope.event),
    ),
    Table(
        "competitors",
        "the models that were rated",
        Competitor,
        columns("id event_id name organization licence version joined_late"),
        lambda scope: Competitor.objects.filter(event=scope.event),
    ),
    Table(
        "categories",
        "the subjects of the records",
        Category,
        columns("id event_id slug name"),
        lambda scope: Category.objects.filter(event=scope.event),
    ),
    Table(
        "records",
        "the prompts",
        Record,
        columns("id event_id external_id prompt imported_at retired_at"),
        lambda scope: scope.records(),
    ),
    Table(
        "filed",
        "which record is in which category",
        Filed,
        columns("id record_id category_id"),
        lambda scope: Filed.objects.filter(record__in=scope.records()),
    ),
    Table(
        "responses",
        "what each competitor answered; a control's response may belong to none",
        Response,
        columns("id record_id competitor_id text length headers bold lists code"),
        lambda scope: Response.objects.filter(record__in=scope.records()),
    ),
    Table(
        "matchups",
        "which responses were shown together; controls and anchors never enter a rating",
        Matchup,
        columns("id event_id record_id key role open_slots shuffle retired_at"),
        lambda scope: Matchup.objects.filter(scope.role(), event=scope.event),
    ),
    Table(
        "places",
        "the responses of a matchup in canonical order",
        MatchupResponse,
        columns("id matchup_id response_id position"),
        lambda scope: MatchupResponse.objects.filter(
            scope.role("matchup__"), matchup__event=scope.event
        ),
    ),
    Table(
        "controls",
        "the known answers; sign 1: the first response is right, 0: a tie is",
        Control,
        columns("id matchup_id question_id key reason retired_at"),
        lambda scope: scope.controls(),
    ),
    Table(
        "contributors",
        "who judged, by pseudonym",
        Enrollment,
        columns("id event_id kind pseudonym public_id joined_at"),
        lambda scope: scope.contributors(),
    ),
    Table(
        "judgments",
        "every judgment up to the ledger's head, replaced ones included",
        Judgment,
        columns(
            "id uuid event_id enrollment_id matchup_id guidelines_id origin judged_at revision"
            " standing revises_id ledger_seq"
        ),
        lambda scope: scope.judgments(),
    ),
    Table(
        "answers",
        "the answers; a positive outcome says that the first response is better",
        Answer,
        columns(
            "id judgment_id question_id first_id second_id outcome both_bad first_on_left value"
        ),
        lambda scope: Answer.objects.filter(judgment__in=scope.judgments()).exclude(
            question__kind="text"
        ),
    ),
    Table(
        "exclusions",
        "why a judgment, or everything of a contributor, does not count",
        Exclusion,
        columns("id event_id judgment_id enrollment_id reason created_at"),
        lambda scope: scope.exclusions(),
    ),
    Table(
        "ledger",
        "the hash chain over the judgments, in batches",
        LedgerBatch,
        columns("id event_id first_seq last_seq digest sealed_at"),
        lambda scope: LedgerBatch.objects.filter(
            event=scope.event, last_seq__lte=scope.snapshot.ledger_seq
        ),
    ),
)
RESULTS = (SNAPSHOT, RATINGS)
