"""manage.py count_style EVENT: count the covariates of style of responses that are there."""

from argparse import ArgumentParser
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from arena.events.ledger import RESPONSE_KIND, append_entries
from arena.events.lifecycle.locking import is_result_locked
from arena.events.models import COVARIATES, Event, Response, count_style

BATCH_ROWS = 1_000
"""Responses that are read and written at a time."""


class Command(BaseCommand):
    """For a covariate that was declared after an event's responses were imported."""

    help = "Count the covariates of style of an event's responses anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="slug of the event")

    def handle(self, *args: Any, **options: Any) -> None:
        event = Event.objects.filter(slug=options["event"]).first()
        if event is None:
            raise CommandError(f"There is no event {options['event']!r}.")
        if is_result_locked(event):
            raise CommandError("Its result is published and stays as it is.")
        names = [covariate.name for covariate in COVARIATES]
        changed = differing_responses(event)
        written = 0
        while batch := list(islice(changed, BATCH_ROWS)):
            # No changed row without its word in the ledger.
            with transaction.atomic():
                written += Response.objects.bulk_update(batch, names)
                append_entries(event.pk, RESPONSE_KIND, [response.pk for response in batch])
        self.stdout.write(
            f"{written:,} responses of {event.slug} counted anew."
            " The boards follow with `manage.py refresh EVENT --rebuild`."
        )


def differing_responses(event: Event) -> Iterator[Response]:
    """Responses whose counts are not those of their texts, with the right ones, not yet saved."""
    for response in list_responses(event):
        counts = count_style(response.text)
        if any(getattr(response, name) != count for name, count in counts.items()):
            for name, count in counts.items():
                setattr(response, name, count)
            yield response


def list_responses(event: Event) -> Iterator[Response]:
    """All responses of the event, some at a time and in no transaction, as others write between."""
    responses = Response.objects.filter(record__event=event).order_by("pk")
    last = 0
    while some := list(responses.filter(pk__gt=last)[:BATCH_ROWS]):
        yield from some
        last = some[-1].pk
