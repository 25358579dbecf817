"""The evidence of a case: what is claimed in words, single answers, plots with their tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from arena.desk.queries.case_evidence import CaseEvidence, gather_evidence, list_twins
from arena.desk.queries.case_habits import compare_pace, find_bin, make_bins, view_timeline
from arena.desk.queries.case_models import (
    Preference,
    answer_elsewhere,
    list_favoured,
    read_preferences,
)
from arena.desk.queries.case_reading import read_evidence
from arena.desk.queries.evidence import describe_claim, say_share
from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Membership
from arena.judging.models import Case, Exclusion, Judgment
from arena.judging.review.exclusions import exclude, exclude_judgments, lift_exclusion
from leaderboard.contributors import positions
from leaderboard.models import Reliability
from leaderboard.snapshots.case_effects import refresh_case_effects
from tests.desk.cast import signed_in, url
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchups,
    make_user,
)
from tests.leaderboard.test_reliability import Readers
from tests.leaderboard.test_screening import make_row
from tests.leaderboard.votes import make_vote, refresh

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
Reason = Case.Reason


class Scene:
    """Six who read, and one who clicks, about whom a case is open."""

    def __init__(self) -> None:
        self.crowd = Readers(slug="fair")
        self.event = self.crowd.event
        self.clicker = self.crowd.clicker()
        refresh(self.event)
        self.case = self.ask(self.clicker, Reason.UNRELIABLE)
        refresh_case_effects(self.event, now=NOW)

    def ask(self, who: Enrollment, reason: str, **evidence: object) -> Case:
        return Case.objects.create(
            event=self.event, enrollment=who, reason=reason, evidence=evidence, opened_at=NOW
        )

    def evidence(self, who: Enrollment | None = None) -> CaseEvidence:
        return gather_evidence(who or self.clicker)

    def page(self, who: Enrollment) -> str:
        reviewer = make_user()
        Membership.objects.create(event=self.event, user=reviewer, role=Membership.Role.REVIEWER)
        response = signed_in(reviewer).get(url("contributor", self.event, who.public_id))
        assert response.status_code == 200
        return " ".join(response.content.decode().split())


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(positions, "STEP", 10)
    return Scene()


# --- claims -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reason", "evidence", "words"),
    [
        (
            Reason.RIGGING,
            {"rig_evidence": 9.0, "model": "Siskin", "lifts": True},
            "Where Siskin is one of the two, they choose it far more often than others do. "
            "Of people who read as the others do, at most one in 8,100 looks like this.",
        ),
        (
            Reason.RIGGING,
            {"rig_evidence": 20.0, "model": "Siskin"},
            "Where Siskin is one of the two, they choose the other one far more often than others "
            "do. Of people who read as the others do, at most one in a million looks like this.",
        ),
        (
            Reason.SIDES,
            {"side_evidence": 7.0},
            "They choose by the side of the screen, or by the model, and not by reading. "
            "Of people who read as the others do, at most one in 1,100 looks like this.",
        ),
        (
            Reason.GAP,
            {"on_controls": 1.2, "on_controls_error": 0.3, "on_others": 0.2, "on_others_error": 0.4}
            | {"controls": 9, "passed": 9},
            "They pass the controls (9 of 9 controls as expected), and answer everything else "
            "otherwise than the others: reliability 0.20 there, where most readers reach 1. "
            "By chance alone, one in 44 looks like this.",
        ),
        (
            Reason.UNRELIABLE,
            {"overall": 0.1, "overall_error": 0.2, "controls": 7, "passed": 2},
            "They seem to answer without reading (2 of 7 controls as expected): they agree with "
            "the controls and with the others hardly more than chance does. "
            "Of people who read poorly, one in 44 looks like this.",
        ),
        (
            Reason.TWIN,
            {"evidence": 8.0, "shared": 40, "other": "Reed"},
            "They give the same answers as Reed to 40 matchups far more often than two people do "
            "who judge alone. Of pairs who judge alone, at most one in 3,000 looks like this.",
        ),
        (Reason.REVIEW, {}, "Excluded by a reviewer."),
        # What earlier cases have kept.
        (
            Reason.GAP,
            {"on_controls": 1.0, "on_others": 0.1},
            "They pass the controls, and answer everything else otherwise than the others: "
            "reliability 0.10 there, where most readers reach 1.",
        ),
    ],
)
def test_a_claim_is_said_in_words(reason: str, evidence: dict[str, object], words: str) -> None:
    assert describe_claim(Case(reason=reason, evidence=evidence)) == words


def test_shares_have_two_figures() -> None:
    assert [say_share(x) for x in (1.1, 3.8, 9.0, 30.0)] == [
        "one in 3",
        "one in 45",
        "one in 8,100",
        "one in a million",
    ]


# --- the whole ----------------------------------------------------------------------------------
def test_a_page_shows_all_evidence(scene: Scene) -> None:
    page = scene.page(scene.clicker)
    for words in (
        *("What is claimed", "Does not read.", "90% limits", "What hangs on it"),
        *("Every vote equal", "Weighted by reliability", "Models favoured", "Sides, ties and pace"),
        *("With themselves", "Timeline", "Expected", "Answers that say most", "Against them"),
        *("times as likely from somebody who does not read", "Answers like theirs"),
    ):
        assert words in page
    assert page.count('class="pair"') >= 10
    assert scene.clicker.user.email == "" or scene.clicker.user.email not in page


def test_a_page_of_somebody_without_judgments_says_what_is_missing(scene: Scene) -> None:
    page = scene.page(make_enrollment(scene.event))
    for words in (
        *("No case about them is open.", "Not rated.", "Too few votes on ranked models."),
        *("On which side responses stood is not known.", "How long they take is not known."),
        *("No judgment has a known time.", "They have answered no control.", "None so far."),
    ):
        assert words in page


def test_evidence_takes_as_many_statements_for_a_busier_person(scene: Scene) -> None:
    def count(who: Enrollment) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            gather_evidence(Enrollment.objects.select_related("event").get(pk=who.pk))
        return len(queries)

    few = count(scene.crowd.judges[0])
    for matchup in make_matchups(scene.event, scene.crowd.models[:2], 12):
        make_vote(scene.crowd.judges[0], matchup, 2)
    refresh(scene.event, LATER)
    assert count(scene.crowd.judges[0]) == few < 40


def test_answers_are_split_by_what_they_say_with_their_pairs(scene: Scene) -> None:
    evidence = scene.evidence()
    assert evidence.against
    assert not any(one.speaks_for for one in evidence.against)
    assert all(one.speaks_for for one in evidence.in_favour)
    assert len(evidence.against) <= 10
    assert [side.response.text for side in evidence.against[0].sides if side.response.text]
    assert Judgment.objects.filter(uuid=evidence.against[0].judgment).exists()
    assert [one.passed for one in evidence.controls] == sorted(
        one.passed for one in evidence.controls
    )
    assert evidence.controls[0].reason == "It is so."
    ranges = scene.evidence(scene.crowd.judges[0]).ranges
    assert [one.name for one in ranges] == ["overall", "on_controls", "on_others"]
    assert all(one.lower < one.value < one.upper for one in ranges)


def test_what_hangs_on_a_case_is_said(scene: Scene) -> None:
    effect = scene.evidence().effect
    assert effect is not None
    assert effect.boards[0].sentence == "Without them nobody would be first."
    assert effect.boards[0].votes == 18
    assert "no score" in effect.prize
    # Of somebody without a case nothing has been computed.
    assert scene.evidence(scene.crowd.judges[0]).effect is None


def test_the_claim_by_which_somebody_is_in_the_queue_comes_first(scene: Scene) -> None:
    scene.ask(scene.clicker, Reason.SIDES, side_evidence=9.0)
    refresh_case_effects(scene.event, now=LATER)
    claims = scene.evidence().claims
    assert [case.reason for case, _sentence in claims] == [Reason.UNRELIABLE, Reason.SIDES]


def test_twins_are_named_with_what_they_share(scene: Scene) -> None:
    one, other = scene.crowd.judges[:2]
    case = scene.ask(one, Reason.TWIN, other=other.pseudonym, shared=22, evidence=8.0)
    (twin,) = list_twins(one, [case])
    assert (twin.enrollment, twin.shared, twin.same) == (other, 22, 22)
    case.evidence["other"] = "Gone"
    (gone,) = list_twins(one, [case])
    assert (gone.enrollment, gone.same) == (None, None)
    assert "2,980 times as likely if one copies the other" in scene.page(one)


# --- models -------------------------------------------------------------------------------------
def test_a_model_that_is_lifted_stands_out_and_the_rest_does_not() -> None:
    event = make_event()
    models = [model.pk for model in make_competitors(event, 4)]
    lifted = models[3]
    votes = [Preference(other, lifted, 0.0, 0.8) for other in models[:3] for _ in range(6)]
    votes += [
        Preference(models[0], models[1], 1.0, 0.7),
        Preference(models[1], models[2], 1.0, 0.7),
    ] * 6
    first, *others = list_favoured(event, votes)
    assert (first.model.pk, first.votes, first.share) == (lifted, 18, 1.0)
    assert first.expected == pytest.approx(0.2)
    # z = 18·.8 / √(18·.16) = 8.5.
    assert first.is_telling
    assert first.is_lifted
    assert first.chance == "one in a million"
    elsewhere = answer_elsewhere(votes, lifted)
    assert elsewhere is not None
    assert (elsewhere.votes, elsewhere.share) == (12, 1.0)
    assert elsewhere.is_usual
    assert len(others) == 3
    assert answer_elsewhere(votes[:9], lifted) is None


def test_preferences_are_held_against_the_board(scene: Scene) -> None:
    votes = read_preferences(scene.clicker)
    assert len(votes) == 18
    assert {vote.score for vote in votes} <= {0.0, 0.5, 1.0}
    assert all(0.0 < vote.expected < 1.0 for vote in votes)
    assert not read_preferences(make_row(make_event()).enrollment)


# --- habits -------------------------------------------------------------------------------------
def test_pace_is_shown_among_everybodys() -> None:
    event = make_event()
    rows = [make_row(event, pace=pace) for pace in (0.5, 3.5, 3.5, 3.6)]
    plot = compare_pace(rows[0].enrollment, rows[0])
    assert plot is not None
    assert [one.people for one in plot.bins] == [1, 0, 0, 0, 3, 0, 0]
    assert [one.is_own for one in plot.bins] == [True, *[False] * 6]
    assert plot.seconds == pytest.approx(1.65, abs=0.01)
    assert plot.slower == 1.0
    assert compare_pace(rows[0].enrollment, make_row(event)) is None


def test_bins_are_hours_days_or_weeks_of_the_event() -> None:
    zone = ZoneInfo("Europe/Berlin")
    # Clocks go back at 01:00 UTC.
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    hours = list(make_bins(start, start + timedelta(hours=3), zone))
    assert [one.short for one in hours] == ["02:00", "02:00", "03:00", "04:00"]
    assert find_bin(hours, start + timedelta(hours=1)) == 1
    assert find_bin(hours, start - timedelta(days=1)) == 0
    days = list(make_bins(start, start + timedelta(days=5), zone))
    assert {one.unit for one in days} == {"day"}
    assert len(days) == 6
    weeks = list(make_bins(start, start + timedelta(days=100), zone))
    assert {one.unit for one in weeks} == {"week"}


def test_the_timeline_has_controls_and_exclusions(scene: Scene) -> None:
    ruling = Ruling(make_user(), NOW + timedelta(hours=2), "Clicks.")
    exclude_judgments([scene.clicker.judgments.first()], Exclusion.Reason.ORGANIZER, ruling)
    exclusion = exclude(scene.clicker, Exclusion.Reason.UNRELIABLE, ruling)
    lift_exclusion(exclusion, replace(ruling, now=NOW + timedelta(hours=3)))
    evidence = scene.evidence()
    timeline = evidence.timeline
    assert timeline is not None
    assert timeline.unit == "hour"
    (row,) = timeline.rows
    assert row.bar.judgments == 22
    assert row.bar.passed + row.bar.failed == len(evidence.controls) == 4
    assert row.exclusions == [
        "1 judgment excluded",
        "excluded: Not reliable enough",
        "reinstated",
    ]
    Judgment.objects.filter(enrollment=scene.clicker).update(judged_at=None)
    assert view_timeline(scene.clicker, []) is None


# --- reading ------------------------------------------------------------------------------------
def look(**figures: object) -> Reliability:
    """The figures of somebody careful, unless it is said otherwise; nothing is stored."""
    known: dict[str, object] = {
        **{"controls": 9, "passed": 9, "overall": 1.0, "overall_error": 0.1},
        **{"on_controls": 1.2, "on_controls_error": 0.1, "on_others": 1.0, "on_others_error": 0.1},
        **{"consistency": 8.0, "left": 40, "ties": 10, "right": 40, "side_evidence": 0.0},
    }
    return Reliability(**(known | figures))


def test_what_the_evidence_looks_like() -> None:
    event = make_event()
    models = [model.pk for model in make_competitors(event, 4)]
    lifting = [Preference(other, models[3], 0.0, 0.8) for other in models[:3] for _ in range(6)]
    lifting += [Preference(models[0], models[1], 1.0, 0.7)] * 12
    favoured, elsewhere = list_favoured(event, lifting), answer_elsewhere(lifting, models[3])
    otherwise = {"overall": 0.1, "on_others": 0.05}
    left = {"left": 88, "ties": 0, "right": 2, "side_evidence": 30.0, "on_controls": 0.1}
    seen = [
        read_evidence(known, found, rest).summary
        for known, found, rest in (
            (look(), [], None),
            (look(**otherwise), [], None),
            (look(**otherwise, consistency=0.1), [], None),
            (look(**otherwise, on_controls=0.1, consistency=0.1), [], None),
            (look(**(otherwise | left)), [], None),
            (look(), favoured, elsewhere),
            (look(controls=2, passed=1), [], None),
        )
    ]
    expected = [
        "reads as others do",
        "careful whose taste is not the others’",
        "answers controls with care, and nothing else",
        "answers without reading",
        "takes one side of the screen",
        "reads, and helps Zyxomodel",
        "does not point one way",
    ]
    assert [part in words for part, words in zip(expected, seen, strict=True)] == [True] * 7
    assert read_evidence(None, [], None).signs == []
    tones = [sign.tone for sign in read_evidence(look(**otherwise), [], None).signs]
    assert tones == ["good", "bad", "good"]
