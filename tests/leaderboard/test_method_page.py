"""The method page says what no number of it can tell."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from arena.events.joining.terms import publish_terms
from arena.events.models import Event
from tests.factories import make_event
from tests.leaderboard.reading import text

pytestmark = pytest.mark.django_db
AGENTS = "No test of answers tells it from that person."
ONE_ACCOUNT = "one person has one account"
KEPT = "reviewers see it as hints"


def read(event: Event) -> str:
    return " ".join(text(Client().get(reverse("leaderboard:method", args=[event.slug]))).split())


@pytest.mark.parametrize(
    ("settings", "said", "unsaid"),
    [
        ({}, (AGENTS, KEPT, "Judge by yourself"), (ONE_ACCOUNT,)),
        ({"prize": "A book"}, (AGENTS, KEPT, ONE_ACCOUNT), ()),
        ({"keeps_behaviour": False}, (AGENTS, "does not keep how"), (KEPT, ONE_ACCOUNT)),
    ],
)
def test_it_says_what_cannot_be_told_and_what_is_kept(
    settings: dict[str, Any], said: tuple[str, ...], unsaid: tuple[str, ...]
) -> None:
    page = read(make_event(**settings))
    assert [words for words in said if words not in page] == []
    assert [words for words in unsaid if words in page] == []


def test_it_repeats_the_rule_in_force() -> None:
    event = make_event()
    publish_terms(event, assistance="A dictionary <b>only</b>.")
    assert "A dictionary &lt;b&gt;only&lt;/b&gt;." in read(event)
    publish_terms(event, assistance="")
    assert "The terms say nothing about help by programs." in read(event)
