"""Preference pairs for TRL: exactly `prompt`, `chosen` and `rejected`.

From counted judgments of ordinary matchups that prefer one response; ties and "both are bad" give
no pair, and neither do two responses of the same text. All rows of a file are of one type: lists
of `{"role", "content"}`, to which a trainer applies its chat template; or, on request, strings,
which trainers join as they are, so that the prompt ends with a separator. No completion repeats
the prompt.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from arena.errors import ArenaError
from arena.events.models import Event, Record
from arena.exports.jsonl import json_line
from arena.exports.moments import one_moment
from arena.exports.rows import JudgedMatchup, Turns, judged_matchups

Aggregate = Literal["none", "majority", "unanimous"]
Split = Literal["train", "test"]
Pair = dict[str, str | Turns]

# What may end a prompt that is a string, by name; any other text will do as well.
SEPARATORS = {"newline": "\n", "blank-line": "\n\n", "space": " "}
# Fixed and public: everybody who splits the same prompts gets the same parts.
SPLIT_KEY = b"crowd-arena split"


@dataclass(frozen=True)
class PairOptions:
    """Which pairs are wanted.

    The agreement with a preference is the share of all counted votes of its matchup, ties
    included, that prefer the same response.

    aggregate: "none" gives a row per judgment; "majority" and "unanimous" one per matchup that
    more than half, or all, of the votes agree on. min_votes, min_agreement: of a matchup and of
    a preference. separator: what ends the prompt where rows are strings; empty: they are messages.
    test_share: the share of prompts that go to the test part.
    """

    aggregate: Aggregate = "none"
    min_votes: int = 1
    min_agreement: float = 0.0
    separator: str = ""
    test_share: float = 0.0


def pair_lines(event: Event, options: PairOptions) -> Iterator[tuple[Split, str]]:
    """One line per pair and the part it belongs to, in the order of the matchups."""
    check_strings(event, options)
    with one_moment():
        for matchup in judged_matchups(event):
            first, second = (side.text for side in matchup.sides)
            if first == second:
                continue
            split = split_of(matchup.turns, options.test_share)
            for first_is_better in preferences(matchup, options):
                chosen, rejected = (first, second) if first_is_better else (second, first)
                pair = as_pair(matchup.turns, chosen, rejected, options.separator)
                yield split, json_line(pair)


def preferences(matchup: JudgedMatchup, options: PairOptions) -> list[bool]:
    """The preferences that a matchup contributes; True: the first response is better."""
    votes = len(matchup.outcomes)
    if votes < options.min_votes:
        return []
    decided = [outcome > 0 for outcome in matchup.outcomes if outcome != 0]
    agreeing = {side: decided.count(side) for side in (True, False)}
    wanted = [side for side in decided if agreeing[side] / votes >= options.min_agreement]
    if options.aggregate == "none":
        return wanted
    enough = votes if options.aggregate == "unanimous" else votes // 2 + 1
    return [side for side in (True, False) if side in wanted and agreeing[side] >= enough]


def as_pair(turns: Turns, chosen: str, rejected: str, separator: str = "") -> Pair:
    """The three columns, as messages, or as strings where a separator is given."""
    if separator:
        prompt = turns[0]["content"].removesuffix(separator) + separator
        return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    return {
        "prompt": [{"role": turn["role"], "content": turn["content"]} for turn in turns],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def check_strings(event: Event, options: PairOptions) -> None:
    """Refuse strings where a prompt has several turns. Raises `ArenaError`."""
    if options.separator and not all_single_turn(event):
        message = "Prompts of several turns cannot be strings; take the pairs as messages."
        raise ArenaError(message, "several_turns")


def all_single_turn(event: Event) -> bool:
    """Whether every prompt of the event is one turn of the user, and so may be a string."""
    prompts = Record.objects.filter(event=event).values_list("prompt", flat=True)
    return all(
        len(turns) == 1 and turns[0]["role"] == "user" for turns in prompts.iterator(chunk_size=500)
    )


def split_of(turns: Turns, test_share: float) -> Split:
    """The part of a prompt, by a hash of its text alone.

    Every vote on a prompt is on one side, and so is the same prompt under another identifier.
    """
    digest = hashlib.blake2b(
        json.dumps(turns, sort_keys=True).encode(), key=SPLIT_KEY, digest_size=8
    ).digest()
    return "test" if int.from_bytes(digest, "big") < test_share * 2**64 else "train"
