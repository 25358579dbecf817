"""What of the image can be seen without building it; the rest is in image_checks.py."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.services import ROOT

# One instruction a line.
DOCKERFILE = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
INSTRUCTIONS = [
    line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if re.match("[A-Z]", line)
]
BUILD, RUN = DOCKERFILE.split("FROM ${BASE}")[1:]


def test_both_stages_stand_on_the_same_base() -> None:
    bases = [rest for word, rest in INSTRUCTIONS if word == "FROM"]
    assert bases == ["${BASE} AS build", "${BASE}"]
    assert "ARG BASE=python:3.11-slim-bookworm" in DOCKERFILE


def test_packages_are_installed_from_hashes_in_the_first_stage_only() -> None:
    assert "pip --python /opt/venv/bin/python3 install" in BUILD
    assert "--require-hashes --no-deps --only-binary :all:" in BUILD
    assert "pip install" not in RUN
    assert "apt-get" not in RUN


def test_it_ends_as_a_user_who_is_not_root() -> None:
    users = [rest for word, rest in INSTRUCTIONS if word == "USER"]
    assert users == ["10001:0"]
    after = RUN.split("USER 10001:0")[1]
    assert not re.search(r"^(RUN|COPY|ADD)", after, re.MULTILINE)


def test_it_sets_no_secret() -> None:
    set_ = " ".join(rest for word, rest in INSTRUCTIONS if word in ("ENV", "ARG", "LABEL"))
    assert not re.search(r"\w*(KEY|SECRET|PASSWORD|TOKEN)\w*=", set_)
    assert "ADD " not in DOCKERFILE


def test_only_what_is_named_gets_in() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    let_in = {line[1:].rstrip("/") for line in patterns if line.startswith("!")}
    assert not {path for path in let_in if path.split("/")[0] in ("tests", "bench", "var", ".env")}
    assert not {path for path in let_in - {"locale"} if not (ROOT / path).exists()}
    assert {"**/__pycache__/", "**/.env*", "**/tests/"} <= set(patterns)


@pytest.fixture
def stubs(tmp_path: Path) -> dict[str, str]:
    """An environment in which every program says how it was called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("gunicorn", "celery", "python3"):
        (folder / name).write_text(f'#!/bin/sh\necho {name} "$@" in $TMPDIR\n')
        (folder / name).chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "ARENA_VAR": str(tmp_path), "HOST": "0.0.0.0", "PORT": "8000"}


@pytest.mark.parametrize(
    ("command", "called"),
    [
        ("web", "gunicorn arena.wsgi --bind 0.0.0.0:8000 --log-level WARNING"),
        ("ledger", "celery --quiet -A arena worker --queues ledger --hostname ledger@%h "),
        ("boards", "celery --quiet -A arena worker --queues boards,sweeps --hostname boards@%h "),
        ("imports", "celery --quiet -A arena worker --queues imports --hostname imports@%h "),
        ("exports", "celery --quiet -A arena worker --queues exports --hostname exports@%h "),
        ("mail", "celery --quiet -A arena worker --queues mail --hostname mail@%h "),
        ("beat", "celery --quiet -A arena beat"),
        ("migrate --no-input", "python3 manage.py migrate --no-input"),
        ("create_organizer ada", "python3 manage.py create_organizer ada"),
    ],
)
def test_the_entry_script_runs(stubs: dict[str, str], command: str, called: str) -> None:
    script = [str(ROOT / "deploy" / "entry.sh"), *command.split()]
    done = subprocess.run(script, cwd=ROOT, env=stubs, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(called)
    assert done.stdout.endswith(f" in {stubs['ARENA_VAR']}/tmp\n")
    assert Path(stubs["ARENA_VAR"], "tmp").is_dir()


def test_no_script_has_an_error_of_grammar() -> None:
    for script in (ROOT / "deploy").glob("*.sh"):
        subprocess.run(["/bin/sh", "-n", str(script)], check=True)
        assert os.access(script, os.X_OK)
