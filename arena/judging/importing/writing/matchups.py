"""The matchups that votes are about: found by their key, made where they are missing."""

from collections.abc import Iterable

from arena.events.importing.writing.batches import Group, new_matchup
from arena.events.models import Event, ImportJob, Matchup, MatchupResponse, Response
from arena.judging.importing.checking.existing import known_matchups
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter

State = ImportJob.State
# Matchups put into service in one statement: finding them walks through the event's.
OPENED = 5_000


def matchups_of(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, int]:
    """The matchup of each pair, made where it is missing.

    A new one is out of service until the import has landed; when it was retired, to the
    microsecond, says whose it is.
    """
    votes = {vote.key(): vote for vote in votes}.values()
    found = known_matchups(votes)
    missing = [vote for vote in votes if vote.key() not in found]
    matchups = []
    for vote in missing:
        pair = [Response(pk=pk, record_id=vote.record) for pk in (vote.first, vote.second)]
        matchup = new_matchup(writer.event, Group(pair), writer.rng)
        matchup.retired_at = writer.hold.job.created_at
        matchups.append(matchup)
    Matchup.objects.bulk_create(matchups)
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup=matchup, response_id=response, position=position)
        for matchup, vote in zip(matchups, missing, strict=True)
        for position, response in enumerate((vote.first, vote.second))
    )
    return found | {matchup.key: matchup.pk for matchup in matchups}


def open_matchups(event: Event) -> None:
    """Put the matchups that landed imports have made into service, a few at a time; where that
    was cut short, the next import goes on."""
    landed = event.import_jobs.filter(kind=ImportJob.Kind.JUDGMENTS, state=State.DONE)
    moments = list(landed.values_list("created_at", flat=True))
    closed = Matchup.objects.filter(event=event, retired_at__in=moments)
    while batch := list(closed.values_list("pk", flat=True)[:OPENED]):
        Matchup.objects.filter(pk__in=batch).update(retired_at=None)
