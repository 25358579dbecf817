"""Changes of records that are there already: staged while the import is written, applied once
everything new is visible. From then on nothing can be refused but what has just been shown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from arena.events.importing.checking.comparing import (
    ExistingRecord,
    RecordChanges,
    compare_record,
    find_refusals,
    load_existing_records,
)
from arena.events.importing.jobs import JobHold
from arena.events.importing.reading.records import RecordRow
from arena.events.importing.report import ImportReport, LineError
from arena.events.importing.writing.batches import (
    MatchupDraft,
    RecordWriter,
    build_control,
    build_control_key,
    build_matchup_key,
    build_response,
    create_matchups,
    draft_control,
    find_sign,
    leave_out_copies,
)
from arena.events.importing.writing.keys import record_key_change, record_new_keys
from arena.events.importing.writing.pairing import NOBODY
from arena.events.ledger import (
    CATEGORY_KIND,
    COMPETITOR_KIND,
    KEY_KIND,
    MATCHUP_KIND,
    RECORD_KIND,
    RESPONSE_KIND,
    append_entries,
    find_written,
)
from arena.events.models import (
    COVARIATES,
    Act,
    Control,
    Event,
    ImportJob,
    Matchup,
    Record,
    Response,
    StagedRecord,
    count_style,
)

RECORDS_PER_BATCH = 200


def stage_batch(hold: JobHold, changed: Iterable[tuple[int, int, dict[str, Any]]]) -> None:
    """Keep changes (primary key, line, row) until the import lands."""
    # Closes the race with whoever takes this import for dead.
    with transaction.atomic():
        hold.write_heartbeat(hold.job.done, hold.job.total)
        StagedRecord.objects.bulk_create(
            StagedRecord(job=hold.job, record_id=record, line=line, content=row)
            for record, line, row in changed
        )


def apply_staged(writer: RecordWriter, hold: JobHold, report: ImportReport) -> None:
    """Apply the job's staged changes batch by batch; where it stops, it can be gone on with."""
    staged = StagedRecord.objects.filter(job=hold.job)
    total = staged.count()
    done = 0
    while batch := list(staged[:RECORDS_PER_BATCH]):
        apply_batch(writer, batch, hold, report, (done, total))
        done += len(batch)
        hold.yield_lock()


def apply_batch(
    writer: RecordWriter,
    batch: Sequence[StagedRecord],
    hold: JobHold,
    report: ImportReport,
    progress: tuple[int, int],
) -> None:
    """Apply some changes. One that came too late is reported and left out: its text is what
    somebody sees at this moment."""
    rows = {staged.record_id: RecordRow.from_json(staged.content) for staged in batch}
    lines = {staged.record_id: staged.line for staged in batch}
    changed = ChangeBatch()
    # Closes the race with a contributor who is being shown one of these texts: taking a matchup
    # updates its row, so that it is either taken before we look, or shown with the new text.
    with transaction.atomic():
        hold.write_heartbeat(*progress)
        list(Matchup.objects.select_for_update().filter(record__in=rows).values_list("pk"))
        for known in load_existing_records(
            writer.event, [row.external_id for row in rows.values()]
        ).values():
            row = rows[known.record.pk]
            changes = compare_record(row, known, writer.names)
            problems = find_refusals(row, known, changes)
            for problem in problems:
                line = lines[known.record.pk]
                report.refuse(LineError(line, problem.field, problem.message))
            if problems:
                report.updated -= 1
                report.skipped += 1
            else:
                changed.add_changes(writer, row, known, changes)
        changed.write(writer)
        StagedRecord.objects.filter(pk__in=[staged.pk for staged in batch]).delete()
        hold.update_job(report=report.as_json())


@dataclass(slots=True)
class ChangeBatch:
    """What a batch of changes amounts to."""

    records: list[Record] = field(default_factory=list)
    changed_texts: list[Response] = field(default_factory=list)
    with_responses: list[tuple[RecordRow, ExistingRecord, RecordChanges, list[Response]]] = field(
        default_factory=list
    )
    categories: dict[int, list[int]] = field(default_factory=dict)

    def add_changes(
        self, writer: RecordWriter, row: RecordRow, known: ExistingRecord, changes: RecordChanges
    ) -> None:
        """Add the changes of one record."""
        record = known.record
        if changes.prompt or changes.metadata:
            record.prompt = row.prompt
            record.metadata = record.metadata if row.metadata is None else row.metadata
            self.records.append(record)
        for response, text in changes.changed_texts:
            response.text, response.rendered_with = text, 0
            for name, count in count_style(text).items():
                setattr(response, name, count)
            self.changed_texts.append(response)
        if changes.categories:
            self.categories[record.pk] = writer.names.category_ids(row.categories or ())
        if changes.added_responses or changes.key or changes.reason:
            added = [build_response(writer, r.model, r.text) for r in changes.added_responses]
            for response in added:
                response.record_id = record.pk
            self.with_responses.append((row, known, changes, added))

    def write(self, writer: RecordWriter) -> None:
        """Write everything. What was rendered of a changed text goes with it.

        The records come first: whoever renders holds their rows (`arena/events/rendering`).
        """
        touched = {record.pk for record in self.records}
        touched |= {response.record_id for response in self.changed_texts}
        touched |= {response.record_id for *_, added in self.with_responses for response in added}
        Record.objects.filter(pk__in=touched).update(rendered_with=0)
        Record.objects.bulk_update(self.records, ["prompt", "metadata"])
        counted = [covariate.name for covariate in COVARIATES]
        Response.objects.bulk_update(self.changed_texts, ["text", "rendered_with", *counted])
        links = Record.categories.through.objects
        links.filter(record__in=self.categories).delete()
        links.bulk_create(
            Record.categories.through(record_id=record, category_id=category)
            for record, categories in self.categories.items()
            for category in categories
        )
        event = writer.event.pk
        changed = {record.pk for record in self.records} | self.categories.keys()
        append_entries(event, RECORD_KIND, changed)
        append_entries(event, RESPONSE_KIND, [response.pk for response in self.changed_texts])
        Response.objects.bulk_create([r for *_, added in self.with_responses for r in added])
        for row, known, changes, added in self.with_responses:
            if row.control:
                set_control(writer, row, known, changes, added)
            if added:
                create_matchups(writer, draft_added_matchups(writer, known, added))


def draft_added_matchups(
    writer: RecordWriter, known: ExistingRecord, added: Sequence[Response]
) -> list[MatchupDraft]:
    """The matchups that responses new to a record bring with them, beside those that are there."""
    # Primary keys ascend: the new ones come last.
    responses = [*leave_out_copies(known.responses), *added]
    if not writer.shows_pairs:
        return [MatchupDraft(responses)]
    index = {str(response.pk): place for place, response in enumerate(responses)}
    keys = Matchup.objects.filter(record=known.record).values_list("key", flat=True)
    there = set()
    for first, second in (key.split(",") for key in keys):
        if first in index and second in index:
            there.add((index[first], index[second]))
    fresh = {index[str(response.pk)] for response in added}
    owners = [response.competitor_id or NOBODY for response in responses]
    return [
        MatchupDraft([responses[first], responses[second]])
        for first, second in writer.pair_chooser.choose(owners, there, fresh)
    ]


def set_control(
    writer: RecordWriter,
    row: RecordRow,
    known: ExistingRecord,
    changes: RecordChanges,
    added: Sequence[Response],
) -> None:
    """Give the first two responses listed their key, or correct it; their matchup is made where
    it is missing, and taken out of ordinary service where it was in it."""
    assert row.control is not None
    fresh = iter(added)
    listed = [response or next(fresh) for response in changes.existing]
    draft, sign = draft_control(row.control, listed), find_sign(row.control, listed)
    if control := known.find_control(changes.existing):
        if changes.key or changes.reason:
            new = build_control_key(sign)
            if changes.key:
                said: dict[str, Any] = {"old": control.key, "new": new}
                record_key_change(writer.event, Act.KEY_CHANGED, control, writer.ruling, **said)
            Control.objects.filter(pk=control.pk).update(key=new, reason=draft.reason)
            append_entries(writer.event.pk, KEY_KIND, [control.matchup_id])
        return
    key = build_matchup_key(response.pk for response in draft.responses)
    matchup = Matchup.objects.filter(record=known.record, key=key).first()
    if matchup is None:
        create_matchups(writer, [draft])
        return
    Matchup.objects.filter(pk=matchup.pk).update(role=Matchup.Role.CONTROL, open_slots=0)
    build_control(writer, matchup, sign, draft.reason).save(force_insert=True)
    append_entries(writer.event.pk, MATCHUP_KIND, [matchup.pk])
    append_entries(writer.event.pk, KEY_KIND, [matchup.pk])
    record_new_keys(writer.event, [matchup.pk], writer.ruling)


def delete_leftovers(event: Event, hold: JobHold) -> None:
    """Delete what failed imports have left behind; called by the process that holds the event."""
    while unfinished := list(
        Record.objects.filter(event=event, imported_at=None).values_list("pk", flat=True)[
            :RECORDS_PER_BATCH
        ]
    ):
        delete_records(event, unfinished)
        hold.heartbeat(0, None)
    StagedRecord.objects.filter(job__event=event).delete()
    landing = ImportJob.State.APPLYING
    for job in event.import_jobs.exclude(added={}).unfinished().exclude(state=landing):
        # No competitor that is gone without its word in the ledger.
        with transaction.atomic():
            event.competitors.filter(pk__in=job.added["competitors"], responses=None).delete()
            event.categories.filter(pk__in=job.added["categories"], records=None).delete()
            for kind, keys in ((COMPETITOR_KIND, "competitors"), (CATEGORY_KIND, "categories")):
                append_entries(event.pk, kind, find_written(event.pk, kind, job.added[keys]))
            type(job).objects.filter(pk=job.pk).update(added={})


def delete_records(event: Event, records: Sequence[int]) -> None:
    """Delete records that nobody has been shown, with all that is in them.

    The ledger knows some of them where an import changed them after the one that brought them.
    """
    matchups = list(Matchup.objects.filter(record__in=records).values_list("pk", flat=True))
    responses = list(Response.objects.filter(record__in=records).values_list("pk", flat=True))
    # No row that is gone without its word in the ledger.
    with transaction.atomic():
        Record.objects.filter(pk__in=records).delete()
        for kind, keys in (
            (RECORD_KIND, records),
            (RESPONSE_KIND, responses),
            (MATCHUP_KIND, matchups),
            (KEY_KIND, matchups),
        ):
            append_entries(event.pk, kind, find_written(event.pk, kind, keys))
