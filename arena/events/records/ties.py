"""Controls whose right answer is a tie: a response beside a verbatim copy of itself.

Whoever reads sees what such a matchup is, and with it the prompt: so it stands in a record that
holds no other control.
"""

from collections.abc import Iterator
from random import Random

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from arena.errors import ArenaError
from arena.events.decision_record import Ruling
from arena.events.importing.writing.batches import build_matchup_key, build_pair
from arena.events.ledger import KEY_KIND, MATCHUP_KIND, append_entries
from arena.events.lifecycle.prizes import check_prize
from arena.events.models import (
    COVARIATES,
    Act,
    Control,
    Event,
    Matchup,
    MatchupQuerySet,
    MatchupResponse,
    Response,
)
from arena.events.records.anchors import lock_unseen
from arena.events.records.controls import record_key
from arena.questions import KINDS

MAX_SHARE = 10
"""At most one control in so many expects a tie."""
Role = Matchup.Role


def count_ties_offered(event: Event) -> int:
    """How many tie controls an organizer can make: so many that one control in ten is one."""
    if not event.offers_tie() or not event.questions.filter(kind="preference").exists():
        return 0
    in_service = Control.objects.filter(
        matchup__event=event, matchup__retired_at=None, retired_at=None
    )
    signs = [key["sign"] for key in in_service.values_list("key", flat=True)]
    ties = signs.count(0)
    return max(0, (len(signs) - ties) // (MAX_SHARE - 1) - ties)


def make_tie_controls(event: Event, ruling: Ruling, rng: Random) -> int:
    """Make as many tie controls as are offered; how many.

    Each takes the place of an ordinary matchup of its record that nobody has been shown, which is
    retired, and copies one of that one's responses. Raises `ArenaError` where there is nowhere to
    put one, or none is offered.
    """
    # Closes the races of two organizers, who lock the event, and of whoever is being served: a
    # matchup that is taken has its row changed by the transaction that assigns it.
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=event.pk)
        wanted = count_ties_offered(event)
        if not wanted:
            raise ArenaError(_("There are tie controls enough."), "ties_enough")
        candidates = list(find_places(event).values_list("pk", "record"))
        rng.shuffle(candidates)
        first = {record: pk for pk, record in reversed(candidates)}
        keys = lock_unseen(list(first.values()))
        chosen = rng.sample(keys, min(wanted, len(keys)))
        if not chosen:
            words = _("Every ordinary matchup of a record without controls has been shown.")
            raise ArenaError(words, "matchups_missing")
        made = [replace_by_tie(matchup, ruling, rng) for matchup in load_matchups(chosen)]
        append_entries(event.pk, MATCHUP_KIND, made)
        append_entries(event.pk, KEY_KIND, made)
        check_prize(event)
    return len(made)


def find_places(event: Event) -> MatchupQuerySet:
    """The unseen ordinary matchups of records that hold no control and no anchor."""
    special = Matchup.objects.filter(record=OuterRef("record")).exclude(role=Role.ORDINARY)
    serving = Matchup.objects.serving().filter(~Exists(special), event=event)
    return serving.rateable().unseen().order_by("pk")


def load_matchups(keys: list[int]) -> Iterator[Matchup]:
    """These matchups with their events and responses."""
    matchups = Matchup.objects.filter(pk__in=keys).select_related("event").order_by("pk")
    yield from matchups.prefetch_related("places__response")


def replace_by_tie(matchup: Matchup, ruling: Ruling, rng: Random) -> int:
    """Retire an ordinary matchup and serve a tie control in its place, inside the caller's
    transaction; the control's primary key."""
    Matchup.objects.filter(pk=matchup.pk).update(retired_at=ruling.now)
    original = rng.choice([place.response for place in matchup.places.all()])
    shown = [original, copy_response(original)]  # primary keys ascend
    control = Matchup.objects.create(
        event=matchup.event,
        record_id=matchup.record_id,
        key=build_matchup_key(response.pk for response in shown),
        role=Role.CONTROL,
        pair=build_pair(response.competitor_id for response in shown),
        shuffle=rng.random(),
    )
    MatchupResponse.objects.bulk_create(
        MatchupResponse(matchup=control, response=response, position=position)
        for position, response in enumerate(shown)
    )
    key = Control.objects.create(
        matchup=control,
        question=matchup.event.questions.get(kind="preference"),
        key=KINDS["preference"].check_key("tie"),
        reason=_("Both responses are the same."),
    )
    record_key(key, Act.KEY_SET, ruling, old=None, new=key.key)
    return control.pk


def copy_response(original: Response) -> Response:
    """The same text, of nobody's."""
    return Response.objects.create(
        record_id=original.record_id,
        text=original.text,
        html=original.html,
        rendered_with=original.rendered_with,
        **{covariate.name: getattr(original, covariate.name) for covariate in COVARIATES},
    )
