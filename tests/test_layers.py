"""The layers of .importlinter hold by themselves: a forbidden import breaks its contract."""

import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.services import ROOT

# Of each contract: a module, and the import that it may not have.
FORBIDDEN = {
    "A module imports only from lower rows": (
        "arena/events/access.py",
        "from leaderboard.models import Rating",
    ),
    "Inside files": ("arena/files/models.py", "from arena.files.database import DatabaseStorage"),
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
    "Inside monitoring": (
        "arena/monitoring/parts.py",
        "from arena.monitoring.figures import SiteFigures",
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
        "leaderboard/boards/snapshot_counts.py",
        "from leaderboard.ratings.models import elo",
    ),
    "Only URLs and other views import views": (
        "leaderboard/tasks.py",
        "from arena.desk.views.records import records",
    ),
}

# Packages whose contract names every room: what is added has to be given its place.
CONTAINERS = {
    "arena/desk": "Inside the desk",
    "arena/events": "Inside events",
    "arena/files": "Inside files",
    "arena/exports": "Inside exports",
    "arena/judging": "Inside judging",
    "arena/monitoring": "Inside monitoring",
    "arena/people": "Inside people",
    "leaderboard": "Inside the leaderboard",
    "leaderboard/ratings": "Inside the rating engine",
}


@pytest.fixture
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


def test_a_room_without_a_place_breaks_the_contract_of_its_package(copy: Path) -> None:
    for package in CONTAINERS:
        (copy / package / "newcomer.py").touch()
    assert broken(copy) == set(CONTAINERS.values())


def test_every_app_has_a_contract_and_a_row() -> None:
    layers = (ROOT / ".importlinter").read_text().split("[importlinter:contract:people]")[0]
    rooms = {path.stem for path in (ROOT / "arena").glob("*.py")} - {"__init__"}
    rooms |= {path.parent.name for path in (ROOT / "arena").glob("*/__init__.py")}
    assert {name for name in rooms if f"arena.{name}" not in layers.split()} == set()
    apps = {path.parent for path in ROOT.glob("*/*/apps.py")} | {ROOT / "leaderboard"}
    assert {str(path.relative_to(ROOT)) for path in apps} <= set(CONTAINERS)


def pages(resolver: URLResolver) -> Iterator[URLPattern]:
    """Every page but the admin's, whose views are methods of Django's own."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry
        elif entry.app_name != "admin":
            yield from pages(entry)


def test_every_page_is_made_by_a_module_of_views() -> None:
    made_by = {inspect.unwrap(page.callback) for page in pages(get_resolver())}
    ours = {
        f"{view.__module__}.{view.__name__}"
        for view in made_by
        if view.__module__.split(".")[0] in ("arena", "leaderboard")
    }
    assert len(ours) > 50
    assert {view for view in ours if "views" not in view.split(".")[:-1]} == set()
