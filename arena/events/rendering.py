"""Texts of records and responses as safe HTML: rendered once, kept beside the text, read by pages.

A worker renders what an import brings; a page that needs a text before that asks the process apart
(`arena/markup/isolation`) for a moment, and shows the source where the moment was not enough. No
web process renders a stranger's text itself.

A record says `rendered_with` for its prompt and all of its responses. Whoever changes one of these
texts, or adds a response, sets it to 0 in the same transaction before anything else: whoever stores
HTML holds the record's row and looks at the texts once more.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from arena.events.importing.running import MAX_SHOWN_TOGETHER
from arena.events.importing.writing.temporary import split_by_cost
from arena.events.models import Record, Response
from arena.markup import RENDERER_VERSION, RenderedMessage, render_as_source
from arena.markup.isolation import (
    DEFAULT_BUDGET,
    Budget,
    RenderingDelayedError,
    SourceText,
    get_process,
    render_page,
)

# Budgets of pages that a record with very many responses gets.
MAX_PAGES = 3
# Written in one transaction: a fraction of a second.
RECORDS_PER_BATCH, CHARACTERS_PER_BATCH = 50, 4_000_000
# What a page waits for texts that no worker has rendered yet; how long it then leaves the record to
# the workers, and how long no page waits again.
PATIENCE_SECONDS, LEAVE_SECONDS, PAUSE_SECONDS = 2.0, 60, 5
PAUSE_KEY = "rendering-pause"
# So long after the beginning of a record whoever renders is taken for dead; two at once do no harm.
SLICE_HOLD_SECONDS = 30
SLICE_KEY = "rendering-slice"


# --- what is stored ---------------------------------------------------------------------------


def get_messages(record: Record) -> list[RenderedMessage]:
    """The turns of a record's prompt as stored, or as source where they are not rendered."""
    html = record.prompt_html if record.rendered_with == RENDERER_VERSION else None
    return build_messages(record.prompt, html)


def build_messages(
    prompt: Sequence[dict[str, Any]], html: Sequence[str] | None
) -> list[RenderedMessage]:
    """The turns of a prompt with their HTML; None: as source."""
    turns = html or [render_as_source(str(turn["content"])) for turn in prompt]
    return [
        RenderedMessage(role=str(turn["role"]), html=rendered)
        for turn, rendered in zip(prompt, turns, strict=True)
    ]


def get_response_html(response: Response) -> str:
    """The HTML of a response as stored, or its source where it is not rendered."""
    if response.rendered_with == RENDERER_VERSION:
        return response.html
    return render_as_source(response.text)


def load_messages(record: Record) -> list[RenderedMessage]:
    """The turns of a record's prompt, rendered now where they are not."""
    if record.rendered_with != RENDERER_VERSION:
        ensure_rendered([record.pk])
        record.refresh_from_db(fields=["prompt_html", "rendered_with"])
    return get_messages(record)


def load_response_html(response: Response) -> str:
    """The HTML of a response, rendered now where it is not."""
    if response.rendered_with != RENDERER_VERSION:
        ensure_rendered([response.record_id])
        response.refresh_from_db(fields=["html", "rendered_with"])
    return get_response_html(response)


# --- rendering --------------------------------------------------------------------------------


@dataclass(frozen=True)
class RenderedRecord:
    """The HTML of a record's prompt and responses, with the texts that it was made of."""

    pk: int
    prompt: list[dict[str, Any]]
    prompt_html: list[str]
    responses: dict[int, tuple[str, str]]  # text and HTML by primary key

    @property
    def cost(self) -> float:
        """The part of a batch that it takes."""
        size = sum(map(len, self.prompt_html))
        size += sum(len(text) + len(html) for text, html in self.responses.values())
        return 1 / RECORDS_PER_BATCH + size / CHARACTERS_PER_BATCH


def unrendered(records: QuerySet[Record]) -> QuerySet[Record]:
    """Those of these records, of which some text is not rendered by this version."""
    stale = Response.objects.filter(record=OuterRef("pk")).exclude(rendered_with=RENDERER_VERSION)
    return records.filter(~Q(rendered_with=RENDERER_VERSION) | Exists(stale))


def ensure_rendered(
    records: Iterable[int], patience: float = PATIENCE_SECONDS, budget: Budget = DEFAULT_BUDGET
) -> None:
    """Render what these records lack, for a page that is waiting: so many seconds and no more.

    What is not ready then is left to the workers for a minute, and shown as source meanwhile.
    Call it before reading, outside transactions.
    """
    if cache.get(PAUSE_KEY):
        return
    missing = unrendered(Record.objects.filter(pk__in=list(records)))
    deadline = time.monotonic() + patience
    for pk in missing.order_by("pk").values_list("pk", flat=True):
        if time.monotonic() < deadline and cache.add(f"rendering:{pk}", 1, LEAVE_SECONDS):
            try:
                rendered = render_record(pk, budget, deadline)
            except RenderingDelayedError:
                cache.set(PAUSE_KEY, 1, PAUSE_SECONDS)
                return
            store_rendered([rendered] if rendered else [])
            cache.delete(f"rendering:{pk}")


def render_record(
    pk: int, budget: Budget = DEFAULT_BUDGET, deadline: float | None = None
) -> RenderedRecord | None:
    """Render a record and its responses; None if it is no longer there."""
    prompt = Record.objects.filter(pk=pk).values_list("prompt", flat=True).first()
    if prompt is None:
        return None
    responses = list(Response.objects.filter(record=pk).order_by("pk").values_list("pk", "text"))
    sources = [SourceText(str(turn["content"])) for turn in prompt]
    sources += [SourceText(text, is_response=True) for _pk, text in responses]
    html = render_page(get_process(), sources, scale_budget(budget, len(responses)), deadline)
    of_responses = html[len(prompt) :]
    return RenderedRecord(
        pk,
        prompt,
        html[: len(prompt)],
        {
            response: (text, rendered)
            for (response, text), rendered in zip(responses, of_responses, strict=True)
        },
    )


def scale_budget(budget: Budget, responses: int) -> Budget:
    """The budget of a record: a page shows nine of its responses at most, and many of them take
    a few pages' budget."""
    pages = min(max(math.ceil(responses / MAX_SHOWN_TOGETHER), 1), MAX_PAGES)
    return replace(
        budget,
        page_seconds=budget.page_seconds * pages,
        page_size=budget.page_size * pages,
    )


def store_rendered(batch: Sequence[RenderedRecord]) -> None:
    """Store HTML beside the texts it was made of. A record that has changed meanwhile, or is just
    being changed, stays as it is and is rendered anew."""
    # Closes the race with whoever changes a text: they write the record's row first. Whoever has
    # it already is not waited for, so that nobody waits in a circle.
    with transaction.atomic():
        rows = Record.objects.select_for_update(skip_locked=True, no_key=True).order_by("pk")
        found = {
            record.pk: record
            for record in rows.filter(pk__in=[rendered.pk for rendered in batch]).only("prompt")
        }
        texts: dict[int, dict[int, str]] = {pk: {} for pk in found}
        for pk, record_pk, text in Response.objects.filter(record__in=found).values_list(
            "pk", "record_id", "text"
        ):
            texts[record_pk][pk] = text
        current = [
            rendered
            for rendered in batch
            if rendered.pk in found
            and rendered.prompt == found[rendered.pk].prompt
            and texts[rendered.pk] == {pk: text for pk, (text, _) in rendered.responses.items()}
        ]
        for rendered in current:
            found[rendered.pk].prompt_html = rendered.prompt_html
            found[rendered.pk].rendered_with = RENDERER_VERSION
        Record.objects.bulk_update(
            [found[rendered.pk] for rendered in current], ["prompt_html", "rendered_with"]
        )
        Response.objects.bulk_update(
            [
                Response(pk=pk, html=html, rendered_with=RENDERER_VERSION)
                for rendered in current
                for pk, (_text, html) in rendered.responses.items()
            ],
            ["html", "rendered_with"],
        )


def render_records(keys: Iterable[int], budget: Budget = DEFAULT_BUDGET) -> int:
    """Render and store these records in batches; how many there were."""
    rendered = (found for pk in keys if (found := render_record(pk, budget)))
    done = 0
    for batch in split_by_cost(rendered, lambda record: record.cost):
        store_rendered(batch)
        done += len(batch)
    return done


def render_slice(seconds: float, budget: Budget = DEFAULT_BUDGET) -> int:
    """Render for some seconds what is not rendered, the events in turn, so that none waits for the
    texts of another; how many records that were. One process at a time does it."""
    if not cache.add(SLICE_KEY, 1, SLICE_HOLD_SECONDS):
        return 0
    try:
        return render_records(take_turns(time.monotonic() + seconds), budget)
    except RenderingDelayedError:  # the site is being stopped
        return 0
    finally:
        cache.delete(SLICE_KEY)


def take_turns(deadline: float) -> Iterator[int]:
    """Records to be rendered, a batch of each event in turn, until this time."""
    landed = Record.objects.filter(imported_at__isnull=False)
    waiting = landed.filter(rendered_with__lt=RENDERER_VERSION)  # by its index
    events = list(waiting.order_by("event_id").values_list("event_id", flat=True).distinct())
    last = dict.fromkeys(events, 0)
    while last:
        for event in list(last):
            queue = waiting.filter(event=event, pk__gt=last[event]).order_by("pk")
            keys = list(queue.values_list("pk", flat=True)[:RECORDS_PER_BATCH])
            if not keys:
                del last[event]
            for pk in keys:
                if time.monotonic() > deadline:
                    return
                cache.touch(SLICE_KEY, SLICE_HOLD_SECONDS)
                yield pk
                last[event] = pk
