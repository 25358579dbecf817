"""Everything that a site stands on goes away, one after the other, while people visit and judge.

    .venv/bin/python -m bench.outages [--quick]

The site is the Procfile's processes, each started again when it ends, behind the shipped Caddyfile
(where Caddy is installed), on PostgreSQL, Valkey and a mail server that are real and are stopped.
Ends in `goal` lines. Filling the disk takes root, who may mount one.

    database   stops at once, as in a crash, and comes back
    broker     stops and comes back empty; disk: is full, with the database on it
    mail       says nothing, then refuses; what was asked for meanwhile arrives afterwards
    crowd      100 connections that send a byte now and then
    kills      each container is killed in turn
"""

# ruff: noqa: PLC0415 - Django is set up once the services it points at are running
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from bench.faults import prepare
from bench.goals import print_goal
from bench.sites import ROOT, find_free_port

SLUG, PEOPLE, MATCHUPS = "outages", 4, 400
PARTS = ("database", "broker", "disk", "mail", "crowd", "kills")
CROWD = 100
# What the search for errors (deploy/errors.py) calls each of them.
CAUSES = {
    "database": "database away",
    "broker": "cache away",
    "disk": "disk full",
    "mail": "mail not sent",
}
ADDRESSES = ("visitor@mail.example", "another@mail.example")
PASSWORD = "correct horse battery"
PROMPT = "a prompt that stands nowhere else"


@dataclass(frozen=True)
class Scale:
    """Seconds of each outage, and between two."""

    away: float
    between: float


FULL, QUICK = Scale(away=20, between=15), Scale(away=6, between=5)


def main() -> None:
    """Start the site, then take away one thing after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="seconds of each")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between them")
    options = parser.parse_args()
    parts = options.only.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    from tests.services import Services

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit cleans up, too
    services, logs = Services("postgresql"), Path(tempfile.mkdtemp(prefix="arena-outages-"))
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    command = compose["services"]["database"]["command"]
    services.postgresql_settings = [word for word in command if "=" in word]
    mail_port = find_free_port()
    os.environ["EMAIL_URL"] = f"smtp://127.0.0.1:{mail_port}"
    os.environ["DEFAULT_FROM_EMAIL"] = "arena@site.example"
    try:
        run(services, logs, mail_port, parts, QUICK if options.quick else FULL)
    finally:
        services.stop()
        shutil.rmtree(logs, ignore_errors=True)


def run(services: Any, logs: Path, mail_port: int, parts: list[str], scale: Scale) -> None:
    """Prepare, disturb, report."""
    from bench.outage_site import Disk

    disk = Disk(services.folder)
    (services.folder / "var" / "static").mkdir(parents=True, exist_ok=True)
    try:
        prepare(services)
        bench = Outages(services, logs, disk, mail_port, scale)
        try:
            for part in parts:
                print(f"--- {part}", flush=True)
                getattr(bench, f"disturb_{part}")()
        finally:
            bench.stop()
        bench.report()
    finally:
        disk.close()


class Outages:
    """One run."""

    def __init__(self, services: Any, logs: Path, disk: Any, mail_port: int, scale: Scale) -> None:
        from bench.fault_sites import Acknowledged, at_work
        from bench.outage_site import Containers, Visitor, start_caddy
        from bench.sites import wait_for
        from tests.mail_server import MailServer

        self.services, self.logs, self.disk, self.scale = services, logs, disk, scale
        self.mail_port, self.mail = mail_port, MailServer(port=mail_port)
        self.event, self.people = make_crowd()
        self.containers = Containers(services, logs)
        web = int(os.environ["PORT"])
        self.direct = f"http://127.0.0.1:{web}"
        wait_for(f"{self.direct}/health/", logs / "web.log")
        self.edge = start_caddy(services, web, logs) or self.direct
        for person in self.people:
            person.url = self.edge
        pages = ["/", f"/events/{SLUG}/", f"/events/{SLUG}/leaderboard/", f"/events/{SLUG}/join/"]
        self.visitor = Visitor(self.edge, pages, {"login": "visitor", "password": PASSWORD})
        self.told, self.is_over = Acknowledged(), False
        self.in_flight: dict[str, str] = {}
        self.crowd_ratio: dict[str, float] = {}
        self.mail_seconds: list[float] = []
        self.ready: list[tuple[str, float, float]] = []
        self.work = at_work(self.judge, PEOPLE)
        self.work.__enter__()
        with self.visitor.during("rest"):
            time.sleep(scale.between)

    # --- people -----------------------------------------------------------------------------------
    def judge(self, number: int) -> None:
        """One contributor, who sends an answer until it is acknowledged."""
        from bench.fault_sites import ANSWERS

        person, rng, turn = self.people[number], Random(number), 0
        while not self.is_over:
            if not person.uuid and not (person.open() and person.uuid):
                time.sleep(0.5)
                continue
            turn += 1
            uuid, comment = person.uuid, f"a comment that stands nowhere else {number}-{turn}"
            self.in_flight[uuid] = comment
            if self.told.insist(person, rng.choice(ANSWERS), comment, lambda: self.is_over):
                del self.in_flight[uuid]
            time.sleep(0.5)

    # --- what goes away ---------------------------------------------------------------------------
    def disturb_database(self) -> None:
        with self.visitor.during("database"):
            self.services.stop_postgresql_at_once()
            red = self.wait_for_ready(503)
            time.sleep(self.scale.away)
            self.services.serve_postgresql()
        self.note_ready("database", red)

    def disturb_broker(self) -> None:
        with self.visitor.during("broker"):
            self.services.stop_redis()
            red = self.wait_for_ready(503)
            time.sleep(self.scale.away)
            self.services.start_redis()
        self.note_ready("broker", red)

    def disturb_disk(self) -> None:
        if not self.disk.is_there:
            print("no disk to be filled: only root may mount one")
            return
        with self.visitor.during("disk"):
            self.disk.fill()
            red = self.wait_for_ready(503)
            time.sleep(self.scale.away)
            self.disk.free()
        self.note_ready("disk", red)

    def disturb_mail(self) -> None:
        """Ask for codes while the mail server says nothing, refuses, and is there again."""
        from tests.mail_server import SILENCE, MailServer

        with self.visitor.during("mail"):
            for failure in ({"connect": SILENCE}, {"RCPT": f"450 <{ADDRESSES[0]}> later"}, None):
                self.mail.close()
                if failure is not None:
                    self.mail = MailServer(failure, port=self.mail_port)
                self.ask_for_code(ADDRESSES[0])
                time.sleep(self.scale.away)
        self.mail.close()
        self.mail = MailServer(port=self.mail_port)
        begin = time.monotonic()
        while len(self.mail.messages) < 3 and time.monotonic() < begin + 180:
            time.sleep(0.5)
        self.mail_seconds.append(time.monotonic() - begin)
        begin = time.monotonic()
        self.ask_for_code(ADDRESSES[1])
        while len(self.mail.messages) < 4 and time.monotonic() < begin + 60:
            time.sleep(0.1)
        self.mail_seconds.append(time.monotonic() - begin)
        print("mail: seconds to arrive after the outage, and at rest:", self.mail_seconds)

    def ask_for_code(self, address: str) -> None:
        """Somebody asks for a code to sign in."""
        import requests

        browser, page = requests.Session(), "/account/login/code/"
        self.visitor.ask("open", browser, "GET", page)
        form = {
            "email": address,
            "csrfmiddlewaretoken": browser.cookies.get("csrftoken", ""),
        }
        self.visitor.ask("code", browser, "POST", page, form)

    def disturb_crowd(self) -> None:
        """100 slow connections, straight to gunicorn and then through Caddy."""
        from bench.outage_site import open_slowly, trickle

        for name, address in {"direct": self.direct, "edge": self.edge}.items():
            self.visitor.address = address
            with self.visitor.during(f"before {name}"):
                time.sleep(self.scale.between)
            connections = [open_slowly(address) for _ in range(CROWD)]
            with self.visitor.during(f"crowd {name}"):
                trickle(connections, max(self.scale.away, 10.0))
            for connection in connections:
                connection.close()
            rest = self.visitor.measure_p95(f"before {name}")
            crowded = self.visitor.measure_p95(f"crowd {name}")
            self.crowd_ratio[name] = crowded / rest if rest and crowded else float("inf")
            print(
                f"{name}: p95 {1000 * rest:.0f} ms, beside {CROWD} slow connections "
                f"{1000 * crowded:.0f} ms (0: nobody was served)",
                flush=True,
            )
            time.sleep(2)
        self.visitor.address = self.edge

    def disturb_kills(self) -> None:
        for name in self.containers.commands:
            with self.visitor.during(f"kill {name}"):
                self.containers.kill(name)
                time.sleep(self.scale.between)
        self.note_ready("kills", 0.0)

    # --- readiness --------------------------------------------------------------------------------
    def wait_for_ready(self, status: int, patience: float = 60.0) -> float:
        """Seconds until /readyz says this, and where it is 200 eight times in a row, as each web
        process finds out by itself; infinity where it does not."""
        import requests

        begin, row = time.monotonic(), 0
        while time.monotonic() < begin + patience:
            try:
                found = requests.get(f"{self.direct}/readyz", timeout=20).status_code
            except requests.RequestException:
                found = 503
            row = row + 1 if found == status else 0
            if row >= (8 if status == 200 else 1):
                return time.monotonic() - begin
            time.sleep(0.25)
        return float("inf")

    def note_ready(self, part: str, red: float) -> None:
        """How long it took to see the outage, and its end; then some rest."""
        green = self.wait_for_ready(200)
        self.ready.append((part, red, green))
        print(f"{part}: red after {red:.1f} s, green {green:.1f} s after the return", flush=True)
        with self.visitor.during("after"):
            time.sleep(self.scale.between)

    # --- what came of it --------------------------------------------------------------------------
    def stop(self) -> None:
        """Let everybody finish, and end the site once everything is sealed."""
        from django.db import connections

        self.is_over = True
        self.work.__exit__(None, None, None)
        self.visitor.stop()
        connections.close_all()
        self.unsealed = self.wait_for_seals()
        self.containers.stop()
        self.mail.close()

    def wait_for_seals(self) -> int:
        """Judgments that the workers have not sealed a minute after everything is back."""
        from arena.judging.models import Judgment

        waiting, until = Judgment.objects.filter(ledger_seq=None), time.monotonic() + 60
        while waiting.exists() and time.monotonic() < until:
            time.sleep(0.5)
        return waiting.count()

    def report(self) -> None:
        """Print what was seen, and the goals."""
        from bench.fault_checks import compare, count_repeats

        visitor = self.visitor
        phases = sorted({phase for phase, _, _ in visitor.answers})
        for phase in phases:
            print(f"{phase}:", dict(sorted(visitor.count(phase).items())))
        print("judging:", dict(self.told.statuses), "ended:", dict(self.containers.ended))
        statuses = [status for _, _, status in visitor.answers.elements()]
        bugs = statuses.count(500) + self.told.statuses["answer 500"]
        away = {0, 502, 503, 504}
        refused = sum(
            number for status, number in visitor.count("broker").items() if status in away
        )
        unread = sum(
            number for status, number in visitor.count("disk", "read").items() if status >= 500
        )
        seen = compare(self.event, self.told.answers)
        print_goal("outages_500s", bugs, 0)
        print_goal("outages_503_without_retry_after", visitor.without_retry_after, 0)
        print_goal("outages_judgments", len(self.told.answers), 20, at_least=True)
        print_goal("outages_lost", seen.lost, 0)
        print_goal("outages_doubled", seen.doubled + count_repeats(self.event), 0)
        print_goal("outages_unsealed", self.unsealed, 0)
        print_goal("outages_refused_without_broker", refused, 0)
        print_goal("outages_unreadable_on_full_disk", unread, 0)
        own = self.containers.ended - self.containers.killed
        print_goal("outages_containers_ended_by_themselves", own.total(), 0)
        if self.edge != self.direct and "edge" in self.crowd_ratio:
            print_goal("outages_crowd_ratio", self.crowd_ratio["edge"], 2)
        if self.mail_seconds:
            print_goal("outages_mail_seconds_after_return", self.mail_seconds[0], 90)
            print_goal("outages_mail_seconds_at_rest", self.mail_seconds[1], 10)
        for part, red, green in self.ready:
            print_goal(f"outages_ready_red_seconds_{part}", red, 10)
            print_goal(f"outages_ready_green_seconds_{part}", green, 30)
        print_goal("outages_causes_unnamed", self.count_unnamed(), 0)
        print_goal("outages_leaks", self.count_leaks(), 0)

    def count_unnamed(self) -> int:
        """Outages of this run that the search for errors does not name."""
        logs = "".join(file.read_text(errors="replace") for file in self.logs.glob("*.log"))
        command = [sys.executable, str(ROOT / "deploy" / "errors.py")]
        said = subprocess.run(command, input=logs, capture_output=True, text=True, check=False)
        phases = {phase for phase, _, _ in self.visitor.answers}
        missing = [part for part in phases & CAUSES.keys() if CAUSES[part] not in said.stdout]
        print("the search for errors:", said.stdout[:3000], "does not name:", missing)
        return len(missing)

    def count_leaks(self) -> int:
        """Lines of any log with an address, a code, a prompt or an answer in it."""
        sent = "\n".join(self.mail.messages)
        codes = re.findall(r"^([A-Z0-9]{3,}-?[A-Z0-9]{3,})\r?$", sent, re.MULTILINE)
        secrets = [*ADDRESSES, PASSWORD, PROMPT, "a comment that stands nowhere else", *codes]
        pattern = re.compile("|".join(map(re.escape, secrets)))
        planted = self.logs / "planted.log"
        planted.write_text(f"{ADDRESSES[0]}\n")
        files = [*self.logs.glob("*.log"), *self.services.folder.glob("*.log")]
        leaks = [
            (file.name, line)
            for file in files
            for line in file.read_text(errors="replace").splitlines()
            if pattern.search(line)
        ]
        assert (planted.name, ADDRESSES[0]) in leaks, "the search finds nothing"
        for name, line in leaks:
            if name != planted.name:
                print("leak:", name, line[:300])
        return len(leaks) - 1


def make_crowd() -> tuple[Any, list[Any]]:
    """An open event with enough to judge, contributors, and people with confirmed addresses."""
    from allauth.account.models import EmailAddress

    from arena.events.models import Record
    from arena.people.models import User
    from bench.fault_sites import sign_in
    from tests.factories import make_competitors, make_event, make_matchup

    event = make_event(SLUG, overlap=PEOPLE)
    models = make_competitors(event, 4)
    for number in range(MATCHUPS):
        make_matchup(event, [models[number % 4], models[(number + 1) % 4]])
    Record.objects.filter(event=event).update(prompt=[{"role": "user", "content": PROMPT}])
    for address in ADDRESSES:
        user = User.objects.create_user(address.partition("@")[0], address, PASSWORD)
        EmailAddress.objects.create(user=user, email=address, verified=True, primary=True)
    return event, sign_in("", event, PEOPLE)


if __name__ == "__main__":
    main()
