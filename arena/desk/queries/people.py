"""Contributors as reviewers see them: how much they judged, and how far they can be relied on."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db.models import Count, F, FloatField, OrderBy, Q, QuerySet
from django.db.models.functions import Cast, NullIf
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Exclusion
from arena.spreadsheets import safe_cell
from leaderboard.contributors.states import ReadingState, state_expression
from leaderboard.models import Reliability, ReliabilityFit
from leaderboard.ratings import WEIGHT_UNIT
from leaderboard.trust.reliability import LIMIT

DEFAULT_SORT = "-judged"


@dataclass(frozen=True)
class PeopleColumn:
    """A column that the list can be sorted by. name: in addresses and in the file; field: of the
    query; is_figure: whether it is a number that only some have."""

    name: str
    heading: str | Promise
    field: str


COLUMNS = (
    PeopleColumn("state", _("State"), "reading"),
    PeopleColumn("judged", _("Judgments"), "judged"),
    PeopleColumn("controls", _("Controls passed"), "pass_rate"),
    PeopleColumn("r", _("Reliability"), "reliability__overall"),
    PeopleColumn("reads", _("Reads"), "reliability__reads"),
    PeopleColumn("agreement", _("Agreement"), "reliability__agreement"),
    PeopleColumn("left", _("Left"), "left_share"),
    PeopleColumn("ties", _("Ties"), "tie_share"),
    PeopleColumn("pace", _("Pace"), "reliability__pace"),
    PeopleColumn("cases", _("Open cases"), "open_cases"),
)
FIELDS = {column.name: column.field for column in COLUMNS}


@dataclass(frozen=True)
class PersonRow:
    """A contributor with what is known; `exclusion` is the one in force, or None."""

    enrollment: Enrollment
    state: ReadingState
    judged: int
    open_cases: int
    reliability: Reliability | None
    exclusion: Exclusion | None
    pace: "Pace | None"

    @property
    def left_share(self) -> float | None:
        """Share of left among the answers whose sides are known."""
        return share_of(self.reliability, "left")

    @property
    def tie_share(self) -> float | None:
        """Share of ties among them."""
        return share_of(self.reliability, "ties")


@dataclass(frozen=True)
class Pace:
    """How fast somebody judges. seconds: geometric mean; deviations: standard deviations from the
    crowd's mean logarithm, negative where faster, None where there is no crowd."""

    seconds: float
    deviations: float | None

    @property
    def is_fast(self) -> bool:
        """Three standard deviations below: a hint, which decides nothing."""
        return self.deviations is not None and self.deviations < -3.0


def share_of(reliability: Reliability | None, field: str) -> float | None:
    """A part of the sided answers; None without any."""
    if reliability is None:
        return None
    total = reliability.left + reliability.ties + reliability.right
    return float(getattr(reliability, field)) / total if total else None


def find_people(
    event: Event, query: str = "", sort: str = DEFAULT_SORT, state: ReadingState | None = None
) -> QuerySet[Enrollment]:
    """The event's contributors with their figures, in this order: a column, "-" for descending;
    state: these alone.

    Whoever lacks a figure comes last, either way.
    """
    answers = F("reliability__left") + F("reliability__ties") + F("reliability__right")
    total = NullIf(Cast(answers, FloatField()), 0.0)
    people = event.enrollments.select_related("user", "reliability").annotate(
        reading=state_expression(event, "reliability__"),
        judged=Count("judgments", Q(judgments__standing=True), distinct=True),
        open_cases=Count("cases", Q(cases__state=Case.State.OPEN), distinct=True),
        left_share=F("reliability__left") / total,
        tie_share=F("reliability__ties") / total,
        pass_rate=Cast("reliability__passed", FloatField())
        / NullIf(Cast("reliability__controls", FloatField()), 0.0),
    )
    if state is not None:
        people = people.filter(reading=state)
    if query:
        people = people.filter(
            Q(pseudonym__icontains=query)
            | Q(user__display_name__icontains=query)
            | Q(user__username__icontains=query)
        )
    field = FIELDS.get(sort.removeprefix("-"), "judged")
    order = OrderBy(F(field), descending=sort.startswith("-"), nulls_last=True)
    return people.order_by(order, "-judged", "pk")


def view_people(event: Event, people: Iterable[Enrollment]) -> Iterator[PersonRow]:
    """Some of these contributors as the list shows them."""
    listed = list(people)
    in_force = Exclusion.objects.in_force().filter(enrollment__in=[one.pk for one in listed])
    excluded = {exclusion.enrollment_id: exclusion for exclusion in in_force}
    fit = ReliabilityFit.objects.filter(event=event).first()
    for enrollment in listed:
        reliability = getattr(enrollment, "reliability", None)
        yield PersonRow(
            enrollment,
            ReadingState(enrollment.reading),  # type: ignore[attr-defined]
            enrollment.judged,  # type: ignore[attr-defined]
            enrollment.open_cases,  # type: ignore[attr-defined]
            reliability,
            excluded.get(enrollment.pk),
            measure_pace(reliability, fit),
        )


def measure_pace(reliability: Reliability | None, fit: ReliabilityFit | None) -> Pace | None:
    """A contributor's pace beside the crowd's; None where it is unknown."""
    if reliability is None or reliability.pace is None:
        return None
    apart = None
    if fit is not None and fit.pace_mean is not None and fit.pace_spread:
        apart = (reliability.pace - fit.pace_mean) / fit.pace_spread
    return Pace(math.exp(reliability.pace), apart)


FILE_COLUMNS = (
    *("contributor", "joined_at", "state", "excluded", "blocked"),
    *("judgments", "controls", "controls_passed"),
    *("reliability", "reliability_lower", "reliability_upper", "reliability_on_controls"),
    *("reliability_on_others", "reads", "weight", "agreement", "agreement_lower"),
    *("agreement_upper", "compared", "kappa", "left_share", "tie_share", "seconds"),
    *("pace_deviations", "open_cases"),
)


def to_file_rows(rows: Iterable[PersonRow]) -> Iterator[list[str]]:
    """The rows of the file for spreadsheets, its heading first; empty where nothing is known."""
    yield list(FILE_COLUMNS)
    for row in rows:
        enrollment, blocked = row.enrollment, row.enrollment.blocked_at
        excluded = str(row.exclusion.get_reason_display()) if row.exclusion else ""
        cells = [safe_cell(enrollment.pseudonym), enrollment.joined_at.isoformat()]
        cells += [row.state.name.lower(), excluded, blocked.isoformat() if blocked else ""]
        yield [*cells, str(row.judged), *list_figures(row), str(row.open_cases)]


def list_figures(row: PersonRow) -> list[str]:
    """The figures of a row from its controls to its pace."""
    known, pace = row.reliability, row.pace
    values: list[float | int | None] = [None] * 18
    if known is not None:
        lower, upper = limits_of(known.overall, known.overall_error)
        values = [
            *(known.controls, known.passed, known.overall, lower, upper),
            *(known.on_controls, known.on_others, known.reads, known.weight / WEIGHT_UNIT),
            *(known.agreement, known.agreement_low, known.agreement_high, known.compared),
            *(known.kappa, row.left_share, row.tie_share),
            *((pace.seconds, pace.deviations) if pace else (None, None)),
        ]
    return ["" if value is None else f"{value:.4g}" for value in values]


def limits_of(value: float, error: float) -> tuple[float, float]:
    """The 90% interval."""
    return value - LIMIT * error, value + LIMIT * error
