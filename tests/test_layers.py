"""The layers of .importlinter hold by themselves: a forbidden import breaks its contract."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.services import ROOT

# Of each contract: a module, and the import that it may not have.
FORBIDDEN = {
    "A module imports only from lower rows": (
        "arena/events/access.py",
        "from leaderboard.models import Rating",
    ),
    "Inside people": ("arena/people/codes.py", "from arena.people.models import User"),
    "Inside events": (
        "arena/events/lifecycle/prizes.py",
        "from arena.events.joining.enrolling import enroll",
    ),
    "Inside judging": (
        "arena/judging/serving/schedule.py",
        "from arena.judging.recording import record_judgment",
    ),
    "Inside the desk": ("arena/desk/queries/health.py", "from arena.desk.forms import event"),
    "Inside exports": ("arena/exports/rows.py", "from arena.exports.bundle import write_bundle"),
    "Inside the leaderboard": (
        "leaderboard/boards/fit.py",
        "from leaderboard.snapshots.refresh import refresh_event",
    ),
    "Question kinds and numerics know no framework": (
        "leaderboard/trust/quality.py",
        "import django",
    ),
    "Inside the rating engine": (
        "leaderboard/ratings/data/votes.py",
        "from leaderboard.ratings.models import elo",
    ),
    "The rating engine is entered through its front door alone": (
        "leaderboard/boards/summary.py",
        "from leaderboard.ratings.models import elo",
    ),
    "Only URLs and other views import views": (
        "leaderboard/tasks.py",
        "from arena.desk.views.records import records",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    for package in ("arena", "leaderboard"):
        ignored = shutil.ignore_patterns("__pycache__", "static", "locale")
        shutil.copytree(ROOT / package, folder / package, ignore=ignored)
    shutil.copy(ROOT / ".importlinter", folder)
    return folder


def broken(folder: Path) -> set[str]:
    """The contracts that do not hold in a copy, by the beginnings of their names."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "COLUMNS": "400"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    lines = " ".join(done.stdout.split())
    assert "Contracts:" in lines, done.stdout + done.stderr
    names = {name for name in FORBIDDEN if f"{name}" in lines}
    assert names == set(FORBIDDEN), "a contract has no forbidden import here"
    verdicts = lines.split("dependencies.")[1].split("Contracts:")[0]
    return {
        name
        for name in FORBIDDEN
        if verdicts.split(name)[1].replace("KEPT", "|").split("BROKEN")[0].count("|") == 0
        and "BROKEN" in verdicts.split(name)[1]
    }


def test_every_contract_holds_and_has_an_import_that_breaks_it(copy: Path) -> None:
    assert broken(copy) == set()
    for module, line in FORBIDDEN.values():
        path = copy / module
        path.write_text(f"{path.read_text()}\n{line}\n")
    assert broken(copy) == set(FORBIDDEN)
    names = (copy / ".importlinter").read_text().count("\nname = ")
    assert names == len(FORBIDDEN)
