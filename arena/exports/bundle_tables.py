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
    COVARIATES,
    Category,
    Competitor,
    Control,
    Enrollment,
    Event,
    Guidelines,
    LedgerEntry,
    Matchup,
    MatchupResponse,
    Question,
    Record,
    Response,
)
from arena.judging.models import Answer, Exclusion, Judgment, LedgerBatch
from leaderboard.boards.columns import stored_fields
from leaderboard.models import Rating, Reliability, Snapshot

BATCH_SIZE = 1_000
"""Rows read, or restored, at a time."""
RecordCategory = Record.categories.through
STYLE_COLUMNS = tuple(covariate.name for covariate in COVARIATES)


@dataclass(frozen=True)
class BundleSelection:
    """Which rows of an event go into a bundle: with the controls and anchors or without them."""

    snapshot: Snapshot
    with_controls: bool

    @property
    def event(self) -> Event:
        return self.snapshot.event

    def filter_matchups(self, field: str = "pk") -> Q:
        """Every matchup that this field names, or those alone that rate somebody: what else a
        control's record has in service would tell it."""
        rateable = Matchup.objects.rateable().filter(event=self.event)
        return Q() if self.with_controls else Q(**{f"{field}__in": rateable})

    def judgments(self) -> QuerySet[Judgment]:
        """Everything up to the ledger's head, and what is named by an exclusion in force."""
        named = Exists(Exclusion.objects.in_force().filter(judgment=OuterRef("pk")))
        sealed = Q(ledger_seq__lte=self.snapshot.ledger_seq)
        judgments = Judgment.objects.landed().filter(sealed | named, event=self.event)
        return judgments.filter(self.filter_matchups("matchup"))

    def records(self) -> QuerySet[Record]:
        records = Record.objects.filter(event=self.event)
        rateable = Matchup.objects.rateable().filter(record=OuterRef("pk"))
        return records if self.with_controls else records.filter(Exists(rateable))

    def responses(self) -> QuerySet[Response]:
        """Without controls, those of models alone."""
        responses = Response.objects.filter(record__in=self.records())
        return responses if self.with_controls else responses.exclude(competitor=None)

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

    def ledger_entries(self) -> QuerySet[LedgerEntry]:
        """All of them or none: they tell controls, and a chain with gaps tells nothing."""
        entries = LedgerEntry.objects.filter(event=self.event)
        return entries if self.with_controls else entries.none()

    def weights(self) -> QuerySet[Reliability]:
        """They follow from the controls, among other things."""
        known = Reliability.objects.filter(event=self.event)
        return known if self.with_controls else known.none()

    def ratings(self) -> QuerySet[Rating]:
        """The boards; without controls those alone on which every vote is equal."""
        ratings = Rating.objects.filter(snapshot=self.snapshot)
        raw = ratings.filter(weighting=Rating.Weighting.RAW)
        return ratings if self.with_controls else raw


@dataclass(frozen=True)
class BundleTable:
    """One file of a bundle: rows of a model, each an object of these columns.

    optional: columns a bundle may lack; a row then has the model's default there; is_later: the
    first bundles do not have the file; written: a row as it stands in the file, from the row as it
    is stored.
    """

    name: str
    about: str
    model: type[Model]
    columns: tuple[str, ...]
    select: Callable[[BundleSelection], QuerySet[Any]]
    optional: tuple[str, ...] = ()
    is_later: bool = False
    written: Callable[[dict[str, Any]], dict[str, Any]] = lambda row: row

    @property
    def file(self) -> str:
        return f"{self.name}.jsonl"

    def read_rows(self, selection: BundleSelection) -> Iterator[dict[str, Any]]:
        """The rows in the order of their keys, a few at a time."""
        rows = self.select(selection).order_by("pk").values(*self.columns)
        return map(self.written, rows.iterator(chunk_size=BATCH_SIZE))


def split_names(names: str) -> tuple[str, ...]:
    """Column names, separated by spaces."""
    return tuple(names.split())


def without_version(row: dict[str, Any]) -> dict[str, Any]:
    """A snapshot without its details' version, which is the database's: a bundle has its format.
    And without figures by pace: how long an answer took is in no bundle."""
    kept = {key: value for key, value in row["details"].items() if key != "version"}
    if "boards" in kept:
        kept["boards"] = {key: without_pace(board) for key, board in kept["boards"].items()}
    return row | {"details": kept}


def without_pace(board: dict[str, Any]) -> dict[str, Any]:
    """A board's details without the figures by pace."""
    if not board.get("bias"):
        return board
    return board | {"bias": {key: value for key, value in board["bias"].items() if key != "pace"}}


LATER_SETTINGS = split_names("daily_cap excludes_automatically")
"""Settings, of those of `EVENT`, that the first bundles do not have."""
EVENT = BundleTable(
    "event",
    "the event with its registered settings",
    Event,
    split_names(
        "id slug title summary description prize licence state timezone opens_at closes_at"
        " grace_minutes freeze_minutes scale both_bad overlap lease_minutes undo_seconds"
        " recurrence_gap control_interval matchups_per_record choosing publish_batch"
        " counts_imported counts_simulated counts_machine daily_cap excludes_automatically"
    ),
    lambda selection: Event.objects.filter(pk=selection.event.pk),
    optional=LATER_SETTINGS,
)
SNAPSHOT = BundleTable(
    "snapshot",
    "the boards' snapshot: the ledger's head, counts, votes over time and between pairs",
    Snapshot,
    split_names(
        "id event_id created_at ledger_seq fingerprint judgments contributors details"
        " name sealed_at"
    ),
    lambda selection: Snapshot.objects.filter(pk=selection.snapshot.pk),
    written=without_version,
)
FIRST_COLUMNS = split_names(
    "id question_id category_id weighting competitor_id strength lower upper elo"
)
"""What stands first in the file of ratings; the other columns of a board follow."""
BOARD_COLUMNS = tuple(field for field in stored_fields() if field not in FIRST_COLUMNS)
RATINGS = BundleTable(
    "ratings",
    "the boards, one row per competitor; strengths are natural-log with mean 0",
    Rating,
    (*FIRST_COLUMNS, *BOARD_COLUMNS),
    lambda selection: selection.ratings(),
    # A column that was added after a bundle was made is not in it.
    optional=BOARD_COLUMNS,
)
# In an order in which every row comes after what it points at.
SOURCES = (
    EVENT,
    BundleTable(
        "guidelines",
        "every version of the guidelines",
        Guidelines,
        split_names("id event_id version text"),
        lambda selection: Guidelines.objects.filter(event=selection.event),
    ),
    BundleTable(
        "questions",
        "what was asked about every matchup",
        Question,
        split_names("id event_id position name kind title help required settings"),
        lambda selection: Question.objects.filter(event=selection.event),
    ),
    BundleTable(
        "competitors",
        "the models that were rated",
        Competitor,
        split_names("id event_id name organization licence version joined_late"),
        lambda selection: Competitor.objects.filter(event=selection.event),
    ),
    BundleTable(
        "categories",
        "the subjects of the records",
        Category,
        split_names("id event_id slug name"),
        lambda selection: Category.objects.filter(event=selection.event),
    ),
    BundleTable(
        "records",
        "the prompts",
        Record,
        split_names("id event_id external_id prompt imported_at retired_at"),
        lambda selection: selection.records(),
    ),
    BundleTable(
        "filed",
        "which record is in which category",
        RecordCategory,
        split_names("id record_id category_id"),
        lambda selection: RecordCategory.objects.filter(record__in=selection.records()),
    ),
    BundleTable(
        "responses",
        "what each competitor answered; those of a control's record may belong to none",
        Response,
        (*split_names("id record_id competitor_id text"), *STYLE_COLUMNS),
        lambda selection: selection.responses(),
        # A covariate declared after a bundle was made is not in it.
        optional=STYLE_COLUMNS,
    ),
    BundleTable(
        "matchups",
        "which responses were shown together; controls and anchors never enter a rating",
        Matchup,
        split_names("id event_id record_id key role open_slots shuffle retired_at"),
        lambda selection: Matchup.objects.filter(
            selection.filter_matchups(), event=selection.event
        ),
    ),
    BundleTable(
        "places",
        "the responses of a matchup in canonical order",
        MatchupResponse,
        split_names("id matchup_id response_id position"),
        lambda selection: MatchupResponse.objects.filter(
            selection.filter_matchups("matchup"), matchup__event=selection.event
        ),
    ),
    BundleTable(
        "controls",
        "the known answers; sign 1: the first response is right, 0: a tie is",
        Control,
        split_names("id matchup_id question_id key reason retired_at"),
        lambda selection: selection.controls(),
    ),
    BundleTable(
        "contributors",
        "who judged, by pseudonym",
        Enrollment,
        split_names("id event_id kind pseudonym public_id joined_at"),
        lambda selection: selection.contributors(),
    ),
    BundleTable(
        "judgments",
        "every judgment up to the ledger's head, replaced ones included",
        Judgment,
        split_names(
            "id uuid event_id enrollment_id matchup_id guidelines_id origin judged_at revision"
            " standing revises_id ledger_seq"
        ),
        lambda selection: selection.judgments(),
    ),
    BundleTable(
        "answers",
        "the answers; a positive outcome says that the first response is better",
        Answer,
        split_names(
            "id judgment_id question_id first_id second_id outcome both_bad first_on_left value"
        ),
        lambda selection: Answer.objects.filter(judgment__in=selection.judgments()).exclude(
            question__kind="text"
        ),
    ),
    BundleTable(
        "exclusions",
        "why a judgment, or everything of a contributor, does not count",
        Exclusion,
        split_names("id event_id judgment_id enrollment_id reason created_at"),
        lambda selection: selection.exclusions(),
    ),
    BundleTable(
        "ledger",
        "the hash chain over the judgments, in batches",
        LedgerBatch,
        split_names("id event_id first_seq last_seq digest sealed_at"),
        lambda selection: LedgerBatch.objects.filter(
            event=selection.event, last_seq__lte=selection.snapshot.ledger_seq
        ),
    ),
    BundleTable(
        "ledger_entries",
        "what the boards follow from, as it was written down, in a hash chain whose last digest is"
        " the head; empty while controls are in use",
        LedgerEntry,
        split_names("id event_id number kind version subject content salt digest sealed_at"),
        lambda selection: selection.ledger_entries(),
        is_later=True,
    ),
)
WEIGHTS = BundleTable(
    "weights",
    "what each contributor's votes weigh on the weighted boards, in units of 1/4096; rigged: by"
    " question and competitor, the chance in the same units that it lifts or lowers it; empty while"
    " controls are in use",
    Reliability,
    split_names("id enrollment_id weight rigged"),
    lambda selection: selection.weights(),
    is_later=True,
)
RESULTS = (SNAPSHOT, RATINGS, WEIGHTS)
