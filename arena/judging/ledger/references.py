"""The first entries about what a batch of judgments refers to: matchups and all that is in them.

What is there when a judgment is sealed is what was judged. From then on a change needs an entry
of its own, which whoever changes it appends.
"""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from arena.events.ledger import (
    CATEGORY_KIND,
    COMPETITOR_KIND,
    KEY_KIND,
    MATCHUP_KIND,
    QUESTION_KIND,
    RECORD_KIND,
    RESPONSE_KIND,
    SETTINGS_KIND,
    EntryKind,
    build_entries,
    has_entry,
)
from arena.events.models import (
    Category,
    Competitor,
    Control,
    Event,
    LedgerEntry,
    Matchup,
    Question,
    Record,
    Response,
)
from arena.judging.ledger.kinds import EXCLUSION_KIND
from arena.judging.models import Answer, Exclusion, Judgment


def iter_first_entries(event_id: int, first_seq: int, last_seq: int) -> Iterator[LedgerEntry]:
    """Entries about everything that these judgments refer to and that has none yet, not saved."""
    judged = Judgment.objects.filter(event=event_id, ledger_seq__range=(first_seq, last_seq))
    yield from iter_new(event_id, SETTINGS_KIND, Event.objects.filter(pk=event_id))
    asked = Answer.objects.filter(judgment__in=judged, outcome__isnull=False)
    questions = Question.objects.filter(pk__in=asked.values("question"))
    yield from iter_new(event_id, QUESTION_KIND, questions)
    yield from iter_contents(event_id, Matchup.objects.filter(pk__in=judged.values("matchup")))
    exclusions = Exclusion.objects.filter(judgment__in=judged)
    yield from iter_new(event_id, EXCLUSION_KIND, exclusions)


def iter_contents(event_id: int, matchups: QuerySet[Matchup]) -> Iterator[LedgerEntry]:
    """Entries about these matchups and what is in them."""
    entered = has_entry(event_id, MATCHUP_KIND)
    new = list(matchups.filter(~entered).order_by("pk").values_list("pk", flat=True))
    if not new:
        return
    yield from build_entries(event_id, MATCHUP_KIND, new)
    controls = Control.objects.filter(matchup__in=new)
    yield from iter_new(event_id, KEY_KIND, controls, "matchup_id")
    responses = Response.objects.filter(matchups__in=new)
    yield from iter_new(event_id, RESPONSE_KIND, responses)
    competitors = Competitor.objects.filter(pk__in=responses.values("competitor"))
    yield from iter_new(event_id, COMPETITOR_KIND, competitors)
    records = Record.objects.filter(pk__in=Matchup.objects.filter(pk__in=new).values("record"))
    yield from iter_new(event_id, RECORD_KIND, records)
    categories = Category.objects.filter(records__in=records)
    yield from iter_new(event_id, CATEGORY_KIND, categories)


def iter_new(
    event_id: int, kind: EntryKind, rows: QuerySet[Any], key: str = "pk"
) -> Iterator[LedgerEntry]:
    """Entries about those of these rows that have none yet."""
    new = rows.filter(~has_entry(event_id, kind, key)).order_by(key)
    yield from build_entries(event_id, kind, sorted(set(new.values_list(key, flat=True))))


def iter_earlier_exclusions(event_id: int) -> Iterator[LedgerEntry]:
    """Entries about exclusions from before there were entries."""
    yield from iter_new(event_id, EXCLUSION_KIND, Exclusion.objects.filter(event=event_id))
