"""What an organizer knows of the competitors beside their names, from a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.events.importing.checking.checks import Checker, InvalidRowError, explain_unknown
from arena.events.importing.reading.columns import ImportColumns, rename_keys
from arena.events.importing.reading.files import guess_format, open_source, peek_bytes, read_rows
from arena.events.importing.reading.name_index import CompetitorRow
from arena.events.importing.reading.rows import Row
from arena.events.importing.report import ImportReport, LineError

# Longest values, in characters.
MAX_LENGTHS = {"name": 120, "organization": 120, "licence": 60, "version": 60}
# What others call them.
FIELD_ALIASES = {
    **dict.fromkeys(("model", "model_name", "competitor"), "name"),
    **dict.fromkeys(("organisation", "org", "vendor", "provider", "developer"), "organization"),
    "license": "licence",
}


class CompetitorColumns(ImportColumns):
    """The columns of a list of competitors, in any case."""

    __slots__ = ()

    def meaning(self, key: str) -> str:
        """What a column means; itself where it means nothing."""
        word = key.strip().casefold()
        return word if word in MAX_LENGTHS else FIELD_ALIASES.get(word, key)

    def renamed(self, row: Row) -> Mapping[str, Any]:
        """The row's values under their meaning. Raises `InvalidRowError`."""
        return rename_keys(row.data, self.meaning)


def read_competitors(path: Path, report: ImportReport) -> list[CompetitorRow]:
    """Rows of name, organization, licence and version; what is wrong goes into the report, and
    so do the names of columns that mean nothing, which are left out.

    Raises `Unreadable` where the file cannot be read to its end.
    """
    competitors: dict[str, CompetitorRow] = {}
    ignored: set[str] = set()
    with open_source(path) as source:
        format = guess_format(path.name, peek_bytes(source.stream, 200))
        columns = CompetitorColumns({}, is_csv=format == "csv")
        for row in read_rows(source.stream, format):
            if isinstance(row, LineError):
                report.refuse(row)
                continue
            for key in row.data:
                if columns.meaning(key) not in MAX_LENGTHS and key not in ignored:
                    ignored.add(key)
                    report.warn(LineError(row.line, key, explain_ignored(key)))
            try:
                competitor = columns.parse_row(row, MAX_LENGTHS, parse_competitor)
            except InvalidRowError as error:
                for problem in columns.line_errors(row, error.problems):
                    report.refuse(problem)
                continue
            if competitor.name in competitors:
                report.refuse(LineError(row.line, "name", f"{competitor.name} appears twice"))
            competitors[competitor.name] = competitor
    return list(competitors.values())


def explain_ignored(key: str) -> str:
    """What is said of a column that is left out, with the one that was probably meant."""
    meant = explain_unknown(key, MAX_LENGTHS).removeprefix("is unknown")
    return f"is ignored: an event keeps nothing of the kind{meant}"


def parse_competitor(data: Mapping[str, Any]) -> CompetitorRow:
    """Check one row. Raises `InvalidRowError`."""
    check = Checker()
    values = {
        field: check.check_name(data[field], field, longest)
        for field, longest in MAX_LENGTHS.items()
        if data.get(field) not in (None, "")
    }
    if "name" not in values:
        check.refuse("name", "is missing")
    check.raise_problems()
    return CompetitorRow(**values)
