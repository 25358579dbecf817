"""The figures of the whole site, found out when Prometheus asks: each server says the same.

No label tells of an event, a person, a role or a control.
"""

import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from django.conf import settings
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from arena.beat import get_sign_age
from arena.cache import keep
from arena.monitoring import queries
from arena.monitoring.bounded import BoundedChecks

ANSWER_SECONDS = 4.0
# The sum over all open matchups of large events takes a while.
KEEP_SLOTS_SECONDS = 30


def gauge(name: str, about: str, value: float) -> Metric:
    """A figure without labels."""
    return GaugeMetricFamily(name, about, value=value)


def gauges(name: str, about: str, label: str, values: dict[str, int]) -> Metric:
    """Figures that one label tells apart."""
    family = GaugeMetricFamily(name, about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def list_judgments() -> Iterator[Metric]:
    """Judgments, and how far sealing and boards are behind them."""
    now, sealed = timezone.now(), queries.count_sealed()
    unsealed = queries.find_unsealed(now)
    yield CounterMetricFamily(
        "arena_judgments", "Judgments, imported ones too.", value=sealed + unsealed.judgments
    )
    yield gauge("arena_unsealed_judgments", "Judgments that wait for sealing.", unsealed.judgments)
    yield gauge(
        "arena_sealing_lag_seconds", "How long the oldest of them has waited.", unsealed.seconds
    )
    yield gauge(
        "arena_snapshot_age_seconds",
        "Age of the oldest board that judgments have gone past; 0 where all are up to date.",
        queries.find_snapshot_age(now),
    )
    yield gauge(
        "arena_differing_ledgers",
        "Ledgers that differed when last verified.",
        queries.count_differing_ledgers(),
    )


def list_work() -> Iterator[Metric]:
    """What is there to be judged, and to be imported."""
    slots = keep("open-slots", KEEP_SLOTS_SECONDS, queries.count_open_slots)
    yield gauge("arena_open_slots", "Judgments that running events still want.", slots)
    yield gauges(
        "arena_live_assignments",
        "Matchups kept for somebody.",
        "state",
        queries.count_live_assignments(),
    )
    yield gauges("arena_imports", "Imports not done yet.", "state", queries.count_imports())


def list_messages() -> Iterator[Metric]:
    """What waits for workers."""
    yield gauges(
        "arena_queued_messages", "Messages in each queue.", "queue", queries.count_queued()
    )
    yield gauge(
        "arena_unacknowledged_messages",
        "Messages that workers have in hand.",
        queries.count_unacknowledged(),
    )


def list_mail() -> Iterator[Metric]:
    """What has not been sent."""
    waiting, seconds = queries.find_waiting_mail(timezone.now())
    yield gauge("arena_waiting_mails", "Messages that have not left yet.", waiting)
    yield gauge("arena_mail_lag_seconds", "How long the oldest of them has waited.", seconds)


def list_beat() -> Iterator[Metric]:
    """Beat's last sign, where there is one."""
    age = get_sign_age(time.time())
    if age is not None:
        yield gauge("arena_beat_age_seconds", "Seconds since beat's last sign of life.", age)


def list_disk() -> Iterator[Metric]:
    """Room on the volume."""
    free = shutil.disk_usage(settings.VAR).free
    yield gauge("arena_disk_free_bytes", "Free on the volume of the site's files.", free)


PARTS: dict[str, Callable[[], Iterable[Metric]]] = {
    "judgments": list_judgments,
    "work": list_work,
    "messages": list_messages,
    "mail": list_mail,
    "beat": list_beat,
    "disk": list_disk,
}


class SiteFigures(Collector):
    """Collects all parts; one that fails or hangs is named instead."""

    def __init__(self) -> None:
        self.collected: dict[str, list[Metric]] = {}
        parts = {name: partial(self.collect_part, name) for name in PARTS}
        self.checks = BoundedChecks(parts)

    def collect_part(self, name: str) -> str:
        """Keep what a part says."""
        self.collected[name] = list(PARTS[name]())
        return ""

    def collect(self) -> Iterator[Metric]:
        """The figures, and which parts have none."""
        said = self.checks.run(ANSWER_SECONDS)
        for name, problem in said.items():
            if not problem:
                yield from self.collected[name]
        missing = {name: int(bool(problem)) for name, problem in said.items()}
        yield gauges("arena_figures_missing", "1: this part could not be read.", "part", missing)
