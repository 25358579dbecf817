"""The recipes of CONTRIBUTING.md carried out on a copy of the tree: how many files, what follows.

A field of a model and a choice of one are in the database, so that a toy needs a copy with a
database of its own; recipes without are tested where they live.
"""

import filecmp
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import ROOT

PARTS = ("arena", "leaderboard", "templates", "tests", "docs", "manage.py", "pyproject.toml")
COVARIATES = "arena/events/models/style.py"
REASONS = "arena/judging/models/exclusions.py"


class Copy:
    """A copy of the tree with an SQLite file of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "tree"
        for part in PARTS:
            source, target = ROOT / part, self.folder / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
                shutil.copytree(source, target, ignore=ignored)
            else:
                shutil.copy(source, target)
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "arena.settings",
            "ARENA_VAR": str(folder / "var"),
            "DATABASE_URL": f"sqlite:///{folder / 'toy.sqlite3'}",
            "REDIS_URL": "",
            "SECRET_KEY": "toy-" * 20,
            "DEBUG": "1",
            "LOG_LEVEL": "ERROR",
        }

    def insert(self, path: str, before: str, text: str) -> None:
        """Write a toy before the first such line."""
        file = self.folder / path
        source = file.read_text(encoding="utf-8")
        place = source.index(before)
        file.write_text(source[:place] + text + source[place:], encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """What Python in the copy says."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    def touched(self) -> tuple[set[str], set[str]]:
        """Files that differ from the tree, and files that are new."""
        changed, new = set(), set()
        for path in self.folder.rglob("*"):
            name = path.relative_to(self.folder)
            if path.is_file() and not (ROOT / name).exists():
                new.add(str(name))
            elif path.is_file() and not filecmp.cmp(path, ROOT / name, shallow=False):
                changed.add(str(name))
        return changed, new


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_covariate_of_style_and_an_exclusion_reason_are_an_entry_and_a_line_of_docs(
    copy: Copy,
) -> None:
    copy.insert(
        COVARIATES,
        "    class Meta:\n        abstract = True",
        "    asking = StyleCovariate(\n"
        '        count=lambda response: response.text.count("?"),\n'
        '        heading=_("Questions asked"),\n'
        '        unit=_("question marks"),\n'
        '        meaning="Characters `?`.",\n'
        "    )\n\n",
    )
    copy.insert(
        REASONS, "        ORGANIZER = ", '        SPAM = "spam", _("Advertises something")\n'
    )
    said = copy.run("manage.py", "makemigrations")
    assert "Add field asking to response" in said
    assert "Alter field reason on exclusion" in said
    copy.run("manage.py", "migrate", "--verbosity", "0")
    done = copy.run(
        "manage.py", "shell", "-v", "0", "-c", "from tests.toys import walk_all; walk_all()"
    )
    assert re.findall(r"^ok (\w+)$", done, re.MULTILINE) == ["covariate", "reason"]

    changed, new = copy.touched()
    assert changed == {COVARIATES, "docs/ratings.md", REASONS, "docs/exports.md"}
    assert {str(Path(name).parent) for name in new} == {
        "arena/events/migrations",
        "arena/judging/migrations",
    }
    assert len(new) == 2
