"""The matchups of imported votes: found by key, or created."""

from collections.abc import Iterable

from arena.events.importing.writing.batches import MatchupDraft, build_matchup
from arena.events.models import Event, ImportJob, Matchup, MatchupResponse
from arena.judging.importing.checking.existing import find_matchups, load_responses
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter

State = ImportJob.State
# Matchups put into service per statement; finding them scans the event's matchups.
BATCH_SIZE = 5_000


def get_or_create_matchups(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, int]:
    """Primary keys of the votes' matchups by key; missing ones are created.

    A new matchup is out of service until the import ends; its `retired_at`, equal to the job's
    `created_at`, tells whose it is.
    """
    votes = {vote.matchup_key(): vote for vote in votes}.values()
    found = find_matchups(votes)
    missing = [vote for vote in votes if vote.matchup_key() not in found]
    responses = load_responses(pk for vote in missing for pk in (vote.first, vote.second))
    matchups = []
    for vote in missing:
        pair = [responses[vote.first], responses[vote.second]]
        matchup = build_matchup(writer.event, MatchupDraft(pair), writer.rng)
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
    """Put the matchups created by finished imports into service, in batches.

    If this is interrupted, the next import continues it.
    """
    landed = event.import_jobs.filter(kind=ImportJob.Kind.JUDGMENTS, state=State.DONE)
    moments = list(landed.values_list("created_at", flat=True))
    closed = Matchup.objects.filter(event=event, retired_at__in=moments)
    while batch := list(closed.values_list("pk", flat=True)[:BATCH_SIZE]):
        Matchup.objects.filter(pk__in=batch).update(retired_at=None)
