"""No page of another site can make a visitor's browser change anything."""

import pytest

from tests.security.cast import World
from tests.security.policy import ORGANIZER, URLS, Url
from tests.undoing import undone

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
UNSAFE = ("post", "put", "patch", "delete")
# Its token is its own: a cookie of Google's, repeated in the form.
EXEMPT = {"google_login_by_token"}


@pytest.mark.parametrize("url", URLS, ids=lambda url: url.name)
def test_without_a_token_nothing_is_taken(world: World, url: Url) -> None:
    """Whoever asks: the token is looked at before anybody's role is."""
    path = url.path(world.public.arguments(url))
    for method in UNSAFE:
        with undone():
            client = world.client(world.actor(f"tea {ORGANIZER}"), enforce_csrf_checks=True)
            status = getattr(client, method)(path).status_code
            assert status == 403 or url.name in EXEMPT, (method, status)


@pytest.mark.parametrize("url", URLS, ids=lambda url: url.name)
def test_no_method_breaks_a_page(world: World, url: Url) -> None:
    path = url.path(world.public.arguments(url))
    for method in ("head", "options", "trace", "put", "patch", "delete"):
        with undone():
            client = world.client(world.actor(f"tea {ORGANIZER}"))
            assert getattr(client, method)(path).status_code < 500, method


def test_a_token_of_somebody_else_does_not_do(world: World) -> None:
    """The token belongs to the cookie beside it, and the form's target to this site."""
    client = world.client(world.actor(f"tea {ORGANIZER}"), enforce_csrf_checks=True)
    other = world.client(world.actor(f"wine {ORGANIZER}"))
    page = other.get("/account/seat/")
    token = page.context["csrf_token"]
    client.get("/account/seat/")
    form = {"display_name": "Somebody", "csrfmiddlewaretoken": str(token)}
    assert client.post("/account/seat/name/", form).status_code == 403
    own = str(client.get("/account/seat/").context["csrf_token"])
    elsewhere = {"HTTP_ORIGIN": "https://evil.invalid"}
    form["csrfmiddlewaretoken"] = own
    assert client.post("/account/seat/name/", form, **elsewhere).status_code == 403
    assert client.post("/account/seat/name/", form).status_code == 302
