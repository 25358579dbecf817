"""Celery workers as the Procfile has them, and how their tasks are delivered: once each, or several
times, in any order, while processes are killed."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from random import Random

import psutil
import redis
from django.conf import settings
from django.db import connection

import serve
from arena.celery import app
from arena.queues import QUEUES
from bench.task_faults.scenario import NAMED, Delivery

COPIES = (2, 5)
# Between two kills, on average; there is one for so many messages at most, so that everything
# comes to its end on a slow machine, too.
KILL_SECONDS, MESSAGES_OF_KILL = 0.4, 3
# Longer than any task that is not waiting for something.
IDLE_SECONDS, MAX_SECONDS = 4.0, 600.0


class Workers:
    """The lines of the Procfile that are workers of Celery."""

    def __init__(self) -> None:
        self.started = [
            serve.Child(name, command, serve.start_process(command), time.monotonic())
            for name, command in serve.read_procfile()
            if " worker " in command
        ]
        self.broker = redis.Redis.from_url(settings.CELERY_BROKER_URL)
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Return when all of them answer: a worker whose process dies while it starts ends."""
        deadline = time.monotonic() + MAX_SECONDS
        while len(app.control.ping(timeout=1.0)) < len(self.started):
            self.check(deadline)

    def check(self, deadline: float) -> None:
        """Give up where a worker has ended, or after the deadline."""
        serve.fail_if_ended(self.started)
        if time.monotonic() > deadline:
            raise SystemExit(f"messages waiting and taken: {self.count_waiting()}")

    def stop(self) -> None:
        serve.stop_processes(self.started)

    def find_children(self) -> list[int]:
        """The processes that run tasks."""
        found: list[int] = []
        for worker in self.started:
            found += [child.pid for child in psutil.Process(worker.process.pid).children()]
        return found

    def count_waiting(self) -> tuple[int, int]:
        """Messages in the queues, and those that workers have taken and not done."""
        prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
        queued = sum(int(self.broker.llen(f"{prefix}{name}")) for name in QUEUES)
        return queued, int(self.broker.hlen(f"{prefix}unacked"))

    def wait_until_idle(self) -> None:
        """Return when every message has been dealt with; what dead processes hold is given up
        meanwhile, as after some minutes."""
        deadline, quiet = time.monotonic() + MAX_SECONDS, time.monotonic()
        times_idle = 0
        while times_idle < 2:
            self.check(deadline)
            queued, taken = self.count_waiting()
            times_idle = times_idle + 1 if queued + taken == 0 else 0
            if queued:
                quiet = time.monotonic()
            # What is taken now waits: for the import of a process that is dead.
            if time.monotonic() - quiet > IDLE_SECONDS:
                give_up_claims()
                quiet = time.monotonic()
            time.sleep(0.05)

    def deliver(self, deliveries: Iterable[Delivery]) -> None:
        """Each once, in this order."""
        for name, arguments in deliveries:
            app.send_task(NAMED[name], arguments)
        self.wait_until_idle()

    def disturb(self, deliveries: Iterable[Delivery], rng: Random) -> tuple[int, int]:
        """Each several times, in any order, while processes are killed; how many messages and
        kills these were."""
        messages = [one for one in deliveries for _ in range(rng.randint(*COPIES))]
        rng.shuffle(messages)
        killer = Killer(self.find_children, rng, len(messages) // MESSAGES_OF_KILL)
        deadline = time.monotonic() + MAX_SECONDS
        killer.start()
        try:
            for name, arguments in messages:
                app.send_task(NAMED[name], arguments)
            while self.count_waiting()[0]:
                self.check(deadline)
                time.sleep(0.05)
        finally:
            killer.finish()
        self.wait_until_idle()
        give_up_claims()
        return len(messages), killer.kills


class Killer(threading.Thread):
    """Kills a process at random instants until it is told to finish, so often at most."""

    def __init__(self, find: Callable[[], list[int]], rng: Random, max_kills: int) -> None:
        super().__init__(daemon=True)
        self.find, self.rng, self.max_kills = find, Random(rng.random()), max_kills
        self.kills, self.ended = 0, threading.Event()

    def run(self) -> None:
        while not self.ended.wait(self.rng.expovariate(1 / KILL_SECONDS)):
            if self.kills == self.max_kills:
                return
            if children := self.find():
                try:
                    os.kill(self.rng.choice(children), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.kills += 1

    def finish(self) -> None:
        self.ended.set()
        self.join()


def give_up_claims() -> None:
    """Let the time pass after which what a dead process has claimed is free: a minute for an
    import without a heartbeat, two for a board. Whoever is alive shows it every second."""
    old = "heartbeat_at < now() - interval '4 seconds'"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events_importjob SET heartbeat_at = heartbeat_at - interval '1 hour'"
            f" WHERE {old} AND heartbeat_at > now() - interval '50 minutes'"
        )
        cursor.execute(
            "UPDATE leaderboard_board SET claimed_until = claimed_until - interval '1 hour'"
            " WHERE claimed_until < now() + interval '116 seconds'"
        )
