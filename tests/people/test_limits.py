"""Rate limits, in both caches that can hold them."""

import math
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from django.core.cache import cache, caches
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings

from arena.cache import GuardedRedisCache, SharedFileCache
from arena.errors import LimitError
from arena.people.limits import (
    DAY_SECONDS,
    Rate,
    anonymize_network,
    count_network_use,
    count_use,
    limit_requests,
    undo_network_use,
    undo_use,
)
from tests.threads import parallel_map

NOW = datetime(2026, 11, 1, 12, 0, 5, tzinfo=UTC)


@pytest.fixture(params=["redis", "files"], autouse=True)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """The same tests on the production cache and on the embedded one."""
    if request.param == "redis":
        assert isinstance(caches["default"], GuardedRedisCache)
        yield
        return
    files = {"BACKEND": "arena.cache.GuardedFileCache", "LOCATION": str(tmp_path)}
    with override_settings(CACHES={"default": files}):
        yield


def request_from(address: str, method: str = "POST") -> HttpRequest:
    return RequestFactory(REMOTE_ADDR=address).generic(method, "/")


def test_uses_past_the_rate_are_refused_until_the_next_window() -> None:
    rate = Rate(3, 60)
    for _ in range(3):
        count_use("knock", "me", rate, NOW)
    with pytest.raises(LimitError) as refused:
        count_use("knock", "me", rate, NOW)
    assert refused.value.status == 429
    count_use("knock", "you", rate, NOW)
    count_use("enter", "me", rate, NOW)
    count_use("knock", "me", rate, NOW + timedelta(seconds=60))


def test_refused_and_returned_uses_do_not_count() -> None:
    rate = Rate(1, DAY_SECONDS)
    count_use("claim", "hall", rate, NOW)
    with pytest.raises(LimitError):
        count_use("claim", "hall", rate, NOW)
    undo_use("claim", "hall", rate, NOW)
    count_use("claim", "hall", rate, NOW)
    undo_use("claim", "nobody", rate, NOW)  # nothing to give back


def test_200_uses_at_once_are_counted_exactly() -> None:
    results = parallel_map(
        [partial(count_use, "rush", "hall", Rate(50, DAY_SECONDS), NOW)] * 200, threads=20
    )
    assert sum(isinstance(result, LimitError) for result in results) == 150


def test_a_network_has_one_name_a_day_that_tells_nothing() -> None:
    here = anonymize_network(request_from("192.0.2.1"), NOW)
    assert here == anonymize_network(request_from("192.0.2.254"), NOW)
    assert here == anonymize_network(request_from("::ffff:192.0.2.7"), NOW)
    assert here != anonymize_network(request_from("192.0.3.1"), NOW)
    assert here != anonymize_network(request_from("192.0.2.1"), NOW + timedelta(days=1))
    assert "192.0" not in here
    six = anonymize_network(request_from("2001:db8:1:2::3"), NOW)
    assert six == anonymize_network(request_from("2001:db8:1:ffff::1"), NOW)
    assert six != anonymize_network(request_from("2001:db8:2::1"), NOW)
    cache.clear()  # the key is gone: nobody can compute the name again
    assert here != anonymize_network(request_from("192.0.2.1"), NOW)


def test_what_a_client_says_of_itself_is_not_believed() -> None:
    request = RequestFactory(
        REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.1", HTTP_X_REAL_IP="203.0.113.1"
    ).get("/")
    assert anonymize_network(request, NOW) == anonymize_network(request_from("192.0.2.2"), NOW)


def test_behind_a_proxy_the_address_it_reports_counts() -> None:
    with override_settings(ALLAUTH_TRUSTED_PROXY_COUNT=1):
        request = RequestFactory(
            REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.66, 192.0.2.1"
        ).get("/")
        assert anonymize_network(request, NOW) == anonymize_network(
            RequestFactory(HTTP_X_FORWARDED_FOR="192.0.2.9").get("/"), NOW
        )


def test_networks_of_one_provider_are_counted_together_as_well() -> None:
    rate = Rate(2, DAY_SECONDS)
    networks = [request_from(f"2001:db8:{number}::1") for number in range(1, 6)]
    for request in networks[:4]:
        count_network_use("knock", request, rate, NOW)
        count_network_use("knock", request, rate, NOW)
    with pytest.raises(LimitError):
        count_network_use("knock", networks[4], rate, NOW)
    # What the provider is refused, its network has not used.
    undo_network_use("knock", networks[0], rate, NOW)
    count_network_use("knock", networks[4], rate, NOW)
    undo_network_use("knock", networks[1], rate, NOW)
    count_network_use("knock", networks[4], rate, NOW)
    count_network_use("knock", request_from("2001:db9::1"), rate, NOW)
    for number in range(9):  # IPv4 is counted by network alone
        count_network_use("knock", request_from(f"192.0.{number}.1"), rate, NOW)


@pytest.mark.usefixtures("still_clock")
def test_a_guarded_view_limits_changes_and_not_reading() -> None:
    @limit_requests("door", network=Rate(2, 3600))
    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")

    for _ in range(2):
        assert view(request_from("192.0.2.1")).status_code == 200
    for _ in range(5):
        assert view(request_from("192.0.2.1", "GET")).status_code == 200
    with pytest.raises(LimitError):
        view(request_from("192.0.2.1"))
    assert view(request_from("198.51.100.1")).status_code == 200


# --- the embedded cache ----------------------------------------------------------------------
def test_the_file_cache_keeps_the_expiry_of_a_counter(tmp_path: Path) -> None:
    files = SharedFileCache(str(tmp_path), {})
    assert files.add("counter", 0, timeout=1000)
    before = files.expires_at("counter")
    assert files.incr("counter") == 1
    assert files.decr("counter") == 0
    after = files.expires_at("counter")
    assert abs(after - before) < 1
    assert not files.add("counter", 5)
    files.set("for-ever", 1, timeout=None)
    assert files.incr("for-ever") == 2
    assert files.expires_at("for-ever") == math.inf
    with pytest.raises(ValueError):
        files.incr("missing")


def entries(folder: Path) -> int:
    return len(list(folder.glob("*.djcache")))


def test_a_full_file_cache_drops_what_expires_soonest_and_no_quota(tmp_path: Path) -> None:
    files = SharedFileCache(str(tmp_path), {"OPTIONS": {"MAX_ENTRIES": 20}})
    files.add("network-key", b"of the day", timeout=2 * DAY_SECONDS)
    files.set("for-ever", 1, timeout=None)
    for number in range(10):
        files.add(f"quota-{number}", 1, timeout=DAY_SECONDS)
        files.set(f"gone-{number}", 1, timeout=-1)
        files.add(f"minute-{number}", 1, timeout=60 + number)
    assert entries(tmp_path) == 32  # nothing is looked through at every write
    files.sweep()
    assert entries(tmp_path) == 20
    kept = [f"quota-{number}" for number in range(10)] + ["network-key", "for-ever"]
    assert set(files.get_many(kept)) == set(kept)
    assert files.get("minute-1") is None
    assert files.get("minute-9") == 1


def test_expired_files_are_swept_every_ten_minutes(tmp_path: Path) -> None:
    files = SharedFileCache(str(tmp_path), {})
    files.add("gone", 1, timeout=0)
    files.add("there", 1, timeout=1000)
    assert entries(tmp_path) == 2
    lock = tmp_path / "lock"
    os.utime(lock, (0, time.time() - 601))
    assert files.incr("there") == 2
    assert entries(tmp_path) == 1
    files.add("gone", 1, timeout=0)
    files.incr("there")
    assert entries(tmp_path) == 2  # the next time in ten minutes
