"""What the stored pair of every matchup has to be, from its places."""

from arena.events.models import Event


def assert_pairs_stored(event: Event, *, pairs: int) -> None:
    """Every matchup names its two competitors, so many of them differently, or nobody."""
    stored = set()
    for matchup in event.matchups.prefetch_related("places__response"):
        owners = [place.response.competitor_id for place in matchup.places.all()]
        named = len(owners) == 2 and None not in owners
        assert matchup.pair == ("-".join(map(str, sorted(owners))) if named else "")
        stored.add(matchup.pair)
    assert len(stored - {""}) == pairs
