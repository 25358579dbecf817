"""manage.py count_style: responses get the counts of their texts, but not once published."""

import pytest
from django.core.management import CommandError, call_command

from arena.events.models import Event, Response
from tests.factories import make_competitors, make_event, make_matchup

pytestmark = pytest.mark.django_db


@pytest.fixture
def response() -> Response:
    event = make_event(slug="fair")
    make_matchup(event, make_competitors(event, 2))
    found = Response.objects.order_by("pk").first()
    assert found is not None
    Response.objects.filter(pk=found.pk).update(text="- one **two**\n- three", length=0)
    return found


def test_the_counts_are_those_of_the_text(response: Response, capsys) -> None:
    call_command("count_style", "fair")
    response.refresh_from_db()
    assert (response.length, response.bold, response.lists) == (5, 1, 2)
    assert response.text == "- one **two**\n- three"
    capsys.readouterr()
    call_command("count_style", "fair")
    assert "0 responses of fair" in capsys.readouterr().out


def test_what_is_published_stays_as_it_is(response: Response) -> None:
    Event.objects.update(state=Event.State.PUBLISHED)
    with pytest.raises(CommandError, match="published"):
        call_command("count_style", "fair")
    response.refresh_from_db()
    assert response.length == 0


def test_an_event_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="no event 'tea'"):
        call_command("count_style", "tea")
