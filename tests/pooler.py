"""PgBouncer in transaction mode in front of the tests' PostgreSQL: `make test-pooled`.

Two server connections for everybody, so that statements of one client really meet what another one
left in the session. The program is the one on the PATH, or Debian's package, unpacked.
"""

import os
import shutil
import socket
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.services import Services, stop_process, wait_until

SERVER_CONNECTIONS = 2
CONFIGURATION = """
[databases]
* = host={host} port={port} user=arena

[pgbouncer]
pool_mode = transaction
default_pool_size = {connections}
auth_type = any
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
max_client_conn = 500
query_wait_timeout = 120
"""


def start_pooler(services: Services) -> int:
    """Start PgBouncer before the PostgreSQL that runs already; returns its port."""
    folder = services.folder / "postgresql"  # the user whom PostgreSQL runs as may read it
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    configuration = services.folder / "pgbouncer.ini"
    configuration.write_text(
        CONFIGURATION.format(
            host=folder,
            port=services.postgresql_port,
            connections=SERVER_CONNECTIONS,
            listen=port,
        )
    )
    program, libraries = find_pgbouncer(services.folder)
    log = services.folder / "pgbouncer.log"
    process = services.start(
        [program, "--quiet", str(configuration)],
        log,
        env={**os.environ, "LD_LIBRARY_PATH": libraries},
        **services.postgresql_identity,
    )
    address = {"host": "127.0.0.1", "port": port, "user": "arena", "dbname": "postgres"}
    ask = lambda: psycopg.connect(**address).close()  # noqa: E731
    wait_until(ask, process, log, (psycopg.OperationalError,))
    services.pooler_port = port
    return port


def stop_pooler(services: Services) -> None:
    """End it, and with it every connection that it keeps."""
    (process,) = [one for one in services.processes if "pgbouncer.ini" in str(one.args)]
    services.processes.remove(process)
    stop_process(process)
    services.pooler_port = None


def find_pgbouncer(folder: Path) -> tuple[str, str]:
    """The program, and the folder of the libraries that its package brought along."""
    if found := shutil.which("pgbouncer"):
        return found, ""
    packages = folder / "pgbouncer"
    packages.mkdir(mode=0o755)
    command = ["apt-get", "-q", "download", "pgbouncer", "libc-ares2", "libevent-2.1-7"]
    if subprocess.run(command, cwd=packages, check=False, capture_output=True).returncode:
        pytest.exit("Put a pgbouncer on the PATH: Debian's package could not be had here.", 1)
    for archive in packages.glob("*.deb"):
        subprocess.run(["dpkg", "--extract", str(archive), str(packages)], check=True)
    (library,) = packages.glob("usr/lib/*/libcares.so.2")
    return str(packages / "usr" / "sbin" / "pgbouncer"), str(library.parent)
