"""Correcting a record: a new version takes its place, and what was judged keeps what it saw."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from django.db import transaction
from django.utils.translation import gettext as _

from arena.errors import ArenaError, ConflictError
from arena.events.decision_record import Ruling, hold_state, record_decision
from arena.events.importing.writing.batches import (
    build_matchup_key,
    build_pair,
    leave_out_copies,
)
from arena.events.models import (
    Act,
    Control,
    Event,
    Matchup,
    MatchupResponse,
    Record,
    Response,
    count_style,
)
from arena.events.ordering import natural_key

VERSION_SUFFIX = re.compile(r"\.v\d+$")
MAX_ID_BASE = 190


@dataclass(frozen=True)
class RecordTexts:
    """All texts of a record: its turns, and its responses by primary key from the lowest, without
    the copies that its tie controls show."""

    turns: list[str]
    responses: list[str]


def texts_of(record: Record) -> RecordTexts:
    """The texts as they are."""
    responses = leave_out_copies(list(record.responses.order_by("pk")))
    return RecordTexts(
        [turn["content"] for turn in record.prompt], [response.text for response in responses]
    )


def correct_record(record: Record, wording: RecordTexts, ruling: Ruling, rng: Random) -> Record:
    """A new version of the record with these texts; the old one is served no more.

    Matchups in service are made anew for it: ordinary ones want all their judgments again,
    controls keep their key, since the order of responses is kept.
    """
    now = ruling.now
    if wording == texts_of(record):
        raise ArenaError(_("Nothing has changed."), "unchanged")
    # Closes the race of two organizers: whoever retires the record writes its successor.
    with transaction.atomic():
        if not Record.objects.filter(pk=record.pk, retired_at=None).update(retired_at=now):
            raise ConflictError(_("This record has already been replaced."), "replaced")
        external_id = next_version(record)
        successor = Record.objects.create(
            event=record.event,
            external_id=external_id,
            sort_key=natural_key(external_id),
            prompt=[
                turn | {"content": text}
                for turn, text in zip(record.prompt, wording.turns, strict=True)
            ],
            metadata=record.metadata,
            imported_at=now,
            replaces=record,
        )
        successor.categories.set(record.categories.all())
        old = list(record.responses.order_by("pk"))
        originals = zip(leave_out_copies(old), wording.responses, strict=True)
        texts = {response.pk: text for response, text in originals}
        # A copy says what its original does.
        by_text = {response.text: texts[response.pk] for response in old if response.pk in texts}
        new = Response.objects.bulk_create(
            Response(
                record=successor,
                competitor_id=response.competitor_id,
                text=text,
                **count_style(text),
            )
            for response in old
            for text in [texts.get(response.pk, by_text[response.text])]
        )
        successors = {before.pk: after for before, after in zip(old, new, strict=True)}
        # A control whose key was withdrawn measures nobody, and its copy would not either.
        in_service = record.matchups.filter(retired_at=None).exclude(
            control__retired_at__isnull=False
        )
        in_service = in_service.select_related("control")
        for matchup in in_service.prefetch_related("places").order_by("pk"):
            responses = [successors[place.response_id] for place in matchup.places.all()]
            copy_matchup(matchup, successor, responses, rng)
        record.matchups.filter(retired_at=None).update(retired_at=now)
        record_correction(record, successor, ruling)
    return successor


def record_correction(record: Record, successor: Record, ruling: Ruling) -> None:
    """Write down that a record of an open event was replaced, its controls' keys with it."""
    if hold_state(record.event) != Event.State.DRAFT:
        names = {"old": record.external_id, "new": successor.external_id}
        record_decision(record.event, Act.RECORD_CORRECTED, ruling, **names)


def copy_matchup(
    matchup: Matchup, successor: Record, responses: Sequence[Response], rng: Random
) -> None:
    """Create the same matchup for a record's new version, with its key where it is a control."""
    ordinary = matchup.role == Matchup.Role.ORDINARY
    fresh = Matchup.objects.create(
        event=successor.event,
        record=successor,
        key=build_matchup_key(response.pk for response in responses),
        role=matchup.role,
        open_slots=successor.event.overlap if ordinary else 0,
        pair=build_pair(response.competitor_id for response in responses),
        shuffle=rng.random(),
    )
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup=fresh, response=response, position=position)
        for position, response in enumerate(responses)
    )
    if matchup.role == Matchup.Role.CONTROL:
        key = matchup.control
        Control.objects.create(
            matchup=fresh, question_id=key.question_id, key=key.key, reason=key.reason
        )


def next_version(record: Record) -> str:
    """The identifier of the next version: `q1`, `q1.v2`, `q1.v3`."""
    event: Event = record.event
    base = VERSION_SUFFIX.sub("", record.external_id)[:MAX_ID_BASE]
    names = (f"{base}.v{number}" for number in count(2))
    return next(name for name in names if not event.records.filter(external_id=name).exists())
