"""Enrolling the workers of a file, who are known by their identifier there."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from django.db import transaction

from arena.events.joining.pseudonyms import make_pseudonym
from arena.events.models import Enrollment
from arena.judging.importing.imported_votes import ImportedVote, VoteWriter

BATCH_SIZE = 500


def get_or_create_enrollments(writer: VoteWriter, votes: Iterable[ImportedVote]) -> dict[str, int]:
    """Primary keys of the workers' enrollments; missing ones are created."""
    workers = {vote.worker: None for vote in votes}
    enrolled = Enrollment.objects.filter(event=writer.event, external_id__in=workers)
    found = dict(enrolled.values_list("external_id", "pk"))
    new = build_enrollments(writer, [worker for worker in workers if worker not in found])
    for enrollment in Enrollment.objects.bulk_create(new):
        found[enrollment.external_id] = enrollment.pk
    return {str(worker): pk for worker, pk in found.items()}


def build_enrollments(writer: VoteWriter, workers: Sequence[str]) -> list[Enrollment]:
    """Unsaved enrollments with unused pseudonyms.

    Public identifier and pseudonym are derived from the worker's name and the event's secret: the
    same on every import, and meaningless without the secret.
    """
    secret = writer.event.secret
    event = Enrollment.objects.filter(event=writer.event)
    enrollments, attempt = [], 0
    waiting = {worker: derive_public_id(secret, worker) for worker in workers}
    while waiting:
        drawn = {make_pseudonym(secret, uuid, attempt): worker for worker, uuid in waiting.items()}
        for name in event.filter(pseudonym__in=drawn).values_list("pseudonym", flat=True):
            del drawn[name]
        enrollments += [
            Enrollment(
                event=writer.event,
                kind=writer.options.kind,
                external_id=worker,
                public_id=waiting.pop(worker),
                pseudonym=name,
                joined_at=writer.hold.job.created_at,
            )
            for name, worker in drawn.items()
        ]
        attempt += 1
    return enrollments


def enroll_under_pseudonyms(writer: VoteWriter, workers: Mapping[str, tuple[int, str]]) -> None:
    """Enroll the contributors of an export under their pseudonyms there, if these are free.

    `workers` maps a pseudonym to (id in the other event, kind); the ids give the order.
    """
    hold, event = writer.hold, writer.event
    order = sorted(workers, key=lambda name: workers[name][0])
    for start in range(0, len(order), BATCH_SIZE):
        some = order[start : start + BATCH_SIZE]
        here = event.enrollments.filter(external_id__in=some)
        missing = set(some) - set(here.values_list("external_id", flat=True))
        taken = event.enrollments.filter(pseudonym__in=missing)
        drawn = missing & set(taken.values_list("pseudonym", flat=True))
        new = build_enrollments(writer, [name for name in some if name in missing])
        for enrollment in new:
            name = str(enrollment.external_id)
            enrollment.kind = workers[name][1]
            if name not in drawn:
                enrollment.pseudonym = name
        new.sort(key=lambda enrollment: workers[str(enrollment.external_id)][0])
        # Closes the race with whoever declares this import dead.
        with transaction.atomic():
            hold.write_heartbeat(hold.job.done, hold.job.total)
            Enrollment.objects.bulk_create(new)
        hold.yield_lock()


def derive_public_id(secret: str, worker: str) -> UUID:
    """The public identifier of a worker, derived from the event's secret."""
    digest = hmac.digest(secret.encode(), f"worker|{worker}".encode(), "sha256")
    return UUID(bytes=digest[:16], version=4)
