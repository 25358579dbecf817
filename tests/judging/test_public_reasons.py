"""Which reasons the public is told: none that a reader of all pages could tie to one person."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from random import Random

import pytest

from arena.judging.review.public_reasons import (
    MIN_PEOPLE,
    DayOfReason,
    Kind,
    ReasonLine,
    Tally,
    count_by_day,
    tell_reasons,
    tell_reasons_of_all_days,
)

FIRST = date(2026, 11, 1)
Happened = Sequence[tuple[int, str, str]]
"""Day, person, reason."""
Page = Callable[[Happened, int], list[ReasonLine]]


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def count(happened: Happened) -> list[DayOfReason]:
    """Five judgments each time."""
    return count_by_day((day(number), person, reason, 5) for number, person, reason in happened)


def look(happened: Happened, today: int) -> list[ReasonLine]:
    """The named reasons on the page of a day."""
    known = [one for one in happened if one[0] <= today]
    return tell_reasons(Kind.EXCLUDED, count(known), day(today))[0]


def look_naively(happened: Happened, today: int) -> list[ReasonLine]:
    """The rule that first comes to mind: a reason is named that three people share on the page."""
    people: dict[str, set[str]] = defaultdict(set)
    for number, person, reason in happened:
        if number <= today:
            people[reason].add(person)
    return tell_reasons_of_all_days(
        Kind.EXCLUDED, {reason: Tally(0, len(found)) for reason, found in people.items()}
    )[0]


def subtract(happened: Happened, page: Page) -> set[str]:
    """People whose reason follows from the pages of all days. Everybody sees who leaves: where the
    named reasons grow between two pages, and fewer than three people have left for the first time
    meanwhile, or one of them grows by fewer than three, those who left are found out."""
    first_left: dict[str, int] = {}
    for number, person, _reason in happened:
        first_left.setdefault(person, number)
    found: set[str] = set()
    earlier: dict[str, int] = defaultdict(int)
    told = -1
    for today in range(max(first_left.values()) + 2):
        lines = page(happened, today)
        now: dict[str, int] = defaultdict(int)
        for line in lines:
            now[line.reason] += line.tally.people
        grown = [people - earlier[reason] for reason, people in now.items()]
        if any(grown):
            until = max((line.until - FIRST).days if line.until else today for line in lines)
            left = {person for person, number in first_left.items() if told < number <= until}
            if len(left) < MIN_PEOPLE or min(filter(None, grown)) < MIN_PEOPLE:
                found |= left
            told = until
        earlier = now
    return found


def draw(seed: int) -> Happened:
    """A month in which people are excluded, some of them twice."""
    rng = Random(seed)
    return sorted(
        (
            rng.randrange(30),
            f"p{rng.randrange(40)}",
            rng.choice(("rigging", "unreliable", "broken")),
        )
        for _ in range(rng.randrange(1, 60))
    )


def test_a_reader_of_every_page_learns_nobodys_reason() -> None:
    found = [draw(seed) for seed in range(200)]
    assert sum(bool(subtract(happened, look_naively)) for happened in found) > 100
    assert [happened for happened in found if subtract(happened, look)] == []
    assert sum(bool(look(happened, 31)) for happened in found) > 100


def test_a_line_that_was_told_stays() -> None:
    for seed in range(50):
        happened = draw(seed)
        pages = [look(happened, today) for today in range(32)]
        for earlier, later in pairwise(pages):
            assert later[: len(earlier)] == earlier


def test_when_reasons_are_told_says_nothing_of_the_reasons() -> None:
    """With everybody's reason the same, something is told on every day on which it may be."""
    for seed in range(50):
        happened = draw(seed)
        alike = [(number, person, "rigging") for number, person, _reason in happened]
        may = {line.until for line in look(alike, 31)}
        assert {line.until for line in look(happened, 31)} <= may


@pytest.mark.parametrize(
    ("happened", "named"),
    [
        # Three on one day: told once it is over.
        ([(0, "a", "rigging"), (0, "b", "rigging"), (0, "c", "rigging")], {("rigging", 3): 0}),
        # One on a day of their own waits for two others, and their day is told nowhere.
        ([(0, "a", "rigging"), (1, "b", "rigging"), (2, "c", "rigging")], {("rigging", 3): 2}),
        # Two of one reason stay among the others, however many others there are.
        (
            [(0, "a", "rigging"), (0, "b", "rigging")] + [(0, name, "broken") for name in "cdef"],
            {("broken", 4): 0},
        ),
        # One more, on a day of their own: no line yet.
        ([(0, name, "broken") for name in "cdef"] + [(1, "g", "broken")], {("broken", 4): 0}),
        # The same person three times is one person.
        ([(n, "a", "rigging") for n in range(3)], {}),
    ],
)
def test_a_reason_needs_three_people(happened: Happened, named: dict[tuple[str, int], int]) -> None:
    lines = look(happened, 31)
    assert {(line.reason, line.tally.people): line.until for line in lines} == {
        what: day(until) for what, until in named.items()
    }


def test_nothing_is_lost_and_today_is_not_told() -> None:
    happened = [(0, name, "rigging") for name in "abc"] + [(1, name, "broken") for name in "def"]
    lines, rest = tell_reasons(Kind.EXCLUDED, count(happened), day(1))
    assert [(line.reason, line.tally) for line in lines] == [("rigging", Tally(15, 3))]
    assert rest == Tally(15, 3)
    lines, rest = tell_reasons(Kind.EXCLUDED, count(happened), day(2))
    assert [line.reason for line in lines] == ["rigging", "broken"]
    assert not rest


def test_what_has_no_reason_is_never_named() -> None:
    lines, rest = tell_reasons(Kind.APPEALED, count([(0, name, "") for name in "abcd"]), day(5))
    assert (lines, rest) == ([], Tally(20, 4))


def test_people_count_once_a_day_and_once_for_a_reason() -> None:
    happened = [(0, "a", "broken"), (0, "a", "rigging"), (0, "b", "rigging"), (1, "a", "rigging")]
    rows = [
        (row.reason, row.tally.people, row.new_people, row.newcomers) for row in count(happened)
    ]
    assert rows == [("broken", 1, 1, 1), ("rigging", 1, 2, 1), ("rigging", 1, 0, 0)]
