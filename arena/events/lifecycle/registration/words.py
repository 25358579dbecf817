"""The words for what an event registers: settings by name, and their values as people read them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from arena.events.models import Event

LABELS: dict[str, Any] = {
    "title": lazy("Title"),
    "slug": lazy("Address"),
    "summary": lazy("Summary"),
    "description": lazy("What is compared, and why"),
    "guidelines": lazy("Guidelines"),
    "questions": lazy("Questions"),
    "scale": lazy("Scale"),
    "both_bad": lazy("“Both are bad” is offered"),
    "overlap": lazy("Judgments per matchup"),
    "choosing": lazy("Choice of the next matchup"),
    "matchups_per_record": lazy("Matchups per record, 0 for every pair"),
    "control_interval": lazy("One control in how many matchups, after the first 30"),
    "recurrence_gap": lazy("Other matchups before a prompt comes again"),
    "lease_minutes": lazy("Time to answer a matchup (minutes)"),
    "undo_seconds": lazy("Time to undo an answer (seconds)"),
    "counts_imported": lazy("Imported judgments count"),
    "counts_simulated": lazy("Simulated judgments count"),
    "counts_machine": lazy("Judgments by machines count"),
    "excludes_automatically": lazy("The event excludes by itself whoever plainly does not read"),
    "daily_cap": lazy("Judgments a day that count towards a score"),
    "prize": lazy("Prize"),
    "timezone": lazy("Time zone"),
    "opens_at": lazy("Opens at"),
    "closes_at": lazy("Deadline"),
    "freeze_minutes": lazy("Ranks freeze before the deadline (minutes)"),
    "grace_minutes": lazy("Grace period after the deadline (minutes)"),
    "publish_batch": lazy("Judgments between board updates, 0 for live boards"),
    "keeps_behaviour": lazy("How an answer was given is kept"),
    "licence": lazy("Data licence"),
    "is_private": lazy("Only for people who are invited"),
    "needs_approval": lazy("Joining takes approval"),
    "terms": lazy("Terms"),
    "terms.licence": lazy("Data licence"),
    "terms.public_release": lazy("What is published"),
    "terms.minimum_age": lazy("Minimum age"),
    "terms.content_warning": lazy("Content warning"),
    "terms.assistance": lazy("Assistance by programs and language models"),
    "terms.keeps_behaviour": lazy("How an answer was given is kept"),
    "terms.prize": lazy("Prize"),
    "terms.prize_rules": lazy("Prize rules"),
}
CHOICES: dict[str, dict[Any, Any]] = {
    "scale": dict(Event.Scale.choices),
    "choosing": dict(Event.Choosing.choices),
}
# By sign; first and second are the responses in canonical order.
KEYS = {1: lazy("the first response"), 0: lazy("a tie"), -1: lazy("the second response")}
# Markdown, which is shown rendered.
PROSE = frozenset({"description", "guidelines", "prize", "terms.prize", "terms.prize_rules"})


def name_setting(name: str) -> str:
    """What people call a setting; of the terms, which say some things again, with that word."""
    label = str(LABELS.get(name, name))
    return _("Terms: %(label)s") % {"label": label} if name.startswith("terms.") else label


def flatten_terms(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with each part of the terms by a name of its own."""
    flat = {name: value for name, value in settings.items() if name != "terms"}
    terms = settings.get("terms") or {}
    return flat | {f"terms.{part}": value for part, value in terms.items()}


def read_value(name: str, value: Any, zone: ZoneInfo) -> str:
    """A setting's value in words; times on the clock of the zone."""
    if value is None or value == "":
        return _("none")
    if name == "questions":
        return "\n\n".join(read_question(each) for each in value)
    if name in ("opens_at", "closes_at"):
        moment = datetime.fromisoformat(value).astimezone(zone)
        return f"{date_format(moment, 'j M Y, H:i')} ({zone.key})"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (choices := CHOICES.get(name, {})):
        return str(choices[value])
    return number_format(value, force_grouping=True) if isinstance(value, int) else str(value)


def read_question(question: dict[str, Any]) -> str:
    """A question in lines: what it asks, its help, and its settings."""
    need = _("required") if question["required"] else _("optional")
    lines = [f"{question['title']} ({question['kind']}, {need})", question["help"]]
    lines += [f"{name}: {value}" for name, value in sorted(question["settings"].items())]
    return "\n".join(line for line in lines if line)


def read_key(key: Any) -> str:
    """A control's key in words, as a decision has it."""
    if key is None or key.get("withdrawn"):
        return _("none")
    return str(KEYS.get(key["sign"], key))
