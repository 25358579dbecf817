"""The bias panel: what a snapshot keeps of it, what of that is public when, and its page."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Event, Record
from arena.judging.models import Answer, Exclusion
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.boards.bias import measure_bias
from leaderboard.boards.bias_details import BiasPanel, ModelSide, ShareEstimate, TopContributors
from leaderboard.boards.coarse_bias import MIN_SHARE_VOTES, choose_share_grain, coarsen_bias
from leaderboard.boards.snapshot_details import SnapshotDetails
from leaderboard.models import Snapshot
from leaderboard.snapshots.refresh import file_matchups
from leaderboard.votes.loading import load_votes
from leaderboard.votes.matchup_contents import read_contents
from tests.factories import NOW, make_enrollment
from tests.leaderboard.reading import text
from tests.leaderboard.test_rounded_board import LargeCrowd
from tests.leaderboard.test_style_fit import dress
from tests.leaderboard.votes import Crowd, make_all_votes, make_vote, refresh, show, time_judgments

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def crowd() -> Crowd:
    crowd = Crowd(slug="tea")
    dress(crowd)
    crowd.vote()
    return crowd


def panel_of(event: Event) -> BiasPanel:
    details = SnapshotDetails.from_json(Snapshot.objects.get(board__event=event).details)
    kept = {key: board.bias for key, board in details.boards.items() if board.bias}
    (key,) = kept
    assert key.endswith("/all/raw")
    return kept[key]


def ordinary(event: Event) -> list[Answer]:
    return list(
        Answer.objects.filter(judgment__event=event, judgment__matchup__role="ordinary")
        .select_related("first__competitor", "second__competitor", "judgment")
        .order_by("pk")
    )


# --- what is kept ------------------------------------------------------------------------------
def test_the_shares_are_those_of_the_answers(crowd: Crowd) -> None:
    refresh(crowd.event)
    panel, answers = panel_of(crowd.event), ordinary(crowd.event)
    decided = [answer for answer in answers if answer.outcome]
    to_left = [answer for answer in decided if (answer.outcome > 0) == answer.first_on_left]
    assert panel.votes == panel.used == len(answers) == 6 * 18
    assert panel.left and panel.longer and panel.ties  # noqa: PT018 - for the type checker
    assert (panel.left.answers, panel.left.share) == (len(decided), len(to_left) / len(decided))
    assert panel.left.lower is not None
    assert panel.left.lower < panel.left.share
    unequal = [one for one in decided if one.first.length != one.second.length]
    longer = [one for one in unequal if (one.outcome > 0) == (one.first.length > one.second.length)]
    assert (panel.longer.answers, panel.longer.share) == (len(unequal), len(longer) / len(unequal))
    assert panel.ties.share == (len(answers) - len(decided)) / len(answers)
    assert panel.pace is None  # nobody knows how long these took


def test_appearances_are_those_of_the_answers(crowd: Crowd) -> None:
    refresh(crowd.event)
    panel, answers = panel_of(crowd.event), ordinary(crowd.event)
    assert panel.models == tuple(model.pk for model in crowd.models)
    for side in panel.sides:
        met = [one for one in answers if side.competitor in sides_of(one)]
        left = [one for one in met if sides_of(one)[not one.first_on_left] == side.competitor]
        assert (side.votes, side.share) == (len(met), len(left) / len(met))
    assert panel.expected_opponent == 1 / 3
    assert {met.competitor for met in panel.opponents} == set(panel.models)
    assert panel.opponents_apart == 0  # everybody has judged every pair equally often
    assert [mix.category for mix in panel.categories] == [each.pk for each in crowd.categories]
    for mix, category in zip(panel.categories, crowd.categories, strict=True):
        assert mix.expected == category.records.count() / 18
        assert sum(mix.shares) / 4 == pytest.approx(mix.expected)


def sides_of(answer: Answer) -> tuple[int, int]:
    return answer.first.competitor_id, answer.second.competitor_id


def test_of_very_many_votes_leanings_are_those_of_a_sample(crowd: Crowd) -> None:
    refresh(crowd.event)
    data = load_votes(Event.objects.get(pk=crowd.event.pk))
    contents, filed = read_contents(data, most=54), file_matchups(data)
    panel, whole = measure_bias(data, data.questions[0], contents, filed), panel_of(crowd.event)
    assert panel is not None
    picked = {int(key) for key in data.matchups[contents.picked]}
    sample = [one for one in ordinary(crowd.event) if one.judgment.matchup_id in picked]
    assert 0 < len(sample) == panel.used < panel.votes == 108
    assert panel.ties is not None
    assert panel.ties.share == sum(one.outcome == 0 for one in sample) / len(sample)
    unequal = [one for one in sample if one.outcome and one.first.length != one.second.length]
    assert panel.longer is not None
    assert panel.longer.answers == len(unequal)
    assert (panel.sides, panel.top) == (whole.sides, whole.top)


def test_contributors_are_counted_by_their_votes(crowd: Crowd) -> None:
    for number in range(40):
        make_vote(crowd.judges[0], crowd.matchup(0, 1 + number % 3, crowd.categories[0]))
    refresh(crowd.event)
    panel = panel_of(crowd.event)
    (top,) = panel.top  # of six people, one is few
    assert (panel.contributors, top.contributors, top.equal) == (6, 1, 1 / 6)
    assert top.share == (18 + 40) / (6 * 18 + 40)
    assert top.upper is not None
    assert top.share > top.upper


def test_controls_and_anchors_are_in_none_of_it(crowd: Crowd) -> None:
    refresh(crowd.event)
    before = panel_of(crowd.event)
    for _ in range(3):
        newcomer = make_enrollment(crowd.event)
        for matchup in [*crowd.controls, crowd.anchor]:
            make_vote(newcomer, matchup, 2)
    refresh(crowd.event, LATER)
    assert panel_of(crowd.event) == before
    make_vote(newcomer, crowd.matchups[0], 2)
    refresh(crowd.event, LATER)
    assert panel_of(crowd.event) != before


def test_exclusion_and_reinstatement_and_a_rebuild_give_the_same_digits(crowd: Crowd) -> None:
    rng = Random(3)
    time_judgments(crowd.event, lambda judgment: rng.lognormvariate(3, 1))
    refresh(crowd.event)
    before = panel_of(crowd.event)
    person = exclude(crowd.judges[0], Exclusion.Reason.RIGGING, by=None, now=NOW)
    refresh(crowd.event, LATER)
    assert panel_of(crowd.event).votes == 5 * 18
    lift_exclusion(person, by=None, now=LATER)
    refresh(crowd.event, LATER + timedelta(minutes=1))
    assert panel_of(crowd.event) == before
    refresh(crowd.event, LATER + timedelta(minutes=2), rebuild=True)
    assert panel_of(crowd.event) == before


def test_the_fast_lean_to_the_left() -> None:
    """Of each person's votes the first half are fast and all for the left response."""
    crowd, rng = Crowd(judges=12, slug="tea"), Random(1)
    fast = set(crowd.matchups[::2])
    cast = []
    for judge in crowd.judges:
        for matchup in crowd.matchups:
            outcome, left = rng.choice([-1, 1]), rng.random() < 0.5
            cast.append((judge, matchup, (1 if left else -1) if matchup in fast else outcome, left))
    make_all_votes(cast)
    times = {matchup.pk: 4.0 if matchup in fast else 40.0 for matchup in crowd.matchups}
    time_judgments(crowd.event, lambda judgment: times[judgment.matchup_id] + rng.random())
    refresh(crowd.event)
    pace = panel_of(crowd.event).pace
    assert pace is not None
    assert 4 <= pace.fast_seconds < 5
    assert 40 <= pace.slow_seconds < 41
    assert pace.left.thirds[0] is not None
    assert pace.left.thirds[0].share == 1
    change = pace.left.change
    assert change is not None
    assert change.lower is not None
    assert 0.2 < change.lower < change.difference < 0.7


# --- in coarse figures ---------------------------------------------------------------------------
def make_panel(left: int, answers: int, people: int = 200) -> BiasPanel:
    """A panel of one share and one model's side, as if by that many of so many."""
    share = left / answers
    reach = 2 * (share * (1 - share) / answers) ** 0.5
    figures: dict[str, Any] = {"share": share, "lower": share - reach, "upper": share + reach}
    estimate = ShareEstimate(answers=answers, **figures)
    top = TopContributors(contributors=1, share=0.04321, equal=0.01, lower=0.01, upper=0.02)
    return BiasPanel(
        votes=answers,
        used=answers,
        left=estimate,
        longer=None,
        ties=estimate,
        contributors=people,
        top=(top, replace(top, contributors=10)),
        models=(1,),
        sides=(ModelSide(competitor=1, votes=answers, **figures),),
        expected_opponent=0.5,
        opponents=(),
        opponents_apart=3,
        categories=(),
    )


def test_shares_of_few_votes_are_not_shown() -> None:
    assert choose_share_grain(MIN_SHARE_VOTES - 1) is None
    assert choose_share_grain(MIN_SHARE_VOTES) == 0.05
    assert [choose_share_grain(n) for n in (5_100, 20_100, 1_000_000)] == [0.02, 0.005, 0.001]
    coarse = coarsen_bias(make_panel(1000, MIN_SHARE_VOTES - 1), 200)
    assert (coarse.left, coarse.ties, coarse.top, coarse.sides) == (None, None, (), ())


def test_coarse_limits_hold_the_exact_ones_and_nothing_else_is_left() -> None:
    exact = make_panel(5432, 9_987)
    coarse = coarsen_bias(exact, 240)
    assert coarse.left is not None
    assert exact.left is not None
    assert (coarse.left.share, coarse.left.answers) == (0.54, 10_000)
    assert coarse.left.lower == 0.52 <= exact.left.lower
    assert coarse.left.upper == 0.56 >= exact.left.upper
    assert coarse.sides[0] == ModelSide(
        competitor=1, votes=10_000, share=0.54, lower=0.52, upper=0.56
    )
    assert (coarse.contributors, coarse.models, coarse.opponents_apart) == (240, (), 0)
    top = coarse.top[0]
    assert (top.share, top.equal, top.lower, top.upper) == (0.04, 1 / 240, None, None)
    assert [each.contributors for each in coarsen_bias(exact, 29).top] == [1]


def test_a_vote_moves_a_coarse_share_once_in_a_hundred_times_at_most() -> None:
    """From 5,000 to 6,000 votes, all of them for the left."""
    shown = [coarsen_bias(make_panel(2500 + more, 5000 + more), 200) for more in range(1000)]
    figures = [(one.left.share, one.left.answers, one.sides[0].share) for one in shown if one.left]
    for seen in zip(*figures, strict=True):
        assert 0 < sum(before != after for before, after in pairwise(seen)) <= 10


# --- pages ---------------------------------------------------------------------------------------
def test_the_page_says_what_the_votes_lean_to(crowd: Crowd, client: Client) -> None:
    rng = Random(3)
    time_judgments(crowd.event, lambda judgment: rng.lognormvariate(3, 1))
    refresh(crowd.event)
    page = text(show(client, crowd.event)).split('id="bias"')[1]
    for said in (
        "Preference for a side",
        "Preference for length",
        "Between equal models, twice as many words are worth",
        "Fastest third, up to",
        "No change with pace shows.",
        "The most active of 6 contributors made 16.7% of the votes",
        "No model met another one more or less often than chance explains.",
        "By category, with its share of the judged records",
    ):
        assert said in page, said
    for query in ("?category=maths", "?weighting=weighted", "?weighting=style"):
        assert 'id="bias"' not in text(show(client, crowd.event, query))


def test_a_preference_is_named(client: Client) -> None:
    crowd, rng = Crowd(judges=12, slug="tea"), Random(1)
    make_all_votes(
        [
            (judge, matchup, 1 if left else -1, left)
            for judge in crowd.judges
            for matchup in crowd.matchups
            for left in [rng.random() < 0.5]
        ]
    )
    refresh(crowd.event)
    page = text(show(client, crowd.event))
    assert "People chose the left response more often than the right one." in page
    assert "No decided vote has responses of different length." in page
    assert "how long answers took is known of too few" in page


def test_before_the_first_board_and_on_one_of_earlier_code(crowd: Crowd, client: Client) -> None:
    assert "this comes with the first board" in text(show(client, crowd.event))
    snapshot = refresh(crowd.event)
    assert snapshot is not None
    for board in snapshot.details["boards"].values():
        board.pop("bias", None)
    snapshot.save()
    assert "this comes with the next board" in text(show(client, crowd.event))


def test_an_event_that_ended_without_a_board_promises_none(crowd: Crowd, client: Client) -> None:
    Event.objects.update(state=Event.State.CLOSED)
    assert 'id="bias"' not in text(show(client, crowd.event))


def test_one_person_alone_says_too_little(client: Client) -> None:
    crowd = Crowd(judges=1, slug="tea")
    crowd.vote()
    refresh(crowd.event)
    page = text(show(client, crowd.event))
    assert "All of these votes come from one contributor" in page
    assert "too few contributors to look at the most active" in page


def download(client: Client, crowd: Crowd) -> Any:
    return client.get(reverse("leaderboard:board_json", args=[crowd.event.slug])).json()["bias"]


def test_a_running_event_shows_coarse_figures_and_neither_pace_nor_opponents(
    client: Client,
) -> None:
    crowd = LargeCrowd(slug="large")
    rng = Random(3)
    make_all_votes(
        [
            (judge, matchup, rng.choice([-1, 0, 1, 1]), rng.random() < 0.5)
            for _ in range(90)
            for judge in [make_enrollment(crowd.event)]
            for matchup in crowd.matchups
        ]
    )
    time_judgments(crowd.event, lambda judgment: rng.lognormvariate(3, 1))
    refresh(crowd.event, LATER)
    exact, public = panel_of(crowd.event), download(client, crowd)
    assert exact.votes == 130 * 18
    assert exact.pace is not None
    assert exact.ties is not None
    assert public["votes"] == 2300
    assert public["ties"] == {"share": 0.25, "lower": 0.2, "upper": 0.3, "answers": 2300}
    assert public["left"] is None  # too few are decided
    for hidden in ("pace", "expected_opponent"):
        assert public[hidden] is None
    assert public["sides"] == public["opponents"] == public["categories"] == []
    page = text(show(client, crowd.event)).split('id="bias"')[1]
    assert "Figures are rounded" in page
    assert "about 2,300" in page
    assert "25.0%" in page
    for hidden in ("Preference for a side", "third, ", "How often models appear"):
        assert hidden not in page
    Event.objects.update(state=Event.State.CLOSED)
    assert download(client, crowd)["pace"]["left"]["thirds"][0]["answers"] > 0
    page = text(show(client, crowd.event)).split('id="bias"')[1]
    for shown in ("Preference for a side", "Fastest third, up to", "How often models appear"):
        assert shown in page


def test_the_json_has_the_panel_by_names_on_unweighted_boards_alone(
    crowd: Crowd, client: Client
) -> None:
    refresh(crowd.event)
    public = download(client, crowd)
    assert [mix["category"] for mix in public["categories"]] == ["maths", "poems"]
    assert {side["model"] for side in public["sides"]} == {model.name for model in crowd.models}
    assert public["opponents"][0].keys() == {"model", "opponent", "share", "lower", "upper"}
    for query in ("?category=maths", "?weighting=weighted", "?weighting=style"):
        address = reverse("leaderboard:board_json", args=["tea"])
        assert client.get(address + query).json()["bias"] is None


def test_records_without_a_category_are_records_too(crowd: Crowd) -> None:
    for record in Record.objects.filter(categories=crowd.categories[0])[:4]:
        record.categories.clear()
    refresh(crowd.event)
    panel = panel_of(crowd.event)
    assert sum(mix.expected for mix in panel.categories) == pytest.approx(14 / 18)
