"""Neutral rows: every standing judgment of an event with all that a format may want of it.

Rows come in the order of the ledger, those that are not sealed yet last. They are read in chunks,
each by the same number of queries, so that an event of any size passes through in little memory.
Nobody's name, address or key is ever read here: a contributor is their pseudonym.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from arena.events.models import Category, Control, Event, Matchup, MatchupResponse, Record
from arena.judging.ledger import get_ledger_head
from arena.judging.models import Answer, Exclusion, Judgment
from leaderboard.contributors.weights import WeightBook

CHUNK_SIZE = 500
"""Judgments that are read at a time; also the longest list of keys in a statement."""

Turns = list[dict[str, str]]
CONTROL = Matchup.Role.CONTROL
NO_KEY = ("", "")


@dataclass(frozen=True, slots=True)
class Side:
    """One response; a control's may have no competitor."""

    competitor: str | None
    text: str
    competitor_id: int | None


@dataclass(frozen=True, slots=True)
class Prompt:
    """A record as its judgments need it."""

    external_id: str
    turns: Turns
    categories: list[str]
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JudgmentRow:
    """One standing judgment. `sides` are in canonical order, `order` is from left to right."""

    uuid: str
    ledger_seq: int | None
    revision: int
    origin: str
    record: Prompt
    role: str
    sides: list[Side]
    # Canonical positions from left to right; null where the source did not say.
    order: list[int] | None
    # By the question's name, in the order in which they are asked.
    answers: dict[str, dict[str, Any]]
    pseudonym: str
    contributor_kind: str
    guidelines_version: int | None
    assignment: str | None
    shown_at: datetime | None
    judged_at: datetime | None
    # Why it does not count; null also where its origin alone is not counted.
    exclusion: str | None
    counted: bool
    # A control's answer in canonical order: first, second, tie; empty for other matchups.
    key: str
    key_reason: str
    # Primary keys: whoever copies the event keeps the order in which things came to it.
    contributor_id: int
    matchup_id: int
    # On the weighted board; null for what rates no model, and before anything was computed.
    weight: float | None


JUDGMENT_FIELDS = (
    "pk",
    "uuid",
    "ledger_seq",
    "revision",
    "origin",
    "matchup",
    "matchup__record",
    "matchup__role",
    "enrollment",
    "enrollment__pseudonym",
    "enrollment__kind",
    "guidelines__version",
    "assignment__uuid",
    "assignment__order",
    "assignment__shown_at",
    "judged_at",
)


def read_judgments(event: Event) -> Iterator[JudgmentRow]:
    """Every standing judgment of the event."""
    questions, weights = dict(event.questions.values_list("pk", "name")), WeightBook(event)
    preference = event.questions.filter(kind="preference").values_list("pk", flat=True).first()
    for which in split_into_chunks(event):
        for row in read_chunk(event, which, questions):
            yield replace(row, weight=weigh_row(row, preference, weights))


def weigh_row(row: JudgmentRow, question: int | None, weights: WeightBook) -> float | None:
    """What a judgment weighs on the weighted board of the first preference."""
    models = [side.competitor_id for side in row.sides if side.competitor_id is not None]
    is_vote = row.counted and row.role == Matchup.Role.ORDINARY and len(models) == 2
    if not is_vote or question is None:
        return None
    return weights.find(row.contributor_id, question, models)


def split_into_chunks(event: Event) -> Iterator[Q]:
    """Conditions that cut the event's judgments into chunks, each found by an index."""
    head = get_ledger_head(event.pk)
    for start in range(0, head, CHUNK_SIZE):
        yield Q(ledger_seq__gt=start, ledger_seq__lte=start + CHUNK_SIZE)
    unsealed = Judgment.objects.filter(event=event, ledger_seq=None).order_by("pk")
    after = 0
    while keys := list(unsealed.filter(pk__gt=after).values_list("pk", flat=True)[:CHUNK_SIZE]):
        yield Q(ledger_seq=None, pk__gt=after, pk__lte=keys[-1])
        after = keys[-1]


def read_chunk(event: Event, which: Q, questions: dict[int, str]) -> Iterator[JudgmentRow]:
    """The standing judgments of one chunk; `questions` maps keys to names."""
    standing = Judgment.objects.standing().filter(which, event=event)
    found = list(standing.order_by("ledger_seq", "pk").values(*JUDGMENT_FIELDS))
    if not found:
        return
    counted = set(
        Judgment.objects.counted().filter(which, event=event).values_list("pk", flat=True)
    )
    reasons = load_exclusion_reasons(found)
    answers = load_answers(standing, questions)
    sides = load_sides({row["matchup"] for row in found})
    prompts = load_prompts({row["matchup__record"] for row in found})
    keys = load_keys({row["matchup"] for row in found if row["matchup__role"] == CONTROL})
    for row in found:
        given = answers[row["pk"]]
        yield JudgmentRow(
            uuid=str(row["uuid"]),
            ledger_seq=row["ledger_seq"],
            revision=row["revision"],
            origin=row["origin"],
            record=prompts[row["matchup__record"]],
            role=row["matchup__role"],
            sides=sides[row["matchup"]],
            order=row["assignment__order"] or find_order(given),
            answers=given,
            pseudonym=row["enrollment__pseudonym"],
            contributor_kind=row["enrollment__kind"],
            guidelines_version=row["guidelines__version"],
            assignment=str(row["assignment__uuid"]) if row["assignment__uuid"] else None,
            shown_at=row["assignment__shown_at"],
            judged_at=row["judged_at"],
            exclusion=reasons.get(("judgment", row["pk"]))
            or reasons.get(("enrollment", row["enrollment"])),
            counted=row["pk"] in counted,
            key=keys.get(row["matchup"], NO_KEY)[0],
            key_reason=keys.get(row["matchup"], NO_KEY)[1],
            contributor_id=row["enrollment"],
            matchup_id=row["matchup"],
            weight=None,
        )


def find_order(answers: dict[str, dict[str, Any]]) -> list[int] | None:
    """Who stood left, as an imported preference says it."""
    for value in answers.values():
        if value.get("first_on_left") is not None:
            return [0, 1] if value["first_on_left"] else [1, 0]
    return None


def load_exclusion_reasons(found: Sequence[dict[str, Any]]) -> dict[tuple[str, int], str]:
    """Why judgments and contributors are excluded, by ("judgment" or "enrollment", key)."""
    named = Q(judgment__in=[row["pk"] for row in found])
    named |= Q(enrollment__in={row["enrollment"] for row in found})
    reasons = {}
    for judgment, enrollment, reason in (
        Exclusion.objects.in_force()
        .filter(named)
        .values_list("judgment_id", "enrollment_id", "reason")
    ):
        reasons["judgment" if judgment else "enrollment", judgment or enrollment] = reason
    return reasons


def load_answers(
    judgments: QuerySet[Judgment], questions: dict[int, str]
) -> dict[int, dict[str, dict[str, Any]]]:
    """The answers of a chunk's judgments, by judgment and by question."""
    answers: dict[int, dict[str, dict[str, Any]]] = defaultdict(dict)
    given = Answer.objects.filter(judgment__in=judgments).order_by("question__position")
    for answer in given:
        answers[answer.judgment_id][questions[answer.question_id]] = answer.as_value()
    return answers


def load_sides(matchups: set[int]) -> dict[int, list[Side]]:
    """The responses of some matchups in canonical order."""
    sides = defaultdict(list)
    for matchup, name, text, competitor in (
        MatchupResponse.objects.filter(matchup__in=matchups)
        .order_by("matchup", "position")
        .values_list(
            "matchup",
            "response__competitor__name",
            "response__text",
            "response__competitor",
        )
    ):
        sides[matchup].append(Side(name, text, competitor))
    return sides


def load_prompts(records: set[int]) -> dict[int, Prompt]:
    """Some records with the names of their categories."""
    names = defaultdict(list)
    for record, name in (
        Category.objects.filter(records__in=records)
        .order_by("records", "name")
        .values_list("records", "name")
    ):
        names[record].append(name)
    return {
        pk: Prompt(external_id, turns, names[pk], metadata)
        for pk, external_id, turns, metadata in Record.objects.filter(pk__in=records).values_list(
            "pk", "external_id", "prompt", "metadata"
        )
    }


def load_keys(matchups: set[int]) -> dict[int, tuple[str, str]]:
    """The answers of some controls and why they are right."""
    words = {1: "first", 0: "tie", -1: "second"}
    controls = Control.objects.filter(matchup__in=matchups)
    return {
        matchup: (words[key["sign"]], reason)
        for matchup, key, reason in controls.values_list("matchup", "key", "reason")
    }


@dataclass(frozen=True, slots=True)
class JudgedMatchup:
    """A matchup of models and how its counted judgments answered a preference, in their order."""

    pk: int
    turns: Turns
    sides: list[Side]
    outcomes: list[int]


def read_judged_matchups(event: Event) -> Iterator[JudgedMatchup]:
    """The matchups of models that have counted judgments, with the first preference's outcomes."""
    question = event.questions.filter(kind="preference").first()
    if question is None:
        return
    rateable = Matchup.objects.rateable().filter(event=event).order_by("pk")
    after = 0
    while found := dict(rateable.filter(pk__gt=after).values_list("pk", "record")[:CHUNK_SIZE]):
        after = max(found)
        outcomes = load_outcomes(question.pk, set(found))
        sides = load_sides(set(outcomes))
        prompts = load_prompts({found[pk] for pk in outcomes})
        for pk in sorted(outcomes):
            yield JudgedMatchup(pk, prompts[found[pk]].turns, sides[pk], outcomes[pk])


def load_outcomes(question: int, matchups: set[int]) -> dict[int, list[int]]:
    """The counted outcomes of some matchups, in the order of their judgments."""
    counted = Judgment.objects.counted().filter(matchup__in=matchups)
    outcomes: dict[int, list[int]] = defaultdict(list)
    for matchup, outcome in (
        Answer.objects.filter(judgment__in=counted, question=question)
        .order_by("judgment")
        .values_list("judgment__matchup", "outcome")
    ):
        assert outcome is not None, "a preference has an outcome"
        outcomes[matchup].append(outcome)
    return outcomes
