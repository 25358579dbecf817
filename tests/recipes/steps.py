"""The steps of a recipe: what a contributor writes, into which files, and what notices it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


def run_python(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in a copy, in an environment that knows nothing of this run."""
    ours = ("DATABASE_URL", "REDIS_URL", "ARENA_", "PYTEST_", "PYTHONPATH", "DJANGO_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment |= {"SECRET_KEY": "of-a-copy", "DEBUG": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@dataclass(frozen=True)
class New:
    """A file that was not there."""

    path: str
    text: str

    def take(self, root: Path) -> None:
        """Write the file."""
        target = root / self.path
        assert not target.exists(), f"{self.path} is there already"
        target.write_text(self.text, encoding="utf-8")


@dataclass(frozen=True)
class Insert:
    """Lines in an existing file, before the one line that holds `before`."""

    path: str
    before: str
    text: str

    def take(self, root: Path) -> None:
        """Write the file anew."""
        target = root / self.path
        lines = target.read_text(encoding="utf-8").splitlines(keepends=True)
        found = [number for number, line in enumerate(lines) if self.before in line]
        assert len(found) == 1, f"{len(found)} lines of {self.path} hold {self.before!r}"
        lines.insert(found[0], self.text)
        target.write_text("".join(lines), encoding="utf-8")


@dataclass(frozen=True)
class Replace:
    """In an existing file, `old`, which stands there once, becomes `new`."""

    path: str
    old: str
    new: str

    def take(self, root: Path) -> None:
        """Write the file anew."""
        target = root / self.path
        text = target.read_text(encoding="utf-8")
        assert text.count(self.old) == 1, f"{self.path} has {text.count(self.old)} {self.old!r}"
        target.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True)
class Print:
    """An existing file that becomes what a command of `manage.py` prints."""

    path: str
    command: str

    def take(self, root: Path) -> None:
        """Write the file anew."""
        done = run_python(root, "manage.py", self.command)
        assert done.returncode == 0, done.stderr
        (root / self.path).write_text(done.stdout, encoding="utf-8")


@dataclass(frozen=True)
class Recipe:
    """One recipe of CONTRIBUTING.md, carried out.

    title: as it stands there; max_files: how many files it may touch; migration: a word of what
    `makemigrations` writes besides; proofs: tests, as pytest names them, that pass with the recipe
    and do not without it.
    """

    title: str
    steps: tuple[New | Insert | Replace | Print, ...]
    proofs: tuple[str, ...]
    max_files: int
    migration: str = ""

    @property
    def files(self) -> set[str]:
        """The files that somebody writes or edits."""
        return {step.path for step in self.steps}
