"""Rendering in a process apart: the same HTML, and an end to what costs too much."""

import threading
import time
from collections.abc import Iterator

import pytest

from arena.markup import MAX_TEXT, render_markdown, render_response
from arena.markup.isolation import (
    Budget,
    RenderingDelayedError,
    RenderingProcess,
    SourceText,
    render_page,
)
from tests.security.payloads import ATTACKS

COSTLY = SourceText("![" * 49_999)
NOTE = "(costly to format: shown as source, without formatting)"


@pytest.fixture
def process() -> Iterator[RenderingProcess]:
    process = RenderingProcess()
    yield process
    process.close()


def test_a_text_is_what_it_is_without_the_process(process: RenderingProcess) -> None:
    texts = [*ATTACKS, "# A\n\n- *b*\n\n$x^2$ `c` | d\n", "", "a\r\nb \ud800 \x00 é", "x" * 200_000]
    for text in texts:
        html, _seconds = process.render(SourceText(text), 10)
        assert html == render_markdown(text)
        html, _seconds = process.render(SourceText(text, is_response=True), 10)
        assert html == render_response(text)


def test_a_text_over_its_budget_ends_the_process_and_the_next_starts_another(
    process: RenderingProcess,
) -> None:
    assert process.render(COSTLY, 0.1) == (None, 0.1)
    html, seconds = process.render(SourceText("*a*"), 1)
    assert html == render_markdown("*a*")
    assert seconds < 1


def test_of_a_page_over_its_budget_the_largest_are_source(process: RenderingProcess) -> None:
    small = SourceText("*small*")
    budget = Budget(text_seconds=0.1, page_seconds=0.15)
    first, second, third = render_page(process, [COSTLY, small, COSTLY], budget)
    assert second == render_markdown("*small*")
    assert first == third
    assert NOTE in first
    assert "![![![" in first


def test_html_over_its_size_is_shown_as_source(process: RenderingProcess) -> None:
    text = SourceText("`a`\n" * 500)
    (formatted,) = render_page(process, [text])
    assert NOTE not in formatted
    (source,) = render_page(process, [text], Budget(text_size=100))
    assert len(formatted) > len(source) > 0
    assert NOTE in source
    one, other = render_page(process, [text, text], Budget(page_size=len(formatted) + 1))
    assert (one, other) == (formatted, source)


def test_a_very_long_text_keeps_its_own_note(process: RenderingProcess) -> None:
    text = "&" * (MAX_TEXT * 5)
    assert render_page(process, [SourceText(text)]) == [render_markdown(text)]


def test_a_reader_waits_so_long_and_nothing_is_decided(process: RenderingProcess) -> None:
    with pytest.raises(RenderingDelayedError):
        process.render(COSTLY, 60, time.monotonic() + 0.05)
    html, _seconds = process.render(SourceText("*a*"), 1)
    assert html == render_markdown("*a*")


def test_who_waits_for_a_busy_process_waits_no_longer_than_asked(process: RenderingProcess) -> None:
    process.render(SourceText("start"), 1)
    with process.lock, pytest.raises(RenderingDelayedError):
        process.render(SourceText("*a*"), 1, time.monotonic() + 0.05)


def test_a_site_that_stops_decides_nothing(process: RenderingProcess) -> None:
    process.render(SourceText("start"), 1)
    child = process.process
    assert child is not None
    threading.Timer(0.1, child.terminate).start()
    with pytest.raises(RenderingDelayedError):
        process.render(SourceText("![" * 49_999), 60)
    assert process.render(SourceText("*a*"), 1)[0] == render_markdown("*a*")


def test_a_process_that_was_ended_while_idle_is_replaced(process: RenderingProcess) -> None:
    process.render(SourceText("start"), 1)
    assert process.process is not None
    process.process.kill()
    process.process.wait()
    assert process.render(SourceText("*a*"), 1)[0] == render_markdown("*a*")
