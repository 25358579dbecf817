"""deploy/compose_host.sh: what it asks Docker for, and what it makes of a container's health."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.services import ROOT

OLD, NEW = "0ld0123456789abcdef", "new0123456789abcdef"
DOCKER = f"""#!/bin/sh
echo "$*" >>"$SITE/log"
case "$*" in
  "compose ps"*) cat "$SITE/web" ;;
  "compose up"*) echo "version $ARENA_VERSION" >>"$SITE/log"; echo {NEW} >>"$SITE/web" ;;
  *State*) echo "$HEALTH" ;;
  *Config.Image*) echo crowd-arena:1.0 ;;
  "rm --force"*) sed -i "/^$3$/d" "$SITE/web" ;;
esac
"""


@dataclass(frozen=True)
class Compose:
    """A machine whose docker writes down what it is asked."""

    folder: Path

    def step(self, *words: str, health: str = "running healthy") -> tuple[int, str]:
        """The exit code of a step, and what it prints."""
        path = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "deploy/compose_host.sh", *words],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False,
            env=os.environ | {"PATH": path, "SITE": str(self.folder), "HEALTH": health},
        )  # fmt: skip
        return done.returncode, done.stdout.strip()

    def asked(self) -> str:
        return (self.folder / "log").read_text()


@pytest.fixture
def compose(tmp_path: Path) -> Compose:
    program = tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    (tmp_path / "web").write_text(f"{OLD}\n")
    return Compose(tmp_path)


def test_a_container_starts_beside_the_one_that_runs(compose: Compose) -> None:
    assert compose.step("current") == (0, "1.0")
    assert compose.step("start", "2.0", "web", "1") == (0, NEW)
    assert "--no-deps --no-build --no-recreate --scale web=2 web\nversion 2.0" in compose.asked()
    assert compose.step("route", NEW) == (0, "")
    assert f"--env WEB= {NEW[:12]}:8000 caddy caddy reload" in compose.asked()
    assert compose.step("stop", OLD) == (0, "")
    assert f"stop -t 900 {OLD}\nrm {OLD}" in compose.asked()


@pytest.mark.parametrize("health", ["running unhealthy", "restarting starting", "exited "])
def test_one_that_does_not_get_healthy_is_removed(compose: Compose, health: str) -> None:
    assert compose.step("start", "2.0", "web", "1", health=health) == (1, "")
    assert (compose.folder / "web").read_text() == f"{OLD}\n"
