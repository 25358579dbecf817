"""The recipes of CONTRIBUTING for settings, pages and question kinds, as they would be written."""

from tests.recipes.steps import Insert, New, Recipe, Replace

SETTING = Recipe(
    "A setting of an event",
    (
        Insert(
            "arena/events/models/event.py",
            "    publish_batch = ",
            '    contact = models.CharField(max_length=200, blank=True, default="")\n',
        ),
        Insert(
            "arena/desk/forms/event.py",
            '            "licence",',
            '            "contact",\n',
        ),
        Replace(
            "arena/exports/bundle_tables.py", " prize licence state", " prize licence contact state"
        ),
        Replace(
            "arena/exports/bundle_tables.py",
            'LATER_SETTINGS = split_names("',
            'LATER_SETTINGS = split_names("contact ',
        ),
        New(
            "tests/desk/test_contact.py",
            '''"""Whom people may ask about an event."""

import pytest
from django.test import Client

from arena.events.models import Event
from tests.desk.cast import url
from tests.desk.test_desk import FORM

pytestmark = pytest.mark.django_db


def test_an_organizer_says_whom_to_ask(desk: Client, event: Event) -> None:
    assert desk.post(url("event", event), FORM | {"contact": "Ada"}).status_code == 302
    event.refresh_from_db()
    assert event.contact == "Ada"
    assert b'name="contact"' in desk.get(url("event", event)).content
''',
        ),
    ),
    (
        "tests/desk/test_contact.py::test_an_organizer_says_whom_to_ask",
        "tests/recipes/proofs.py::test_a_bundle_carries_the_setting",
        "tests/recipes/proofs.py::test_a_bundle_from_before_it_is_read",
    ),
    max_files=4,
    migration="contact",
)

PAGE = Recipe(
    "A page",
    (
        Insert(
            "arena/desk/views/comments.py",
            "@dataclass(frozen=True)",
            '''@require_GET
def count(request: HttpRequest, slug: str) -> HttpResponse:
    """How many judgments stand."""
    event = get_desk_event(request, slug, Role.REVIEWER)
    count = Judgment.objects.standing().filter(event=event).count()
    return render_desk(request, "count", event, {"count": count})


''',
        ),
        Insert(
            "arena/desk/urls.py",
            'path("events/<slug:slug>/desk/comments/",',
            '    path("events/<slug:slug>/desk/count/", comments.count, name="count"),\n',
        ),
        New(
            "templates/desk/count.html",
            """{% extends "desk/base_desk.html" %}
{# How many judgments stand. Context: event, count. #}
{% load i18n arena %}
{% block desk %}
  <p>
    {% blocktranslate count count=count with number=count|grouped trimmed %}
      {{ number }} judgment
    {% plural %}
      {{ number }} judgments
    {% endblocktranslate %}
  </p>
{% endblock %}
""",
        ),
        Insert(
            "tests/security/policy.py",
            '    "desk:comments": ',
            '    "desk:count": Doors(REVIEWERS),\n',
        ),
        New(
            "tests/desk/test_count.py",
            '''"""How many judgments stand; nobody else learns it."""

import pytest
from django.test import Client

from arena.events.models import Event
from tests.desk.cast import signed_in, url
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def test_the_desk_counts_judgments(desk: Client, event: Event) -> None:
    assert b"0 judgments" in desk.get(url("count", event)).content


def test_an_outsider_finds_no_page(event: Event) -> None:
    assert signed_in(make_user()).get(url("count", event)).status_code == 404
''',
        ),
    ),
    (
        "tests/desk/test_count.py::test_the_desk_counts_judgments",
        "tests/desk/test_count.py::test_an_outsider_finds_no_page",
        "tests/recipes/proofs.py::test_the_policy_knows_the_page",
    ),
    max_files=5,
)

KIND = Recipe(
    "A question kind",
    (
        New(
            "arena/questions/number.py",
            '''"""A whole number from 0 to 10."""

from collections.abc import Sequence

from arena.questions.base import InvalidAnswerError, Settings, Value
from arena.questions.text import TextKind


class NumberKind(TextKind):
    """How sure somebody is, say. Value: `{"number": int}`."""

    name = "number"

    def check_answer(self, settings: Settings, raw: str, order: Sequence[int]) -> Value | None:
        if not raw:
            return None
        if not raw.isdecimal() or int(raw) > 10:
            raise InvalidAnswerError("Give a whole number from 0 to 10.")
        return {"number": int(raw)}

    def to_form_value(self, value: Value, order: Sequence[int]) -> str:
        return str(value["number"])
''',
        ),
        Insert(
            "arena/questions/__init__.py",
            "from arena.questions.preference import",
            "from arena.questions.number import NumberKind\n",
        ),
        Replace("arena/questions/__init__.py", "TextKind())}", "TextKind(), NumberKind())}"),
        New(
            "templates/questions/number.html",
            """{# Context: question (name, title, required, text). #}
<label>
  {{ question.title }}
  <input type="number" min="0" max="10" name="{{ question.name }}" value="{{ question.text }}"
         {% if question.required %}required{% endif %}>
</label>
""",
        ),
        Replace(
            "arena/exports/formats/judgment_columns.py",
            '"text": {"text": TEXT}}',
            '"text": {"text": TEXT}, "number": {"number": INTEGER}}',
        ),
        New(
            "tests/judging/test_number.py",
            '''"""A whole number is asked for, kept and exported."""

import json

import pytest
from django.urls import reverse

from arena.events.models import Question
from arena.judging.models import Judgment
from tests.exports.cast import judgment_lines
from tests.judging.cast import Cast

pytestmark = pytest.mark.django_db


def judge(cast: Cast, number: str) -> int:
    Question.objects.get_or_create(
        event=cast.event, position=3, name="sure", kind="number", title="How sure?", required=False
    )
    url = reverse("judging:judge", args=[cast.assignment().uuid])
    assert b'name="sure"' in cast.client.get(url).content
    return cast.client.post(url, {"preference": "a1", "sure": number}).status_code


def test_a_number_is_kept_and_exported() -> None:
    cast = Cast()
    assert judge(cast, "7") == 302
    (line,) = judgment_lines(cast.event)
    assert json.loads(line)["other_answers"] == {"sure": {"number": 7}}


def test_other_numbers_are_refused() -> None:
    cast = Cast()
    assert judge(cast, "11") == 422
    assert not Judgment.objects.exists()
''',
        ),
    ),
    (
        "tests/judging/test_number.py::test_a_number_is_kept_and_exported",
        "tests/judging/test_number.py::test_other_numbers_are_refused",
    ),
    max_files=5,
)
