"""deploy/upgrade.sh: what is done in which order, and where it ends when a step fails."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services import ROOT

# Each word of a step's line; `start` gives what it starts a name.
HOST = """#!/bin/sh
echo "$*" >>"$LOG"
case "$*" in "$FAILING"*) exit 1 ;; esac
case $1 in
  current) echo 1.0 ;;
  list) cat "$SITE/$2" 2>/dev/null || true ;;
  start) echo "$3-$2" | tee -a "$SITE/$3" ;;
  stop) sed -i "/^$2$/d" "$SITE/${2%%-*}" ;; # several at once
esac
"""
ROLES = [line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()]


@dataclass(frozen=True)
class Upgrade:
    """What an upgrade to 2.0 has done to a site of 1.0."""

    code: int
    said: str
    steps: list[str]
    running: dict[str, list[str]]


def upgrade(folder: Path, failing: str = "none") -> Upgrade:
    site = folder / "site"
    site.mkdir()
    for role in ROLES:
        (site / role).write_text(f"{role}-1.0\n")
    host = folder / "host"
    host.write_text(HOST)
    log = folder / "log"
    done = subprocess.run(
        ["sh", "deploy/upgrade.sh", "2.0"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env=os.environ | {
            "STEPS": f"sh {host}", "LOG": str(log), "SITE": str(site), "FAILING": failing,
        },
    )  # fmt: skip
    running = {role: (site / role).read_text().split() for role in ROLES}
    return Upgrade(done.returncode, done.stderr, log.read_text().splitlines(), running)


OLD = {role: [f"{role}-1.0"] for role in ROLES}
NEW = {role: [f"{role}-2.0"] for role in ROLES}


def test_the_new_serves_before_the_old_stops(tmp_path: Path) -> None:
    done = upgrade(tmp_path)
    assert (done.code, done.running) == (0, NEW)
    web = [step for step in done.steps if "web" in step or step.split()[0] in ("migrate", "route")]
    assert web == [
        "migrate 2.0", "list web", "start 2.0 web 1", "route web-2.0", "stop web-1.0", "route",
    ]  # fmt: skip
    assert done.steps.index("stop beat-1.0") < done.steps.index("start 2.0 beat 1")
    assert "2.0 serves" in done.said


@pytest.mark.parametrize("failing", ["build", "migrate", "start 2.0 web", "route web-2.0"])
def test_a_step_that_fails_leaves_the_site_serving(tmp_path: Path, failing: str) -> None:
    done = upgrade(tmp_path, failing)
    assert done.code == 1
    assert done.running["web"][0] == "web-1.0"
    assert {role: done.running[role] for role in ROLES[1:]} == {
        role: OLD[role] for role in ROLES[1:]
    }
    assert not [step for step in done.steps if step.startswith(("stop", "remember"))]
    assert "FAILED" in done.said
    assert ("serves 1.0 as before" in done.said) == (failing != "route web-2.0")


def test_a_worker_that_does_not_get_healthy_leaves_the_old_one(tmp_path: Path) -> None:
    done = upgrade(tmp_path, "start 2.0 boards")
    assert done.code == 1
    assert done.running == {**NEW, "boards": ["boards-1.0"]}
    assert "boards" in done.said
