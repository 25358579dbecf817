"""The world is made once for all walks, which leave no trace in it."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.security.cast import World, make_world
from tests.undoing import undone


@pytest.fixture(scope="module")
def world(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[World]:
    """The world of a module's walks, in one transaction that ends with it."""
    with django_db_blocker.unblock(), undone():
        made = make_world()
        made.is_few = request.config.getoption("few_cases")
        yield made
