"""Parsing a line of a judgment export: a record and a vote on it.

docs/exports.md documents the fields. Responses are in canonical order, so that the outcome and the
left side need no further column.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from arena.events.importing.checking.checks import Checker, InvalidRowError
from arena.events.importing.reading.records import MAX_EXTERNAL_ID
from arena.events.models import Enrollment, Matchup
from arena.judging.importing.reading.preferences import VotePreference, explain_not_offered
from arena.judging.importing.reading.timestamps import parse_timestamp
from arena.judging.importing.reading.vote_lines import VoteRules
from arena.judging.models import Exclusion, Origin
from arena.questions.preference import SCALES

REQUIRED_FIELDS = (
    *("external_id", "prompt", "first_competitor", "first_response", "second_competitor"),
    *("second_response", "outcome", "both_bad", "left", "pseudonym", "origin", "role", "counted"),
)
FIRST_ON_LEFT = {"first": True, "second": False, None: None}
EXPECTED_ANSWERS = {"first": "a", "second": "b", "tie": "tie"}
# Judgments made on screen in the other event are imported ones here; other origins stay.
IMPORTED_ORIGINS = {
    origin: Origin.IMPORTED if origin == Origin.SCREEN else origin for origin in Origin
}
NOT_COUNTED_NOTE = "Did not count where it was collected: its origin was not counted there."
EXCLUDED_NOTE = "Excluded where it was collected."

ExportedResponse = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class ExportedVote:
    """A standing judgment of another event, as its export describes it."""

    uuid: str
    record: str
    sides: tuple[ExportedResponse, ExportedResponse]
    role: str
    # The expected answer of a control: a, b, tie; empty for other matchups.
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
    # Ids in the other event, which give the order there; 0 in older files.
    first_number: int
    second_number: int
    worker_number: int
    matchup_number: int


def are_identical(sides: tuple[ExportedResponse, ExportedResponse]) -> bool:
    """Whether both responses have the same text and no competitor, as in a control that
    expects a tie."""
    return sides[0] == sides[1] and sides[0][0] is None


def explain_scale_mismatch(data: Mapping[str, Any], scale: int) -> str:
    """Why the file's scale does not fit this event's scale; empty if it does."""
    theirs = data.get("scale")
    if theirs not in SCALES or max(SCALES[theirs]) in (1, max(SCALES[scale])):
        return ""
    return (
        f"the file is of an event with a scale of {theirs}, and this event has one of {scale}; its "
        f"degrees would mean something else here. Import it into an event with that scale"
    )


def parse_export_line(data: Mapping[str, Any], rules: VoteRules) -> ExportedVote:
    """Parse the fields of a line except the record's own. Raises `InvalidRowError`."""
    check = Checker()
    for name in REQUIRED_FIELDS:
        if name not in data:
            check.refuse(name, "is missing; was this line changed after the export?")
    check.raise_problems()
    role = parse_choice(data, "role", Matchup.Role.values, check)
    expected = EXPECTED_ANSWERS.get(str(data.get("key") or ""), "")
    if role == Matchup.Role.CONTROL and not expected:
        check.refuse("key", "is missing: a control without its answer; export the event anew")
    if role != Matchup.Role.CONTROL:
        expected = ""
    if role == Matchup.Role.ANCHOR:
        for name in ("first_competitor", "second_competitor"):
            if data[name] is None:
                check.refuse(name, "is missing; an anchor's responses are of models")
    exclusion, note = derive_exclusion(data, check)
    vote = ExportedVote(
        uuid=check.check_text(data["uuid"], "uuid"),
        record=check.check_name(data["external_id"], "external_id", MAX_EXTERNAL_ID),
        sides=(
            parse_exported_response(data, "first", check),
            parse_exported_response(data, "second", check),
        ),
        role=role,
        expected=expected,
        reason=check.check_text(data.get("key_reason") or "", "key_reason"),
        worker=check.check_name(data["pseudonym"], "pseudonym", 60),
        kind=parse_choice(
            {"contributor_kind": "human"} | dict(data),
            "contributor_kind",
            Enrollment.Kind.values,
            check,
        ),
        outcome=parse_outcome(data, rules, check),
        both_bad=data["both_bad"] is True,
        first_on_left=parse_left_side(data["left"], check),
        judged_at=parse_judged_at(data.get("judged_at"), rules, check),
        comment=check.check_text(data.get("comment") or "", "comment"),
        others=dict(data.get("other_answers") or {}),
        origin=IMPORTED_ORIGINS.get(parse_choice(data, "origin", Origin.values, check), ""),  # type: ignore[call-overload]
        exclusion=exclusion,
        note=note,
        first_number=parse_sequence_number(data, "first_competitor_id", check),
        second_number=parse_sequence_number(data, "second_competitor_id", check),
        worker_number=parse_sequence_number(data, "contributor_id", check),
        matchup_number=parse_sequence_number(data, "matchup_id", check),
    )
    check.raise_problems()
    return vote


def extract_record(data: Mapping[str, Any]) -> dict[str, Any]:
    """The record's own fields except responses, as in a file of records.

    Raises `InvalidRowError`.
    """
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


def parse_choice(data: Mapping[str, Any], field: str, words: list[str], check: Checker) -> str:
    """A value that must be one of `words`."""
    value = data[field]
    if value not in words:
        check.refuse(field, f"must be one of {', '.join(words)}")
        return ""
    return str(value)


def parse_exported_response(data: Mapping[str, Any], name: str, check: Checker) -> ExportedResponse:
    """A response: its competitor and its text."""
    competitor = data[f"{name}_competitor"]
    if competitor is not None:
        competitor = check.check_text(competitor, f"{name}_competitor")
    return competitor, check.check_text(data[f"{name}_response"], f"{name}_response")


def parse_outcome(data: Mapping[str, Any], rules: VoteRules, check: Checker) -> int | None:
    """The outcome in canonical order, if the event's scale offers it."""
    outcome = data["outcome"]
    if outcome is None:
        return None
    if isinstance(outcome, bool) or not isinstance(outcome, int):
        check.refuse("outcome", "must be a whole number")
        return None
    preference = VotePreference(outcome, both_bad=data["both_bad"] is True)
    if preference.both_bad and outcome:
        check.refuse("both_bad", "goes with an outcome of 0")
    elif problem := explain_not_offered(preference, rules.scale, both_bad=rules.both_bad):
        scale = data.get("scale")
        hint = f" (the other event's scale is {scale})" if scale != rules.scale else ""
        check.refuse("outcome", problem + hint)
    return outcome


def parse_left_side(value: object, check: Checker) -> bool | None:
    """Whether the first response was shown on the left; None if unknown."""
    if value is not None and value not in ("first", "second"):
        check.refuse("left", "must be first, second or null")
        return None
    return FIRST_ON_LEFT[value]


def parse_judged_at(value: object, rules: VoteRules, check: Checker) -> datetime | None:
    """When the vote was given; None if unknown."""
    if value is None:
        return None
    try:
        return parse_timestamp(str(value), rules.zone)
    except ValueError as error:
        check.refuse("judged_at", str(error))
        return None


def derive_exclusion(data: Mapping[str, Any], check: Checker) -> tuple[str, str]:
    """Reason and note of the exclusion with which the vote is imported; empty if it counts."""
    reason, counted = data.get("exclusion"), data["counted"]
    if reason is not None:
        return parse_choice(data, "exclusion", Exclusion.Reason.values, check), EXCLUDED_NOTE
    # Simulated and machine judgments keep their origin. Imported ones, if they did not count there,
    # would otherwise begin to count here together with those judged on screen.
    if counted is False and data["origin"] == Origin.IMPORTED:
        return Exclusion.Reason.ORGANIZER, NOT_COUNTED_NOTE
    return "", ""


def parse_sequence_number(data: Mapping[str, Any], field: str, check: Checker) -> int:
    """The id that gives the order in the other event; 0 if the file has none."""
    value = data.get(field)
    if value is None:
        return 0
    if (
        isinstance(value, float) and value.is_integer()
    ):  # tables turn integers with gaps into floats
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        check.refuse(field, "must be a whole number")
        return 0
    return value
