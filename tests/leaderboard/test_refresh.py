"""Refreshing: one snapshot per change, nothing without one, every number restored and rebuilt."""

import io
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from arena.events.decision_record import Ruling
from arena.events.models import Control, Event, Matchup, Record
from arena.judging.models import Exclusion, Judgment, Origin
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.boards import fit
from leaderboard.models import Board, Rating, Snapshot
from leaderboard.votes.loading import load_votes
from tests.factories import NOW, make_competitors, make_enrollment, make_event, make_matchup
from tests.leaderboard.votes import Crowd, figures, make_vote, refresh, revise

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def rows(event: Event, **which: object) -> dict[str, Rating]:
    chosen = {"category": None, "weighting": "raw"} | which
    found = Rating.objects.filter(snapshot__board__event=event, **chosen)
    return {row.competitor.name: row for row in found.select_related("competitor")}


def test_one_snapshot_with_every_board(crowd: Crowd) -> None:
    judgments = crowd.vote()

    snapshot = refresh(crowd.event)

    assert snapshot is not None
    assert Board.objects.get(event=crowd.event).current_snapshot == snapshot
    assert Board.objects.get(event=crowd.event).claimed_until is None
    assert snapshot.judgments == len(judgments)
    assert snapshot.contributors == 6
    assert snapshot.published_at == NOW
    assert snapshot.details["origins"] == {"screen": len(judgments)}
    for category in (None, *crowd.categories):
        for weighting in ("raw", "weighted"):
            assert len(rows(crowd.event, category=category, weighting=weighting)) == 4
    overall = rows(crowd.event)
    ranked = sorted(overall.values(), key=lambda row: row.rank)
    assert [row.rank for row in ranked] == [1, 2, 3, 4]
    for row in ranked:
        assert row.lower < row.strength < row.upper
        assert 1 <= row.rank_low <= row.rank <= row.rank_high <= 4
        above = sum(other.lower > row.upper for other in ranked)
        assert row.rank_upper_bound == 1 + above
    assert sum(row.strength for row in ranked) == pytest.approx(0, abs=1e-9)
    assert [row.strength for row in ranked] == sorted((r.strength for r in ranked), reverse=True)


def test_only_ordinary_matchups_are_votes_and_everything_is_counted(crowd: Crowd) -> None:
    """18 ordinary matchups, 4 controls and an anchor, each judged by six people."""
    crowd.vote()
    refresh(crowd.event)
    assert sum(row.votes for row in rows(crowd.event).values()) == 2 * 6 * 18
    assert {standing.judgments for standing in crowd.event.standings.all()} == {18 + 4 + 1}
    assert Board.objects.get(event=crowd.event).current_snapshot.judgments == 6 * 23


def test_nothing_new_is_nothing_done(crowd: Crowd) -> None:
    assert refresh(crowd.event) is None
    crowd.vote()
    assert refresh(crowd.event) is not None
    assert refresh(crowd.event) is None
    assert Snapshot.objects.count() == 1


@pytest.mark.parametrize("change", ["vote", "exclusion", "setting", "name", "role", "control"])
def test_whatever_moves_the_board_makes_a_snapshot(crowd: Crowd, change: str) -> None:
    judgments = crowd.vote()
    refresh(crowd.event)
    if change == "vote":
        make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    elif change == "exclusion":
        exclude(judgments[0], Exclusion.Reason.BROKEN, Ruling(None, NOW))
    elif change == "setting":
        Event.objects.filter(pk=crowd.event.pk).update(counts_machine=True)
    elif change == "name":
        crowd.event.competitors.filter(pk=crowd.models[0].pk).update(name="Renamed")
    elif change == "role":
        Matchup.objects.filter(pk=crowd.matchups[0].pk).update(role=Matchup.Role.ANCHOR)
    else:
        Control.objects.filter(matchup=crowd.controls[0]).update(key={"sign": -1})
    assert refresh(crowd.event, LATER) is not None


def swap_keys(crowd: Crowd) -> None:
    """Two controls of different signs exchange them."""
    one, other = (control.control for control in crowd.controls[:2])
    one.key, other.key = other.key, one.key
    one.save()
    other.save()


def swap_categories(crowd: Crowd) -> None:
    """Two records of different categories exchange them, in the rows that file them."""
    filed = Record.categories.through.objects
    one, other = (
        filed.get(category=category, record=record)
        for category, record in (
            (category, category.records.order_by("pk")[0]) for category in crowd.categories
        )
    )
    one.category, other.category = other.category, one.category
    one.save()
    other.save()


def change_a_retired_role(crowd: Crowd) -> None:
    """A matchup that nobody is served any more turns out to be an anchor."""
    Matchup.objects.filter(pk=crowd.matchups[0].pk).update(role=Matchup.Role.ANCHOR)


@pytest.mark.parametrize("change", [swap_keys, swap_categories, change_a_retired_role])
def test_a_change_that_no_total_shows_is_on_the_board_as_after_a_rebuild(
    crowd: Crowd, change: Callable[[Crowd], None]
) -> None:
    crowd.vote()
    Matchup.objects.filter(pk=crowd.matchups[0].pk).update(retired_at=NOW)
    refresh(crowd.event)
    before = figures(crowd.event)
    change(crowd)
    assert refresh(crowd.event, LATER) is not None
    after = figures(crowd.event)
    assert after != before
    refresh(crowd.event, LATER + timedelta(minutes=1), rebuild=True)
    assert figures(crowd.event) == after


def test_exclusion_and_reinstatement_restore_every_number(crowd: Crowd) -> None:
    judgments = crowd.vote()
    refresh(crowd.event)
    before = figures(crowd.event)
    person = exclude(crowd.judges[0], Exclusion.Reason.RIGGING, Ruling(None, NOW))
    single = exclude(judgments[-5], Exclusion.Reason.BROKEN, Ruling(None, NOW))
    refresh(crowd.event, LATER)
    without = figures(crowd.event)
    assert without["contributors"] == 5
    assert without["judgments"] == before["judgments"] - 23 - 1
    assert len(without["standings"]) == 5
    assert without["ratings"] != before["ratings"]

    for exclusion in (person, single):
        lift_exclusion(exclusion, Ruling(None, LATER))
    refresh(crowd.event, LATER + timedelta(minutes=1))

    assert figures(crowd.event) == before


def test_a_rebuild_is_equal_to_the_last_digit(crowd: Crowd) -> None:
    """After a history of additions, revisions and exclusions, against one reading of the whole."""
    crowd.vote(1, share=0.4)
    refresh(crowd.event)
    late = make_enrollment(crowd.event)
    votes = [make_vote(late, matchup, -2) for matchup in crowd.matchups]
    refresh(crowd.event, LATER)
    revise(votes[3], 1)
    exclude(votes[4], Exclusion.Reason.BROKEN, Ruling(None, NOW))
    refresh(crowd.event, LATER + timedelta(minutes=1))
    before, count = figures(crowd.event), Snapshot.objects.count()

    rebuilt = refresh(crowd.event, LATER + timedelta(minutes=2), rebuild=True)

    assert figures(crowd.event) == before
    assert Snapshot.objects.count() == count
    assert Board.objects.get(event=crowd.event).current_snapshot == rebuilt


def test_elo_goes_on_from_where_it_stood(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd.vote(1, share=0.5)
    refresh(crowd.event)
    make_vote(make_enrollment(crowd.event), crowd.matchups[0], -1)
    replayed: list[int] = []
    replay = fit.elo.replay

    def counting(votes, since=None):
        replayed.append(len(votes))
        return replay(votes, since)

    monkeypatch.setattr(fit.elo, "replay", counting)
    refresh(crowd.event, LATER)

    assert replayed[0] == 1
    data = load_votes(crowd.event)
    whole = replay(data.votes(data.questions[0])).strength
    ours = rows(crowd.event)
    np.testing.assert_array_equal([ours[m.name].elo for m in crowd.models], whole)


def test_no_weighted_board_before_reliabilities_are_computed(crowd: Crowd) -> None:
    for judge in crowd.judges[:5]:
        for matchup in crowd.matchups:
            make_vote(judge, matchup, judge.pk % 3 - 1)
    refresh(crowd.event)  # 90 judgments
    assert not rows(crowd.event, weighting="weighted")
    for matchup in crowd.matchups:
        make_vote(crowd.judges[5], matchup, 1)
    refresh(crowd.event, LATER)
    assert rows(crowd.event, weighting="weighted")


def test_whoever_fails_the_controls_weighs_less() -> None:
    """Half of the crowd says the opposite of the other half, and the opposite of the keys."""
    crowd = Crowd(judges=6)
    keys = {control.pk: control.control.key["sign"] for control in crowd.controls}
    for number, judge in enumerate(crowd.judges):
        right = 1 if number < 3 else -1
        for matchup in crowd.matchups:
            make_vote(judge, matchup, right, left=number % 2 == 0)
        for control in crowd.controls:
            make_vote(judge, control, right * (keys[control.pk] or 1))
    refresh(crowd.event)
    raw, weighted = rows(crowd.event), rows(crowd.event, weighting="weighted")
    assert [row.strength for row in raw.values()] == pytest.approx([0] * 4, abs=1e-9)
    best = max(weighted.values(), key=lambda row: row.strength)
    assert best.strength > 0.5
    assert all(row.elo is None for row in weighted.values())


def test_simulated_judgments_enter_only_where_the_event_says_so(crowd: Crowd) -> None:
    crowd.vote()
    Judgment.objects.update(origin=Origin.SIMULATED)
    refresh(crowd.event)
    assert sum(row.votes for row in rows(crowd.event).values()) == 0
    Event.objects.filter(pk=crowd.event.pk).update(counts_simulated=True)
    refresh(crowd.event, LATER)
    assert sum(row.votes for row in rows(crowd.event).values()) == 2 * 6 * 18
    assert {s.simulated for s in crowd.event.standings.all()} == {23}


def test_what_cannot_be_rated_says_why() -> None:
    event = make_event()
    champion, middle, other, loser, absent = make_competitors(event, 5)
    judge = make_enrollment(event)
    for first, second, outcome in (
        (champion, middle, 1),
        (middle, other, 1),
        (middle, other, -1),
        (other, loser, 1),
    ):
        make_vote(judge, make_matchup(event, [first, second]), outcome)
    refresh(event)
    found = rows(event)
    assert found[champion.name].status == "undefeated"
    assert found[loser.name].status == "winless"
    assert found[absent.name].status == "no_votes"
    assert found[middle.name].status == found[other.name].status == "provisional"
    for name in (champion.name, loser.name, absent.name):
        assert found[name].strength is found[name].rank is None
    assert found[absent.name].component is None


def test_a_single_tie_is_no_certainty() -> None:
    event = make_event()
    make_vote(make_enrollment(event), make_matchup(event, make_competitors(event, 2)), 0)
    refresh(event)
    for row in rows(event).values():
        assert (row.strength, row.lower, row.upper) == (0, None, None)


def test_competitors_that_no_vote_connects_share_no_scale() -> None:
    event = make_event()
    models = make_competitors(event, 4)
    for pair in (models[:2], models[2:]):
        for outcome in (1, -1, 1):
            make_vote(make_enrollment(event), make_matchup(event, pair), outcome)
    refresh(event)
    found = rows(event)
    assert {found[m.name].component for m in models[:2]} == {0}
    assert {found[m.name].component for m in models[2:]} == {1}
    assert sorted(row.rank for row in found.values()) == [1, 1, 2, 2]


# --- the command -------------------------------------------------------------------------------
def test_the_command_seals_and_refreshes(crowd: Crowd) -> None:
    crowd.vote()
    said = io.StringIO()
    call_command("refresh", crowd.event.slug, stdout=said)
    assert "138 judgments of 6 contributors, ledger position 138." in said.getvalue()
    call_command("refresh", crowd.event.slug, stdout=said)
    assert "Nothing to do" in said.getvalue()
    call_command("refresh", crowd.event.slug, "--rebuild", stdout=said)
    assert said.getvalue().count("138 judgments") == 2


def test_the_command_knows_its_events() -> None:
    with pytest.raises(CommandError, match="no event nowhere"):
        call_command("refresh", "nowhere")
