"""The full record of an event: one JSON object per standing judgment and line."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from arena.events.models import Event, Record
from arena.exports.formats.base import ExportFormat, Piece, encode_line
from arena.exports.formats.columns import ExportColumn
from arena.exports.formats.judgment_columns import (
    COLUMNS,
    OTHER_ANSWERS,
    ask_event,
    describe_judgment,
    type_others,
)
from arena.exports.rows import JudgmentRow, read_judgments


class JudgmentsFormat(ExportFormat[JudgmentRow, dict[str, Any]]):
    """Every standing judgment with everything that is known of it."""

    identifier = "jsonl"
    name = "judgments"
    label = _("Judgments")
    help = _(
        "One JSON object per line for every current judgment: prompt, both responses and their "
        "models, which one was on the left, the answer, the comment, the pseudonym, the times, "
        "and whether it counts."
    )
    notes = (
        _(
            "Controls are included and marked, so keep this file private while people are "
            "judging. Unjudged responses, usernames and addresses are not included."
        ),
        _(
            "You can import the file into another event as it is, with its records. For "
            "datasets, pass the column types, because a column can be empty for many rows:"
        ),
    )
    action = _("Download JSONL")

    def read_rows(self, event: Event) -> Iterator[JudgmentRow]:
        return read_judgments(event)

    def list_columns(self, event: Event | None, options: dict[str, Any]) -> Sequence[ExportColumn]:
        """`COLUMNS`; the type of the further answers follows from the event's questions."""
        others = type_others(ask_event(event)) if event else {}
        return [
            replace(each, type=others) if each.name == OTHER_ANSWERS else each for each in COLUMNS
        ]

    def write(
        self, event: Event, rows: Iterable[JudgmentRow], options: dict[str, Any]
    ) -> Iterator[Piece]:
        asked = ask_event(event)
        for row in rows:
            yield Piece(encode_line(describe_judgment(row, asked)))

    def describe_omissions(self, event: Event) -> str:
        """Records that nobody has judged are in no line."""
        count = count_unjudged(event)
        if not count:
            return ""
        return ngettext(
            "Not included: %(number)s record that nobody has judged.",
            "Not included: %(number)s records that nobody has judged.",
            count,
        ) % {"number": f"{count:,}"}

    def show_usage(self, event: Event) -> str:
        return (
            f'features = Features.from_dict(json.load(open("{event.slug}-judgments.features.json"'
            f')))\nload_dataset("json", data_files="{event.slug}-judgments.jsonl", '
            f"features=features)"
        )


def count_unjudged(event: Event) -> int:
    """Records that no line tells of, since nobody has judged anything of them."""
    judged = event.judgments.standing().values("matchup__record")
    records = Record.objects.filter(event=event, imported_at__isnull=False, retired_at=None)
    return records.exclude(pk__in=judged).count()


FORMAT = JudgmentsFormat()
