"""What is read from the database, all at once and little by little, is the same to the last row."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

from arena.events.decision_record import Ruling
from arena.events.models import Event, Matchup
from arena.judging.ledger import seal_event
from arena.judging.models import Exclusion, Judgment, LedgerBatch, Origin
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.votes import store, vote_rows
from leaderboard.votes.loading import VoteLoader, load_votes, store_of
from leaderboard.votes.queries import IntegerTable
from leaderboard.votes.table import Comparisons
from tests.factories import (
    NOW,
    make_companion,
    make_competitors,
    make_control,
    make_enrollment,
    make_matchup_of,
    make_response,
)
from tests.leaderboard.votes import Crowd, make_vote, revise, time_judgments

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a few votes fill several files."""
    monkeypatch.setattr(store, "BLOCK_ROWS", 16)


@pytest.fixture
def crowd() -> Crowd:
    return Crowd()


def loaded(event: Event) -> Comparisons:
    seal_event(event.pk, NOW)
    return load_votes(Event.objects.get(pk=event.pk))


def read_anew(event: Event) -> Comparisons:
    """The same from nothing, leaving alone what is kept."""
    store = store_of(event)
    aside = store.folder.with_name("aside")
    store.folder.rename(aside)
    data = loaded(event)
    data = at_hand(data)
    store.clear()
    aside.rename(store.folder)
    return data


def at_hand(data: Comparisons) -> Comparisons:
    """The same without its files."""
    return replace(data, columns={name: data.columns[name] for name in store.COLUMN_TYPES})


def assert_same(one: Comparisons, other: Comparisons) -> None:
    assert (one.head, one.competitors, one.questions) == (
        other.head,
        other.competitors,
        other.questions,
    )
    assert np.array_equal(one.special, other.special)
    for name in store.COLUMN_TYPES:
        np.testing.assert_array_equal(one.columns[name], other.columns[name], err_msg=name)
    for name in ("enrollments", "matchups", "ordinary"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


def question(event: Event) -> int:
    return event.questions.get(kind="preference").pk


def test_votes_are_of_ordinary_matchups_in_ledger_order(crowd: Crowd) -> None:
    judgments = crowd.vote()
    wanted = []
    index = {model.pk: i for i, model in enumerate(crowd.models)}
    for judgment in judgments:
        if judgment.matchup.role == Matchup.Role.ORDINARY:
            answer = judgment.answers.get()
            sides = (index[answer.first.competitor_id], index[answer.second.competitor_id])
            wanted.append((*sides, answer.outcome))

    votes = loaded(crowd.event).votes(question(crowd.event))

    assert len(wanted) == 6 * 18
    found = zip(votes.first.tolist(), votes.second.tolist(), votes.outcome.tolist(), strict=True)
    assert list(found) == wanted
    assert len(np.unique(votes.contributor)) == 6
    assert len(np.unique(votes.matchup)) == 18


def test_seconds_are_those_from_shown_to_answered(crowd: Crowd) -> None:
    votes = [make_vote(crowd.judges[0], matchup) for matchup in crowd.matchups[:3]]
    seconds = {votes[0].pk: 12.5, votes[1].pk: 7200.0, votes[2].pk: -1.0}
    time_judgments(crowd.event, lambda judgment: seconds[judgment.pk])
    make_vote(crowd.judges[1], crowd.matchups[0])
    make_vote(crowd.judges[2], crowd.matchups[0], at=None)
    took = loaded(crowd.event).columns["took"].tolist()
    assert took[0] == pytest.approx(12_500, abs=1)
    assert took[1:] == [3_600_000, -1, -1, -1]


def test_unsealed_judgments_are_not_read(crowd: Crowd) -> None:
    crowd.vote()
    before = loaded(crowd.event)
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    after = load_votes(crowd.event)
    assert_same(before, after)


def test_other_origins_count_where_the_event_says_so(crowd: Crowd) -> None:
    judge = crowd.judges[0]
    for matchup, origin in zip(crowd.matchups, Origin.values, strict=False):
        make_vote(judge, matchup, origin=origin)
    asked = question(crowd.event)
    assert len(loaded(crowd.event).votes(asked)) == 2

    crowd.event.counts_simulated = True
    crowd.event.save()
    assert len(loaded(crowd.event).votes(asked)) == 3

    crowd.event.counts_simulated = crowd.event.counts_imported = False
    crowd.event.save()
    assert len(loaded(crowd.event).votes(asked)) == 1


def test_a_revision_takes_the_place_of_what_it_revises(crowd: Crowd) -> None:
    first = crowd.vote()[0]
    loaded(crowd.event)
    revise(first, 2)
    data = load_votes(Event.objects.get(pk=crowd.event.pk))
    assert 1 not in data.columns["seq"]

    data = loaded(crowd.event)

    assert data.columns["outcome"][-1] == 2
    assert_same(data, read_anew(crowd.event))


STEPS = ["vote", "vote", "revise", "exclude", "exclude person", "lift", "lift", "role", "join"]


@pytest.mark.parametrize("seed", range(4))
def test_little_by_little_is_as_all_at_once(crowd: Crowd, seed: int) -> None:
    rng = Random(seed)
    judgments = crowd.vote(seed, share=0.5)
    loaded(crowd.event)
    for step in rng.choices(STEPS, k=10):
        take(step, crowd, judgments, rng)
        assert_same(loaded(crowd.event), read_anew(crowd.event))


def take(step: str, crowd: Crowd, judgments: list[Judgment], rng: Random) -> None:
    """Do one of the things that change what counts."""
    event, in_force = crowd.event, Exclusion.objects.in_force()
    if step == "vote":
        judge = make_enrollment(event)
        some = rng.sample([*crowd.matchups, *crowd.controls], rng.randrange(9))
        judgments += [make_vote(judge, matchup, rng.randint(-2, 2)) for matchup in some]
    elif step == "revise":
        standing = [j for j in judgments if not Judgment.objects.filter(revises=j).exists()]
        judgments.append(revise(rng.choice(standing), rng.randint(-2, 2)))
    elif step == "exclude":
        for judgment in rng.sample(judgments, 3):
            if not in_force.filter(judgment=judgment).exists():
                exclude(judgment, Exclusion.Reason.ORGANIZER, Ruling(None, NOW))
    elif step == "exclude person":
        judge = rng.choice(crowd.judges)
        if not in_force.filter(enrollment=judge).exists():
            exclude(judge, Exclusion.Reason.RIGGING, Ruling(None, NOW))
    elif step == "lift":
        for exclusion in in_force.filter(event=event)[:2]:
            lift_exclusion(exclusion, Ruling(None, NOW))
    elif step == "role":
        matchup = rng.choice(crowd.matchups)
        Matchup.objects.filter(pk=matchup.pk).update(role=Matchup.Role.ANCHOR)
    else:
        crowd.models += make_competitors(event, 1)
        crowd.matchups.append(crowd.matchup(-1, 0, crowd.categories[0]))
        judgments.append(make_vote(make_enrollment(event), crowd.matchups[-1]))


def test_only_what_is_new_is_read(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd.vote()
    loaded(crowd.event)
    newcomer = make_enrollment(crowd.event)
    for matchup in crowd.matchups[:3]:
        make_vote(newcomer, matchup)
    seal_event(crowd.event.pk, NOW)
    read: list[int] = []
    as_columns = vote_rows.to_columns

    def counting(rows: IntegerTable, *known: tuple[int, ...]) -> store.Columns:
        read.append(len(rows))
        return as_columns(rows, *known)

    monkeypatch.setattr(vote_rows, "to_columns", counting)
    load_votes(crowd.event)

    assert read == [3]


def damaged(folder: Path) -> Iterator[str]:
    """Break the kept files in one way after the other."""
    blocks = sorted(folder.glob("*.block"))
    blocks[0].unlink()
    yield "a block is gone"
    next(folder.glob("*.block")).write_bytes(b"short")
    yield "a block is cut off"
    (folder / "state.json").write_text('{"head": 3')
    yield "the state is cut off"
    (folder / "state.json").write_text(json.dumps({"head": 3, "future": 1}))
    yield "the state is of another version"


def test_damaged_files_are_read_anew(crowd: Crowd) -> None:
    crowd.vote()
    wanted = at_hand(loaded(crowd.event))
    for what in damaged(store_of(crowd.event).folder):
        assert what
        assert_same(load_votes(crowd.event), wanted)


def test_another_ledger_is_read_anew(crowd: Crowd) -> None:
    """A database put back to an earlier day may have given the same numbers to other judgments."""
    crowd.vote()
    loaded(crowd.event)
    LedgerBatch.objects.filter(event=crowd.event).delete()
    Judgment.objects.filter(event=crowd.event).update(ledger_seq=None)
    Judgment.objects.filter(event=crowd.event, enrollment=crowd.judges[0]).delete()

    data = loaded(crowd.event)

    assert len(data.enrollments) == 5
    assert_same(data, read_anew(crowd.event))


def test_nothing_is_kept_that_no_state_names(crowd: Crowd) -> None:
    for _ in range(3):
        make_vote(make_enrollment(crowd.event), crowd.matchups[0])
        loaded(crowd.event)
    state = store_of(crowd.event).state()
    assert state is not None
    names = {path.name for path in store_of(crowd.event).folder.iterdir()}
    assert names == {"state.json", *(name for name, _ in state.blocks)}


def test_an_event_without_judgments_has_no_votes(crowd: Crowd) -> None:
    data = loaded(crowd.event)
    assert len(data.votes(question(crowd.event))) == 0
    assert data.head == 0


def test_checkpoints_are_those_of_exactly_these_rows(crowd: Crowd) -> None:
    """They stay while rows stay or are added, and go with the first row that changes."""
    judgments = crowd.vote()
    seal_event(crowd.event.pk, NOW)
    loader = VoteLoader(crowd.event)
    _, checkpoints = loader.load()
    assert checkpoints.get("elo") is None
    checkpoints.keep({"elo": [1, 2]})
    assert loader.load()[1].get("elo") == [1, 2]

    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    seal_event(crowd.event.pk, NOW)
    assert loader.load()[1].get("elo") == [1, 2]

    exclude(judgments[3], Exclusion.Reason.ORGANIZER, Ruling(None, NOW))
    assert loader.load()[1].get("elo") is None


def test_a_companion_of_a_control_rates_nobody_and_its_judgments_are_counted(crowd: Crowd) -> None:
    before = loaded(crowd.event)
    companion = make_companion(make_control(crowd.event))
    mixed = make_matchup_of(
        companion.record,
        [
            companion.responses.first(),
            make_response(companion.record, crowd.event.competitors.first(), "Mine."),
        ],
    )
    person = make_enrollment(crowd.event)
    for matchup in (companion, mixed):
        make_vote(person, matchup)
    data = loaded(crowd.event)
    assert len(data.ordinary) == len(before.ordinary) + 2
    assert data.judgments.sum() == before.judgments.sum() + 2
    for question in data.questions:
        assert len(data.votes(question)) == len(before.votes(question))
    # They would have been rated: an ordinary vote is.
    make_vote(person, crowd.event.matchups.rateable().last())
    assert loaded(crowd.event).ordinary.sum() == before.ordinary.sum() + 1
