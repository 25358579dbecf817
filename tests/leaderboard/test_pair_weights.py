"""With each snapshot an event that chooses actively gets new weights for its pairs."""

from itertools import combinations

import pytest

from arena.events.models import Event, Matchup
from arena.judging.models import PairWeight
from leaderboard.ratings import NotConverged, allocation, fold
from leaderboard.votes.loading import load_votes
from tests.factories import make_enrollment
from tests.leaderboard.votes import Crowd, make_vote, refresh

pytestmark = pytest.mark.django_db


@pytest.fixture
def crowd() -> Crowd:
    """An event that chooses actively, whose matchups all want another judgment."""
    crowd = Crowd()
    crowd.event.choosing = Event.Choosing.ACTIVE
    crowd.event.save()
    crowd.vote()
    crowd.event.matchups.filter(role=Matchup.Role.ORDINARY).update(open_slots=1)
    return crowd


def weights(event: Event) -> dict[str, float]:
    return dict(PairWeight.objects.filter(event=event).values_list("pair", "weight"))


def test_a_snapshot_leaves_what_a_vote_on_each_pair_would_tell(crowd: Crowd) -> None:
    refresh(crowd.event)
    data = load_votes(crowd.event)
    drops = allocation.expected_drops(fold(data.votes(data.questions[0])))
    expected = {
        f"{data.competitors[i]}-{data.competitors[j]}": drops[i, j]
        for i, j in combinations(range(4), 2)
    }
    assert weights(crowd.event) == pytest.approx(expected)
    assert sum(expected.values()) > 0


def test_further_votes_on_a_pair_lower_its_weight(crowd: Crowd) -> None:
    refresh(crowd.event)
    pair = crowd.matchups[0].pair
    before = weights(crowd.event)[pair]
    for _ in range(30):
        make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    refresh(crowd.event)
    assert weights(crowd.event)[pair] < before


@pytest.mark.parametrize("choosing", [Event.Choosing.UNIFORM, Event.Choosing.COVERAGE])
def test_other_events_have_no_weights(crowd: Crowd, choosing: str) -> None:
    crowd.event.choosing = choosing
    crowd.event.save()
    assert refresh(crowd.event) is not None
    assert weights(crowd.event) == {}


def test_a_fit_without_an_end_leaves_the_weights_and_the_snapshot(
    crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    refresh(crowd.event)
    before = weights(crowd.event)

    def refuse(_counts: object) -> None:
        raise NotConverged("no convergence")

    monkeypatch.setattr(allocation, "expected_drops", refuse)
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    assert refresh(crowd.event) is not None
    assert weights(crowd.event) == before
