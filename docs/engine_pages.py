"""Pages about the rating engine from its docstrings, one for each of its rooms.

The engine's docstrings are plain text for whoever reads the code: paragraphs, lines that begin with
the names they explain, indented examples. Here they become reStructuredText.
"""

import ast
import inspect
import re
from inspect import cleandoc
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import leaderboard.ratings as engine

ROOMS = ("data", "models", "extended", "inference", "diagnostics", "compute")
EXPLAINED = re.compile(r"^(\w+(?:, \w+)*): (.+)$")
CODE = re.compile(r"`([^`]+)`")


def to_inline(text: str) -> str:
    """One piece of text: code between backticks stays code, every other sign is itself."""
    pieces = CODE.split(text)
    for index in range(0, len(pieces), 2):
        pieces[index] = re.sub(r"([\\*_|<>])", r"\\\1", pieces[index])
    for index in range(1, len(pieces), 2):
        before = "" if re.search(r"(^|[\s(\[])$", pieces[index - 1]) else "\\ "
        after = "" if re.match(r"$|[\s.,:;!?)\]]", pieces[index + 1]) else "\\ "
        pieces[index] = f"{before}``{pieces[index]}``{after}"
    return "".join(pieces)


def to_items(block: list[str]) -> list[str]:
    """A paragraph whose lines begin with names that they explain, as a list."""
    lines: list[str] = []
    for line in block:
        if found := EXPLAINED.match(line):
            names = ", ".join(f"``{name}``" for name in found[1].split(", "))
            lines += ["", f"- {names}: {to_inline(found[2])}"]
        else:
            lines.append(f"{'  ' if lines and lines[0] == '' else ''}{to_inline(line)}")
    return lines


def to_restructured_text(lines: list[str]) -> list[str]:
    """The lines of a docstring in the markup that Sphinx reads."""
    result: list[str] = []
    blocks = re.split(r"\n\s*\n", "\n".join(lines).strip("\n"))
    for block in (text.split("\n") for text in blocks if text.strip()):
        text = next((i for i, line in enumerate(block) if line.startswith(" ")), len(block))
        if block[:text]:
            is_list = any(EXPLAINED.match(line) for line in block[:text])
            result += [*(to_items(block[:text]) if is_list else map(to_inline, block[:text])), ""]
        if block[text:]:
            example = dedent("\n".join(block[text:])).split("\n")
            result += ["::", "", *(f"    {line}" for line in example), ""]
    return result


def submodules() -> dict[str, ast.Module]:
    """The engine's modules, each with its source as a tree."""
    folder = Path(engine.__file__).parent
    return {
        f"{engine.__name__}.{path.parent.name}.{path.stem}": ast.parse(path.read_text())
        for path in sorted(folder.glob("*/*.py"))
    }


def constants(tree: ast.Module) -> dict[str, str]:
    """What a module assigns at its top, with the string that follows, if one does."""
    found = {}
    for statement, following in pairwise([*tree.body, ast.Pass()]):
        targets = getattr(statement, "targets", None) or [getattr(statement, "target", None)]
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(targets[0], ast.Name):
            said = following.value if isinstance(following, ast.Expr) else None
            is_text = isinstance(said, ast.Constant) and isinstance(said.value, str)
            found[targets[0].id] = cleandoc(said.value) if is_text else ""
    return found


MODULES = submodules()
CONSTANTS = {module: constants(tree) for module, tree in MODULES.items()}


def home_of(name: str) -> str:
    """The module in which a name of the façade is defined."""
    value = getattr(engine, name)
    if inspect.ismodule(value):
        return value.__name__
    if inspect.isclass(value) or inspect.isfunction(value):
        home: str = value.__module__
        if home in MODULES:
            return home
    return next(module for module, names in CONSTANTS.items() if name in names)


def entry(name: str) -> str:
    """What a page says about one name of the façade."""
    value, home = getattr(engine, name), home_of(name)
    if inspect.ismodule(value):
        return f"{heading(f'``{name}``', '-')}\n\n.. automodule:: {home}\n   :members:\n"
    if name in CONSTANTS[home]:
        said = to_restructured_text(CONSTANTS[home][name].split("\n"))
        value = f"   :value: {value!r}\n" if isinstance(value, int | float | tuple) else ""
        lines = "".join(f"   {line}\n" for line in said)
        return f".. py:data:: {engine.__name__}.{name}\n{value}\n{lines}"
    kind = "autoclass" if inspect.isclass(value) else "autofunction"
    members = "   :members:\n" if inspect.isclass(value) else ""
    return f".. {kind}:: {engine.__name__}.{name}\n{members}"


def heading(title: str, line: str) -> str:
    """A title with its line below."""
    return f"{title}\n{line * len(title)}"


def engine_pages() -> dict[str, str]:
    """The pages by name: the first says what to call in what order, then one for each room."""
    names: dict[str, list[str]] = {room: [] for room in ROOMS}
    for name in engine.__all__:
        names[home_of(name).split(".")[2]].append(name)
    toc = "".join(f"   {room}\n" for room in ROOMS)
    pages = {
        "index": f"{heading('The rating engine', '=')}\n\n.. automodule:: {engine.__name__}\n\n"
        f".. toctree::\n   :maxdepth: 1\n\n{toc}"
    }
    for room, listed in names.items():
        listed.sort(key=lambda name: inspect.ismodule(getattr(engine, name)))
        parts = [heading(room.capitalize(), "="), f".. automodule:: {engine.__name__}.{room}"]
        pages[room] = "\n\n".join([*parts, *map(entry, listed)])
    return pages
