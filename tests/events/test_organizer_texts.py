"""Guidelines and descriptions: rendered in a process apart, kept by their digest."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client

from arena.events.organizer_texts import render_organizer_text
from arena.markup import render_markdown
from arena.markup.isolation import get_process
from tests.factories import make_event


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def test_a_text_is_formatted_and_kept() -> None:
    text = "# Be fair\n\n- *always* \ud800"
    assert render_organizer_text(text) == render_markdown(text)
    assert render_organizer_text("") == ""
    with get_process().lock:  # kept: nobody has to be asked
        assert render_organizer_text(text) == render_markdown(text)


@pytest.mark.django_db
def test_a_page_shows_the_source_of_what_is_not_ready(client: Client) -> None:
    make_event("slow", description="![" * 49_999)
    with get_process().lock:
        page = client.get("/events/slow/").content.decode()
    assert "![![![" in page
    assert "shown as source" in page
