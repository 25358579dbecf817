"""The form of the preference pairs on the downloads page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from arena.exports.trl import SEPARATORS, PairOptions


class PairsForm(forms.Form):
    """Which pairs to download; `options` are those chosen, once the form is valid."""

    aggregate = forms.ChoiceField(
        label=_("One row for"),
        choices=[
            ("none", _("every judgment")),
            ("majority", _("every pair that most votes agree on")),
            ("unanimous", _("every pair that all votes agree on")),
        ],
    )
    min_votes = forms.IntegerField(label=_("Votes on a pair, at least"), min_value=1, initial=1)
    min_agreement = forms.FloatField(
        label=_("Agreement, at least"),
        min_value=0,
        max_value=1,
        initial=0,
        help_text=_("Share of all votes on a pair, ties included: 0 to 1."),
    )
    strings = forms.ChoiceField(
        label=_("Prompts and responses as"),
        required=False,
        choices=[
            ("", _("messages, as trainers want them")),
            ("newline", _("text; the prompt ends with a new line")),
            ("blank-line", _("text; the prompt ends with a blank line")),
            ("space", _("text; the prompt ends with a space")),
        ],
        help_text=_(
            "Trainers join text as it is: without its end, a prompt runs into the response."
        ),
    )
    test_share = forms.FloatField(
        label=_("Share of prompts kept for testing"),
        min_value=0,
        max_value=1,
        initial=0,
        help_text=_("0 to 1. A prompt is in one part with all of its votes."),
    )
    part = forms.ChoiceField(
        label=_("Part"),
        choices=[("all", _("all")), ("train", _("training")), ("test", _("testing"))],
    )

    @property
    def options(self) -> PairOptions:
        """What was chosen."""
        own = ("part", "strings")
        chosen: dict[str, Any] = {k: v for k, v in self.cleaned_data.items() if k not in own}
        return PairOptions(**chosen, separator=SEPARATORS.get(self.cleaned_data["strings"], ""))
