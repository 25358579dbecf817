"""What docs/exports.md says of the formats, as Markdown tables."""

from collections.abc import Mapping
from typing import Any

from arena.exports.formats.base import ExportFormat


def name_option(field: str) -> str:
    """A field of a format's options as an argument of the command."""
    return f"--{field.replace('_', '-')}"


def render_formats(formats: Mapping[str, ExportFormat[Any, Any]]) -> str:
    """A table of the formats."""
    lines = ["| format | file | what | options of the command |", "|---|---|---|---|"]
    for each in formats.values():
        options = ", ".join(f"`{name_option(name)}`" for name in each.options_form.base_fields)
        lines.append(f"| `{each.identifier}` | `{each.file}` | {each.help} | {options or 'none'} |")
    return "\n".join(lines) + "\n"


def render_columns(described: ExportFormat[Any, Any]) -> str:
    """A table of a format's columns, with the options that it has by itself."""
    form = described.options_form(None, {})
    form.full_clean()
    columns = described.list_columns(None, form.options)
    lines = ["| column | type | meaning |", "|---|---|---|"]
    lines += [f"| `{c.name}` | {c.type_name} | {c.meaning} |" for c in columns]
    return "\n".join(lines) + "\n"
