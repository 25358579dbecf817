"""The names that a file uses: competitors and categories, those of the event and new ones."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.text import slugify

from arena.events.importing.checking.checks import Problem
from arena.events.importing.reading.records import RecordRow
from arena.events.ledger import COMPETITOR_KIND, append_entries
from arena.events.models import Category, Competitor, Event

# More models than any event has; a column of something else mapped to them has more.
MAX_COMPETITORS = 1_000
MAX_EVENT_CATEGORIES = 1_000
TOO_MANY_COMPETITORS = (
    f"more than {MAX_COMPETITORS:,} models, which is as many as one event rates. Is the right "
    "column mapped to the model? If they are that many, bring the best of them, or make several "
    "events"
)


@dataclass(frozen=True, slots=True)
class CompetitorRow:
    """What is known of a competitor beside its name."""

    name: str
    organization: str = ""
    licence: str = ""
    version: str = ""


class NameIndex:
    """Competitors by name and categories by name without case; new ones wait to be created."""

    def __init__(self, event: Event, extras: Sequence[CompetitorRow] = ()) -> None:
        self.event = event
        self.competitor_rows = {row.name: row for row in extras}
        self.competitor_ids: dict[str, int] = {}
        self.competitor_names: dict[int, str] = {}
        self.organizations: dict[str, str] = {}
        self.category_ids_by_name: dict[str, int] = {}
        self.new_competitors: dict[str, None] = dict.fromkeys(self.competitor_rows)
        self.new_categories: dict[str, str] = {}
        for competitor in Competitor.objects.filter(event=event):
            self.add_existing(competitor)
        for category in Category.objects.filter(event=event):
            self.category_ids_by_name[category.name.casefold()] = category.pk
        self.organizations |= {row.name: row.organization for row in extras if row.organization}

    def add_existing(self, competitor: Competitor) -> None:
        """This competitor is in the database."""
        self.competitor_ids[competitor.name] = competitor.pk
        self.competitor_names[competitor.pk] = competitor.name
        self.organizations.setdefault(competitor.name, competitor.organization)
        self.new_competitors.pop(competitor.name, None)

    def note_new(self, row: RecordRow) -> list[Problem]:
        """Remember the new names of a row; what is wrong with their number."""
        for response in row.responses:
            if response.model and response.model not in self.competitor_ids:
                self.new_competitors[response.model] = None
        for name in row.categories or ():
            if name.casefold() not in self.category_ids_by_name:
                self.new_categories.setdefault(name.casefold(), name)
        if len(self.competitor_ids) + len(self.new_competitors) > MAX_COMPETITORS:
            return [Problem("responses", TOO_MANY_COMPETITORS)]
        if len(self.category_ids_by_name) + len(self.new_categories) > MAX_EVENT_CATEGORIES:
            return [
                Problem("categories", f"more than {MAX_EVENT_CATEGORIES:,} of them in this event")
            ]
        return []

    def create_new(self, *, joined_late: bool) -> dict[str, list[int]]:
        """Create what is new; primary keys by kind, to take them away should the import fail."""
        competitors = Competitor.objects.bulk_create(
            Competitor(event=self.event, name=name, joined_late=joined_late)
            for name in self.new_competitors
        )
        for competitor in competitors:
            self.add_existing(competitor)
        taken = set(Category.objects.filter(event=self.event).values_list("slug", flat=True))
        categories = Category.objects.bulk_create(
            Category(event=self.event, name=name, slug=free_category_slug(name, taken))
            for name in self.new_categories.values()
        )
        self.category_ids_by_name |= {
            category.name.casefold(): category.pk for category in categories
        }
        self.new_categories.clear()
        return {
            "competitors": [competitor.pk for competitor in competitors],
            "categories": [category.pk for category in categories],
        }

    def category_ids(self, names: Iterable[str]) -> list[int]:
        """Primary keys of categories, all of which are there."""
        return [self.category_ids_by_name[name.casefold()] for name in names]

    def update_competitors(self) -> None:
        """Write what is known of competitors; an empty cell leaves what is there."""
        for row in self.competitor_rows.values():
            said = {
                "organization": row.organization,
                "licence": row.licence,
                "version": row.version,
            }
            said = {field: value for field, value in said.items() if value}
            if not said:
                continue
            key = self.competitor_ids[row.name]
            # No changed row without its word in the ledger.
            with transaction.atomic():
                if Competitor.objects.filter(pk=key).exclude(**said).update(**said):
                    append_entries(self.event.pk, COMPETITOR_KIND, [key])


def free_category_slug(name: str, taken: set[str]) -> str:
    """A slug for a category, numbered where another has it ("C" and "C++"); noted as taken."""
    base = slugify(name, allow_unicode=True)[:50].strip("-") or "category"
    slug, number = base, 1
    while slug in taken:
        number += 1
        slug = f"{base}-{number}"
    taken.add(slug)
    return slug
