"""A request that spins ends with its worker; everybody else is served, by real gunicorn."""

import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.services import ROOT, Services, stop_process, wait_until
from tests.test_serve import free_port

# After which gunicorn replaces a worker; starting one takes some of them on a busy machine.
SILENT_SECONDS = 20


def serve(services: Services, workers: int) -> Iterator[str]:
    """Gunicorn on pages that spin; its address."""
    port = free_port()
    environment = {**os.environ, **services.environment(), "PORT": str(port)}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "tests.endless_settings",
        "SECRET_KEY": "for-pages-that-spin",
        "REQUEST_PROCESSOR_SECONDS": "2",
        "WEB_WORKERS": str(workers),
    }
    command = [sys.executable, "-m", "gunicorn", "arena.wsgi", "--bind", f"127.0.0.1:{port}"]
    command += ["--timeout", str(SILENT_SECONDS)]
    process = services.start(command, None, env=environment, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    wait_until(lambda: get(f"{url}/health/") is not None, process)
    yield url
    services.processes.remove(process)
    stop_process(process)


@pytest.fixture(scope="module")
def site(services: Services) -> Iterator[str]:
    """A site of one worker."""
    yield from serve(services, workers=1)


@pytest.fixture(scope="module")
def pair(services: Services) -> Iterator[str]:
    """A site of two workers."""
    yield from serve(services, workers=2)


def get(url: str) -> str | None:
    """What the page says; None where the connection was closed or refused instead."""
    try:
        return requests.get(url, timeout=60).text
    except requests.ConnectionError:
        return None


def test_a_request_that_spins_ends_and_those_beside_it_are_answered(site: str) -> None:
    before = get(f"{site}/wait/")
    with ThreadPoolExecutor(4) as pool:
        endless = pool.submit(get, f"{site}/spin/")
        beside = [pool.submit(get, f"{site}/wait/") for _ in range(2)]
        assert [one.result() for one in beside] == [before, before]
        assert endless.result() is None
    after = get(f"{site}/wait/")
    assert after is not None
    assert after.isdecimal()
    assert after != before


def test_what_lets_no_other_thread_run_ends_by_gunicorns_own_limit(site: str) -> None:
    before = get(f"{site}/wait/")
    assert get(f"{site}/search/") is None
    assert get(f"{site}/wait/") not in (None, before)


def test_waiting_counts_for_nothing(site: str) -> None:
    workers = {get(f"{site}/wait/") for _ in range(3)}
    assert len(workers) == 1
    assert None not in workers


def test_who_comes_meanwhile_is_served_by_the_other_worker(pair: str) -> None:
    took = []
    with ThreadPoolExecutor(1) as pool:
        endless = pool.submit(get, f"{pair}/spin/")
        while not endless.done():
            begun = time.monotonic()
            assert get(f"{pair}/health/") is not None
            took.append(time.monotonic() - begun)
        assert endless.result() is None
    assert len(took) > 5
    assert max(took) < 5
