"""Batches into the database: records that are new, invisible until the last of them is in."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from random import Random

from django.db import transaction

from arena.events.decision_record import Ruling
from arena.events.importing.jobs import JobHold
from arena.events.importing.reading.name_index import NameIndex
from arena.events.importing.reading.records import KEYED_RESPONSES, ControlRow, RecordRow
from arena.events.importing.writing.keys import record_new_keys
from arena.events.importing.writing.pairing import NOBODY, Pair, PairChooser
from arena.events.models import (
    Control,
    Event,
    Matchup,
    MatchupResponse,
    Question,
    Record,
    Response,
    count_style,
)
from arena.events.ordering import natural_key
from arena.questions import KINDS

Role = Matchup.Role


@dataclass(slots=True)
class RecordWriter:
    """Everything that writing into one event needs."""

    event: Event
    names: NameIndex
    pair_chooser: PairChooser
    rng: Random
    # What controls answer; None where the event asks for no preference.
    preference: Question | None
    # Whether responses are shown in pairs; else all of a record together.
    shows_pairs: bool
    # Who sets the keys that come along, and when.
    ruling: Ruling


def prepare_writer(event: Event, names: NameIndex, rng: Random, ruling: Ruling) -> RecordWriter:
    """A writer that knows the event's questions and which of its competitors have met."""
    questions = list(event.questions.all())
    preference = next((question for question in questions if question.kind == "preference"), None)
    in_pairs = shows_pairs(questions)
    met = load_pairs_met(event) if event.matchups_per_record and in_pairs else ()
    pairing = PairChooser(event.matchups_per_record, rng, met)
    return RecordWriter(event, names, pairing, rng, preference, in_pairs, ruling)


def shows_pairs(questions: Sequence[Question]) -> bool:
    """Whether an event with these questions shows responses in pairs."""
    return not questions or any(question.kind == "preference" for question in questions)


def load_pairs_met(event: Event) -> Iterator[Pair]:
    """Competitors of every ordinary matchup that the event has."""
    places = MatchupResponse.objects.filter(matchup__event=event, matchup__role=Role.ORDINARY)
    rows = places.order_by("matchup_id", "position").values_list(
        "matchup_id", "response__competitor_id"
    )
    for _matchup, group in groupby(rows.iterator(), key=itemgetter(0)):
        owners = [owner for _, owner in group if owner]
        if len(owners) == 2:
            yield owners[0], owners[1]


def create_batch(writer: RecordWriter, rows: Sequence[RecordRow], hold: JobHold, done: int) -> None:
    """Write new records in one short transaction, so that whoever judges never waits long."""
    records = [
        Record(
            event_id=writer.event.pk,
            import_job_id=hold.job.pk,
            external_id=row.external_id,
            sort_key=natural_key(row.external_id),
            prompt=row.prompt,
            metadata=row.metadata or {},
        )
        for row in rows
    ]
    responses = [
        [build_response(writer, listed.model, listed.text) for listed in row.responses]
        for row in rows
    ]
    # Closes the race with whoever takes this import for dead (`beat` looks at the job's row), and
    # leaves no record without its matchups.
    with transaction.atomic():
        hold.write_heartbeat(done + len(rows), hold.job.total)
        Record.objects.bulk_create(records)
        for record, group in zip(records, responses, strict=True):
            for response in group:
                response.record_id = record.pk
        Response.objects.bulk_create([response for group in responses for response in group])
        Record.categories.through.objects.bulk_create(
            Record.categories.through(record_id=record.pk, category_id=category)
            for record, row in zip(records, rows, strict=True)
            for category in writer.names.category_ids(row.categories or ())
        )
        groups = [
            group
            for row, listed in zip(rows, responses, strict=True)
            for group in draft_matchups(writer, row.control, listed)
        ]
        create_matchups(writer, groups)


def build_response(writer: RecordWriter, model: str | None, text: str) -> Response:
    """A response with the covariates of its style, not yet saved, of a record still to be named.

    Here and below objects are given keys, not objects: that is a third of their cost.
    """
    competitor = writer.names.competitor_ids[model] if model else None
    return Response(competitor_id=competitor, text=text, **count_style(text))


@dataclass(slots=True)
class MatchupDraft:
    """Responses to be shown together, in canonical order; with a key where they are a control:
    1 where the first is right, -1 the second, 0 a tie."""

    responses: list[Response]
    sign: int | None = None
    reason: str = ""


def draft_matchups(
    writer: RecordWriter, control: ControlRow | None, responses: Sequence[Response]
) -> list[MatchupDraft]:
    """The matchups of a new record: of a control's, as many as of any other."""
    ordered = sorted(responses, key=lambda response: response.pk)
    keyed = [draft_control(control, responses)] if control else []
    if not writer.shows_pairs:
        return keyed or [MatchupDraft(ordered)]
    owners = [response.competitor_id or NOBODY for response in ordered]
    there = {index_pair(draft.responses, ordered) for draft in keyed}
    return keyed + [
        MatchupDraft([ordered[first], ordered[second]])
        for first, second in writer.pair_chooser.choose(owners, there)
    ]


def draft_control(control: ControlRow, listed: Sequence[Response]) -> MatchupDraft:
    """The matchup that a key is about: the first two responses listed."""
    ordered = sorted(listed[:KEYED_RESPONSES], key=lambda response: response.pk)
    return MatchupDraft(ordered, find_sign(control, listed), control.reason)


def find_sign(control: ControlRow, listed: Sequence[Response]) -> int:
    """1 where the first in canonical order of the first two listed is right, -1 the second, 0 a
    tie."""
    if control.expected is None:
        return 0
    first = min(response.pk for response in listed[:KEYED_RESPONSES])
    return 1 if listed[control.expected].pk == first else -1


def index_pair(pair: Sequence[Response], responses: Sequence[Response]) -> Pair:
    """The places of two responses among those of their record."""
    first, second = sorted(responses.index(response) for response in pair)
    return first, second


def leave_out_copies(responses: Sequence[Response]) -> list[Response]:
    """These responses of one record without the second sides of its tie controls: copies, which
    are nobody's, of a competitor's response. They are in no other matchup."""
    texts = {response.text for response in responses if response.competitor_id}
    return [one for one in responses if one.competitor_id or one.text not in texts]


def create_matchups(writer: RecordWriter, groups: Sequence[MatchupDraft]) -> None:
    """Matchups of responses that are saved; controls are exempt from overlap."""
    matchups = [build_matchup(writer.event, group, writer.rng) for group in groups]
    Matchup.objects.bulk_create(matchups)
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup_id=matchup.pk, response_id=response.pk, position=position)
        for matchup, group in zip(matchups, groups, strict=True)
        for position, response in enumerate(group.responses)
    )
    Control.objects.bulk_create(
        build_control(writer, matchup, group.sign, group.reason)
        for matchup, group in zip(matchups, groups, strict=True)
        if group.sign is not None
    )
    keyed = [one.pk for one, group in zip(matchups, groups, strict=True) if group.sign is not None]
    record_new_keys(writer.event, keyed, writer.ruling)


def build_matchup(event: Event, group: MatchupDraft, rng: Random) -> Matchup:
    """A matchup, not yet saved."""
    is_control = group.sign is not None
    return Matchup(
        event_id=event.pk,
        record_id=group.responses[0].record_id,
        key=build_matchup_key(response.pk for response in group.responses),
        role=Role.CONTROL if is_control else Role.ORDINARY,
        open_slots=0 if is_control else event.overlap,
        pair=build_pair(response.competitor_id for response in group.responses),
        shuffle=rng.random(),
    )


def build_control(writer: RecordWriter, matchup: Matchup, sign: int, reason: str) -> Control:
    """A control's key, not yet saved; "a" is the first response in canonical order."""
    assert writer.preference is not None
    return Control(
        matchup=matchup, question=writer.preference, key=build_control_key(sign), reason=reason
    )


def build_control_key(sign: int) -> dict[str, object]:
    """The key of a preference question: 1 where the first in canonical order is right."""
    return dict(KINDS["preference"].check_key({1: "a", 0: "tie", -1: "b"}[sign]))


def build_matchup_key(responses: Iterable[int]) -> str:
    """What makes a matchup's set of responses unique: primary keys in canonical order."""
    return ",".join(map(str, sorted(responses)))


def build_pair(competitors: Iterable[int | None]) -> str:
    """What matchups of the same two competitors share: their primary keys in order; empty where
    responses are not two, or one of them is nobody's."""
    owners = list(competitors)
    known = sorted(owner for owner in owners if owner is not None)
    return f"{known[0]}-{known[1]}" if len(known) == len(owners) == 2 else ""
