"""Lists are in the order in which people count, and leaf through with plain words."""

import io
import re
from random import Random

import pytest
from django.test import Client

from arena.events.importing import import_records
from arena.events.models import Event, Record
from arena.events.ordering import natural_key
from arena.events.records.controls import controls_of
from tests.desk.cast import url
from tests.factories import NOW, make_control, make_record

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "names",
    [
        ["1", "2", "81", "100", "1000"],
        ["q1", "q9", "q81", "q100"],
        ["a10", "b2", "b10"],
        ["a", "a1", "a1b", "a2"],
        ["007", "8", "0009", "10"],
        ["mt-2-turn-9", "mt-2-turn-10", "mt-10-turn-1"],
        ["q99999999999999999998", "q99999999999999999999", "q100000000000000000000"],
    ],
)
def test_81_comes_before_100(names: list[str]) -> None:
    mixed = names[::-1]
    assert sorted(mixed, key=natural_key) == names


def test_a_key_is_never_too_long() -> None:
    assert len(natural_key("a1" * 100)) <= Record._meta.get_field("sort_key").max_length
    assert len(natural_key("İ1" * 100)) <= Record._meta.get_field("sort_key").max_length


def named(event: Event, *names: str) -> None:
    for name in names:
        Record.objects.filter(pk=make_record(event).pk).update(
            external_id=name, sort_key=natural_key(name)
        )


def listed(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*">([^<]*)</a>', page)


def test_records_are_in_natural_order_page_by_page(desk: Client, event: Event) -> None:
    event.records.all().delete()
    named(event, *(f"q{number}" for number in range(120, 0, -1)))
    address = url("records", event)
    first = desk.get(address, {"q": "Prompt", "show": ""}).content.decode()
    assert listed(first)[:3] == ["q1", "q2", "q3"]
    assert "Older" not in first
    following = re.search(r'href="(\?[^"]*)"\s+rel="next">Next<', first)
    assert following is not None
    assert "q=Prompt" in following[1]  # the search goes along
    second = desk.get(address + following[1].replace("&amp;", "&")).content.decode()
    assert listed(second)[:2] == ["q51", "q52"]
    assert re.search(r'rel="prev">Previous<', second)


def test_imported_and_corrected_records_have_their_place(desk: Client, event: Event) -> None:
    event.records.all().delete()
    lines = [
        f'{{"external_id": "q{n}", "prompt": "Why {n}?", "responses": {{"A": "x", "B": "y"}}}}'
        for n in (100, 81, 9)
    ]
    file = io.BytesIO("\n".join(lines).encode())
    assert import_records(event, file, now=NOW, rng=Random(1)).errors == []
    assert listed(desk.get(url("records", event)).content.decode()) == ["q9", "q81", "q100"]
    texts = {"turn-0": "Why nine?", "response-0": "x", "response-1": "y", "why": "So."}
    desk.post(url("correct", event, "q9"), texts | {"sure": "yes"})
    corrected = event.records.get(replaces__external_id="q9")
    shown = listed(desk.get(url("records", event)).content.decode())
    assert shown == ["q9", corrected.external_id, "q81", "q100"]


def test_controls_are_in_natural_order_and_retired_ones_last(event: Event) -> None:
    controls = [make_control(event) for _ in range(3)]
    for matchup, name in zip(controls, ("c100", "c81", "c9"), strict=True):
        Record.objects.filter(pk=matchup.record_id).update(
            external_id=name, sort_key=natural_key(name)
        )
    controls[2].retired_at = matchup.event.created_at
    controls[2].save()
    order = [control.matchup.record.external_id for control in controls_of(event)]
    assert order == ["c81", "c100", "c9"]
