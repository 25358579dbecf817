"""The engine on its own: installed by pip under its own name, without Django and without us."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINE = ROOT / "leaderboard" / "ratings"
RUN = """
import doctest, sys
import crowd_arena_ratings
assert {folder!r} in crowd_arena_ratings.__file__
failed, tried = doctest.testfile({readme!r}, module_relative=False)
assert tried > 10 and not failed, (tried, failed)
ours = {{"django", "arena", "leaderboard"}} & set(sys.modules)
assert not ours, ours
for name in crowd_arena_ratings.__all__:
    getattr(crowd_arena_ratings, name)
"""


def test_the_engine_installs_alone_and_its_readme_runs(tmp_path: Path) -> None:
    source = tmp_path / "source"
    # setuptools builds beside the sources; only what git has belongs into a copy.
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "."]
    files = subprocess.run(listed, cwd=ENGINE, capture_output=True, text=True, check=True)
    for name in files.stdout.split():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ENGINE / name).read_bytes())
    target = tmp_path / "alone"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*install, "--target", str(target), str(source)], check=True, cwd=tmp_path)
    code = RUN.format(folder=str(target), readme=str(source / "README.md"))
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(target)!r})\n{code}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (metadata,) = target.glob("crowd_arena_ratings-*.dist-info/METADATA")
    assert "Requires-Dist: django" not in metadata.read_text().lower()


def test_every_package_of_the_engine_is_installed() -> None:
    text = (ENGINE / "pyproject.toml").read_text()
    folders = {path.parent.name for path in ENGINE.glob("*/__init__.py")}
    assert all(f'"crowd_arena_ratings.{folder}"' in text for folder in folders)
