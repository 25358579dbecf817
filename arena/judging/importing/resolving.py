"""Records and responses of an event, found by what an export of another one calls them."""

from collections.abc import Collection
from dataclasses import dataclass

from arena.events.models import Event, Record, Response
from arena.judging.importing.exported import Side, are_twins


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
