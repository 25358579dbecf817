import pytest
from django.test import Client

from arena.events.models import Event
from arena.people.models import User
from tests.desk.cast import signed_in
from tests.factories import make_competitors, make_event, make_matchups, make_user


@pytest.fixture
def organizer() -> User:
    return make_user("olga")


@pytest.fixture
def event(organizer: User) -> Event:
    """A running event of six matchups of two models."""
    event = make_event("tea", organizer=organizer)
    models = make_competitors(event, 2)
    make_matchups(event, models, 6)
    return event


@pytest.fixture
def desk(organizer: User) -> Client:
    """The organizer's browser."""
    return signed_in(organizer)
