"""Records and responses of an event, found by what an export of another one calls them."""

from collections.abc import Collection
from dataclasses import dataclass

from arena.events.models import Event, Record, Response
from arena.judging.importing.exported import Side


@dataclass(frozen=True, slots=True)
class Resolved:
    """Primary keys: of records by identifier, of responses by record and whose they are (by their
    text where they are nobody's)."""

    records: dict[str, int]
    responses: dict[tuple[int, Side], int]

    def response(self, record: str, side: Side) -> int | None:
        """A response of a record; None where it is not here."""
        competitor, text = side
        pk = self.records.get(record)
        whose = (competitor, "" if competitor is not None else text)
        return self.responses.get((pk, whose)) if pk is not None else None


def resolve(event: Event, names: Collection[str]) -> Resolved:
    """What the event has of these records, those of an import under way included."""
    found = Record.objects.filter(event=event, external_id__in=names)
    records = dict(found.values_list("external_id", "pk"))
    responses: dict[tuple[int, Side], int] = {}
    of_records = Response.objects.filter(record__in=records.values())
    named = of_records.filter(competitor__isnull=False)
    for pk, record, competitor in named.values_list("pk", "record_id", "competitor__name"):
        responses[record, (competitor, "")] = pk
    for pk, record, text in of_records.filter(competitor=None).values_list(
        "pk", "record_id", "text"
    ):
        responses[record, (None, text)] = pk
    return Resolved(records, responses)
