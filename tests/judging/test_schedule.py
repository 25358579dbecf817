"""The schedule of controls: runs without a gap, places to the turn, and when all met so many."""

import pytest

from arena.judging.serving.schedule import (
    count_turns_until_controls,
    get_run,
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
