"""The recipes of CONTRIBUTING for formats, columns, reasons and covariates, as somebody would
write them."""

from tests.recipes.steps import Insert, New, Print, Recipe, Replace

DOCUMENT = "docs/exports.md"

FORMAT = Recipe(
    "An export format",
    (
        New(
            "arena/exports/formats/tally.py",
            '''"""Who judged which record, as CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from arena.events.models import Event
from arena.exports.formats.base import ExportFormat, Piece
from arena.exports.formats.columns import FLAG, TEXT, ExportColumn
from arena.exports.rows import JudgmentRow, read_judgments


class TallyFormat(ExportFormat[JudgmentRow, dict[str, Any]]):
    """A line per judgment."""

    identifier = "tally"
    name = "tally"
    label = _("Tally")
    help = _("Who judged which record.")
    action = _("Download the tally")
    extension = "csv"
    content_type = "text/csv; charset=utf-8"

    def read_rows(self, event: Event) -> Iterator[JudgmentRow]:
        return read_judgments(event)

    def list_columns(self, event: Event | None, options: dict[str, Any]) -> Sequence[ExportColumn]:
        return (
            ExportColumn("pseudonym", TEXT, "the contributor"),
            ExportColumn("record", TEXT, "the record"),
            ExportColumn("counted", FLAG, "whether it counts"),
        )

    def write(
        self, event: Event, rows: Iterable[JudgmentRow], options: dict[str, Any]
    ) -> Iterator[Piece]:
        yield Piece(write_line([column.name for column in self.list_columns(event, options)]), 0)
        for row in rows:
            yield Piece(write_line([row.pseudonym, row.record.external_id, row.counted]))


def write_line(values: list[Any]) -> bytes:
    """A line of CSV."""
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue().encode()


FORMAT = TallyFormat()
''',
        ),
        Insert(
            DOCUMENT,
            "| `trl` | `pairs.jsonl`",
            "| `tally` | `tally.csv` | Who judged which record. | none |\n",
        ),
        Insert(
            DOCUMENT,
            "## Bundles",
            """## Tally

<!-- columns of tally -->
| column | type | meaning |
|---|---|---|
| `pseudonym` | string | the contributor |
| `record` | string | the record |
| `counted` | bool | whether it counts |
<!-- end -->

""",
        ),
    ),
    (
        "tests/exports/test_formats.py::test_the_command_and_the_address_write_the_same[tally]",
        "tests/exports/test_formats.py::test_the_page_offers_it[tally]",
        "tests/exports/test_formats.py::test_nobody_is_named[tally]",
        "tests/exports/test_formats.py::test_the_columns_are_those_of_the_rows[tally]",
        "tests/exports/test_formats.py::test_the_documentation_lists_the_columns[tally]",
    ),
    max_files=2,
)

COLUMN = Recipe(
    "A board column",
    (
        Replace(
            "leaderboard/boards/columns.py",
            "\nCOLUMNS = (\n",
            """
COLUMNS = (
    BoardColumn(
        "decided",
        float,
        _("Decided"),
        _("The part of its votes that were no ties."),
        lambda row: 1 - row.rating.ties / row.rating.votes if row.rating.votes else None,
        lambda share: f"{share:.0%}",
    ),
""",
        ),
        Print("docs/board.schema.json", "board_schema"),
    ),
    ("tests/recipes/proofs.py::test_a_column_is_in_page_and_downloads",),
    max_files=2,
)

STORED_COLUMN = Recipe(
    "A board column",
    (
        Insert(
            "leaderboard/models/boards.py",
            "    losses = ",
            "    decisions = models.PositiveIntegerField(default=0)\n",
        ),
        Replace(
            "leaderboard/boards/columns.py",
            "\nCOLUMNS = (\n",
            """
COLUMNS = (
    BoardColumn(
        "decisions",
        int,
        _("Decisions"),
        _("How many of its votes were no ties."),
        lambda row: row.rating.decisions,
        compute=lambda row: row.won + row.lost,
    ),
""",
        ),
        Print("docs/board.schema.json", "board_schema"),
    ),
    ("tests/recipes/proofs.py::test_a_stored_column_is_in_downloads_and_bundle",),
    max_files=3,
    migration="decisions",
)

REASON = Recipe(
    "An exclusion reason",
    (
        Insert(
            "arena/judging/models/exclusions.py",
            'ORGANIZER = "organizer"',
            '        SPAM = "spam", _("Advertises something")\n',
        ),
        Insert(
            "arena/judging/models/exclusions.py",
            "Reason.ORGANIZER: _(",
            '    Reason.SPAM: _("A judgment that advertises something does not count."),\n',
        ),
        Replace(DOCUMENT, "`organizer` |\n", "`spam`, `organizer` |\n"),
    ),
    ("tests/recipes/proofs.py::test_a_reason_is_offered_told_and_exported",),
    max_files=2,
    migration="spam",
)

COVARIATE = Recipe(
    "A style covariate",
    (
        Insert(
            "arena/events/models/style.py",
            "def count_nothing(",
            '''def count_questions(response: MarkdownText) -> int:
    """Question marks."""
    return response.text.count("?")


''',
        ),
        Insert(
            "arena/events/models/style.py",
            "    class Meta:",
            """    asking = StyleCovariate(
        count=count_questions,
        heading=_("Questions asked"),
        unit=_("question marks"),
        meaning="Characters `?`.",
    )

""",
        ),
        Replace(
            "docs/ratings.md",
            "runs to the end. |\n",
            "runs to the end. |\n| `asking` | question marks | Characters `?`. |\n",
        ),
    ),
    ("tests/recipes/proofs.py::test_a_covariate_is_counted_fitted_shown_and_carried",),
    max_files=2,
    migration="asking",
)
