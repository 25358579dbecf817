"""Requests that no browser sends: too large, too many, unreadable. Each gets a quick refusal."""

import time
from functools import partial
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from arena import middleware
from arena.events.importing import import_records
from arena.people.limits import Rate
from tests.factories import NOW, make_event
from tests.security.cast import World
from tests.security.payloads import FORMULAS, SCRIPTS
from tests.security.policy import CONTRIBUTOR, NOBODY, ORGANIZER, URLS, Url
from tests.undoing import undone

pytestmark = pytest.mark.django_db
TAKING = [url for url in URLS if url.is_ours and url.doors.post != NOBODY]
EVERY_FORM = pytest.mark.parametrize("url", TAKING, ids=lambda url: url.name)
# Every name of a field that a page of ours or allauth's reads.
FIELDS = (
    *(
        "accept",
        "act",
        "assignment",
        "because",
        "claims_per_network",
        "closes_at",
        "code",
        "comment",
        "days",
    ),
    *("decision", "description", "display_name", "email", "expected", "guidelines", "key"),
    *("licence", "login", "name", "next", "note", "open", "opens_at", "overlap", "password"),
    *("preference", "printed", "prize", "publish_batch", "reason", "replaces", "role", "scale"),
    *("show", "slug", "sure"),
    *("timezone", "title", "to", "undo_seconds", "username", "uses", "version"),
)
# What databases may take differently comes first: beside SQLite, the others are not asked.
FEW = 3
QUERIES = (
    "page=1e9&q=%25%27%22&category=none&next=//evil.invalid&process=connect",
    "model=%27&record=%FF&show=x&done=x",
    "page=%00&q=%00",
    "page=-1&category=%FF%FE&q=%ED%A0%80&pairs=all&pairs=all&weighting=",
    "min_votes=1e999&min_agreement=nan&part=all&aggregate=none&test_share=inf",
    "mapped=1&map-0=%00&edit",
    "q=" + "a" * 4000 + "".join(f"&x{n}=1" for n in range(2000)),
)
TOO_MUCH = (
    (
        b"preference=a1&comment=" + b"a" * (10 * 1024 * 1024),
        "application/x-www-form-urlencoded",
    ),
    (b'{"a":' * 2_000_000, "application/json"),
    (
        encode_multipart(BOUNDARY, {f"field{number}": "1" for number in range(10_000)}),
        MULTIPART_CONTENT,
    ),
)
BAD_TEXTS = (
    "\x00",
    "a" * 20_000,
    "9" * 400,
    "",
    "-1",
    "1e309",
    "2031-13-41T99:99",
    "not-a-uuid",
    SCRIPTS[0],
    FORMULAS[6],
)


def post(world: World, url: Url, body: Any = None, **options: Any) -> Any:
    """A form sent by whoever may send it, and the seconds it took."""
    role = ORGANIZER if ORGANIZER in url.doors.post else CONTRIBUTOR
    with undone():
        client = world.client(world.actor(f"tea {role}"))
        path = url.path(world.public.arguments(url))
        started = time.process_time()
        send = partial(client.generic, "POST") if isinstance(body, bytes) else client.post
        response = send(path, body, **options)
        return response, time.process_time() - started


@pytest.mark.parametrize("url", URLS, ids=lambda url: url.name)
def test_every_door_counts_what_would_change_something(world: World, url: Url) -> None:
    """Also those to come, the admin's and allauth's: where nothing is left, nobody gets in."""
    nothing, path = Rate(0, 60), url.path(world.public.arguments(url))
    with patch.multiple(middleware, PERSON_RATE=nothing, NETWORK_RATE=nothing):
        for label in ("anonymous", f"tea {ORGANIZER}", f"tea {CONTRIBUTOR}", "staff"):
            with undone():
                response = world.client(world.actor(label)).post(path)
            asked_to_sign_in = label == "anonymous" and response.status_code == 302
            assert response.status_code == 429 or asked_to_sign_in, label


@EVERY_FORM
def test_more_than_a_form_is_refused(world: World, url: Url) -> None:
    for body, kind in TOO_MUCH:
        response, seconds = post(world, url, body, content_type=kind)
        assert response.status_code in (400, 413) or takes_files(url)
        assert response.status_code < 500
        assert seconds < 1


def takes_files(url: Url) -> bool:
    """The pages with a larger measure."""
    return url.name in ("imports:new", "votes:new")


@pytest.mark.parametrize(
    "url", [url for url in TAKING if not takes_files(url)], ids=lambda url: url.name
)
def test_files_are_kept_from_the_disk(world: World, url: Url) -> None:
    """A page that takes no file does not have one written down before it says so."""
    file = SimpleUploadedFile("a.jsonl", b"a" * (3 * 1024 * 1024))
    response, seconds = post(world, url, {"file": file})
    assert response.status_code == 413
    assert b"The request is too large" in response.content
    assert seconds < 1


def test_files_are_for_the_signed_in(world: World, client: Any) -> None:
    file = SimpleUploadedFile("a.jsonl", b"a" * (3 * 1024 * 1024))
    assert client.post("/events/tea/import/", {"file": file}).status_code == 413


@EVERY_FORM
@pytest.mark.all_cases  # a NUL is an error to PostgreSQL alone
def test_no_text_breaks_a_form(world: World, url: Url) -> None:
    good = world.public.form(url)
    last = list(good)[-1:]
    for text in BAD_TEXTS[:FEW] if world.is_few else BAD_TEXTS:
        for form in (dict.fromkeys(FIELDS, text), good | dict.fromkeys(last, text)):
            response, seconds = post(world, url, form)
            assert response.status_code < 500, (form, response.status_code)
            assert seconds < 5


@EVERY_FORM
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"preference=%FF%FE&comment=%ED%A0%80", "application/x-www-form-urlencoded"),
        (b"\xff\xfe\x00=\x00&=&&&===", "application/x-www-form-urlencoded"),
        (b"comment=a", "application/x-www-form-urlencoded; charset=utf-7"),
        (b"comment=a", "application/x-www-form-urlencoded; charset=no-such"),
        (b"--x\r\nContent-Disposition: form-data; name=a\r\n", "multipart/form-data; boundary=x"),
        (b"not a form", "multipart/form-data"),
        (b"[" * 100_000, "application/json"),
        (b"a", "x" * 3000),
    ],
    ids=range(8),
)
def test_unreadable_bodies_are_refused(world: World, url: Url, body: bytes, kind: str) -> None:
    response, seconds = post(world, url, body, content_type=kind)
    assert response.status_code < 500
    assert seconds < 1


@pytest.mark.all_cases  # a NUL is an error to PostgreSQL alone
@pytest.mark.parametrize("url", URLS, ids=lambda url: url.name)
def test_no_question_breaks_a_page(world: World, url: Url) -> None:
    path = url.path(world.public.arguments(url))
    role = ORGANIZER if ORGANIZER in url.doors.get else CONTRIBUTOR
    some = QUERIES[:FEW] if world.is_few else QUERIES
    for query in some if url.is_ours else QUERIES[:2]:
        with undone():
            client = world.client(world.actor(f"tea {role}"))
            assert client.get(f"{path}?{query}").status_code < 500, query


@pytest.mark.all_cases  # a NUL is an error to PostgreSQL alone
@pytest.mark.parametrize(
    "path",
    [
        "/events/%00/",
        "/events/tea%00/",
        "/seats/%00/",
        "/invitations/%FF%FE/",
        "/events/tea/desk/records/%00/",
        "/events/tea/desk/records/%ED%A0%80/",
        "/events/tea/desk/records/" + "a/" * 500,
        "/events/tea/rounds/%00/bundle.zip",
        "/account/confirm-email/%00/",
        "/account/password/reset/key/zzzzzzzzzzzzzz-%00/",
        "/account/oidc/%00/login/",
        "/admin/people/user/%00/change/",
        "/static/../arena/settings.py",
        "/static/%00",
        "//evil.invalid/..",
    ],
)
def test_no_address_breaks_the_site(world: World, path: str) -> None:
    for label in ("anonymous", f"tea {ORGANIZER}", "staff"):
        with undone():
            assert world.client(world.actor(label)).get(path).status_code in (302, 400, 404)


@pytest.mark.parametrize("nested", ["[" * 50_000, '{"a":' * 50_000, '{"prompt":' + "[" * 50_000])
def test_deep_json_is_a_wrong_line(nested: str, tmp_path: Any) -> None:
    file = tmp_path / "deep.jsonl"
    file.write_text(nested + "\n")
    report = import_records(make_event(), file, now=NOW, rng=Random(1))
    assert [error.line for error in report.errors] == [1]


def test_a_header_is_no_line_of_its_own(world: World) -> None:
    """What comes back in a header cannot begin another one."""
    with undone():
        client = world.client(world.actor(f"tea {CONTRIBUTOR}"))
        for there in (
            "//evil.invalid",
            "https://evil.invalid/",
            "/\\evil",
            "a",
            "home",
            "\t//evil",
        ):
            response = client.post("/account/seat/name/", {"display_name": "", "next": there})
            assert response.headers["Location"] == "/account/seat/", there
        response = client.post("/account/seat/name/", {"next": "/a\r\nSet-Cookie: a=b"})
        assert response.headers["Location"] == "/a%0D%0ASet-Cookie:%20a=b"
