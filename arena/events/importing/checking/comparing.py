"""Comparing a row with the record that exists: what it changes, and whether that is allowed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from arena.events.importing.checking.checks import Problem
from arena.events.importing.reading.name_index import NameIndex
from arena.events.importing.reading.records import KEYED_RESPONSES, RecordRow, ResponseRow
from arena.events.models import Control, Event, Matchup, MatchupResponse, Record, Response

FROZEN_MESSAGE = (
    "has been shown to somebody, so that its text is frozen; import a new record instead"
)
KEY_MESSAGE = "the event is over: keys are set on the record’s page alone now"


@dataclass(slots=True)
class ExistingRecord:
    """A record of the event with all that an import may change."""

    record: Record
    responses: list[Response] = field(default_factory=list)
    categories: dict[int, str] = field(default_factory=dict)
    # Its controls by their matchups' keys.
    controls: dict[str, Control] = field(default_factory=dict)

    def find_copies(self, response: Response) -> list[Response]:
        """The second sides of the tie controls of a model's response."""
        return [
            one
            for one in self.responses
            if response.competitor_id and not one.competitor_id and one.text == response.text
        ]

    def find_control(self, listed: Sequence[Response | None]) -> Control | None:
        """The control whose key is about the first two of these responses."""
        keyed = [response.pk for response in listed[:KEYED_RESPONSES] if response]
        return self.controls.get(",".join(map(str, sorted(keyed))))


@dataclass(slots=True)
class RecordChanges:
    """What a row changes of a known record."""

    prompt: bool = False
    metadata: bool = False
    categories: bool = False
    changed_texts: list[tuple[Response, str]] = field(default_factory=list)
    added_responses: list[ResponseRow] = field(default_factory=list)
    # The responses that the row lists, in its order; None for those to be added.
    existing: list[Response | None] = field(default_factory=list)
    key: bool = False
    reason: bool = False

    def __bool__(self) -> bool:
        told = (self.prompt, self.metadata, self.categories, self.key, self.reason)
        return any(told) or bool(self.changed_texts or self.added_responses)


def load_existing_records(event: Event, external_ids: Iterable[str]) -> dict[str, ExistingRecord]:
    """The event's records with these identifiers."""
    records = Record.objects.filter(event=event, external_id__in=list(external_ids))
    known = {record.pk: ExistingRecord(record) for record in records.defer("prompt_html")}
    if known:
        now = Event.objects.get(pk=event.pk)  # it may have closed since the import began
        for one in known.values():
            one.record.event = now
        for response in Response.objects.filter(record__in=known).defer("html").order_by("pk"):
            known[response.record_id].responses.append(response)
        links = Record.categories.through.objects.filter(record__in=known)
        for record, category, name in links.values_list(
            "record_id", "category_id", "category__name"
        ):
            known[record].categories[category] = name.casefold()
        controls = Control.objects.filter(matchup__record__in=known)
        for control in controls.select_related("matchup"):
            known[control.matchup.record_id].controls[control.matchup.key] = control
    return {one.record.external_id: one for one in known.values()}


def compare_record(row: RecordRow, known: ExistingRecord, names: NameIndex) -> RecordChanges:
    """Compare a row with its record. What the row does not mention stays as it is."""
    changes = RecordChanges(prompt=row.prompt != known.record.prompt)
    changes.metadata = row.metadata is not None and row.metadata != known.record.metadata
    if row.categories is not None:
        wanted = {name.casefold() for name in row.categories}
        changes.categories = wanted != set(known.categories.values())
    changes.existing = find_existing_responses(row, known, names)
    for response, there in zip(row.responses, changes.existing, strict=True):
        if there is None:
            changes.added_responses.append(response)
        elif there.text != response.text:
            changes.changed_texts += [
                (one, response.text) for one in (there, *known.find_copies(there))
            ]
    if row.control:
        sign = expected_sign(row, changes.existing)
        there_control = known.find_control(changes.existing)
        changes.key = there_control is None or there_control.key.get("sign") != sign
        changes.reason = there_control is None or there_control.reason != row.control.reason
    return changes


def find_existing_responses(
    row: RecordRow, known: ExistingRecord, names: NameIndex
) -> list[Response | None]:
    """The record's response for each that the row lists; None for those to be added.

    Responses that are nobody's are told by their texts, and whose text is another by their order.
    """
    named = {names.competitor_names[r.competitor_id]: r for r in known.responses if r.competitor_id}
    nobodys = [response for response in known.responses if response.competitor_id is None]
    found: list[Response | None] = []
    for listed in row.responses:
        same = (one for one in nobodys if not listed.model and one.text == listed.text)
        there = named.get(listed.model) if listed.model else next(same, None)
        if there in nobodys:
            nobodys.remove(there)
        found.append(there)
    others = iter(nobodys)
    return [
        there if there or listed.model else next(others, None)
        for listed, there in zip(row.responses, found, strict=True)
    ]


def expected_sign(row: RecordRow, listed: list[Response | None]) -> int:
    """1 where the first response in canonical order is right, -1 the second, 0 a tie.

    Canonical order is by primary key; a response still to be added gets a higher one than those
    that are there, and they are added in the order listed.
    """
    assert row.control is not None
    right = row.control.expected
    if right is None:
        return 0
    first, second = listed[:KEYED_RESPONSES]
    if first and second:
        is_first = 0 if first.pk < second.pk else 1
    else:
        is_first = 1 if second and not first else 0
    return 1 if right == is_first else -1


def find_refusals(row: RecordRow, known: ExistingRecord, changes: RecordChanges) -> list[Problem]:
    """Why these changes cannot be made; empty where they can."""
    problems: list[Problem] = []
    control = known.find_control(changes.existing) if row.control else None
    if row.control and known.controls and control is None:
        message = "begins with two others than those that this record's key is about"
        return [Problem("responses", message)]
    if changes.key and known.record.event.is_over():
        return [Problem("control.expected", KEY_MESSAGE)]
    if changes.key and control and control.retired_at:
        message = "its key was withdrawn; give it another one on the record's page"
        return [*problems, Problem("control.expected", message)]
    if not (changes.prompt or changes.changed_texts or changes.key):
        return problems
    seen = set(Matchup.objects.seen().filter(record=known.record).values_list("pk", flat=True))
    if not seen:
        return problems
    if changes.prompt:
        problems.append(Problem("prompt", FROZEN_MESSAGE))
    places = MatchupResponse.objects.filter(matchup__in=seen)
    shown = set(places.values_list("response_id", flat=True))
    for response, _text in changes.changed_texts:
        if response.pk in shown and response in changes.existing:
            place = changes.existing.index(response)
            model = row.responses[place].model
            field = f"responses.{model}" if model else f"responses[{place}].text"
            problems.append(Problem(field, FROZEN_MESSAGE))
    keyed = {response.pk for response in changes.existing[:KEYED_RESPONSES] if response}
    if changes.key and keyed <= shown:
        problems.append(Problem("control.expected", FROZEN_MESSAGE.replace("its text", "its key")))
    return problems
