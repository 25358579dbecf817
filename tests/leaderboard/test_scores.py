"""The contributor score: worth having by care and not by volume, exact, and shown in steps."""

import re
from datetime import timedelta

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from arena.events.models import Control, Enrollment, Event, Matchup
from arena.judging.models import Exclusion, LedgerBatch, Origin
from arena.judging.review.exclusions import exclude, lift_exclusion
from arena.judging.serving.schedule import is_control_turn
from leaderboard.contributors import scores
from leaderboard.contributors.reliability import credit_table
from leaderboard.contributors.scores import stable_order
from leaderboard.models import Standing
from leaderboard.trust import quality as trust
from leaderboard.trust.quality import (
    QUALITY_UNIT,
    Z,
    chance_agreement,
    last_look,
    rank_scores,
    to_band,
    wilson_lower,
)
from tests.factories import NOW, make_competitors, make_control, make_enrollment, make_event
from tests.factories import make_matchup as make_ordinary
from tests.leaderboard.votes import make_vote, refresh

LATER = NOW + timedelta(minutes=1)
STRATEGIES = {
    "anything": (1 / 3, 1 / 3, 1 / 3),
    "any of five": (0.4, 0.2, 0.4),
    "always left": (0.0, 0.0, 1.0),
    "always tie": (0.0, 1.0, 0.0),
}
KEYS = np.array([-1, 1, 1, -1, 1, -1, -1, 1, 1, 0])


def controls_after(judgments: int) -> int:
    """How many controls the usual schedule has brought by then."""
    return 4 + (judgments - 30) // 20


def careful(people: int, n: int, accuracy: float, rng: np.random.Generator) -> np.ndarray:
    """Qualities of people who answer controls right with this probability, else the other side."""
    key = np.resize(KEYS, n)
    right = rng.random((people, n)) < accuracy
    credit = np.where(right, 1.0, 0.0).ravel()
    who = np.repeat(np.arange(people), n)
    return trust.estimate_quality(who, credit, np.tile(key, people), credit_table(), people)


def blind(people: int, n: int, shares: tuple[float, ...], rng: np.random.Generator) -> np.ndarray:
    """Qualities of people who do not read; sides are drawn at random, and so is the right one."""
    key = np.resize(KEYS, (people, n))
    shown = key * rng.choice([-1, 1], key.shape)
    said = rng.choice([-1, 0, 1], key.shape, p=shares)
    credit = credit_table()[said + 1, shown + 1]
    who = np.repeat(np.arange(people), n)
    return trust.estimate_quality(who, credit.ravel(), key.ravel(), credit_table(), people)


# --- the formula -------------------------------------------------------------------------------
def test_wilsons_bound_solves_its_equation() -> None:
    """W is the smaller p₀ with (p - p₀)² = z²·p₀(1 - p₀)/n."""
    share, n = np.array([0.0, 0.25, 0.5, 0.92, 1.0]), np.array([10, 12, 40, 25, 10])
    low = wilson_lower(share, n)
    np.testing.assert_allclose((share - low) ** 2, Z * Z * low * (1 - low) / n, atol=1e-12)
    assert (low <= share).all()
    assert low[4] == pytest.approx(10 / (10 + Z * Z))


def test_quality_of_ten_right_answers_by_hand() -> None:
    """Ten clear controls, all right: blind answers get ½ at best, W = 10 / (10 + z²) = .787."""
    answers = np.zeros(10, dtype=int), np.ones(10), np.resize([1, -1], 10)
    (found,) = trust.estimate_quality(*answers, credit_table(), 1)
    assert found == int(QUALITY_UNIT * (10 / (10 + Z * Z) - 0.5) / 0.5)


def test_nine_controls_are_too_few() -> None:
    nine = np.zeros(9, dtype=int), np.ones(9), np.ones(9, dtype=int)
    assert trust.estimate_quality(*nine, credit_table(), 2).tolist() == [-1, -1]


def test_controls_that_blind_answers_pass_show_nothing() -> None:
    ties = np.zeros(20, dtype=int), np.ones(20), np.zeros(20, dtype=int)
    assert trust.estimate_quality(*ties, credit_table(), 1).tolist() == [0]


@pytest.mark.parametrize("shares", STRATEGIES.values(), ids=STRATEGIES)
def test_no_blind_answers_get_more_than_chance(shares: tuple[float, ...]) -> None:
    rng = np.random.default_rng(5)
    key = rng.choice([-1, 0, 1], 30, p=[0.45, 0.1, 0.45])
    keys = np.bincount(key + 1, minlength=3)[None]
    both_ways = (credit_table() + credit_table()[:, ::-1]) / 2
    expected = np.mean([np.array(shares) @ both_ways[:, k + 1] for k in key])
    assert expected <= chance_agreement(keys, credit_table())[0] + 1e-12


@pytest.mark.parametrize("shares", STRATEGIES.values(), ids=STRATEGIES)
def test_a_thousand_clicks_are_worth_less_than_a_hundred_careful_answers(
    shares: tuple[float, ...],
) -> None:
    rng = np.random.default_rng(7)
    reader = 100 * careful(4000, 10, 0.92, rng)
    clicker = 1000 * blind(4000, controls_after(1000), shares, rng)
    assert reader.mean() > 4 * clicker.mean()
    assert (clicker > np.median(reader)).mean() < 0.05


@pytest.mark.parametrize("accuracy", [0.65, 0.75, 0.85, 0.92, 1.0])
def test_the_score_grows_with_work_in_expectation(accuracy: float) -> None:
    rng = np.random.default_rng(11)
    amounts = (150, 250, 400, 800, 1600)
    means = [n * careful(8000, controls_after(n), accuracy, rng).mean() for n in amounts]
    assert means == sorted(means)
    assert means[0] > 0


def test_quality_grows_with_accuracy() -> None:
    rng = np.random.default_rng(13)
    means = [careful(4000, 20, p, rng).mean() for p in (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)]
    assert means == sorted(means)


def test_five_bands() -> None:
    at = np.array([-1, 0, 149_999, 150_000, 300_000, 449_999, 450_000, 600_000, QUALITY_UNIT])
    assert to_band(at).tolist() == [-1, 1, 1, 2, 3, 3, 4, 5, 5]
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


def test_rows_are_grouped_and_stay_in_order() -> None:
    """Against numpy's own sort, with numbers on both sides of 16 bits."""
    index = np.random.default_rng(3).integers(0, 200_000, 50_000).astype(np.int32)
    for numbers in (index, index % 7):
        np.testing.assert_array_equal(stable_order(numbers), np.argsort(numbers, kind="stable"))


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
    monkeypatch.setattr(scores, "JUDGMENTS_PER_STEP", 4)
    monkeypatch.setattr(scores, "first_look", lambda event: 8)
    monkeypatch.setattr(trust, "JUDGMENTS_BETWEEN_LOOKS", 6)
    monkeypatch.setattr(trust, "MIN_CONTROLS_FOR_QUALITY", 2)


@pytest.mark.django_db
def test_the_score_is_judgments_times_quality() -> None:
    contest = Contest()
    good, fair, beginner = (
        contest.contributor(),
        contest.contributor(wrong=2),
        contest.contributor(controls=9),
    )
    refresh(contest.event)
    found = rows(contest.event)
    expected = int(QUALITY_UNIT * (12 / (12 + Z * Z) - 0.5) / 0.5)
    assert found[good.pk][:4] == (24, 0, expected, 24 * expected)
    assert 0 < found[fair.pk][2] < expected
    assert found[beginner.pk] == (21, 0, None, None, None, None)


@pytest.mark.django_db
def test_a_retired_key_measures_nobody() -> None:
    contest = Contest()
    who = contest.contributor()
    Control.objects.filter(matchup__in=contest.controls[:3]).update(retired_at=NOW)
    refresh(contest.event)
    assert rows(contest.event)[who.pk][:3] == (24, 0, None)


@pytest.mark.django_db
def test_exclusion_and_reinstatement(soon: None) -> None:
    contest = Contest()
    people = [contest.contributor(wrong=wrong) for wrong in (0, 1, 3)]
    refresh(contest.event)
    before = rows(contest.event)
    assert [before[who.pk][4] for who in people] == [1, 2, 3]

    gone = exclude(people[0], Exclusion.Reason.RIGGING, by=None, now=NOW)
    wrong = people[1].judgments.get(matchup=contest.controls[0])
    single = exclude(wrong, Exclusion.Reason.BROKEN, by=None, now=NOW)
    refresh(contest.event, LATER)
    without = rows(contest.event)
    assert people[0].pk not in without
    assert without[people[1].pk][0] == 23
    assert without[people[1].pk][2] > before[people[1].pk][2]
    assert [without[who.pk][4] for who in people[1:]] == [1, 2]

    for exclusion in (gone, single):
        lift_exclusion(exclusion, by=None, now=LATER)
    refresh(contest.event, LATER + timedelta(minutes=1))
    assert rows(contest.event) == before


@pytest.mark.django_db
def test_rebuilt_from_nothing_every_number_is_the_same(soon: None) -> None:
    contest = Contest()
    for wrong in (0, 1, 3):
        contest.contributor(wrong=wrong)
        refresh(contest.event, NOW + timedelta(minutes=wrong))
    before = rows(contest.event)
    assert all(value is not None for row in before.values() for value in row)
    contest.event.standings.all().delete()
    refresh(contest.event, NOW + timedelta(hours=1), rebuild=True)
    assert rows(contest.event) == before


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
        self.rivals = [self.contest.contributor(wrong=wrong) for wrong in (0, 3, 6)]
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
    monkeypatch.setattr(scores, "JUDGMENTS_PER_STEP", 30)
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
    first = contest.contributor(wrong=3)
    refresh(contest.event)
    before = rows(contest.event)[first.pk]
    assert before[4] == 1
    second = contest.contributor()
    refresh(contest.event, NOW + timedelta(minutes=90))
    after = rows(contest.event)
    assert after[first.pk] == before
    assert after[second.pk][4:] == (None, None)
    assert after[second.pk][3] > before[3]
    assert LedgerBatch.objects.filter(event=contest.event).count() == 2
