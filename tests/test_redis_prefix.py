"""Two sites on one Redis share no key: neither cache, limits, messages nor locks."""

import os
import subprocess
import sys

import pytest
import redis

from tests.services import ROOT, Services

pytestmark = pytest.mark.any_database
# What each of them keeps there: a cached value, a counter, a message to the workers.
KEEP = """
from arena.cache import count
from arena.judging.tasks import seal_ledgers
from django.core.cache import cache
seen = cache.get("whose")
cache.set("whose", {name!r})
print(seen, count("limit", 60))
seal_ledgers.delay()
"""


def keep(services: Services, name: str) -> str:
    """Let a site keep something; what it found there of others', and its counter."""
    environment = {**os.environ, **services.environment(), "REDIS_PREFIX": f"{name}-"}
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", KEEP.format(name=name)]
    return subprocess.check_output(command, cwd=ROOT, env=environment, text=True).strip()


def test_sites_with_prefixes_of_their_own_share_nothing(services: Services) -> None:
    with redis.Redis.from_url(services.redis_url) as client:
        client.flushall()
        assert keep(services, "one") == "None 1"
        keys_of_one = set(client.keys())
        assert keep(services, "two") == "None 1"
        assert keep(services, "one") == "one 2"
        keys = set(client.keys())
    assert all(key.startswith((b"one-", b"two-")) for key in keys)
    assert len({key for key in keys if key.startswith(b"one-")}) >= len(keys_of_one) > 2
