"""Texts of records: rendered once, within a budget, and never by the web process."""

import time
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client

from arena.events import organizer_texts, rendering
from arena.events.current_rules import get_rules
from arena.events.models import Event, Record, Response
from arena.events.rendering import (
    SLICE_HOLD_SECONDS,
    SLICE_KEY,
    ensure_rendered,
    load_messages,
    load_response_html,
    render_record,
    render_records,
    render_slice,
    store_rendered,
    take_turns,
)
from arena.events.tasks import render_texts
from arena.judging.models import Assignment
from arena.markup import RENDERER_VERSION, render_markdown, render_messages, render_response
from arena.markup.isolation import Budget, RenderingProcess, SourceText, get_process
from tests.events.record_files import bring, record
from tests.factories import (
    make_assignment,
    make_enrollment,
    make_event,
    make_matchup,
    make_record,
)

pytestmark = pytest.mark.django_db

NOTE = "(costly to format: shown as source, without formatting)"
LONG = 100_000
# What the tests allow: none burns ten seconds, and two or three texts end the process.
SMALL = Budget(text_seconds=0.15, page_seconds=0.3)


def repeat(piece: str) -> str:
    """As long as a text is formatted."""
    return (piece * LONG)[:LONG]


ATTACKS = {
    "images": "![" * 49_999,
    "link labels": repeat("["),
    "formulas": repeat("\\[a\n"),
    "table": "|a" * 1_000 + "\n" + "|-" * 1_000 + "\n" + repeat("|a\n")[:90_000],
    "tables": repeat("a|b\n-|-\n\n"),
    "code": repeat("```py\nx\n```\n"),
    "nested quotes": "> " * 15 + repeat("a\n")[:90_000],
    "list": repeat("- a\n"),
    "entities": repeat("[&lt;"),
    "definitions": repeat("[a]: b\n"),
}


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """And the patience of a busy machine with an organizer's text."""
    monkeypatch.setattr(organizer_texts, "PATIENCE_SECONDS", 600.0)
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def event() -> Event:
    return make_event()


def hostile_turns(name: str) -> list[str]:
    """As many turns as a line of a file may hold: with escapes, two megabytes."""
    return [ATTACKS[name]] * (18 if name == "images" else 10)


def import_attack(event: Event, turns: list[str]) -> Record:
    """Import a conversation of these turns."""
    roles = ["user" if place % 2 else "assistant" for place in range(len(turns) - 1)]
    prompt = [
        {"role": role, "content": text} for role, text in zip([*roles, "user"], turns, strict=True)
    ]
    report = bring(event, [record(prompt=prompt)])
    assert report.landed, report.errors
    return Record.objects.get(event=event, external_id="r1")


def are_over_budget(texts: list[str], seconds: float) -> bool:
    """Whether these texts, rendered plainly, use up so much time of the processor."""
    process = RenderingProcess()
    try:
        for text in texts:
            html, spent = process.render(SourceText(text), seconds)
            seconds -= spent
            if html is None:
                return True
    finally:
        process.close()
    return False


def judge_page(assignment: Assignment, client: Client) -> str:
    """The page that a contributor opens."""
    client.force_login(assignment.enrollment.user)
    response = client.get(f"/judge/{assignment.uuid}/")
    assert response.status_code == 200
    return response.content.decode()


# --- attacks ----------------------------------------------------------------------------------
@pytest.mark.any_database
@pytest.mark.parametrize("name", ATTACKS)
def test_a_page_of_hostile_texts_costs_its_budget_once(
    name: str, event: Event, client: Client
) -> None:
    turns = hostile_turns(name)
    assert are_over_budget(turns, SMALL.page_seconds)

    hostile = import_attack(event, turns)
    render_records([hostile.pk], SMALL)

    hostile.refresh_from_db()
    assert hostile.rendered_with == RENDERER_VERSION
    as_source = [html for html in hostile.prompt_html if NOTE in html]
    assert as_source
    assert len("".join(hostile.prompt_html)) <= SMALL.page_size
    assert get_rules(event).guidelines_html
    with get_process().lock:  # whoever renders is busy: what is stored does not need it
        page = judge_page(make_assignment(make_enrollment(event)), client)
    assert page.count(NOTE) == len(as_source)


def test_a_line_of_a_megabyte_is_imported_and_shown(event: Event, client: Client) -> None:
    bring(event, [record(responses={"Ash": "a&*b* " * 170_000, "Birch": "No."})])
    render_slice(60)
    page = judge_page(make_assignment(make_enrollment(event)), client)
    assert "very long: shown as source" in page
    assert "a&amp;*b*" in page


def test_others_are_served_while_a_hostile_text_is_rendered(event: Event, client: Client) -> None:
    import_attack(event, hostile_turns("images"))
    hostile = make_assignment(make_enrollment(event))
    calm = make_event("calm")
    make_matchup(calm, texts=("*calm*", "Nothing."))
    other = make_assignment(make_enrollment(calm))
    with get_process().lock:
        assert "<em>calm</em>" in judge_page(other, client)
        page = judge_page(hostile, client)
    # Shown as source, and nothing is decided: the workers will.
    assert "![![![" in page
    assert set(Record.objects.filter(event=event).values_list("rendered_with", flat=True)) == {0}


# --- what is stored ---------------------------------------------------------------------------
def test_an_import_is_rendered_as_the_texts_would_be(event: Event) -> None:
    prompt = [{"role": "system", "content": "*Be* brief."}, {"role": "user", "content": "`x`?"}]
    bring(event, [record(prompt=prompt, responses={"Ash": "# A\n\n$x$", "Birch": " "})])
    render_texts()
    stored = Record.objects.get(event=event)
    assert stored.rendered_with == RENDERER_VERSION
    assert load_messages(stored) == render_messages(prompt)
    for response in stored.responses.all():
        assert response.rendered_with == RENDERER_VERSION
        assert response.html == load_response_html(response) == render_response(response.text)


def test_a_page_renders_what_no_worker_has(event: Event, client: Client) -> None:
    bring(event, [record(responses={"Ash": "*ash*", "Birch": "`birch`"})])
    page = judge_page(make_assignment(make_enrollment(event)), client)
    assert "<em>ash</em>" in page
    assert Record.objects.get(event=event).rendered_with == RENDERER_VERSION


def test_a_changed_text_and_an_added_response_are_rendered_anew(event: Event) -> None:
    bring(event, [record(1), record(2), record(3)])
    render_slice(60)
    bring(event, [record(1, responses={"Ash 1": "*new*"}), record(2, prompt="*new*?")])
    bring(event, [record(3, responses={"Cedar": "*third*"})])
    changed = Record.objects.filter(event=event, rendered_with=0)
    assert changed.count() == 3
    assert render_slice(60) == 3
    for found in Record.objects.filter(event=event):
        assert load_messages(found) == render_messages(found.prompt)
        assert {one.html for one in found.responses.all()} == {
            render_response(one.text) for one in found.responses.all()
        }


def test_whoever_renders_says_with_every_record_that_they_are_alive(
    event: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(event, [record(number) for number in range(3)])
    holds: list[tuple[str, int]] = []
    monkeypatch.setattr(cache, "touch", lambda *hold: holds.append(hold))
    assert len(list(take_turns(time.monotonic() + 60))) == 3
    assert holds == [(SLICE_KEY, SLICE_HOLD_SECONDS)] * 3
    assert SLICE_HOLD_SECONDS <= 30  # nobody waits longer for texts whose renderer was killed


def test_a_text_that_changes_meanwhile_is_not_overwritten(event: Event) -> None:
    bring(event, [record(1), record(2)])
    first, second = Record.objects.filter(event=event).order_by("pk")
    rendered = [render_record(first.pk), render_record(second.pk)]
    Response.objects.filter(record=first, text="Yes 1.").update(text="Maybe.")
    store_rendered([one for one in rendered if one])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.rendered_with, second.rendered_with) == (0, RENDERER_VERSION)
    store_rendered([one for one in rendered if one])  # twice does no harm
    assert render_slice(60) == 1
    maybe = Response.objects.get(text="Maybe.")
    assert maybe.html == render_markdown("Maybe.")


def test_a_record_that_is_gone_is_passed_over(event: Event) -> None:
    bring(event, [record(1)])
    key = Record.objects.get(event=event).pk
    rendered = render_record(key)
    Record.objects.all().delete()
    assert rendered is not None
    store_rendered([rendered])
    assert render_records([key]) == 0


def test_events_take_turns(event: Event) -> None:
    other = make_event("other")
    size = rendering.RECORDS_PER_BATCH
    mine = [make_record(event, rendered_with=0).pk for _ in range(2 * size)]
    theirs = make_record(other, rendered_with=0).pk
    make_record(other, rendered_with=0, imported_at=None)
    turns = list(take_turns(float("inf")))
    assert turns == [*mine[:size], theirs, *mine[size:]]


def test_one_process_at_a_time_works_through_what_is_waiting(event: Event) -> None:
    make_record(event, rendered_with=0)
    cache.set(rendering.SLICE_KEY, 1)
    assert render_slice(60) == 0
    cache.delete(rendering.SLICE_KEY)
    assert (render_slice(60), render_slice(60)) == (1, 0)


def test_a_text_of_another_version_is_rendered_anew(event: Event) -> None:
    later = make_record(event, "*x*", rendered_with=RENDERER_VERSION + 1)
    Record.objects.update(prompt_html=["later"])
    ensure_rendered([later.pk])
    assert load_messages(Record.objects.get(pk=later.pk))[0].html == render_markdown("*x*")


def test_who_waited_in_vain_leaves_the_record_to_the_workers(event: Event) -> None:
    waiting = make_record(event, rendered_with=0)
    ensure_rendered([waiting.pk], patience=0.0)
    with get_process().lock:
        ensure_rendered([waiting.pk], patience=1.0)
    ensure_rendered([waiting.pk])
    cache.delete(rendering.PAUSE_KEY)
    ensure_rendered([waiting.pk])
    waiting.refresh_from_db()
    assert waiting.rendered_with == 0
    assert render_slice(60) == 1


# --- the command ------------------------------------------------------------------------------
def test_the_command_renders_what_is_missing_or_everything(
    event: Event, capsys: pytest.CaptureFixture[str]
) -> None:
    mine, other = make_record(event, rendered_with=0), make_record(make_event("other"))
    call_command("render_texts")
    assert capsys.readouterr().out == "1 records rendered.\n"
    Record.objects.update(prompt_html=["old"])
    call_command("render_texts", event.slug)
    assert capsys.readouterr().out == "0 records rendered.\n"
    call_command("render_texts", event.slug, "--all")
    assert capsys.readouterr().out == "1 records rendered.\n"
    mine.refresh_from_db()
    other.refresh_from_db()
    assert mine.prompt_html != ["old"]
    assert other.prompt_html == ["old"]
    with pytest.raises(CommandError, match="no event"):
        call_command("render_texts", "nowhere")
