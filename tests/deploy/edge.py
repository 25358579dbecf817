"""The shipped Caddyfile, served on ports of this machine by the Caddy of a wheel."""

import os
import socket
import ssl
import sys
from pathlib import Path

from tests.services import ROOT, Services, wait_until

CADDY = str(Path(sys.executable).with_name("caddy"))
CADDYFILE = ROOT / "deploy" / "Caddyfile"


def start_caddy(
    services: Services,
    upstream: str,
    https: int,
    http: int,
    text: str | None = None,
    host: str = "localhost",
) -> Path:
    """Serve the Caddyfile (or this text of one) as `host`, with a certificate of Caddy's own.

    Returns its log; the certificate that signed is `caddy/pki/authorities/local/root.crt` in the
    folder of the services.
    """
    text = CADDYFILE.read_text() if text is None else text
    moved = "admin off\n\tdefault_bind 127.0.0.1\n"
    moved += f"\thttp_port {http}\n\thttps_port {https}\n"
    text = text.replace("web:8000", upstream).replace("{\n", "{\n\t" + moved, 1)
    config = services.folder / f"Caddyfile-{https}"
    config.write_text(text)
    log = services.folder / f"caddy-{https}.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(services.folder),
        "SITE_HOST": "localhost",
        "XDG_DATA_HOME": str(services.folder),
    }
    process = services.start(
        [CADDY, "run", "--adapter", "caddyfile", "--config", str(config)],
        log,
        env=environment,
        cwd=ROOT / "deploy",
    )
    wait_until(lambda: shake_hands(https, host), process, log, (OSError,))
    return log


def find_authority(services: Services) -> Path:
    """The certificate that signed Caddy's."""
    return services.folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"


def find_free_ports(count: int) -> list[int]:
    """Ports that nobody listens on just now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def shake_hands(port: int, host: str) -> None:
    """Connect by TLS; an `OSError` until Caddy has its certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        context.wrap_socket(connection, server_hostname=host).close()
