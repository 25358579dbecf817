"""How one contributor answers beside the others: figures and hints for the desk."""

from datetime import timedelta
from math import exp, log
from random import Random
from statistics import median

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from scipy.stats import binom

from arena.events.models import Enrollment, Event
from arena.judging.models import Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.behaviour import (
    MIN_ANSWERS_FOR_PACE,
    SIDES_ERROR,
    BehaviourSummary,
    behaviour_of_event,
    estimate_share,
    summarize_behaviour,
)
from tests.factories import (
    NOW,
    make_assignment,
    make_competitors,
    make_enrollment,
    make_event,
    make_matchups,
)

pytestmark = pytest.mark.django_db
CODE = "3a10027"


class Crowd:
    """An event whose contributors take as long as they are told."""

    def __init__(self, matchups: int = 400, **settings) -> None:
        self.event = make_event(overlap=100, **settings)
        make_matchups(self.event, make_competitors(self.event, 2), matchups)
        self.rng = Random(7)

    def add(
        self, seconds: list[float], sides: str = "", codes: list[str | None] | None = None
    ) -> Enrollment:
        """Somebody with an answer of so many seconds each, on the sides given (l, r or t)."""
        enrollment = make_enrollment(self.event)
        self.go_on(enrollment, seconds, sides, codes)
        return enrollment

    def go_on(
        self,
        enrollment: Enrollment,
        seconds: list[float],
        sides: str = "",
        codes: list[str | None] | None = None,
    ) -> None:
        """Further answers of theirs."""
        for number, took in enumerate(seconds):
            side = sides[number] if sides else self.rng.choice("lr")
            assignment = make_assignment(enrollment, now=NOW)
            assignment.behaviour = codes[number] if codes else None
            posted = {"preference": {"l": "a1", "r": "b1", "t": "tie"}[side]}
            record_judgment(
                assignment, check_answers(assignment, posted), now=NOW + timedelta(seconds=took)
            )

    def add_usual(self, people: int, answers: int = 12) -> list[Enrollment]:
        """People who take half a minute, more or less."""
        return [
            self.add([self.rng.lognormvariate(log(30), 0.5) for _ in range(answers)])
            for _ in range(people)
        ]


def summary_of(enrollment: Enrollment) -> BehaviourSummary:
    found = summarize_behaviour(enrollment)
    every = behaviour_of_event(enrollment.event)[enrollment.pk]
    assert (found.pace, found.devices, found.sides) == (every.pace, every.devices, every.sides)
    assert found.hints == every.hints
    return found


def test_a_person_stands_beside_the_crowd() -> None:
    crowd = Crowd()
    usual = crowd.add_usual(6)
    times = [10.0, 20.0, 20.0, 80.0]
    mine = crowd.add(times)
    summary = summary_of(mine)
    assert summary.pace is not None
    assert summary.crowd is not None
    assert summary.pace.answers == 4
    assert summary.pace.median == pytest.approx(median(times), rel=1e-3)
    logs = [log(each) for each in times]
    mean = sum(logs) / 4
    assert summary.pace.mean == pytest.approx(mean, rel=1e-3)
    spread = (sum((each - mean) ** 2 for each in logs) / 4) ** 0.5
    assert summary.pace.spread == pytest.approx(spread, rel=1e-2)
    assert summary.crowd.people == 7
    low, high = summary.crowd.low, summary.crowd.high
    assert 15 < low < summary.crowd.quarter <= summary.crowd.half <= summary.crowd.three_quarters
    assert summary.crowd.three_quarters < high < 60
    assert {pk for pk, one in behaviour_of_event(crowd.event).items() if one.pace} == {
        each.pk for each in (*usual, mine)
    }


def test_the_fast_get_a_hint_and_their_volume_hides_nothing() -> None:
    crowd = Crowd()
    crowd.add_usual(8)
    fast = crowd.add([1.0] * (MIN_ANSWERS_FOR_PACE - 1))
    assert summary_of(fast).pace_hint is None  # too few answers
    crowd.go_on(fast, [1.0] * 50)
    found = behaviour_of_event(crowd.event)
    assert [pk for pk, one in found.items() if one.pace_hint] == [fast.pk]
    hint = summary_of(fast).pace_hint
    assert hint is not None
    assert hint.error is None


def test_too_few_people_give_no_hint() -> None:
    crowd = Crowd()
    crowd.add_usual(4)
    fast = crowd.add([1.0] * 20)
    assert summary_of(fast).pace_hint is None
    crowd.add_usual(1)
    assert summary_of(fast).pace_hint is not None


def test_of_one_sided_people_the_interval_leaves_out_one_half() -> None:
    crowd = Crowd()
    left, right = crowd.add([30.0] * 20, "l" * 20), crowd.add([30.0] * 20, "r" * 18 + "tt")
    fair, short = crowd.add([30.0] * 20, "lr" * 10), crowd.add([30.0] * 5, "l" * 5)
    ties = crowd.add([30.0] * 3, "ttt")
    found = {each.pk: summary_of(each) for each in (left, right, fair, short, ties)}
    assert {pk for pk, one in found.items() if one.one_sided_hint} == {left.pk, right.pk}
    sides = found[right.pk].sides
    assert sides is not None
    assert (sides.answers, sides.left) == (18, 0)
    assert found[ties.pk].sides is None
    assert found[left.pk].one_sided_hint.error is SIDES_ERROR


def test_the_error_rate_of_one_sidedness_is_counted_out() -> None:
    worst, outside = 0.0, 0  # so many times left, or fewer, leave out one half
    for n in range(1, 2001):
        while estimate_share(outside, n)[1] < 0.5:
            outside += 1
        worst = max(worst, 2 * float(binom.cdf(outside - 1, n, 0.5)))
    assert worst <= SIDES_ERROR.share < worst + 0.0001


def test_device_events_are_shares_of_the_answers_that_say_something() -> None:
    crowd = Crowd()
    codes = ["0000027", "1200014", "0110025", "2012225", None, None]
    summary = summary_of(crowd.add([30.0] * 6, codes=codes))
    devices, times = summary.devices, summary.page_times
    assert devices is not None
    assert (devices.answers, devices.with_paste, devices.with_focus_lost) == (4, 2, 1)
    assert devices.without_key_or_pointer == 1
    assert (devices.paste_share, devices.focus_share, devices.silent_share) == (50, 25, 25)
    assert times is not None
    assert (times.until_first_event, times.until_submitted) == (2, 8)
    assert (times.keys, times.pointers, times.hidden) == (0.5, 0.5, 0)


def test_without_any_summary_nothing_is_said_and_nothing_hinted_at() -> None:
    crowd = Crowd()
    crowd.add_usual(6)
    plain = summary_of(crowd.add([25.0] * 12, "lr" * 6))
    assert (plain.devices, plain.page_times, plain.hints) == (None, None, [])


def test_switched_off_only_the_sides_remain() -> None:
    crowd = Crowd()
    crowd.add_usual(6)
    fast = crowd.add([1.0] * 20, "l" * 20, codes=["0000000"] * 20)
    assert {hint.name for hint in summary_of(fast).hints} == {"pace", "one_sided"}
    Event.objects.update(keeps_behaviour=False)
    fast.refresh_from_db()
    off = summary_of(fast)
    assert (off.pace, off.crowd, off.devices, off.page_times) == (None, None, None, None)
    assert [hint.name for hint in off.hints] == ["one_sided"]


def test_imported_votes_have_no_pace_and_revisions_keep_the_first() -> None:
    crowd = Crowd()
    mine = crowd.add([20.0] * 3)
    judgment = mine.judgments.first()
    posted = check_answers(judgment.assignment, {"preference": "b2"})
    record_judgment(judgment.assignment, posted, now=NOW + timedelta(seconds=90), replaces="0")
    imported = make_enrollment(crowd.event)
    matchup = crowd.event.matchups.first()
    Judgment.objects.create(
        event=crowd.event, enrollment=imported, matchup=matchup, origin="imported", judged_at=NOW
    )
    assert summary_of(mine).pace.median == pytest.approx(20, rel=1e-3)
    assert imported.pk not in behaviour_of_event(crowd.event)
    assert summarize_behaviour(imported).hints == []


def test_times_are_bounded() -> None:
    crowd = Crowd()
    mine = crowd.add([0.0, 90_000.0])
    pace = summary_of(mine).pace
    assert pace is not None
    assert (exp(pace.total)) == pytest.approx(0.1 * 3600, rel=1e-3)


@pytest.mark.parametrize("people", [2, 9])
def test_everybody_takes_two_statements_and_one_person_three(people: int) -> None:
    crowd = Crowd()
    crowd.add_usual(people, answers=3)
    mine = crowd.add([30.0], codes=[CODE])
    with CaptureQueriesContext(connection) as queries:
        assert len(behaviour_of_event(crowd.event)) == people + 1
    assert len(queries) == 2
    with CaptureQueriesContext(connection) as queries:
        summarize_behaviour(mine)
    assert len(queries) == 3


def render(summary: BehaviourSummary, event: Event) -> str:
    context = {"behaviour": summary, "event": event}
    return " ".join(render_to_string("desk/_behaviour.html", context).split())


def test_the_desk_reads_it_in_plain_words() -> None:
    crowd = Crowd()
    crowd.add_usual(6)
    fast = crowd.add([1.0] * 20, "l" * 20, codes=["0010000"] * 20)
    told = render(summarize_behaviour(fast), crowd.event)
    for words in (
        "Hint: these answers are much faster",
        "has not been measured",
        "Hint: one side is chosen",
        "Given to 0.14% of honest people.",
        "20 answers timed here: half of them within 1 seconds",
        "The median of 7 people",
        "something was pasted in 20 (100%)",
        "no key and no pointer was used in 20 (100%)",
        "Left was chosen in 20 of 20 answers",
        "That something is missing is no hint",
    ):
        assert words in told
    Event.objects.update(keeps_behaviour=False)
    nothing = make_enrollment(Event.objects.get())
    told = render(summarize_behaviour(nothing), nothing.event)
    assert "does not keep how answers were given" in told
    assert "Hint:" not in told
    assert "That something is missing is no hint" in told
