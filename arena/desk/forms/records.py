"""Forms of a record's page: its controls' keys and its texts."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.errors import ArenaError
from arena.events.decision_record import MAX_NOTE
from arena.events.models import Matchup, Proposal
from arena.events.records.controls import ANSWER_BY_SIGN, ExpectedAnswer, describe_sides
from arena.events.records.corrections import RecordTexts

MAX_TEXT = 200_000


class ControlForm(forms.Form):
    """The right side of a matchup, and why; a control's own to begin with. proposal: what is
    proposed about it and waits for a second person."""

    proposal: Proposal | None = None
    expected = forms.ChoiceField(label=_("Right answer"))
    reason = forms.CharField(label=_("Why"), max_length=1000)

    def __init__(self, matchup: Matchup, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.matchup, self.sides = matchup, describe_sides(matchup)
        choices = list(zip("ab", self.sides, strict=False))
        if matchup.event.offers_tie():
            choices.insert(1, ("tie", gettext("A tie")))
        expected = self.fields["expected"]
        assert isinstance(expected, forms.ChoiceField)
        expected.choices = choices
        if control := getattr(matchup, "control", None):
            self.initial = {
                "expected": ANSWER_BY_SIGN[control.key["sign"]],
                "reason": control.reason,
            }

    def expected_answer(self) -> ExpectedAnswer:
        """What was filled in. Raises `ArenaError` where something is missing."""
        if not self.is_valid():
            raise ArenaError(gettext("Say which side is right, and why."), "control_incomplete")
        return ExpectedAnswer(**self.cleaned_data)


class RecordTextsForm(forms.Form):
    """Every text of a record, each in a box of its own."""

    def __init__(
        self, wording: RecordTexts, *args: Any, needs_reason: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.wording = wording
        for index, text in enumerate(wording.turns):
            self.fields[f"turn-{index}"] = text_box(_("Prompt"), text)
        for index, text in enumerate(wording.responses):
            label = format_lazy(_("Response {number}"), number=index + 1)
            self.fields[f"response-{index}"] = text_box(label, text)
        if needs_reason:
            self.fields["why"] = forms.CharField(label=_("Why"), max_length=MAX_NOTE)

    def corrected_texts(self) -> RecordTexts:
        """The texts as they were typed; one that was not changed stays the same to the letter."""
        return RecordTexts(
            [self.keep_line_ends(f"turn-{i}", text) for i, text in enumerate(self.wording.turns)],
            [
                self.keep_line_ends(f"response-{i}", text)
                for i, text in enumerate(self.wording.responses)
            ],
        )

    def keep_line_ends(self, name: str, before: str) -> str:
        """What was typed, with the line ends of the text before: browsers send their own."""
        typed = "\n".join(str(self.cleaned_data[name]).split("\r\n"))
        return before if typed == "\n".join(before.split("\r\n")) else typed


def text_box(label: Any, text: str) -> forms.CharField:
    """A box for a text whose spaces matter."""
    return forms.CharField(
        label=label,
        initial=text,
        strip=False,
        max_length=MAX_TEXT,
        widget=forms.Textarea(attrs={"rows": 8, "dir": "auto"}),
    )
