"""Headers that no browser sends: each is refused or ignored, and no log fills with tracebacks."""

import io
import logging
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client, override_settings
from structlog.stdlib import ProcessorFormatter

from tests.factories import make_user
from tests.security.cast import World
from tests.security.policy import CONTRIBUTOR, ORGANIZER, URLS, Url
from tests.undoing import undone

pytestmark = pytest.mark.django_db

GARBAGE = ("garbage", " , ,ÿþ\x80\x01", "9" * 400, "http://[", "%00%FF;q=nan", "'\"<script>")
# What the site, Django, allauth, htmx or the file server reads.
NAMES = (
    *("ACCEPT", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING", "RANGE", "IF_RANGE", "IF_NONE_MATCH"),
    *("IF_MATCH", "IF_MODIFIED_SINCE", "IF_UNMODIFIED_SINCE", "USER_AGENT", "REFERER", "ORIGIN"),
    *("X_FORWARDED_PROTO", "X_FORWARDED_HOST", "X_FORWARDED_PORT", "FORWARDED", "X_REAL_IP"),
    *("HX_REQUEST", "HX_CURRENT_URL", "HX_TARGET", "HX_TRIGGER", "HX_PROMPT", "X_CSRFTOKEN"),
    *("HX_CURRENT_URL_URI_AUTOENCODED", "AUTHORIZATION", "X_REQUESTED_WITH", "DNT"),
)
COOKIES = (
    "sessionid=\\000; csrftoken=\\000; messages=\\000; django_language=\\000",
    'sessionid="\\000abc"; csrftoken="\\377"; messages="\\000"; django_language="\\000"',
    "sessionid=" + "a" * 4000 + "; csrftoken=" + "b" * 4000 + "; messages=" + "c" * 4000,
    "sessionid=ÿþ; csrftoken=ÿþ; messages=[[[[; django_language=../../etc",
    ";;;=;=a;a=;\x01",
    'messages=W1siX19qc29uX21lc3NhZ2UiLDAsMjUsIngiXV0:1:x; sessionid="',
)
# Of what others made, two are enough: the headers are read before their pages are.
FEW = 2
ADDRESSES = ("garbage", "999.1.1.1", "<script>", "1.2.3.4.5", "[::1", "unknown", "_hidden", "::g")
LINES = pytest.mark.parametrize("url", URLS, ids=lambda url: url.name)


def paths(world: World, url: Url) -> str:
    return url.path(world.public.arguments(url))


@pytest.fixture
def printed() -> Iterator[io.StringIO]:
    """What the site's own log prints meanwhile."""
    handlers = [one for one in logging.getLogger().handlers if is_ours(one)]
    (ours,) = (one for one in handlers if isinstance(one, logging.StreamHandler))
    text = io.StringIO()
    before = ours.setStream(text)
    yield text
    ours.setStream(before)


def is_ours(handler: logging.Handler) -> bool:
    """Whether this handler writes the site's lines."""
    return isinstance(handler.formatter, ProcessorFormatter)


def is_quiet(printed: io.StringIO) -> bool:
    """Whether no line is an error, and none has a traceback."""
    lines = printed.getvalue()
    return not any(loud in lines for loud in ("Traceback", "[error", '"error"'))


def test_a_fault_of_our_own_is_not_quiet(printed: io.StringIO) -> None:
    """What the others look for is there to be found."""
    client = Client(raise_request_exception=False)
    with patch("arena.events.models.EventQuerySet.known_to", side_effect=RuntimeError):
        assert client.get("/").status_code == 500
    assert not is_quiet(printed)
    printed.truncate(0)
    assert client.get("/events/none/", HTTP_HOST="[").status_code == 400
    assert "Invalid HTTP_HOST" in printed.getvalue()
    assert is_quiet(printed)


@pytest.mark.any_database
@LINES
def test_no_header_breaks_a_page(world: World, url: Url, printed: io.StringIO) -> None:
    role = (
        "staff"
        if url.is_admin
        else f"tea {ORGANIZER if ORGANIZER in url.doors.get else CONTRIBUTOR}"
    )
    for value in GARBAGE if url.is_ours else GARBAGE[:FEW]:
        with undone():
            client = world.client(world.actor(role))
            headers = {f"HTTP_{name}": value for name in NAMES}
            for method in ("get", "post"):
                response = getattr(client, method)(paths(world, url), **headers)
                assert response.status_code < 500, (method, value)
    assert is_quiet(printed)


@pytest.mark.parametrize("cookies", COOKIES, ids=range(len(COOKIES)))
def test_no_cookie_breaks_a_page(world: World, cookies: str, printed: io.StringIO) -> None:
    for path in ("/", "/events/tea/", "/account/login/", "/account/seat/", "/health/"):
        for method in ("get", "post"):
            with undone():
                response = getattr(Client(), method)(path, HTTP_COOKIE=cookies)
                assert response.status_code < 500, (method, path)
    assert is_quiet(printed)


@pytest.mark.any_database
@pytest.mark.parametrize("length", ["garbage", "-1", "", "1e9", "٣", "²", "9" * 40, "0x10", "1,2"])
@pytest.mark.parametrize("path", ["/account/login/", "/events/tea/import/", "/events/tea/join/"])
def test_no_content_length_breaks_a_form(
    world: World, path: str, length: str, printed: io.StringIO
) -> None:
    for label in ("anonymous", f"tea {ORGANIZER}"):
        with undone():
            client = world.client(world.actor(label))
            response = client.post(path, {"login": "a"}, CONTENT_LENGTH=length)
            assert response.status_code < 500
    assert is_quiet(printed)


@pytest.mark.any_database
@pytest.mark.parametrize("address", ADDRESSES)
@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_an_address_that_is_none_gets_400_and_no_traceback(
    address: str, printed: io.StringIO
) -> None:
    client = Client(HTTP_X_FORWARDED_FOR=f"198.51.100.7, {address}")
    assert client.get("/").status_code == 200
    for path in ("/account/login/", "/account/login/code/", "/account/password/reset/"):
        response = client.post(path, {"login": "a", "password": "b", "email": "a@mail.example"})
        assert response.status_code == 400
        assert b"The network address of this request cannot be determined." in response.content
        assert address.encode() not in response.content
    assert is_quiet(printed)


@pytest.mark.any_database
@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=2)
def test_fewer_proxies_than_there_should_be_get_400_and_one_line(
    printed: io.StringIO,
) -> None:
    client = Client(HTTP_X_FORWARDED_FOR="198.51.100.7")
    response = client.post("/account/login/", {"login": "a", "password": "b"})
    assert response.status_code == 400
    assert "see TRUSTED_PROXIES" in printed.getvalue()
    assert is_quiet(printed)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "address",
    ["::ffff:192.0.2.1", "2001:db8::1", "192.0.2.1:4711", "[2001:db8::1]:4711", "fe80::1%eth0"],
)
@override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1)
def test_every_way_to_write_an_address_is_read(address: str) -> None:
    client = Client(HTTP_X_FORWARDED_FOR=address)
    assert client.post("/account/login/", {"login": "a", "password": "b"}).status_code == 200


def test_without_trusted_proxies_nobody_reads_what_they_would_say() -> None:
    client = Client(HTTP_X_FORWARDED_FOR="garbage")
    assert client.post("/account/login/", {"login": "a", "password": "b"}).status_code == 200


@pytest.mark.any_database
@pytest.mark.parametrize("garbage", ["", "garbage", "https, garbage", "ÿ", ",", "HTTPS"])
@override_settings(
    SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"), SECURE_SSL_REDIRECT=True
)
def test_a_scheme_that_is_none_is_led_to_https(garbage: str, printed: io.StringIO) -> None:
    response = Client().get("/", HTTP_X_FORWARDED_PROTO=garbage)
    assert response.status_code in (200, 301)
    assert is_quiet(printed)


@pytest.mark.any_database
@pytest.mark.parametrize(
    "host", ["", "evil.invalid", "a b", "[", "ÿ", "localhost:port", "a" * 5000]
)
def test_a_host_that_is_none_gets_400(host: str, printed: io.StringIO) -> None:
    response: Any = Client().get("/account/login/", HTTP_HOST=host)
    assert response.status_code == 400
    assert is_quiet(printed)
    forwarded = Client().get("/account/login/", HTTP_X_FORWARDED_HOST=host)
    assert forwarded.status_code == 200


def test_the_signed_in_need_no_readable_address(printed: io.StringIO) -> None:
    """Whose answer is on its way is known by the session: garbage of a proxy loses nothing."""
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        client = Client(HTTP_X_FORWARDED_FOR="garbage")
        client.force_login(make_user())
        assert client.post("/account/seat/name/", {"display_name": ""}).status_code == 302
    assert is_quiet(printed)
