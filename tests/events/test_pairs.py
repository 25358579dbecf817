"""The pair of competitors that a matchup shows is stored with it."""

from importlib import import_module

import pytest
from django.apps import apps

from arena.events.models import Matchup
from tests.events.pairs import assert_pairs_stored
from tests.factories import (
    make_competitors,
    make_control,
    make_event,
    make_matchup,
    make_matchup_of,
    make_record,
)

pytestmark = pytest.mark.django_db


def test_rows_from_before_get_their_pair_in_batches(monkeypatch) -> None:
    event = make_event()
    models = make_competitors(event, 3)
    make_matchup(event, models[:2])
    make_matchup(event, [models[2], models[0]])
    make_matchup(event, models[:2])
    make_control(event)
    make_control(event, competitors=models[1:])
    record = make_record(event)
    three = [record.responses.create(competitor=model, text=model.name) for model in models]
    make_matchup_of(record, three)
    make_matchup_of(record, three[:1])
    half = record.responses.create(competitor=None, text="Nobody's.")
    make_matchup_of(record, [three[0], half])
    assert_pairs_stored(event, pairs=3)
    before = dict(Matchup.objects.values_list("pk", "pair"))
    Matchup.objects.update(pair="")
    with pytest.raises(AssertionError):
        assert_pairs_stored(event, pairs=3)
    migration = import_module("arena.events.migrations.0015_fill_pairs")
    monkeypatch.setattr(migration, "BATCH", 3)
    migration.fill_pairs(apps, None)
    assert dict(Matchup.objects.values_list("pk", "pair")) == before
