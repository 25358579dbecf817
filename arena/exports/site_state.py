"""What a site holds, in digests: written beside a dump, and compared with what was restored.

It is written before the dump is made, of a site in use. So the restored site may have more, and has
to have everything that is written here: each ledger has come by its head, each board is as it was.
"""

import json
from hashlib import sha256
from typing import Any

from django.core.files.storage import storages
from django.db.models import Q

from arena.events.models import Event
from arena.files.choosing import BUNDLES
from arena.judging.ledger import verify_ledger
from arena.judging.ledger.heads import get_chain_head
from arena.judging.ledger.verifying import has_head
from leaderboard.models import Rating, Snapshot

RATING_COLUMNS = sorted(field.attname for field in Rating._meta.concrete_fields)
SiteState = dict[str, Any]


def describe_state() -> SiteState:
    """The head of each event's ledger, the boards that are shown or sealed, and the bundles."""
    kept = Q(sealed_at__isnull=False) | Q(board__isnull=False)
    snapshots = Snapshot.objects.filter(kept).distinct().order_by("pk")
    return {
        "heads": {event.slug: get_chain_head(event.pk) for event in Event.objects.order_by("slug")},
        "boards": {str(snapshot.pk): digest_board(snapshot) for snapshot in snapshots},
        "bundles": {name: storages[BUNDLES].size(name) for name in list_bundles()},
    }


def list_bundles() -> list[str]:
    """The names of all bundles."""
    return sorted(storages[BUNDLES].listdir("")[1])


def digest_board(snapshot: Snapshot) -> str:
    """SHA-256 of a snapshot and its ratings; what they were computed from is in it."""
    head = [snapshot.event_id, snapshot.ledger_seq, snapshot.fingerprint, snapshot.judgments]
    digest = sha256(json.dumps(head).encode())
    for row in snapshot.ratings.order_by("pk").values_list(*RATING_COLUMNS):
        digest.update(json.dumps(row).encode())
    return digest.hexdigest()


def compare_state(state: SiteState) -> list[str]:
    """What is missing here, or not as it was written; verifies every ledger from its first entry.

    Raises `KeyError` where the state is something else.
    """
    there = {
        str(snapshot.pk): snapshot for snapshot in Snapshot.objects.filter(pk__in=state["boards"])
    }
    bundles = set(list_bundles())
    return [
        *(
            f"{slug}: {fault}"
            for slug, head in state["heads"].items()
            for fault in check_ledger(slug, head)
        ),
        *(
            f"snapshot {pk} is missing or differs"
            for pk, digest in state["boards"].items()
            if pk not in there or digest_board(there[pk]) != digest
        ),
        *(
            f"bundle {name} is missing or differs"
            for name, size in state["bundles"].items()
            if name not in bundles or storages[BUNDLES].size(name) != size
        ),
    ]


def check_ledger(slug: str, head: str) -> list[str]:
    """What is wrong with an event's ledger, which had this head."""
    event = Event.objects.filter(slug=slug).first()
    if event is None:
        return ["the event is missing"]
    if difference := verify_ledger(event.pk):
        return [str(difference)]
    return [] if not head or has_head(event.pk, head) else [f"the ledger never had the head {head}"]
