"""Numbers that stand in two places and have to be one."""

import re

from arena.events.importing.uploads import MAX_UPLOAD_BYTES
from tests.services import ROOT

CADDYFILE = (ROOT / "deploy" / "Caddyfile").read_text()
# As Caddy reads them: GB is a thousand million bytes, GiB is 1024³.
UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def read_sizes(text: str) -> list[int]:
    """Every limit on bodies in a Caddyfile, in bytes."""
    found = re.findall(r"max_size\s+(\d+)\s*([KMG]i?B)", text, re.IGNORECASE)
    return [int(number) * UNITS[unit.upper()] for number, unit in found]


def test_the_largest_upload_passes_caddy_and_nothing_larger_does() -> None:
    assert read_sizes("max_size 2GiB") == [2 * 2**30]
    assert max(read_sizes(CADDYFILE)) == MAX_UPLOAD_BYTES
