"""Wherever a page leads, whoever sees it may go."""

import re
from collections import deque
from collections.abc import Iterator
from html import unescape
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from django.http import HttpResponse

from tests.security.cast import World
from tests.security.policy import ANONYMOUS, CONTRIBUTOR, ORGANIZER, OUTSIDER, READER, REVIEWER
from tests.undoing import undone

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
LABELS = [ANONYMOUS, OUTSIDER]
LABELS += [f"tea {role}" for role in (READER, CONTRIBUTOR, REVIEWER, ORGANIZER)]
LINK = re.compile(r'<(?:a|link|img|script|use)\b[^>]*?\b(?:href|src|hx-get)="([^"]+)"')
FAR = 150


@pytest.mark.parametrize("label", LABELS)
def test_no_link_leads_nowhere(world: World, label: str) -> None:
    """Every link of every page that can be reached from home, until there are many."""
    client = world.client(world.actor(label))
    came_from, waiting, wrong = {"/": "", "/events/tea/": ""}, deque(["/", "/events/tea/"]), []
    while waiting and len(came_from) < FAR:
        path = waiting.popleft()
        with undone():
            response = client.get(path)
            links = list(links_of(path, response))
        if response.status_code >= 400:
            wrong.append(f"{came_from[path]} leads to {path}: {response.status_code}")
        for link in links:
            if link not in came_from:
                came_from[link] = path
                waiting.append(link)
    assert len(came_from) > 10
    assert not wrong, "\n".join(wrong)


def links_of(path: str, response: HttpResponse) -> Iterator[str]:
    """Where an answer leads on this site, static files aside."""
    links = [response.headers["Location"]] if "Location" in response.headers else []
    if response.headers.get("Content-Type", "").startswith("text/html"):
        links += [unescape(found) for found in LINK.findall(response.content.decode())]
    for link in links:
        target = urldefrag(urljoin(path, link))[0]
        parts = urlsplit(target)
        if not parts.netloc and not parts.path.startswith("/static/"):
            yield target
