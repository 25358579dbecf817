"""The record of decisions, as organizers and reviewers read it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from arena.events.decision_record import name_staff
from arena.events.lifecycle.decisions import STAFF_ROLES
from arena.events.models import Act, Decision, Event
from arena.judging.models import Case, Exclusion
from arena.people.models import User

MAX_VALUE = 80
CASE_REASONS: dict[str, str | Promise] = dict(Case.Reason.choices)
EXCLUSION_REASONS: dict[str, str | Promise] = dict(Exclusion.Reason.choices)
# Whose reason is a case's: of the others, an exclusion's.
ABOUT_CASES = {
    *(Act.WARNED, Act.WARNING_WITHDRAWN, Act.DISMISSED, Act.REOPENED, Act.BLOCKED, Act.UNBLOCKED)
}
NAMES = {"sign": lazy("Right answer"), "since": lazy("From"), "withdrawn": lazy("Withdrawn")}
SIDES = {1: lazy("the first response"), 0: lazy("a tie"), -1: lazy("the second response")}


@dataclass(frozen=True)
class Change:
    """One value before and after; "" for none."""

    name: str
    old: str
    new: str


@dataclass(frozen=True)
class DecisionRow:
    """A decision in words. by and confirmed_by: pseudonym, with the name that staff know behind it;
    about: a contributor's pseudonym, a matchup, or ""."""

    decision: Decision
    by: str
    confirmed_by: str
    about: str
    reason: str
    changes: list[Change]


def list_decisions(event: Event, contributor: str = "") -> QuerySet[Decision]:
    """The event's decisions, the latest first; contributor: those about this pseudonym."""
    found = Decision.objects.filter(event=event).order_by("-made_at", "-pk")
    return found.filter(contributor=contributor) if contributor else found


def view_decisions(event: Event, decisions: Iterable[Decision]) -> list[DecisionRow]:
    """These decisions in words."""
    names = name_members(event)
    return [
        DecisionRow(
            one,
            names.get(one.by, one.by) if one.by else _("The event’s own rule"),
            names.get(one.confirmed_by, one.confirmed_by),
            one.contributor or one.matchup,
            name_reason(one),
            list_changes(one),
        )
        for one in decisions
    ]


def name_members(event: Event) -> dict[str, str]:
    """Pseudonyms of the staff with the names behind them; who has left stays a pseudonym."""
    members = User.objects.filter(memberships__event=event, memberships__role__in=STAFF_ROLES)
    pseudonyms = ((name_staff(event, user), user) for user in members)
    return {pseudonym: f"{pseudonym} ({name_user(user)})" for pseudonym, user in pseudonyms}


def name_user(user: User | None) -> str:
    """What colleagues call a member of staff; None: somebody who has left."""
    return user.colleague_name if user is not None else _("somebody who has left")


def name_reason(decision: Decision) -> str:
    """A decision's reason in words; "" where it has none."""
    labels = CASE_REASONS if decision.act in ABOUT_CASES else EXCLUSION_REASONS
    return str(labels.get(decision.reason, decision.reason))


def list_changes(decision: Decision) -> list[Change]:
    """What was there before and is there after, value by value."""
    if decision.act == Act.RECORD_CORRECTED:
        return [Change(_("Record"), str(decision.old), str(decision.new))]
    old, new = (value if isinstance(value, dict) else {} for value in (decision.old, decision.new))
    return [
        Change(
            str(NAMES.get(name, name.replace("_", " ").capitalize())),
            format_value(name, old.get(name)),
            format_value(name, new.get(name)),
        )
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]


def format_value(name: str, value: Any) -> str:
    """A value of JSON on one line, cut where it is long."""
    if value is None:
        return ""
    if name == "sign":
        return str(SIDES[value])
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return Truncator(" ".join(text.split())).chars(MAX_VALUE)
