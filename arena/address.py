"""The public address of this site, and where it is configured or detected."""

from dataclasses import dataclass
from pathlib import Path

from environ import Env

# File in the state folder to which serve.py writes where it listens, such as "127.0.0.1:8000".
SERVED_AT_FILE = "served-at"
WILDCARD_HOSTS = {"0.0.0.0", "::", "[::]", ""}  # noqa: S104 - compared, not bound
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]"}


@dataclass(frozen=True)
class Address:
    """A URL without a trailing slash, and a few words on where it comes from."""

    url: str
    origin: str


def find_site_address(env: Env, var: Path, hosts: list[str], *, is_https: bool) -> Address:
    """The address from SITE_URL, else from what the site serves or served last."""
    if url := env.str("SITE_URL", "").rstrip("/"):
        return Address(url, "from SITE_URL")
    if is_https:  # a proxy stands in front, and listens on the port that everybody knows
        return Address(f"https://{hosts[0]}", "the first of ALLOWED_HOSTS")
    try:
        host, _, port = (var / SERVED_AT_FILE).read_text(encoding="utf-8").strip().rpartition(":")
    except FileNotFoundError:
        return Address(f"http://127.0.0.1:{env.int('PORT', 8000)}", "the site has not been served")
    # A server that listens on every address is found under the name that it answers to.
    named = [name for name in hosts if "*" not in name and not name.startswith(".")]
    if host in WILDCARD_HOSTS:
        host = next((name for name in named if name not in LOCAL_HOSTS), "127.0.0.1")
    return Address(f"http://{host}:{port}", "where the site serves, or served last")
