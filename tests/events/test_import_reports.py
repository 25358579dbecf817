"""What an import says of the faults and doubts of a file, in the file's own words."""

import pytest

from arena.events.importing import (
    CompetitorRow,
)
from arena.events.models import (
    Event,
    Matchup,
    Record,
)
from tests.events.record_files import HEADER, LINE, bring, control, record
from tests.factories import make_assignment, make_enrollment, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def event() -> Event:
    return make_event()


def test_errors_are_named_by_the_files_own_columns(event: Event) -> None:
    content = (
        b"id,question,first,answer 1,second,answer 2,right\n"
        b"1,,Ash,I am Ash 7B.,,x,\n2,Why?,Ash 7B,I am Ash 7B.,Birch,x,\n1,x,A,x,B,y,c\n"
    )
    mapping = {
        "id": "external_id", "question": "prompt", "first": "model_a", "answer 1": "response_a",
        "second": "model_b", "answer 2": "response_b", "right": "expected",
    }  # fmt: skip

    report = bring(event, content, mapping=mapping)

    found = [(error.line, error.field) for error in report.errors]
    assert found == [(2, "question"), (2, "second"), (4, "right")]
    assert [(warning.line, warning.field) for warning in report.warnings] == [(3, "answer 1")]


def test_frozen_texts_are_named_by_their_columns(event: Event) -> None:
    bring(event, HEADER + LINE)
    make_assignment(make_enrollment(event))

    report = bring(event, HEADER + b"r1,other,Birch,new,Ash,x\n")

    assert [error.field for error in report.errors] == ["prompt", "response_a"]


def test_a_repeated_key_is_told_from_a_missing_one(event: Event) -> None:
    mapping = {"id": "external_id"}
    rows = [record(1) | {"id": "r1"}, record(2) | {"id": 1}, record(2) | {"id": "1"}]
    nameless = [record(3), record(3)]
    for row in [*rows, *nameless]:
        del row["external_id"]

    report = bring(event, [*rows, *nameless], mapping=mapping)

    same, missing = report.errors
    assert (same.line, same.field, same.message) == (3, "id", "is the same as in line 2")
    assert (missing.line, missing.message[:10]) == (5, "is missing")


def test_texts_and_names_that_begin_with_a_sign_are_stored_to_the_letter(event: Event) -> None:
    cells = ["=1+1", "=HYPERLINK(1)", "@cf/meta/llama", "-2+3+cmd|' /C calc'!D2", "-b", "+ item"]
    content = HEADER + (",".join(cells) + "\n").encode()

    assert bring(event, content).created == 1

    stored = Record.objects.get()
    assert (stored.external_id, stored.prompt[0]["content"]) == tuple(cells[:2])
    texts = stored.responses.order_by("pk").values_list("competitor__name", "text")
    assert [*texts] == [tuple(cells[2:4]), tuple(cells[4:])]


def test_csv_holds_conversations_and_several_categories(event: Event) -> None:
    header = b"external_id,prompt,categories,model_a,response_a,model_b,response_b\n"
    turns = (
        b'"[{""role"": ""system"", ""content"": ""Be brief.""},'
        b' {""role"": ""user"", ""content"": ""Hi""}]"'
    )
    lines = [
        b"r1," + turns + b',"[""Coding"", ""Arts, crafts""]",A,x,B,y',
        b'r2,"[1, 2] sorted?",Coding;Math,A,x,B,y',
        b"r3,\"[{'role': 'user', 'content': 'hi'}]\",\"Coding, Math\",A,x,B,y",
        b'r4,Once?,"Coding, Math",A,x,B,y',
    ]

    report = bring(event, header + b"\n".join(lines))

    first, second, third, _fourth = Record.objects.order_by("external_id")
    assert [turn["role"] for turn in first.prompt] == ["system", "user"]
    assert second.prompt[0]["content"] == "[1, 2] sorted?"
    names = [sorted(r.categories.values_list("name", flat=True)) for r in (first, second, third)]
    assert names == [["Arts, crafts", "Coding"], ["Coding", "Math"], ["Coding, Math"]]
    doubts = [(warning.line, warning.field) for warning in report.warnings]
    assert doubts == [(4, "prompt"), (4, "categories")]


def test_one_fault_is_told_once_with_its_count_and_first_lines(event: Event) -> None:
    rows = [record(n, prompt="", responses=1, metadata=[n]) for n in range(900)]

    report = bring(event, rows)

    assert report.error_total == 2_700
    assert [(error.field, error.count, error.where) for error in report.errors] == [
        (field, 900, "1, 2, 3, 4, 5 …") for field in ("responses", "prompt", "metadata")
    ]


def test_the_first_hundred_faults_are_kept_and_all_are_counted(event: Event) -> None:
    names = [first + second for first in "abcdefghijklm" for second in "abcdefghijkl"]

    report = bring(event, [record(n, responses={name: 5}) for n, name in enumerate(names)])

    assert [error.line for error in report.errors] == list(range(1, 101))
    assert report.error_total == len(names)


def test_controls_need_a_question_they_answer(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    report = bring(event, [control("a")])

    assert [error.field for error in report.errors] == ["control"]


def test_without_a_preference_a_records_responses_are_shown_together(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    bring(event, [record(1, responses=dict.fromkeys("ABC", "x")), record(2, responses={"A": "y"})])

    assert sorted(m.places.count() for m in Matchup.objects.all()) == [1, 3]
    report = bring(event, [record(3, responses={f"M{n}": "x" for n in range(10)})])
    assert [error.field for error in report.errors] == ["responses"]


def test_a_column_mapped_to_the_model_by_mistake_is_noticed(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("arena.events.importing.reading.name_index.MAX_COMPETITORS", 5)
    report = bring(event, [record(n, responses={f"M{n}": "x"}) for n in range(7)])

    assert (report.error_total, report.errors[0].line) == (2, 6)


# --- leaks ------------------------------------------------------------------------------------
def test_a_response_that_names_its_model_is_a_warning(event: Event) -> None:
    rows = [record(1, responses={"GPT 4": "I am gpt-4.", "Claude v2": "Claude Monet painted."})]

    report = bring(event, [record(0), *rows], competitors=[CompetitorRow("Ash 1", "Grove")])

    assert report.landed
    assert [(w.line, w.field) for w in report.warnings] == [
        (2, "responses.GPT 4"),
        (2, "responses.Claude v2"),
    ]
    assert "I am gpt" in report.warnings[0].message


def test_a_record_of_one_response_is_a_warning(event: Event) -> None:
    one = record(2, responses={"Ash 1": "Yes."})

    report = bring(event, [record(1), one])

    assert report.landed
    assert [(w.line, w.field) for w in report.warnings] == [(2, "responses")]
    assert "only one" in report.warnings[0].message
    assert bring(event, [record(2, responses={"Birch 2": "No."})]).warnings == []
    lines = b"r3,p,Ash,x,,\nr4,p,Ash,x,Birch,y\n"
    assert [w.field for w in bring(event, HEADER + lines).warnings] == ["response_b"]


def test_without_a_preference_one_response_is_enough(event: Event) -> None:
    event.questions.filter(kind="preference").delete()

    assert bring(event, [record(responses={"Ash 1": "Yes."})]).warnings == []
