"""A registration as people read it: section by section."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from arena.events.lifecycle.registration.words import LABELS, PROSE, flatten_terms, read_value
from arena.events.lifecycle.registration.writing import Content
from arena.events.organizer_texts import render_organizer_text


@dataclass(frozen=True)
class Item:
    """A setting in words; html: rendered and sanitised, in place of the text."""

    label: str
    text: str
    html: str = ""


@dataclass(frozen=True)
class Rule:
    """A part of the method: its words, and the numbers in them."""

    text: str
    numbers: list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """A part of the page."""

    slug: str
    title: str
    items: list[Item]
    rules: list[Rule]


# Address and title of each section, its settings, and its parts of the method.
SECTIONS: tuple[tuple[str, Any, tuple[str, ...], tuple[str, ...]], ...] = (
    ("about", lazy("What is compared"), ("title", "slug", "summary", "description"), ()),
    ("guidelines", lazy("Guidelines"), ("guidelines",), ()),
    ("questions", lazy("Questions and scale"), ("questions", "scale", "both_bad"), ()),
    (
        "serving",
        lazy("Who is shown what"),
        (
            *("overlap", "choosing", "matchups_per_record", "control_interval"),
            *("recurrence_gap", "lease_minutes", "undo_seconds"),
        ),
        (),
    ),
    (
        "votes",
        lazy("Which votes count"),
        ("counts_imported", "counts_simulated", "counts_machine"),
        ("votes",),
    ),
    ("weights", lazy("Ratings and weights"), (), ("rating", "weights")),
    ("ties", lazy("Ties"), (), ("ties",)),
    ("exclusions", lazy("Exclusions"), ("excludes_automatically",), ("exclusions",)),
    ("score", lazy("Score of contributors"), ("daily_cap",), ("score",)),
    ("prize", lazy("Prize"), ("prize", "terms.prize_rules"), ()),
    (
        "schedule",
        lazy("Schedule"),
        ("opens_at", "closes_at", "freeze_minutes", "grace_minutes", "timezone"),
        (),
    ),
    (
        "publication",
        lazy("Publication and access"),
        ("publish_batch", "keeps_behaviour", "licence", "is_private", "needs_approval"),
        (),
    ),
    (
        "terms",
        lazy("Terms"),
        tuple(name for name in LABELS if name.startswith("terms.") and name != "terms.prize_rules"),
        (),
    ),
)


def build_sections(content: Content) -> list[Section]:
    """The sections of a registration; settings that no section names come last."""
    settings = flatten_terms(content["settings"])
    zone = ZoneInfo(content["settings"]["timezone"])
    sections = [
        Section(
            slug,
            str(title),
            [build_item(name, settings[name], zone) for name in names if name in settings],
            [build_rule(content["method"][part]) for part in parts if part in content["method"]],
        )
        for slug, title, names, parts in SECTIONS
    ]
    named = {name for _slug, _title, names, _parts in SECTIONS for name in names}
    further = [build_item(name, settings[name], zone) for name in settings if name not in named]
    if further:
        sections.append(Section("further", _("Further settings"), further, []))
    return [section for section in sections if section.items or section.rules]


def build_item(name: str, value: Any, zone: ZoneInfo) -> Item:
    """One setting."""
    html = render_organizer_text(value) if name in PROSE and value else ""
    return Item(str(LABELS.get(name, name)), read_value(name, value, zone), html)


def build_rule(part: dict[str, Any]) -> Rule:
    """One part of the method."""
    return Rule(part["rule"], list(read_numbers(part["numbers"])))


def read_numbers(numbers: dict[str, float]) -> Iterator[tuple[str, str]]:
    """Numbers of a rule by name, without the digits that say nothing."""
    for name, number in numbers.items():
        whole = float(number).is_integer()
        yield name, number_format(int(number) if whole else number, force_grouping=True)
