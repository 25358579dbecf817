"""Reliabilities of an event: at fixed places in the ledger, from nothing but what is in force."""

from datetime import timedelta
from random import Random

import numpy as np
import pytest

from arena.events.decision_record import Ruling
from arena.events.models import Control, Enrollment, Event
from arena.judging.ledger import seal_event
from arena.judging.models import Exclusion, Judgment
from arena.judging.review.appeals import answer_appeal, open_appeal
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.contributors import positions
from leaderboard.contributors.answers import find_latest
from leaderboard.contributors.controls import credit_table
from leaderboard.contributors.positions import last_position
from leaderboard.contributors.reliability import (
    find_due_reliabilities,
    is_reliability_current,
    refresh_reliability,
)
from leaderboard.contributors.weights import read_weights
from leaderboard.models import Board, Reliability, ReliabilityFit
from leaderboard.ratings import WEIGHT_UNIT
from leaderboard.votes.loading import load_votes
from tests.exports.cast import judgment_lines
from tests.factories import NOW, make_enrollment, make_membership, make_user
from tests.leaderboard.votes import Crowd, figures, make_all_votes, make_vote, refresh, revise

LATER = NOW + timedelta(minutes=1)
CREDITS = np.array([[1.0, 0.0, 0.0], [0.25, 1.0, 0.25], [0.0, 0.0, 1.0]])


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Places in the ledger near enough for a handful of judgments."""
    monkeypatch.setattr(positions, "STEP", 10)


class Readers(Crowd):
    """The same event, whose judges read: they prefer the model of the lower number, and know."""

    def __init__(self, judges: int = 6, **settings: object) -> None:
        super().__init__(judges, **settings)
        rng = Random(0)
        order = {model.pk: place for place, model in enumerate(self.models)}
        votes = []
        for judge in self.judges:
            for matchup in self.matchups:
                first, second = (
                    order[place.response.competitor_id]
                    for place in matchup.places.order_by("position").select_related("response")
                )
                votes.append((judge, matchup, 2 if first < second else -2, rng.random() < 0.5))
            for control in self.controls:
                sign = control.control.key["sign"]
                votes.append((judge, control, 2 * sign, rng.random() < 0.5))
        make_all_votes(votes)

    def clicker(self, *, seed: int = 1) -> Enrollment:
        """Somebody who answers everything without reading."""
        who, rng = make_enrollment(self.event), Random(seed)
        make_all_votes(
            [
                (who, matchup, rng.choice([-2, -1, 0, 1, 2]), rng.random() < 0.5)
                for matchup in [*self.matchups, *self.controls]
            ]
        )
        return who


def rows(event: Event) -> list[dict[str, object]]:
    """Everything kept of everybody, without primary keys of rows."""
    names = [f.attname for f in Reliability._meta.concrete_fields if f.name != "id"]
    return list(event.reliabilities.order_by("enrollment").values(*names))


def test_places_in_the_ledger() -> None:
    heads = (0, 9, 10, 19, 999, 1000, 1009, 1010, 1019, 1020, 5000)
    found = [last_position(head) for head in heads]
    assert found[:9] == [0, 0, 10, 10, 990, 1000, 1000, 1010, 1010]
    assert found[9] == 1020
    # From 1,000 (100 steps of ten) on by a hundredth part.
    place, seen = 0, set()
    while place < 5000:
        place += max(10, place // 100)
        seen.add(place)
    assert found[10] in seen
    assert 5000 - found[10] < 50


def test_the_table_of_credits_is_that_of_the_question_kind() -> None:
    np.testing.assert_array_equal(credit_table(), CREDITS)


def test_of_a_huge_event_everybodys_latest_answers_are_looked_at() -> None:
    who = np.array([7, 3, 7, 7, 3, 9, 7, 7])
    assert find_latest(who, 8) == slice(None)
    for most in (7, 6, 5, 3):
        found = find_latest(who, most)
        kept = np.arange(8)[found]
        assert len(kept) <= most
        for person in (7, 3, 9):
            mine = np.flatnonzero(who == person)
            latest = kept[who[kept] == person]
            assert latest.tolist() == mine[len(mine) - len(latest) :].tolist()
        counts = [int((who[kept] == person).sum()) for person in (7, 3, 9)]
        assert counts == [min(n, max(counts)) for n in (5, 2, 1)]


@pytest.mark.django_db
def test_who_reads_and_who_does_not() -> None:
    crowd = Readers()
    clicker = crowd.clicker()
    refresh(crowd.event)
    found = {row.enrollment_id: row for row in crowd.event.reliabilities.all()}
    readers = [found[judge.pk] for judge in crowd.judges]
    assert all(row.reads > 0.9 > found[clicker.pk].reads for row in readers)
    assert all(row.passed == 4 == row.controls for row in readers)
    assert found[clicker.pk].overall < min(row.overall for row in readers)
    assert {row.weight for row in readers} <= set(range(WEIGHT_UNIT // 2, WEIGHT_UNIT + 1))
    fit = crowd.event.reliability_fit
    assert (fit.ledger_seq, fit.controls) == (150, 24)


@pytest.mark.django_db
def test_votes_weigh_by_the_last_place_and_newcomers_by_the_prior() -> None:
    crowd = Readers()
    refresh(crowd.event)
    fresh = make_enrollment(crowd.event)
    make_vote(fresh, crowd.matchups[0], 1)
    refresh(crowd.event, LATER)
    data = load_votes(crowd.event)
    weights = read_weights(crowd.event, data)
    assert weights is not None
    by_person = dict(zip(data.enrollments.tolist(), weights.base.tolist(), strict=True))
    assert by_person[fresh.pk] == crowd.event.reliability_fit.newcomer
    for judge in crowd.judges:
        assert by_person[judge.pk] == judge.reliability.weight
    votes = data.votes(data.questions[0])
    Reliability.objects.filter(event=crowd.event).update(rigged=[])
    weights = read_weights(crowd.event, data)
    assert weights is not None
    got = weights.weigh(votes, data.questions[0])
    assert got.tolist() == weights.base[votes.contributor].tolist()
    # Somebody who lifts the second model to a certainty of one half.
    judge = crowd.judges[0]
    Reliability.objects.filter(enrollment=judge).update(
        rigged=[[data.questions[0], crowd.models[1].pk, WEIGHT_UNIT // 2]]
    )
    again = read_weights(crowd.event, data)
    assert again is not None
    place, rigs = data.enrollments.tolist().index(judge.pk), again.weigh(votes, data.questions[0])
    shown = (votes.contributor == place) & ((votes.first == 1) | (votes.second == 1))
    assert shown.any()
    assert (rigs[~shown] == got[~shown]).all()
    np.testing.assert_allclose(rigs[shown], got[shown] / 2, atol=1)


@pytest.mark.django_db
def test_between_two_places_nothing_moves() -> None:
    crowd = Readers()
    refresh(crowd.event)
    before = rows(crowd.event)
    for matchup in crowd.matchups[:3]:
        make_vote(make_enrollment(crowd.event), matchup, -3)
    refresh(crowd.event, LATER)
    assert rows(crowd.event) == before
    assert is_reliability_current(crowd.event)


@pytest.mark.django_db
def test_after_the_end_all_are_looked_at() -> None:
    crowd = Readers()
    make_vote(make_enrollment(crowd.event), crowd.matchups[0], 1)
    refresh(crowd.event)
    assert crowd.event.reliability_fit.ledger_seq == 130
    Event.objects.filter(pk=crowd.event.pk).update(state=Event.State.CLOSED)
    refresh(crowd.event, LATER)
    assert ReliabilityFit.objects.get(event=crowd.event).ledger_seq == 133
    assert crowd.event.reliabilities.count() == 7


@pytest.mark.django_db
def test_excluding_and_reinstating_gives_the_same_bytes() -> None:
    crowd = Readers()
    clicker = crowd.clicker()
    refresh(crowd.event)
    before, boards = rows(crowd.event), figures(crowd.event)
    gone = exclude(clicker, Exclusion.Reason.UNRELIABLE, Ruling(None, NOW))
    refresh(crowd.event, LATER)
    without = rows(crowd.event)
    assert without != before
    # The evidence about them is still there, held against all others.
    kept = next(row for row in without if row["enrollment_id"] == clicker.pk)
    assert kept["judgments"] == 18
    assert kept["reads"] < min(row["reads"] for row in without if row is not kept)
    lift_exclusion(gone, Ruling(None, LATER))
    refresh(crowd.event, LATER + timedelta(minutes=1))
    assert rows(crowd.event) == before
    assert figures(crowd.event) == boards


@pytest.mark.django_db
def test_a_granted_appeal_gives_the_same_bytes() -> None:
    crowd = Readers(overlap=9)
    who, now = crowd.clicker(), LATER
    rita, otto = make_user(), make_user()
    for one in (rita, otto):
        make_membership(crowd.event, one)

    def everything() -> tuple[object, ...]:
        return rows(crowd.event), figures(crowd.event), list(judgment_lines(crowd.event))

    refresh(crowd.event)
    before = everything()
    exclusion = exclude(who, Exclusion.Reason.UNRELIABLE, Ruling(rita, NOW, "No care."))
    refresh(crowd.event, now)
    assert all(one != other for one, other in zip(everything(), before, strict=True))
    appeal = open_appeal(who, exclusion.decision, "I read all of it.", now)
    answer_appeal(appeal, Ruling(otto, now, "So it is."), granted=True)
    refresh(crowd.event, now + timedelta(minutes=1))
    assert everything() == before


@pytest.mark.django_db
def test_a_withdrawn_key_and_a_revision_compute_the_last_place_anew() -> None:
    crowd = Readers()
    refresh(crowd.event)
    position = crowd.event.reliability_fit.ledger_seq
    before = rows(crowd.event)
    Control.objects.filter(matchup=crowd.controls[0]).update(retired_at=NOW)
    assert list(find_due_reliabilities()) == [crowd.event.pk]
    refresh(crowd.event, LATER)
    assert [row["controls"] for row in rows(crowd.event)] == [3] * 5 + [1]
    Control.objects.filter(matchup=crowd.controls[0]).update(retired_at=None)
    refresh(crowd.event, LATER)
    assert rows(crowd.event) == before
    revise(Judgment.objects.filter(event=crowd.event).earliest("pk"), -2)
    seal_event(crowd.event.pk, LATER)
    assert not is_reliability_current(crowd.event)
    assert refresh_reliability(crowd.event, now=LATER)
    assert ReliabilityFit.objects.get(event=crowd.event).ledger_seq == position


@pytest.mark.django_db
def test_rebuilt_from_nothing() -> None:
    crowd = Readers()
    crowd.clicker()
    refresh(crowd.event)
    before, boards = rows(crowd.event), figures(crowd.event)
    crowd.event.reliabilities.all().delete()
    crowd.event.standings.all().delete()
    Board.objects.filter(event=crowd.event).delete()
    crowd.event.snapshots.all().delete()
    refresh(crowd.event, LATER, rebuild=True)
    assert rows(crowd.event) == before
    assert figures(crowd.event) == boards


@pytest.mark.django_db
def test_two_workers() -> None:
    crowd = Readers()
    seal_event(crowd.event.pk, NOW)
    fit = ReliabilityFit.objects.create(event=crowd.event, claimed_until=LATER)
    assert not refresh_reliability(crowd.event, now=NOW)
    fit.claimed_until = None
    fit.save()
    # While the boards are read from the same files, it waits for them.
    Board.claim(crowd.event, NOW, LATER)
    assert not refresh_reliability(crowd.event, now=NOW)
    Board.release(crowd.event, LATER)
    assert refresh_reliability(crowd.event, now=NOW)
    assert not refresh_reliability(crowd.event, now=NOW)


@pytest.mark.django_db
def test_without_controls_or_sides_it_rests_on_agreement() -> None:
    crowd = Crowd(judges=5)
    for judge in crowd.judges:
        for matchup in crowd.matchups:
            make_vote(judge, matchup, 2, left=None)
    refresh(crowd.event)
    assert crowd.event.reliability_fit.controls == 0
    assert crowd.event.reliabilities.count() == 5
    assert all(row.kappa is None and row.quality is None for row in crowd.event.reliabilities.all())


@pytest.mark.django_db
def test_anchors_are_answers_like_others() -> None:
    crowd = Readers(judges=3)
    for judge in crowd.judges:
        make_vote(judge, crowd.anchor, 1)
    refresh(crowd.event)
    assert crowd.event.reliabilities.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("scale", [2, 3, 7])
def test_every_scale(scale: int) -> None:
    crowd = Readers(judges=4, scale=scale)
    Control.objects.filter(matchup=crowd.controls[3]).update(retired_at=NOW)
    refresh(crowd.event)
    assert crowd.event.reliabilities.count() == 4
    assert all(0.5 < row.reads <= 1 for row in crowd.event.reliabilities.all())
