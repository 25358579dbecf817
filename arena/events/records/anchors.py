"""Making ordinary matchups anchors, which everybody may meet, so that controls hide among them."""

from collections.abc import Sequence
from random import Random

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils.translation import gettext as _

from arena.errors import ArenaError
from arena.events.ledger import MATCHUP_KIND, append_entries
from arena.events.lifecycle.hiding import (
    MatchupPool,
    Regime,
    count_matchups_usual,
    count_pool,
)
from arena.events.lifecycle.prizes import check_prize
from arena.events.models import Event, Matchup, MatchupQuerySet

Role = Matchup.Role


def count_anchors_offered(pool: MatchupPool) -> int:
    """How many anchors an organizer can make: two for each control of a pool that is too short."""
    return 0 if pool.regime is Regime.MATCHED else pool.anchors_missing


def make_anchors(event: Event, rng: Random) -> int:
    """Make as many ordinary matchups anchors as the controls need; how many.

    They are drawn among those that nobody has been shown, one of a record at most, of records with
    as many matchups as is usual: so that an anchor's prompt comes up as a control's does. From then
    on they rate no model. Raises `ArenaError` where there are too few of them, or none is needed.
    """
    # Closes the races of two organizers, who lock the event, and of whoever is being served: a
    # matchup that is taken has its row changed by the transaction that assigns it.
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=event.pk)
        wanted = count_anchors_offered(count_pool(event))
        if not wanted:
            raise ArenaError(_("There are anchors enough."), "anchors_enough")
        candidates = list(find_candidates(event).values_list("pk", "record"))
        rng.shuffle(candidates)
        first = {record: pk for pk, record in reversed(candidates)}
        keys = lock_unseen(list(first.values()))
        if len(keys) < wanted:
            words = _(
                "%(wanted)s ordinary matchups of different records are needed that nobody has "
                "been shown; there are %(found)s."
            )
            raise ArenaError(words % {"wanted": wanted, "found": len(keys)}, "matchups_missing")
        chosen = sorted(rng.sample(keys, wanted))
        Matchup.objects.filter(pk__in=chosen).update(role=Role.ANCHOR, open_slots=0)
        append_entries(event.pk, MATCHUP_KIND, chosen)
        check_prize(event)
    return wanted


def find_candidates(event: Event) -> MatchupQuerySet:
    """The unseen ordinary matchups of records that hold no control and no anchor."""
    special = Matchup.objects.filter(record=OuterRef("record")).exclude(role=Role.ORDINARY)
    usual = (
        Matchup.objects.filter(record=OuterRef("record"), retired_at=None)
        .order_by()
        .values("record")
        .annotate(count=Count("pk"))
        .filter(count=count_matchups_usual(event))
    )
    serving = Matchup.objects.serving().filter(~Exists(special), Exists(usual), event=event)
    return serving.rateable().unseen().order_by("pk")


def lock_unseen(keys: Sequence[int]) -> list[int]:
    """Lock these matchups until the caller's transaction ends; those that are still ordinary, in
    service and assigned to nobody."""
    rows = Matchup.objects.filter(pk__in=keys, role=Role.ORDINARY, retired_at=None)
    list(rows.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    return list(rows.unseen().order_by("pk").values_list("pk", flat=True))
