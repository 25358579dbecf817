"""Forms that decide about contributors. Each wants a reason, which is kept permanently."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.desk.forms.clocks import LocalDateTimeInput, from_local
from arena.events.decision_record import MAX_NOTE
from arena.events.models import Event
from arena.judging.models import Exclusion

ALL, SINCE, CHOSEN = "all", "since", "chosen"
TICKED = (CHOSEN, _("The judgments that are ticked on this page"))
SCOPES = [
    (ALL, _("All of their judgments, also those to come: they can go on, uncounted")),
    (SINCE, _("Those from a moment on, and they judge no more")),
    TICKED,
]
# Once the event is over, nothing is to come.
SCOPES_AFTERWARDS = [
    (ALL, _("All of their judgments")),
    (SINCE, _("Those from a moment on")),
    TICKED,
]
# With `data-sends`, Enter sends the form and Shift+Enter begins a new line.
NOTE_ATTRIBUTES = {"rows": 3, "autofocus": True, "data-sends": ""}


class ExcludeForm(forms.Form):
    """Why a judgment or a contributor is not to count."""

    reason = forms.ChoiceField(
        label=_("Reason"),
        choices=[
            (value, label)
            for value, label in Exclusion.Reason.choices
            if value != Exclusion.Reason.LATE
        ],
    )
    note = forms.CharField(label=_("Why"), max_length=MAX_NOTE)


class DecisionForm(forms.Form):
    """Why a case is decided so."""

    act = ""
    note = forms.CharField(
        label=_("Why"),
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs=NOTE_ATTRIBUTES),
        help_text=_("Kept in the record of decisions, for organizers and reviewers. No names."),
    )

    def __init__(self, event: Event, data: Any = None) -> None:
        self.event = event
        super().__init__(data, auto_id=f"{self.act}-%s")


class DismissForm(DecisionForm):
    """There is nothing in it."""

    act = "dismiss"


class BlockForm(DecisionForm):
    """They judge no more."""

    act = "block"


class UndoForm(DecisionForm):
    """A decided case is opened again."""

    act = "undo"


class WarnForm(DecisionForm):
    """They read a warning before their next matchup."""

    act = "warn"
    text = forms.CharField(
        label=_("Your words to them"),
        max_length=MAX_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "data-sends": ""}),
        help_text=_("They read this below the warning itself. May be empty."),
    )


class ExcludeCaseForm(DecisionForm):
    """All of their judgments, those from a moment on, or chosen ones no longer count."""

    act = "exclude"
    scope = forms.ChoiceField(
        label=_("What no longer counts"),
        initial=ALL,
        widget=forms.RadioSelect,
        choices=SCOPES,
    )
    since = forms.DateTimeField(
        label=_("From"), required=False, widget=LocalDateTimeInput(attrs={"step": 1})
    )

    def __init__(self, event: Event, data: Any = None) -> None:
        super().__init__(event, data)
        if event.is_over():
            scope = self.fields["scope"]
            assert isinstance(scope, forms.ChoiceField)
            scope.choices = SCOPES_AFTERWARDS

    def clean(self) -> dict[str, Any]:
        """Wants the moment where one is meant."""
        cleaned = super().clean() or {}
        if cleaned.get("scope") == SINCE and not cleaned.get("since"):
            self.add_error("since", gettext("Say from when on."))
        return cleaned

    def since_moment(self) -> datetime | None:
        """The moment that is meant, on the event's clock; None unless one is."""
        if self.cleaned_data["scope"] != SINCE:
            return None
        return from_local(self.cleaned_data["since"], self.event.zone(), None)


def list_forms(event: Event) -> dict[str, type[DecisionForm]]:
    """How an open case may be decided, by act: once an event is over, nobody judges who could be
    warned or blocked."""
    forms_of_all: tuple[type[DecisionForm], ...] = (DismissForm, ExcludeCaseForm)
    if not event.is_over():
        forms_of_all = (DismissForm, WarnForm, ExcludeCaseForm, BlockForm)
    return {form.act: form for form in forms_of_all}
