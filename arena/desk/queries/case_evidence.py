"""Everything that a case's page shows of its contributor, gathered once."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from arena.desk.queries.case_charts import draw_reliability, draw_reliability_axis
from arena.desk.queries.case_effect import EffectOfCase, view_effect
from arena.desk.queries.case_habits import (
    CaseTimeline,
    PacePlot,
    SideShare,
    compare_pace,
    compare_sides,
    view_timeline,
)
from arena.desk.queries.case_models import (
    FavouredModel,
    answer_elsewhere,
    list_favoured,
    read_preferences,
)
from arena.desk.queries.case_reading import Reading, read_evidence
from arena.desk.queries.evidence import (
    ControlAnswer,
    WeighedAnswer,
    describe_claim,
    find_strongest,
    list_control_answers,
    to_ratio,
)
from arena.desk.queries.people import limits_of
from arena.events.models import Enrollment
from arena.judging.models import Answer, Case, Judgment
from leaderboard.models import Reliability, ReliabilityFit

RANGES = ("overall", "on_controls", "on_others")


@dataclass(frozen=True)
class ReliabilityRange:
    """R of some of their answers with its 90% limits. name: a field of `Reliability`; answers: on
    how many it rests."""

    name: str
    value: float
    lower: float
    upper: float
    answers: int
    chart: SafeString


@dataclass(frozen=True)
class Twin:
    """Another contributor whose answers are like theirs. enrollment: None where they are gone;
    shared: matchups that both judged; same: of these, how many both answered alike, None where
    nobody can say; ratio: times as likely of a copy."""

    name: str
    enrollment: Enrollment | None
    shared: int
    same: int | None
    ratio: str


@dataclass(frozen=True)
class CaseEvidence:
    """What the partials `templates/desk/_case_*.html` read as `evidence`. Parts that nobody knows
    are None or empty, and their partials say so."""

    enrollment: Enrollment
    known: Reliability | None
    fit: ReliabilityFit | None
    claims: list[tuple[Case, str]]
    reading: Reading
    ranges: list[ReliabilityRange]
    range_axis: SafeString
    controls: list[ControlAnswer]
    against: list[WeighedAnswer]
    in_favour: list[WeighedAnswer]
    sides: list[SideShare]
    pace: PacePlot | None
    timeline: CaseTimeline | None
    favoured: list[FavouredModel]
    twins: list[Twin]
    effect: EffectOfCase | None


def gather_evidence(enrollment: Enrollment, case: Case | None = None) -> CaseEvidence:
    """The evidence about a contributor, in a number of statements that does not grow with the
    event. case: whose effect is shown; without one, that of their first open case."""
    known = Reliability.objects.filter(enrollment=enrollment).select_related("rig_model").first()
    about = Case.objects.filter(enrollment=enrollment).select_related("effect", "enrollment")
    cases = list(about.order_by("opened_at", "pk"))
    # The one by which they stand in the queue comes first.
    waiting = sorted(
        (one for one in cases if one.state == Case.State.OPEN),
        key=lambda one: -one.effect.priority if hasattr(one, "effect") else 0.0,
    )
    shown = next((one for one in cases if case is not None and one.pk == case.pk), None)
    controls, strongest = list_control_answers(enrollment), find_strongest(enrollment, known)
    votes = read_preferences(enrollment)
    favoured = list_favoured(enrollment.event, votes)
    about_model = favoured[0].model.pk if favoured and favoured[0].is_telling else None
    return CaseEvidence(
        enrollment=enrollment,
        known=known,
        fit=ReliabilityFit.objects.filter(event=enrollment.event_id, ledger_seq__gt=0).first(),
        claims=[(one, describe_claim(one)) for one in waiting],
        reading=read_evidence(known, favoured, answer_elsewhere(votes, about_model)),
        ranges=list_ranges(known),
        range_axis=draw_reliability_axis(),
        controls=controls,
        against=[one for one in strongest if not one.speaks_for],
        in_favour=[one for one in reversed(strongest) if one.speaks_for],
        sides=compare_sides(enrollment, known),
        pace=compare_pace(enrollment, known),
        timeline=view_timeline(enrollment, controls),
        favoured=favoured,
        twins=list_twins(enrollment, cases),
        effect=view_effect(shown or next(iter(waiting), None)),
    )


def list_ranges(known: Reliability | None) -> list[ReliabilityRange]:
    """R of all answers, of controls, and of all else; without those of no answers."""
    if known is None:
        return []
    answers = (known.judgments, known.controls, known.judgments - known.controls)
    found = []
    for name, number in zip(RANGES, answers, strict=True):
        value, error = getattr(known, name), getattr(known, f"{name}_error")
        limits = limits_of(value, error)
        if number > 0:
            chart = draw_reliability(value, *limits)
            found.append(ReliabilityRange(name, value, *limits, number, chart))
    return found


def list_twins(enrollment: Enrollment, cases: list[Case]) -> list[Twin]:
    """Whose answers theirs are like, by the cases that say so."""
    named = {str(case.evidence["other"]): case for case in cases if case.reason == Case.Reason.TWIN}
    others = Enrollment.objects.filter(event=enrollment.event_id, pseudonym__in=list(named))
    by_name = {other.pseudonym: other for other in others}
    return [
        Twin(
            name,
            by_name.get(name),
            int(case.evidence["shared"]),
            count_same(enrollment, by_name[name]) if name in by_name else None,
            to_ratio(float(case.evidence["evidence"])),
        )
        for name, case in named.items()
    ]


def count_same(one: Enrollment, other: Enrollment) -> int:
    """To how many matchups both gave the very same answer."""
    said = [
        {
            (matchup, question): outcome
            for matchup, question, outcome in Answer.objects.filter(
                judgment__in=Judgment.objects.standing().filter(enrollment=person),
                outcome__isnull=False,
            ).values_list("judgment__matchup", "question", "outcome")
        }
        for person in (one, other)
    ]
    return sum(said[1].get(unit) == outcome for unit, outcome in said[0].items())
