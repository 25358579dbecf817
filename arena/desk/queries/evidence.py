"""What speaks for and against a contributor: their cases in words, and single answers."""

import math
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from arena.desk.queries.pairs import SideView, names_in_order, prefetch_texts, view_sides
from arena.desk.queries.records import JudgmentSummary, summarize_judgment
from arena.events.models import Control, Enrollment, Record
from arena.judging.models import Case, Judgment
from arena.questions import KINDS
from leaderboard.contributors.claims import weigh_claim
from leaderboard.models import Reliability

Reason = Case.Reason
MAX_RATIO = 1_000_000
SMALLEST_TOLD = 1.0
"""Evidence in nats below which a claim says nothing of chance."""
NEEDED = {
    Reason.RIGGING: "rig_evidence",
    Reason.SIDES: "side_evidence",
    Reason.TWIN: "evidence",
    Reason.GAP: "on_others_error",
    Reason.UNRELIABLE: "overall_error",
}
"""The figure without which a case cannot say how surprising it is."""


@dataclass(frozen=True)
class WeighedAnswer:
    """An answer that says much for reading (`speaks_for`) or against it, and by how much: so many
    times as likely. judgment: its UUID; sides: the responses as they stood on the screen."""

    said: JudgmentSummary
    record: Record
    ratio: str
    speaks_for: bool
    judgment: UUID
    sides: list[SideView]


@dataclass(frozen=True)
class ControlAnswer:
    """An answer to a control beside what was expected, and why; the rest as above."""

    said: JudgmentSummary
    record: Record
    expected: str
    reason: str
    passed: bool
    judgment: UUID
    sides: list[SideView]


def describe_claim(case: Case) -> str:
    """What a case claims and how often chance does as much, with the figures of when it was
    opened, for readers without statistics."""
    return " ".join(filter(None, [say_what_was_seen(case), say_chance(case)]))


def say_what_was_seen(case: Case) -> str:
    """One sentence of what a case claims."""
    found: dict[str, Any] = case.evidence
    if case.reason == Reason.RIGGING:
        words = (
            _("Where %(model)s is one of the two, they choose it far more often than others do.")
            if found.get("lifts")
            else _(
                "Where %(model)s is one of the two, they choose the other one far more often than "
                "others do."
            )
        )
        return words % {"model": found.get("model", _("a model"))}
    if case.reason == Reason.SIDES:
        return _("They choose by the side of the screen, or by the model, and not by reading.")
    if case.reason == Reason.GAP:
        return _(
            "They pass the controls%(passed)s, and answer everything else otherwise than the "
            "others: reliability %(on_others)s there, where most readers reach 1."
        ) % {"passed": say_passed(found), "on_others": format_figure(found["on_others"])}
    if case.reason == Reason.UNRELIABLE:
        return _(
            "They seem to answer without reading%(passed)s: they agree with the controls and with "
            "the others hardly more than chance does."
        ) % {"passed": say_passed(found)}
    if case.reason == Reason.TWIN:
        return _(
            "They give the same answers as %(other)s to %(shared)s matchups far more often than "
            "two people do who judge alone."
        ) % {"shared": found["shared"], "other": found["other"]}
    return _("Excluded by a reviewer.")


def say_passed(found: dict[str, Any]) -> str:
    """Controls passed, in brackets; empty where nobody kept them."""
    if not found.get("controls") or "passed" not in found:
        return ""
    return _(" (%(passed)s of %(controls)s controls as expected)") % {
        "passed": found["passed"],
        "controls": found["controls"],
    }


def say_chance(case: Case) -> str:
    """How often somebody honest shows as much; empty where the case keeps no figure of it."""
    needed = NEEDED.get(Reason(case.reason))
    if needed is None or needed not in case.evidence:
        return ""
    evidence = weigh_claim(case, None)
    if evidence < SMALLEST_TOLD:
        return ""
    once = {"share": say_share(evidence)}
    if case.reason == Reason.UNRELIABLE:
        words = _("Of people who read poorly, %(share)s looks like this.")
    elif case.reason == Reason.TWIN:
        words = _("Of pairs who judge alone, at most %(share)s looks like this.")
    elif case.reason == Reason.GAP:
        words = _("By chance alone, %(share)s looks like this.")
    else:
        words = _("Of people who read as the others do, at most %(share)s looks like this.")
    return words % once


def say_share(logarithm: float) -> str:
    """The inverse of a likelihood ratio as a share, with two figures that count: "one in 3,100",
    and never less than "one in a million"."""
    if logarithm >= math.log(MAX_RATIO):
        return _("one in a million")
    ratio = math.exp(logarithm)
    unit = 10 ** max(math.floor(math.log10(ratio)) - 1, 0)
    return _("one in %(count)s") % {
        "count": number_format(round(ratio / unit) * unit, force_grouping=True)
    }


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
        said=summarize(judgment),
        record=judgment.matchup.record,
        ratio=to_ratio(abs(value)),
        speaks_for=value > 0,
        judgment=judgment.uuid,
        sides=sides_of(judgment),
    )
    return value, said


def list_control_answers(enrollment: Enrollment) -> list[ControlAnswer]:
    """Their answers to controls in force, those that failed first."""
    controls = Control.objects.filter(matchup__event=enrollment.event_id, retired_at=None)
    met = controls.filter(matchup__judgments__enrollment=enrollment).distinct()
    keys = {control.matchup_id: control for control in met}
    found = []
    for judgment in read_judgments(enrollment, matchup__in=list(keys)):
        control = keys[judgment.matchup_id]
        answers = (one for one in judgment.answers.all() if one.outcome is not None)
        answer = next((one for one in answers if one.question_id == control.question_id), None)
        if answer is None:
            continue
        credit = KINDS["preference"].credit(answer.as_value(), control.key)
        found.append(
            ControlAnswer(
                said=summarize(judgment),
                record=judgment.matchup.record,
                expected=name_key(judgment, control.key),
                reason=control.reason,
                passed=credit == 1.0,
                judgment=judgment.uuid,
                sides=sides_of(judgment),
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


def sides_of(judgment: Judgment) -> list[SideView]:
    """The responses as they stood on the screen, else in canonical order."""
    return view_sides(judgment.matchup, judgment.assignment.order if judgment.assignment else None)


def names_of(judgment: Judgment) -> list[str]:
    """What to call the responses, in canonical order."""
    order = judgment.assignment.order if judgment.assignment else None
    return names_in_order(sides_of(judgment), order)


def summarize(judgment: Judgment) -> JudgmentSummary:
    """The judgment in words."""
    return summarize_judgment(judgment, judgment.event, names_of(judgment))


def name_key(judgment: Judgment, key: dict[str, Any]) -> str:
    """What was expected, in the words of the answer."""
    if not key.get("sign"):
        return _("Tie")
    return names_of(judgment)[0 if key["sign"] > 0 else 1]
