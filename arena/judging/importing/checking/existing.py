"""Queries of what the event has already: records and responses, matchups, votes, workers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from arena.events.models import Enrollment, Event, Matchup, Record, Response
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter, serialize_content
from arena.judging.importing.reading.export_lines import ExportedResponse, are_identical
from arena.judging.models import Answer, Judgment


@dataclass(frozen=True, slots=True)
class ExistingResponses:
    """Primary keys of records by identifier, and of responses by record and competitor.

    Responses without a competitor are found by text; a control may have the same text twice.
    """

    records: dict[str, int]
    responses: dict[tuple[int, ExportedResponse], list[int]]

    def find_pair(
        self, record: str, sides: tuple[ExportedResponse, ExportedResponse]
    ) -> tuple[int, int] | None:
        """Primary keys of two responses of a record; None if one does not exist."""
        pk = self.records.get(record)
        if pk is None:
            return None
        first, second = (
            self.responses.get((pk, (competitor, "" if competitor is not None else text)), [])
            for competitor, text in sides
        )
        number = int(are_identical(sides))
        return (first[0], second[number]) if first and len(second) > number else None


def find_existing_responses(event: Event, names: Collection[str]) -> ExistingResponses:
    """Find records and responses by name, including those of an import in progress."""
    found = Record.objects.filter(event=event, external_id__in=names)
    records = dict(found.values_list("external_id", "pk"))
    responses: dict[tuple[int, ExportedResponse], list[int]] = {}
    of_records = Response.objects.filter(record__in=records.values()).order_by("pk")
    named = of_records.filter(competitor__isnull=False)
    for pk, record, competitor in named.values_list("pk", "record_id", "competitor__name"):
        responses[record, (competitor, "")] = [pk]
    for pk, record, text in of_records.filter(competitor=None).values_list(
        "pk", "record_id", "text"
    ):
        responses.setdefault((record, (None, text)), []).append(pk)
    return ExistingResponses(records, responses)


def load_responses(keys: Iterable[int]) -> dict[int, Response]:
    """Responses by primary key, with their record and competitor and without their text."""
    return Response.objects.only("record_id", "competitor_id").in_bulk(list(keys))


def find_previous_votes(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, str]:
    """The content of the votes these workers have given on these matchups, by duplicate key."""
    votes = list(votes)
    workers = {vote.worker for vote in votes}
    judgments = Judgment.objects.filter(
        standing=True,
        enrollment__in=list(
            writer.event.enrollments.filter(external_id__in=workers).values_list("pk", flat=True)
        ),
        matchup__in=find_matchups(votes).values(),
    )
    answers = Answer.objects.filter(judgment__in=judgments)
    preferences = {
        judgment: answer
        for judgment, *answer in answers.filter(question=writer.preference).values_list(
            "judgment_id", "outcome", "both_bad", "first_on_left"
        )
    }
    comments = dict(
        answers.filter(question=writer.comment).values_list("judgment_id", "value")
        if writer.comment
        else ()
    )
    said = {}
    for judgment, key, worker, judged_at in judgments.values_list(
        "pk", "matchup__key", "enrollment__external_id", "judged_at"
    ):
        moment = judged_at.isoformat() if judged_at else None
        comment = (comments.get(judgment) or {}).get("text", "")
        answer = preferences.get(judgment, [None, False, None])
        said[f"{key} {worker}"] = serialize_content(*answer, moment, comment)
    return said


def find_matchups(votes: Iterable[ImportedVote]) -> dict[str, int]:
    """Primary keys of matchups by key.

    Looked up by record, which belongs to one event: with the event as a further condition SQLite
    scans all of its matchups.
    """
    votes = list(votes)
    matchups = Matchup.objects.filter(
        record__in={vote.record for vote in votes},
        key__in={vote.matchup_key() for vote in votes},
    )
    return dict(matchups.values_list("key", "pk"))


def find_worker_kinds(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, str]:
    """The kind of each worker who is enrolled already."""
    workers = {vote.worker for vote in votes}
    enrolled = Enrollment.objects.filter(event=writer.event, external_id__in=workers)
    return {str(worker): kind for worker, kind in enrolled.values_list("external_id", "kind")}
