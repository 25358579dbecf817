"""Whether a judging page tells a control by anything but its texts: of `bench.trust` the part
`pages`.

People judge by the product's own views in an event with anchors and tie controls, whose texts all
have one length. Of each reply that brings a page go into a classifier: its status, its headers with
their order and lengths, its size, its tags and attributes, the statements it asks and the time it
takes. Gradient boosting of stumps (Friedman 2001, "Greedy Function Approximation") is trained on
four fifths of the people and tried on the rest, five times; figures are compared at equal ordinals,
since the public schedule brings more controls to the first turns. One byte in a header of a fifth
of the controls has to be found by the same classifier first.
"""

# ruff: noqa: PLC0415 - Django is set up in each process; no secret depends on chance
import json
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from hashlib import sha256
from html.parser import HTMLParser
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from scipy.stats import rankdata

from bench.goals import print_goal
from bench.trust_exposure import PROCESSES, prepare
from bench.trust_figures import SEEDS
from leaderboard.ratings import Floats

PAGES_PER_CLASS, QUICK_PAGES = 2_000, 300
SIZE, QUICK_SIZE = (2_000, 120), (800, 60)
"""Ordinary matchups and controls: of a large event a quick run would never see the most part."""
TURNS, INTERVAL = 90, 4
TEXT_LENGTH = 120
ROUNDS, SHRINKAGE, BINS, FOLDS = 60, 0.2, 8, 5
PLANTED_SHARE = 0.2
Bools = npt.NDArray[np.bool_]


class Shape(HTMLParser):
    """How often each tag and attribute stands on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name in (tag, *(f"{tag}[{name}]" for name, _ in attrs)):
            self.counts[name] = self.counts.get(name, 0) + 1


def measure_pages(seeds: int) -> None:
    """The classifier's AUC with its interval, after it has found what was planted."""
    is_quick = seeds < SEEDS
    wanted, size = (QUICK_PAGES, QUICK_SIZE) if is_quick else (PAGES_PER_CLASS, SIZE)
    context = get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, context, initializer=prepare_pages) as pool:
        parts = list(pool.map(partial(watch_pages, wanted // PROCESSES, size), range(PROCESSES)))
    rows = [row for part in parts for row in part]
    person = np.unique([row["person"] for row in rows], return_inverse=True)[1]
    ordinal = np.array([row["ordinal"] for row in rows])
    is_control = np.array([row["is_control"] for row in rows])
    table = tabulate([row["features"] for row in rows])
    print(f"{is_control.sum():,} pages of controls and {(~is_control).sum():,} of others")
    planted = table.copy()
    chosen = np.random.default_rng(0).random(len(rows)) < PLANTED_SHARE
    planted[is_control & chosen, 0] += 1.0  # the length of a header
    sizes = int(is_control.sum()), int((~is_control).sum())
    found = classify(centre(planted, ordinal), is_control, person)
    auc = classify(centre(table, ordinal), is_control, person)
    error = hanley_mcneil(auc, *sizes)
    print(f"pages, with one byte planted: AUC {found:.4f} ± {hanley_mcneil(found, *sizes):.4f}")
    print(f"pages, as they are: AUC {auc:.4f} ± {error:.4f}")
    print_goal("pages-planted", found - 1.96 * hanley_mcneil(found, *sizes), 0.5, at_least=True)
    print_goal("pages-interval", 2 * 1.96 * error, 0.06)
    print_goal("pages-beside-half", abs(auc - 0.5), 1.96 * error)


def tabulate(features: list[dict[str, float]]) -> Floats:
    """Features by name as columns, 0 where a page lacks one."""
    names = sorted({name for each in features for name in each})
    return np.array([[each.get(name, 0.0) for name in names] for each in features])


def centre(values: Floats, ordinal: npt.NDArray[np.int64]) -> Floats:
    """The features less their mean at the same ordinal."""
    place = np.unique(ordinal, return_inverse=True)[1]
    counts = np.bincount(place)
    means = np.stack([np.bincount(place, column) / counts for column in values.T], 1)
    centred: Floats = values - means[place]
    return centred


def classify(values: Floats, is_control: Bools, person: npt.NDArray[np.int64]) -> float:
    """AUC of boosted stumps on people they were not trained on."""
    scores = np.empty(len(is_control))
    for fold in range(FOLDS):
        tried = person % FOLDS == fold
        scores[tried] = boost(values[~tried], is_control[~tried], values[tried])
    ranks, n = rankdata(scores), int(is_control.sum())
    above = ranks[is_control].sum() - n * (n + 1) / 2
    return float(above / (n * (len(is_control) - n)))


def boost(values: Floats, target: Bools, others: Floats) -> Floats:
    """Log-odds for other rows after some rounds, each with the best stump of all features."""
    stumps = [
        (column, cut)
        for column in range(values.shape[1])
        for cut in np.unique(np.quantile(values[:, column], np.linspace(0, 1, BINS + 1)[1:-1]))
    ]
    sides = np.stack([values[:, column] > cut for column, cut in stumps], 1).astype(np.float64)
    odds = np.full(len(target), np.log(target.mean() / (1 - target.mean())))
    scores = np.full(len(others), odds[0])
    for _ in range(ROUNDS):
        chance = expit(odds)
        rest, weight = target - chance, chance * (1 - chance)
        high, high_weight = rest @ sides, weight @ sides
        low, low_weight = rest.sum() - high, weight.sum() - high_weight
        gain = high**2 / (high_weight + 1) + low**2 / (low_weight + 1)
        best = int(np.argmax(gain))
        steps = low[best] / (low_weight[best] + 1), high[best] / (high_weight[best] + 1)
        column, cut = stumps[best]
        odds += SHRINKAGE * np.where(values[:, column] > cut, steps[1], steps[0])
        scores += SHRINKAGE * np.where(others[:, column] > cut, steps[1], steps[0])
    return scores


def hanley_mcneil(auc: float, n: int, m: int) -> float:
    """Standard error of an AUC (Hanley & McNeil 1982, "The Meaning and Use of the Area under a ROC
    Curve", formula 1)."""
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (n - 1) * (one - auc**2) + (m - 1) * (two - auc**2)
    return float(np.sqrt(variance / (n * m)))


# --- the pages -----------------------------------------------------------------------------------
def prepare_pages() -> None:
    """Set Django up; static files need no manifest."""
    prepare()
    from django.conf import settings

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    settings.ALLOWED_HOSTS = ["*"]
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def watch_pages(wanted: int, size: tuple[int, int], seed: int) -> list[dict[str, Any]]:
    """Judge until so many controls have been met; a row for each page."""
    from django.test import Client
    from django.utils import timezone

    from arena.events.joining.enrolling import enroll
    from arena.events.models import Enrollment
    from arena.people.models import User

    rng = Random(seed)
    event = make_event(seed, rng, *size)
    rows: list[dict[str, Any]] = []
    while sum(row["is_control"] for row in rows) < wanted:
        user = User.objects.create(username=f"judge-{seed}-{rng.getrandbits(40):x}")
        now, read = timezone.now(), event.guidelines.get()
        person = enroll(user, event, event.terms.get(), now)
        Enrollment.objects.filter(pk=person.pk).update(guidelines=read, guidelines_at=now)
        client = Client()
        client.force_login(user)
        rows += watch_person(client, event, person, rng)
    return rows


def watch_person(client: Any, event: Any, person: Any, rng: Random) -> list[dict[str, Any]]:
    """One person's turns: the reply to each answer, which brings the next page."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext
    from django.urls import reverse

    from arena.judging.models import Assignment

    client.get(reverse("judging:next", args=[event.slug]))
    rows: list[dict[str, Any]] = []
    for _ in range(TURNS):
        shown = Assignment.objects.filter(enrollment=person, state="shown").first()
        if shown is None:
            break
        builds = not person.assignments.filter(state="reserved").exists()
        answer = {"preference": rng.choice(["a2", "a1", "tie", "b1", "b2"]), "replaces": ""}
        address = reverse("judging:judge", args=[shown.uuid])
        started = time.process_time()
        with CaptureQueriesContext(connection) as queries:
            reply = client.post(address, answer, HTTP_HX_REQUEST="true")
        took = time.process_time() - started
        following = Assignment.objects.filter(enrollment=person, state="shown")
        following = following.select_related("matchup").first()
        if following is None:
            break
        features = describe_reply(reply, len(queries), took) | {"a chunk is built": float(builds)}
        rows.append(
            {
                "person": person.pk,
                "ordinal": following.ordinal,
                "is_control": following.matchup.role == "control",
                "features": features,
            }
        )
    return rows


def describe_reply(reply: Any, statements: int, seconds: float) -> dict[str, float]:
    """Everything about a reply but its texts, as numbers."""
    shape = Shape()
    body = reply.content.decode()
    shape.feed(body)
    order = sha256(",".join(reply.headers).encode()).digest()
    found = {
        " first": 0.0,  # where the byte is planted
        "status": float(reply.status_code),
        "bytes": float(len(reply.content)),
        "lines": float(body.count("\n")),
        "order of headers": float(int.from_bytes(order[:4], "big")),
        "cookies": float(len(reply.cookies)),
        "statements": float(statements),
        "seconds": seconds,
    }
    found |= {f"header {name}": float(len(value)) for name, value in reply.headers.items()}
    return found | {f"tag {name}": float(count) for name, count in shape.counts.items()}


def make_event(seed: int, rng: Random, ordinary: int, controls: int) -> Any:
    """An open event with controls of four responses, tie controls and anchors."""
    from django.utils import timezone

    from arena.events.decision_record import Ruling
    from arena.events.importing import import_records
    from arena.events.joining.terms import publish_terms
    from arena.events.lifecycle.creation import NewEvent, create_event
    from arena.events.models import Event, Record
    from arena.events.records.anchors import make_anchors
    from arena.events.records.ties import make_tie_controls
    from arena.events.rendering import render_records

    now = timezone.now()
    settings = {
        "control_interval": INTERVAL,
        "matchups_per_record": 3,
        "opens_at": now - timedelta(hours=1),
    }
    plan = NewEvent(f"pages-{seed}", "Pages", guidelines="Read.", settings=settings)
    event = create_event(plan, organizer=None)
    publish_terms(event)
    with TemporaryDirectory(prefix="bench-trust-") as folder:
        path = Path(folder) / "records.jsonl"
        numbers = range(ordinary // 3 + controls)
        lines = [make_record(number, rng, is_control=number < controls) for number in numbers]
        path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        report = import_records(event, path, now=now, rng=rng)
    assert report.landed, report.errors
    render_records(Record.objects.filter(event=event).values_list("pk", flat=True))
    Event.objects.filter(pk=event.pk).update(state="open")
    event.refresh_from_db()
    ties, anchors = make_tie_controls(event, Ruling(None, now), rng), make_anchors(event, rng)
    print(f"{controls} controls, {ties} ties among them, and {anchors} anchors", flush=True)
    return event


def make_record(number: int, rng: Random, *, is_control: bool) -> dict[str, Any]:
    """A record, of models or of a control; all texts are of one length."""
    texts = ["".join(rng.choices("abcdefghij", k=TEXT_LENGTH)) for _ in range(5)]
    if is_control:
        responses: Any = [{"text": text} for text in texts[1:]]
        key = {"expected": rng.choice("ab"), "reason": "It is so."}
        control = {"responses": responses, "control": key}
        return {"external_id": f"r{number:05}", "prompt": texts[0]} | control
    models = rng.sample([f"Model {name}" for name in "ABCDEFGH"], 4)
    return {
        "external_id": f"r{number:05}",
        "prompt": texts[0],
        "responses": dict(zip(models, texts[1:], strict=True)),
    }
