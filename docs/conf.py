"""The documentation as a site: `make docs`. Sphinx reads this folder's Markdown by way of MyST.

Pages of the rating engine are made from its docstrings. Nothing is fetched, neither when the site
is built nor when it is read: formulas are drawn by the KaTeX that the arena itself serves.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from engine_pages import engine_pages, to_restructured_text  # noqa: E402 - found by the line above

project = "Crowd Arena"
author = "The Crowd Arena authors"
copyright = f"2026, {author}"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = project
html_static_path = ["_static", str(next((ROOT / "arena/static/vendor").glob("katex-*")))]
html_css_files = ["katex.min.css"]
html_js_files = ["katex.min.js"]
mathjax_path = "formulas.js"  # our own script in the place of MathJax
html_copy_source = html_show_sourcelink = False

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries = False


def rewrite(*event: Any) -> None:
    """Hand autodoc the plain text of a docstring, the last of six arguments, as markup."""
    lines: list[str] = event[-1]
    lines[:] = to_restructured_text(lines)


ARRAY = re.compile(r"[\w.~]*ndarray\[tuple\[[\w.~]*Any, \.\.\.\], [\w.~]*dtype\[[\w.~]*?(\w+)\]\]")
ALIASES = {"float64": "Floats", "int64": "Ints", "int32": "Ids", "bool": "Mask"}


def name_arrays(*event: Any) -> tuple[str | None, str | None]:
    """Write the engine's own names of arrays in a signature; arguments and result come last."""
    arguments, result = (
        text and ARRAY.sub(lambda found: ALIASES.get(found[1], found[1]), text)
        for text in event[-2:]
    )
    return arguments, result


PROJECT_PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "CODE_OF_CONDUCT.md": "conduct.md",
}


def project_pages() -> dict[str, str]:
    """The pages that lie beside the README, with links that lead to their copies here."""
    pages = {}
    for source, target in PROJECT_PAGES.items():
        text = (ROOT / source).read_text().replace("](docs/", "](../")
        for other, copy in PROJECT_PAGES.items():
            text = text.replace(f"]({other})", f"]({copy})")
        pages[target] = text
    return pages


def column_page() -> str:
    """The columns of a board as a table, from the schema of its JSON."""
    schema = json.loads((HERE / "board.schema.json").read_text())
    lines = ["# A board's columns", "", "| column | type | meaning |", "|---|---|---|"]
    for name, column in schema["$defs"]["Row"]["properties"].items():
        lines.append(f"| `{name}` | {' or '.join(column['type'])} | {column['description']} |")
    return "\n".join(lines) + "\n"


def write(folder: Path, pages: dict[str, str]) -> None:
    """Write the pages that are new; Sphinx then builds anew what has changed alone."""
    folder.mkdir(exist_ok=True)
    for name, text in pages.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def setup(app: Any) -> None:
    """Called by Sphinx before it reads a page."""
    write(HERE / "engine", {f"{name}.rst": text for name, text in engine_pages().items()})
    write(HERE / "project", project_pages() | {"board-columns.md": column_page()})
    app.connect("autodoc-process-docstring", rewrite)
    app.connect("autodoc-process-signature", name_arrays)
