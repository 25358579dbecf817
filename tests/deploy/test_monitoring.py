"""deploy/monitoring: the dashboard and the alerts name what there is, and all of it."""

import json
import re
import time

import pytest
import yaml
from django.core.cache import cache
from django.test import Client, override_settings
from prometheus_client import REGISTRY

from arena.beat import SIGN_KEY
from arena.metrics import DATABASE_ERRORS, REQUEST_SECONDS, RESPONSES
from tests.services import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]
FOLDER = ROOT / "deploy" / "monitoring"
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text())
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
TOKEN = "a-token-for-the-tests-alone"
# What would tell of somebody or something that is not the operator's business.
PRIVATE = re.compile(r"event|user|person|role|control|enrollment|competitor|slug")


@pytest.fixture
def beat_sign() -> None:
    """Beat has run."""
    cache.set(SIGN_KEY, time.time())


def named(expressions: list[str]) -> set[str]:
    """The metrics that these expressions name; of a histogram its buckets."""
    return set(re.findall(r"\barena_\w+", " ".join(expressions)))


def read_page() -> str:
    """What Prometheus reads, once something of every kind has been counted."""
    REQUEST_SECONDS.labels("home").observe(0.1)
    RESPONSES.labels("200").inc()
    DATABASE_ERRORS.labels("LockNotAvailable").inc()
    with override_settings(METRICS_TOKEN=TOKEN):
        page = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert page.status_code == 200
    return page.content.decode()


def test_every_metric_is_watched_and_every_one_watched_exists(beat_sign: None) -> None:
    lines = [line for line in read_page().splitlines() if not line.startswith("#")]
    samples = {re.split(r"[{ ]", line)[0] for line in lines}
    derived = re.compile(r"_(created|sum|count)$")
    there = {name for name in samples if not derived.search(name)}
    assert "arena_request_seconds_bucket" in there
    shown = named([target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]])
    rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
    watched = named([rule["expr"] for rule in rules])
    assert shown == there
    assert there - watched == {"arena_judgments_total"}  # to look at: no number of them is wrong
    assert watched <= there
    assert not [name for name in REGISTRY._names_to_collectors if name.startswith("arena_")]


def test_no_label_tells_of_anybody(beat_sign: None) -> None:
    assert PRIVATE.search('{event="1"}')
    labels = set(re.findall(r'[{,](\w+)="', read_page()))
    assert labels == {"view", "le", "status", "reason", "state", "queue", "part"}
    assert not [label for label in labels if PRIVATE.search(label)]


def test_every_alert_says_what_to_do() -> None:
    for group in ALERTS["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "action"}, rule["alert"]
            assert rule["labels"]["severity"] in ("page", "ticket")


def test_caddy_lets_nobody_at_them() -> None:
    caddyfile = (ROOT / "deploy" / "Caddyfile").read_text()
    assert re.search(r"^\trespond /metrics\* 404$", caddyfile, re.MULTILINE)
