"""How cheaply an open page of the model board follows."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.messages import INFO
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpResponse
from django.test import Client, RequestFactory

from arena.events.models import Event
from tests.factories import (
    NOW,
    make_enrollment,
    make_user,
)
from tests.leaderboard.reading import HTMX, text
from tests.leaderboard.votes import Crowd, make_vote, refresh, show

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def crowd() -> Crowd:
    crowd = Crowd(slug="tea")
    crowd.vote()
    refresh(crowd.event)
    return crowd


def test_an_open_page_mostly_gets_a_304(
    crowd: Crowd, client: Client, django_assert_num_queries: Any
) -> None:
    page = show(client, crowd.event).content.decode()
    polled = re.search(r'hx-get="(.*?)"\s+hx-trigger="every 8s".*?hx-headers="(.*?)"', page, re.S)
    assert polled
    address, headers = polled.groups()
    tag = json.loads(headers.replace("&quot;", '"'))["If-None-Match"]

    with django_assert_num_queries(2):
        again = client.get(address, HTTP_IF_NONE_MATCH=tag, **HTMX)
    assert (again.status_code, again.content) == (304, b"")

    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    refresh(crowd.event, NOW + timedelta(minutes=1))
    changed = client.get(address, HTTP_IF_NONE_MATCH=tag, **HTMX)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert changed.headers["ETag"].strip('"') in changed.content.decode()
    assert "139 judgments" in text(changed)
    assert "<html" not in changed.content.decode()
    assert "HX-Request" in changed.headers["Vary"]


def test_the_whole_page_comes_again_only_when_it_is_another(
    crowd: Crowd, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = show(client, crowd.event)
    tag = first.headers["ETag"]
    with monkeypatch.context() as broken:
        broken.setattr("leaderboard.pages.views.render", lambda *_: 1 / 0)
        again = show(client, crowd.event, HTTP_IF_NONE_MATCH=tag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Cache-Control"] == "private, no-cache"
    part = show(client, crowd.event, HTTP_IF_NONE_MATCH=tag, **HTMX)
    assert (part.status_code, part.headers["ETag"] == tag) == (200, False)

    def changed() -> bool:
        nonlocal tag
        response = show(client, crowd.event, HTTP_IF_NONE_MATCH=tag)
        before, tag = tag, response.headers["ETag"]
        return response.status_code == 200 and tag != before

    assert not changed()
    client.force_login(make_user("reader"))
    assert changed()
    assert "reader" in show(client, crowd.event).content.decode()
    client.force_login(crowd.judges[0].user)
    assert changed()
    Event.objects.update(title="Another title")
    assert changed()
    make_vote(make_enrollment(crowd.event), crowd.matchups[0])
    refresh(crowd.event, NOW + timedelta(minutes=1))
    assert changed()
    monkeypatch.setattr(staticfiles_storage, "manifest_hash", "released", raising=False)
    assert changed()
    assert not changed()


def test_a_page_with_a_message_on_it_is_never_kept(
    crowd: Crowd, client: Client, rf: RequestFactory
) -> None:
    tag = show(client, crowd.event).headers["ETag"]
    request = rf.get("/")
    request.session = client.session
    messages = FallbackStorage(request)
    messages.add(INFO, "Only once.")
    response = HttpResponse()
    messages.update(response)
    client.cookies.update(response.cookies)
    told = show(client, crowd.event, HTTP_IF_NONE_MATCH=tag)
    assert "Only once." in told.content.decode()
    assert "ETag" not in told.headers
    assert show(client, crowd.event, HTTP_IF_NONE_MATCH=tag).status_code == 304


def test_each_filter_and_language_has_its_own_tag(crowd: Crowd, client: Client) -> None:
    queries = ("", "?category=maths", "?weighting=weighted", "?pairs=all")
    tags = {show(client, crowd.event, query, **HTMX).headers["ETag"] for query in queries}
    tags.add(show(client, crowd.event, HTTP_ACCEPT_LANGUAGE="de", **HTMX).headers["ETag"])
    assert len(tags) == 5
    junk = show(client, crowd.event, "?utm=1", **HTMX).headers["ETag"]
    assert junk in tags


def test_a_page_is_rendered_once_for_all(
    crowd: Crowd, client: Client, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(10):
        show(client, crowd.event)
    with django_assert_num_queries(2):
        show(client, crowd.event)


def test_a_finished_event_is_not_polled(crowd: Crowd, client: Client) -> None:
    assert "hx-trigger" in show(client, crowd.event).content.decode()
    Event.objects.update(state=Event.State.PUBLISHED)
    assert "hx-trigger" not in show(client, crowd.event).content.decode()
