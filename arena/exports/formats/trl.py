"""Preference pairs for TRL: exactly `prompt`, `chosen` and `rejected`.

From counted judgments of ordinary matchups that prefer one response; ties and "both are bad" give
no pair, and neither do two responses of the same text. All rows of a file are of one type: lists
of `{"role", "content"}`, to which a trainer applies its chat template; or, on request, strings,
which trainers join as they are, so that the prompt ends with a separator. No completion repeats
the prompt.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django import forms
from django.utils.translation import gettext_lazy as _

from arena.errors import ArenaError
from arena.events.models import Event, Record
from arena.exports.consistent_reads import read_consistently
from arena.exports.formats.base import ExportFormat, OptionsForm, Piece, encode_line
from arena.exports.formats.columns import MESSAGES, TEXT, ExportColumn
from arena.exports.rows import JudgedMatchup, Turns, read_judged_matchups

Aggregate = Literal["none", "majority", "unanimous"]
Part = Literal["all", "train", "test"]
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
    test_share: the share of prompts that go to the test part. part: which part is wanted.
    """

    aggregate: Aggregate = "none"
    min_votes: int = 1
    min_agreement: float = 0.0
    separator: str = ""
    test_share: float = 0.0
    part: Part = "all"


class SeparatorField(forms.ChoiceField):
    """What ends a prompt that is a string: one of the choices, or any other text as it stands."""

    def clean(self, value: Any) -> str:
        text = str(value or "")
        return SEPARATORS.get(text, text.replace("\\n", "\n"))


class PairsForm(OptionsForm):
    """Which pairs are wanted."""

    aggregate = forms.ChoiceField(
        label=_("One row per"),
        initial="none",
        choices=[
            ("none", _("judgment")),
            ("majority", _("pair that most votes agree on")),
            ("unanimous", _("pair that all votes agree on")),
        ],
    )
    min_votes = forms.IntegerField(label=_("Minimum votes on a pair"), min_value=1, initial=1)
    min_agreement = forms.FloatField(
        label=_("Minimum agreement"),
        min_value=0,
        max_value=1,
        initial=0,
        help_text=_("Share of all votes on a pair, ties included: 0 to 1."),
    )
    strings = SeparatorField(
        label=_("Prompts and responses as"),
        required=False,
        choices=[
            ("", _("messages, as trainers expect them")),
            ("newline", _("text; the prompt ends with a new line")),
            ("blank-line", _("text; the prompt ends with a blank line")),
            ("space", _("text; the prompt ends with a space")),
        ],
        help_text=_(
            "Trainers join the texts as they are: without a separator, the prompt runs into the "
            "response."
        ),
    )
    test_share = forms.FloatField(
        label=_("Share of prompts kept for testing"),
        min_value=0,
        max_value=1,
        initial=0,
        help_text=_("0 to 1. All votes on a prompt are in the same part."),
    )
    part = forms.ChoiceField(
        label=_("Part"),
        initial="all",
        choices=[("all", _("all")), ("train", _("training")), ("test", _("testing"))],
    )

    def clean_strings(self) -> str:
        """Strings are refused where a prompt has several turns."""
        separator: str = self.cleaned_data["strings"]
        try:
            if self.event:
                check_strings(self.event, separator)
        except ArenaError as error:
            raise forms.ValidationError(error.message) from error
        return separator

    @property
    def options(self) -> PairOptions:
        """What was chosen."""
        chosen = dict(self.cleaned_data)
        separator = chosen.pop("strings")
        return PairOptions(**chosen, separator=separator)


class PairsFormat(ExportFormat[JudgedMatchup, PairOptions]):
    """Preference pairs for training."""

    identifier = "trl"
    name = "pairs"
    label = _("Preference pairs")
    help = _(
        "For training with TRL: exactly the columns prompt, chosen and rejected, from counted "
        "judgments that prefer one response. Ties, “both are bad”, controls and anchors are left "
        "out."
    )
    action = _("Download pairs")
    options_form = PairsForm

    def read_rows(self, event: Event) -> Iterator[JudgedMatchup]:
        return read_judged_matchups(event)

    def list_columns(self, event: Event | None, options: PairOptions) -> Sequence[ExportColumn]:
        kind = TEXT if options.separator else MESSAGES
        return (
            ExportColumn("prompt", kind, "the prompt, all of its turns"),
            ExportColumn("chosen", kind, "the better response"),
            ExportColumn("rejected", kind, "the other one"),
        )

    def list_parts(self, options: PairOptions) -> tuple[str, ...]:
        """Two files where a share is kept for testing and both parts are wanted."""
        return ("train", "test") if options.test_share and options.part == "all" else ("",)

    def name_file(self, options: PairOptions) -> str:
        return self.file if options.part == "all" else f"{self.name}.{options.part}.jsonl"

    def write(
        self, event: Event, rows: Iterable[JudgedMatchup], options: PairOptions
    ) -> Iterator[Piece]:
        """A line per pair, in the order of the matchups. Raises `ArenaError` where it cannot be."""
        check_strings(event, options.separator)
        are_apart = len(self.list_parts(options)) > 1
        for matchup in rows:
            first, second = (side.text for side in matchup.sides)
            split = find_split(matchup.turns, options.test_share)
            if first == second or options.part not in ("all", split):
                continue
            for first_is_better in select_preferences(matchup, options):
                chosen, rejected = (first, second) if first_is_better else (second, first)
                pair = make_pair(matchup.turns, chosen, rejected, options.separator)
                yield Piece(encode_line(pair), part=split if are_apart else "")


def select_preferences(matchup: JudgedMatchup, options: PairOptions) -> list[bool]:
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


def make_pair(turns: Turns, chosen: str, rejected: str, separator: str = "") -> Pair:
    """The three columns, as messages, or as strings where a separator is given."""
    if separator:
        prompt = turns[0]["content"].removesuffix(separator) + separator
        return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    return {
        "prompt": [{"role": turn["role"], "content": turn["content"]} for turn in turns],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }


def check_strings(event: Event, separator: str) -> None:
    """Refuse strings where a prompt has several turns. Raises `ArenaError`."""
    if separator and not has_single_turns(event):
        message = "Prompts of several turns cannot be strings; take the pairs as messages."
        raise ArenaError(message, "several_turns")


def has_single_turns(event: Event) -> bool:
    """Whether every prompt of the event is one turn of the user, and so may be a string."""
    prompts = Record.objects.filter(event=event).values_list("prompt", flat=True)
    with read_consistently():
        return all(
            len(turns) == 1 and turns[0]["role"] == "user"
            for turns in prompts.iterator(chunk_size=500)
        )


def find_split(turns: Turns, test_share: float) -> Split:
    """The part of a prompt, by a hash of its text alone.

    Every vote on a prompt is on one side, and so is the same prompt under another identifier.
    """
    digest = hashlib.blake2b(
        json.dumps(turns, sort_keys=True).encode(), key=SPLIT_KEY, digest_size=8
    ).digest()
    return "test" if int.from_bytes(digest, "big") < test_share * 2**64 else "train"


FORMAT = PairsFormat()
