"""The model board: who may see it, and what it shows, also where there is little to show."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.decision_record import Ruling
from arena.events.models import Event, Membership, Question
from arena.judging.models import Answer, Exclusion, Judgment, Origin
from arena.judging.review.exclusions import exclude
from leaderboard.boards.columns import BoardRow
from leaderboard.models import Rating, Snapshot
from leaderboard.pages.board import Tier
from leaderboard.pages.board_figures import format_p
from leaderboard.ratings import NotConverged, Votes
from leaderboard.snapshots import refresh as refreshing
from tests.factories import (
    NOW,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchup,
    make_membership,
    make_user,
)
from tests.leaderboard.reading import HTMX, text
from tests.leaderboard.votes import Crowd, make_vote, refresh, show

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
PAGES = ("board", "board_csv", "board_json", "contributors", "method")


@pytest.fixture
def crowd() -> Crowd:
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    return crowd


# --- what there is no board of --------------------------------------------------------------------
def test_a_shared_link_to_a_weighting_that_is_not_there_says_so(client: Client) -> None:
    crowd = Crowd(slug="coffee")
    for number, matchup in enumerate(crowd.matchups):  # nobody meets a control
        make_vote(crowd.judges[number % 6], matchup, number % 3 - 1)
    refresh(crowd.event)
    page = text(show(client, crowd.event, "?weighting=weighted"))
    assert "Nobody’s reliability has been computed yet" in page
    for name in ("board_csv", "board_json"):
        address = reverse(f"leaderboard:{name}", args=["coffee"])
        assert client.get(f"{address}?weighting=weighted").status_code == 200
        assert client.get(f"{address}?weighting=style").status_code == 200


# --- who ---------------------------------------------------------------------------------------
def addresses() -> list[str]:
    """Those of the crowd's board, and of what is beside it."""
    return [reverse(f"leaderboard:{name}", args=["tea"]) for name in PAGES]


def test_everybody_sees_the_pages_of_a_public_event(crowd: Crowd, client: Client) -> None:
    for address in addresses():
        assert client.get(address).status_code == 200, address
        assert client.post(address).status_code == 405, address


def test_an_outsider_finds_nothing_of_a_private_event(crowd: Crowd, client: Client) -> None:
    Event.objects.update(is_private=True)
    outsider, reader = Client(), Client()
    outsider.force_login(make_user())
    reader.force_login(user := make_user())
    make_membership(crowd.event, user, Membership.Role.READER)
    for address in addresses():
        assert client.get(address).status_code == 404, address
        assert outsider.get(address, **HTMX).status_code == 404, address
        assert reader.get(address).status_code == 200, address
    client.force_login(crowd.judges[0].user)
    assert client.get(address).status_code == 200


def test_no_such_event_or_board(crowd: Crowd, client: Client) -> None:
    assert client.get("/events/nothing/leaderboard/").status_code == 404
    for query in ("?category=none", "?weighting=best", "?question=nothing"):
        assert show(client, crowd.event, query).status_code == 404


# --- what --------------------------------------------------------------------------------------
def test_the_board_shows_every_model_with_its_figures(crowd: Crowd, client: Client) -> None:
    page = text(show(client, crowd.event))
    snapshot = Snapshot.objects.get()
    assert "138 judgments by 6 contributors" in page
    assert "ledger position 138" in page
    for row in snapshot.ratings.filter(category=None, weighting="raw"):
        assert row.competitor.name in page
    assert page.split('id="bias"')[0].count('class="chart whisker"') == 4
    assert 'aria-labelledby="head-to-head"' in page
    assert "Judgments over time" in page
    assert "Every vote equal" in page
    assert "Weighted by reliability" in page
    assert "style=" not in page
    assert "<script>" not in page


def test_filters_are_links_without_what_goes_without_saying(crowd: Crowd, client: Client) -> None:
    page = show(client, crowd.event, "?category=maths&weighting=weighted").content.decode()
    links = re.findall(r'class="chip"\s+id="\S+"\s+href="(.*?)"', page)
    address = "/events/tea/leaderboard/"
    assert links == [
        f"{address}?weighting=weighted",
        f"{address}?category=maths&amp;weighting=weighted",
        f"{address}?category=poems&amp;weighting=weighted",
        f"{address}?category=maths",
        f"{address}?category=maths&amp;weighting=weighted",
    ]
    assert page.count('aria-current="true"') == 2
    assert "Elo" not in page.split("<main", 1)[1]


def test_simulated_judgments_are_marked(crowd: Crowd, client: Client) -> None:
    assert "Simulated judgments" not in text(show(client, crowd.event))
    Judgment.objects.filter(enrollment=crowd.judges[0]).update(origin=Origin.SIMULATED)
    Event.objects.update(counts_simulated=True)
    refresh(crowd.event)
    assert "Simulated judgments: 23 of the judgments" in text(show(client, crowd.event))


def test_a_name_is_text(client: Client) -> None:
    event = make_event("odd")
    models = make_competitors(event, 2)
    models[0].name = '<img src=x onerror="alert(1)">'
    models[0].save()
    for outcome in (1, -1):
        make_vote(make_enrollment(event), make_matchup(event, models), outcome)
    refresh(event)
    page = show(client, event).content.decode()
    assert "<img" not in page
    assert "&lt;img src=x" in page


def test_two_questions_have_a_board_each(crowd: Crowd, client: Client) -> None:
    taste = Question.objects.create(
        event=crowd.event, position=9, name="style", kind="preference", title="Which reads better?"
    )
    for judgment in Judgment.objects.filter(enrollment=crowd.judges[0]).exclude(
        matchup__in=[*crowd.controls, crowd.anchor]
    ):
        answer = judgment.answers.get()
        Answer.objects.create(
            judgment=judgment,
            question=taste,
            first=answer.first,
            second=answer.second,
            outcome=-answer.outcome,
        )
    refresh(crowd.event, NOW + timedelta(minutes=1))

    page = show(client, crowd.event, "?question=style")
    assert "18 votes between two models" in text(page)
    assert "138 judgments by 6 contributors" in text(page)
    assert 'href="/events/tea/leaderboard/?question=style"' in page.content.decode()
    assert "108 votes between two models" in text(show(client, crowd.event))


def test_each_scale_has_a_heat_map(client: Client) -> None:
    """Two pairs that no vote connects, and a third model in one of them."""
    event = make_event("apart")
    models = make_competitors(event, 5)
    for pair in ((0, 1), (2, 3), (2, 4)):
        for outcome in (1, -1, 1):
            make_vote(
                make_enrollment(event), make_matchup(event, [models[i] for i in pair]), outcome
            )
    refresh(event)
    page = show(client, event).content.decode()
    assert page.count('<table class="heat">') == 2
    assert 'id="pairs-1"' in page
    assert 'id="pairs-2"' in page


def test_a_cell_says_how_two_models_met_and_whether_the_test_is_open(client: Client) -> None:
    """One model beats the second nearly always, and the third ties with the second."""
    crowd = Crowd(judges=20, slug="tea")
    first, second, third, _ = crowd.models
    for number, judge in enumerate(crowd.judges):
        for other in range(3):
            outcome = -1 if number == other else 1
            make_vote(judge, make_matchup(crowd.event, [first, second]), outcome)
            make_vote(judge, make_matchup(crowd.event, [second, third]), number % 3 - 1)
    refresh(crowd.event)
    page = text(show(client, crowd.event))
    cells = re.findall(r'<td class="(h\d+.*?)">(.*?)</td>', page)
    said = [(look, unescape(re.sub(r"<.*?>", "", inside))) for look, inside in cells]
    met = [(look.split(), inside) for look, inside in said if "60 votes" in inside]
    clear = next(inside for look, inside in met if "open" not in look)
    assert re.fullmatch(r"95%, 60 votes, \+\d+ points, p < 0.001", clear)
    still_open = next(inside for look, inside in met if "open" in look)
    assert re.fullmatch(r"\d+%, 60 votes, [+−]?\d+ points, p = [01].\d+, open", still_open)


def test_a_p_value_is_never_nothing() -> None:
    assert [format_p(p) for p in (0.0, 0.0004, 0.001, 0.05, 1.0)] == [
        "p < 0.001",
        "p < 0.001",
        "p = 0.001",
        "p = 0.050",
        "p = 1.000",
    ]


def test_a_class_is_described_by_overlap(crowd: Crowd, client: Client) -> None:
    page = text(show(client, crowd.event))
    assert "whose intervals overlap that of its first model" in page
    assert "told apart" not in page
    winner = crowd.models[0]
    for judge in (make_enrollment(crowd.event) for _ in range(40)):
        for loser in crowd.models[1:]:
            make_vote(judge, make_matchup(crowd.event, [winner, loser]), 1)
    refresh(crowd.event, NOW + timedelta(minutes=1))
    page = text(show(client, crowd.event))
    assert re.search(r"Class 2 <span> interval overlaps that of Zyxomodel-\d+ </span>", page)


def test_the_last_class_takes_everybody_left(crowd: Crowd) -> None:
    """Only there may a model's interval lie below that of the first of its class."""
    rows = [
        BoardRow(Rating(), points, points - 10, points + 10, None)
        for points in (1000.0, 985.0, 970.0)
    ]
    assert Tier(1, rows[:2]).overlaps
    assert not Tier(8, rows).overlaps


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (
            {"interval": "two-way", "clusters": [60, 126]},
            "one contributor (60) and on one matchup (126)",
        ),
        (
            {"interval": "largest", "clusters": [6, 18]},
            "largest of three variances: with the votes of one contributor, those on one matchup, "
            "or none depending on each other. Allowing for contributors (6) and matchups (18) at "
            "once requires at least 30 of each",
        ),
        (
            {"interval": "largest", "clusters": [60, 126]},
            "depending on each other. The one that allows for contributors and matchups at once "
            "was not positive",
        ),
        ({"interval": "independent", "clusters": []}, "treating every vote as independent"),
    ],
)
def test_the_intervals_say_how_they_came_about(
    crowd: Crowd, client: Client, method: dict[str, Any], said: str
) -> None:
    snapshot = Snapshot.objects.get()
    key = next(key for key in snapshot.details["boards"] if key.endswith("/all/raw"))
    snapshot.details["boards"][key] |= method
    snapshot.save()
    assert said in text(show(client, crowd.event))


# --- little ------------------------------------------------------------------------------------
@pytest.mark.parametrize("which", ["one", "all"])
def test_a_board_that_cannot_be_computed_holds_up_no_other(
    crowd: Crowd, client: Client, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    computed = refreshing.fit_board

    def fitted(votes: Votes) -> Any:
        if which == "all" or votes.weight is not None:
            raise NotConverged("back and forth")
        return computed(votes)

    monkeypatch.setattr(refreshing, "fit_board", fitted)
    refresh(crowd.event, NOW + timedelta(minutes=1), rebuild=True)
    shown = "did not converge" in text(show(client, crowd.event))
    assert shown == (which == "all")
    for query in ("?weighting=weighted", "?weighting=style"):
        assert show(client, crowd.event, query).status_code == 200
    assert "did not converge" in text(show(client, crowd.event, "?weighting=weighted"))


def test_before_the_first_judgment(client: Client) -> None:
    event = make_event("empty")
    assert "No ranking yet" in text(show(client, event))
    assert client.get(reverse("leaderboard:board_json", args=["empty"])).status_code == 404


def test_one_model_alone(client: Client) -> None:
    crowd = Crowd(slug="solo")
    make_vote(crowd.judges[0], crowd.controls[0])
    crowd.event.competitors.exclude(pk=crowd.models[0].pk).delete()
    refresh(crowd.event)
    assert "One model alone cannot be compared" in text(show(client, crowd.event))


def test_too_few_votes(client: Client) -> None:
    event = make_event("few")
    make_vote(make_enrollment(event), make_matchup(event, make_competitors(event, 2)))
    refresh(event)
    page = text(show(client, event))
    assert "Too few votes" in page
    assert "never lost or tied" in page
    assert "never won or tied" in page


def test_models_that_no_vote_connects(client: Client) -> None:
    event = make_event("apart")
    models = make_competitors(event, 4)
    for pair in (models[:2], models[2:]):
        for outcome in (1, -1):
            make_vote(make_enrollment(event), make_matchup(event, pair), outcome)
    refresh(event)
    page = text(show(client, event))
    assert "No votes connect these groups of models" in page
    assert page.split('id="bias"')[0].count('class="chart axis"') == 2
    assert "All ratings are provisional" in page


def test_a_category_without_votes(crowd: Crowd, client: Client) -> None:
    crowd.event.categories.create(slug="none", name="None yet")
    refresh(crowd.event, NOW + timedelta(minutes=1))
    page = text(show(client, crowd.event, "?category=none"))
    assert "There are no votes on this category" in page


def test_a_board_of_no_vote_that_counts_says_nothing_about_votes(
    crowd: Crowd, client: Client
) -> None:
    assert "Judgments over time" in text(show(client, crowd.event))
    for judge in crowd.judges:
        exclude(judge, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    refresh(crowd.event)
    page = text(show(client, crowd.event))
    assert "There are no votes that count." in page
    for untrue in ("Judgments over time", "came without times", "Judgments counted"):
        assert untrue not in page


def test_judgments_without_times_say_so(client: Client) -> None:
    crowd = Crowd(slug="old")
    for judge in crowd.judges:
        make_vote(judge, crowd.matchups[0], judge.pk % 3 - 1, at=None)
    refresh(crowd.event)
    assert "The 6 judgments came without times" in text(show(client, crowd.event))


def test_ratings_over_time_are_those_that_were_published(client: Client) -> None:
    crowd = Crowd(slug="long")
    for day in range(4):
        for matchup in crowd.matchups[day::4]:
            for judge in crowd.judges:
                make_vote(judge, matchup, (judge.pk + day) % 3 - 1)
        snapshot = refresh(crowd.event, NOW + timedelta(hours=day))
        published_at = None if day == 2 else NOW + timedelta(days=day)
        Snapshot.objects.filter(pk=snapshot.pk).update(published_at=published_at)
    page = show(client, crowd.event).content.decode()
    curves = re.findall(r'<line class="curve c0"', page)
    assert len(curves) == 2  # three snapshots, of four
    assert "Rating over time" in page


# --- raw and weighted -----------------------------------------------------------------------------
def test_both_weightings_stand_side_by_side(client: Client) -> None:
    crowd = Crowd(slug="coffee")
    crowd.vote()
    refresh(crowd.event)
    for query in ("", "?weighting=weighted"):
        page = text(show(client, crowd.event, query))
        assert "side by side" in page
        assert "Weighted rank" in page
    assert "side by side" not in text(show(client, crowd.event, "?weighting=style"))


def test_without_reliabilities_there_is_nothing_to_compare(client: Client) -> None:
    crowd = Crowd(slug="coffee", judges=2)
    crowd.vote()
    refresh(crowd.event)  # fewer than a hundred judgments
    assert "side by side" not in text(show(client, crowd.event))
