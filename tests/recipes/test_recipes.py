"""The recipes of CONTRIBUTING.md are true: each is carried out on a copy, and its files counted.

Two copies of the tree: one as it is, in which every proof must fail, and one with all recipes, in
which every proof must pass together with the tests that watch over all extension points.
"""

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from tests.recipes.steps import Recipe, run_python
from tests.recipes.written import RECIPES
from tests.services import ROOT

PARTS = ("arena", "leaderboard", "templates", "tests", "docs")
IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "screenshots")
PROOFS = [proof for recipe in RECIPES for proof in recipe.proofs]
# They notice a recipe that is carried out by half: those of the documentation, and others.
DOCUMENTED = (
    "tests/exports/test_formats.py::test_the_documentation_lists_the_formats",
    "tests/exports/test_formats.py::test_the_documentation_lists_the_columns[jsonl]",
    "tests/exports/test_formats.py::test_the_documentation_lists_the_columns[tally]",
    "tests/leaderboard/test_board_json.py::test_the_documented_schema_is_that_of_the_code",
    "tests/leaderboard/test_covariates.py::test_the_documentation_lists_the_covariates",
)
WATCHES = (
    *DOCUMENTED,
    "tests/exports/test_bundle.py::test_every_column_is_decided_about[event]",
    "tests/exports/test_bundle.py::test_every_column_is_decided_about[ratings]",
    "tests/leaderboard/test_covariates.py::test_bundles_and_boards_have_every_covariate",
    "tests/security/test_walk.py::test_every_url_has_its_line_in_the_policy",
)


def copy_tree(folder: Path) -> Path:
    """The tree without what it was built to."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=IGNORED)
    for file in ROOT.glob("*.*"):
        if file.is_file() and not file.name.startswith(".env"):
            shutil.copy(file, folder)
    return folder


def run_tests(folder: Path, *names: str, migrating: bool = False) -> dict[str, str]:
    """What became of tests in a copy, by their names: passed, or anything else."""
    # By files, since pytest refuses to run any where the name of one is not known.
    files = sorted({name.split("::")[0] for name in names})
    there = [name for name in files if (folder / name).exists()]
    words = " or ".join(sorted({re.split(r"::|\[", name)[1] for name in names}))
    report = folder / "report.xml"
    done = run_python(
        folder,
        *("-m", "pytest", *there, "-q", "-p", "no:cacheprovider", "-k", words),
        *(f"--junitxml={report}", "-o", "junit_family=xunit1"),
        *(() if migrating else ("--no-migrations",)),
    )
    assert report.exists(), done.stdout + done.stderr
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        bad = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        results[f"{case.get('file')}::{case.get('name')}"] = bad[0] if bad else "passed"
    return {name: results.get(name, "not there") for name in names}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_tree(tmp_path_factory.mktemp("untouched"))


@pytest.fixture(scope="module")
def undocumented(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Everything but what goes into the documentation."""
    folder = copy_tree(tmp_path_factory.mktemp("undocumented"))
    for step in (
        step for recipe in RECIPES for step in recipe.steps if not step.path.startswith("docs/")
    ):
        step.take(folder)
    return folder


@pytest.fixture(scope="module")
def carried_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_tree(tmp_path_factory.mktemp("carried-out"))
    for recipe in RECIPES:
        for step in recipe.steps:
            step.take(folder)
    done = run_python(folder, "manage.py", "makemigrations")
    assert done.returncode == 0, done.stderr
    return folder


def read_recipes() -> list[str]:
    """The titles of the recipes in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("\n## Recipes\n")[1].split("\n## ")[0]
    return re.findall(r"^\*\*(.+?)\*\*", section, re.MULTILINE)


def test_every_recipe_is_carried_out_here() -> None:
    assert sorted(read_recipes()) == sorted({recipe.title for recipe in RECIPES})


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.proofs[0])
def test_a_recipe_touches_few_files(recipe: Recipe) -> None:
    assert len(recipe.files) <= recipe.max_files, sorted(recipe.files)


def test_every_proof_passes_with_the_recipes(carried_out: Path) -> None:
    results = run_tests(carried_out, *PROOFS, *WATCHES, migrating=True)
    assert {name: result for name, result in results.items() if result != "passed"} == {}


def test_no_proof_passes_without_them(untouched: Path) -> None:
    results = run_tests(untouched, *PROOFS)
    assert {name: result for name, result in results.items() if result == "passed"} == {}


def test_what_the_documentation_lacks_is_noticed(undocumented: Path) -> None:
    results = run_tests(undocumented, *DOCUMENTED)
    assert set(results.values()) == {"failure"}, results


def test_a_migration_is_made_for_each_that_needs_one(carried_out: Path) -> None:
    made = [
        path.read_text(encoding="utf-8")
        for path in carried_out.rglob("migrations/0*.py")
        if not (ROOT / path.relative_to(carried_out)).exists()
    ]
    words = [recipe.migration for recipe in RECIPES if recipe.migration]
    assert [word for word in words if not any(word in text for text in made)] == []
