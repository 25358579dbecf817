"""What a Celery worker says when its children die or overstay: JSON, and found as an error."""

from collections.abc import Iterator

import pytest

from tests import worker_tasks
from tests.monitoring.site import Site, command_line
from tests.services import Services, stop_process, wait_until
from tests.workers import wait_for_workers

pytestmark = pytest.mark.any_database


@pytest.fixture
def worker(services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A worker of two processes on the queue of the boards."""
    site = Site(services, "no-database", "worker")
    del site.environment["REDIS_PREFIX"]  # this process sends the tasks
    words = ["worker", "--queues", "boards", "--hostname", "boards@%h", "--concurrency", "2"]
    process = site.start(
        "celery", "--quiet", "-A", "arena", *words, "--include", "tests.worker_tasks"
    )
    wait_for_workers(process, site.log)
    site.process = process  # type: ignore[attr-defined]
    yield site
    if process.poll() is None:
        stop_process(process)
    services.processes.remove(process)


def test_what_ends_a_task_is_told(worker: Site, health: object) -> None:
    worker_tasks.die.delay()
    worker_tasks.overstay.delay(patient=True)
    worker_tasks.overstay.delay(patient=False)
    process = worker.process  # type: ignore[attr-defined]
    for words in ("signal 9 (SIGKILL)", "SoftTimeLimitExceeded", "Hard time limit"):
        wait_until(lambda words=words: words in "\n".join(worker.lines()), process, worker.log)
    found = worker.errors()
    for words in ("signal 9 (SIGKILL)", "SoftTimeLimitExceeded", "Hard time limit"):
        assert words in found
    assert health.find_check(command_line(process)) is health.worker  # type: ignore[attr-defined]
    stop_process(process)
    said = worker.events()  # each of them JSON, the last one too
    assert "Warm shutdown" in " ".join(event["event"] for event in said)
