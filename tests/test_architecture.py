"""The pages say what is there: every package, and no name and no path that is gone."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from leaderboard import ratings
from tests.services import ROOT

TEXT = (ROOT / "docs" / "architecture.md").read_text()
NAME = re.compile(r"`((?:arena|leaderboard)(?:\.\w+)+)`")
# Folders that Django wants.
GIVEN = {"management", "commands", "migrations", "templatetags"}


def packages() -> set[str]:
    """The packages of the tree, each as a path with a slash at its end."""
    found = set()
    for top in ("arena", "leaderboard"):
        for path in (ROOT / top).rglob("__init__.py"):
            folder = path.parent.relative_to(ROOT)
            if not GIVEN & set(folder.parts):
                found.add(f"{folder}/")
    return found


def mapped(text: str) -> list[str]:
    """The packages that the table names, in its order."""
    section = text.split("\n## Where things live\n")[1].split("\n## ", maxsplit=1)[0]
    return re.findall(r"^\| `([^`]+)` \| \S", section, re.MULTILINE)


def is_there(name: str) -> bool:
    """Whether a dotted name is a package, a module, or something in one."""
    try:
        import_module(name)
    except ModuleNotFoundError:
        module, _, attribute = name.rpartition(".")
        try:
            return hasattr(import_module(module), attribute)
        except ModuleNotFoundError:
            return False
    return True


def test_the_map_names_every_package_and_no_other() -> None:
    table = mapped(TEXT)
    assert len(table) == len(set(table))
    assert set(table) == packages()
    without = re.sub(r"^\| `arena/judging/` .*\n", "", TEXT, flags=re.MULTILINE)
    assert packages() - set(mapped(without)) == {"arena/judging/"}


@pytest.mark.parametrize("name", sorted(set(NAME.findall(TEXT))))
def test_every_name_is_there(name: str) -> None:
    assert is_there(name)


@pytest.mark.parametrize(
    "name", ["arena.judging.recording.record_vote", "arena.voting.views.judge"]
)
def test_a_name_that_is_gone_is_noticed(name: str) -> None:
    assert not is_there(name)


def test_the_walks_name_what_they_pass() -> None:
    assert len(set(NAME.findall(TEXT.split("\n## Three walks")[1].split("\n## ")[0]))) > 30


PAGES = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md")]
FOLDERS = "arena|bench|checks|deploy|docs|leaderboard|templates|tests"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_is_there(page: Path) -> None:
    text = page.read_text()
    paths = re.findall(rf"`((?:{FOLDERS})/[\w/.]*)`", text)
    paths += [path for path in re.findall(r"\]\(([\w./-]+)\)", text) if "://" not in path]
    gone = [path for path in paths if not ((ROOT / path).exists() or (page.parent / path).exists())]
    assert gone == []


def test_what_page_and_front_door_name_is_in_the_engine() -> None:
    text = (ROOT / "docs" / "ratings.md").read_text() + str(ratings.__doc__)
    names = re.findall(r"(?<![\w/])([a-z_]+)\.([a-z_]+)[`(]", text)
    ours = {(module, name) for module, name in names if hasattr(ratings, module)}
    assert len(ours) > 10
    assert {pair for pair in ours if not hasattr(getattr(ratings, pair[0]), pair[1])} == set()


def test_every_package_says_what_lives_there_and_what_does_not() -> None:
    short = set()
    for package in packages():
        said = ast.get_docstring(ast.parse((ROOT / package / "__init__.py").read_text())) or ""
        if len(re.findall(r"[.;]\s|\.$", said)) < 2:
            short.add(package)
    assert short == set()
