"""What speaks for and against a contributor: their cases in words, and single answers."""

import math
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from arena.desk.queries.pairs import names_in_order, prefetch_texts, view_sides
from arena.desk.queries.records import JudgmentSummary, summarize_judgment
from arena.events.models import Control, Enrollment, Record
from arena.judging.models import Case, Judgment
from arena.questions import KINDS
from leaderboard.models import Reliability

Reason = Case.Reason
MAX_RATIO = 1_000_000


@dataclass(frozen=True)
class WeighedAnswer:
    """An answer that says much for reading (`speaks_for`) or against it, and by how much: so many
    times as likely."""

    said: JudgmentSummary
    record: Record
    ratio: str
    speaks_for: bool


@dataclass(frozen=True)
class ControlAnswer:
    """An answer to a control beside what was expected."""

    said: JudgmentSummary
    record: Record
    expected: str
    passed: bool


def describe_claim(case: Case) -> str:
    """One sentence of what a case claims, with the figures of when it was opened."""
    found: dict[str, Any] = case.evidence
    if case.reason == Reason.RIGGING and "model" in found:
        words = (
            _("These answers are %(ratio)s times as likely from one who lifts %(model)s.")
            if found.get("lifts")
            else _(
                "These answers are %(ratio)s times as likely from somebody who lowers %(model)s."
            )
        )
        return words % {"ratio": to_ratio(found["rig_evidence"]), "model": found["model"]}
    if case.reason == Reason.SIDES:
        return _(
            "The sides chosen are %(ratio)s times as likely from somebody who goes by sides, or by "
            "models, as from anybody who reads."
        ) % {"ratio": to_ratio(found["side_evidence"])}
    if case.reason in (Reason.GAP, Reason.UNRELIABLE):
        words = _(
            "Reliability is %(on_controls)s on controls and %(on_others)s on all else, after "
            "%(controls)s controls."
        )
        figures = {name: format_figure(found[name]) for name in ("on_controls", "on_others")}
        return words % (figures | {"controls": found["controls"]})
    if case.reason == Reason.TWIN:
        return _(
            "The answers to %(shared)s matchups are %(ratio)s times as likely from somebody who "
            "copies %(other)s."
        ) % {
            "shared": found["shared"],
            "ratio": to_ratio(found["evidence"]),
            "other": found["other"],
        }
    return _("Excluded by a reviewer.")


def to_ratio(logarithm: float) -> str:
    """A likelihood ratio in figures that people can read."""
    ratio = math.exp(min(logarithm, math.log(MAX_RATIO) + 1.0))
    if ratio > MAX_RATIO:
        return _("over a million")
    return number_format(ratio, decimal_pos=0 if ratio >= 10 else 1, force_grouping=True)


def format_figure(value: float) -> str:
    """Two decimals."""
    return number_format(value, decimal_pos=2)


def find_strongest(enrollment: Enrollment, known: Reliability | None) -> list[WeighedAnswer]:
    """The answers that say most, against reading first."""
    if known is None:
        return []
    told = {int(seq): float(value) for seq, value in known.strongest}
    judgments = read_judgments(enrollment, ledger_seq__in=told)
    found = [weigh_answer(judgment, told[judgment.ledger_seq or 0]) for judgment in judgments]
    return [one for _value, one in sorted(found, key=lambda pair: pair[0])]


def weigh_answer(judgment: Judgment, value: float) -> tuple[float, WeighedAnswer]:
    """The answer in words, after the logarithm of what it says."""
    said = WeighedAnswer(
        summarize(judgment), judgment.matchup.record, to_ratio(abs(value)), value > 0
    )
    return value, said


def list_control_answers(enrollment: Enrollment) -> list[ControlAnswer]:
    """Their answers to controls in force, those that failed first."""
    keys = dict(
        Control.objects.filter(matchup__event=enrollment.event_id, retired_at=None).values_list(
            "matchup_id", "key"
        )
    )
    found = []
    for judgment in read_judgments(enrollment, matchup__control__retired_at=None):
        key = keys.get(judgment.matchup_id)
        answer = next((one for one in judgment.answers.all() if one.outcome is not None), None)
        if key is None or answer is None:
            continue
        credit = KINDS["preference"].credit(answer.as_value(), key)
        found.append(
            ControlAnswer(
                summarize(judgment), judgment.matchup.record, name_key(judgment, key), credit == 1.0
            )
        )
    return sorted(found, key=lambda one: one.passed)


def read_judgments(enrollment: Enrollment, **which: Any) -> list[Judgment]:
    """Some of their judgments that stand, with what a line about one shows."""
    chosen = Judgment.objects.standing().filter(enrollment=enrollment, **which)
    return list(
        chosen.exclude(matchup=None)
        .select_related("event", "enrollment", "assignment", "matchup__record")
        .prefetch_related(
            "answers", "exclusions", "enrollment__exclusions", prefetch_texts("matchup")
        )
        .order_by("ledger_seq", "pk")
    )


def summarize(judgment: Judgment) -> JudgmentSummary:
    """The judgment in words."""
    order = judgment.assignment.order if judgment.assignment else None
    sides = view_sides(judgment.matchup, order)
    return summarize_judgment(judgment, judgment.event, names_in_order(sides, order))


def name_key(judgment: Judgment, key: dict[str, Any]) -> str:
    """What was expected, in the words of the answer."""
    if not key.get("sign"):
        return _("Tie")
    order = judgment.assignment.order if judgment.assignment else None
    names = names_in_order(view_sides(judgment.matchup, order), order)
    return names[0] if key["sign"] > 0 else names[1]
