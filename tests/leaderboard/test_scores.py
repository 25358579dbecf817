"""The contributor score: worth having by care and not by volume, exact, and shown in steps."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from arena.events.decision_record import Ruling
from arena.events.models import Control, Enrollment, Event, Matchup
from arena.judging.models import Exclusion, LedgerBatch, Origin
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.judging.serving.schedule import is_control_turn
from leaderboard.contributors import people, positions, scores
from leaderboard.contributors.scores import count_scored
from leaderboard.models import Standing
from leaderboard.trust import quality as trust
from leaderboard.trust import scoring
from leaderboard.trust.quality import QUALITY_UNIT, last_look, rank_scores, to_band
from leaderboard.votes.loading import load_votes
from tests.factories import NOW, make_competitors, make_control, make_enrollment, make_event
from tests.factories import make_matchup as make_ordinary
from tests.leaderboard.votes import make_vote, refresh

LATER = NOW + timedelta(minutes=1)


def test_five_bands() -> None:
    at = np.array([-1, 0, 1, 449_999, 450_000, 649_999, 650_000, 850_000, QUALITY_UNIT + 5])
    assert to_band(at).tolist() == [-1, 1, 2, 2, 3, 3, 4, 5, 5]
    assert len(Standing.Band.choices) == 5


def test_looks_at_ones_quality_are_a_hundred_judgments_apart() -> None:
    looks = last_look(np.arange(400), 150)
    assert (looks[:150] == 0).all()
    assert sorted(set(looks.tolist())) == [0, 150, 250, 350]
    assert (looks <= np.arange(400)).all()


@pytest.mark.parametrize(("interval", "first"), [(20, 150), (12, 102)])
def test_the_first_look_is_when_everybody_has_met_ten_controls(interval: int, first: int) -> None:
    event = Event(control_interval=interval, secret="secret")
    assert scores.first_look(event) == first
    for person in ("a", "b", "c"):
        turns = [is_control_turn("secret", person, n, interval) for n in range(1, first + 1)]
        assert sum(turns) == 10


def test_equal_scores_share_a_place() -> None:
    assert rank_scores(np.array([5, -1, 7, 5, 0])).tolist() == [2, -1, 1, 2, 4]


# --- in an event -------------------------------------------------------------------------------
class Contest:
    """An event with twelve controls and plenty to judge."""

    def __init__(self, **settings: object) -> None:
        self.event = make_event(**settings)
        self.models = make_competitors(self.event, 2)
        self.ordinary = [make_ordinary(self.event, self.models) for _ in range(12)]
        self.controls = [make_control(self.event, sign) for sign in (1, -1) * 6]

    def judge(self, matchup: Matchup, who: Enrollment, *, right: bool = True) -> None:
        """An answer; to a control the expected one, or the other side."""
        control = Control.objects.filter(matchup=matchup).first()
        sign = control.key["sign"] if control else 1
        make_vote(who, matchup, sign if right else -sign)

    def contributor(self, controls: int = 12, wrong: int = 0, ordinary: int = 12) -> Enrollment:
        """Somebody who has judged so much."""
        who = make_enrollment(self.event)
        for matchup in self.ordinary[:ordinary]:
            self.judge(matchup, who)
        for place, matchup in enumerate(self.controls[:controls]):
            self.judge(matchup, who, right=place >= wrong)
        return who


def rows(event: Event) -> dict[int, tuple[object, ...]]:
    names = ("judgments", "simulated", "quality", "score", "rank", "band")
    return {row[0]: row[1:] for row in event.standings.values_list("enrollment", *names)}


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps small enough for a handful of judgments."""
    monkeypatch.setattr(positions, "STEP", 4)
    monkeypatch.setattr(people, "first_look", lambda event: 8)
    monkeypatch.setattr(trust, "JUDGMENTS_BETWEEN_LOOKS", 6)
    monkeypatch.setattr(scoring, "MIN_CONTROLS_FOR_QUALITY", 2)


@pytest.fixture
def at_every_four(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reliabilities after every four judgments of the event."""
    monkeypatch.setattr(positions, "STEP", 4)


@pytest.mark.django_db
def test_the_score_is_judgments_times_quality(at_every_four: None) -> None:
    contest = Contest()
    good, fair, beginner = (
        contest.contributor(),
        contest.contributor(wrong=4),
        contest.contributor(controls=8),
    )
    refresh(contest.event)
    found = rows(contest.event)
    judged, simulated, quality, score = found[good.pk][:4]
    assert (judged, simulated, score) == (24, 0, 24 * quality)
    reliability = good.reliability
    lower = (
        value - 1.645 * error
        for value, error in (
            (reliability.on_controls, reliability.on_controls_error),
            (reliability.on_others, reliability.on_others_error),
        )
    )
    assert quality == int(QUALITY_UNIT * max(min(lower), 0.0))
    assert 0 <= found[fair.pk][2] < quality
    assert found[beginner.pk] == (20, 0, None, None, None, None)


@pytest.mark.django_db
def test_of_a_day_no_more_than_the_cap_is_scored() -> None:
    contest = Contest(daily_cap=5, timezone="Pacific/Auckland")
    busy, steady = make_enrollment(contest.event), make_enrollment(contest.event)
    # Midnight in Auckland lies in the middle of the busy one's hours.
    for number, matchup in enumerate(contest.ordinary):
        at = NOW.replace(hour=3) + timedelta(hours=number * 2)
        make_vote(busy, matchup, at=at)
        make_vote(steady, matchup, at=NOW + timedelta(days=number))
    unknown = make_enrollment(contest.event)
    for matchup in contest.ordinary:
        make_vote(unknown, matchup, at=None, origin=Origin.IMPORTED)
    refresh(contest.event)
    data = load_votes(contest.event)
    scored = dict(
        zip(data.enrollments.tolist(), count_scored(data, data.judgments).tolist(), strict=True)
    )
    local = [
        (NOW.replace(hour=3) + timedelta(hours=n * 2)).astimezone(contest.event.zone()).date()
        for n in range(12)
    ]
    expected = sum(min(local.count(day), 5) for day in set(local))
    assert expected < 12
    assert (scored[busy.pk], scored[steady.pk], scored[unknown.pk]) == (expected, 12, 12)


@pytest.mark.django_db
def test_a_retired_key_measures_nobody(at_every_four: None) -> None:
    contest = Contest()
    who = contest.contributor()
    Control.objects.filter(matchup__in=contest.controls[:3]).update(retired_at=NOW)
    refresh(contest.event)
    assert rows(contest.event)[who.pk][:3] == (24, 0, None)


@pytest.mark.django_db
def test_exclusion_and_reinstatement(soon: None) -> None:
    contest = Contest()
    people = [contest.contributor(wrong=wrong) for wrong in (0, 2, 8)]
    refresh(contest.event)
    before = rows(contest.event)
    assert [before[who.pk][4] for who in people[:2]] == [1, 2]

    gone = exclude(people[0], Exclusion.Reason.RIGGING, Ruling(None, NOW))
    wrong = people[1].judgments.get(matchup=contest.controls[0])
    single = exclude(wrong, Exclusion.Reason.BROKEN, Ruling(None, NOW))
    refresh(contest.event, LATER)
    without = rows(contest.event)
    assert people[0].pk not in without
    assert without[people[1].pk][0] == 23
    assert without[people[1].pk][2] != before[people[1].pk][2]
    assert without[people[1].pk][4] == 1

    for exclusion in (gone, single):
        lift_exclusion(exclusion, Ruling(None, LATER))
    refresh(contest.event, LATER + timedelta(minutes=1))
    assert rows(contest.event) == before


@pytest.mark.django_db
def test_rebuilt_from_nothing_every_number_is_the_same(soon: None) -> None:
    contest = Contest()
    for wrong in (0, 1, 3):
        contest.contributor(wrong=wrong)
        refresh(contest.event, NOW + timedelta(minutes=wrong))
    before = rows(contest.event)
    assert sum(row[4] is not None for row in before.values()) >= 2
    contest.event.standings.all().delete()
    contest.event.reliabilities.all().delete()
    refresh(contest.event, NOW + timedelta(hours=1), rebuild=True)
    assert rows(contest.event) == before


@pytest.mark.django_db
def test_who_is_not_told_apart_from_chance_has_a_band_and_no_place(soon: None) -> None:
    contest = Contest()
    contest.contributor()
    wrong = contest.contributor(wrong=12)
    refresh(contest.event)
    assert rows(contest.event)[wrong.pk][2:] == (0, 0, None, Standing.Band.UNCLEAR)


@pytest.mark.django_db
def test_simulated_and_imported_count_where_the_event_says_so(soon: None) -> None:
    contest = Contest(counts_simulated=True, counts_imported=False)
    who = contest.contributor()
    who.judgments.filter(matchup__in=contest.ordinary[:2]).update(origin=Origin.SIMULATED)
    who.judgments.filter(matchup__in=contest.ordinary[2:5]).update(origin=Origin.IMPORTED)
    refresh(contest.event)
    assert rows(contest.event)[who.pk][:2] == (21, 2)


# --- what somebody sees who looks after each answer ----------------------------------------------
class Spy:
    """A contributor who looks at the board and at their own page after each of their answers."""

    def __init__(self) -> None:
        self.contest = Contest()
        self.rivals = [self.contest.contributor(wrong=wrong) for wrong in (0, 0, 1, 0, 2, 0, 6)]
        self.who = make_enrollment(self.contest.event)
        self.client = Client()
        self.client.force_login(self.who.user)
        self.moment = NOW

    def answer(self, matchup: Matchup, *, right: bool) -> tuple[str, str, int | None]:
        """What the pages say after this answer, and what the quality is that they do not say."""
        event = self.contest.event
        self.contest.judge(matchup, self.who, right=right)
        for _ in range(3):  # so that ranks may move each time
            make_vote(make_enrollment(event), self.contest.ordinary[0])
        self.moment += timedelta(minutes=1)
        refresh(event, self.moment)
        exact = Standing.objects.get(enrollment=self.who).quality
        return (
            self.seen("leaderboard:contributors", "tr", "own"),
            self.seen("judging:me", "dl", "facts"),
            exact,
        )

    def seen(self, name: str, tag: str, kind: str) -> str:
        page = self.client.get(reverse(name, args=[self.contest.event.slug])).content.decode()
        part = re.search(rf'<{tag} class="{kind}">.*?</{tag}>', page, re.DOTALL)
        assert part is not None
        return part[0].replace(self.who.pseudonym, "me")

    def story(self, controls: dict[int, bool], answers: int = 20) -> list[tuple[str, str, object]]:
        """All of it: `controls` says at which answers a control is met, and if it is passed."""
        contest, keyed = self.contest, iter(self.contest.controls)
        told = []
        for place in range(1, answers + 1):
            met = place in controls
            matchup = next(keyed) if met else make_ordinary(contest.event, contest.models)
            told.append(self.answer(matchup, right=controls.get(place, True)))
        return told


@pytest.mark.django_db
@pytest.mark.any_database
def test_no_answer_tells_whether_it_was_a_control(soon: None) -> None:
    """Two histories with controls at different places between two looks read the same."""
    passed, failed = dict.fromkeys((2, 4, 5, 6, 8, 15, 16, 17, 20), True), {10: False, 12: False}
    one = Spy().story(passed | failed)
    passed, failed = dict.fromkeys((1, 3, 4, 5, 7, 16, 18, 19, 20), True), {9: False, 14: False}
    other = Spy().story(passed | failed)
    assert [exact for _, _, exact in one] != [exact for _, _, exact in other]
    assert [row for row, _, _ in one] == [row for row, _, _ in other]
    assert [facts for _, facts, _ in one] == [facts for _, facts, _ in other]

    bands = [re.search(r"band-(\d)", row) for row, _, _ in one]
    shown = [found[1] if found else "" for found in bands]
    assert shown[6] == ""
    assert shown[7] != ""
    moved = {place + 1 for place in range(1, 20) if shown[place] != shown[place - 1]}
    assert moved <= {8, 14, 20}
    assert len(moved) > 1


@pytest.mark.django_db
def test_the_count_alone_is_live(monkeypatch: pytest.MonkeyPatch, soon: None) -> None:
    monkeypatch.setattr(positions, "STEP", 30)
    contest = Contest()
    who = contest.contributor()
    refresh(contest.event)
    assert rows(contest.event)[who.pk][0] == 24
    assert rows(contest.event)[who.pk][4:] == (None, None)
    contest.contributor(ordinary=12, controls=0)
    refresh(contest.event, LATER)
    assert rows(contest.event)[who.pk][4] == 1


@pytest.mark.django_db
def test_in_the_last_hour_ranks_stand_still(soon: None) -> None:
    contest = Contest(closes_at=NOW + timedelta(hours=2))
    first = contest.contributor()
    refresh(contest.event)
    before = rows(contest.event)[first.pk]
    assert before[4] == 1
    second = contest.contributor()
    refresh(contest.event, NOW + timedelta(minutes=90))
    after = rows(contest.event)
    assert after[first.pk] == before
    assert after[second.pk][2:] == (None, None, None, None)
    assert LedgerBatch.objects.filter(event=contest.event).count() == 2
    Event.objects.filter(pk=contest.event.pk).update(state=Event.State.CLOSED)
    refresh(contest.event, NOW + timedelta(hours=3))
    assert rows(contest.event)[second.pk][3] is not None
