"""The checks of `checks/` find what they look for, in a copy where it was put."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from checks.imports import find_circle, read_imports
from checks.lengths import MAX_LINES, too_long
from tests.services import ROOT


def run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_module_of_one_line_too_many_fails_the_check(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "right.py").write_text("x = 1\n" * MAX_LINES)
    assert run("checks.lengths", str(tmp_path)).returncode == 0

    (package / "long.py").write_text("x = 1\n" * (MAX_LINES + 1))
    done = run("checks.lengths", str(tmp_path))
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        f"{package / 'long.py'}: 401 lines; no module has more than 400"
    ]
    assert len(too_long([package / "long.py"])) == 1


def test_a_folder_that_is_not_there_fails_the_check() -> None:
    assert run("checks.lengths", "arena", "aerna").returncode == 1


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Two packages in which each module imports the next one, and the last none."""
    for name, imported in {
        "arena/__init__.py": "",
        "arena/first.py": "from arena import second",
        "arena/second.py": "def act():\n    from leaderboard.third import x",
        "leaderboard/__init__.py": "",
        "leaderboard/third.py": "x = 1",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{imported}\n")
    return tmp_path


def test_a_circle_of_imports_fails_the_check_also_inside_a_function(copy: Path) -> None:
    assert run("checks.imports", str(copy)).returncode == 0

    (copy / "leaderboard" / "third.py").write_text("import arena.first\n")
    done = run("checks.imports", str(copy))
    assert done.returncode == 1
    for name in ("arena.first", "arena.second", "leaderboard.third"):
        assert name in done.stdout


def test_the_project_has_no_circle_and_is_seen_whole() -> None:
    graph = read_imports()
    known = {
        "arena.desk.views.records",
        "arena.judging.recording",
        "leaderboard.ratings.models.elo",
    }
    assert known <= graph.modules
    assert find_circle(graph) == []


def test_the_picture_is_what_the_imports_are(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__", "static")
    for package in ("arena", "leaderboard"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    assert run("checks.picture", "--check", str(tmp_path)).returncode == 0

    room = tmp_path / "arena" / "judging" / "newcomer"
    room.mkdir()
    (room / "__init__.py").touch()
    (room / "module.py").touch()
    done = run("checks.picture", "--check", str(tmp_path))
    assert done.returncode == 1
    assert "make picture" in done.stdout


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://elsewhere.example/a.js"></script>',
        '<link rel="stylesheet" href="//elsewhere.example/a.css">',
        '<p style="background: url(http://elsewhere.example/a.png)">',
        "<style>@import 'https://elsewhere.example/a.css';</style>",
    ],
)
def test_what_a_page_fetches_from_elsewhere_fails_the_check(tmp_path: Path, page: str) -> None:
    assert run("checks.offline", str(tmp_path)).returncode == 1  # no page at all
    (tmp_path / "index.html").write_text('<a href="https://elsewhere.example/">a link</a>')
    assert run("checks.offline", str(tmp_path)).returncode == 0
    (tmp_path / "page.html").write_text(page)
    assert "elsewhere.example" in run("checks.offline", str(tmp_path)).stdout


def test_a_style_sheet_with_a_foreign_font_fails_the_check(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "a.css").write_text("@font-face { src: url('https://elsewhere.example/f.woff2') }")
    assert run("checks.offline", str(tmp_path)).returncode == 1
