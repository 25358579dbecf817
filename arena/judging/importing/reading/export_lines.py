"""One line of an export of judgments: the record it was about, and the vote.

docs/exports.md says what each field means. Sides are in canonical order, so that the outcome and
what stood left need no column of their own to be understood.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.events.importing.checking.checks import Checker, InvalidRowError
from arena.events.importing.reading.records import EXTERNAL_ID
from arena.events.models import Enrollment, Matchup
from arena.judging.importing.reading.preferences import Verdict, misfit
from arena.judging.importing.reading.timestamps import parse_moment
from arena.judging.importing.reading.vote_lines import Terms
from arena.judging.models import Exclusion, Origin
from arena.questions.preference import SCALES

NEEDED = (
    *("external_id", "prompt", "first_competitor", "first_response", "second_competitor"),
    *("second_response", "outcome", "both_bad", "left", "pseudonym", "origin", "role", "counted"),
)
FIRST_ON_LEFT = {"first": True, "second": False, None: None}
EXPECTED = {"first": "a", "second": "b", "tie": "tie"}
# Judged on a screen there is imported here; the other origins stay what they are.
ORIGINS = {origin: Origin.IMPORTED if origin == Origin.SCREEN else origin for origin in Origin}
NOT_COUNTED = "Did not count where it was collected: its origin was not counted there."
EXCLUDED = "Excluded where it was collected."

Side = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class ExportedVote:
    """A standing judgment of another event."""

    uuid: str
    record: str
    sides: tuple[Side, Side]
    role: str
    # A control's right answer: a, b, tie; empty for other matchups.
    expected: str
    reason: str
    worker: str
    kind: str
    outcome: int | None
    both_bad: bool
    first_on_left: bool | None
    judged_at: datetime | None
    comment: str
    others: dict[str, Any]
    origin: str
    exclusion: str
    note: str
    # The order in which things came to the other event; 0 where an older file does not say.
    first_number: int
    second_number: int
    worker_number: int
    matchup_number: int


def are_twins(sides: tuple[Side, Side]) -> bool:
    """Whether nobody's text stands on both sides, as in a control that asks for a tie."""
    return sides[0] == sides[1] and sides[0][0] is None


def scale_misfit(data: Mapping[str, Any], scale: int) -> str:
    """Why the grades of another event's scale are none of this one's; empty where they are."""
    theirs = data.get("scale")
    if theirs not in SCALES or max(SCALES[theirs]) in (1, max(SCALES[scale])):
        return ""
    return (
        f"the file is of an event with a scale of {theirs}, and this event has one of {scale}; its "
        f"degrees would mean something else here. Import it into an event with that scale"
    )


def parse_exported(data: Mapping[str, Any], terms: Terms) -> ExportedVote:
    """Check a line's every field but for the record's own. Raises `InvalidRowError`."""
    check = Checker()
    for name in NEEDED:
        if name not in data:
            check.refuse(name, "is missing; was this line changed after the export?")
    check.raise_problems()
    role = one_of(data, "role", Matchup.Role.values, check)
    expected = EXPECTED.get(str(data.get("key") or ""), "")
    if role == Matchup.Role.CONTROL and not expected:
        check.refuse("key", "is missing: a control without its answer; export the event anew")
    if role != Matchup.Role.CONTROL:
        expected = ""
        for name in ("first_competitor", "second_competitor"):
            if data[name] is None:
                check.refuse(name, "is missing; only a control's responses may be nobody's")
    exclusion, note = exclusion_of(data, check)
    vote = ExportedVote(
        uuid=check.check_text(data["uuid"], "uuid"),
        record=check.check_name(data["external_id"], "external_id", EXTERNAL_ID),
        sides=(side_of(data, "first", check), side_of(data, "second", check)),
        role=role,
        expected=expected,
        reason=check.check_text(data.get("key_reason") or "", "key_reason"),
        worker=check.check_name(data["pseudonym"], "pseudonym", 60),
        kind=one_of(
            {"contributor_kind": "human"} | dict(data),
            "contributor_kind",
            Enrollment.Kind.values,
            check,
        ),
        outcome=outcome_of(data, terms, check),
        both_bad=data["both_bad"] is True,
        first_on_left=side_on_left(data["left"], check),
        judged_at=moment_of(data.get("judged_at"), terms, check),
        comment=check.check_text(data.get("comment") or "", "comment"),
        others=dict(data.get("other_answers") or {}),
        origin=ORIGINS.get(one_of(data, "origin", Origin.values, check), ""),  # type: ignore[call-overload]
        exclusion=exclusion,
        note=note,
        first_number=number_of(data, "first_competitor_id", check),
        second_number=number_of(data, "second_competitor_id", check),
        worker_number=number_of(data, "contributor_id", check),
        matchup_number=number_of(data, "matchup_id", check),
    )
    check.raise_problems()
    return vote


def record_of(data: Mapping[str, Any]) -> dict[str, Any]:
    """What a line says of its record beside the responses, as a file of records would."""
    metadata = data.get("metadata")
    try:
        metadata = json.loads(metadata) if isinstance(metadata, str) else metadata
    except ValueError as error:
        check = Checker()
        check.refuse("metadata", "is not JSON")
        raise InvalidRowError(check.problems) from error
    return {
        "external_id": data["external_id"],
        "prompt": data["prompt"],
        "categories": data.get("categories"),
        "metadata": metadata,
    }


def one_of(data: Mapping[str, Any], field: str, words: list[str], check: Checker) -> str:
    """A value out of a few."""
    value = data[field]
    if value not in words:
        check.refuse(field, f"must be one of {', '.join(words)}")
        return ""
    return str(value)


def side_of(data: Mapping[str, Any], name: str, check: Checker) -> Side:
    """Whose response, and its text."""
    competitor = data[f"{name}_competitor"]
    if competitor is not None:
        competitor = check.check_text(competitor, f"{name}_competitor")
    return competitor, check.check_text(data[f"{name}_response"], f"{name}_response")


def outcome_of(data: Mapping[str, Any], terms: Terms, check: Checker) -> int | None:
    """The outcome in canonical order, one of this event's scale."""
    outcome = data["outcome"]
    if outcome is None:
        return None
    if isinstance(outcome, bool) or not isinstance(outcome, int):
        check.refuse("outcome", "must be a whole number")
        return None
    verdict = Verdict(outcome, both_bad=data["both_bad"] is True)
    if verdict.both_bad and outcome:
        check.refuse("both_bad", "goes with an outcome of 0")
    elif problem := misfit(verdict, terms.scale, both_bad=terms.both_bad):
        scale = data.get("scale")
        hint = f" (the other event's scale is {scale})" if scale != terms.scale else ""
        check.refuse("outcome", problem + hint)
    return outcome


def side_on_left(value: object, check: Checker) -> bool | None:
    """Whether the first response stood left; null where nobody knows."""
    if value is not None and value not in ("first", "second"):
        check.refuse("left", "must be first, second or null")
        return None
    return FIRST_ON_LEFT[value]


def moment_of(value: object, terms: Terms, check: Checker) -> datetime | None:
    """When it was judged; null where nobody knows."""
    if value is None:
        return None
    try:
        return parse_moment(str(value), terms.zone)
    except ValueError as error:
        check.refuse("judged_at", str(error))
        return None


def exclusion_of(data: Mapping[str, Any], check: Checker) -> tuple[str, str]:
    """Why the vote does not count, so that it does not count here either."""
    reason, counted = data.get("exclusion"), data["counted"]
    if reason is not None:
        return one_of(data, "exclusion", Exclusion.Reason.values, check), EXCLUDED
    # Simulated and machine judgments are marked as such here, too; imported ones would begin to
    # count, as those judged there do.
    if counted is False and data["origin"] == Origin.IMPORTED:
        return Exclusion.Reason.ORGANIZER, NOT_COUNTED
    return "", ""


def number_of(data: Mapping[str, Any], field: str, check: Checker) -> int:
    """A number that says in which order things came."""
    value = data.get(field)
    if value is None:
        return 0
    if isinstance(value, float) and value.is_integer():  # a table with gaps in the column
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        check.refuse(field, "must be a whole number")
        return 0
    return value
