"""Writing the records of an export, with the matchups that were judged, in their original order.

They are checked and written like those of any file of records.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import groupby

from django.db import transaction

from arena.events.importing.reading.columns import RecordColumns
from arena.events.importing.reading.name_index import CompetitorRow, NameIndex
from arena.events.importing.reading.records import RecordRow
from arena.events.importing.report import ImportReport, LineError
from arena.events.importing.running import EventChecker, show_records, writing_cost
from arena.events.importing.writing.batches import (
    MatchupDraft,
    RecordWriter,
    build_matchup_key,
    create_batch,
    create_matchups,
    leave_out_copies,
    prepare_writer,
)
from arena.events.importing.writing.keys import rule_by
from arena.events.importing.writing.pairing import NOBODY, PairChooser
from arena.events.importing.writing.temporary import Spool, split_by_cost
from arena.events.importing.writing.updating import apply_staged, delete_leftovers, stage_batch
from arena.events.models import ImportJob, Matchup, Record, Response
from arena.judging.importing.checking.existing import find_existing_responses, load_responses
from arena.judging.importing.checking.exported_records import ExportedRecords, JudgedPair
from arena.judging.importing.imported_votes import VoteWriter

State = ImportJob.State
Role = Matchup.Role
BATCH_SIZE = 500
EXPECTED_SIGNS = {"a": 1, "tie": 0, "b": -1}


class ExportedColumns(RecordColumns):
    """Columns of records of an export, in which a control is told by its role."""

    __slots__ = ()
    allows_nobody = True


class NoPairing(PairChooser):
    """Chooses no pairs: the judged ones are created first, in their original order."""

    def choose(self, *_args: object, **_kwargs: object) -> list[tuple[int, int]]:
        return []


def write_exported_records(
    votes: VoteWriter, exported: ExportedRecords, report: ImportReport
) -> bool:
    """Write new and changed records; False, with nothing written, if one is wrong.

    `report` is that of the votes: it gets the errors and warnings, and a line on the records.
    """
    event, hold = votes.event, votes.hold
    delete_leftovers(event, hold)
    models = sorted(exported.models, key=lambda name: exported.models[name])
    names = NameIndex(event, [CompetitorRow(name) for name in models])
    writer = prepare_writer(event, names, votes.rng, rule_by(hold.job))
    of_records = ImportReport()
    with ExitStack() as stack:
        checker = EventChecker(writer, hold, of_records, stack)
        checker.check_rows(
            exported.iter_rows(),
            ExportedColumns({}, is_csv=False),
            on_row=lambda: hold.heartbeat(hold.job.done, hold.job.total),
        )
        merge_reports(report, of_records)
        if of_records.error_total and not hold.job.skips_errors:
            return False
        if checker.spool.count:
            write_records(writer, votes, exported, checker.spool, of_records)
    create_judged_matchups(writer, votes, exported, exported.records)
    counts = f"{of_records.created:,} new, {of_records.updated:,} changed"
    counts += f", {of_records.unchanged:,} as before"
    report.warn(LineError(1, "", f"The file's records came along: {counts}"))
    return True


def merge_reports(report: ImportReport, of_records: ImportReport) -> None:
    """Add the records' errors and warnings to the report on the votes."""
    for error in of_records.errors:
        report.refuse(error)
    report.error_total += of_records.error_total - len(of_records.errors)
    for warning in of_records.warnings:
        report.warn(warning)
    report.warning_total += of_records.warning_total - len(of_records.warnings)


def write_records(
    writer: RecordWriter,
    votes: VoteWriter,
    exported: ExportedRecords,
    spool: Spool,
    report: ImportReport,
) -> None:
    """Write new records invisibly, show them at once, then apply changes."""
    event, hold = votes.event, votes.hold
    hold.enter_state(State.WRITING, done=0, total=spool.count)
    hold.job.total = spool.count
    # One transaction, so that after a crash the clean-up knows which competitors were created.
    with transaction.atomic():
        hold.update_job(added=writer.names.create_new(joined_late=event.judgments.exists()))
    unpaired = replace(writer, pair_chooser=NoPairing(0, votes.rng))
    done, created = 0, []
    for batch in split_by_cost(spool, lambda item: writing_cost(item[2], 1)):
        new = [RecordRow.from_json(row) for record, _line, row in batch if record is None]
        changed = [item for item in batch if item[0] is not None]
        if new:
            create_batch(unpaired, new, hold, done)
            created += [row.external_id for row in new if row.control is None]
        if changed:
            stage_batch(hold, changed)
        done += len(batch)
        hold.yield_lock()
    create_judged_matchups(writer, votes, exported, created)
    create_further_matchups(writer, votes, created)
    with transaction.atomic():
        hold.enter_state(State.APPLYING, report=report.as_json(), added={}, done=0, total=None)
        show_records(writer, hold.job.created_at)
    apply_staged(writer, hold, report)


def create_judged_matchups(
    writer: RecordWriter, votes: VoteWriter, exported: ExportedRecords, names: Iterable[str]
) -> None:
    """Create the judged matchups of these records, in their original order."""
    pairs = [(name, pair) for name in names for pair in exported.records[name].pairs.values()]
    pairs.sort(key=lambda item: item[1].number)
    for start in range(0, len(pairs), BATCH_SIZE):
        # Closes the race with whoever declares this import dead.
        with transaction.atomic():
            votes.hold.write_heartbeat(votes.hold.job.done, votes.hold.job.total)
            create_matchup_batch(writer, exported, pairs[start : start + BATCH_SIZE])
        votes.hold.yield_lock()


def create_matchup_batch(
    writer: RecordWriter, exported: ExportedRecords, pairs: Sequence[tuple[str, JudgedPair]]
) -> None:
    """Create the missing ones of these matchups, with their roles."""
    resolved = find_existing_responses(writer.event, {name for name, _ in pairs})
    found = {}
    for place, (name, pair) in enumerate(pairs):
        sides = exported.records[name].responses_by_place()
        # None: its record was skipped because of an error.
        if keys := resolved.find_pair(name, (sides[pair.first], sides[pair.second])):
            found[place] = keys
    responses = load_responses(key for keys in found.values() for key in keys)
    groups, anchors = {}, []
    for place, keys in found.items():
        pair = pairs[place][1]
        listed = [responses[pk] for pk in sorted(keys)]
        sign = EXPECTED_SIGNS[pair.expected] if pair.role == Role.CONTROL else None
        if sign is not None and keys[0] > keys[1]:
            sign = -sign
        groups[build_matchup_key(keys)] = MatchupDraft(listed, sign, pair.reason)
        if pair.role == Role.ANCHOR:
            anchors.append(build_matchup_key(keys))
    matchups = Matchup.objects.filter(record__in=resolved.records.values())
    there = set(matchups.filter(key__in=groups).values_list("key", flat=True))
    create_matchups(writer, [group for key, group in groups.items() if key not in there])
    fresh = [key for key in anchors if key not in there]
    matchups.filter(key__in=fresh).update(role=Role.ANCHOR, open_slots=0)


def create_further_matchups(writer: RecordWriter, votes: VoteWriter, names: Sequence[str]) -> None:
    """Create the further pairs that the event wants of new records."""
    for start in range(0, len(names), BATCH_SIZE):
        some = names[start : start + BATCH_SIZE]
        with transaction.atomic():  # closes the same race as above
            votes.hold.write_heartbeat(votes.hold.job.done, votes.hold.job.total)
            create_matchups(writer, list(iter_further_pairs(writer, some)))
        votes.hold.yield_lock()


def iter_further_pairs(writer: RecordWriter, names: Sequence[str]) -> Iterator[MatchupDraft]:
    """Yield the pairs wanted of each record besides the existing ones."""
    records = Record.objects.filter(event=writer.event, external_id__in=names)
    responses = Response.objects.filter(record__in=records).defer("html")
    responses = responses.order_by("record_id", "pk")
    keys: dict[int, set[str]] = defaultdict(set)
    for record, key in Matchup.objects.filter(record__in=records).values_list("record_id", "key"):
        keys[record].add(key)
    for record, group in groupby(responses, key=lambda response: response.record_id):
        listed = leave_out_copies(list(group))
        index = {str(response.pk): place for place, response in enumerate(listed)}
        there = {
            (index[one], index[other])
            for one, other in (key.split(",") for key in keys[record])
            if one in index and other in index
        }
        owners = [response.competitor_id or NOBODY for response in listed]
        for first, second in writer.pair_chooser.choose(owners, there):
            yield MatchupDraft([listed[first], listed[second]])
