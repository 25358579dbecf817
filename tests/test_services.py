"""The services of the test run are what they claim to be."""

import subprocess
import threading
import time

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction

from arena.monitoring.queries import UNACKNOWLEDGED
from tests.services import START_SECONDS, Services, wait_until
from tests.worker_tasks import rename


def test_redis_answers(services: Services) -> None:
    with redis.Redis.from_url(services.redis_url) as client:
        assert client.ping()
        assert client.info("server")["server_name"] == "valkey"


def test_cache_is_in_redis(services: Services) -> None:
    cache.set("greeting", "hello")
    with redis.Redis.from_url(services.redis_url) as client:
        assert any(b"greeting" in key for key in client.scan_iter())


@pytest.mark.django_db
def test_database_is_the_chosen_one(services: Services) -> None:
    with connection.cursor() as cursor:
        if services.database == "postgresql":
            cursor.execute("select version()")
            assert cursor.fetchone()[0].startswith("PostgreSQL 18")
            cursor.execute("select lower('ÄÖÜ')")
            assert cursor.fetchone() == ("äöü",)
        else:
            cursor.execute("pragma database_list")
            assert cursor.fetchone()[2] == str(services.folder / "test_arena")
            cursor.execute("pragma journal_mode")
            assert cursor.fetchone() == ("wal",)


@pytest.mark.django_db(transaction=True)
def test_threads_share_the_database_and_writers_queue(django_user_model: type) -> None:
    """Four threads read, then write, in one transaction each: none fails, none is lost."""
    failures: list[DatabaseError] = []

    def add(number: int) -> None:
        try:
            with transaction.atomic():
                seen = django_user_model.objects.count()
                time.sleep(0.05)
                django_user_model.objects.create(username=f"{number}-saw-{seen}")
        except DatabaseError as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert django_user_model.objects.count() == 4


def count_unacknowledged(services: Services) -> int:
    """Messages that the worker has taken and not acknowledged."""
    with redis.Redis.from_url(services.redis_url) as client:
        return int(client.hlen(f"{settings.REDIS_PREFIX}{UNACKNOWLEDGED}"))


def test_celery_worker_uses_the_test_database_and_comes_back_with_the_broker(
    celery_worker_process: subprocess.Popen[bytes], services: Services, django_user_model: type
) -> None:
    """A message goes through Redis to another process, which finds our row and changes it; once
    more after Redis was killed, and came back empty."""
    user = django_user_model.objects.create(username="before")
    for name in ("after", "later"):
        rename.delay(user.pk, name)
        deadline = time.monotonic() + START_SECONDS
        while user.username != name and time.monotonic() < deadline:
            time.sleep(0.05)
            user.refresh_from_db()
        assert user.username == name
        # What is not acknowledged runs again, and would give the earlier name back.
        wait_until(lambda: count_unacknowledged(services) == 0, celery_worker_process)
        services.stop_redis()
        services.start_redis()
    assert celery_worker_process.poll() is None
