"""manage.py import_records, and `import_records` behind it: records, matchups, the command."""

import gzip
import io
import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from arena.events.importing import (
    CompetitorRow,
)
from arena.events.models import (
    Category,
    Competitor,
    Control,
    Event,
    ImportJob,
    Matchup,
    Record,
    Response,
)
from tests.events.pairs import assert_pairs_stored
from tests.events.record_files import (
    HEADER,
    LINE,
    bring,
    broken,
    jsonl,
    record,
)
from tests.factories import NOW, make_enrollment, make_event, make_judgment

pytestmark = pytest.mark.django_db


@pytest.fixture
def event() -> Event:
    return make_event()


# --- it works ---------------------------------------------------------------------------------
def test_a_record_arrives_with_all_that_it_says(event: Event) -> None:
    conversation = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And now?"},
    ]
    full = record(prompt=conversation, categories=["Small talk", "Chat"], metadata={"a": [1, None]})

    report = bring(event, [full])

    assert (report.created, report.landed, report.errors, report.warnings) == (1, True, [], [])
    stored = Record.objects.get(event=event)
    assert (stored.external_id, stored.prompt) == ("r1", conversation)
    assert (stored.metadata, stored.imported_at) == ({"a": [1, None]}, NOW)
    assert [category.slug for category in stored.categories.all()] == ["chat", "small-talk"]
    texts = stored.responses.order_by("pk").values_list("competitor__name", "text")
    assert list(texts) == [("Ash 1", "Yes 1."), ("Birch 2", "No 1.")]


def test_a_matchup_is_served_with_its_slots_in_canonical_order(event: Event) -> None:
    bring(event, [record()])

    matchup = Matchup.objects.serving().get(event=event)
    first, second = Response.objects.order_by("pk")
    assert matchup.key == f"{first.pk},{second.pk}"
    assert (matchup.role, matchup.open_slots) == (Matchup.Role.ORDINARY, event.overlap)
    assert 0 <= matchup.shuffle < 1
    assert_pairs_stored(event, pairs=1)
    places = matchup.places.values_list("position", "response")
    assert list(places) == [(0, first.pk), (1, second.pk)]


def test_style_is_counted(event: Event) -> None:
    text = "# Title\n\n- one **bold**\n- two\n\n```py\n# no header\n- no item\n```\nend"
    bring(event, [record(responses={"Ash": text, "Birch": ""})])

    counts = Response.objects.order_by("pk").values_list(
        "length", "headers", "bold", "lists", "code"
    )
    assert list(counts) == [(16, 1, 1, 2, 1), (0, 0, 0, 0, 0)]


CSV = (
    "external_id,prompt,categories,model_a,response_a,model_b,response_b,model_c,response_c,"
    "expected,reason,metadata.level\r\n"
    'r1,"What, ""this""?\nYes.",A; b ;a,Ash,1+1,Birch,,Cedar,"x\r\ny",,,hard\r\n'
    "c1,Two?,,,one,,two,,,b,Because.,\r\n"
)


def test_csv_says_the_same_as_json(event: Event) -> None:
    assert bring(event, CSV.encode()).created == 2

    stored = Record.objects.get(external_id="r1")
    assert stored.prompt == [{"role": "user", "content": 'What, "this"?\nYes.'}]
    assert stored.metadata == {"level": "hard"}
    assert sorted(stored.categories.values_list("name", flat=True)) == ["A", "b"]
    texts = dict(stored.responses.values_list("competitor__name", "text"))
    assert texts == {"Ash": "1+1", "Cedar": "x\r\ny"}
    control = Control.objects.get(matchup__record__external_id="c1")
    assert (control.key, control.reason) == ({"sign": -1}, "Because.")


@pytest.mark.parametrize(
    "content",
    [
        jsonl(record(1), record(2)),
        b"\xef\xbb\xbf" + jsonl(record(1), record(2)).replace(b"\n", b"\r\n\r\n"),
        jsonl(record(1), record(2)).rstrip(b"\n"),
        gzip.compress(jsonl(record(1), record(2))),
        json.dumps([record(1), record(2)]).encode(),
        b"\xef\xbb\xbf" + json.dumps([record(1), record(2)], indent=2).encode(),
        json.dumps({"records": [record(1), record(2)]}).encode(),
        json.dumps({"version": 1, "of": "us", "records": [record(1), record(2)]}).encode(),
        json.dumps(
            {"by": {"x": [1]}, "records": [record(1), record(2)], "n": [2]}, indent=1
        ).encode(),
        b"external_id,prompt,model_a,response_a,model_b,response_b\n"
        b"r1,Is it 1?,Ash 1,Yes 1.,Birch 2,No 1.\nr2,Is it 2?,Ash 1,Yes 2.,Birch 2,No 2.\n",
        b"external_id;prompt;model_a;response_a;model_b;response_b\n"
        b'r1;Is it 1?;Ash 1;"Yes 1.";Birch 2;No 1.\n\nr2;Is it 2?;Ash 1;Yes 2.;Birch 2;No 2.',
    ],
    ids=[
        "jsonl",
        "bom-crlf",
        "no-newline",
        "gzip",
        "json",
        "json-bom",
        "wrapped",
        "versioned",
        "indented",
        "csv",
        "excel",
    ],
)
def test_every_format_gives_the_same_records(event: Event, content: bytes) -> None:
    assert bring(event, content).created == 2

    again = bring(event, [record(1), record(2)])
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)


@pytest.mark.any_database
def test_a_large_json_array_is_read_in_pieces(event: Event) -> None:
    texts = {"Ash": 'brackets ]}[{ and \\" quotes\\\\' * 20_000, "Birch": "é" * 100_000}
    rows = [record(number, responses=texts) for number in range(3)]

    assert bring(event, json.dumps(rows).encode()).created == 3
    assert Response.objects.filter(text=texts["Ash"]).count() == 3


def test_columns_and_keys_are_mapped_or_left_out(event: Event) -> None:
    theirs = {"id": 7, "instruction": "Why?", "responses": {"Ash": "a", "Birch": "b"}, "note": "x"}
    mapping = {"id": "external_id", "instruction": "prompt", "note": ""}

    assert bring(event, [theirs], mapping=mapping).created == 1
    assert Record.objects.get().external_id == "7"


def test_without_an_identifier_a_corrected_text_is_still_an_update(event: Event) -> None:
    nameless = record()
    del nameless["external_id"]
    bring(event, [nameless])

    report = bring(event, [nameless | {"responses": {"Birch 2": "Corrected.", "Ash 1": "Yes 1."}}])

    assert (report.created, report.updated) == (0, 1)
    assert Response.objects.get(competitor__name="Birch 2").text == "Corrected."


def test_competitors_bring_what_is_known_of_them(event: Event) -> None:
    Competitor.objects.create(event=event, name="Ash 1", organization="Old", licence="MIT")
    known = [CompetitorRow("Ash 1", organization="Grove"), CompetitorRow("Birch 2", version="2")]

    bring(event, [record()], competitors=known)

    ash, birch = Competitor.objects.filter(event=event).order_by("name")
    assert (ash.organization, ash.licence, birch.version) == ("Grove", "MIT", "2")


def test_a_competitor_that_joins_after_the_first_judgment_is_provisional(event: Event) -> None:
    bring(event, [record()])
    make_judgment(make_enrollment(event))

    bring(event, [record(2, responses={"Ash 1": "a", "Cedar": "b"})])

    late = dict(Competitor.objects.values_list("name", "joined_late"))
    assert late == {"Ash 1": False, "Birch 2": False, "Cedar": True}


def test_categories_that_differ_in_sign_stay_apart(event: Event) -> None:
    bring(event, [record(1, categories=["C", "C++", "c"]), record(2, categories="???")])

    slugs = dict(Category.objects.values_list("name", "slug"))
    assert slugs == {"C": "c", "C++": "c-2", "???": "category"}


# --- matchups ---------------------------------------------------------------------------------
def test_all_pairs_are_made_where_no_number_is_set(event: Event) -> None:
    bring(event, [record(responses=dict.fromkeys("ABCDE", "x"))])

    assert Matchup.objects.count() == 10


def test_a_sample_of_pairs_is_connected_and_balanced() -> None:
    event = make_event(matchups_per_record=6)
    bring(event, [record(n, responses={f"M{i}": "x" for i in range(5)}) for n in range(20)])

    assert Matchup.objects.count() == 120
    uses = [0] * 5
    for stored in Record.objects.all():
        responses = list(stored.responses.order_by("pk").values_list("pk", flat=True))
        reached = {responses[0]}
        keys = stored.matchups.values_list("key", flat=True)
        pairs = [set(map(int, key.split(","))) for key in keys]
        for _ in responses:
            for pair in pairs:
                reached |= pair if pair & reached else set()
        assert reached == set(responses)
        for pair in pairs:
            for pk in pair:
                uses[responses.index(pk)] += 1
    assert max(uses) - min(uses) <= 4  # of 48 each


def test_a_new_response_meets_the_others(event: Event) -> None:
    bring(event, [record()])
    before = Matchup.objects.get()

    report = bring(event, [record(responses={"Cedar": "Maybe."})])

    assert report.updated == 1
    assert Matchup.objects.count() == 3
    assert Matchup.objects.serving().filter(pk=before.pk).exists()
    cedar = Response.objects.get(competitor__name="Cedar")
    assert cedar.matchups.count() == 2


def test_a_new_response_of_a_sampled_record_gets_one_matchup() -> None:
    event = make_event(matchups_per_record=1)
    bring(event, [record(responses=dict.fromkeys("ABCD", "x"))])

    bring(event, [record(responses={"E": "new"})])

    assert Matchup.objects.count() == 2
    assert Response.objects.get(competitor__name="E").matchups.count() == 1


# --- the command ------------------------------------------------------------------------------
def test_the_command_imports_a_file(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    path.write_bytes(HEADER.replace(b"prompt", b"instruction") + LINE)
    extras = tmp_path / "models.csv"
    extras.write_text("name,organization\nAsh,Grove\n", encoding="utf-8")
    out = io.StringIO()

    call_command(
        "import_records", event.slug, str(path), "--map", "instruction=prompt",
        "--competitors", str(extras), stdout=out,
    )  # fmt: skip

    assert "Imported: 1 created." in out.getvalue()
    assert Competitor.objects.get(name="Ash").organization == "Grove"
    job = ImportJob.objects.get()
    assert (job.state, job.file_name) == (ImportJob.State.DONE, "records.csv")
    assert job.report["created"] == 1


def test_the_command_shows_errors_by_line_and_fails(event: Event, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(broken(prompt=""))
    out = io.StringIO()

    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("import_records", event.slug, str(path), stdout=out)

    assert "must not be empty" in out.getvalue()
    assert not Record.objects.exists()


def test_unknown_columns_of_a_list_of_competitors_are_named_and_ignored(
    event: Event, tmp_path: Path
) -> None:
    path, extras = tmp_path / "records.jsonl", tmp_path / "models.csv"
    path.write_bytes(jsonl(record()))
    extras.write_text(
        "Name,organisation,context window,verson\nAsh 1,Grove,8k,2\n", encoding="utf-8"
    )
    out = io.StringIO()

    call_command("import_records", event.slug, str(path), "--competitors", str(extras), stdout=out)

    assert Competitor.objects.get(name="Ash 1").organization == "Grove"
    assert "context window" in out.getvalue()
    assert "did you mean version?" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("nowhere", "x.jsonl"), "no event"), (("{slug}", "/does/not/exist"), "Cannot read")],
)
def test_the_command_says_what_is_missing(
    event: Event, arguments: tuple[str, str], message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("import_records", *(word.format(slug=event.slug) for word in arguments))

    assert not ImportJob.objects.under_way().exists()
