"""The schedule of controls: runs without a gap, places to the turn, and when all met so many."""

from collections import Counter

import pytest
from scipy.stats import chisquare

from arena.judging.serving.schedule import (
    count_turns_until_controls,
    draw_anchor_places,
    draw_control_place,
    get_run,
    is_anchor_turn,
    is_control_turn,
)

INTERVALS = (2, 12, 20)
TURNS = range(1, 201)


def turns_of(secret: str, enrollment_id: str, interval: int) -> list[int]:
    return [turn for turn in TURNS if is_control_turn(secret, enrollment_id, turn, interval)]


def runs(interval: int) -> list[tuple[int, int]]:
    return sorted({get_run(turn, interval) for turn in TURNS})


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_turn_is_in_one_run_and_the_later_ones_are_an_interval_long(interval: int) -> None:
    opening, later = runs(interval)[:4], runs(interval)[4:]
    assert opening == [(1, 5), (6, 10), (11, 20), (21, 30)]
    assert later[0] == (31, 30 + interval)
    for (_, before), (first, last) in zip([opening[-1], *later], later, strict=False):
        assert (first, last) == (before + 1, before + interval)
    for turn in TURNS:
        first, last = get_run(turn, interval)
        assert first <= turn <= last


@pytest.mark.parametrize("interval", INTERVALS)
def test_after_so_many_turns_everybody_has_met_so_many_controls(interval: int) -> None:
    ends = [last for _first, last in runs(interval) if last in TURNS]
    assert [count_turns_until_controls(n, interval) for n in range(1, len(ends) + 1)] == ends
    everybody = [turns_of("secret", str(person), interval) for person in range(120)]
    for number, end in enumerate(ends[:6], start=1):
        # And nobody is promised more turns than the last one needs.
        assert max(turns[number - 1] for turns in everybody) == end


def test_a_place_is_what_the_keyed_hash_says() -> None:
    """Digests: `printf control:seven:FIRST | openssl dgst -sha256 -hmac secret`, 8 bytes."""
    digests = {
        (1, 5): "504cf33c6289c81d",
        (6, 10): "2d3e146ac8b77b5d",
        (11, 20): "6498601a06a75dce",
        (21, 30): "4d47004d9dc239db",
        (31, 50): "85bf4c71cbd94a60",
        (51, 70): "5902c4a0c5bffacb",
    }
    places = [
        first + int(digest, 16) % (last - first + 1) for (first, last), digest in digests.items()
    ]
    assert turns_of("secret", "seven", 20)[:6] == places == [4, 8, 17, 28, 39, 54]
    assert turns_of("secret", "eight", 20)[:6] != places
    assert turns_of("public", "seven", 20)[:6] != places


# --- anchors -----------------------------------------------------------------------------------
@pytest.mark.parametrize("interval", [2, 3, 12, 20])
def test_each_run_has_one_control_and_two_anchors_at_keyed_places(interval: int) -> None:
    ends: Counter[int] = Counter()
    for person in map(str, range(300)):
        for run in runs(interval):
            control = draw_control_place("secret", person, run)
            anchors = draw_anchor_places("secret", person, run)
            length = run[1] - run[0] + 1
            assert len({control, *anchors}) == 1 + min(2, length - 1)
            assert all(run[0] <= place <= run[1] for place in (control, *anchors))
            if run == (1, 5):
                ends.update(anchors)
    # Each of the five places as often as another.
    assert chisquare(list(ends.values())).pvalue > 0.01
    assert len(ends) == 5
    told = [n for n in range(1, 6) if is_anchor_turn("secret", "7", n, interval)]
    assert told == sorted(draw_anchor_places("secret", "7", (1, 5)))
    assert draw_anchor_places("public", "7", (31, 130)) != draw_anchor_places(
        "secret", "7", (31, 130)
    )
