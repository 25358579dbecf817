"""Duplicating an event: its settings, words and records in a new draft; no people, no judgments."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import Any

from django.db import models, transaction

from arena.events.importing.writing.batches import build_matchup_key, build_pair
from arena.events.lifecycle.creation import NewEvent, create_event, free_event_slug
from arena.events.models import (
    Control,
    Event,
    Matchup,
    MatchupResponse,
    Record,
    Response,
    Terms,
)
from arena.people.models import User

# What a copy has of its own: its name, its life, its times and its secret.
NOT_COPIED = {
    "id",
    "slug",
    "title",
    "state",
    "created_at",
    "opens_at",
    "closes_at",
    "published_at",
    "secret",
    "seats",
    "version",
    "batch_is_new",
}
ROWS_PER_BATCH = 1_000

# Primary keys of the original's rows to those of the copy's.
KeyMap = dict[int, int]
RowChange = Callable[[Any], dict[str, Any]]


def duplicate_event(
    event: Event, title: str, *, organizer: User, now: datetime, rng: Random
) -> Event:
    """A draft with everything of this event that is in service, to be changed at will.

    Ordinary matchups want all their judgments; texts corrected before are there as they are now.
    """
    settings = {
        field.name: getattr(event, field.name)
        for field in Event._meta.concrete_fields
        if field.name not in NOT_COPIED
    }
    latest = event.guidelines.order_by("-version").first()
    plan = NewEvent(free_event_slug(title), title, latest.text if latest else "", settings)
    # The copy is there as a whole or not at all.
    with transaction.atomic():
        copy = create_event(plan, organizer=organizer)
        copy.questions.all().delete()
        questions = copy_rows(event.questions, lambda _row: {"event_id": copy.pk})
        if terms := event.terms.order_by("-version").first():
            of_terms = Terms.objects.filter(pk=terms.pk)
            copy_rows(of_terms, lambda _row: {"event_id": copy.pk, "version": 1})
        copy_records(event, copy, questions, now, rng)
    return copy


def copy_records(event: Event, copy: Event, questions: KeyMap, now: datetime, rng: Random) -> None:
    """Competitors, categories, records, responses, matchups and controls that are in service."""
    mine: dict[str, Any] = {"event_id": copy.pk}
    competitors = copy_rows(event.competitors, lambda _row: mine | {"joined_late": False})
    categories = copy_rows(event.categories, lambda _row: mine)
    in_use = Record.objects.filter(event=event, imported_at__isnull=False, retired_at=None)
    records = copy_rows(in_use, lambda _row: mine | {"imported_at": now, "replaces_id": None})
    through = Record.categories.through
    filed = through.objects.filter(record__in=in_use)
    copy_rows(
        filed,
        lambda row: {
            "record_id": records[row.record_id],
            "category_id": categories[row.category_id],
        },
    )
    responses = copy_rows(
        Response.objects.filter(record__in=in_use),
        lambda row: {
            "record_id": records[row.record_id],
            "competitor_id": row.competitor_id and competitors[row.competitor_id],
        },
    )
    serving = Matchup.objects.serving().filter(event=event)
    places = MatchupResponse.objects.filter(matchup__in=serving)
    shown: dict[int, list[int]] = defaultdict(list)
    owners: dict[int, list[int | None]] = defaultdict(list)
    for matchup, response, owner in places.values_list(
        "matchup_id", "response_id", "response__competitor_id"
    ):
        shown[matchup].append(responses[response])
        owners[matchup].append(owner and competitors[owner])
    matchups = copy_rows(
        serving,
        lambda row: (
            mine
            | {
                "record_id": records[row.record_id],
                "key": build_matchup_key(shown[row.pk]),
                "pair": build_pair(owners[row.pk]),
                "open_slots": copy.overlap if row.role == Matchup.Role.ORDINARY else 0,
                "shuffle": rng.random(),
            }
        ),
    )
    copy_rows(
        places,
        lambda row: {
            "matchup_id": matchups[row.matchup_id],
            "response_id": responses[row.response_id],
        },
    )
    copy_rows(
        Control.objects.filter(matchup__in=serving),
        lambda row: {
            "matchup_id": matchups[row.matchup_id],
            "question_id": questions[row.question_id],
            "copied_from_id": row.copied_from_id or row.pk,
        },
    )


def copy_rows(rows: Any, change: RowChange) -> KeyMap:
    """Copies of rows with what `change` says of each, in the same order of primary keys.

    The order matters: a matchup's responses stand in that of their keys, and a control's key
    names the first of them.
    """
    model: type[models.Model] = rows.model
    names = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
    old = list(rows.order_by("pk"))
    new = [model(**({name: getattr(row, name) for name in names} | change(row))) for row in old]
    model._default_manager.bulk_create(new, batch_size=ROWS_PER_BATCH)
    return {before.pk: after.pk for before, after in zip(old, new, strict=True)}
