"""manage.py review EVENT: the queue, in plain text."""

import io

import pytest
from django.core.management import CommandError, call_command

from arena.events.decision_record import Ruling
from arena.events.lifecycle.decisions import Plan, propose
from arena.events.models import Act, Event
from arena.judging.models import Appeal, Case
from arena.people.models import User
from tests.factories import NOW, make_enrollment, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def run(slug: str) -> list[str]:
    out = io.StringIO()
    call_command("review", slug, stdout=out)
    return out.getvalue().splitlines()


def test_the_queue_is_printed_in_its_order(event: Event, organizer: User) -> None:
    who, other = make_enrollment(event, make_user("joe@mail.example")), make_enrollment(event)
    figures = {"on_controls": 1.0, "on_others": 0.1, "controls": 12}
    Case.objects.create(
        event=event, enrollment=who, reason=Case.Reason.GAP, evidence=figures, opened_at=NOW
    )
    Appeal.objects.create(event=event, enrollment=other, text="I read\nthem.", opened_at=NOW)
    plan = Plan(Act.WINNER_CONFIRMED, "winner", {"contributor": who.pk})
    propose(event, plan, Ruling(organizer, NOW, "The best."))
    heading, *lines = run("tea")
    assert [line.split("  ")[1] for line in lines] == [
        "Appeal against an exclusion",
        "Confirm the winner",
        str(Case.Reason.GAP.label),
    ]
    column = heading.index("CLAIM")
    starts = ["I read them.", "The best.", "They "]
    assert all(line[column:].startswith(said) for line, said in zip(lines, starts, strict=True))
    assert "Unanswered for" in lines[0]
    assert "mail.example" not in "".join(lines)


def test_an_empty_queue_and_an_unknown_event(event: Event) -> None:
    assert run(event.slug) == ["Nothing to review."]
    with pytest.raises(CommandError, match="no event coffee"):
        run("coffee")
