"""The forms of an event's settings, terms, questions, deadline and exclusions.

A closed or published event locks fields of theirs: see arena/events/lifecycle/locking.py.
"""

import re
from copy import copy
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.desk.forms.clocks import LocalDateTimeInput, TimezoneField, from_local, to_local
from arena.desk.forms.settings_form import WHY_HELP, SettingsForm, keep_line_ends
from arena.desk.forms.timezones import list_timezones, timezone_choices
from arena.events.decision_record import MAX_NOTE
from arena.events.lifecycle.batches import LIVE, MIN_BATCH, PRIZE_BATCH, batch_rule
from arena.events.lifecycle.creation import free_event_slug
from arena.events.lifecycle.hiding import find_hiding_obstacle
from arena.events.lifecycle.prizes import (
    find_batch_obstacle,
    find_identity_obstacle,
    find_prize_obstacle,
)
from arena.events.models import Control, Event, Terms
from arena.judging.models import Exclusion

DOMAIN = re.compile(r"(?!-)[\w-]+(\.[\w-]+)+")


class EventForm(SettingsForm):
    """Everything about an event that is words and times; times are meant in its own zone."""

    advanced_names = ("other_timezone", "freeze_minutes", "grace_minutes")

    timezone = TimezoneField(
        label=_("Time zone"),
        help_text=_("Dates are in this time zone. Visitors also see their own time."),
    )
    other_timezone = forms.CharField(
        label=_("Another time zone"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"list": "every-timezone", "autocomplete": "off"}),
        help_text=_("If it is not in the list above: its full name, such as Pacific/Chatham."),
    )
    guidelines = forms.CharField(
        label=_("Guidelines"),
        widget=forms.Textarea(attrs={"rows": 14}),
        max_length=50_000,
        help_text=_(
            "Markdown. Everybody reads them before the first matchup, and again when they change."
        ),
    )

    class Meta:
        model = Event
        fields = (
            "title",
            "slug",
            "summary",
            "description",
            "guidelines",
            "timezone",
            "opens_at",
            "closes_at",
            "prize",
            "licence",
            "is_private",
            "email_domains",
            "needs_approval",
            "freeze_minutes",
            "grace_minutes",
        )
        widgets = {
            "email_domains": forms.Textarea(attrs={"rows": 2}),
            "opens_at": LocalDateTimeInput(),
            "closes_at": LocalDateTimeInput(),
            "description": forms.Textarea(attrs={"rows": 4}),
            "prize": forms.Textarea(attrs={"rows": 2}),
        }
        labels = {
            "slug": _("Address"),
            "summary": _("Summary, in one line"),
            "description": _("What is compared, and why"),
            "opens_at": _("Opens at"),
            "closes_at": _("Deadline"),
            "licence": _("Data licence"),
            "is_private": _("Private: only people you invite"),
            "email_domains": _("Allowed e-mail domains"),
            "needs_approval": _("Require approval to join"),
            "freeze_minutes": _("Freeze rankings before the deadline (minutes)"),
            "grace_minutes": _("Grace period after the deadline (minutes)"),
        }
        help_texts = {
            "slug": _("Letters, digits and dashes. If empty, it is made from the title."),
            "opens_at": _("If empty: when you open the event."),
            "email_domains": _(
                "One per line, such as example.org. Anyone with an address there can join."
            ),
            "prize": _("With a prize, ten controls or more are needed."),
            "freeze_minutes": _("At most half of the event’s duration. 0: never."),
            "grace_minutes": _("Time to answer matchups that were already on the screen."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["slug"].required = False
        self.offer_timezones()
        self.lock_fields(self.instance)
        if self.instance.pk:
            for name in ("opens_at", "closes_at"):
                self.initial[name] = to_local(getattr(self.instance, name), self.instance.zone())

    def offer_timezones(self) -> None:
        """The zones that people live by; a new event begins at the zone of whoever writes it."""
        zone = self.fields["timezone"]
        chosen = self.data.get("timezone", "") if self.is_bound else self.instance.timezone
        known = chosen if chosen in list_timezones() else ""
        zone.choices = timezone_choices(timezone.now(), known)  # type: ignore[attr-defined]
        if not self.is_bound and self.instance.pk is None:
            zone.widget.attrs["data-own-timezone"] = ""

    def every_timezone(self) -> list[str]:
        """All zones there are, to choose the other one from."""
        return list_timezones()

    def clean_other_timezone(self) -> str:
        """A zone by name; it goes before the one chosen from the list."""
        other = str(self.cleaned_data["other_timezone"]).strip().replace(" ", "_")
        if other and other not in list_timezones():
            raise ValidationError(_("%(name)s is not a time zone."), params={"name": other})
        if other:
            self.cleaned_data["timezone"] = other
        return other

    def settings(self) -> dict[str, Any]:
        """What is said about a new event, as `create_event` takes it."""
        return {
            name: value for name, value in self.cleaned_data.items() if name != "other_timezone"
        }

    def clean_slug(self) -> str:
        """The address, made from the title where none is given."""
        slug = str(self.cleaned_data.get("slug") or "")
        if not slug:
            return free_event_slug(str(self.cleaned_data.get("title", "")))
        if Event.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("Another event already uses this address."))
        return slug

    def clean_email_domains(self) -> str:
        """One domain a line, without the @ that people put before it; of private events alone."""
        if not self.cleaned_data.get("is_private"):
            return str(self.instance.email_domains)
        typed = str(self.cleaned_data["email_domains"]).lower().replace(",", " ").split()
        domains = [domain.removeprefix("@") for domain in typed]
        if wrong := [domain for domain in domains if not DOMAIN.fullmatch(domain)]:
            raise ValidationError(_("%(domain)s is not a domain."), params={"domain": wrong[0]})
        return "\n".join(domains)

    def clean_guidelines(self) -> str:
        """The text with the line ends of the one before: browsers send their own."""
        before = str(self.initial.get("guidelines", ""))
        return keep_line_ends(str(self.cleaned_data["guidelines"]), before)

    def clean_prize(self) -> str:
        """A prize that somebody could win, once the event runs."""
        prize = keep_line_ends(str(self.cleaned_data["prize"]), self.instance.prize)
        if prize and not self.instance.prize and self.instance.is_running():
            promised = copy(self.instance)
            promised.prize = prize
            for find_obstacle in (
                find_prize_obstacle,
                find_hiding_obstacle,
                find_batch_obstacle,
                find_identity_obstacle,
            ):
                if missing := find_obstacle(promised):
                    raise ValidationError(missing)
        return prize

    def convert(self, cleaned: dict[str, Any]) -> None:
        """Times as they are meant, too: on the clock of the event's zone."""
        super().convert(cleaned)
        zone = Event(timezone=cleaned["timezone"]).zone() if cleaned.get("timezone") else None
        for name in ("opens_at", "closes_at"):
            moment: datetime | None = cleaned.get(name)
            if moment is not None and zone is not None:
                cleaned[name] = from_local(moment, zone, getattr(self.instance, name))


class TitleForm(forms.Form):
    """What a copy of an event is to be called; its address follows."""

    title = forms.CharField(label=_("Title of the copy"), max_length=120)


class TermsForm(SettingsForm):
    """What contributors agree to on joining."""

    class Meta:
        model = Terms
        fields = (
            *("licence", "public_release", "minimum_age", "content_warning", "assistance"),
            "prize_rules",
        )
        widgets = {
            "public_release": forms.Textarea(attrs={"rows": 3}),
            "content_warning": forms.Textarea(attrs={"rows": 3}),
            "assistance": forms.Textarea(attrs={"rows": 2}),
            "prize_rules": forms.Textarea(attrs={"rows": 3}),
        }
        labels = {
            "licence": _("Data licence"),
            "public_release": _("What is published"),
            "minimum_age": _("Minimum age"),
            "content_warning": _("Content warning"),
            "assistance": _("Assistance by programs and language models"),
            "prize_rules": _("Prize rules"),
        }
        help_texts = {
            "prize_rules": _("Shown below the prize."),
            "assistance": _("What is allowed and what is not. Answers alone cannot show it."),
        }

    def __init__(self, event: Event, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lock_fields(event)
        if not (event.prize or self.instance.prize_rules):
            del self.fields["prize_rules"]


class QuestionsForm(SettingsForm):
    """What is asked of every matchup, and how matchups are handed out."""

    advanced_names = (
        "daily_cap",
        "excludes_automatically",
        "lease_minutes",
        "undo_seconds",
        "recurrence_gap",
        "keeps_behaviour",
        "counts_imported",
        "counts_simulated",
        "counts_machine",
    )

    comment = forms.BooleanField(label=_("Ask for an optional comment"), required=False)

    class Meta:
        model = Event
        fields = (
            "scale",
            "both_bad",
            "overlap",
            "choosing",
            "matchups_per_record",
            "control_interval",
            "publish_batch",
            "daily_cap",
            "excludes_automatically",
            "lease_minutes",
            "undo_seconds",
            "recurrence_gap",
            "keeps_behaviour",
            "counts_imported",
            "counts_simulated",
            "counts_machine",
        )
        labels = {
            "both_bad": _("Offer “Both are bad”"),
            "overlap": _("Judgments per matchup"),
            "choosing": _("Choice of the next matchup"),
            "matchups_per_record": _("Matchups per record"),
            "control_interval": _("One control in how many matchups, after the first 30"),
            "publish_batch": _("Judgments between board updates"),
            "daily_cap": _("Judgments a day that count towards one person’s score"),
            "excludes_automatically": _("Exclude people who plainly do not read, without asking"),
            "lease_minutes": _("Time to answer a matchup (minutes)"),
            "undo_seconds": _("Time to undo an answer (seconds)"),
            "recurrence_gap": _("Other matchups before a prompt comes again"),
            "keeps_behaviour": _(
                "Keep how an answer was given (pace, focus, paste), as hints for reviewers"
            ),
            "counts_imported": _("Count imported judgments"),
            "counts_simulated": _("Count simulated judgments"),
            "counts_machine": _("Count machine judgments"),
        }
        help_texts = {
            "matchups_per_record": _("0: every pair of responses. Applies to later imports."),
            "choosing": _(
                "Most informative: the more another judgment of a pair of models is expected to"
                " narrow the intervals on the board, the more often it comes. Until there is a"
                " board, those with the fewest judgments come first."
            ),
            "publish_batch": _(
                "At least 20, with a prize 100. 0: live boards, for a small circle without a prize."
                " Anyone watching them can tell which matchups are controls."
            ),
            "scale": _("Cannot be changed after the first judgment."),
            "daily_cap": _("Cannot be changed after the opening. Further judgments still count."),
            "excludes_automatically": _(
                "Cannot be changed after the opening. Only people who fail the controls and agree "
                "with nobody, 5% of all at most, and you can reinstate them. Otherwise they are "
                "listed for you to decide."
            ),
            "keeps_behaviour": _(
                "Counts and times, never what was typed. The terms say so. It decides nothing."
            ),
            "counts_imported": _("The boards say what they count."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lock_fields(self.instance)
        rule = batch_rule(self.instance.publish_batch, has_prize=bool(self.instance.prize))
        if rule and not self.fields["publish_batch"].disabled:
            self.initial["publish_batch"] = rule.judgments

    def clean_publish_batch(self) -> int:
        """Judgments between updates: none, or enough of them to hide a single one."""
        batch = int(self.cleaned_data["publish_batch"])
        fewest = PRIZE_BATCH if self.instance.prize else MIN_BATCH
        is_enough = batch >= fewest or (batch == LIVE and not self.instance.prize)
        if not (is_enough or self.fields["publish_batch"].disabled):
            raise ValidationError(_("Give at least %(fewest)s."), params={"fewest": fewest})
        return batch

    def clean_scale(self) -> int:
        """A scale on which every control can be answered as expected."""
        scale = int(self.cleaned_data["scale"])
        ties = Control.objects.filter(matchup__event=self.instance, retired_at=None, key__sign=0)
        if scale == Event.Scale.TWO and ties.exists():
            raise ValidationError(_("Some controls have a tie as the right answer."))
        return scale


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


class DeadlineForm(forms.Form):
    """A new deadline, on the clock of the event's zone."""

    closes_at = forms.DateTimeField(label=_("New deadline"), widget=LocalDateTimeInput())
    why = forms.CharField(label=_("Why"), max_length=MAX_NOTE, help_text=WHY_HELP)

    def __init__(self, event: Event, data: Any = None) -> None:
        self.event = event
        super().__init__(data, initial={"closes_at": to_local(event.closes_at, event.zone())})

    def clean_closes_at(self) -> datetime:
        """The moment that is meant."""
        typed = self.cleaned_data["closes_at"]
        return from_local(typed, self.event.zone(), self.event.closes_at)
