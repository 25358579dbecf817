"""Queries of what the event has already: records and responses, matchups, votes, workers."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from arena.events.models import Enrollment, Event, Matchup, Record, Response
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter, say
from arena.judging.importing.reading.export_lines import Side, are_twins
from arena.judging.models import Answer, Judgment


@dataclass(frozen=True, slots=True)
class Resolved:
    """Primary keys: of records by identifier, of responses by record and whose they are (by their
    text where they are nobody's: a control may have one text twice)."""

    records: dict[str, int]
    responses: dict[tuple[int, Side], list[int]]

    def pair(self, record: str, sides: tuple[Side, Side]) -> tuple[int, int] | None:
        """Two responses of a record; None where one is not here."""
        pk = self.records.get(record)
        if pk is None:
            return None
        first, second = (
            self.responses.get((pk, (competitor, "" if competitor is not None else text)), [])
            for competitor, text in sides
        )
        number = int(are_twins(sides))
        return (first[0], second[number]) if first and len(second) > number else None


def resolve(event: Event, names: Collection[str]) -> Resolved:
    """What the event has of these records, those of an import under way included."""
    found = Record.objects.filter(event=event, external_id__in=names)
    records = dict(found.values_list("external_id", "pk"))
    responses: dict[tuple[int, Side], list[int]] = {}
    of_records = Response.objects.filter(record__in=records.values()).order_by("pk")
    named = of_records.filter(competitor__isnull=False)
    for pk, record, competitor in named.values_list("pk", "record_id", "competitor__name"):
        responses[record, (competitor, "")] = [pk]
    for pk, record, text in of_records.filter(competitor=None).values_list(
        "pk", "record_id", "text"
    ):
        responses.setdefault((record, (None, text)), []).append(pk)
    return Resolved(records, responses)


def said_before(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, str]:
    """What these workers have said on these matchups already, by `ImportedVote.who()`."""
    votes = list(votes)
    workers = {vote.worker for vote in votes}
    judgments = Judgment.objects.filter(
        standing=True,
        enrollment__in=list(
            writer.event.enrollments.filter(external_id__in=workers).values_list("pk", flat=True)
        ),
        matchup__in=known_matchups(votes).values(),
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
        said[f"{key} {worker}"] = say(*answer, moment, comment)
    return said


def known_matchups(votes: Iterable[ImportedVote]) -> dict[str, int]:
    """Primary keys of matchups by their key. (Found by record, which is the event's: with the event
    as a condition SQLite walks through all of the event's matchups.)"""
    votes = list(votes)
    matchups = Matchup.objects.filter(
        record__in={vote.record for vote in votes},
        key__in={vote.key() for vote in votes},
    )
    return dict(matchups.values_list("key", "pk"))


def enrolled_as(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, str]:
    """The kind of those workers who are enrolled already."""
    workers = {vote.worker for vote in votes}
    enrolled = Enrollment.objects.filter(event=writer.event, external_id__in=workers)
    return {str(worker): kind for worker, kind in enrolled.values_list("external_id", "kind")}
