"""Each request has a name: in the answer, in all its log lines, on the page of an error."""

import errno
import io
import logging
import re
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from django.test import Client
from structlog.stdlib import ProcessorFormatter

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
HEADER = "X-Request-ID"


@pytest.fixture
def printed() -> Iterator[io.StringIO]:
    """What the site's own log prints meanwhile."""
    handlers = [
        one
        for one in logging.getLogger().handlers
        if isinstance(one, logging.StreamHandler) and isinstance(one.formatter, ProcessorFormatter)
    ]
    (ours,) = handlers
    text = io.StringIO()
    before = ours.setStream(text)
    yield text
    ours.setStream(before)


def test_a_refusal_is_found_by_the_name_in_its_answer(client: Client, printed: io.StringIO) -> None:
    first, second = client.get("/no/such/"), client.get("/no/such/")
    names = [answer.headers[HEADER] for answer in (first, second)]
    assert all(re.fullmatch(r"[0-9a-f]{12}", name) for name in names)
    assert names[0] != names[1]
    lines = printed.getvalue().splitlines()
    of_first, of_second = (line for line in lines if "Not Found" in line)
    assert names[0] in of_first
    assert names[1] in of_second


def test_nobody_outside_chooses_it(client: Client) -> None:
    answer = client.get("/", headers={HEADER: "aaaaaaaaaaaa"})
    assert answer.headers[HEADER] != "aaaaaaaaaaaa"


@pytest.mark.parametrize(
    ("error", "status", "logged"),
    [
        (RuntimeError("planted"), 500, "Internal Server"),
        (OSError(errno.ENOSPC, "planted"), 503, "disk full"),
    ],
)
def test_who_meets_an_error_can_quote_it(
    error: Exception, status: int, logged: str, printed: io.StringIO
) -> None:
    client = Client(raise_request_exception=False)
    with patch("arena.events.models.EventQuerySet.known_to", side_effect=error):
        answer = client.get("/")
    assert answer.status_code == status
    name = answer.headers[HEADER]
    assert f"<code>{name}</code>" in answer.content.decode()
    (line,) = [line for line in printed.getvalue().splitlines() if logged in line]
    assert name in line
