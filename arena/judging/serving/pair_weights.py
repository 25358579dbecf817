"""Drawing pairs of competitors by what one more vote on them is worth."""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from math import fsum, inf
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import Count, Subquery

from arena.events.importing.writing.batches import build_pair
from arena.events.models import Event, Matchup
from arena.judging.models import PairWeight

# The share of draws in which all pairs are alike: none starves because a fit thinks little of it.
UNIFORM_SHARE = 0.1
ROWS_PER_BATCH = 1_000
# `Matchup.pair` of what does not show responses of just two competitors.
NO_PAIR = ""


def replace_pair_weights(event: Event, weights: Mapping[tuple[int, int], float]) -> None:
    """Keep the weights of those pairs of competitors that have open matchups, and no others.

    A pair is drawn with probability 0.9·weight/Σ weights + 0.1/pairs, and what is of no pair as
    often as it is among the open matchups: companions of controls are, and a control's prompt comes
    up neither more nor less often than others.
    """
    open_matchups = Matchup.objects.filter(
        event=event, role=Matchup.Role.ORDINARY, open_slots__gt=0, retired_at=None
    )
    counts = open_matchups.order_by().values("pair").annotate(count=Count("pk"))
    is_open = dict(counts.values_list("pair", "count"))
    by_pair = {build_pair(owners): weight for owners, weight in weights.items()}
    wanted = {pair: by_pair[pair] for pair in sorted(by_pair) if pair in is_open}
    of_no_pair = is_open.get(NO_PAIR, 0) / sum(is_open.values()) if wanted else 0.0
    rows = [
        PairWeight(
            event=event, pair=pair, weight=wanted.get(pair, 0.0), probability=share, upper=upper
        )
        for pair, share, upper in lay_out_shares(wanted, of_no_pair)
    ]
    before = PairWeight.objects.filter(event=event).values_list("pk", "pair")
    kept = {row.pair for row in rows}
    stale = [pk for pk, pair in before if pair not in kept]
    # Closes the race with whoever draws meanwhile: they see the weights of before, or these.
    with transaction.atomic():
        for start in range(0, len(stale), ROWS_PER_BATCH):
            PairWeight.objects.filter(pk__in=stale[start : start + ROWS_PER_BATCH]).delete()
        PairWeight.objects.bulk_create(
            rows,
            batch_size=ROWS_PER_BATCH,
            update_conflicts=True,
            unique_fields=["event", "pair"],
            update_fields=["weight", "probability", "upper"],
        )


def lay_out_shares(
    weights: Mapping[str, float], of_no_pair: float = 0.0
) -> list[tuple[str, float, float]]:
    """(pair, probability, sum of the probabilities up to it), the last sum being 1.

    of_no_pair: the probability of what is of no pair, which comes last.
    """
    total = fsum(weights.values())  # the same in whatever order the pairs come
    if not 0.0 <= total < inf:
        raise ValueError(f"weights that sum to {total}")
    uniform = UNIFORM_SHARE if total else 1.0
    rest = 1.0 - of_no_pair
    shares = {
        pair: rest * (uniform / len(weights) + (1.0 - uniform) * weight / (total or 1.0))
        for pair, weight in weights.items()
    }
    if of_no_pair:
        shares[NO_PAIR] = of_no_pair
    # Rounding leaves no gap below 1.
    uppers = [*accumulate(list(shares.values())[:-1]), 1.0][: len(shares)]
    return list(zip(shares, shares.values(), uppers, strict=True))


def draw_pairs(event: Event, rng: Random, count: int) -> list[PairWeight]:
    """So many pairs, each drawn by itself; none where there are no weights.

    One statement, which reads one row of an index for each of them.
    """
    points = [rng.random() for _ in range(count)]
    weights = PairWeight.objects.filter(event=event)
    # A list of expressions is what the lookup takes, and not what its types say.
    hits: list[Any] = [
        Subquery(weights.filter(upper__gt=point).order_by("upper").values("pk")[:1])
        for point in points
    ]
    found = list(PairWeight.objects.filter(pk__in=hits).order_by("upper"))
    uppers = [row.upper for row in found]
    return [found[bisect_right(uppers, point)] for point in points] if found else []
