"""Which reasons of exclusions, reinstatements and appeals the public is told, and when.

Everybody sees who has left the contributor board, and may read the public ledger every day: what
it tells must not let them subtract the reason for one person. So the numbers of a day are told at
once, over all reasons, and reasons apart from them, for each kind of act by itself, by these rules:

1. Reasons are told only at the end of a day (in the event's time zone) by which at least
   `MIN_PEOPLE` people had their first act of this kind since reasons were last told. When that
   comes follows from numbers that are public already, and not from any reason.
2. Then a reason is named for all to whom it applied since it was last named, if they are at least
   `MIN_PEOPLE` people: in one line, that says until when and nothing of the days before.
3. Everything else, and everything of a day that has not ended, is "other reasons". A line that has
   been told never changes.

So whoever compares any states of the page learns reasons of groups of three or more alone.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from arena.judging.models import Exclusion

MIN_PEOPLE = 3
Person = int | str
"""An enrollment's key or pseudonym."""


class Kind(TextChoices):
    """What is counted."""

    EXCLUDED = "excluded", _("Excluded")
    REINSTATED = "reinstated", _("Reinstated")
    APPEALED = "appealed", _("Appealed")
    GRANTED = "granted", _("Appeal granted")
    DECLINED = "declined", _("Appeal declined")


@dataclass(frozen=True)
class Tally:
    """How many judgments, and of how many people; appeals name no judgments."""

    judgments: int = 0
    people: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.judgments + other.judgments, self.people + other.people)

    def __sub__(self, other: "Tally") -> "Tally":
        return Tally(self.judgments - other.judgments, self.people - other.people)

    def __bool__(self) -> bool:
        return bool(self.judgments or self.people)


@dataclass(frozen=True)
class DayOfReason:
    """What of one kind happened on a day for one reason ("": none is known).

    tally: everything; of people, those to whom nothing of the kind had happened on the day before.
    new_people: those to whom it had never happened for this reason; newcomers: nor for any other.
    """

    day: date
    reason: str
    tally: Tally
    new_people: int
    newcomers: int


@dataclass(frozen=True)
class ReasonLine:
    """What is told of a reason ("": other reasons).

    People count once for each reason. until: the last day in it; None: of all days.
    """

    kind: Kind
    reason: str
    tally: Tally
    until: date | None = None

    @property
    def label(self) -> str:
        """The reason in words."""
        return str(Exclusion.Reason(self.reason).label) if self.reason else str(_("Other reasons"))


def count_by_day(acts: Iterable[tuple[date, Person, str, int]]) -> list[DayOfReason]:
    """Acts of one kind (day, person, reason, judgments) by day and reason; acts: by day."""
    ever: set[Person] = set()
    for_reason: set[tuple[Person, str]] = set()
    rows: list[DayOfReason] = []
    for day, of_day in groupby(acts, key=lambda act: act[0]):
        on_day: set[Person] = set()
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        for _day, person, reason, judgments in of_day:
            of_reason = counts[reason]
            of_reason[0] += judgments
            of_reason[1] += person not in on_day
            of_reason[2] += (person, reason) not in for_reason
            of_reason[3] += person not in ever
            on_day.add(person)
            for_reason.add((person, reason))
            ever.add(person)
        for reason, (judgments, people, new_people, newcomers) in counts.items():
            rows.append(DayOfReason(day, reason, Tally(judgments, people), new_people, newcomers))
    return rows


def tell_reasons(
    kind: Kind, rows: Iterable[DayOfReason], today: date
) -> tuple[list[ReasonLine], Tally]:
    """The lines that name a reason, oldest first, and what is left as other reasons.

    rows: of all days, by day.
    """
    lines: list[ReasonLine] = []
    untold: dict[str, Tally] = defaultdict(Tally)
    newcomers = 0
    for day, of_day in groupby(rows, key=lambda row: row.day):
        for row in of_day:
            untold[row.reason] += Tally(row.tally.judgments, row.new_people)
            newcomers += row.newcomers
        if day >= today or newcomers < MIN_PEOPLE:
            continue
        newcomers = 0
        for reason in sorted(untold):
            if reason and untold[reason].people >= MIN_PEOPLE:
                lines.append(ReasonLine(kind, reason, untold.pop(reason), until=day))
    return lines, sum(untold.values(), Tally())


def tell_reasons_of_all_days(
    kind: Kind, tallies: dict[str, Tally]
) -> tuple[list[ReasonLine], Tally]:
    """The same of what is told at once, and moves no more: by reason, of all days together."""
    named = {reason: tally for reason, tally in tallies.items() if tally.people >= MIN_PEOPLE}
    lines = [ReasonLine(kind, reason, tally) for reason, tally in sorted(named.items())]
    return lines, sum(tallies.values(), Tally()) - sum(named.values(), Tally())
