"""What hangs on open cases, and the order of the queue that follows from it."""

from datetime import timedelta

import numpy as np
import pytest

from arena.events.decision_record import Ruling
from arena.events.models import Enrollment, Event
from arena.judging.models import Case, Exclusion, Judgment
from arena.judging.review.cases import exclude_for
from arena.judging.review.exclusions import exclude
from leaderboard.boards.without import BoardWithout, FirstPlace, PrizeWithout
from leaderboard.contributors import positions
from leaderboard.contributors.claims import MAX_EVIDENCE, weigh_claim
from leaderboard.models import Board, CaseEffect, Rating, Standing
from leaderboard.snapshots import case_effects
from leaderboard.snapshots.case_effects import (
    FLOOR,
    find_due_cases,
    find_priority,
    place_without,
    read_boards,
    read_prize,
    refresh_case_effects,
)
from leaderboard.tasks import measure_cases
from tests.factories import NOW, make_user
from tests.leaderboard.test_reliability import Readers
from tests.leaderboard.test_screening import make_row
from tests.leaderboard.votes import Crowd, refresh

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
Reason = Case.Reason
FIELDS = ("case", "priority", "evidence", "on_first", "on_prize", "boards", "prize", "fingerprint")


class Scene:
    """Six who read and one who clicks; cases about the clicker and one of the readers."""

    def __init__(self) -> None:
        self.crowd = Readers()
        self.event: Event = self.crowd.event
        self.clicker, self.reader = self.crowd.clicker(), self.crowd.judges[0]
        refresh(self.event)
        self.doubted = self.ask(self.clicker, Reason.UNRELIABLE)
        self.asked = self.ask(self.reader, Reason.GAP)

    def ask(self, who: Enrollment, reason: str, **evidence: object) -> Case:
        return Case.objects.create(
            event=self.event, enrollment=who, reason=reason, evidence=evidence, opened_at=NOW
        )

    def effect(self, case: Case) -> CaseEffect:
        return CaseEffect.objects.get(case=case)

    def rows(self) -> list[tuple[object, ...]]:
        return list(CaseEffect.objects.order_by("case").values_list(*FIELDS))


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    monkeypatch.setattr(positions, "STEP", 10)
    return Scene()


def test_every_open_case_is_measured_once(scene: Scene) -> None:
    assert list(find_due_cases()) == [scene.event.pk]
    assert refresh_case_effects(scene.event, now=NOW) == 2
    effect = scene.effect(scene.doubted)
    assert effect.evidence > 3.0
    assert effect.priority == pytest.approx(
        find_priority(effect.evidence, effect.on_first, effect.on_prize)
    )
    assert set(read_boards(effect)) == {Rating.Weighting.RAW, Rating.Weighting.WEIGHTED}
    assert list(find_due_cases()) == []
    assert refresh_case_effects(scene.event, now=LATER) == 0


def test_the_board_without_somebody_is_the_board_after_their_exclusion() -> None:
    crowd = Crowd()
    crowd.vote()
    refresh(crowd.event)
    case = Case.objects.create(
        event=crowd.event, enrollment=crowd.judges[2], reason=Reason.REVIEW, opened_at=NOW
    )
    refresh_case_effects(crowd.event, now=NOW)
    board = read_boards(CaseEffect.objects.get(case=case))[Rating.Weighting.RAW]
    before = strengths(crowd.event)
    exclude(crowd.judges[2], Exclusion.Reason.ORGANIZER, Ruling(make_user(), LATER, "So."))
    refresh(crowd.event, LATER)
    after = strengths(crowd.event)
    assert (board.votes, board.of) == (18, 108)
    for move in board.moves:
        assert (move.rank, move.rank_without) == (before[move.model][1], after[move.model][1])
        shift = after[move.model][0] - before[move.model][0]
        assert move.shift == pytest.approx(shift, abs=1e-9)
    assert board.largest is not None
    assert abs(board.largest.shift or 0.0) > 0.01
    leads = [sorted((s for s, _rank in each.values()), reverse=True) for each in (before, after)]
    assert board.first.lead == pytest.approx(leads[0][0] - leads[0][1])
    assert board.first_without.lead == pytest.approx(leads[1][0] - leads[1][1])


def test_somebody_without_whom_nobody_is_rated_decides_the_first_place(scene: Scene) -> None:
    refresh_case_effects(scene.event, now=NOW)
    effect = scene.effect(scene.doubted)
    # The readers agree in everything: only the clicker's votes keep the ratings finite.
    board = read_boards(effect)[Rating.Weighting.RAW]
    assert board.first_without.model is None
    assert [move.shift for move in board.moves] == [None] * 4
    assert effect.on_first == 1.0


def strengths(event: Event) -> dict[int, tuple[float, int]]:
    """Strength and rank of each model on the unweighted board of all records."""
    latest = event.snapshots.latest("id")
    rows = latest.ratings.filter(category=None, weighting=Rating.Weighting.RAW)
    return {pk: (s, rank) for pk, s, rank in rows.values_list("competitor", "strength", "rank")}


def test_deleted_effects_come_back_with_the_same_digits(scene: Scene) -> None:
    refresh_case_effects(scene.event, now=NOW)
    rows = scene.rows()
    CaseEffect.objects.all().delete()
    refresh(scene.event, LATER, rebuild=True)
    refresh_case_effects(scene.event, now=LATER)
    assert scene.rows() == rows
    refresh_case_effects(scene.event, now=LATER, rebuild=True)
    assert scene.rows() == rows


def test_somebody_stands_in_the_queue_once(scene: Scene) -> None:
    rigging = scene.ask(scene.clicker, Reason.RIGGING)
    scene.clicker.reliability.rig_evidence = 29.0
    scene.clicker.reliability.save()
    refresh_case_effects(scene.event, now=NOW)
    # Whoever does not read seems to lift some model as well.
    assert scene.effect(rigging).priority == 0.0
    assert scene.effect(scene.doubted).priority > 0.0
    # A few of their judgments are excluded for it, which leaves the other claim open.
    few = list(Judgment.objects.filter(enrollment=scene.clicker)[:1])
    exclude_for(scene.doubted, Ruling(make_user(), LATER, "Not read."), judgments=few)
    refresh_case_effects(scene.event, now=LATER)
    assert scene.effect(rigging).priority > 0.0


def test_a_run_is_bounded_and_the_next_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case_effects, "MAX_PEOPLE", 1)
    assert refresh_case_effects(scene.event, now=NOW) == 1
    first, other = scene.effect(scene.doubted), scene.effect(scene.asked)
    assert first.computed_at == NOW
    # Not measured yet: its evidence alone orders it.
    assert other.computed_at is None
    assert other.priority == pytest.approx(FLOOR * other.evidence)
    assert refresh_case_effects(scene.event, now=LATER) == 1
    assert scene.effect(scene.asked).computed_at == LATER
    assert refresh_case_effects(scene.event, now=LATER) == 0


def test_nothing_is_measured_without_cases_or_while_the_boards_are_computed(scene: Scene) -> None:
    assert Board.claim(scene.event, NOW, LATER)
    assert refresh_case_effects(scene.event, now=NOW) == 0
    assert not CaseEffect.objects.exists()
    Board.release(scene.event, LATER)
    Case.objects.update(state=Case.State.DISMISSED, decided_at=NOW)
    assert refresh_case_effects(scene.event, now=NOW) == 0
    assert list(find_due_cases()) == []


def test_the_task_measures(scene: Scene) -> None:
    measure_cases(scene.event.pk)
    assert CaseEffect.objects.exclude(computed_at=None).count() == 2


def test_a_case_about_somebody_without_votes_moves_nothing(scene: Scene) -> None:
    case = scene.ask(make_row(scene.event).enrollment, Reason.REVIEW)
    refresh_case_effects(scene.event, now=NOW)
    effect = scene.effect(case)
    assert (effect.on_first, effect.on_prize) == (0.0, 0.0)
    assert effect.priority == pytest.approx(FLOOR * MAX_EVIDENCE)
    boards = read_boards(effect).values()
    assert all(board.votes == 0 and not board.changes_first for board in boards)


def test_the_prize_hangs_on_whoever_is_first(scene: Scene) -> None:
    standings = Standing.objects.filter(event=scene.event)
    standings.filter(enrollment=scene.reader).update(quality=10, score=400)
    standings.filter(enrollment=scene.clicker).update(quality=10, score=100)
    refresh_case_effects(scene.event, now=NOW)
    first, other = scene.effect(scene.asked), scene.effect(scene.doubted)
    assert (first.on_prize, other.on_prize) == (1.0, 0.25)
    assert read_prize(first) == PrizeWithout(place=1, places=2, share=1.0)
    assert read_prize(CaseEffect()) is None
    assert place_without({}, 1) == PrizeWithout(place=None, places=0, share=0.0)
    assert place_without({1: 5, 2: 5, 3: 4}, 3).place == 3


def test_influence_on_the_first_place() -> None:
    def board(one: FirstPlace, other: FirstPlace) -> BoardWithout:
        return BoardWithout(votes=1, of=10, first=one, first_without=other, moves=())

    sure = FirstPlace(model=1, lead=0.4, is_separated=True)
    assert board(sure, sure).influence == 0.0
    assert board(sure, FirstPlace(model=1, lead=0.3, is_separated=True)).influence == pytest.approx(
        0.25
    )
    assert board(sure, FirstPlace(model=1, lead=0.3, is_separated=False)).influence == 0.5
    assert board(sure, FirstPlace(model=2, lead=0.3, is_separated=True)).influence == 1.0
    nobody = FirstPlace(model=None, lead=None, is_separated=False)
    assert board(nobody, nobody).influence == 0.0
    assert board(sure, nobody).influence == 1.0


def test_claims_are_weighed_in_nats(scene: Scene) -> None:
    def weigh(reason: str, **evidence: object) -> float:
        return weigh_claim(Case(reason=reason, evidence=evidence), None)

    assert weigh(Reason.RIGGING, rig_evidence=9.0) == 9.0
    assert weigh(Reason.SIDES, side_evidence=12.5) == 12.5
    assert weigh(Reason.TWIN, evidence=40.0) == MAX_EVIDENCE
    assert weigh(Reason.SIDES, side_evidence=-1.0) == 0.0
    gap = {"on_controls": 1.2, "on_controls_error": 0.3, "on_others": 0.2, "on_others_error": 0.4}
    # z = 2: one in 44.
    assert weigh(Reason.GAP, **gap) == pytest.approx(-np.log(0.02275), abs=1e-3)
    clicks = {"overall": 0.1, "overall_error": 0.2}
    assert weigh(Reason.UNRELIABLE, **clicks) == pytest.approx(-np.log(0.02275), abs=1e-3)
    assert weigh(Reason.REVIEW) == MAX_EVIDENCE
    row = make_row(scene.event, side_evidence=7.0)
    now = Case(reason=Reason.SIDES, evidence={"side_evidence": 20.0})
    assert weigh_claim(now, row) == 7.0
