"""The full record: each field, each kind of row, nobody's name, and little to read at a time."""

import json
import re
import tracemalloc
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from arena.events.decision_record import Ruling
from arena.events.models import Event, Question
from arena.exports import rows
from arena.judging.models import Assignment, Exclusion, Judgment
from arena.judging.recording import check_answers, record_judgment
from arena.judging.review.exclusions import exclude, lift_exclusion
from leaderboard.models import Reliability, ReliabilityFit
from tests.exports.cast import Cast, judgment_lines, make_stranger, vote, vote_often
from tests.factories import NOW, make_assignment, make_event, make_matchup, make_matchups

pytestmark = pytest.mark.django_db

# fmt: off
FIELDS = [
    "uuid", "ledger_seq", "external_id", "prompt", "categories", "first_competitor",
    "first_response", "second_competitor", "second_response", "left", "right", "scale", "outcome",
    "both_bad", "winner", "comment", "other_answers", "pseudonym", "contributor_kind",
    "guidelines_version", "assignment", "shown_at", "judged_at", "revision", "origin", "role",
    "is_control", "exclusion", "counted", "metadata", "key", "key_reason", "first_competitor_id",
    "second_competitor_id", "contributor_id", "matchup_id", "weight",
]
# fmt: on


def exported(event: Event) -> list[dict]:
    return [json.loads(line) for line in judgment_lines(event)]


@pytest.fixture
def cast() -> Cast:
    cast = Cast()
    cast.judge_all()
    return cast


def test_a_row_says_everything_about_a_judgment(cast: Cast) -> None:
    row, judgment = exported(cast.event)[0], Judgment.objects.order_by("pk")[0]
    assert judgment.assignment is not None
    assert row == {
        "uuid": str(judgment.uuid),
        "ledger_seq": 1,
        "external_id": cast.first.record.external_id,
        "prompt": [{"role": "user", "content": "Why does ice float?"}],
        "categories": ["Physics"],
        "first_competitor": cast.models[0].name,
        "first_response": "It is less dense.",
        "second_competitor": cast.models[1].name,
        "second_response": "Because.",
        "left": "second",
        "right": "first",
        "scale": 5,
        "outcome": 2,
        "both_bad": False,
        "winner": cast.models[0].name,
        "comment": "=cmd: “denser” is wrong\n次",
        "other_answers": {},
        "pseudonym": cast.ada.pseudonym,
        "contributor_kind": "human",
        "guidelines_version": 1,
        "assignment": str(judgment.assignment.uuid),
        "shown_at": "2026-11-01T12:00:00+00:00",
        "judged_at": "2026-11-01T12:00:00+00:00",
        "revision": 0,
        "origin": "screen",
        "role": "ordinary",
        "is_control": False,
        "exclusion": None,
        "counted": True,
        "metadata": "{}",
        "key": "",
        "key_reason": "",
        "first_competitor_id": cast.models[0].pk,
        "second_competitor_id": cast.models[1].pk,
        "contributor_id": cast.ada.pk,
        "matchup_id": cast.first.pk,
        "weight": None,
    }


def test_a_vote_carries_its_weight_as_used(cast: Cast) -> None:
    ReliabilityFit.objects.create(event=cast.event, ledger_seq=5, newcomer=3072)
    question = cast.event.questions.get(kind="preference").pk
    known = dict.fromkeys(("judgments", "controls", "passed", "left", "ties", "right"), 0)
    known |= dict.fromkeys(("overall", "on_controls", "on_others", "reads"), 1.0)
    known |= {f"{name}_error": 0.1 for name in ("overall", "on_controls", "on_others")}
    Reliability.objects.create(
        event=cast.event,
        enrollment=cast.ada,
        weight=4096,
        rig_evidence=0.0,
        side_evidence=0.0,
        rigged=[[question, cast.models[0].pk, 1024]],
        **known,
    )
    weights: dict[tuple[object, ...], set[float | None]] = {}
    for row in exported(cast.event):
        votes = row["counted"] and row["role"] == "ordinary"
        weights.setdefault((row["contributor_id"] if votes else None,), set()).add(row["weight"])
    assert weights[cast.ada.pk,] == {0.75}
    assert weights[cast.ben.pk,] == {0.75}
    assert weights[None,] == {None}


def test_the_order_of_the_fields_is_a_promise(cast: Cast) -> None:
    assert all(list(row) == FIELDS for row in exported(cast.event))


def test_every_standing_judgment_is_one_line_sealed_ones_first(cast: Cast) -> None:
    lines = list(judgment_lines(cast.event))
    assert all(line.endswith("}\n") and line.count("\n") == 1 for line in lines)
    assert [row["ledger_seq"] for row in map(json.loads, lines)] == [1, 2, 3, 4, 5, None, None]


def test_what_does_not_count_is_there_and_says_why(cast: Cast) -> None:
    found = exported(cast.event)
    assert [row["counted"] for row in found] == [True, True, False, True, True, True, True]
    assert [row["exclusion"] for row in found] == [None, None, "broken", None, None, None, None]
    counted = Judgment.objects.counted().filter(event=cast.event)
    assert {row["uuid"] for row in found if row["counted"]} == {str(j.uuid) for j in counted}


def test_roles_and_winners(cast: Cast) -> None:
    found = exported(cast.event)
    ordinary, anchor = "ordinary", "anchor"
    roles = [ordinary, ordinary, ordinary, "control", anchor, ordinary, ordinary]
    assert [row["role"] for row in found] == roles
    assert [row["is_control"] for row in found] == [role == "control" for role in roles]
    one, two = (model.name for model in cast.models)
    assert [row["winner"] for row in found] == [one, "tie", two, None, two, "both_bad", one]
    # A control's responses are nobody's here; the outcome still says which was preferred.
    assert (found[3]["first_competitor"], found[3]["outcome"]) == (None, 1)
    assert (found[3]["key"], found[3]["key_reason"]) == ("first", "It is so.")
    assert found[5]["both_bad"] is True


def test_imported_rows_leave_open_what_nobody_knows(cast: Cast) -> None:
    row = exported(cast.event)[-1]
    assert row["origin"] == "imported"
    unknown = ["assignment", "shown_at", "judged_at", "left", "right", "guidelines_version"]
    assert [row[name] for name in unknown] == [None] * 6
    assert row["comment"] is None


def test_imported_rows_keep_the_sides_where_they_are_known(cast: Cast) -> None:
    judgment = vote(make_stranger(cast.event), cast.third, 1)
    judgment.answers.update(first_on_left=False)
    assert (exported(cast.event)[-1]["left"], exported(cast.event)[-1]["right"]) == (
        "second",
        "first",
    )


def test_an_origin_that_does_not_count_is_not_an_exclusion(cast: Cast) -> None:
    Event.objects.update(counts_imported=False)
    row = exported(cast.event)[-1]
    assert (row["counted"], row["exclusion"]) == (False, None)


def test_an_excluded_contributor_marks_all_their_rows_until_it_is_lifted(cast: Cast) -> None:
    before = list(judgment_lines(cast.event))
    exclusion = exclude(
        cast.ada, Exclusion.Reason.UNRELIABLE, Ruling(cast.organizer, NOW, "So decided.")
    )
    reasons = [row["exclusion"] for row in exported(cast.event)]
    unreliable = "unreliable"
    assert reasons == [unreliable, unreliable, "broken", unreliable, unreliable, None, None]
    lift_exclusion(exclusion, Ruling(cast.organizer, NOW, "So decided."))
    assert list(judgment_lines(cast.event)) == before


def test_a_revision_takes_the_place_of_what_it_revises(cast: Cast) -> None:
    judgment = cast.judge(cast.ben, cast.first, "a2")
    assignment = judgment.assignment
    answers = check_answers(assignment, {"preference": "b1", "comment": "on second thoughts"})
    revision = record_judgment(assignment, answers, now=NOW + timedelta(seconds=5), replaces="0")
    found = {row["uuid"]: row for row in exported(cast.event)}
    assert str(judgment.uuid) not in found
    row = found[str(revision.uuid)]
    assert (row["revision"], row["outcome"], row["comment"]) == (1, 1, "on second thoughts")


def test_further_questions_are_told_under_their_names() -> None:
    cast = Cast()
    Question.objects.create(
        event=cast.event, position=3, name="why", kind="text", title="Why?", required=False
    )
    assignment = cast.judge(cast.ada, cast.first, "a1").assignment
    answers = check_answers(assignment, {"preference": "a1", "why": "It is cold."})
    record_judgment(assignment, answers, now=NOW, replaces="0")
    assert exported(cast.event)[0]["other_answers"] == {"why": {"text": "It is cold."}}


def test_nobody_is_named_and_no_key_is_told(cast: Cast) -> None:
    text = "".join(judgment_lines(cast.event))
    named = [cast.event.secret, "secret", "organa", "It is so.", str(cast.ada.public_id)]
    for user in (cast.ada.user, cast.ben.user):
        named += [user.username, user.email]
    assert [word for word in named if re.search(rf"\b{re.escape(word)}\b", text)] == []


def test_other_events_are_left_alone(cast: Cast) -> None:
    other = make_event()
    vote_often(other, make_matchup(other), 1, 0)
    assert len(exported(other)) == 2
    assert len(exported(cast.event)) == 7


def test_an_event_without_judgments_is_an_empty_file() -> None:
    assert list(judgment_lines(make_event())) == []


def test_a_row_can_be_traced_to_the_screen() -> None:
    cast = Cast()
    make_matchups(cast.event, cast.models, 12)
    client = Client()
    client.force_login(cast.ada.user)
    for posted in ("a2", "b1", "tie", "a1"):
        assignment = make_assignment(cast.ada)
        page = client.get(reverse("judging:judge", args=[assignment.uuid])).content.decode()
        client.post(
            reverse("judging:judge", args=[assignment.uuid]), {"preference": posted, "comment": ""}
        )
        row = next(r for r in exported(cast.event) if r["assignment"] == str(assignment.uuid))
        texts = [row[f"{row[side]}_response"] for side in ("left", "right")]
        assert page.index(row["prompt"][-1]["content"]) < page.index(texts[0])
        assert page.index(texts[0]) < page.index(texts[1])
        sign = {"a": row["left"], "b": row["right"], "t": None}[posted[0]]
        assert (row["outcome"] > 0) - (row["outcome"] < 0) == {"first": 1, "second": -1}.get(
            sign, 0
        )
        shown = Assignment.objects.get(uuid=assignment.uuid).shown_at
        assert row["shown_at"] == shown.isoformat()


def test_the_queries_of_a_chunk_are_always_as_many(monkeypatch) -> None:
    cast = Cast()
    vote_often(cast.event, cast.first, *[1] * 4)
    monkeypatch.setattr(rows, "CHUNK_SIZE", 2)
    with CaptureQueriesContext(
        connection,
    ) as two_chunks:
        assert len(exported(cast.event)) == 4
    vote_often(cast.event, cast.second, *[1] * 4)
    with CaptureQueriesContext(connection) as four_chunks:
        assert len(exported(cast.event)) == 8
    assert len(four_chunks) - len(two_chunks) == 2 * 8


@pytest.mark.parametrize("chunk", [1, 2, 3, 500])
def test_the_chunks_lose_nothing(cast: Cast, monkeypatch, chunk: int) -> None:
    expected = list(judgment_lines(cast.event))
    monkeypatch.setattr(rows, "CHUNK_SIZE", chunk)
    assert list(judgment_lines(cast.event)) == expected


def test_memory_does_not_grow_with_the_event(monkeypatch) -> None:
    monkeypatch.setattr(rows, "CHUNK_SIZE", 10)
    event = make_event()
    matchup = make_matchup(event, texts=("x" * 20_000, "y" * 20_000))
    vote_often(event, matchup, *[1] * 30)

    def peak() -> int:
        tracemalloc.start()
        try:
            for _ in judgment_lines(event):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small = peak()
    vote_often(event, matchup, *[1] * 90)
    assert peak() < 1.5 * small
